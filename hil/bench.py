"""The bench of a bench file: loopback children, real ports or recordings behind the ports."""

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.faults import FaultError, parse, parse_clear
from emulator.core.ids import Eui64
from harness.bench_offer import Lack
from harness.benches import BENCHES
from harness.benches.refusals import WithoutKeypad, fault_error, no_sim
from harness.errors import BenchError, UsageError
from harness.meter import Credentials
from harness.ports import (
    Bench,
    CapturedFrame,
    Clock,
    Hub,
    HubWan,
    MeterPort,
    Observation,
    Power,
)
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import Setting, named
from hil import dongle_offers
from hil.arming import ArmedGuard
from hil.asking import asker, tell
from hil.bench_faults import own_faults, routes
from hil.bench_file import LoadedBench, load_bench
from hil.bench_parts import BenchClock, NoHub, NotOpened
from hil.endpoints import EndpointKind
from hil.held_time import HeldTimeLoop
from hil.home import HOME_WORLD, defects_of, foreign, in_home, ref_of
from hil.line_settings import loopback_eui64
from hil.lines import Line, LineOpener
from hil.mains import Mains
from hil.mixed_bench import MixedBench
from hil.offers import lacking, unmet, words_of
from hil.wired_port import HeldClock

_EMULATED: Final = "emulated"
#: What opens a bench with a dongle: bellows and zigpy are loaded for nothing else.
_WITH_DONGLE: Final = "hil.dongle_bench:open_bench"
#: Endpoint kinds, and what a bench is called that has one; the first that fits.
_KINDS: Final = (
    (EndpointKind.SERIAL, "real"),
    (EndpointKind.LOOPBACK, "loopback"),
    (EndpointKind.REPLAY, "replay"),
)


def new_event_loop(options: RunOptions | None = None) -> asyncio.AbstractEventLoop:
    """Return the loop a bench belongs in.

    One whose clock jumps where its devices are emulated; which holds still for devices on lines
    where there are such as well; an ordinary one where there are none but such.
    """
    loaded = None if options is None else _loaded(options)
    if options is None or loaded is None:
        return asyncio.new_event_loop()
    if loaded.content.dongles:
        return dongle_offers.new_event_loop(loaded)
    if loaded.is_emulated:
        loop: asyncio.AbstractEventLoop = _emulated_bench("new_event_loop")()
        return loop
    return HeldTimeLoop() if _is_home(loaded, options) else asyncio.new_event_loop()


def check(options: RunOptions) -> None:
    """Look at the choices of a run before anything is opened.

    Raises:
        UsageError: The bench file, a profile, a fault or a defect cannot be used.
    """
    loaded = _loaded(options)
    if loaded.content.dongles:
        _emulated_bench("check")(dongle_offers.of_home(loaded, options))
    elif loaded.is_emulated:
        _emulated_bench("check")(_of_emulated(options, loaded))
    elif _is_home(loaded, options):
        _emulated_bench("check")(in_home(loaded, options))
    else:
        routes(loaded, options)


def begins_anew(options: RunOptions) -> bool:
    """Say whether the devices of the bench remember nothing of an earlier process.

    So it is behind a loopback dongle: its program ends with the run that started it.

    Raises:
        UsageError: The bench file cannot be used.
    """
    found = _loaded(options).dongle
    return found is not None and not found[1].is_real


def lacks(options: RunOptions, scenario: Scenario) -> Sequence[Lack]:
    """Return what the bench lacks for a scenario, and what would unlock it; opens nothing.

    Raises:
        UsageError: The bench file cannot be used.
    """
    loaded = _loaded(options)
    if loaded.content.dongles:
        return dongle_offers.lacks(loaded, options, scenario)
    if loaded.is_mixed and scenario.world == HOME_WORLD:
        beside = [Lack(need, why) for need, why in unmet(loaded, scenario.needs).items()]
        return [*foreign(loaded, scenario.settings), *beside]
    return lacking(loaded, scenario.needs, scenario.devices)


async def open_bench(options: RunOptions) -> Bench:
    """Open what the scenario needs of a bench: start its children, open its ports.

    Raises:
        UsageError: The bench file is wrong.
        BenchError: A port is not there, busy or locked; a child does not start.
    """
    loaded = _loaded(options)
    if loaded.content.dongles:
        opened: Bench = await named(_WITH_DONGLE)(loaded, options, ask=asker())
        return opened
    if loaded.is_emulated:
        return await _opened(_of_emulated(options, loaded))
    bench: HilBench | MixedBench
    if _is_home(loaded, options):
        bench = _mixed(loaded, options, await _opened(in_home(loaded, options)))
    else:
        bench = HilBench(loaded, options)
    try:
        await bench.open()
    except BaseException:
        await bench.close()
        raise
    return bench


async def _opened(options: RunOptions) -> Bench:
    """Return the emulated bench of these options."""
    opened = _emulated_bench("open_bench")(options)
    bench: Bench = await opened if inspect.isawaitable(opened) else opened
    return bench


def _mixed(loaded: LoadedBench, options: RunOptions, home: Bench) -> MixedBench:
    guard, ref = ArmedGuard(loaded, options.scenario, ask=asker()), ref_of(options)

    def openers(clock: HeldClock) -> LineOpener:
        children = loaded.of(EndpointKind.LOOPBACK)
        faults = {role: own_faults(options, role, ref) for role in children}
        return LineOpener(
            loaded,
            options,
            clock,
            guard,
            tell,
            faults,
            eui64s={role: home.role(role) for role in children},
            defects={role: defects_of(options, role) for role in children},
        )

    strange = {one.need: one.unlock for one in foreign(loaded, options.settings)}
    return MixedBench(home, openers, guard, ref=ref, unlocks=strange)


def _is_home(loaded: LoadedBench, options: RunOptions) -> bool:
    """Say whether a run plays in an emulated home some of whose devices are on lines."""
    return loaded.is_mixed and options.world == HOME_WORLD


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
        raise BenchError(
            f"a bench in real time cannot be put back to a state of {len(state)} octets",
            where=str(self.loaded.path),
            cause="the run was begun on an emulated bench",
            next_command="smetsbench run (afresh) instead of resume",
        )

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


def _loaded(options: RunOptions) -> LoadedBench:
    if options.bench is None:
        raise UsageError("no bench file was given", where="--bench")
    return load_bench(options.bench, options.data)


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


def _emulated_bench(name: str) -> Any:
    return named(f"{BENCHES[_EMULATED].partition(':')[0]}:{name}")


def _of_emulated(options: RunOptions, loaded: LoadedBench) -> RunOptions:
    """Return the options of the emulated bench with the models of a bench file."""
    roles = loaded.of(EndpointKind.EMULATED)
    models = {
        **options.settings.get("profiles", {}),
        **{role.value: loaded.model(role) for role in roles},
    }
    eui64s = {role.value: one.eui64 for role, one in roles.items() if one.eui64 is not None}
    told = {**options.settings, "profiles": models, "eui64s": eui64s}
    return replace(options, bench=None, settings=told)
