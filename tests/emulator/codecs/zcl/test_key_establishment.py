import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import foundation
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.foundation import AttributeReading, AttributeValue, Status
from emulator.codecs.zcl.key_establishment import (
    TYPES,
    ConfirmRequest,
    ConfirmResponse,
    EphemeralRequest,
    EphemeralResponse,
    InitiateRequest,
    InitiateResponse,
    KeyEstablishmentAttribute,
    KeyEstablishmentCommand,
    KeySuite,
    Terminate,
    TerminateStatus,
)
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

SHORT, LONG = bytes(range(48)), bytes(range(74))
KEY, LONG_KEY = b"\x03" + bytes(21), b"\x02" + bytes(36)
MAC = bytes(range(16))
# command, whether from the server, octets: control, sequence 09, command, payload
VECTORS: list[tuple[KeyEstablishmentCommand, bool, str]] = [
    (InitiateRequest(1, 3, 6, SHORT), False, "110900 0100 03 06" + SHORT.hex()),
    (InitiateRequest(2, 4, 0xFE, LONG), False, "110900 0200 04 fe" + LONG.hex()),
    (EphemeralRequest(KEY), False, "110901" + KEY.hex()),
    (EphemeralRequest(LONG_KEY), False, "110901" + LONG_KEY.hex()),
    (ConfirmRequest(MAC), False, "110902" + MAC.hex()),
    (Terminate(TerminateStatus.BAD_KEY_CONFIRM, 30, 2), False, "110903 02 1e 0200"),
    (InitiateResponse(1, 3, 6, SHORT), True, "190900 0100 03 06" + SHORT.hex()),
    (InitiateResponse(2, 3, 6, LONG), True, "190900 0200 03 06" + LONG.hex()),
    (EphemeralResponse(KEY), True, "190901" + KEY.hex()),
    (EphemeralResponse(LONG_KEY), True, "190901" + LONG_KEY.hex()),
    (ConfirmResponse(MAC), True, "190902" + MAC.hex()),
    (Terminate(TerminateStatus.NO_RESOURCES, 0, 3), True, "190903 04 00 0300"),
]
IDS = [f"{type(command).__name__}-{len(octets)}-{down}" for command, down, octets in VECTORS]


def read(octets: bytes) -> KeyEstablishmentCommand:
    return cluster.decode(zcl_frame.decode(octets))


@pytest.mark.parametrize(("command", "from_server", "octets"), VECTORS, ids=IDS)
def test_a_command_has_the_octets_of_the_specification(
    command: KeyEstablishmentCommand, from_server: bool, octets: str
) -> None:
    assert cluster.encode(command, 9, server_to_client=from_server) == bytes.fromhex(octets)
    assert read(bytes.fromhex(octets)) == command


@pytest.mark.parametrize("octets", [octets for _, _, octets in VECTORS], ids=IDS)
def test_every_truncation_and_an_extension_are_refused(octets: str) -> None:
    whole = bytes.fromhex(octets)
    shorter_key = (
        3 + 22
    )  # 37 octets cut to 22 are a key of the other suite: the session's to refuse
    for length in set(range(len(whole))) - {shorter_key if whole[2] == 1 else -1}:
        with pytest.raises(MalformedFrameError):
            read(whole[:length])
    with pytest.raises(MalformedFrameError):
        read(whole + b"\x00")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("110903 00 1e 0200", "no TerminateStatus"),
        ("110903 07 1e 0200", "no TerminateStatus"),
        ("110901" + "02" * 21, "22 or 37 octets"),
        ("110901" + "02" * 23, "22 or 37 octets"),
        ("110900 0100 03 06" + LONG.hex(), "length of its suite"),
        ("110900 0200 03 06" + SHORT.hex(), "length of its suite"),
        ("190900 0200 03 06" + SHORT.hex(), "length of its suite"),
        ("110904 00", "not known here"),
        ("190904 00", "not known here"),
        ("150912 02 00", "not known here"),
        ("100902" + MAC.hex(), "not known here"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_its_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        read(bytes.fromhex(octets))


@pytest.mark.parametrize("suite", [0, 3, 4, 0xFFFF])
def test_an_unknown_suite_reads_so_that_it_can_be_refused_by_name(suite: int) -> None:
    for certificate in (b"", b"x", SHORT, LONG):
        command = InitiateRequest(suite, 1, 2, certificate)
        assert read(cluster.encode(command, 1)) == command


def test_a_terminate_wants_its_direction_named() -> None:
    told = Terminate(TerminateStatus.BAD_MESSAGE, 1, 1)
    with pytest.raises(ValueError, match="name the direction"):
        cluster.encode(told, 9)
    for down in (False, True):
        frame = zcl_frame.decode(cluster.encode(told, 9, server_to_client=down))
        assert frame.server_to_client is down
        assert cluster.decode(frame) == told


@pytest.mark.parametrize(
    "command",
    [
        InitiateRequest(2, 3, 6, SHORT),
        InitiateRequest(1, 256, 6, SHORT),
        EphemeralRequest(b"short"),
        ConfirmResponse(MAC[:-1]),
        ConfirmRequest(MAC + b"x"),
    ],
)
def test_a_command_that_cannot_be_is_our_own_error(command: KeyEstablishmentCommand) -> None:
    with pytest.raises(ValueError, match=type(command).__name__):
        cluster.encode(command, 9)


def test_no_command_goes_the_wrong_way() -> None:
    with pytest.raises(ValueError, match="does not go that way"):
        cluster.encode(ConfirmRequest(MAC), 9, server_to_client=True)


@settings(max_examples=examples(200))
@given(st.binary(max_size=90))
def test_octets_at_random_read_back_or_are_refused(octets: bytes) -> None:
    try:
        frame = zcl_frame.decode(octets)
        command = cluster.decode(frame)
    except MalformedFrameError:
        return
    again = cluster.encode(command, frame.sequence, server_to_client=frame.server_to_client)
    assert again[1:] == octets[1:]
    assert again[0] | 0x10 == octets[0] | 0x10


def test_the_suite_attribute_reads_as_an_enumeration_of_two_octets() -> None:
    suite = KeyEstablishmentAttribute.KEY_ESTABLISHMENT_SUITE
    value = AttributeValue(TYPES[suite], KeySuite.CBKE_283)
    answer = foundation.ReadAttributesResponse((AttributeReading(suite, Status.SUCCESS, value),))
    octets = foundation.encode(answer, 9, server_to_client=True)
    assert octets == bytes.fromhex("180901 0000 00 31 0200")
