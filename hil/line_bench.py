"""A bench whose devices are on lines, in real time: serial, TCP, loopback or recorded."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.faults import FaultError, parse, parse_clear
from emulator.core.ids import Eui64
from harness.benches.refusals import WithoutKeypad, fault_error, no_sim, not_restored
from harness.errors import BenchError, UsageError
from harness.meter import Credentials
from harness.ports import CapturedFrame, Clock, Hub, HubWan, MeterPort, Observation, Power
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import Setting
from hil.arming import ArmedGuard
from hil.asking import asker, tell
from hil.bench_faults import routes
from hil.bench_file import LoadedBench
from hil.bench_parts import BenchClock, NoHub, NotOpened
from hil.endpoints import EndpointKind
from hil.line_settings import loopback_eui64
from hil.lines import Line, LineOpener
from hil.mains import Mains
from hil.offers import lacking, words_of

#: Endpoint kinds, and what a bench is called that has one; the first that fits.
_KINDS: Final = (
    (EndpointKind.SERIAL, "real"),
    (EndpointKind.LOOPBACK, "loopback"),
    (EndpointKind.REPLAY, "replay"),
)


class HilBench(WithoutKeypad):
    """One bench in real time.

    Attributes:
        kind: ``real``, ``loopback`` or ``replay``.
        clock: Its time.
        hub: It has none: every use says so.
        power: Its mains.
        offers: Needs of scenarios beyond device types that it meets.
        loaded: Its file.
    """

    hands = "a code is entered at a real meter by a hand, not by a program"

    def __init__(self, loaded: LoadedBench, options: RunOptions) -> None:
        """Describe a bench; nothing is opened yet."""
        self.loaded = loaded
        self.kind = next(word for kind, word in _KINDS if loaded.of(kind))
        self.offers = words_of(loaded)
        time = BenchClock(_clock_factor(loaded))
        self.clock: Clock = time
        self.hub: Hub = NoHub()
        self._options = options
        self._lines: dict[DeviceType, Line] = {}
        self._opened = False
        guard = ArmedGuard(loaded, options.scenario, ask=asker())
        self._mains = Mains(loaded, self._lines, guard, time, tell)
        self.power: Power = self._mains
        children = routes(loaded, options).children
        self._opener = LineOpener(loaded, options, time, guard, tell, children)

    async def open(self) -> None:
        """Open the lines of the devices the scenario is about; all where it names none.

        A scenario that will be skipped, because the bench lacks something for it, opens nothing.

        Raises:
            BenchError: A port is not there, busy or locked; a child does not start; or a fault
                that the scenario brings along cannot be made here.
        """
        scenario = _scenario(self._options)
        needs = frozenset[str]() if scenario is None else scenario.needs
        if lacking(self.loaded, needs, self._options.devices):
            return
        nowhere = routes(self.loaded, self._options).nowhere
        if nowhere:
            raise BenchError(
                f"nobody on this bench can make the scenario's fault {nowhere[0]}",
                where=str(self.loaded.path),
                cause="faults are made by loopback children",
                next_command=f"smetsbench run {self._options.scenario}   (without --bench)",
            )
        self._opened = True
        for role in self.loaded.on_lines():
            if not self._options.devices or role in self._options.devices:
                self._lines[role] = await asyncio.to_thread(self._opener.open, role)

    # -- ports -----------------------------------------------------------------------------------

    def meter(self, role: str, way: str = "line") -> MeterPort:
        """Return the DLMS port of the bench's device of that role.

        Raises:
            BenchError: The bench has no such device, or no such way to it.
        """
        if way != "line":
            raise BenchError(
                f"the bench has no way {way!r} to its {role}",
                where=str(self.loaded.path),
                cause="a bench file leads to meters by their own line",
                next_command="smetsbench run ID   (without --bench: the emulated bench)",
            )
        if role in self.loaded.content.roles and not self._opened:
            return NotOpened(role)
        return self._line(role).port

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself to that device.

        Raises:
            BenchError: The bench knows none, or its secrets are not there.
        """
        return self._line(role).credentials(self.loaded, name)

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of a hub; a bench in real time has no say over SIMs.

        Raises:
            BenchError: Always.
        """
        cause = "a SIM on a bench in real time is moved by its network's people, not by a program"
        raise no_sim(role, cause, str(self.loaded.path))

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Return None: nobody can copy a real device; ask it through ``meter``.

        Raises:
            BenchError: The bench has no such device.
        """
        del credentials
        self._line(role)
        return None

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return None: nobody can look inside a real device.

        Raises:
            BenchError: The bench has no such device.
        """
        self._line(role)
        return None

    async def disturb(self, order: str) -> None:
        """Refuse: nothing of ours stands between this bench and its devices.

        Raises:
            UsageError: The order means nothing.
            BenchError: It means something, and cannot be done here.
        """
        try:
            if parse_clear(order) is None:
                parse(order)
        except FaultError as error:
            raise fault_error(error, order) from error
        raise BenchError(
            f"the links of this bench cannot be disturbed: {order}",
            where=str(self.loaded.path),
            cause="faults at run time are made where devices are emulated inside the run",
            next_command=f"smetsbench run {self._options.scenario}   (without --bench)",
        )

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that type.

        Raises:
            BenchError: The bench has none, or its file does not say who it is.
        """
        eui64 = self._eui64(device_type)
        if eui64 is None:
            raise BenchError(
                f"the bench has no {device_type} whose EUI-64 is known",
                where=f"{self.loaded.path}, roles.{device_type}.eui64",
                cause="the bench file does not say it",
                next_command=f"smetsbench bench probe {self.loaded.path}   (reads it)",
            )
        return eui64

    @property
    def profiles(self) -> Mapping[Eui64, DeviceProfile]:
        """Device -> the model it is, or should be."""
        lines = self._lines.values()
        return {line.eui64: line.profile for line in lines if line.eui64 is not None}

    def lines(self) -> Mapping[DeviceType, Line]:
        """Return the open lines; for the bench's own commands."""
        return self._lines

    # -- what it tells ---------------------------------------------------------------------------

    def take_observations(self) -> Sequence[Observation] | None:
        """Return None: nobody can look inside a device over its line."""
        return None

    def take_frames(self) -> Sequence[CapturedFrame]:
        """Return what crossed the lines since the last call, in order of time."""
        heard = [frame for line in self._lines.values() for frame in line.ears.take()]
        return sorted(heard, key=lambda frame: frame.at_us)

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return for each device what the bench file says of it, and where it is."""
        return {
            f"{role} {line.eui64 or '(EUI-64 unknown)'}": {
                "profile": line.profile.name,
                "endpoint": str(line.section.where),
                "address": line.address,
                **({"serial number": told} if (told := line.section.serial_number) else {}),
            }
            for role, line in self._lines.items()
        }

    def dump(self) -> bytes | None:
        """Return None: what a device remembers is its own."""
        return None

    def restore(self, state: bytes) -> None:
        """Refuse: a device in real time cannot be put back.

        Raises:
            BenchError: Always.
        """
        raise not_restored("a bench in real time", state, str(self.loaded.path))

    async def close(self) -> None:
        """Let go of every port, and end every child."""
        while self._lines:
            _role, line = self._lines.popitem()
            await asyncio.to_thread(line.close)
        await asyncio.to_thread(self._mains.close)

    def _eui64(self, role: str) -> Eui64 | None:
        if self._opened or role not in self.loaded.content.roles:
            return self._line(role).eui64
        section = self.loaded.content.roles[DeviceType(role)]
        if section.where.kind is EndpointKind.LOOPBACK:
            seed = self._options.seed if section.seed is None else section.seed
            return loopback_eui64(section, self.loaded.profiles[DeviceType(role)], seed)
        return None if section.eui64 is None else Eui64.parse(section.eui64)

    def _line(self, role: str) -> Line:
        line = self._lines.get(DeviceType(role)) if role in DeviceType.__members__ else None
        if line is None:
            here = ", ".join(self.loaded.content.roles)
            raise BenchError(
                f"the bench has no {role}",
                where=f"{self.loaded.path}, [roles]",
                cause=f"it has: {here}; what a scenario does not name is not opened",
                next_command=f"smetsbench scenarios --bench {self.loaded.path}",
            )
        return line


def _scenario(options: RunOptions) -> Scenario | None:
    try:
        return Setting().scenario(options.scenario)
    except UsageError:  # none, or one of somebody's own catalogue
        return None


def _clock_factor(loaded: LoadedBench) -> int:
    """Return how fast the bench's clock runs: as the fastest loopback child's; 1 with real ones."""
    children = loaded.of(EndpointKind.LOOPBACK)
    if len(children) < len(loaded.content.roles) or not children:
        return 1
    return max(section.clock_factor or 1 for section in children.values())
