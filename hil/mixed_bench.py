"""A bench whose home is emulated, but for the devices that stand on real lines."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.benches.refusals import no_keypad, not_restored
from harness.errors import BenchError
from harness.meter import Credentials
from harness.ports import (
    Bench,
    CapturedFrame,
    HubWan,
    KeypadAnswer,
    MeterPort,
    Observation,
    Power,
)
from hil.bench_faults import for_child
from hil.endpoints import EndpointKind
from hil.guard_port import Guard
from hil.lines import Line, LineOpener
from hil.mains import Mains
from hil.offers import home_words
from hil.wired_port import HeldClock, Open, WanGate, Wire, WiredPort

#: Way of a device's own line.
_LINE: Final = "line"

#: Makes what opens lines, given the time of the home.
Openers = Callable[[HeldClock], LineOpener]


class MixedPower:
    """The mains of a home some of whose devices stand on lines."""

    def __init__(self, home: Bench, wires: Mapping[DeviceType, Wire], mains: Mains) -> None:
        """Take the home, the lines in it, and the mains of real devices."""
        self._home = home
        self._wires = wires
        self._mains = mains

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds, and return when it is back.

        Raises:
            UsageError: ``off_s`` is not more than 0; or it is a real device and the guard refuses.
            BenchError: The bench has no such device, or no relay for it.
        """
        wire = next((one for one in self._wires.values() if one.line.eui64 == device), None)
        if wire is None:
            await self._home.power.cycle(device, off_s)
        elif wire.line.child is None:
            await self._mains.cycle(device, off_s)
        else:
            wire.put_forward()
            await asyncio.to_thread(wire.line.child.ask, f"power-cut {off_s:g}")
            await self._home.power.cycle(device, off_s)
            wire.put_forward()


class MixedBench:
    """One emulated home with devices of it on real lines.

    The emulated home is whole: it has a twin of each device that stands on a line. The twin answers
    the hub, so that its log and the ways through it are as they should be; whoever speaks DLMS to
    the device speaks to the one on the line. Time is the home's (``hil.held_time``); the clock of
    a loopback child is put forward with it, that of a real device is its own.

    Attributes:
        kind: ``real`` where a real device is among them, else ``loopback``.
        clock: The time of the home.
        hub: The hub of the home.
        power: Its mains.
        offers: Needs of scenarios beyond device types that it meets.
        skips_refused: That a step which the guard of a real device refuses is SKIPPED with the
            reason, and what rests on it as well.
        unlocks: Device types that are not the scenario's -> what would be.
        profiles: Device -> its model.
    """

    skips_refused = True

    def __init__(
        self,
        home: Bench,
        openers: Openers,
        guard: Guard,
        *,
        ref: str = "",
        unlocks: Mapping[str, str] | None = None,
    ) -> None:
        """Take a built home and what opens lines; no line is opened yet.

        Args:
            home: The home.
            openers: Makes what opens its lines.
            guard: Who is asked before a real device's mains are switched.
            ref: What the home is called, where there are several on the bench.
            unlocks: Device types that are not the scenario's -> what would be; with any such
                nothing is opened, and the bench has no such device.
        """
        self.unlocks = unlocks or {}
        self._home = home
        self._ref = ref
        self._clock = HeldClock(home)
        self._opener = openers(self._clock)
        self.loaded = self._opener.loaded
        self.kind = "real" if self.loaded.of(EndpointKind.SERIAL) else "loopback"
        self.offers = home_words(self.loaded)
        self.clock, self.hub = home.clock, home.hub
        self._wires: dict[DeviceType, Wire] = {}
        self._lines: dict[DeviceType, Line] = {}
        self._ports: dict[tuple[DeviceType, str], WiredPort] = {}
        self._mains = Mains(self.loaded, self._lines, guard, self._clock, self._opener.tell)
        self.power: Power = MixedPower(home, self._wires, self._mains)

    async def open(self) -> None:
        """Open the lines.

        Raises:
            BenchError: A port is not there, busy or locked; a child does not start.
        """
        if self.unlocks:
            return
        self._clock.update()
        for role in self.loaded.on_lines():
            line = await asyncio.to_thread(self._opener.open, role)
            self._lines[role] = line
            self._wires[role] = Wire(line, self._clock)

    @property
    def profiles(self) -> Mapping[Eui64, DeviceProfile]:
        """Device -> the model it is, or should be."""
        known: Mapping[Eui64, DeviceProfile] = getattr(self._home, "profiles", {})
        lines = self._lines.values()
        own = {line.eui64: line.profile for line in lines if line.eui64 is not None}
        return {**known, **own}

    # -- ports -----------------------------------------------------------------------------------

    def meter(self, role: str, way: str = _LINE) -> MeterPort:
        """Return the DLMS port of a device of the home; for one on a line that line.

        Raises:
            BenchError: The bench has no such device, or no such way to it.
        """
        wire = self._wire(role)
        if wire is None:
            return self._home.meter(role, way)
        if way != _LINE:
            self._home.meter(role, way)  # says so where there is no such way
        known = self._ports.get((wire.line.role, way))
        if known is None:
            gate = Open() if way == _LINE else WanGate(self._home, role, way)
            known = self._ports[wire.line.role, way] = WiredPort(wire, gate, way)
        return known

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of the home's hub.

        Raises:
            BenchError: The bench has no such hub.
        """
        return self._home.hub_wan(role)

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate with these credentials.

        A device on a line is asked by a real association, which its event log may show; None for
        a real device: it is for the scenario to ask one.

        Raises:
            BenchError: The bench has no such device, or its line is lost.
        """
        wire = self._wire(role)
        if wire is None:
            return self._home.opens_to(role, credentials)
        return None if wire.line.child is None else wire.opens_to(credentials)

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device of the home remembers; None for one on a line.

        Raises:
            BenchError: The bench has no such device.
        """
        return self._home.memory(role) if self._wire(role) is None else None

    async def disturb(self, order: str) -> None:
        """Put one more fault into force from now on, in the home and in the child it concerns.

        Raises:
            UsageError: The order means nothing.
            BenchError: A child refuses it.
        """
        await self._home.disturb(order)
        await self.disturb_lines(order)

    async def disturb_lines(self, order: str) -> None:
        """Put a fault into force in the children it concerns; what is in force in the home stays.

        Raises:
            UsageError: The order means nothing.
            BenchError: A child refuses it.
        """
        for wire in self._wires.values():
            if wire.line.child is not None and for_child(order, wire.line.role, self._ref):
                wire.put_forward()
                await asyncio.to_thread(wire.line.child.ask, f"disturb {order}")

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Enter a top-up code at the keypad of a meter of the home.

        Raises:
            BenchError: The meter is on a line: no hand of ours is at its keypad.
        """
        if self._wire(role) is not None:
            raise no_keypad(role, "it is on a line, and nobody is at its keypad")
        return await self._home.key_in(role, digits)

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself to that device.

        Raises:
            BenchError: The bench knows none, or its secrets are not there.
        """
        wire = self._wire(role)
        if wire is None:
            return self._home.credentials(role, name)
        return wire.line.credentials(self.loaded, name)

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that role string.

        Raises:
            BenchError: The bench has none, or another than the scenario is about.
        """
        if device_type in self.unlocks:
            raise BenchError(
                f"the bench has another {device_type} than the scenario is about",
                where=str(self.loaded.path),
                cause=f"it takes {self.unlocks[device_type]}",
                next_command=f"smetsbench scenarios --bench {self.loaded.path}",
            )
        return self._home.role(device_type)

    def lines(self) -> Mapping[DeviceType, Line]:
        """Return the open lines; for tests and the bench's own commands."""
        return self._lines

    # -- what it tells ---------------------------------------------------------------------------

    def take_observations(self) -> Sequence[Observation] | None:
        """Return what was seen inside the emulated devices; nobody looks into those on lines."""
        seen = self._home.take_observations()
        hidden = {line.eui64 for line in self._lines.values()}
        return None if seen is None else [one for one in seen if one.device not in hidden]

    def take_frames(self) -> Sequence[CapturedFrame]:
        """Return what crossed links and lines since the last call, in order of time."""
        heard = [frame for line in self._lines.values() for frame in line.ears.take()]
        return sorted([*self._home.take_frames(), *heard], key=lambda frame: frame.at_us)

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state; for those on lines what the bench file says of them."""
        rows = dict(self._home.describe())
        for role, line in self._lines.items():
            rows[f"{role} {line.eui64}"] = {
                "profile": line.profile.name,
                "endpoint": str(line.section.where),
                "address": line.address,
            }
        return rows

    def dump(self) -> bytes | None:
        """Return None: what a device on a line remembers is its own."""
        return None

    def restore(self, state: bytes) -> None:
        """Refuse: a device on a line cannot be put back.

        Raises:
            BenchError: Always.
        """
        raise not_restored("a bench with real lines", state, str(self.loaded.path))

    def save_children(self) -> list[DeviceType]:
        """Have every child write down what it remembers now; returns who they are.

        Raises:
            BenchError: A child ended, or has no file.
        """
        children = [one for one in self._wires.values() if one.line.child is not None]
        for wire in children:
            wire.save()
        return [wire.line.role for wire in children]

    async def close(self) -> None:
        """Let go of every port, end every child, and stop the home."""
        await self.close_lines()
        await self._home.close()

    async def close_lines(self) -> None:
        """Let go of every port, and end every child."""
        self._wires.clear()
        while self._lines:
            _role, line = self._lines.popitem()
            await asyncio.to_thread(line.close)
        await asyncio.to_thread(self._mains.close)

    def _wire(self, role: str) -> Wire | None:
        name, _of, ref = role.partition("@")
        if ref not in {"", self._ref} or name not in DeviceType.__members__:
            return None
        return self._wires.get(DeviceType(name))
