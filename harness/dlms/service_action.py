"""ACTION: one method, its parameters and its return value in blocks where they are long."""

from emulator.codecs.dlms import apdu_action, axdr
from emulator.codecs.dlms.apdu_action import (
    ActionBlockRequest,
    ActionBlockResponse,
    ActionFirstBlockRequest,
    ActionListResponse,
    ActionNextRequest,
    ActionNextResponse,
    ActionRequest,
    ActionResponse,
)
from emulator.codecs.dlms.apdu_blocks import Awaiting, BlockCollector, BlockFault
from emulator.codecs.dlms.apdu_parts import ActionResult, DataBlock, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.initiate import Conformance
from harness.dlms.blocks import LongRequest
from harness.dlms.dialogue import (
    Ended,
    Terms,
    aborted,
    broken,
    faulty_block,
    is_answer_to,
    wrong_invoke,
)
from harness.meter import ActionAnswer


class ActionDialogue:
    """Invokes one method."""

    def __init__(self, method: Descriptor, parameters: Data | None, terms: Terms) -> None:
        self._method, self._parameters = method, parameters
        self._terms = terms
        self._invoke = 0
        self._long: LongRequest | None = None
        self._collector = BlockCollector(terms.max_answer_bytes)

    def begin(self) -> bytes | Ended[ActionAnswer]:
        """Return the request, or its first block."""
        self._invoke = self._terms.invoke()
        request = ActionRequest(self._invoke, self._method, self._parameters)
        whole = apdu_action.encode_request(request)
        if self._terms.fits(whole):
            return whole
        if self._parameters is not None and self._terms.allow(Conformance.BLOCK_ACTION):
            self._long = self._in_blocks(axdr.encode(self._parameters))
            if self._long.is_possible:
                return self._long.begin()
        return aborted(
            f"the request has {len(whole)} octets; the meter takes {self._terms.room_bytes},"
            " and blocks cannot help"
        )

    def take(self, apdu: bytes) -> bytes | Ended[ActionAnswer]:
        """Take an answer.

        Raises:
            MalformedFrameError: It is no ACTION response, or what its blocks hold cannot be read.
        """
        answer = apdu_action.decode_response(apdu)
        if not is_answer_to(answer.invoke, self._invoke):
            return wrong_invoke(answer.invoke, self._invoke, apdu)
        match answer:
            case ActionNextResponse():
                return self._go_on(answer.number, apdu)
            case ActionListResponse():
                return broken("answers to a list where one method was invoked", apdu)
        too_early = self._long is not None and not self._long.all_sent
        if too_early and (
            isinstance(answer, ActionBlockResponse) or answer.outcome.result is ActionResult.SUCCESS
        ):
            return aborted("the meter answers before it had the last block", apdu)
        if isinstance(answer, ActionResponse):
            return Ended(answer.outcome)
        return self._block(answer, apdu)

    def _go_on(self, acknowledged: int, apdu: bytes) -> bytes | Ended[ActionAnswer]:
        if self._long is None:
            return broken("a block is acknowledged where none was sent", apdu)
        further = self._long.go_on(acknowledged)
        return faulty_block(further, apdu) if isinstance(further, BlockFault) else further

    def _block(self, answer: ActionBlockResponse, apdu: bytes) -> bytes | Ended[ActionAnswer]:
        step = self._collector.take(answer.block)
        if isinstance(step, BlockFault):
            return faulty_block(step, apdu)
        if isinstance(step, Awaiting):
            return apdu_action.encode_request(ActionNextRequest(self._invoke, step.number))
        return Ended(apdu_action.decode_outcome(step.octets))

    def _in_blocks(self, octets: bytes) -> LongRequest:
        def first(block: DataBlock) -> bytes:
            request = ActionFirstBlockRequest(self._invoke, self._method, block)
            return apdu_action.encode_request(request)

        def further(block: DataBlock) -> bytes:
            return apdu_action.encode_request(ActionBlockRequest(self._invoke, block))

        return LongRequest(octets, self._terms.room_bytes, first, further)
