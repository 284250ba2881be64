"""What a device may ask of the world: values that ``handle`` returns and the runtime performs."""

import enum
from dataclasses import dataclass, field

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64

Value = str | int | bool | bytes | None


@dataclass(frozen=True, slots=True)
class SendGbcs:
    """Put one GBCS message into the HAN tunnel between the CHF and a device.

    Attributes:
        message: The whole message, with its MAC envelope where it has one.
        to: EUI-64 of the other end: the CHF for a device, the device for the CHF.
    """

    message: bytes
    to: Eui64


@dataclass(frozen=True, slots=True)
class SendWan:
    """Send one GBCS message onto the SM WAN (the CHF alone does)."""

    message: bytes


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


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ask for a TIMER event of this name at ``at``; replaces a running timer of that name."""

    name: str
    at: UtcMs


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of this name, if it runs."""

    name: str


@dataclass(frozen=True, slots=True)
class Radio:
    """Switch the node's receiver on or off (a sleepy device's wake window)."""

    awake: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A fact for the audit trail: state changes, refusals, discards.

    Attributes:
        kind: A word of ``docs/architecture.md``, e.g. ``ota_state``, ``message_refused``.
        fields: Names and values, in the order to print them.
    """

    kind: str
    fields: tuple[tuple[str, Value], ...] = field(default=())


Effect = SendGbcs | SendWan | SendZcl | SendCsp | SetTimer | CancelTimer | Radio | Note


class DeviceEvent(enum.StrEnum):
    """What can happen to a device."""

    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    TIMER = "timer"
    GBCS = "gbcs"  # a GBCS message out of the HAN tunnel
    WAN = "wan"  # a GBCS message from the SM WAN (CHF alone)
    ZCL = "zcl"
    CSP = "csp"  # a frame of the stand-in image-transfer link (CHF alone)


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


#: TIMER carries the timer's name; GBCS, WAN, CSP the octets; ZCL a ZclIndication; power nothing.
Payload = str | bytes | ZclIndication | None
