"""A bench whose hub is emulated and speaks by a Zigbee dongle: loopback, or a real one."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness import installed
from harness.benches.emulated_outlet_bench import Behind, OutletBench, outlet_bench
from harness.errors import NotPermittedError, UsageError
from harness.han_ports import HanHub
from harness.run_options import RunOptions
from hil import locks
from hil.arming import ArmedGuard
from hil.bench_file import LoadedBench
from hil.dongle_child import DongleChild
from hil.dongle_codes import link_keys, refuse_without_code
from hil.dongle_guard import GuardedHub, permit_joining
from hil.dongle_offers import elsewhere, of_home
from hil.dongle_parts import credentials_of, hub_endpoints, line_of
from hil.dongle_sections import DongleSection
from hil.drivers.zigbee_hub import DongleHub
from hil.rehearsal import too_long
from hil.tap import Tap
from hil.zigbee.errors import DongleLostError, DongleMissingError
from hil.zigbee.guard import Role
from hil.zigbee.hub_settings import HubSettings

_OPEN: Final = "open"
#: Between two attempts to open a dongle that is away, seconds. Source: invented.
_AGAIN_S: Final = 1.0


class DongleBench(OutletBench):
    """A home whose hub is emulated here and whose devices stand behind a dongle.

    Attributes:
        loaded: Its file; set by ``made``.
        child: The program that is the dongle, where it is one of ours.
        held: Locks on the dongle.
        skips_refused: That a step which the guard of a real device refuses is SKIPPED.
    """

    loaded: LoadedBench
    held: contextlib.ExitStack
    child: DongleChild | None = None
    skips_refused: bool = False
    name: str
    section: DongleSection

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state, and what the dongle is."""
        rows = dict(super().describe())
        rows[f"dongle {self.name}"] = {
            "bench": self.kind,
            "endpoint": str(self.section.where),
            "clock factor": f"{self.section.factor}",
            "EZSP": ", ".join(map(str, self.section.ezsp)),
            "CBKE by": self.section.cbke,
        }
        return rows

    async def close(self) -> None:
        """Close the line of the dongle, and end the program where it is one of ours."""
        await super().close()
        self.held.close()
        child, self.child = self.child, None
        if child is not None:
            await asyncio.to_thread(child.stop)


async def open_bench(
    loaded: LoadedBench,
    options: RunOptions,
    tap: Tap | None = None,
    ask: Callable[[str], str] | None = None,
) -> DongleBench:
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
    if loaded.dongle is not None and not section.is_loopback:
        name = locks.port_name(section.where.target)
        bench.held.enter_context(locks.acquire(name, loaded.content.bench.operator))
    if not section.is_loopback:
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
    path = section.where.target
    try:
        if section.is_loopback:
            start = bench.clock.now()
            bench.child = await asyncio.to_thread(
                DongleChild.start, section, home, own, start, faults_behind(bench, own)
            )
            path = bench.child.path
        bench.begin()
        await bench.admit(await _hub(bench, own.seed, path, tap), section.channel)
    except BaseException:
        await bench.close()
        raise
    return bench


def made(loaded: LoadedBench, options: RunOptions) -> tuple[DongleBench, Installation]:
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
    name, section = found
    own = of_home(loaded, options)
    home = installed.chosen(own)
    devices = elsewhere(loaded, home)
    keys = link_keys(loaded, home, own.seed, loopback=section.is_loopback)
    if not section.is_loopback:
        for one in home.devices:
            if one.role in devices:
                refuse_without_code(loaded, keys, Eui64.parse(one.eui64))
    is_open = section.join == _OPEN
    behind = Behind(
        devices,
        "loopback" if section.is_loopback else "real",
        f"dongle {name} ({section.where})",
        float(section.factor),
        {} if is_open else {**keys},
        keyed=not is_open and section.cbke != "none",
    )

    bench = outlet_bench(own, behind, DongleBench)
    bench.loaded, bench.name, bench.section = loaded, name, section
    bench.held = contextlib.ExitStack()
    return bench, home


def faults_behind(bench: OutletBench, options: RunOptions) -> tuple[str, ...]:
    """Return the words that order the faults of devices behind a loopback dongle."""
    return tuple(word for text in bench.faults_behind(options) for word in ("--fault", text))


async def _hub(bench: DongleBench, seed: int, path: str, tap: Tap | None) -> HanHub:
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


async def _opened(settings: HubSettings, bench: DongleBench) -> HanHub:
    """Open a dongle; one that is away may come back for as long as the bench file says.

    Raises:
        BenchError: It is not there, does not answer, or is not what the bench needs.
    """
    patience_s = 0.0 if bench.section.is_loopback else bench.loaded.content.bench.reopen_s
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s * bench.wall
    while True:
        try:
            return await DongleHub.open(settings)
        except (DongleMissingError, DongleLostError):
            if loop.time() >= until:
                raise
            await asyncio.sleep(_AGAIN_S * bench.wall)
