"""What faults are made of: an order as read, what it does, and what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass

from emulator.core.chance import Stream
from emulator.core.errors import EmulatorError
from emulator.core.fault_keys import KeyValue


class FaultError(EmulatorError):
    """A fault is written in a way that means nothing; the user can mend it."""


class FaultSyntaxError(FaultError):
    """The text is not ``NAME[:key=value,...]@LINK``."""


class UnknownFaultError(FaultError):
    """No fault has that name."""


class UnknownFaultKeyError(FaultError):
    """The fault does not know that key."""


class FaultValueError(FaultError):
    """The value of a key cannot be read, or a key that must be there is missing."""


class FaultLinkError(FaultError):
    """There is no such link, or the fault does not work on it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as ordered.

    Attributes:
        name: A name in ``FAULTS``.
        link: One of ``LINKS`` for frame faults, of ``ROLES`` for device faults, ``SIM``.
        keys: Keys as read, in the order given.
        text: The order as it was written, for journal and comments.
    """

    name: str
    link: str
    keys: tuple[tuple[str, KeyValue], ...]
    text: str

    def whole(self, key: str, default: int) -> int:
        """Return a whole-number key, or ``default``."""
        value = dict(self.keys).get(key, default)
        return int(value)

    def number(self, key: str) -> float | None:
        """Return a numeric key, or None when it was not given."""
        value = dict(self.keys).get(key)
        return None if value is None else float(value)

    def word(self, key: str) -> str:
        """Return a text key, or an empty text."""
        return str(dict(self.keys).get(key, ""))


@dataclass(frozen=True, slots=True)
class Copy:
    """A frame as it leaves a fault.

    Attributes:
        frame: Its octets, damaged or not.
        delay_us: Microseconds by which it is late.
    """

    frame: bytes
    delay_us: int = 0


@dataclass(frozen=True, slots=True)
class Hand:
    """What a frame fault works with.

    Attributes:
        draw: The fault's own stream of chance.
        check_bytes: Octets of check sequence at the tail of a frame of this link (0: none).
        seal: Puts the right check sequence behind a body.
    """

    draw: Stream
    check_bytes: int = 0
    seal: Callable[[bytes], bytes] = bytes


@dataclass(frozen=True, slots=True)
class PowerCut:
    """Take the supply from a device.

    Attributes:
        off_s: Seconds until it returns; 0 means never.
    """

    off_s: float


@dataclass(frozen=True, slots=True)
class BatteryAt:
    """Make a device's battery read this many days."""

    days: int


@dataclass(frozen=True, slots=True)
class Inject:
    """Put a fault inside a device.

    Attributes:
        word: The device's own word for it.
    """

    word: str


DeviceAct = PowerCut | BatteryAt | Inject


@dataclass(frozen=True, slots=True)
class Refusal:
    """The SIM stays where it is."""


@dataclass(frozen=True, slots=True)
class Late:
    """The hub is heard on the new network so long after the SIM moved.

    Attributes:
        seconds: From the order to the arrival of the hub's first contact.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Deaf:
    """The network does not let the hub attach."""


SimAct = Refusal | Late | Deaf
