"""ACTION: one method, a list of them, long arguments and long answers block by block."""

from typing import Final

from emulator.codecs.dlms import apdu_action, apdu_set, axdr
from emulator.codecs.dlms.apdu_action import (
    ActionBlockRequest,
    ActionBlockResponse,
    ActionFirstBlockRequest,
    ActionListFirstBlockRequest,
    ActionListRequest,
    ActionListResponse,
    ActionNextRequest,
    ActionNextResponse,
    ActionRequest,
    ActionResponse,
    AnyActionRequest,
    AnyActionResponse,
    MethodOutcome,
)
from emulator.codecs.dlms.apdu_blocks import (
    ACTION_RESULTS,
    BLOCK_HEAD_BYTES,
    Awaiting,
    BlockCollector,
    BlockFault,
    BlockSender,
    Complete,
    room_bytes,
)
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult, DataBlock, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.initiate import Conformance
from emulator.core.errors import MalformedFrameError
from emulator.devices.smets1.association import Asked
from emulator.devices.smets1.blocks import (
    MAX_GATHERED_BYTES,
    ActionOpening,
    Gathering,
    next_block,
)
from emulator.devices.smets1.exceptions import Refusal, not_negotiated, too_long
from emulator.devices.smets1.server_access import AccessServer

#: Octets of a response before its outcome or outcomes: tag, choice and invoke id.
_HEAD_BYTES: Final = 3
#: Octets of one outcome without returned data, and of the count of a list of them.
_OUTCOME_BYTES: Final = 2
_COUNT_BYTES: Final = 3
_IN_BLOCKS = (
    ActionBlockRequest | ActionFirstBlockRequest | ActionListFirstBlockRequest | ActionNextRequest
)
_WITH_LIST = ActionListRequest | ActionListFirstBlockRequest


class ActionServer(AccessServer):
    """Answers ACTION requests."""

    def answer_action(self, asked: Asked, request: AnyActionRequest) -> AnyActionResponse | Refusal:
        """Return the answer to an ACTION request, or why there is none."""
        refusal = self.refuse_action(asked, request)
        if refusal is not None:
            return refusal
        transfers = asked.association.transfers
        if isinstance(request, ActionNextRequest):
            return self.next_action_block(asked, request)
        if isinstance(request, ActionBlockRequest):
            return self.take_action_block(asked, request.invoke, request.block)
        transfers.invoking = transfers.returning = None
        if isinstance(request, ActionRequest):
            outcome = self.invoke(asked, request.method, request.parameters)
            return self.return_one(asked, request.invoke, outcome)
        if isinstance(request, ActionListRequest):
            outcomes = self.invoke_list(asked, request.methods, request.parameters)
            return self.return_list(asked, request.invoke, outcomes)
        gathering: Gathering[ActionOpening] = Gathering(request, BlockCollector(MAX_GATHERED_BYTES))
        transfers.invoking = gathering
        return self.take_action_block(asked, request.invoke, request.block)

    def refuse_action(self, asked: Asked, request: AnyActionRequest) -> Refusal | None:
        """Say why a request is not taken at all, or None.

        A list is refused before anything is done if the client could not take its answer.
        """
        if not asked.negotiated(Conformance.ACTION):
            return not_negotiated("ACTION")
        blocks = asked.negotiated(Conformance.BLOCK_ACTION)
        if isinstance(request, _IN_BLOCKS) and not blocks:
            return not_negotiated("ACTION in blocks")
        if not isinstance(request, _WITH_LIST):
            return None
        if not asked.negotiated(Conformance.MULTIPLE_REFERENCES):
            return not_negotiated("ACTION with list")
        octets = _HEAD_BYTES + _COUNT_BYTES + _OUTCOME_BYTES * len(request.methods)
        return too_long(octets, asked.room) if octets > asked.room and not blocks else None

    def take_action_block(self, asked: Asked, invoke: int, block: DataBlock) -> AnyActionResponse:
        """Take one block of an argument; with the last one, act."""
        gathering = asked.association.transfers.invoking
        if gathering is None:
            return _failed(invoke, ACTION_RESULTS[BlockFault.NOT_IN_PROGRESS])
        taken = gathering.collector.take(block)
        if isinstance(taken, Awaiting):
            return ActionNextResponse(invoke, taken.number)
        asked.association.transfers.invoking = None
        if isinstance(taken, Complete):
            return self.invoke_gathered(asked, invoke, gathering.opening, taken)
        return _failed(invoke, ACTION_RESULTS[taken])

    def invoke_gathered(
        self, asked: Asked, invoke: int, opening: ActionOpening, gathered: Complete
    ) -> AnyActionResponse:
        """Act on what came in blocks.

        Source:
            inferred: joined blocks that are no argument, or not as many as methods, are "other
            reason"; nothing of them is done.
        """
        try:
            if isinstance(opening, ActionFirstBlockRequest):
                parameters = axdr.decode(gathered.octets)
                outcome = self.invoke(asked, opening.method, parameters)
                return self.return_one(asked, invoke, outcome)
            several = apdu_set.decode_values(gathered.octets)
        except MalformedFrameError:
            return _failed(invoke, ActionResult.OTHER_REASON)
        if len(several) != len(opening.methods):
            return _failed(invoke, ActionResult.OTHER_REASON)
        outcomes = self.invoke_list(asked, opening.methods, several)
        return self.return_list(asked, invoke, outcomes)

    def invoke_list(
        self, asked: Asked, methods: tuple[Descriptor, ...], parameters: tuple[Data, ...]
    ) -> tuple[MethodOutcome, ...]:
        """Carry out several methods in their order, each for itself."""
        pairs = zip(methods, parameters, strict=True)
        return tuple([self.invoke(asked, method, given) for method, given in pairs])

    def return_one(self, asked: Asked, invoke: int, outcome: MethodOutcome) -> AnyActionResponse:
        """Return what became of one method, or its first block.

        Source:
            inferred: returned data that need blocks which were not negotiated are "data block
            unavailable"; the result of the method stays.
        """
        octets = apdu_action.encode_outcome(outcome)
        if _HEAD_BYTES + len(octets) <= asked.room:
            return ActionResponse(invoke, outcome)
        if asked.negotiated(Conformance.BLOCK_ACTION):
            return self.first_action_block(asked, invoke, octets)
        return ActionResponse(invoke, _without_data(outcome))

    def return_list(
        self, asked: Asked, invoke: int, outcomes: tuple[MethodOutcome, ...]
    ) -> AnyActionResponse:
        """Return what became of several methods, or the first block of it."""
        octets = apdu_action.encode_outcomes(outcomes)
        if _HEAD_BYTES + len(octets) <= asked.room:
            return ActionListResponse(invoke, outcomes)
        if asked.negotiated(Conformance.BLOCK_ACTION):
            return self.first_action_block(asked, invoke, octets)
        bare = tuple([MethodOutcome(outcome.result) for outcome in outcomes])
        return ActionListResponse(invoke, bare)

    def first_action_block(self, asked: Asked, invoke: int, octets: bytes) -> ActionBlockResponse:
        """Begin to deal a long answer out."""
        sender = BlockSender(octets)
        room = room_bytes(asked.room, BLOCK_HEAD_BYTES)
        block = sender.first(room)
        asked.association.transfers.returning = sender if sender.in_progress else None
        return ActionBlockResponse(invoke, block)

    def next_action_block(self, asked: Asked, request: ActionNextRequest) -> AnyActionResponse:
        """Return the block after the one that the client has, or why none comes."""
        transfers, room = asked.association.transfers, room_bytes(asked.room, BLOCK_HEAD_BYTES)
        transfers.returning, block = next_block(transfers.returning, request.number, room)
        if isinstance(block, BlockFault):
            return _failed(request.invoke, ACTION_RESULTS[block])
        return ActionBlockResponse(request.invoke, block)


def _without_data(outcome: MethodOutcome) -> MethodOutcome:
    return MethodOutcome(outcome.result, DataAccessResult.DATA_BLOCK_UNAVAILABLE)


def _failed(invoke: int, result: ActionResult) -> ActionResponse:
    return ActionResponse(invoke, MethodOutcome(result))
