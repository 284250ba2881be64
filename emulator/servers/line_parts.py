"""What a meter's line puts out, and what it needs of its device."""

import enum
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from device_profiles.schema import DeviceProfile
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, DeviceEvent, Effect, Payload, SendDlms


class Framing(enum.StrEnum):
    """How APDUs travel on a line."""

    OPTICAL = "optical"  # sign-on where the profile has one, then HDLC
    HDLC = "hdlc"  # HDLC at once (TCP-HDLC)
    WRAPPER = "wrapper"  # the DLMS wrapper for TCP


@dataclass(frozen=True, slots=True)
class Transmit:
    """Put one frame or message on the line.

    Attributes:
        octets: As an 8N1 line carries them (a parity bit of seven-bit octets included).
        baud: Bits a second; None where the line has no speed of its own (TCP).
        reaction_ms: Shortest time from the last octet heard to the first octet of this.
    """

    octets: bytes
    baud: int | None
    reaction_ms: int = 0


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Listen at this speed from now on (after what was to be transmitted)."""

    baud: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection; a line without connections has nothing to close."""

    why: str


#: Effects of the device that are not an answer on this line are passed on, in order.
LineOutput = Transmit | SetSpeed | HangUp | Effect


class MeterDevice(Protocol):
    """What a line needs of its device."""

    @property
    def profile(self) -> DeviceProfile:
        """The device's model."""
        ...

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order."""
        ...


@runtime_checkable
class ReadsOut(Protocol):
    """A device that may have a mode C read-out."""

    def read_out(self, now: UtcMs) -> str | None:
        """Return the data block as it is now (data sets and line ends), or None for none."""
        ...


def block_of(device: object, now: UtcMs) -> str | None:
    """Return the data block of a device as it is now, or None for one that has none."""
    return device.read_out(now) if isinstance(device, ReadsOut) else None


class LinePort(Protocol):
    """One framing of a line: octets in, outputs out; no I/O, no clock."""

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, or None."""
        ...

    @property
    def kept_bytes(self) -> int:
        """Octets of an unfinished frame, which ``silence`` would give up."""
        ...

    @property
    def baud(self) -> int | None:
        """Speed it listens at; None where the line has none."""
        ...

    def begin(self, now: UtcMs) -> None:
        """Note that the line is there (a connection was made, power came)."""
        ...

    def receive(self, octets: bytes, now: UtcMs) -> list[LineOutput]:
        """Take octets of the line."""
        ...

    def silence(self, now: UtcMs) -> list[LineOutput]:
        """Note that the line was silent for an inter-octet time-out."""
        ...

    def expire(self, now: UtcMs) -> list[LineOutput]:
        """Note that time has passed."""
        ...

    def close(self, order: CloseDlms, now: UtcMs) -> list[LineOutput]:
        """Drop links as the device orders, without a word on an HDLC line."""
        ...

    def tell(self, order: SendDlms) -> list[LineOutput]:
        """Tell a client something unasked."""
        ...

    def lost(self, now: UtcMs) -> list[LineOutput]:
        """Note that the connection is gone; the device is told of every link."""
        ...

    def reset(self) -> None:
        """Forget everything, as a power loss does; the device is not told."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        ...

    def load(self, state: Any, path: str) -> None:
        """Take over a ``dump``."""
        ...
