"""What a device may ask of the world: values that ``handle`` returns and the runtime performs."""

import enum
from dataclasses import dataclass, field

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick

Value = str | int | bool | bytes | None


@quick
@dataclass(frozen=True, slots=True)
class SendGbcs:
    """Put one GBCS message into the HAN tunnel between the CHF and a device.

    Attributes:
        message: The whole message, with its MAC envelope where it has one.
        to: EUI-64 of the other end: the CHF for a device, the device for the CHF.
    """

    message: bytes
    to: Eui64


@quick
@dataclass(frozen=True, slots=True)
class SendWan:
    """Send one GBCS message onto the SM WAN (the CHF alone does)."""

    message: bytes


@quick
@dataclass(frozen=True, slots=True)
class SendZcl:
    """Send one ZCL frame to a node of the HAN.

    Attributes:
        to: EUI-64 of the destination (CHF and GPF share a node but not an EUI-64).
        cluster: Cluster identifier, e.g. 0x0019.
        frame: The ZCL frame, header included.
        source: EUI-64 it comes from where a node holds two (CHF, GPF); None: the node's own.
    """

    to: Eui64
    cluster: int
    frame: bytes
    source: Eui64 | None = None


@dataclass(frozen=True, slots=True)
class SendCsp:
    """Send one frame of the stand-in image-transfer link (CHF towards the CSP)."""

    frame: bytes


@quick
@dataclass(frozen=True, slots=True)
class DlmsChannel:
    """One client's way to one logical device of a DLMS server.

    Attributes:
        line: Name of the link: ``optical``, ``tcp:3`` (one connection), ``wan``, ``han``.
        client: The client's service access point, e.g. 16 for the public client.
        server: The logical device's service access point, e.g. 1.
    """

    line: str
    client: int
    server: int


@quick
@dataclass(frozen=True, slots=True)
class SendDlms:
    """Answer a client with one DLMS APDU (or tell it something unasked).

    Attributes:
        channel: Whom.
        apdu: The APDU, protection included, without LLC, HDLC or wrapper.
    """

    channel: DlmsChannel
    apdu: bytes


@dataclass(frozen=True, slots=True)
class CloseDlms:
    """Drop a client's link (``None``: every client's), as a restarting meter does."""

    channel: DlmsChannel | None = None


@quick
@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ask for a TIMER event of this name at ``at``; replaces a running timer of that name."""

    name: str
    at: UtcMs


@quick
@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of this name, if it runs."""

    name: str


@quick
@dataclass(frozen=True, slots=True)
class Radio:
    """Switch the node's receiver on or off (a sleepy device's wake window)."""

    awake: bool


@quick
@dataclass(frozen=True, slots=True)
class Note:
    """A fact for the audit trail: state changes, refusals, discards.

    Attributes:
        kind: A word of ``docs/architecture.md``, e.g. ``ota_state``, ``message_refused``.
        fields: Names and values, in the order to print them.
    """

    kind: str
    fields: tuple[tuple[str, Value], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class SeekNetwork:
    """Ask the mobile network to let the hub attach; its answer is a NETWORK event, or none."""


@dataclass(frozen=True, slots=True)
class BrownOut:
    """The supply gives way under the device (a fault that was put into it).

    Attributes:
        off_s: Seconds until it returns; 0 means never.
    """

    off_s: float


Effect = (
    SendGbcs
    | SendWan
    | SendZcl
    | SendCsp
    | SendDlms
    | CloseDlms
    | SetTimer
    | CancelTimer
    | Radio
    | Note
    | SeekNetwork
    | BrownOut
)


class DeviceEvent(enum.StrEnum):
    """What can happen to a device."""

    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    TIMER = "timer"
    GBCS = "gbcs"  # a GBCS message out of the HAN tunnel
    WAN = "wan"  # a GBCS message from the SM WAN (CHF alone)
    ZCL = "zcl"
    CSP = "csp"  # a frame of the stand-in image-transfer link (CHF alone)
    DLMS = "dlms"  # an APDU of a DLMS client (SMETS1 devices)
    DLMS_GONE = "dlms_gone"  # a DLMS client's link ended
    NETWORK = "network"  # the mobile network has let a SMETS1 hub attach, or has lost it


@quick
@dataclass(frozen=True, slots=True)
class ZclIndication:
    """A ZCL frame that arrived: payload of the ZCL event.

    Attributes:
        source: EUI-64 of the sender.
        destination: EUI-64 it was sent to (tells CHF from GPF).
        cluster: Cluster identifier.
        frame: The ZCL frame, header included.
    """

    source: Eui64
    destination: Eui64
    cluster: int
    frame: bytes


@quick
@dataclass(frozen=True, slots=True)
class DlmsIndication:
    """A DLMS APDU that arrived: payload of the DLMS event.

    Attributes:
        channel: Whose.
        apdu: The APDU, protection included, without LLC, HDLC or wrapper.
    """

    channel: DlmsChannel
    apdu: bytes


#: TIMER carries the timer's name; GBCS, WAN, CSP the octets; ZCL a ZclIndication; DLMS a
#: DlmsIndication; DLMS_GONE a DlmsChannel; NETWORK the party whose network it is, empty for none;
#: power nothing.
Payload = str | bytes | ZclIndication | DlmsIndication | DlmsChannel | None
