from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import tunneling
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.tunneling import (
    AckTransferData,
    CloseTunnel,
    ReadyData,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelClosureNotification,
    TunnelGet,
    TunnelGetResponse,
    TunnelProtocol,
    TunnelPut,
    TunnelStatus,
)
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

NONE = TunnelStatus.NO_MORE_TUNNEL_IDS
# command, whether from the server, octets: control, sequence 09, command, payload
VECTORS: list[tuple[Any, bool, str]] = [
    (RequestTunnel(), False, "11 09 00 06 ffff 00 dc05"),
    (
        RequestTunnel(TunnelProtocol.DLMS_COSEM, 0x121D, True, 512),
        False,
        "11 09 00 00 1d12 01 0002",
    ),
    (CloseTunnel(0x0102), False, "11 09 01 0201"),
    (TransferData(1, b"\xdd\x00"), False, "11 09 02 0100 dd00"),
    (TransferDataError(1, TransferStatus.DATA_OVERFLOW), False, "11 09 03 0100 02"),
    (AckTransferData(1, 256), False, "11 09 04 0100 0001"),
    (ReadyData(1, 256), False, "11 09 05 0100 0001"),
    (RequestTunnelResponse(1, TunnelStatus.SUCCESS), True, "19 09 00 0100 00 dc05"),
    (RequestTunnelResponse(tunneling.NO_TUNNEL, NONE, 0), True, "19 09 00 ffff 02 0000"),
    (TransferData(1, b"\xdd\x00"), True, "19 09 01 0100 dd00"),
    (TransferDataError(1, TransferStatus.NO_SUCH_TUNNEL), True, "19 09 02 0100 00"),
    (AckTransferData(1, 256), True, "19 09 03 0100 0001"),
    (ReadyData(1, 256), True, "19 09 04 0100 0001"),
    (TunnelClosureNotification(1), True, "19 09 06 0100"),
]
IDS = [f"{type(command).__name__}-{'down' if down else 'up'}" for command, down, _ in VECTORS]


def read(octets: bytes) -> Any:
    return tunneling.decode(zcl_frame.decode(octets))


@pytest.mark.parametrize(("command", "from_server", "octets"), VECTORS, ids=IDS)
def test_a_command_has_the_octets_of_the_specification(
    command: Any, from_server: bool, octets: str
) -> None:
    assert tunneling.encode(command, 9, server_to_client=from_server) == bytes.fromhex(octets)
    assert read(bytes.fromhex(octets)) == command


@pytest.mark.parametrize(
    ("octets", "open_ended"),
    [(octets, isinstance(command, TransferData)) for command, _, octets in VECTORS],
    ids=IDS,
)
def test_every_truncation_and_an_extension_are_refused(octets: str, open_ended: bool) -> None:
    whole = bytes.fromhex(octets)  # open-ended: the data have no length of their own
    for length in range(len(whole) - open_ended):
        with pytest.raises(MalformedFrameError):
            read(whole[:length])
    if not open_ended:
        with pytest.raises(MalformedFrameError):
            read(whole + b"\x00")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("11 09 00 09 ffff 00 dc05", "no TunnelProtocol"),
        ("11 09 00 06 ffff 02 dc05", "no boolean"),
        ("19 09 00 0100 05 dc05", "no TunnelStatus"),
        ("19 09 02 0100 03", "no TransferStatus"),
        ("11 09 02 0100", "no tunnel id with data"),
        ("11 09 06 00", "not known here"),
        ("19 09 05 00", "not known here"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_its_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        read(bytes.fromhex(octets))


def test_a_command_of_both_directions_wants_its_direction_named() -> None:
    with pytest.raises(ValueError, match="name the direction"):
        tunneling.encode(TransferData(1, b"x"), 9)
    assert tunneling.encode(CloseTunnel(1), 9) == bytes.fromhex("110901 0100")


@pytest.mark.parametrize("command", [TransferData(1, b""), TransferData(0x10000, b"x")])
def test_a_transfer_that_cannot_be_is_our_own_error(command: TransferData) -> None:
    with pytest.raises(ValueError, match="TransferData"):
        command.encode()


@pytest.mark.parametrize(
    ("wrapped", "octets"),
    [
        (TunnelGet(), "01"),
        (TunnelGetResponse(0, b""), "0200"),
        (TunnelGetResponse(0, b"\xdf\x09"), "0200df09"),
        (TunnelGetResponse(3, b"\xdf\x09"), "0203df09"),
        (TunnelPut(b"\xdd\x00"), "03dd00"),
    ],
)
def test_the_wrapper_octets_are_those_of_gbcs(wrapped: Any, octets: str) -> None:
    assert tunneling.encode_wrapped(wrapped) == bytes.fromhex(octets)
    assert tunneling.decode_wrapped(bytes.fromhex(octets)) == wrapped


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "neither GET"),
        ("00", "neither GET"),
        ("04dd", "neither GET"),
        ("df09", "neither GET"),
        ("0100", "behind a GET"),
        ("02", "without its count"),
        ("0201", "messages remain but none is given"),
        ("03", "PUT of nothing"),
    ],
)
def test_a_damaged_wrapper_is_refused_with_its_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why) as refused:
        tunneling.decode_wrapped(bytes.fromhex(octets))
    assert refused.value.layer == "zcl.tunnel_wrapper"


@pytest.mark.parametrize(
    "wrapped", [TunnelPut(b""), TunnelGetResponse(1, b""), TunnelGetResponse(256, b"x")]
)
def test_a_wrapper_that_cannot_be_is_our_own_error(wrapped: Any) -> None:
    with pytest.raises(ValueError, match="tunnel_wrapper"):
        tunneling.encode_wrapped(wrapped)


@given(st.booleans(), st.integers(0, 8), st.binary(max_size=12))
@settings(max_examples=examples(200), derandomize=True)
def test_octets_of_chance_are_read_or_refused_and_never_break(
    from_server: bool, command_id: int, payload: bytes
) -> None:
    frame = ZclFrame(True, from_server, True, 0, command_id, payload)
    try:
        command = tunneling.decode(frame)
    except MalformedFrameError:
        return
    again = tunneling.encode(command, 0, server_to_client=from_server)
    assert zcl_frame.decode(again) == frame


@given(st.binary(max_size=8))
@settings(max_examples=examples(200), derandomize=True)
def test_wrappers_of_chance_are_read_or_refused_and_never_break(octets: bytes) -> None:
    try:
        wrapped = tunneling.decode_wrapped(octets)
    except MalformedFrameError:
        return
    assert tunneling.encode_wrapped(wrapped) == octets


@pytest.mark.parametrize(("command", "from_server", "octets"), VECTORS, ids=IDS)
def test_a_command_is_read_in_one_go_with_its_number(
    command: Any, from_server: bool, octets: str
) -> None:
    assert tunneling.read(bytes.fromhex(octets)) == (9, command)
    assert tunneling.COMMANDS.encode(command, 9, server_to_client=from_server) == tunneling.encode(
        command, 9, server_to_client=from_server
    )


@settings(max_examples=examples(400))
@given(
    st.binary(max_size=9)
    | st.builds(
        lambda control, number, command, rest: bytes((control, number, command)) + rest,
        st.sampled_from([0x01, 0x09, 0x11, 0x19, 0x15, 0x1D, 0x39]),
        st.integers(0, 0xFF),
        st.integers(0, 6),
        st.binary(max_size=9),
    )
)
def test_any_octets_are_read_in_one_go_as_the_declarations_read_them(octets: bytes) -> None:
    try:
        frame = zcl_frame.decode(octets)
        declared = frame.sequence, tunneling.COMMANDS.decode(frame)
    except MalformedFrameError:
        with pytest.raises(MalformedFrameError):
            tunneling.read(octets)
        return
    assert tunneling.read(octets) == declared


@pytest.mark.parametrize(
    ("tunnel_id", "sequence", "data"),
    [(0x10000, 9, b"x"), (-1, 9, b"x"), (1, 256, b"x"), (1, 9, b"")],
)
@pytest.mark.parametrize("from_server", [True, False])
def test_what_does_not_fit_is_not_written(
    tunnel_id: int, sequence: int, data: bytes, from_server: bool
) -> None:
    with pytest.raises(ValueError, match="zcl"):
        tunneling.encode(TransferData(tunnel_id, data), sequence, server_to_client=from_server)
