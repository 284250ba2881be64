"""What a receiver hears of octets at another speed or in another format."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import mode_e
from emulator.codecs.rfc2217_server import Parity, PortSettings
from emulator.servers.uart import MAX_OCTETS, CharacterFormat, carried, format_of

SLOW, FAST = CharacterFormat(300), CharacterFormat(9600)
SEVEN_EVEN = CharacterFormat(300, 7, Parity.EVEN)
SNRM = bytes.fromhex("7ea0070321930f017e")


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_octets_between_ports_that_agree_stay_as_they_are(octets: bytes) -> None:
    assert carried(octets, FAST, CharacterFormat(9700)) == octets


@settings(deadline=None)
@given(st.binary(max_size=64).map(lambda octets: bytes(octet & 0x7F for octet in octets)))
def test_seven_bits_with_even_parity_are_what_eight_bits_with_the_parity_in_software_are(
    octets: bytes,
) -> None:
    assert carried(octets, SEVEN_EVEN, SLOW) == mode_e.with_even_parity(octets)
    assert carried(mode_e.with_even_parity(octets), SLOW, SEVEN_EVEN) == octets


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=64).map(lambda octets: bytes(octet & 0x7F for octet in octets))
)
def test_another_parity_is_not_understood(octets: bytes) -> None:
    odd = CharacterFormat(300, 7, Parity.ODD)
    heard = mode_e.with_substitutes(carried(octets, odd, SLOW))
    assert heard == bytes([mode_e.SUBSTITUTE]) * len(octets)


@pytest.mark.parametrize("other", [300, 1200, 4800, 8900, 10800, 19200, 115200])
def test_another_speed_is_garbage(other: int) -> None:
    heard = carried(SNRM, CharacterFormat(other), FAST)
    assert heard != SNRM
    assert SNRM not in heard


def test_a_slow_sender_makes_a_fast_receiver_hear_breaks() -> None:
    assert set(carried(b"\x00", SLOW, FAST)) == {0}


def test_a_fast_sender_is_a_short_rustle_to_a_slow_receiver() -> None:
    assert len(carried(SNRM * 10, FAST, SLOW)) <= 4


@settings(deadline=None)
@given(
    st.binary(max_size=40),
    st.sampled_from([300, 600, 2400, 9600, 115200]),
    st.sampled_from([300, 600, 2400, 9600, 115200]),
    st.sampled_from(list(Parity)),
    st.integers(5, 8),
)
def test_whatever_meets_is_heard_within_bounds(
    octets: bytes, sends: int, hears: int, parity: Parity, bits: int
) -> None:
    heard = carried(octets, CharacterFormat(sends, bits, parity), CharacterFormat(hears))
    assert len(heard) <= min(MAX_OCTETS, max(len(octets) * hears // sends + len(octets), 1))


def test_the_format_is_that_of_the_port() -> None:
    settings = PortSettings(baud=300, data_bits=7, parity=Parity.EVEN)
    assert format_of(settings) == SEVEN_EVEN
    assert (SEVEN_EVEN.bits, FAST.bits, CharacterFormat(1, 8, Parity.ODD).bits) == (10, 10, 11)
