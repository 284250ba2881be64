import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import mode_e
from emulator.codecs.dlms.mode_e import DataSet, Identification, OptionSelect, SignOn
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

BLOCK = "0.0.0(14P1234567)\r\n1.8.0(000123.4*kWh)\r\n"
MESSAGES = [
    (SignOn(), b"/?!\r\n"),
    (SignOn("00123"), b"/?00123!\r\n"),
    (Identification("XYZ", "5", "MODEL-1", "2"), b"/XYZ5\\2MODEL-1\r\n"),
    (Identification("XYz", "A", ""), b"/XYzA\r\n"),
    (OptionSelect("2", "5", "2"), b"\x06252\r\n"),
    (OptionSelect("0", "5", "0"), b"\x06050\r\n"),
]


@pytest.mark.parametrize(("value", "octets"), MESSAGES)
def test_each_message_has_its_octets(
    value: SignOn | Identification | OptionSelect, octets: bytes
) -> None:
    assert value.encode() == octets
    assert type(value).decode(octets) == value


@pytest.mark.parametrize(("value", "octets"), MESSAGES)
def test_truncation_and_extension_are_refused(
    value: SignOn | Identification | OptionSelect, octets: bytes
) -> None:
    for spoilt in [octets[:size] for size in range(len(octets))] + [octets + b"\r", octets + b"\n"]:
        with pytest.raises(MalformedFrameError):
            type(value).decode(spoilt)


@given(st.binary(max_size=24))
@settings(max_examples=examples(80), derandomize=True)
def test_any_octets_decode_or_are_refused(octets: bytes) -> None:
    framed = [start + octets + b"\r\n" for start in (b"/", b"/ABC5", b"\x06")]
    for data in [octets, *framed]:
        for message in (SignOn, Identification, OptionSelect):
            try:
                value = message.decode(data)
            except MalformedFrameError:
                continue
            assert value.encode() == data


@pytest.mark.parametrize(
    ("speed", "enhanced", "mode", "baud"),
    [("5", "", "C", 9600), ("5", "2", "E", 9600), ("6", "@", "C", 19200), ("E", "", "B", 9600),
     ("Z", "", "A", None), ("0", "2", "E", 300)],
)  # fmt: skip
def test_the_speed_character_tells_mode_and_rate(
    speed: str, enhanced: str, mode: str, baud: int | None
) -> None:
    identification = Identification("ABC", speed, "X", enhanced)
    assert (identification.mode, identification.baud) == (mode, baud)


def test_a_small_third_letter_promises_a_quick_answer() -> None:
    assert Identification("ABC", "5", "").reaction_ms == 200
    assert Identification("ABc", "5", "").reaction_ms == 20


@pytest.mark.parametrize(
    "value",
    [SignOn("a!"), SignOn("9" * 33), SignOn("é"), Identification("AB", "5", ""),
     Identification("ABC", "5", "a/b"), Identification("ABC", "5", "x" * 17),
     Identification("ABC", "5", "\\2X"), Identification("ABC", "55", ""),
     OptionSelect("25", "", "2"), OptionSelect("\r", "5", "2")],
)  # fmt: skip
def test_parts_that_cannot_stand_are_our_own_mistake(
    value: SignOn | Identification | OptionSelect,
) -> None:
    with pytest.raises(ValueError, match=r"form|parts|part is"):
        value.encode()


def test_even_parity_sets_the_top_bit_of_odd_octets() -> None:
    assert mode_e.with_even_parity(b"/?!\r\n") == bytes.fromhex("af3f218d0a")


@given(st.binary(max_size=40).map(lambda octets: bytes(octet & 0x7F for octet in octets)))
@settings(max_examples=examples(60), derandomize=True)
def test_parity_round_trips_and_every_flipped_bit_shows(octets: bytes) -> None:
    line = mode_e.with_even_parity(octets)
    assert mode_e.without_parity(line) == mode_e.with_substitutes(line) == octets
    for offset in range(len(line)):
        spoilt = line[:offset] + bytes((line[offset] ^ 1 << offset % 8,)) + line[offset + 1 :]
        with pytest.raises(MalformedFrameError, match="parity") as caught:
            mode_e.without_parity(spoilt)
        assert caught.value.offset == offset
        assert mode_e.with_substitutes(spoilt)[offset] == mode_e.SUBSTITUTE


def test_parity_takes_seven_bits() -> None:
    with pytest.raises(ValueError, match="seven bits"):
        mode_e.with_even_parity(b"\x80")


def test_a_read_out_is_framed_with_a_check_character_over_all_behind_stx() -> None:
    octets = mode_e.encode_read_out("1.8.0(1*kWh)\r\n")
    assert octets[:1] + octets[-5:-1] == b"\x02!\r\n\x03"
    check = 0
    for octet in octets[1:-1]:
        check ^= octet
    assert octets[-1] == check
    assert mode_e.decode_read_out(octets) == "1.8.0(1*kWh)\r\n"


def test_every_spoilt_read_out_is_refused() -> None:
    octets = mode_e.encode_read_out(BLOCK)
    spoilt = [octets[:size] for size in range(len(octets))]
    spoilt += [octets + bytes((octet,)) for octet in range(256)]
    for bit in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        spoilt.append(bytes(flipped))
    for wrong in spoilt:
        with pytest.raises(MalformedFrameError):
            mode_e.decode_read_out(wrong)


@pytest.mark.parametrize("text", ["a!b", "a\x03", "\x02"])
def test_a_block_cannot_hold_what_frames_it(text: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        mode_e.encode_read_out(text)
    body = text.encode() + b"!\r\n\x03"
    with pytest.raises(MalformedFrameError, match="cannot stand"):
        mode_e.decode_read_out(b"\x02" + body + bytes((mode_e.bcc(body),)))


def test_data_sets_have_address_value_and_unit() -> None:
    assert mode_e.data_sets(BLOCK + "F.F()(2*)\r\n") == (
        DataSet("0.0.0", "14P1234567"),
        DataSet("1.8.0", "000123.4", "kWh"),
        DataSet("F.F", ""),
        DataSet("", "2", ""),
    )


@pytest.mark.parametrize("block", ["1.8.0", "1.8.0(1", "(1))", "x" * 17 + "(1)", "(1*a*b!)"])
def test_what_is_no_data_set_is_refused(block: str) -> None:
    with pytest.raises(MalformedFrameError, match="not a data set"):
        mode_e.data_sets(block)
