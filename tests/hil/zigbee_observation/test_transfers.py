"""Firmware on the air: read where it can be read, else inferred and said to be."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.sights import Sight, sight_of
from hil.zigbee_observation.spread import gaps
from hil.zigbee_observation.transfers import (
    LEAST_BLOCKS,
    LEAST_STALL_US,
    Basis,
    stalls_of,
    transfers_of,
    without_repeats,
)
from tests.hil.zigbee_observation.air_given import (
    COORDINATOR,
    METER,
    SECOND,
    TENTH,
    block,
    enciphered,
    secured,
)
from tests.sampling import examples


def seen(*frames: Heard) -> list[Sight]:
    return [sight for frame in frames if (sight := sight_of(frame)) is not None]


def test_blocks_that_can_be_read_are_counted_by_their_commands() -> None:
    frames = [block(n * TENTH, 40 * n, bytes(40), n) for n in range(10)]
    frames.append(block(10 * TENTH, 80, bytes(40), 11))  # asked for again
    (one,) = transfers_of(seen(*frames))
    assert one.basis is Basis.READ
    assert (one.sender, one.receiver) == (COORDINATOR, METER)
    assert (one.blocks, one.repeats, one.octets) == (10, 1, 400)
    assert one.image == "10F2-0010-02000001"
    assert one.cadence is not None
    assert one.cadence.median_us == TENTH
    assert one.stalls == ()


def test_without_a_key_a_transfer_is_inferred_and_its_stall_is_seen() -> None:
    (one,) = transfers_of(seen(*enciphered(100, pause_at=60)))
    assert one.basis is Basis.SIZES
    assert (one.blocks, one.frame_bytes, one.octets, one.image) == (100, 110, None, "")
    (stall,) = one.stalls
    assert stall.length_us == 30 * SECOND + TENTH
    assert one.row()["stalls"] == [{"after_s": 5.9, "seconds": 30.1}]


def test_a_frame_the_radio_sent_again_is_a_repeat_and_no_block() -> None:
    frames = enciphered(50)
    again = secured(frames[21].at_us + 4_000, COORDINATOR, METER, 110, 10)
    (one,) = transfers_of(seen(*frames, again))
    assert (one.blocks, one.repeats) == (50, 1)


def test_a_long_message_in_fragments_is_no_transfer() -> None:
    assert transfers_of(seen(*enciphered(LEAST_BLOCKS - 1))) == []


def test_large_frames_that_nobody_asked_for_are_no_transfer() -> None:
    frames = [secured(n * TENTH, COORDINATOR, METER, 110, n % 256) for n in range(100)]
    assert transfers_of(seen(*frames)) == []
    assert transfers_of(seen(*[secured(n, 0, 0xFFFC, 110, n % 256) for n in range(100)])) == []


def test_traffic_of_mixed_sizes_is_no_transfer() -> None:
    frames = []
    for number in range(200):
        size = 70 + number % 40
        frames.append(secured(number * TENTH, COORDINATOR, METER, size, number % 256))
        frames.append(secured(number * TENTH + 9, METER, COORDINATOR, 60, number % 256))
    assert transfers_of(seen(*frames)) == []


@given(st.lists(st.integers(0, 3600 * SECOND), min_size=2, max_size=60))
@settings(max_examples=examples(200), derandomize=True)
def test_stalls_are_gaps_of_the_row_and_never_the_usual_ones(at: list[int]) -> None:
    moments = sorted(at)
    stalls = stalls_of(moments)
    lengths = gaps(moments)
    for stall in stalls:
        assert stall.at_us in moments
        assert stall.length_us in lengths
        assert stall.length_us > LEAST_STALL_US
    assert len(stalls) < max(1, len(lengths) / 2 + 1)


@given(
    st.integers(LEAST_BLOCKS, 120),
    st.lists(st.integers(0, 1_000_000), max_size=4),
    st.randoms(use_true_random=False),
)
@settings(max_examples=examples(60), derandomize=True)
def test_order_and_repeats_change_no_count_of_blocks(
    count: int, again: list[int], order: object
) -> None:
    frames = enciphered(count)
    blocks = frames[1::2]
    repeats = [
        secured(one.at_us + 3_000, COORDINATOR, METER, 110, number % 256)
        for number, one in ((pick % count, blocks[pick % count]) for pick in set(again))
    ]
    mixed = [*frames, *repeats]
    order.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    (one,) = transfers_of(seen(*mixed))
    assert one.blocks == count
    assert one.repeats == len(repeats)


def test_a_sequence_number_that_comes_round_is_a_new_frame() -> None:
    rows = seen(*(secured(n * TENTH, COORDINATOR, METER, 110, n % 256) for n in range(600)))
    kept, repeats = without_repeats(rows)
    assert (len(kept), len(repeats)) == (600, 0)
