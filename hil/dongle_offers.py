"""What a bench with a dongle offers to scenarios, said without opening anything."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from harness import installed
from harness.bench_offer import Lack
from harness.errors import HarnessError
from harness.run_options import RunOptions
from harness.scenario import Scenario
from hil.bench_file import LoadedBench
from hil.endpoints import EndpointKind
from hil.home import foreign, in_home
from hil.paced_loop import PacedLoop
from hil.zigbee.guard import Role

#: Worlds of scenarios whose home can stand around a dongle.
HOME_WORLD: Final = "SMETS2+"
SMETS1_WORLD: Final = "SMETS1"
HUB_ROLES: Final = frozenset({DeviceType.CHF, DeviceType.GPF})
#: Whoever writes to real SMETS1 devices must be asked word by word, and nobody is there to ask.
_ONLY_LOOPBACK: Final = "loopback:dongle: the guard of real devices cannot read DLMS in tunnels"
_ELSEWHERE: Final = "the emulated bench, or a bench file with a line to the meter"


def new_event_loop(loaded: LoadedBench) -> asyncio.AbstractEventLoop:
    """Return the loop of a bench with a dongle: as fast as the clocks behind it."""
    found = loaded.dongle
    return PacedLoop(1 if found is None else found[1].factor)


def of_home(loaded: LoadedBench, options: RunOptions) -> RunOptions:
    """Return the options of the emulated part of the home, with the models of the bench file.

    A model that the file leaves open, as it may behind a dongle, is the scenario's.
    """
    models = {role.value: model for role in loaded.content.roles if (model := loaded.model(role))}
    told = {**options.settings, "profiles": {**options.settings.get("profiles", {}), **models}}
    return replace(options, bench=None, settings=told)


def home_of(loaded: LoadedBench, options: RunOptions) -> Installation:
    """Return the home that a scenario plays in: the user's, or the scenario's own.

    Raises:
        UsageError: There is none that can be used.
    """
    homes = in_home(loaded, options).settings.get("homes", ())
    if options.world == SMETS1_WORLD and homes and options.installation is None:
        found: Installation = homes[0]
        return found
    return installed.chosen(of_home(loaded, options))


def elsewhere(loaded: LoadedBench, home: Installation) -> frozenset[DeviceType]:
    """Return the device types that stand behind the dongle.

    Those whose role says so; where no role does, every device but the hub.
    """
    named = frozenset(loaded.of(EndpointKind.DONGLE))
    return named or frozenset(one.role for one in home.devices) - HUB_ROLES


def lacks(loaded: LoadedBench, options: RunOptions, scenario: Scenario) -> Sequence[Lack]:
    """Return what a bench with a dongle lacks for a scenario, in the order of its needs."""
    return [*_lacks(loaded, options, scenario)]


def _lacks(loaded: LoadedBench, options: RunOptions, scenario: Scenario) -> Iterator[Lack]:
    found = loaded.dongle
    if found is None:
        yield Lack("dongle", 'a dongle with role = "hub"; an observer plays no scenario')
        return
    if found[1].role is not Role.HUB:
        yield Lack("hub-wan", f"a dongle that is the hub: {found[0]} is a node of somebody's")
        return
    own = replace(options, settings=dict(scenario.settings), world=scenario.world)
    if scenario.world == SMETS1_WORLD:
        yield from _lacks_of_smets1(loaded, own, scenario)
    elif scenario.world == HOME_WORLD:
        yield from _lacks_at_home(loaded, own, scenario)
    else:
        yield Lack(scenario.world, _ELSEWHERE)


def _lacks_at_home(loaded: LoadedBench, own: RunOptions, scenario: Scenario) -> Iterator[Lack]:
    try:
        home = home_of(loaded, own)
    except HarnessError as error:
        yield Lack("installation", error.what)
        return
    for need in sorted(scenario.needs & set(DeviceType.__members__)):
        if not home.of(DeviceType(need)):
            yield Lack(need, f"an installation that has a {need} (--installation HOME.toml)")
    offered = {"virtual-time", "meter-wan"} if own.world == SMETS1_WORLD else set[str]()
    unmet = {"virtual-time", "power", "meter-line", "meter-wan"} - offered
    for need in sorted(scenario.needs & unmet):
        yield Lack(need, _ELSEWHERE)


def _lacks_of_smets1(loaded: LoadedBench, own: RunOptions, scenario: Scenario) -> Iterator[Lack]:
    """Say what keeps a SMETS1 home from standing around a dongle."""
    found = loaded.dongle
    if found is None or not found[1].is_loopback:
        yield Lack("loopback dongle", _ONLY_LOOPBACK)
        return
    homes = scenario.settings.get("homes", ())
    if len(homes) > 1 and own.installation is None:
        yield Lack("one home", f"{_ELSEWHERE}: a dongle is the hub of one home, here are several")
        return
    yield from foreign(loaded, scenario.settings)
    yield from _lacks_at_home(loaded, own, scenario)
