"""Parameters of the frames that carry messages, and of the radio's raw ones."""

from dataclasses import dataclass

from emulator.codecs.ezsp.statuses import AnyStatus
from emulator.codecs.ezsp.structures import ApsFrame, PacketInfo
from emulator.core.ids import Eui64
from emulator.core.values import quick

#: "No row" of the binding and address tables.
NO_INDEX = 0xFF
_NOBODY = Eui64(bytes(8))


@quick
@dataclass(frozen=True, slots=True)
class SendUnicast:
    """A message for one node.

    Attributes:
        message_type: `identifiers.OutgoingType`.
        destination: Short address, or row of a table.
        aps: Addressing.
        tag: The host's own mark, one octet up to v13, two since v14.
        message: ZCL or ZDO octets, or one fragment of them.
    """

    message_type: int
    destination: int
    aps: ApsFrame
    tag: int
    message: bytes


@dataclass(frozen=True, slots=True)
class SendBroadcast:
    """A message for all.

    Attributes:
        destination: 0xFFFC, 0xFFFD or 0xFFFF.
        aps: Addressing.
        radius: Hops; 0: as far as the network goes.
        tag: The host's own mark.
        message: ZCL or ZDO octets.
        alias: Source to claim (v14 and later); 0xFFFF or 0: none.
        sequence: The alias' sequence number (v14 and later).
    """

    destination: int
    aps: ApsFrame
    radius: int
    tag: int
    message: bytes
    alias: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class SendMulticast:
    """A message for a group.

    Attributes:
        aps: Addressing; its group is the destination.
        hops: How far it goes.
        tag: The host's own mark.
        message: ZCL octets.
        nonmember_radius: How far beyond members (up to v13).
        broadcast_address: Which nodes relay it (v14 and later).
        alias: Source to claim (v14 and later).
        sequence: The alias' sequence number (v14 and later).
    """

    aps: ApsFrame
    hops: int
    tag: int
    message: bytes
    nonmember_radius: int = 0
    broadcast_address: int = 0xFFFF
    alias: int = 0
    sequence: int = 0


@quick
@dataclass(frozen=True, slots=True)
class SendAnswer:
    """Whether a message was taken, and its APS counter."""

    status: AnyStatus
    sequence: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The host's part of an APS acknowledgement (of a fragment)."""

    sender: int
    aps: ApsFrame
    message: bytes


@quick
@dataclass(frozen=True, slots=True)
class MessageSent:
    """What became of a message.

    Attributes:
        message_type: `identifiers.OutgoingType`.
        destination: As in the command.
        aps: As in the command, with its counter.
        tag: The host's own mark.
        status: OK: acknowledged, or sent where nothing acknowledges.
        message: Empty unless a policy asks for it.
    """

    message_type: int
    destination: int
    aps: ApsFrame
    tag: int
    status: AnyStatus
    message: bytes = b""


@quick
@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message from a node.

    Attributes:
        message_type: `identifiers.IncomingType`.
        aps: Addressing.
        sender: Short address.
        lqi: Link quality of the last hop.
        rssi: dBm of the last hop.
        message: ZCL or ZDO octets, or one fragment of them.
        binding_index: 255: none.
        address_index: 255: none.
        sender_eui64: Since v14.
        timestamp: Milliseconds of the NCP's clock, since v14.
    """

    message_type: int
    aps: ApsFrame
    sender: int
    lqi: int
    rssi: int
    message: bytes
    binding_index: int = NO_INDEX
    address_index: int = NO_INDEX
    sender_eui64: Eui64 = _NOBODY
    timestamp: int = 0


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A MAC frame to be sent as it is.

    Attributes:
        message: Without its check.
        priority: Since v8's extended form.
        use_cca: Wait for a clear channel.
    """

    message: bytes
    priority: int = 0
    use_cca: bool = True


@dataclass(frozen=True, slots=True)
class MacPassthrough:
    """A MAC frame that the stack does not handle, up to v13.

    Attributes:
        message_type: Which filter let it through.
        lqi: Link quality.
        rssi: dBm.
        message: The frame.
    """

    message_type: int
    lqi: int
    rssi: int
    message: bytes


@dataclass(frozen=True, slots=True)
class MacPassthroughPacket:
    """A MAC frame that the stack does not handle, since v14.

    Attributes:
        message_type: Which filter let it through.
        packet: How it arrived.
        message: The frame.
    """

    message_type: int
    packet: PacketInfo
    message: bytes


@dataclass(frozen=True, slots=True)
class PollForData:
    """Ask the parent regularly.

    Attributes:
        interval: How often, in units; 0: once.
        units: `identifiers.EventUnits`; INACTIVE: once.
        failure_limit: Failures after which the host is told; 0: it is told of every poll.
    """

    interval: int
    units: int
    failure_limit: int


@dataclass(frozen=True, slots=True)
class Polled:
    """A child has asked for what waits for it.

    Attributes:
        node_id: Its short address.
        transmit_expected: Something goes out (v13 and later).
    """

    node_id: int
    transmit_expected: bool = False


@dataclass(frozen=True, slots=True)
class MfglibStart:
    """Hand the radio to the test library; tell of received packets or only count them."""

    rx_callback: bool


@dataclass(frozen=True, slots=True)
class MfglibPower:
    """Transmit power of the test library.

    Attributes:
        mode: Bits of the power mode.
        power: dBm.
    """

    mode: int
    power: int


@dataclass(frozen=True, slots=True)
class MfglibReceived:
    """A packet that the test library heard.

    Attributes:
        lqi: Link quality.
        rssi: dBm.
        packet: MAC frame with its check (the last two octets).
    """

    lqi: int
    rssi: int
    packet: bytes
