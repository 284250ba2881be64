import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from emulator.codecs.gbcs import envelope, envelope_declaration
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.given import needs_rtds, rtds_messages
from tests.sampling import examples

ORIGINATOR = Eui64.parse("02-53-42-00-00-01-00-00")
TARGET = Eui64.parse("02-53-42-01-00-00-00-A0")
PARTY = Eui64.parse("02-53-42-00-00-03-00-00")
DATE_TIME = bytes.fromhex("07ea0101ff00000000800000")
CERTIFICATE = b"\x30\x82\x01\x00" + bytes(256)
HEAD = "df09 01 00000000000003e8 08 0253420000010000 08 02534201000000a0 00"


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def header(cra: Cra = Cra.COMMAND, date_time: bytes = b"", **other: object) -> GroupingHeader:
    information = OtherInformation(0x0059, **other)  # type: ignore[arg-type]  # mixed value types
    return GroupingHeader(cra, 1000, ORIGINATOR, TARGET, information, date_time)


#: Written by hand from the tables of gbcs.md section 3: octets, and what they say.
VECTORS = {
    "pre-command": (octets(f"{HEAD} 02 0059 03 d90102"), Envelope(header(), b"\xd9\1\2")),
    "empty signature field": (
        octets(f"{HEAD} 02 0059 03 d90102 00"),
        Envelope(header(), b"\xd9\1\2", b""),
    ),
    "signed": (
        octets(f"{HEAD} 02 0059 00 40") + bytes(range(64)),
        Envelope(header(), b"", bytes(range(64))),
    ),
    "maced": (
        octets(f"dd000000000000 35 1100000000 {HEAD} 02 0059 01 d9 00") + bytes(range(12)),
        Envelope(header(), b"\xd9", b"", bytes(range(12))),
    ),
    "signed and maced, two-octet length": (
        octets(f"dd000000000000 8181 1100000000 {HEAD} 02 0059 0d d9")
        + bytes(12)
        + b"\x40"
        + bytes(76),
        Envelope(header(), b"\xd9" + bytes(12), bytes(64), bytes(12)),
    ),
    "response with date-time": (
        octets(f"{HEAD[:5]}02{HEAD[7:-2]} 0c 07ea0101ff00000000800000 02 0059 00 00"),
        Envelope(header(Cra.RESPONSE, DATE_TIME), b"", b""),
    ),
    "supplementary party": (
        octets(f"{HEAD} 0a 0059 0253420000030000 00 00"),
        Envelope(header(supplementary_party=PARTY), b"", b""),
    ),
    "supplementary counter": (
        octets(f"{HEAD} 12 0059 0253420000030000 00000000000003eb 00 00"),
        Envelope(header(supplementary_party=PARTY, supplementary_counter=1003), b"", b""),
    ),
    "supplementary originator counter": (
        octets(f"{HEAD} 1a 0059 0253420000030000 00000000000003eb 00000000000007d2 00 00"),
        Envelope(
            header(
                supplementary_party=PARTY,
                supplementary_counter=1003,
                supplementary_originator_counter=2002,
            ),
            b"",
            b"",
        ),
    ),
    "certificate": (
        octets(f"{HEAD} 820116 0059 0253420000030000 00000000000003eb")
        + CERTIFICATE
        + octets("00 00"),
        Envelope(
            header(supplementary_party=PARTY, supplementary_counter=1003, certificate=CERTIFICATE),
            b"",
            b"",
        ),
    ),
    "payload of 128 octets": (
        octets(f"{HEAD} 02 0059 8180") + bytes(128) + b"\0",
        Envelope(header(), bytes(128), b""),
    ),
    "payload of 256 octets": (
        octets(f"{HEAD} 02 0059 820100") + bytes(256) + b"\0",
        Envelope(header(), bytes(256), b""),
    ),
}
NAMES = sorted(VECTORS)


@pytest.mark.parametrize("name", NAMES)
def test_the_octets_say_what_the_table_says(name: str) -> None:
    data, env = VECTORS[name]
    assert envelope.decode(data) == env
    assert envelope.encode(env) == data


@pytest.mark.parametrize("name", NAMES)
def test_declaration_and_fast_path_agree(name: str) -> None:
    data, env = VECTORS[name]
    assert envelope_declaration.decode(data) == env
    assert envelope_declaration.encode(env) == data


@pytest.mark.parametrize("name", NAMES)
def test_split_hands_out_the_protected_octets(name: str) -> None:
    data, env = VECTORS[name]
    parts = envelope.split(data)
    assert parts.signed == envelope.signed_part(env)
    assert b"\xdf" + parts.signed == data[data.index(0xDF) :][: len(parts.signed) + 1]
    if env.signature is not None:
        assert parts.maced == envelope.maced_part(env)
        assert data.endswith(parts.maced + (env.mac or b""))


@pytest.mark.parametrize(
    ("why", "layer", "offset", "data"),
    [
        ("begins with DD or DF", "gbcs.mac", 0, b""),
        ("begins with DD or DF", "gbcs.mac", 0, b"\xde"),
        ("general-ciphering fields", "gbcs.mac", 3, octets("dd000001000000 00")),
        ("general-ciphering fields", "gbcs.mac", 4, octets("dd000000")),
        ("a length is missing", "gbcs.mac", 7, octets("dd000000000000")),
        ("shortest form", "gbcs.mac", 7, octets("dd000000000000 8120") + bytes(32)),
        ("shortest form", "gbcs.mac", 7, octets("dd000000000000 820080") + bytes(128)),
        ("83 not allowed", "gbcs.mac", 7, octets("dd000000000000 83010000")),
        ("80 not allowed", "gbcs.mac", 7, octets("dd000000000000 80")),
        ("length is truncated", "gbcs.mac", 7, octets("dd000000000000 8201")),
        ("message is truncated", "gbcs.mac", 10, octets("dd000000000000 35 1100")),
        ("octets after the MAC", "gbcs.mac", 10, octets("dd000000000000 02 1100 00")),
        ("security header", "gbcs.mac", 8, octets("dd000000000000 06 110000000100")),
        ("no grouping header", "gbcs.mac", 13, octets("dd000000000000 06 110000000000")),
        ("header is truncated", "gbcs.grouping", 29, octets(HEAD)[:-1]),
        ("length 8 not allowed", "gbcs.grouping", 1, octets(HEAD.replace("df09", "df08"))),
        (
            "length 7 not allowed",
            "gbcs.grouping",
            20,
            octets(HEAD.replace("08 0253420100", "07 0253420100")),
        ),
        ("length 11 not allowed", "gbcs.grouping", 29, octets(HEAD[:-2] + "0b")),
        ("CRA flag 4", "gbcs.grouping", 2, octets(f"{HEAD[:5]}04{HEAD[7:]}")),
        ("a length is missing", "gbcs.grouping", 42, octets(HEAD[:-2] + "0c 07ea0101")),
        ("a length is missing", "gbcs.grouping", 30, octets(HEAD)),
        ("information of 3 octets", "gbcs.grouping", 31, octets(f"{HEAD} 03 005900 00 00")),
        ("information is truncated", "gbcs.grouping", 32, octets(f"{HEAD} 02 00")),
        ("one DER certificate", "gbcs.grouping", 49, octets(f"{HEAD} 1b") + bytes(27) + b"\0\0"),
        ("a length is missing", "gbcs.grouping", 33, octets(f"{HEAD} 02 0059")),
        ("payload is truncated", "gbcs.grouping", 36, octets(f"{HEAD} 02 0059 04 d901")),
        ("shortest form", "gbcs.grouping", 33, octets(f"{HEAD} 02 0059 8101 d9 00")),
        ("length 63 is neither", "gbcs.grouping", 34, octets(f"{HEAD} 02 0059 00 3f") + bytes(63)),
        (
            "signature is truncated",
            "gbcs.grouping",
            98,
            octets(f"{HEAD} 02 0059 00 40") + bytes(63),
        ),
        ("after the signature", "gbcs.grouping", 99, octets(f"{HEAD} 02 0059 00 40") + bytes(65)),
        ("after the signature", "gbcs.grouping", 35, octets(f"{HEAD} 02 0059 00 00 00")),
        ("field is missing", "gbcs.grouping", 34, octets(f"{HEAD[:5]}02{HEAD[7:]} 02 0059 00")),
        ("field is missing", "gbcs.grouping", 34, octets(f"{HEAD[:5]}03{HEAD[7:]} 02 0059 00")),
        (
            "field is missing",
            "gbcs.grouping",
            47,
            octets(f"dd000000000000 33 1100000000 {HEAD} 02 0059 00") + bytes(12),
        ),
    ],
)
def test_wrong_octets_are_refused_by_name_and_place(
    why: str, layer: str, offset: int, data: bytes
) -> None:
    with pytest.raises(MalformedFrameError, match=why) as caught:
        envelope.decode(data)
    assert (caught.value.layer, caught.value.offset, caught.value.data) == (layer, offset, data)
    with pytest.raises(MalformedFrameError):
        envelope_declaration.decode(data)


@pytest.mark.parametrize(
    "env",
    [
        Envelope(header(Cra.RESPONSE), b""),
        Envelope(header(), b"", None, bytes(12)),
        Envelope(header(), b"", bytes(63)),
        Envelope(header(), b"", b"", bytes(11)),
        Envelope(header(date_time=bytes(11)), b"", b""),
        Envelope(header(supplementary_counter=1), b"", b""),
        Envelope(header(supplementary_party=PARTY, supplementary_originator_counter=1), b"", b""),
        Envelope(header(certificate=CERTIFICATE), b"", b""),
        Envelope(
            header(supplementary_party=PARTY, supplementary_counter=1, certificate=b"\x30\0"),
            b"",
            b"",
        ),
        Envelope(header(), bytes(0x10000), b""),
        Envelope(
            GroupingHeader(Cra.COMMAND, 1 << 64, ORIGINATOR, TARGET, OtherInformation(1)), b"", b""
        ),
        Envelope(
            GroupingHeader(Cra.COMMAND, 1, ORIGINATOR, TARGET, OtherInformation(0x10000)), b"", b""
        ),
    ],
)
def test_what_no_message_can_say_is_not_encoded(env: Envelope) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        envelope.encode(env)


def spoiled(data: bytes, stream_name: str) -> list[bytes]:
    """Cut, lengthened and with octets replaced, mostly at the head, where the structure is."""
    stream = Chance(3).stream(stream_name)
    copies = [data[:-1], data + b"\0", data[: stream.below(len(data))], data[1:]]
    for _ in range(8):
        at = stream.below(min(len(data), 70))
        copies.append(data[:at] + stream.octets(1) + data[at + 1 :])
    at = stream.below(len(data))
    return [*copies, data[:at] + data[at + 1 :]]


def verdict(decode: object, data: bytes) -> Envelope | None:
    try:
        env = decode(data)  # type: ignore[operator]  # either decoder
    except MalformedFrameError:
        return None
    assert isinstance(env, Envelope)
    return env


def agree_on(messages: list[tuple[str, bytes]]) -> tuple[int, int]:
    """Compare both decoders on damaged copies; return how many were refused and how many not."""
    refused = read = 0
    for name, data in messages:
        for copy in spoiled(data, name):
            env = verdict(envelope.decode, copy)
            assert env == verdict(envelope_declaration.decode, copy), (name, copy.hex())
            if env is None:
                refused += 1
            else:
                read += 1
                assert envelope.encode(env) == copy  # one value, one encoding
    return refused, read


def test_declaration_and_fast_path_agree_on_damaged_vectors() -> None:
    refused, read = agree_on([(name, VECTORS[name][0]) for name in NAMES])
    assert refused > 50
    assert read > 10


@needs_rtds
def test_every_rtds_message_decodes_and_encodes_to_the_same_octets() -> None:
    messages = list(rtds_messages())
    assert len(messages) == 641
    for name, data in messages:
        env = envelope.decode(data)
        assert envelope.encode(env) == data, name
        assert envelope_declaration.decode(data) == env, name
        assert envelope_declaration.encode(env) == data, name


@needs_rtds
def test_declaration_and_fast_path_agree_on_damaged_rtds_messages() -> None:
    refused, read = agree_on(list(rtds_messages()))
    assert refused > 2000
    assert read > 1000


euis = st.binary(min_size=8, max_size=8).map(Eui64)
counters = st.integers(0, 2**64 - 1)
others = st.one_of(
    st.builds(OtherInformation, st.integers(0, 0xFFFF)),
    st.builds(OtherInformation, st.integers(0, 0xFFFF), euis),
    st.builds(OtherInformation, st.integers(0, 0xFFFF), euis, counters),
    st.builds(OtherInformation, st.integers(0, 0xFFFF), euis, counters, counters),
    st.binary(min_size=7, max_size=120).map(
        lambda body: OtherInformation(1, PARTY, 2, certificate=b"\x30" + bytes([len(body)]) + body)
    ),
)
headers = st.builds(
    GroupingHeader,
    st.sampled_from(Cra),
    counters,
    euis,
    euis,
    others,
    st.sampled_from([b"", DATE_TIME]),
)
payloads = st.one_of(
    st.binary(max_size=40), st.sampled_from([bytes(n) for n in (126, 127, 128, 255, 256, 4000)])
)
envelopes = st.builds(
    Envelope,
    headers,
    payloads,
    st.sampled_from([b"", bytes(range(64))]),
    st.one_of(st.none(), st.binary(min_size=12, max_size=12)),
)


@settings(derandomize=True, deadline=None, max_examples=examples(200))
@given_any(envelopes)
def test_every_envelope_survives_its_octets(env: Envelope) -> None:
    data = envelope.encode(env)
    assert data == envelope_declaration.encode(env)
    assert envelope.decode(data) == env


@settings(derandomize=True, deadline=None, max_examples=examples(300))
@given_any(st.binary(max_size=60), st.sampled_from(["dd000000000000", "df09", HEAD]))
def test_any_octets_decode_or_are_refused(tail: bytes, head: str) -> None:
    data = octets(head) + tail
    env = verdict(envelope.decode, data)
    assert env == verdict(envelope_declaration.decode, data)
