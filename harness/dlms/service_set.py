"""SET: attributes one by one or as a list, long values sent in blocks."""

from collections import deque
from collections.abc import Sequence

from emulator.codecs.dlms import apdu_set, axdr
from emulator.codecs.dlms.apdu_blocks import BlockFault
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, DataBlock
from emulator.codecs.dlms.apdu_set import (
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
from harness.meter import SetAnswer

_Writes = tuple[tuple[Attribute, Data], ...]


class SetDialogue:
    """Writes attributes in as few requests as the association allows.

    A list goes as one SET-with-list where multiple references were agreed, in blocks where it does
    not fit the meter's longest APDU; else one attribute after the other.
    """

    def __init__(self, writes: Sequence[tuple[Attribute, Data]], terms: Terms) -> None:
        self._terms = terms
        self._groups = deque(_groups(tuple(writes), terms))
        self._group: _Writes = ()
        self._invoke = 0
        self._long: LongRequest | None = None
        self._results: list[DataAccessResult] = []

    def begin(self) -> bytes | Ended[SetAnswer]:
        """Return the first request; nothing to write needs none."""
        return self._next_group()

    def take(self, apdu: bytes) -> bytes | Ended[SetAnswer]:
        """Take an answer.

        Raises:
            MalformedFrameError: It is no SET response.
        """
        answer = apdu_set.decode_response(apdu)
        if not is_answer_to(answer.invoke, self._invoke):
            return wrong_invoke(answer.invoke, self._invoke, apdu)
        match answer:
            case SetResponse():
                return self._taken((answer.result,), apdu)
            case SetListResponse():
                return self._taken(answer.results, apdu)
            case SetBlockResponse():
                return self._go_on(answer.number, apdu)
            case SetLastBlockResponse():
                return self._taken((answer.result,), apdu, answer.number)
            case SetLastListBlockResponse():
                return self._taken(answer.results, apdu, answer.number)

    def _go_on(self, acknowledged: int, apdu: bytes) -> bytes | Ended[SetAnswer]:
        if self._long is None:
            return broken("a block is acknowledged where none was sent", apdu)
        further = self._long.go_on(acknowledged)
        return faulty_block(further, apdu) if isinstance(further, BlockFault) else further

    def _taken(
        self, results: tuple[DataAccessResult, ...], apdu: bytes, number: int | None = None
    ) -> bytes | Ended[SetAnswer]:
        long = self._long
        if (number is not None) and long is None:
            return broken("a last block is acknowledged where none was sent", apdu)
        if long is not None and DataAccessResult.SUCCESS in results and not long.all_sent:
            return aborted("the meter says success before it had the last block", apdu)
        if number is not None and long is not None and number != long.last_number:
            return faulty_block(BlockFault.WRONG_NUMBER, apdu)
        if len(results) != len(self._group):
            return broken(f"{len(results)} results for {len(self._group)} attributes", apdu)
        self._results += results
        return self._next_group()

    def _next_group(self) -> bytes | Ended[SetAnswer]:
        if not self._groups:
            return Ended(tuple(self._results))
        self._group = self._groups.popleft()
        self._invoke = self._terms.invoke()
        self._long = None
        whole = _request(self._group, self._invoke)
        if self._terms.fits(whole):
            return whole
        self._long = _long_request(self._group, self._invoke, self._terms.room_bytes)
        if self._terms.allow(Conformance.BLOCK_SET) and self._long.is_possible:
            return self._long.begin()
        return aborted(
            f"the request has {len(whole)} octets; the meter takes {self._terms.room_bytes},"
            " and blocks cannot help"
        )


def _request(group: _Writes, invoke: int) -> bytes:
    if len(group) == 1:
        return apdu_set.encode_request(SetRequest(invoke, *group[0]))
    attributes, values = zip(*group, strict=True)
    return apdu_set.encode_request(SetListRequest(invoke, attributes, values))


def _long_request(group: _Writes, invoke: int, room: int) -> LongRequest:
    attributes = tuple(attribute for attribute, _value in group)
    values = tuple(value for _attribute, value in group)

    def first(block: DataBlock) -> bytes:
        if len(group) == 1:
            request = SetFirstBlockRequest(invoke, attributes[0], block)
            return apdu_set.encode_request(request)
        return apdu_set.encode_request(SetListFirstBlockRequest(invoke, attributes, block))

    def further(block: DataBlock) -> bytes:
        return apdu_set.encode_request(SetBlockRequest(invoke, block))

    octets = axdr.encode(values[0]) if len(group) == 1 else apdu_set.encode_values(values)
    return LongRequest(octets, room, first, further)


def _groups(writes: _Writes, terms: Terms) -> list[_Writes]:
    """Share writes out over requests: all in one where that can be, else one by one."""
    if len(writes) > 1 and terms.allow(Conformance.MULTIPLE_REFERENCES):
        long = _long_request(writes, 0, terms.room_bytes)
        in_blocks = terms.allow(Conformance.BLOCK_SET) and long.is_possible
        if in_blocks or terms.fits(_request(writes, 0)):
            return [writes]
    return [(write,) for write in writes]
