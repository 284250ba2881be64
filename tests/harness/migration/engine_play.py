"""Plays migrations on emulated homes, for the tests of the engine."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from device_profiles.cohort import Cohort, HandoverOrder, load_cohort
from device_profiles.installation import Installation
from device_profiles.words import DeviceType, SupplyShape
from emulator.core.chance import Chance
from emulator.crypto.keystore import KeyStore
from harness.benches import emulated
from harness.formats.migration_files.key_choice import made_keys
from harness.migration.calendar import first_moment
from harness.migration.course import Course
from harness.migration.invariants import Invariants, memory_of
from harness.migration.office import Office, load_lists
from harness.migration.record import Entry, InstallationRecord
from harness.migration.script import Script
from harness.migration.site import Site, sites_of
from harness.migration.states import Owner
from harness.migration.terms import Terms
from harness.new_installations import Order, generate
from harness.rules.eligibility import Lists
from harness.rules.migration_rulebook import RuleBook, Switches, load_rule_book
from harness.run_options import RunOptions

A = HandoverOrder.BEFORE_FILE_PROCESSING
B = HandoverOrder.AFTER_COMMON_FILE
SEED = 1
CLEAR = ("clear@han", "clear@wan", "clear@sim", "clear@esme", "clear@gsme", "clear@chf")
#: The ESME is not heard in T3, and in T3 alone.
FAIL_T3 = {
    ("before:1", "T3", ""): ("mute:role=esme@han",),
    ("after:1", "T3", ""): ("clear@han",),
}
Then = Callable[[Course], Awaitable[None]]
_Told = TypeVar("_Told")


@lru_cache(maxsize=1)
def _book() -> RuleBook:
    return load_rule_book()


@lru_cache(maxsize=1)
def _lists() -> Lists:
    return load_lists()


@lru_cache(maxsize=8)
def _keys(key: str, count: int, shape: SupplyShape) -> KeyStore:
    return made_keys(SEED, first_moment(load_cohort(key)), homes_of(key, count, shape))


@lru_cache(maxsize=8)
def homes_of(key: str, count: int, shape: SupplyShape) -> tuple[Installation, ...]:
    """Return made-up homes of a cohort."""
    return generate(Order(count, SEED, key, shape))


@dataclass(frozen=True)
class Play:
    """What is played.

    Attributes:
        key: Cohort key.
        order: Order of hand-over; None: the cohort's.
        script: What goes wrong.
        count: Number of homes.
        shape: Their shape.
        switches: Rules switched off or overridden.
        cohort: Changes the cohort's data, or None.
        watched: Whether the invariants are looked at after every step.
        defects: Device defects.
    """

    key: str = "EA"
    order: HandoverOrder | None = None
    script: Script = field(default_factory=Script)
    count: int = 1
    shape: SupplyShape = SupplyShape.DUAL_FUEL
    switches: Switches = field(default_factory=Switches)
    cohort: Callable[[Cohort], Cohort] | None = None
    watched: bool = False
    defects: tuple[str, ...] = ()


@dataclass
class Played:
    """What came of it.

    Attributes:
        course: The course.
        invariants: What was looked at.
        frames: Frames on the hub's WAN, in order.
        memory: What each holder remembers at the end.
    """

    course: Course
    invariants: Invariants
    frames: list[Any]
    memory: dict[DeviceType, Any]

    @property
    def record(self) -> InstallationRecord:
        """The first installation's record."""
        return next(iter(self.course.records.values()))

    def steps(self) -> list[str]:
        """Return the first installation's steps as ``T3!``, ``H2~``, ``T4^``, one a line."""
        return marks(self.record.history)

    def owners(self) -> dict[str, Owner]:
        """Return whose each holder is, as the record has it."""
        return {one.device_type.value: one.owner for one in self.record.holders()}


def marks(history: Iterable[Entry]) -> list[str]:
    """Return history lines as step ids with a mark for what they came to."""
    ends = {"ok": "", "failed": "!", "skipped": "~", "warned": "^"}
    return [f"{one.step}{ends[one.result]}" for one in history if one.result in ends]


def opened(play: Play) -> tuple[Any, Office, tuple[Site, ...]]:
    """Return bench, office and sites; to be used inside the bench's loop."""
    homes = homes_of(play.key, play.count, play.shape)
    options = RunOptions(world="SMETS1", seed=SEED, defects=play.defects, settings={"homes": homes})
    bench = emulated.open_bench(options)
    cohort = load_cohort(play.key)
    if play.cohort is not None:
        cohort = play.cohort(cohort)
    terms = Terms(
        switches=play.switches,
        order=play.order,
        book=_book(),
        lists=_lists(),
        keystore=_keys(play.key, play.count, play.shape),
    )
    office = Office.open(bench.clock, Chance(SEED), cohort, homes, terms)
    return bench, office, sites_of(bench, office.cohort, homes)


def played(play: Play, then: Then | None = None) -> Played:
    """Migrate to a resting state, then do what else is asked."""

    async def story() -> Played:
        bench, office, sites = opened(play)
        invariants = Invariants(office, sites)
        course = Course(office, sites, play.script)
        if play.watched:
            course.watch = invariants.watch
        await course.migrate()
        if then is not None:
            await then(course)
        return Played(course, invariants, list(bench.take_frames()), memory_of(sites[0]))

    return in_virtual_time(story)


def in_virtual_time(story: Callable[[], Awaitable[_Told]]) -> _Told:
    """Run a story in a loop whose clock jumps."""

    async def told() -> _Told:
        return await story()

    with asyncio.Runner(loop_factory=emulated.new_event_loop) as loop:
        return loop.run(told())


async def mended(course: Course) -> None:
    """End every disturbance, of the bench and of the script."""
    bench = next(iter(course.sites.values())).bench
    for order in CLEAR:
        await bench.disturb(order)
    course.script = Script()


def resubmitted(*, roll_forward: bool = False) -> Then:
    """Return what mends everything and resubmits all that is stranded."""

    async def then(course: Course) -> None:
        await mended(course)
        refs = list(course.records)
        refused = await course.resubmit(refs, "the cause is gone", roll_forward=roll_forward)
        assert not refused, refused

    return then


def scripted(**more: tuple[str, ...]) -> Script:
    """Return a script that fails T3 once, with more orders: ``R1_GSME=("mute…",)`` before it."""
    orders: dict[tuple[str, str, str], tuple[str, ...]] = dict(FAIL_T3)
    for name, wanted in more.items():
        step, _of, device = name.partition("_")
        orders["before:1", step, device] = wanted
    return Script(orders=orders)
