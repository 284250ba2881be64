"""The bench of a bench file: loopback children, real ports or recordings behind the ports."""

import asyncio
import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from harness.bench_offer import Lack
from harness.benches import BENCHES
from harness.errors import UsageError
from harness.ports import Bench
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import named
from hil import dongle_offers
from hil.arming import ArmedGuard
from hil.asking import asker, tell
from hil.bench_faults import own_faults, routes
from hil.bench_file import LoadedBench, load_bench
from hil.endpoints import EndpointKind
from hil.held_time import HeldTimeLoop
from hil.home import HOME_WORLD, defects_of, foreign, in_home, ref_of
from hil.line_bench import HilBench
from hil.lines import LineOpener
from hil.mixed_bench import MixedBench
from hil.offers import lacking, unmet
from hil.wired_port import HeldClock

_EMULATED: Final = "emulated"
#: What opens a bench with a dongle: bellows and zigpy are loaded for nothing else.
_WITH_DONGLE: Final = "hil.dongle_bench:open_bench"


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


def _loaded(options: RunOptions) -> LoadedBench:
    if options.bench is None:
        raise UsageError("no bench file was given", where="--bench")
    return load_bench(options.bench, options.data)


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
