"""GET: one attribute, a list of them, and long answers block by block."""

from typing import Final

from emulator.codecs.dlms import apdu_get, axdr
from emulator.codecs.dlms.apdu_blocks import (
    GET_HEAD_BYTES,
    GET_RESULTS,
    BlockFault,
    BlockSender,
    room_bytes,
)
from emulator.codecs.dlms.apdu_get import (
    AnyGetRequest,
    AnyGetResponse,
    GetBlockResponse,
    GetFailedBlockResponse,
    GetListRequest,
    GetListResponse,
    GetNextRequest,
    GetRequest,
    GetResponse,
)
from emulator.codecs.dlms.apdu_parts import DataAccessResult
from emulator.codecs.dlms.initiate import Conformance
from emulator.devices.smets1.association import Asked
from emulator.devices.smets1.blocks import next_block
from emulator.devices.smets1.exceptions import Refusal, not_negotiated, too_long
from emulator.devices.smets1.server_access import AccessServer

#: Octets of a response before its value: tag, choice, invoke id, result choice; and of a list's
#: before its results.
_ONE_HEAD_BYTES: Final = 4
_LIST_HEAD_BYTES: Final = 3


class GetServer(AccessServer):
    """Answers GET requests."""

    def answer_get(self, asked: Asked, request: AnyGetRequest) -> AnyGetResponse | Refusal:
        """Return the answer to a GET request, or why there is none."""
        if not asked.negotiated(Conformance.GET):
            return not_negotiated("GET")
        if isinstance(request, GetNextRequest):
            return self.next_get_block(asked, request)
        asked.association.transfers.reading = None
        if isinstance(request, GetListRequest):
            return self.answer_get_list(asked, request)
        return self.answer_get_one(asked, request)

    def answer_get_one(self, asked: Asked, request: GetRequest) -> AnyGetResponse:
        """Return the value of one attribute, or its first block.

        Source:
            inferred: a value that needs blocks which were not negotiated is "data block
            unavailable".
        """
        result = self.read(asked, request.attribute)
        if isinstance(result, DataAccessResult):
            return GetResponse(request.invoke, result)
        octets = axdr.encode(result)
        if _ONE_HEAD_BYTES + len(octets) <= asked.room:
            return GetResponse(request.invoke, result)
        if not asked.negotiated(Conformance.BLOCK_GET):
            return GetResponse(request.invoke, DataAccessResult.DATA_BLOCK_UNAVAILABLE)
        return self.first_get_block(asked, request.invoke, octets)

    def answer_get_list(self, asked: Asked, request: GetListRequest) -> AnyGetResponse | Refusal:
        """Return the values of several attributes, or their first block."""
        if not asked.negotiated(Conformance.MULTIPLE_REFERENCES):
            return not_negotiated("GET with list")
        results = tuple([self.read(asked, attribute) for attribute in request.attributes])
        octets = apdu_get.encode_results(results)
        if _LIST_HEAD_BYTES + len(octets) <= asked.room:
            return GetListResponse(request.invoke, results)
        if not asked.negotiated(Conformance.BLOCK_GET):
            return too_long(_LIST_HEAD_BYTES + len(octets), asked.room)
        return self.first_get_block(asked, request.invoke, octets)

    def first_get_block(self, asked: Asked, invoke: int, octets: bytes) -> GetBlockResponse:
        """Begin to deal a long answer out; what it says is as of now."""
        sender = BlockSender(octets)
        asked.association.transfers.reading = sender
        return GetBlockResponse(invoke, sender.first(room_bytes(asked.room, GET_HEAD_BYTES)))

    def next_get_block(self, asked: Asked, request: GetNextRequest) -> AnyGetResponse:
        """Return the block after the one that the client has, or why none comes."""
        transfers, room = asked.association.transfers, room_bytes(asked.room, GET_HEAD_BYTES)
        transfers.reading, block = next_block(transfers.reading, request.number, room)
        if isinstance(block, BlockFault):
            result = GET_RESULTS[block]
            return GetFailedBlockResponse(request.invoke, True, request.number, result)
        return GetBlockResponse(request.invoke, block)
