"""A bench whose hub is emulated and speaks by a Zigbee dongle: loopback, or a real one."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from device_profiles.installation import Installation
from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.benches.emulated_outlet_bench import Behind, OutletBench, outlet_bench
from harness.benches.emulated_smets1_outlet import Smets1OutletBench, smets1_outlet_bench
from harness.errors import HarnessError, NotPermittedError, UsageError
from harness.han_ports import HanHub
from harness.run_options import RunOptions
from harness.setting import named
from hil import locks, wall_clock
from hil.arming import ArmedGuard
from hil.bench_file import LoadedBench
from hil.dongle_child import DongleChild
from hil.dongle_codes import link_keys, refuse_without_code
from hil.dongle_guard import GuardedHub, permit_joining
from hil.dongle_offers import HUB_ROLES, SMETS1_WORLD, elsewhere, home_of, of_home
from hil.dongle_parts import credentials_of, hub_endpoints, line_of
from hil.dongle_place import Around, Place, place_of
from hil.dongle_sections import DongleSection
from hil.dongle_transcript import about_of, of_run
from hil.drivers.zigbee_hub import DongleHub
from hil.rehearsal import too_long
from hil.tap import Tap, Taps
from hil.zigbee.errors import DongleLostError, DongleMissingError
from hil.zigbee.guard import Role
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.replay import Difference, different
from hil.zigbee.transcript import DongleTranscript

_OPEN: Final = "open"
#: Between two attempts to open a dongle that is away, seconds. Source: invented.
_AGAIN_S: Final = 1.0
#: What sorts out which defects devices can have; devices themselves are not for us to see.
_DEFECTS_BEHIND: Final = "harness.cli.dongle_choices:defects_behind"


class OnDongle:
    """What a home has that stands around a dongle.

    Attributes:
        loaded: Its file; set by ``made``, as ``name`` and ``section`` are.
        place: Where the dongle is reached, once it is open.
        transcript: What is said on its line, where there is a run folder for it.
        held: Locks on the dongle.
        skips_refused: That a step which the guard of a real device refuses is SKIPPED.
        name: What the dongle is called.
        section: What the file says of it.
        generation: Of its home.
    """

    loaded: LoadedBench
    held: contextlib.ExitStack
    place: Place | None = None
    transcript: DongleTranscript | None = None
    skips_refused: bool = False
    name: str
    section: DongleSection

    generation: ClassVar[SmetsVersion] = SmetsVersion.SMETS2

    def of_dongle(self, kind: str) -> dict[str, Mapping[str, str]]:
        """Return what the dongle is."""
        row = {
            "bench": kind,
            "endpoint": str(self.section.where),
            "clock factor": f"{self.section.factor}",
            "EZSP": ", ".join(map(str, self.section.ezsp)),
            "CBKE by": self.section.cbke,
        }
        return {f"dongle {self.name}": row}

    async def let_go(self) -> None:
        """Give the port free, and end the program where the dongle is one of ours."""
        self.held.close()
        place, self.place = self.place, None
        if place is not None:
            await asyncio.to_thread(place.close)
        transcript, self.transcript = self.transcript, None
        if transcript is not None:
            transcript.finish()

    @property
    def child(self) -> DongleChild | None:
        """The program that is the dongle, where it is one of ours."""
        return None if self.place is None else self.place.child

    async def cut_power(self, device: Eui64, off_s: float) -> None:
        """Take the supply from a device behind a loopback dongle; it comes back by itself.

        Args:
            device: The device.
            off_s: How long it has none, in seconds of the devices' clock.

        Raises:
            ChildFailedError: The program has ended, or refuses.
        """
        if self.child is not None:
            order = f"power-cut {device} {off_s:g}"
            await asyncio.to_thread(self.child.child.ask, order)


class DongleBench(OnDongle, OutletBench):
    """A home whose hub is emulated here and whose devices stand behind a dongle."""

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state, and what the dongle is."""
        return {**super().describe(), **self.of_dongle(self.kind)}

    async def close(self) -> None:
        """Close the line of the dongle, and end the program where it is one of ours."""
        await super().close()
        await self.let_go()


class Smets1DongleBench(OnDongle, Smets1OutletBench):
    """A SMETS1 home whose hub is emulated here, with devices behind a dongle."""

    generation = SmetsVersion.SMETS1

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state, and what the dongle is."""
        return {**super().describe(), **self.of_dongle(self.kind)}

    async def close(self) -> None:
        """Close the line of the dongle, and end the program where it is one of ours."""
        await super().close()
        await self.let_go()


#: A bench with a dongle, of either generation.
AnyDongleBench = DongleBench | Smets1DongleBench


async def open_bench(
    loaded: LoadedBench,
    options: RunOptions,
    tap: Tap | None = None,
    ask: Callable[[str], str] | None = None,
) -> AnyDongleBench:
    """Open what a scenario plays in: dongle, network, devices.

    A scenario that takes too long at the clock factor of a loopback dongle opens nothing.

    Args:
        loaded: The bench file.
        options: The choices of the run.
        tap: Who hears every octet of the dongle's line.
        ask: Has a person type a word; None: nobody is there to ask.

    Raises:
        UsageError: The bench file, installation, a profile, a fault or a defect cannot be used.
        BenchError: The child does not start, the dongle is not there or unfit, or a device does
            not join.
    """
    bench, home = made(loaded, options)
    section = bench.section
    if section.is_real:
        name = locks.port_name(section.where.target)
        bench.held.enter_context(locks.acquire(name, loaded.content.bench.operator))
    if section.is_real:
        guard = ArmedGuard(loaded, options.scenario, ask=ask)
        bench.hub = GuardedHub(bench.hub, guard, bench.hidden)
        bench.skips_refused = True
        try:
            permit_joining(guard, bench.hidden)
        except NotPermittedError as refused:
            bench.refusal = f"{refused.what} (next: {refused.next_command})"
            return bench
    elif options.scenario:
        played = replace(options, settings={})
        bench.refusal = await asyncio.to_thread(too_long, played, section.factor)
        if bench.refusal:
            return bench
    own = of_home(loaded, options)
    try:
        taps = _listened(bench, options, tap)
        begun = bench.clock.now(), wall_clock.now()
        place = bench.place = await asyncio.to_thread(_placed, bench, home, own, begun)
        if section.is_loopback:
            bench.mains.switch = bench.cut_power
        bench.begin()
        await bench.admit(await _hub(bench, own.seed, place.path, taps), section.channel)
    except HarnessError as error:
        cause = error if bench.place is None else bench.place.cause_of(error)
        await bench.close()
        raise cause from (None if cause is error else error)
    except BaseException:
        await bench.close()
        raise
    return bench


def _listened(bench: AnyDongleBench, options: RunOptions, tap: Tap | None) -> Tap | None:
    """Return who hears the line of the dongle: the run folder's transcript, and another tap."""
    if options.folder is None:
        return tap
    about = about_of(bench.name, bench.section, bench.loaded.content.bench.name, options.seed)
    secrets = [key for key in bench.radio.behind.link_keys.values() if key is not None]
    transcript = of_run(options.folder, about, secrets, clear=bench.section.keep_keys)
    bench.transcript = transcript
    return transcript if tap is None else Taps((transcript, tap))


def _placed(
    bench: AnyDongleBench, home: Installation, own: RunOptions, begun: tuple[UtcMs, UtcMs]
) -> Place:
    """Start a dongle that is ours; one that is recorded breaks the bench when it is asked more.

    Args:
        bench: The bench.
        home: Its home.
        own: Options of the emulated part of it.
        begun: What the home's clock showed, and the wall's at that moment.
    """

    def around() -> Around:
        since = ("--since", iso(begun[1]))
        return Around(home, own, begun[0], (*since, *ordered_behind(bench, home, own)))

    def told(found: Difference) -> None:
        bench.radio.break_off(different(found, f"dongle {bench.name} ({bench.section.where})"))

    return place_of(bench.loaded.path, bench.section, around, told)


def made(loaded: LoadedBench, options: RunOptions) -> tuple[AnyDongleBench, Installation]:
    """Build the emulated part of the bench; nothing is opened. Returns it with its home.

    Raises:
        UsageError: The bench file, installation, a profile, a fault or a defect cannot be used.
    """
    found = loaded.dongle
    if found is None or found[1].role is not Role.HUB:
        raise UsageError(
            "no scenario is played on this bench: it has no dongle that is a hub",
            where=f"{loaded.path}, [dongles]",
            cause="a node waits for its hub's commands, and an observer only listens",
            next_command=f"smetsbench scenarios --bench {loaded.path}",
        )
    own, home = of_home(loaded, options), home_of(loaded, options)
    behind = _behind(loaded, home, own.seed)
    bench: AnyDongleBench
    if options.world == SMETS1_WORLD:
        bench = smets1_outlet_bench(home, own, behind, Smets1DongleBench)
    else:
        bench = outlet_bench(own, behind, DongleBench)
    bench.loaded, (bench.name, bench.section) = loaded, found
    bench.held = contextlib.ExitStack()
    return bench, home


def _behind(loaded: LoadedBench, home: Installation, seed: int) -> Behind:
    """Return who stands behind the dongle.

    Raises:
        UsageError: An install code is not where the file says.
    """
    found = loaded.dongle
    if found is None:
        raise LookupError(f"{loaded.path}: no dongle")
    name, section = found
    devices = elsewhere(loaded, home)
    keys = link_keys(loaded, home, seed, loopback=not section.is_real)
    if section.is_real:
        for one in home.devices:
            if one.role in devices:
                refuse_without_code(loaded, keys, Eui64.parse(one.eui64))
    is_open = section.join == _OPEN
    return Behind(
        devices,
        "real" if section.is_real else section.where.kind.value,
        f"dongle {name} ({section.where})",
        float(section.factor),
        {} if is_open else {**keys},
        keyed=not is_open and section.cbke != "none",
    )


def ordered_behind(
    bench: AnyDongleBench, home: Installation, options: RunOptions
) -> tuple[str, ...]:
    """Return the words that say who is behind a loopback dongle, and what is wrong with them."""
    behind = bench.radio.behind.devices
    away = [
        ("--without", role.value)
        for role in sorted({one.role for one in home.devices} - behind - HUB_ROLES)
    ]
    faults = [text for text in options.faults if bench.radio.is_behind(text)]
    asked = [*options.defects, *options.settings.get("defects", ())]
    defects = named(_DEFECTS_BEHIND)(behind, bench.generation, asked)
    words = [("--fault", text) for text in faults] + [("--defect", name) for name in defects]
    return tuple(word for pair in (*away, *words) for word in pair)


async def _hub(bench: AnyDongleBench, seed: int, path: str, tap: Tap | None) -> HanHub:
    section = bench.section
    nobody = section.cbke == "none" or section.join == _OPEN
    cbke: Any = None if nobody else section.cbke
    settings = HubSettings(
        line_of(bench.name, section, path),
        hub_endpoints(bench.profiles[bench.role(DeviceType.CHF)]),
        cbke,
        lambda eui64: credentials_of(seed, eui64),
        seed,
        tap,
        reopen_s=bench.loaded.content.bench.reopen_s,
    )
    return await _opened(settings, bench)


async def _opened(settings: HubSettings, bench: AnyDongleBench) -> HanHub:
    """Open a dongle; one that is away may come back for as long as the bench file says.

    Raises:
        BenchError: It is not there, does not answer, or is not what the bench needs.
    """
    patience_s = bench.loaded.content.bench.reopen_s if bench.section.is_real else 0.0
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s * bench.wall
    while True:
        try:
            return await DongleHub.open(settings)
        except (DongleMissingError, DongleLostError):
            if loop.time() >= until:
                raise
            await asyncio.sleep(_AGAIN_S * bench.wall)
