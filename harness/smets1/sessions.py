"""Associations that a head end keeps open over the instructions of one phase of its work.

A head end that has a row of instructions for a device associates once, and releases the device when
the row is through. An association ends earlier when another one is wanted there, when keys are to
change, or when the device no longer answers in it: then the head end associates anew.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.meter import Credentials
from harness.ports import MeterPort


@dataclass(slots=True)
class Sessions:
    """What one party's head end has open, device by device; nothing outside a phase.

    A phase may lie inside a longer one: then what it leaves open is kept until that one's end. A
    phase is about some devices, or about all; phases of different devices know nothing of each
    other.
    """

    _phases: int = 0
    _phases_of: Counter[Eui64] = field(default_factory=Counter, repr=False)
    _open: dict[Eui64, tuple[MeterPort, Credentials]] = field(default_factory=dict, repr=False)

    def begin(self, devices: Collection[Eui64] | None = None) -> None:
        """Keep associations open from now on, until ``end``.

        Args:
            devices: With which; None: with all.
        """
        if devices is None:
            self._phases += 1
        else:
            self._phases_of.update(devices)

    async def end(self, devices: Collection[Eui64] | None = None) -> None:
        """Release the devices that are still held, each at the end of its longest phase.

        Args:
            devices: What ``begin`` was given.
        """
        if devices is None:
            self._phases -= 1
        else:
            self._phases_of.subtract(devices)
            self._phases_of = +self._phases_of
        held = self._open if devices is None else devices
        await self.release([one for one in held if not self._in_phase(one)])

    async def release(self, devices: Collection[Eui64] | None = None) -> None:
        """Release devices that are still held.

        Args:
            devices: Which; None: all.
        """
        wanted = [*self._open] if devices is None else devices
        held = [self._open.pop(one) for one in wanted if one in self._open]
        for port, _credentials in held:
            await port.release()

    def _in_phase(self, device: Eui64) -> bool:
        return self._phases > 0 or self._phases_of[device] > 0

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
        kept = self._in_phase(device)
        if kept:
            self._open[device] = (port, credentials)
        return kept


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
