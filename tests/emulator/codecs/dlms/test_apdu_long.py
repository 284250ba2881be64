"""Long GET, SET and ACTION, single and in lists, cut into APDUs of every usual length."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.codecs.dlms import apdu, apdu_action, apdu_get, apdu_set, axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_blocks import (
    BLOCK_HEAD_BYTES,
    GET_HEAD_BYTES,
    Awaiting,
    BlockCollector,
    BlockSender,
    Complete,
    room_bytes,
)
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    DataBlock,
    Descriptor,
)
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.chance import Chance

INVOKE = 0xC1
METHOD = Descriptor(18, bytes.fromhex("00002c0000ff"), 2)
ATTRIBUTE = Attribute(Descriptor(7, bytes.fromhex("0100630100ff"), 2))
LENGTHS = [64, 65, 100, 127, 128, 129, 200, 255, 256, 257, 512, 1024]
Wrap = Callable[[DataBlock], Any]


def value(size: int) -> Data:
    draw = Chance(size).stream("value")
    rows = [axdr.structure(axdr.octets(draw.octets(90)), axdr.uint16(7)) for _ in range(size // 97)]
    return Data(Tag.ARRAY, tuple(rows))


def carried(octets: bytes, limit: int, first: tuple[Wrap, int], further: tuple[Wrap, int]) -> bytes:
    """Send ``octets`` in blocks; each goes through the codec, and is as long as it may be."""
    sender, collector = BlockSender(octets), BlockCollector(len(octets))
    wrap, head = first
    block: Any = sender.first(room_bytes(limit, head))
    while True:
        written = _encoded(wrap(block))
        assert len(written) <= limit
        assert block.last or len(written) >= limit - 1  # 128 and 256 octets cost a length more
        taken = collector.take(apdu.decode(written).block)  # type: ignore[union-attr]  # one with a block
        if isinstance(taken, Complete):
            return taken.octets
        assert isinstance(taken, Awaiting)
        wrap, head = further
        block = sender.next(taken.number, room_bytes(limit, head))


def _encoded(value: Any) -> bytes:
    module = {"Get": apdu_get, "Set": apdu_set, "Act": apdu_action}[type(value).__name__[:3]]
    answers = type(value).__name__.endswith("Response")
    octets: bytes = (module.encode_response if answers else module.encode_request)(value)
    return octets


def action_answer(block: DataBlock) -> Any:
    return apdu_action.ActionBlockResponse(INVOKE, block)


def action_block(block: DataBlock) -> Any:
    return apdu_action.ActionBlockRequest(INVOKE, block)


ANSWER = (action_answer, BLOCK_HEAD_BYTES)
FURTHER = (action_block, BLOCK_HEAD_BYTES)


@pytest.mark.parametrize("limit", LENGTHS)
def test_a_long_action_goes_over_in_blocks_and_its_long_answer_comes_back_in_blocks(
    limit: int,
) -> None:
    argument = value(4000)
    first = (
        lambda block: apdu_action.ActionFirstBlockRequest(INVOKE, METHOD, block),
        BLOCK_HEAD_BYTES + 9,
    )
    octets = carried(axdr.encode(argument), limit, first, FURTHER)
    assert axdr.decode(octets) == argument
    outcome = MethodOutcome(ActionResult.SUCCESS, value(3000))
    octets = carried(apdu_action.encode_outcome(outcome), limit, ANSWER, ANSWER)
    assert apdu_action.decode_outcome(octets) == outcome


@pytest.mark.parametrize("limit", LENGTHS)
def test_a_list_of_long_actions_goes_over_and_comes_back_in_blocks(limit: int) -> None:
    arguments = (value(2000), axdr.NULL, value(1000))
    first = (
        lambda block: apdu_action.ActionListFirstBlockRequest(INVOKE, (METHOD,) * 3, block),
        BLOCK_HEAD_BYTES + 1 + 3 * 9,
    )
    octets = carried(apdu_set.encode_values(arguments), limit, first, FURTHER)
    assert apdu_set.decode_values(octets) == arguments
    outcomes = (
        MethodOutcome(ActionResult.SUCCESS, value(2000)),
        MethodOutcome(ActionResult.TEMPORARY_FAILURE),
        MethodOutcome(ActionResult.OTHER_REASON, DataAccessResult.OTHER_REASON),
    )
    octets = carried(apdu_action.encode_outcomes(outcomes), limit, ANSWER, ANSWER)
    assert apdu_action.decode_outcomes(octets) == outcomes


@pytest.mark.parametrize("limit", LENGTHS)
def test_long_gets_come_in_blocks(limit: int) -> None:
    answer = (lambda block: apdu_get.GetBlockResponse(INVOKE, block), GET_HEAD_BYTES)
    profile = value(5000)
    assert axdr.decode(carried(axdr.encode(profile), limit, answer, answer)) == profile
    results = (value(2000), DataAccessResult.OBJECT_UNDEFINED, value(500))
    octets = carried(apdu_get.encode_results(results), limit, answer, answer)
    assert apdu_get.decode_results(octets) == results


@pytest.mark.parametrize("limit", LENGTHS)
def test_long_sets_go_over_in_blocks(limit: int) -> None:
    further = (lambda block: apdu_set.SetBlockRequest(INVOKE, block), BLOCK_HEAD_BYTES)
    first = (
        lambda block: apdu_set.SetFirstBlockRequest(INVOKE, ATTRIBUTE, block),
        BLOCK_HEAD_BYTES + 10,
    )
    new = value(3000)
    assert axdr.decode(carried(axdr.encode(new), limit, first, further)) == new
    several = (
        lambda block: apdu_set.SetListFirstBlockRequest(INVOKE, (ATTRIBUTE,) * 2, block),
        BLOCK_HEAD_BYTES + 1 + 2 * 10,
    )
    values = (value(2000), axdr.uint16(1))
    octets = carried(apdu_set.encode_values(values), limit, several, further)
    assert apdu_set.decode_values(octets) == values
