import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.common import encode_length
from emulator.codecs.dlms import apdu_blocks, apdu_get, apdu_set
from emulator.codecs.dlms.apdu_blocks import (
    Awaiting,
    BlockCollector,
    BlockFault,
    BlockSender,
    Complete,
)
from emulator.codecs.dlms.apdu_parts import DataBlock
from emulator.core.errors import IllegalEventError
from tests.sampling import examples


def _blocks(octets: bytes, room: int) -> list[DataBlock]:
    sender = BlockSender(octets)
    blocks = [sender.first(room)]
    while sender.in_progress:
        block = sender.next(sender.number, room)
        assert isinstance(block, DataBlock)
        blocks.append(block)
    return blocks


@given(st.binary(max_size=2000), st.integers(1, 700))
@settings(derandomize=True, max_examples=examples(150), deadline=None)
def test_what_is_cut_is_put_together_again(octets: bytes, room: int) -> None:
    blocks = _blocks(octets, room)
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))
    assert [block.last for block in blocks] == [False] * (len(blocks) - 1) + [True]
    collector = BlockCollector(len(octets))
    for block in blocks[:-1]:
        assert collector.take(block) == Awaiting(block.number)
    assert collector.take(blocks[-1]) == Complete(len(blocks), octets)
    assert collector.take(blocks[-1]) is BlockFault.NOT_IN_PROGRESS


@pytest.mark.parametrize("acknowledged", [0, 2, 1 << 31])
def test_an_acknowledgement_of_another_block_ends_the_sending(acknowledged: int) -> None:
    sender = BlockSender(bytes(100))
    sender.first(10)
    assert sender.next(acknowledged, 10) is BlockFault.WRONG_NUMBER
    assert sender.next(1, 10) is BlockFault.NOT_IN_PROGRESS


def test_nothing_comes_before_the_first_or_after_the_last_block() -> None:
    assert BlockSender(b"\1").next(0, 10) is BlockFault.NOT_IN_PROGRESS
    sender = BlockSender(b"\1")
    assert sender.first(10) == DataBlock(True, 1, b"\1")
    assert sender.next(1, 10) is BlockFault.NOT_IN_PROGRESS
    with pytest.raises(IllegalEventError):
        sender.first(10)
    with pytest.raises(ValueError, match="no octet"):
        BlockSender(b"\1").first(0)


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        ([DataBlock(False, 0, b"\1")], BlockFault.WRONG_NUMBER),
        ([DataBlock(False, 2, b"\1")], BlockFault.WRONG_NUMBER),
        ([DataBlock(False, 1, b"\1"), DataBlock(False, 1, b"\1")], BlockFault.WRONG_NUMBER),
        ([DataBlock(False, 1, b"\1"), DataBlock(True, 3, b"\1")], BlockFault.WRONG_NUMBER),
        ([DataBlock(False, 1, b"")], BlockFault.EMPTY_BLOCK),
        ([DataBlock(True, 1, bytes(9))], BlockFault.TOO_LONG),
        ([DataBlock(False, 1, bytes(8)), DataBlock(True, 2, b"\1")], BlockFault.TOO_LONG),
    ],
)
def test_a_faulty_block_ends_the_gathering_for_good(
    blocks: list[DataBlock], fault: BlockFault
) -> None:
    collector = BlockCollector(8)
    for block in blocks[:-1]:
        assert collector.take(block) == Awaiting(block.number)
    assert collector.take(blocks[-1]) is fault
    assert collector.take(DataBlock(True, len(blocks), b"\1")) is BlockFault.NOT_IN_PROGRESS


@pytest.mark.parametrize("limit", [*range(20, 300), 1024, 65_000])
def test_the_room_is_the_most_that_fits_the_longest_apdu(limit: int) -> None:
    room = apdu_blocks.room_bytes(limit, apdu_blocks.GET_HEAD_BYTES)
    block = DataBlock(True, 1, bytes(room))
    assert len(apdu_get.encode_response(apdu_get.GetBlockResponse(0, block))) <= limit
    more = room + 1
    assert apdu_blocks.GET_HEAD_BYTES + len(encode_length(more)) + more > limit
    room = apdu_blocks.room_bytes(limit, apdu_blocks.BLOCK_HEAD_BYTES)
    block = DataBlock(True, 1, bytes(room))
    assert len(apdu_set.encode_request(apdu_set.SetBlockRequest(0, block))) <= limit


def test_a_limit_of_0_is_none() -> None:
    assert apdu_blocks.room_bytes(0, 9) == 65_535


@pytest.mark.parametrize("fault", list(BlockFault))
def test_each_service_has_a_result_for_each_fault(fault: BlockFault) -> None:
    assert apdu_blocks.GET_RESULTS[fault]
    assert apdu_blocks.SET_RESULTS[fault]
    assert apdu_blocks.ACTION_RESULTS[fault]
