"""Tunneling cluster 0x0704: the commands; what wraps messages is in `tunnel_wrapper`."""

import enum
from dataclasses import dataclass
from struct import Struct, error
from typing import Any, ClassVar, Final, Self

import construct as c

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.cluster import ClusterCommands, Command, Declared
from emulator.codecs.zcl.tunnel_wrapper import TunnelGet, TunnelGetResponse, TunnelPut
from emulator.codecs.zcl.tunnel_wrapper import decode as decode_wrapped
from emulator.codecs.zcl.tunnel_wrapper import encode as encode_wrapped
from emulator.codecs.zigbee.blocks import Boolean, Named
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

__all__ = [
    "CLUSTER", "COMMANDS", "NO_MANUFACTURER", "NO_TUNNEL", "TRANSFER_OVERHEAD_BYTES",
    "AckTransferData", "CloseTunnel", "ReadyData", "RequestTunnel", "RequestTunnelResponse",
    "TransferData", "TransferDataError", "TransferStatus", "TunnelAttribute",
    "TunnelClosureNotification", "TunnelGet", "TunnelGetResponse", "TunnelProtocol", "TunnelPut",
    "TunnelStatus", "decode", "decode_wrapped", "encode", "encode_wrapped",
    "read",
]  # fmt: skip

CLUSTER: Final = 0x0704
#: Manufacturer code of a request for a standard protocol.
NO_MANUFACTURER: Final = 0xFFFF
#: Tunnel id of a response that opened none.
NO_TUNNEL: Final = 0xFFFF
#: Octets of a Transfer Data frame beside its data: 3 of ZCL header and the tunnel id.
TRANSFER_OVERHEAD_BYTES: Final = 5


class TunnelProtocol(enum.IntEnum):
    """Protocols of the Smart Energy list.

    Source:
        known (Smart Energy 1.2, Tunneling: protocol id enumerations); GB_HRGP checked with the
        name tshark 4.0.17 prints.
    """

    DLMS_COSEM = 0
    IEC_61107 = 1
    ANSI_C12 = 2
    M_BUS = 3
    SML = 4
    CLIMATE_TALK = 5
    GB_HRGP = 6
    IP_V4 = 7
    IP_V6 = 8


class TunnelStatus(enum.IntEnum):
    """Outcome of a tunnel request."""

    SUCCESS = 0
    BUSY = 1
    NO_MORE_TUNNEL_IDS = 2
    PROTOCOL_NOT_SUPPORTED = 3
    FLOW_CONTROL_NOT_SUPPORTED = 4


class TransferStatus(enum.IntEnum):
    """Reasons of a Transfer Data Error."""

    NO_SUCH_TUNNEL = 0
    WRONG_DEVICE = 1
    DATA_OVERFLOW = 2


class TunnelAttribute(enum.IntEnum):
    """Attribute identifiers of the server."""

    CLOSE_TUNNEL_TIMEOUT = 0x0000


_TUNNEL: Final = "tunnel_id" / c.Int16ul


@dataclass(frozen=True, slots=True)
class RequestTunnel(Declared):
    """Client to server: open a tunnel.

    Attributes:
        protocol: What is to travel in it.
        manufacturer_code: Of a maker's own protocol, else NO_MANUFACTURER.
        flow_control: True asks for Ack Transfer Data and Ready Data.
        max_incoming_bytes: Largest transfer the client can take.
    """

    protocol: TunnelProtocol = TunnelProtocol.GB_HRGP
    manufacturer_code: int = NO_MANUFACTURER
    flow_control: bool = False
    max_incoming_bytes: int = 1500

    FORM: ClassVar[c.Construct] = c.Struct(
        "protocol" / Named(c.Int8ul, TunnelProtocol),
        "manufacturer_code" / c.Int16ul,
        "flow_control" / Boolean(c.Int8ul),
        "max_incoming_bytes" / c.Int16ul,
    )


@dataclass(frozen=True, slots=True)
class RequestTunnelResponse(Declared):
    """Server to client: the tunnel, or why there is none.

    Attributes:
        tunnel_id: Of the new tunnel; NO_TUNNEL when refused.
        status: Outcome.
        max_incoming_bytes: Largest transfer the server can take.
    """

    tunnel_id: int
    status: TunnelStatus
    max_incoming_bytes: int = 1500

    FORM: ClassVar[c.Construct] = c.Struct(
        _TUNNEL,
        "status" / Named(c.Int8ul, TunnelStatus),
        "max_incoming_bytes" / c.Int16ul,
    )


@dataclass(frozen=True, slots=True)
class CloseTunnel(Declared):
    """Client to server: close this tunnel."""

    tunnel_id: int

    FORM: ClassVar[c.Construct] = c.Struct(_TUNNEL)


@dataclass(frozen=True, slots=True)
class TunnelClosureNotification(Declared):
    """Server to client: I closed this tunnel (its time-out passed)."""

    tunnel_id: int

    FORM: ClassVar[c.Construct] = c.Struct(_TUNNEL)


@quick
@dataclass(frozen=True, slots=True)
class TransferData(Declared):
    """Either way: octets of the tunnelled protocol.

    Attributes:
        tunnel_id: Of the tunnel.
        data: What travels: to the end of the frame, at least one octet.
    """

    tunnel_id: int
    data: bytes

    FORM: ClassVar[c.Construct] = c.Struct(_TUNNEL)  # the data has no length of its own

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload.

        Raises:
            MalformedFrameError: Less than three octets.
        """
        if len(payload) < 3:
            raise MalformedFrameError(
                "zcl.TransferData", payload, "no tunnel id with data behind it", len(payload)
            )
        return cls(payload[0] | payload[1] << 8, payload[2:])

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: The tunnel id does not fit, or there is no data.
        """
        if not self.data or not 0 <= self.tunnel_id <= 0xFFFF:
            raise ValueError("zcl.TransferData: needs a 16-bit tunnel id and data")
        return self.tunnel_id.to_bytes(2, "little") + self.data


@dataclass(frozen=True, slots=True)
class TransferDataError(Declared):
    """Either way: your data could not be taken."""

    tunnel_id: int
    status: TransferStatus

    FORM: ClassVar[c.Construct] = c.Struct(_TUNNEL, "status" / Named(c.Int8ul, TransferStatus))


@dataclass(frozen=True, slots=True)
class AckTransferData(Declared):
    """Either way, with flow control: taken; ``bytes_left`` octets more may come now."""

    tunnel_id: int
    bytes_left: int

    FORM: ClassVar[c.Construct] = c.Struct(_TUNNEL, "bytes_left" / c.Int16ul)


@dataclass(frozen=True, slots=True)
class ReadyData(Declared):
    """Either way, with flow control: after a stop, ``bytes_left`` octets may come again."""

    tunnel_id: int
    bytes_left: int

    FORM: ClassVar[c.Construct] = c.Struct(_TUNNEL, "bytes_left" / c.Int16ul)


#: The cluster's table.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "tunneling",
    to_server={
        0x00: (RequestTunnel,),
        0x01: (CloseTunnel,),
        0x02: (TransferData,),
        0x03: (TransferDataError,),
        0x04: (AckTransferData,),
        0x05: (ReadyData,),
    },
    to_client={
        0x00: (RequestTunnelResponse,),
        0x01: (TransferData,),
        0x02: (TransferDataError,),
        0x03: (AckTransferData,),
        0x04: (ReadyData,),
        0x06: (TunnelClosureNotification,),
    },
)
decode = COMMANDS.decode
#: Headers of Transfer Data, without manufacturer code and Default Response: control and command
#: octet -> whether it goes from server to client.
_TRANSFERS: Final = {0x11_02: False, 0x19_01: True}
_TRANSFER_HEADS: Final = {way: head for head, way in _TRANSFERS.items()}
_TRANSFER: Final = Struct("<BBBH")


def read(octets: bytes) -> tuple[int, Any]:
    """Return transaction number and command of a ZCL frame of this cluster.

    Nearly all are Transfer Data, which is read in one go; what deviates from its plain form in the
    least is left to the declarations, and a test holds this path to them.

    Raises:
        MalformedFrameError: No ZCL frame, no command of this cluster, or one that is not as
            declared.
    """
    if len(octets) > TRANSFER_OVERHEAD_BYTES and octets[0] << 8 | octets[2] in _TRANSFERS:
        data = octets[TRANSFER_OVERHEAD_BYTES:]
        return octets[1], TransferData(octets[3] | octets[4] << 8, data)
    frame = zcl_frame.decode(octets)
    return frame.sequence, COMMANDS.decode(frame)


def encode(command: Command, sequence: int, *, server_to_client: bool | None = None) -> bytes:
    """Write a command as a whole ZCL frame that asks for no Default Response.

    Args:
        command: A command of this cluster.
        sequence: Transaction number; an answer repeats the request's.
        server_to_client: Direction, for commands that exist in both; else found by type.

    Raises:
        ValueError: No such command in this direction, or a value does not fit.
    """
    if server_to_client is not None and isinstance(command, TransferData) and command.data:
        head = _TRANSFER_HEADS[server_to_client]
        try:
            start = _TRANSFER.pack(head >> 8, sequence, head & 0xFF, command.tunnel_id)
        except error as wrong:
            raise ValueError(f"zcl.TransferData: {wrong}") from wrong
        return start + command.data
    return COMMANDS.encode(command, sequence, server_to_client=server_to_client)
