import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import hdlc_parameters
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

GOLDEN = bytes.fromhex("818012050180060180070400000001080400000001")

parameters = st.builds(
    Parameters,
    st.integers(1, 2030),
    st.integers(1, 2030),
    st.integers(1, 7),
    st.integers(1, 7),
)


def test_the_golden_field_says_128_128_1_1() -> None:
    assert hdlc_parameters.decode(GOLDEN) == Parameters(128, 128, 1, 1)
    assert hdlc_parameters.encode(Parameters()) == GOLDEN


def test_a_field_left_out_stands_for_the_defaults() -> None:
    assert hdlc_parameters.decode(b"") == Parameters(128, 128, 1, 1)
    assert hdlc_parameters.decode(bytes.fromhex("818003060140")) == Parameters(128, 64, 1, 1)


@given(parameters)
@settings(max_examples=examples(80), derandomize=True)
def test_any_parameters_round_trip(value: Parameters) -> None:
    assert hdlc_parameters.decode(hdlc_parameters.encode(value)) == value


@pytest.mark.parametrize(
    "octets",
    ["818003050140", "81800405020040", "8180060504 00000040", "8180 06 7701 05 05 01 40",
     "81 f0 02 abcd 8003 050140", "818003050140 f000"],
)  # fmt: skip
def test_other_lengths_numbers_and_groups_are_read_over(octets: str) -> None:
    assert hdlc_parameters.decode(bytes.fromhex(octets)).transmit_bytes == 64


def test_a_length_above_the_limit_counts_as_the_limit() -> None:
    assert hdlc_parameters.decode(bytes.fromhex("8180040502ffff")).transmit_bytes == 2030


@pytest.mark.parametrize(
    "octets",
    ["80", "81", "8180", "818003", "81800305", "8180030501", "818003050140 00", "8180020500",
     "8180070505 0000000001", "818003050100", "8180 03 0701 00", "8180 03 0701 08",
     "8180 06 0704 0000 0100", "81800205"],
)  # fmt: skip
def test_malformed_fields_are_refused(octets: str) -> None:
    if octets == "81":
        assert hdlc_parameters.decode(b"\x81") == Parameters()  # no group at all
        return
    with pytest.raises(MalformedFrameError):
        hdlc_parameters.decode(bytes.fromhex(octets))


@given(st.binary(max_size=30))
@settings(max_examples=examples(80), derandomize=True)
def test_any_octets_decode_or_are_refused(octets: bytes) -> None:
    for data in (octets, b"\x81\x80" + bytes((len(octets),)) + octets):
        try:
            decoded = hdlc_parameters.decode(data)
            assert hdlc_parameters.decode(hdlc_parameters.encode(decoded)) == decoded
        except MalformedFrameError:
            continue


def test_each_sides_sending_is_bounded_by_the_others_receiving() -> None:
    own, peer = Parameters(500, 200, 3, 7), Parameters(100, 300, 2, 5)
    assert hdlc_parameters.agree(own, peer) == Parameters(300, 100, 3, 2)


@given(parameters, parameters)
@settings(max_examples=examples(50), derandomize=True)
def test_what_both_sides_agree_mirrors(one: Parameters, other: Parameters) -> None:
    """The server answers with what it agreed; the client agrees with that answer."""
    server = hdlc_parameters.agree(other, one)
    client = hdlc_parameters.agree(one, server)
    assert (client.transmit_bytes, client.receive_bytes) == (
        server.receive_bytes,
        server.transmit_bytes,
    )
    assert (client.transmit_window, client.receive_window) == (
        server.receive_window,
        server.transmit_window,
    )


@pytest.mark.parametrize("wrong", [(0, 1, 1, 1), (1, 2031, 1, 1), (1, 1, 0, 1), (1, 1, 1, 8)])
def test_parameters_out_of_range_are_our_own_mistake(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="not"):
        Parameters(*wrong)
