"""Damaged frames of a key establishment: none leads to a key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.crypto.cbke_table import CbkeState
from tests.emulator.crypto.cbke_kit import carry_on, moments, nobody_has_a_key
from tests.sampling import examples

SUITE = pytest.mark.parametrize("suite", list(KeySuite), ids=lambda suite: suite.name)
FRAMES = range(6)


@SUITE
@pytest.mark.parametrize("number", FRAMES)
def test_no_truncated_or_extended_frame_leads_to_a_key(suite: KeySuite, number: int) -> None:
    frame = moments(suite)[number].frame
    damaged = [frame[:length] for length in range(len(frame))]
    damaged += [frame + tail for tail in (b"\0", b"\xff", frame, bytes(22), bytes(26), bytes(15))]
    for octets in damaged:
        listener, _ = moments(suite)[number].copies()
        listener.hear(octets)
        assert listener.link_key is None
        assert listener.session.state in {CbkeState.ENDED, CbkeState.IDLE}


def unprotected_bits(number: int) -> set[int]:
    """Bits nobody hashes: default response, sequence and, in the first two, the times."""
    bits = {4, *range(8, 16)}
    return bits | set(range(40, 56)) if number in {0, 1} else bits


def flip(octets: bytes, bit: int) -> bytes:
    flipped = bytearray(octets)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def check_flip(suite: KeySuite, number: int, bit: int) -> None:
    moment = moments(suite)[number]
    listener, talker = moment.copies()
    carry_on(listener, talker, flip(moment.frame, bit))
    if bit in unprotected_bits(number):
        assert listener.link_key == talker.link_key is not None
        return
    assert listener.link_key is None
    assert number == 5 or nobody_has_a_key(talker)  # the last frame: the hub was done before


flips = st.sampled_from(list(KeySuite)).flatmap(
    lambda suite: st.sampled_from(FRAMES).flatmap(
        lambda number: st.tuples(
            st.just(suite),
            st.just(number),
            st.integers(0, 8 * len(moments(suite)[number].frame) - 1),
        )
    )
)


@settings(max_examples=examples(60), deadline=None)
@given(flips)
def test_a_flipped_bit_leads_to_no_key(case: tuple[KeySuite, int, int]) -> None:
    check_flip(*case)


#: Octets of a frame that are read one by one: ZCL header, suites, times. What follows them is
#: hashed or computed with as a whole.
_READ = 7


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", FRAMES)
@SUITE
def test_no_flipped_bit_of_the_head_nor_one_of_any_octet_behind_it_leads_to_a_key(
    suite: KeySuite, number: int
) -> None:
    octets = len(moments(suite)[number].frame)
    stream = Stream(number, f"flips {suite.name}")
    behind = [8 * at + stream.below(8) for at in range(_READ, octets)]
    for bit in [*range(8 * _READ), *behind]:
        check_flip(suite, number, bit)


@settings(max_examples=examples(100), deadline=None)
@given(st.sampled_from(FRAMES), st.binary(max_size=90))
def test_octets_at_random_lead_to_no_key(number: int, octets: bytes) -> None:
    listener, _ = moments(KeySuite.CBKE_163)[number].copies()
    listener.hear(octets)
    listener.hear(b"\x19\x01" + octets)
    assert listener.link_key is None
