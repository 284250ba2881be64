"""Headers, the negotiation of the version, known octets and refusals by name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.ezsp import frames
from emulator.codecs.ezsp import values as v
from emulator.codecs.ezsp import values_messages as m
from emulator.codecs.ezsp import values_network as n
from emulator.codecs.ezsp.frames import (
    EzspFrame,
    Frame,
    Framing,
    Header,
    callback,
    command,
    decode_header,
    encode_header,
    response,
)
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.layout import RefusedEzspError
from emulator.codecs.ezsp.protocol import VERSIONS, codec_of
from emulator.codecs.ezsp.statuses import Family, RawStatus, Status
from emulator.codecs.ezsp.structures import ApsFrame, NetworkParameters
from emulator.core.ids import Eui64
from tests.sampling import examples

_EUI = Eui64(bytes.fromhex("0011223344556677"))
_APS = ApsFrame(0x0109, 0x0702, 2, 1, 0x0140, 0, 7)


def _refused(version: int, octets: str) -> RefusedEzspError:
    with pytest.raises(RefusedEzspError) as refused:
        codec_of(version).decode(bytes.fromhex(octets))
    assert refused.value.layer == "ezsp"
    return refused.value


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_is_negotiated_in_the_legacy_form_and_then_in_the_present_one(
    version: int,
) -> None:
    codec = codec_of(version)
    first = codec.decode(bytes.fromhex("00000004"))
    assert first == EzspFrame(Frame.VERSION, v.VersionRequest(4), 0, 0, Framing.LEGACY)
    answer = codec.encode(response(first, v.VersionAnswer(version, 2, 0x7450)))
    assert answer == bytes((0x00, 0x80, 0x00, version, 0x02, 0x50, 0x74))
    again = codec.decode(bytes((0x01, 0x00, 0x01, 0x00, 0x00, version)))
    assert again == command(Frame.VERSION, v.VersionRequest(version), 1)
    answer = codec.encode(response(again, v.VersionAnswer(version, 2, 0x7450)))
    assert answer == bytes((0x01, 0x80, 0x01, 0x00, 0x00, version, 0x02, 0x50, 0x74))
    assert codec.decode(answer).is_response


def test_a_host_of_v5_to_v7_is_answered_in_its_own_form() -> None:
    codec = codec_of(13)
    first = codec.decode(bytes.fromhex("0000FF000007"))
    assert first.framing is Framing.EXTENDED_LEGACY
    answer = codec.encode(response(first, v.VersionAnswer(13, 2, 0x7450)))
    assert answer == bytes.fromhex("0080FF00000D025074")


def test_a_callback_is_marked_and_bears_the_sequence_it_is_given() -> None:
    octets = codec_of(13).encode(
        callback(Frame.STACK_STATUS_HANDLER, v.StatusOnly(Status.NETWORK_UP), 0x21)
    )
    assert octets == bytes.fromhex("219001190090")
    read = codec_of(13).decode(octets)
    assert read.is_callback
    assert read.values == v.StatusOnly(Status.NETWORK_UP)
    answer = codec_of(13).decode(bytes.fromhex("218001050000"[:10]))
    assert not answer.is_callback


def test_a_response_repeats_sequence_form_and_network_of_its_command() -> None:
    asked = EzspFrame(Frame.NOP, v.Nothing(), 9, 0x62)
    given = response(asked, v.Nothing())
    assert (given.sequence, given.control) == (9, 0x80 | 0x60)
    refusal = response(asked, v.StatusOnly(Status.INVALID_FRAME_ID), Frame.INVALID_COMMAND)
    assert codec_of(13).encode(refusal) == bytes.fromhex("09E001580031")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (13, "01 00 01 34 00 00 3412 0901 0207 02 01 4001 0000 07 55 03 AABBCC"),
        (14, "01 00 01 34 00 00 3412 0901 0207 02 01 4001 0000 07 5500 03 AABBCC"),
    ],
)
def test_a_unicast_has_the_known_octets(version: int, expected: str) -> None:
    values = m.SendUnicast(0, 0x1234, _APS, 0x55, bytes.fromhex("AABBCC"))
    frame = command(Frame.SEND_UNICAST, values, 1)
    octets = bytes.fromhex(expected.replace(" ", ""))
    assert codec_of(version).encode(frame) == octets
    assert codec_of(version).decode(octets) == frame


def test_an_incoming_message_is_one_value_with_two_forms() -> None:
    values = m.IncomingMessage(0, _APS, 0x1234, 200, -40, b"\x01\x02", sender_eui64=_EUI)
    old = codec_of(13).encode(callback(Frame.INCOMING_MESSAGE_HANDLER, values, 0))
    new = codec_of(14).encode(callback(Frame.INCOMING_MESSAGE_HANDLER, values, 0))
    assert old[5:] == bytes.fromhex("00090102070201400100000 7C8D83412FFFF020102".replace(" ", ""))
    assert new[5:] == bytes.fromhex(
        "0009010207020140010000073412 7766554433221100 FFFF C8D8 00000000 020102".replace(" ", "")
    )
    assert codec_of(14).decode(new).values == values


@pytest.mark.parametrize(
    ("version", "status", "octets"),
    [
        (13, Status.NOT_JOINED, "93"),
        (14, Status.NOT_JOINED, "17000000"),
        (19, Status.DELIVERY_FAILED, "020C0000"),
        (8, Status.DELIVERY_FAILED, "66"),
        (8, RawStatus(0xE7), "E7"),
    ],
)
def test_a_status_has_the_number_of_its_family(
    version: int, status: Status | RawStatus, octets: str
) -> None:
    frame = callback(Frame.STACK_STATUS_HANDLER, v.StatusOnly(status), 0)
    written = codec_of(version).encode(frame)
    assert written[5:] == bytes.fromhex(octets)
    assert codec_of(version).decode(written) == frame


def test_a_bad_identifier_is_0x37_up_to_v13_and_a_bad_parameter_later() -> None:
    values = v.ConfigAnswer(Status.INVALID_ID, 0)
    frame = response(command(Frame.GET_CONFIGURATION_VALUE, v.ConfigId(99), 1), values)
    assert codec_of(13).encode(frame)[5:] == bytes.fromhex("370000")
    assert codec_of(14).encode(frame)[5:] == bytes.fromhex("210000000000")
    assert codec_of(13).status_family(of_ezsp=True) is Family.EZSP
    assert codec_of(13).status_family(of_ezsp=False) is Family.EMBER
    assert codec_of(14).status_family(of_ezsp=True) is Family.SL


def test_a_meaning_without_a_number_is_written_as_the_familys_failure() -> None:
    assert Status.NOT_FOUND.number(Family.EZSP) == 0x38
    assert Status.NOT_INITIALISED.number(Family.EMBER) == 0x01


def test_outcomes_that_old_versions_do_not_tell_are_left_out() -> None:
    asked = command(Frame.SET_MANUFACTURER_CODE, v.ManufacturerCode(0x1234), 3)
    failed = response(asked, v.StatusOnly(Status.FAIL))
    assert codec_of(13).encode(failed)[5:] == b""
    assert codec_of(13).decode(codec_of(13).encode(failed)).values == v.StatusOnly(Status.OK)
    assert codec_of(14).decode(codec_of(14).encode(failed)).values == v.StatusOnly(Status.FAIL)


def test_an_extended_timeout_is_a_boolean_up_to_v13_and_a_status_later() -> None:
    asked = command(Frame.GET_EXTENDED_TIMEOUT, v.ByEui64(_EUI), 3)
    for status, old, new in ((Status.OK, "01", "00000000"), (Status.FAIL, "00", "01000000")):
        frame = response(asked, v.StatusOnly(status))
        assert codec_of(13).encode(frame)[5:] == bytes.fromhex(old)
        assert codec_of(14).encode(frame)[5:] == bytes.fromhex(new)


def test_a_token_that_is_not_there_has_a_length_up_to_v13_and_none_later() -> None:
    frame = response(
        command(Frame.GET_TOKEN_DATA, v.TokenAt(0x0001, 0), 3), v.StatusOctets(Status.NOT_FOUND)
    )
    assert codec_of(13).encode(frame)[5:] == bytes.fromhex("0300000000")
    assert codec_of(14).encode(frame)[5:] == bytes.fromhex("2D000000")
    assert codec_of(14).decode(codec_of(14).encode(frame)) == frame


def test_network_parameters_carry_the_extended_pan_id_least_significant_octet_first() -> None:
    parameters = NetworkParameters(_EUI, 0x1A62, 8, 15, channel_mask=0x07FFF800)
    octets = codec_of(13).encode(command(Frame.FORM_NETWORK, n.FormNetwork(parameters), 0))
    assert octets[5:] == bytes.fromhex("7766554433221100621A080F0000000000F8FF07")


def test_two_cluster_lists_follow_their_two_counts() -> None:
    values = v.Endpoint(2, 0x0109, 0x0500, 0, ClusterLists((0x0000, 0x0702), (0x0019,)))
    octets = codec_of(13).encode(command(Frame.ADD_ENDPOINT, values, 0))
    assert octets[5:] == bytes.fromhex("0209010005000201000002071900")
    assert codec_of(13).decode(octets).values == values


@pytest.mark.parametrize(
    ("version", "octets", "reason"),
    [
        (13, "", Status.TRUNCATED),
        (13, "0000", Status.TRUNCATED),
        (13, "000001", Status.TRUNCATED),
        (13, "00000134", Status.TRUNCATED),
        (13, "0000010200", Status.TRUNCATED),
        (13, "000001050000", Status.OVERFLOW),
        (13, "00000122003C00", Status.OVERFLOW),
        (13, "0000016F02", Status.INVALID_FRAME_ID),
        (13, "00000105FF", Status.INVALID_FRAME_ID),
        (14, "0000010400", Status.INVALID_FRAME_ID),
        (13, "0000011900", Status.WRONG_DIRECTION),
        (13, "000005", Status.VERSION_NOT_SET),
        (13, "0000FF000509", Status.VERSION_NOT_SET),
        (13, "0000810500", Status.UNSUPPORTED_CONTROL),
        (13, "0000410500", Status.UNSUPPORTED_CONTROL),
        (13, "000001830002", Status.INVALID_PARAMETER),
        (13, "00000447", Status.VERSION_NOT_SET),
        (13, "0000014700 05 0102", Status.TRUNCATED),
        (13, "0000014700 01 0102", Status.OVERFLOW),
    ],
)
def test_octets_that_are_no_command_are_refused_by_the_reason_an_ncp_gives(
    version: int, octets: str, reason: Status
) -> None:
    assert _refused(version, octets.replace(" ", "")).reason is reason


@pytest.mark.parametrize(
    "frame",
    [
        command(Frame.GET_KEY, v.Nothing(), 0),
        command(Frame.STACK_STATUS_HANDLER, v.StatusOnly(), 0),
        command(Frame.NOP, v.StatusOnly(), 0),
        command(Frame.PERMIT_JOINING, n.PermitJoining(256), 0),
        command(Frame.CUSTOM_FRAME, v.Octets(bytes(256)), 0),
        command(Frame.SEND_UNICAST, m.SendUnicast(0, 0, _APS, 0x100, b""), 0),
        command(Frame.NOP, v.Nothing(), 256),
    ],
)
def test_a_value_that_fits_no_frame_of_the_version_is_our_own_fault(frame: EzspFrame) -> None:
    with pytest.raises(ValueError, match=r"ezsp|range"):
        codec_of(13).encode(frame)


def test_a_version_that_is_not_spoken_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="v8, v13, v14, v18, v19"):
        codec_of(15)


@settings(max_examples=examples(200))
@given(
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    st.integers(0, 255),
)
def test_a_header_is_read_as_it_was_written(sequence: int, frame_id: int, control: int) -> None:
    header = Header(sequence, frame_id, control)
    assert decode_header(encode_header(header)) == (header, 5)
    old = Header(sequence, frame_id & 0xFC, control, Framing.LEGACY)
    assert decode_header(encode_header(old)) == (old, 3)
    middle = Header(sequence, frame_id & 0xFF, control, Framing.EXTENDED_LEGACY)
    assert decode_header(encode_header(middle)) == (middle, 5)


@settings(max_examples=examples(400))
@given(st.sampled_from(VERSIONS), st.binary(max_size=80))
def test_any_octets_are_read_or_refused_and_what_is_read_is_written_alike(
    version: int, octets: bytes
) -> None:
    codec = codec_of(version)
    for candidate in (octets, octets[:1] + b"\x00\x01" + octets[3:]):
        try:
            frame = codec.decode(candidate)
        except RefusedEzspError:
            continue
        assert codec.encode(frame) == candidate


def test_control_bits_are_the_documented_ones() -> None:
    assert frames.RESPONSE | frames.ASYNCHRONOUS_CALLBACK == 0x90
    assert frames.RESPONSE | frames.SYNCHRONOUS_CALLBACK == 0x88
