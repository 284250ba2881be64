"""Associations that a head end keeps open over the instructions of one phase of its work.

A head end that has a row of instructions for a device associates once, and releases the device when
the row is through. An association ends earlier when another one is wanted there, when keys are to
change, or when the device no longer answers in it: then the head end associates anew.
"""

from dataclasses import dataclass, field
from typing import Final

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.meter import Credentials
from harness.ports import MeterPort


@dataclass(slots=True)
class Sessions:
    """What one party's head end has open, device by device; nothing outside a phase.

    A phase may lie inside a longer one: then what it leaves open is kept until that one's end.
    """

    _phases: int = 0
    _open: dict[Eui64, tuple[MeterPort, Credentials]] = field(default_factory=dict, repr=False)

    def begin(self) -> None:
        """Keep associations open from now on, until ``end``."""
        self._phases += 1

    async def end(self) -> None:
        """Release every device that is still held, at the end of the longest phase."""
        self._phases -= 1
        if not self._phases:
            await self.release()

    async def release(self) -> None:
        """Release every device that is still held."""
        held, self._open = self._open, {}
        for port, _credentials in held.values():
            await port.release()

    def of(self, device: Eui64) -> "Kept":
        """Return what is kept with one device."""
        return Kept(self, device)

    def forget(self, device: Eui64) -> None:
        """Note that whatever stood with a device is at its end."""
        self._open.pop(device, None)

    def stands(self, device: Eui64, credentials: Credentials) -> bool:
        """Say whether an association with just these credentials is open."""
        held = self._open.get(device)
        return held is not None and held[1] == credentials

    def keep(self, device: Eui64, port: MeterPort, credentials: Credentials) -> bool:
        """Keep an association that stands; says whether it is kept, else it is to be released."""
        if self._phases:
            self._open[device] = (port, credentials)
        return self._phases > 0


@quick
@dataclass(frozen=True, slots=True)
class Kept:
    """What a head end keeps open with one device.

    Attributes:
        sessions: Of all its devices.
        device: The device.
    """

    sessions: Sessions = field(repr=False)
    device: Eui64

    def stands(self, credentials: Credentials) -> bool:
        """Say whether an association with just these credentials is open."""
        return self.sessions.stands(self.device, credentials)

    def forget(self) -> None:
        """Note that whatever stood is at its end."""
        self.sessions.forget(self.device)

    def keep(self, port: MeterPort, credentials: Credentials) -> bool:
        """Keep an association that stands; says whether it is kept."""
        return self.sessions.keep(self.device, port, credentials)


#: What a head end has that keeps nothing open.
NOTHING_KEPT: Final = Kept(Sessions(), Eui64(bytes(8)))
