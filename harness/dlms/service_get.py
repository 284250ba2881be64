"""GET: attributes one by one or as a list, long answers taken together from blocks."""

from collections import deque
from collections.abc import Iterator, Sequence

from emulator.codecs.dlms import apdu_get, axdr
from emulator.codecs.dlms.apdu_blocks import Awaiting, BlockCollector, BlockFault
from emulator.codecs.dlms.apdu_get import (
    GetBlockResponse,
    GetFailedBlockResponse,
    GetListRequest,
    GetListResponse,
    GetNextRequest,
    GetRequest,
    GetResponse,
)
from emulator.codecs.dlms.apdu_parts import Attribute, GetResult
from emulator.codecs.dlms.initiate import Conformance
from harness.dlms import words
from harness.dlms.dialogue import (
    Ended,
    Terms,
    aborted,
    broken,
    faulty_block,
    is_answer_to,
    wrong_invoke,
)
from harness.meter import GetAnswer

_Group = tuple[Attribute, ...]


class GetDialogue:
    """Reads attributes in as few requests as the association allows.

    A list goes as one GET-with-list where multiple references were agreed, in several where the
    request would not fit the meter's longest APDU; else one attribute after the other.
    """

    def __init__(self, attributes: Sequence[Attribute], terms: Terms) -> None:
        self._terms = terms
        self._groups = deque(_groups(attributes, terms))
        self._group: _Group = ()
        self._invoke = 0
        self._collector = BlockCollector(terms.max_answer_bytes)
        self._results: list[GetResult] = []

    def begin(self) -> bytes | Ended[GetAnswer]:
        """Return the first request; no attributes need none."""
        return self._next_group()

    def take(self, apdu: bytes) -> bytes | Ended[GetAnswer]:
        """Take an answer.

        Raises:
            MalformedFrameError: It is no GET response, or a block's data cannot be read.
        """
        answer = apdu_get.decode_response(apdu)
        if not is_answer_to(answer.invoke, self._invoke):
            return wrong_invoke(answer.invoke, self._invoke, apdu)
        match answer:
            case GetResponse():
                return self._taken((answer.result,), apdu)
            case GetListResponse():
                return self._taken(answer.results, apdu)
            case GetFailedBlockResponse():
                why = words.of_result(answer.result)
                return aborted(f"no block {answer.number} of the answer: {why}", apdu)
            case GetBlockResponse():
                return self._block(answer, apdu)

    def _block(self, answer: GetBlockResponse, apdu: bytes) -> bytes | Ended[GetAnswer]:
        step = self._collector.take(answer.block)
        if isinstance(step, BlockFault):
            return faulty_block(step, apdu)
        if isinstance(step, Awaiting):
            return apdu_get.encode_request(GetNextRequest(self._invoke, step.number))
        if len(self._group) == 1:
            return self._taken((axdr.decode(step.octets),), apdu)
        return self._taken(apdu_get.decode_results(step.octets), apdu)

    def _taken(self, results: tuple[GetResult, ...], apdu: bytes) -> bytes | Ended[GetAnswer]:
        if len(results) != len(self._group):
            asked = len(self._group)
            return broken(f"{len(results)} results where {asked} were asked for", apdu)
        self._results += results
        return self._next_group()

    def _next_group(self) -> bytes | Ended[GetAnswer]:
        if not self._groups:
            return Ended(tuple(self._results))
        self._group = self._groups.popleft()
        self._invoke = self._terms.invoke()
        self._collector = BlockCollector(self._terms.max_answer_bytes)
        return _request(self._group, self._invoke)


def _request(group: _Group, invoke: int) -> bytes:
    if len(group) == 1:
        return apdu_get.encode_request(GetRequest(invoke, group[0]))
    return apdu_get.encode_request(GetListRequest(invoke, group))


def _groups(attributes: Sequence[Attribute], terms: Terms) -> Iterator[_Group]:
    """Share attributes out over requests that fit."""
    if not terms.allow(Conformance.MULTIPLE_REFERENCES):
        yield from ((attribute,) for attribute in attributes)
        return
    group: _Group = ()
    for attribute in attributes:
        longer = (*group, attribute)
        if group and not terms.fits(_request(longer, 0)):
            yield group
            longer = (attribute,)
        group = longer
    if group:
        yield group
