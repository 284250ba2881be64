"""SET: one attribute, a list of them, and long values block by block."""

from typing import Final

from emulator.codecs.dlms import apdu_set, axdr
from emulator.codecs.dlms.apdu_blocks import (
    SET_RESULTS,
    Awaiting,
    BlockCollector,
    BlockFault,
    Complete,
)
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, DataBlock
from emulator.codecs.dlms.apdu_set import (
    AnySetRequest,
    AnySetResponse,
    SetBlockRequest,
    SetBlockResponse,
    SetFirstBlockRequest,
    SetLastBlockResponse,
    SetLastListBlockResponse,
    SetListFirstBlockRequest,
    SetListRequest,
    SetListResponse,
    SetRequest,
    SetResponse,
)
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.initiate import Conformance
from emulator.core.errors import MalformedFrameError
from emulator.devices.smets1.association import Asked
from emulator.devices.smets1.blocks import MAX_GATHERED_BYTES, Gathering, SetOpening
from emulator.devices.smets1.exceptions import Refusal, not_negotiated, too_long
from emulator.devices.smets1.server_access import AccessServer

#: Octets of the answer to a list beside its results: head, count, and a block's number.
_LIST_BYTES: Final = 3 + 3 + 4


class SetServer(AccessServer):
    """Answers SET requests."""

    def answer_set(self, asked: Asked, request: AnySetRequest) -> AnySetResponse | Refusal:
        """Return the answer to a SET request, or why there is none."""
        refusal = self.refuse_set(asked, request)
        if refusal is not None:
            return refusal
        if isinstance(request, SetBlockRequest):
            return self.take_set_block(asked, request.invoke, request.block)
        asked.association.transfers.writing = None
        if isinstance(request, SetRequest):
            return SetResponse(request.invoke, self.write(asked, request.attribute, request.value))
        if isinstance(request, SetListRequest):
            results = self.write_list(asked, request.attributes, request.values)
            return SetListResponse(request.invoke, results)
        gathering: Gathering[SetOpening] = Gathering(request, BlockCollector(MAX_GATHERED_BYTES))
        asked.association.transfers.writing = gathering
        return self.take_set_block(asked, request.invoke, request.block)

    def refuse_set(self, asked: Asked, request: AnySetRequest) -> Refusal | None:
        """Say why a request is not taken at all, or None.

        A list whose answer the client could not take is refused before anything is written.
        """
        if not asked.negotiated(Conformance.SET):
            return not_negotiated("SET")
        in_blocks = isinstance(
            request, SetBlockRequest | SetFirstBlockRequest | SetListFirstBlockRequest
        )
        if in_blocks and not asked.negotiated(Conformance.BLOCK_SET):
            return not_negotiated("SET in blocks")
        if not isinstance(request, SetListRequest | SetListFirstBlockRequest):
            return None
        if not asked.negotiated(Conformance.MULTIPLE_REFERENCES):
            return not_negotiated("SET with list")
        octets = _LIST_BYTES + len(request.attributes)
        return too_long(octets, asked.room) if octets > asked.room else None

    def take_set_block(self, asked: Asked, invoke: int, block: DataBlock) -> AnySetResponse:
        """Take one block; with the last one, write."""
        gathering = asked.association.transfers.writing
        if gathering is None:
            result = SET_RESULTS[BlockFault.NOT_IN_PROGRESS]
            return SetLastBlockResponse(invoke, result, block.number)
        taken = gathering.collector.take(block)
        if isinstance(taken, Awaiting):
            return SetBlockResponse(invoke, taken.number)
        asked.association.transfers.writing = None
        if isinstance(taken, Complete):
            return self.write_gathered(asked, invoke, gathering.opening, taken)
        return _failed(gathering.opening, invoke, SET_RESULTS[taken], block.number)

    def write_gathered(
        self, asked: Asked, invoke: int, opening: SetOpening, gathered: Complete
    ) -> AnySetResponse:
        """Write what came in blocks.

        Source:
            inferred: joined blocks that are no value, or not as many as attributes, are "other
            reason"; nothing of them is written.
        """
        try:
            if isinstance(opening, SetFirstBlockRequest):
                value = axdr.decode(gathered.octets)
                result = self.write(asked, opening.attribute, value)
                return SetLastBlockResponse(invoke, result, gathered.number)
            values = apdu_set.decode_values(gathered.octets)
        except MalformedFrameError:
            return _failed(opening, invoke, DataAccessResult.OTHER_REASON, gathered.number)
        if len(values) != len(opening.attributes):
            return _failed(opening, invoke, DataAccessResult.OTHER_REASON, gathered.number)
        results = self.write_list(asked, opening.attributes, values)
        return SetLastListBlockResponse(invoke, results, gathered.number)

    def write_list(
        self, asked: Asked, attributes: tuple[Attribute, ...], values: tuple[Data, ...]
    ) -> tuple[DataAccessResult, ...]:
        """Write several attributes in their order, each for itself."""
        pairs = zip(attributes, values, strict=True)
        return tuple([self.write(asked, attribute, value) for attribute, value in pairs])


def _failed(
    opening: SetOpening, invoke: int, result: DataAccessResult, number: int
) -> AnySetResponse:
    if isinstance(opening, SetFirstBlockRequest):
        return SetLastBlockResponse(invoke, result, number)
    return SetLastListBlockResponse(invoke, (result,) * len(opening.attributes), number)
