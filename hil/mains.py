"""The mains of a bench's devices: children are told, real devices hang on a relay."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.errors import BenchError, UsageError
from hil.bench_file import LoadedBench
from hil.bench_parts import BenchClock
from hil.bench_side_sections import PowerSection
from hil.drivers.power import Relay, RelayPower
from hil.endpoints import Endpoint
from hil.guard_port import Guard
from hil.lines import Line
from hil.reopen import Reopener
from hil.serial_port import SerialPort

#: What a child is given beyond the time itself to hear of the cut and to be back, in real seconds.
_START_S: Final = 0.25


class Mains:
    """Takes power from a device and gives it back."""

    def __init__(
        self,
        loaded: LoadedBench,
        lines: Mapping[DeviceType, Line],
        guard: Guard,
        clock: BenchClock,
        tell: Callable[[str], None],
    ) -> None:
        """Describe it; a relay's port is opened when it is first needed."""
        self._loaded = loaded
        self._lines = lines
        self._guard = guard
        self._clock = clock
        self._tell = tell
        self._relay: Relay | None = None

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds, and return when it is back.

        Raises:
            UsageError: ``off_s`` is not more than 0; or it is a real device and the guard refuses.
            BenchError: The bench has no such device, no relay, or a relay that does not obey.
        """
        if off_s <= 0:
            raise UsageError(f"power cannot go for {off_s:g} seconds", where=f"device {device}")
        line = next((one for one in self._lines.values() if one.eui64 == device), None)
        if line is None:
            here = ", ".join(f"{one.role} {one.eui64}" for one in self._lines.values())
            raise BenchError(
                f"the bench has no device {device}",
                where=str(self._loaded.path),
                cause=f"it has: {here or 'none open'}",
                next_command=f"smetsbench bench check {self._loaded.path}",
            )
        if line.child is not None:
            await asyncio.to_thread(line.child.ask, f"power-cut {off_s:g}")
            dark_ms = round((off_s + _START_S * self._clock.factor) * 1000)
            await self._clock.sleep_until(UtcMs(self._clock.now() + dark_ms))
            return
        section = self._loaded.content.power
        if section is None or section.role not in {None, line.role}:
            raise _no_relay(device, off_s)
        if self._relay is None:
            self._relay = await asyncio.to_thread(self._open, section)
        await RelayPower(self._relay, self._guard).cycle(device, off_s)

    def close(self) -> None:
        """Let go of the relay's port, where it was opened; the relay stays as it stands."""
        if self._relay is not None:
            self._relay.close()
            self._relay = None

    def _open(self, section: PowerSection) -> Relay:
        url = Endpoint.parse(section.endpoint).target

        def opener() -> SerialPort:
            return SerialPort.open(url, section.baud)

        reopener = Reopener("power", opener, self._loaded.content.bench.reopen_s, self._tell)
        return Relay(reopener.once(), section.settings, reopener)


def _no_relay(device: Eui64, off_s: float) -> BenchError:
    return BenchError(
        f"the mains of {device} cannot be switched from here for {off_s:g} s",
        where="bench file, [power]",
        cause="the bench has no relay; loopback devices need none",
        next_command="describe a relay in [power], or run this scenario on a loopback bench",
    )
