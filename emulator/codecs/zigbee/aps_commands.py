"""Commands of the Zigbee application support layer: keys, and nodes that come and go."""

import enum
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeAlias

import construct as c

from emulator.codecs.zigbee.blocks import Eui64LittleEndian, Named, parse_part
from emulator.codecs.zigbee.commands import fields_of, numbered
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

_LAYER: Final = "zigbee.aps_command"
_KEY: Final = c.Bytes(16)


class ApsCommandId(enum.IntEnum):
    """Numbers of the commands.

    Source:
        Zigbee specification 05-3474, table 4-28 (known); checked with tshark 4.0.17.
    """

    TRANSPORT_KEY = 0x05
    UPDATE_DEVICE = 0x06
    REMOVE_DEVICE = 0x07
    REQUEST_KEY = 0x08
    SWITCH_KEY = 0x09
    TUNNEL = 0x0E
    VERIFY_KEY = 0x0F
    CONFIRM_KEY = 0x10


class KeyKind(enum.IntEnum):
    """Kinds of key that Transport Key carries."""

    NETWORK = 1
    APPLICATION_LINK = 3
    TRUST_CENTRE_LINK = 4


class RequestedKey(enum.IntEnum):
    """Kinds of key that Request Key asks for."""

    APPLICATION_LINK = 2
    TRUST_CENTRE_LINK = 4


class DeviceStatus(enum.IntEnum):
    """What Update Device tells of a node."""

    SECURED_REJOIN = 0
    UNSECURED_JOIN = 1
    LEFT = 2
    UNSECURED_REJOIN = 3


@dataclass(frozen=True, slots=True)
class TransportNetworkKey:
    """The network key, on its way to a node.

    Attributes:
        key: The key.
        sequence: Its number.
        destination: Node it is for.
        source: The trust centre.
    """

    key: bytes = field(repr=False)
    sequence: int
    destination: Eui64
    source: Eui64

    ID: ClassVar[ApsCommandId] = ApsCommandId.TRANSPORT_KEY
    FORM: ClassVar[c.Construct] = c.Struct(
        "kind" / c.Const(int(KeyKind.NETWORK), c.Int8ul),
        "key" / _KEY,
        "sequence" / c.Int8ul,
        "destination" / Eui64LittleEndian(),
        "source" / Eui64LittleEndian(),
    )


@dataclass(frozen=True, slots=True)
class TransportLinkKey:
    """A trust centre link key, on its way to a node.

    Attributes:
        key: The key.
        destination: Node it is for.
        source: The trust centre.
    """

    key: bytes = field(repr=False)
    destination: Eui64
    source: Eui64

    ID: ClassVar[ApsCommandId] = ApsCommandId.TRANSPORT_KEY
    FORM: ClassVar[c.Construct] = c.Struct(
        "kind" / c.Const(int(KeyKind.TRUST_CENTRE_LINK), c.Int8ul),
        "key" / _KEY,
        "destination" / Eui64LittleEndian(),
        "source" / Eui64LittleEndian(),
    )


@dataclass(frozen=True, slots=True)
class TransportApplicationKey:
    """A link key for two nodes, on its way to one of them.

    Attributes:
        key: The key.
        partner: The other node.
        initiator: Whether the receiver asked for it.
    """

    key: bytes = field(repr=False)
    partner: Eui64
    initiator: bool

    ID: ClassVar[ApsCommandId] = ApsCommandId.TRANSPORT_KEY
    FORM: ClassVar[c.Construct] = c.Struct(
        "kind" / c.Const(int(KeyKind.APPLICATION_LINK), c.Int8ul),
        "key" / _KEY,
        "partner" / Eui64LittleEndian(),
        "initiator" / c.Flag,
    )


@dataclass(frozen=True, slots=True)
class UpdateDevice:
    """A router tells the trust centre of a node.

    Attributes:
        device: The node.
        short: Its short address.
        status: What became of it.
    """

    device: Eui64
    short: int
    status: DeviceStatus

    ID: ClassVar[ApsCommandId] = ApsCommandId.UPDATE_DEVICE
    FORM: ClassVar[c.Construct] = c.Struct(
        "device" / Eui64LittleEndian(),
        "short" / c.Int16ul,
        "status" / Named(c.Int8ul, DeviceStatus),
    )


@dataclass(frozen=True, slots=True)
class RemoveDevice:
    """The trust centre has a router send a node away.

    Attributes:
        target: The node.
    """

    target: Eui64

    ID: ClassVar[ApsCommandId] = ApsCommandId.REMOVE_DEVICE
    FORM: ClassVar[c.Construct] = c.Struct("target" / Eui64LittleEndian())


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A node asks for a key.

    Attributes:
        kind: Which.
        partner: The other node of an application link key; None for the trust centre's.
    """

    kind: RequestedKey
    partner: Eui64 | None = None

    ID: ClassVar[ApsCommandId] = ApsCommandId.REQUEST_KEY
    FORM: ClassVar[c.Construct] = c.Struct(
        "kind" / Named(c.Int8ul, RequestedKey),
        "partner" / c.If(c.this.kind == RequestedKey.APPLICATION_LINK, Eui64LittleEndian()),
    )


@dataclass(frozen=True, slots=True)
class SwitchKey:
    """The trust centre has everybody use another network key.

    Attributes:
        sequence: Number of that key.
    """

    sequence: int

    ID: ClassVar[ApsCommandId] = ApsCommandId.SWITCH_KEY
    FORM: ClassVar[c.Construct] = c.Struct("sequence" / c.Int8ul)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A secured APS command for a node that has no network key yet, through its parent.

    Attributes:
        destination: The node.
        frame: The command: APS header, auxiliary header, enciphered payload and check.
    """

    destination: Eui64
    frame: bytes

    ID: ClassVar[ApsCommandId] = ApsCommandId.TUNNEL
    FORM: ClassVar[c.Construct] = c.Struct(
        "destination" / Eui64LittleEndian(), "frame" / c.GreedyBytes
    )


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A node proves that it holds a key.

    Attributes:
        source: The node.
        proof: `crypto.zigbee_security.verify_hash` of the key, 16 octets.
        kind: Which key.
    """

    source: Eui64
    proof: bytes
    kind: KeyKind = KeyKind.TRUST_CENTRE_LINK

    ID: ClassVar[ApsCommandId] = ApsCommandId.VERIFY_KEY
    FORM: ClassVar[c.Construct] = c.Struct(
        "kind" / Named(c.Int8ul, KeyKind), "source" / Eui64LittleEndian(), "proof" / c.Bytes(16)
    )


@dataclass(frozen=True, slots=True)
class ConfirmKey:
    """The trust centre says whether the proof was right.

    Attributes:
        status: 0: it was.
        destination: The node.
        kind: Which key.
    """

    status: int
    destination: Eui64
    kind: KeyKind = KeyKind.TRUST_CENTRE_LINK

    ID: ClassVar[ApsCommandId] = ApsCommandId.CONFIRM_KEY
    FORM: ClassVar[c.Construct] = c.Struct(
        "status" / c.Int8ul, "kind" / Named(c.Int8ul, KeyKind), "destination" / Eui64LittleEndian()
    )


ApsCommand: TypeAlias = (
    TransportNetworkKey
    | TransportLinkKey
    | TransportApplicationKey
    | UpdateDevice
    | RemoveDevice
    | RequestKey
    | SwitchKey
    | Tunnel
    | VerifyKey
    | ConfirmKey
)
_TRANSPORTS: Final[dict[int, type[Any]]] = {
    KeyKind.NETWORK: TransportNetworkKey,
    KeyKind.TRUST_CENTRE_LINK: TransportLinkKey,
    KeyKind.APPLICATION_LINK: TransportApplicationKey,
}
_OTHERS: Final[dict[int, type[Any]]] = {
    one.ID: one
    for one in (
        UpdateDevice,
        RemoveDevice,
        RequestKey,
        SwitchKey,
        Tunnel,
        VerifyKey,
        ConfirmKey,
    )
}


def encode(command: ApsCommand) -> bytes:
    """Write a command: its number and its fields, without the APS header.

    Raises:
        ValueError: A field is out of range.
    """
    return numbered(_LAYER, command)


def decode(data: bytes) -> ApsCommand:
    """Read a command from the payload of an APS command frame.

    Raises:
        MalformedFrameError: No command of these, or one of another length or with unknown values.

    Source:
        Zigbee specification 05-3474, 4.4.9; checked with tshark 4.0.17.
    """
    number, at = parse_part(_LAYER, c.Int8ul, data)
    kind = _OTHERS.get(number)
    if number == ApsCommandId.TRANSPORT_KEY:
        kind = _TRANSPORTS.get(parse_part(_LAYER, c.Int8ul, data, at)[0])
    if kind is None:
        raise MalformedFrameError(_LAYER, data, f"no such command or key: {data[:2].hex()}")
    command: ApsCommand = fields_of(_LAYER, kind, data[at:])
    return command
