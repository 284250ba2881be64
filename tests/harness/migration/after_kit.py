"""A whole migration of one generated home, and the parties of the time after it."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from device_profiles.cohort import CohortMetadata, load_cohort
from device_profiles.installation import Installation
from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from harness.benches import emulated, emulated_smets1
from harness.formats.duis.bodies import RequestBody
from harness.formats.migration_files.checking import Result
from harness.migration.commissioning import Commissioning
from harness.migration.commissioning_world import CommissioningWorld
from harness.migration.course import Course
from harness.migration.office import Office
from harness.migration.record import InstallationRecord
from harness.migration.script import Script
from harness.migration.site import sites_of
from harness.migration.terms import Terms
from harness.migration.verdicts import InstallationVerdict, Stage
from harness.new_installations import Order, generate
from harness.rules.eligibility import Lists
from harness.run_options import RunOptions

#: A home and those beside it -> memories of bench and course after a migration.
_MIGRATED: dict[tuple[str, ...], tuple[bytes, str]] = {}


@dataclass(frozen=True)
class World:
    """What a home is played with beside itself: where metadata are, and the lists in force."""

    metadata: MetadataMode = MetadataMode.TACTICAL
    lists: Lists | None = None


class EverythingPlanned:
    """Plans and authorises whatever is there."""

    def plan(self, records: Sequence[InstallationRecord]) -> Mapping[str, InstallationVerdict]:
        return {
            one.ref: InstallationVerdict(one.ref, Stage.PLANNING, Result.ACCEPTED)
            for one in records
        }

    def authorise(self, records: Sequence[InstallationRecord]) -> Mapping[str, InstallationVerdict]:
        return self.plan(records)

    def dump(self) -> dict[str, Any]:
        return {"planned": "everything"}

    def load(self, state: Mapping[str, Any]) -> None:
        assert state == self.dump()


@cache
def home(cohort: str, of_class: InstallationClass, shape: SupplyShape) -> Installation:
    return generate(Order(1, 5, cohort, shape, of_class))[0]


def device(of: Installation, kind: DeviceType) -> Eui64:
    return Eui64.parse(of.of(kind)[0].eui64)


def next_door(of: Installation, supplier: Eui64) -> Installation:
    """A home of another supplier: its keys are made as well, and it stands on no bench."""
    devices = [one.model_copy(update={"supplier": str(supplier)}) for one in of.devices]
    return of.model_copy(update={"ref": f"{of.ref}-next-door", "devices": tuple(devices)})


def played(  # noqa: PLR0913 - a home, its story, its neighbours, and three ways to differ
    of: Installation,
    story: Callable[[Course, Any], Awaitable[None]],
    beside: Sequence[Installation] = (),
    *,
    script: Script | None = None,
    before: Callable[[Course, Any], Awaitable[None]] | None = None,
    world: World | None = None,
) -> Course:
    """Migrate a home and go on with the story; returns the course.

    A plain migration is played once; further stories begin where its memory ends.
    """
    plain = script is None and before is None
    world = world or World()
    mode = world.metadata
    key = (mode, *(one.model_dump_json() for one in (of, *beside)))

    async def whole() -> Course:
        cohort = load_cohort(of.cohort or "EA")
        cohort = cohort.model_copy(update={"metadata": CohortMetadata(mode=mode)})
        options = RunOptions(settings={"metadata_mode": mode.value})
        bench: Any = emulated_smets1.open_homes((of,), options)
        if plain and key in _MIGRATED:
            bench.restore(_MIGRATED[key][0])
        terms = Terms(lists=world.lists)
        office = Office.open(bench.clock, Chance(1), cohort, (of, *beside), terms)
        sites = sites_of(bench, cohort, (of,))
        course = Course(office, sites, script, planning=EverythingPlanned())
        if plain and key in _MIGRATED:
            course.load(json.loads(_MIGRATED[key][1]))
        else:
            if before is not None:
                await before(course, bench)
            await course.migrate()
        if plain:
            _MIGRATED.setdefault(key, (bench.dump(), json.dumps(course.dump())))
        await story(course, bench)
        await bench.close()
        return course

    loop = emulated.new_event_loop()
    try:
        return loop.run_until_complete(whole())
    finally:
        loop.close()


def put_down_and_taken_up(course: Course, bench: Any, of: Installation) -> Course:
    """The same course in a new process: new parties, memories out of JSON, the same devices."""
    state = json.loads(json.dumps(course.dump()))
    cohort = load_cohort(of.cohort or "EA")
    office = Office.open(bench.clock, Chance(1), cohort, (of,))
    fresh = Course(office, sites_of(bench, cohort, (of,)), planning=EverythingPlanned())
    fresh.load(state)
    return fresh


def world_of(course: Course) -> CommissioningWorld:
    """The parties of the time after migration."""
    assert isinstance(course.commissioning, Commissioning)
    return course.commissioning.world


async def asked(course: Course, body: RequestBody, at: Eui64, by: Eui64 | None = None) -> Any:
    """Let a supplier (the only one, unless said) ask; returns what the S1SP answered, or None."""
    world = world_of(course)
    user = next(iter(world.suppliers.values())) if by is None else world.suppliers[by]
    sent = await world.ask(user, body, at)
    return user.answer_to(sent.request.request_id)
