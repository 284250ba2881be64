"""Migrates a test's home: the parties of a migration, its course, and what is checked of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from device_profiles.cohort import Cohort
from device_profiles.installation import Installation
from device_profiles.words import DeviceType, SupplyShape
from harness.judging import of_step
from harness.migration.commissioning import Commissioning
from harness.migration.course import Course
from harness.migration.file_work import FileWork
from harness.migration.office import Office
from harness.migration.record import Entry, InstallationRecord
from harness.migration.script import AFTER, BEFORE, Script, When
from harness.migration.states import State
from harness.pytest_playing import Stage, raise_verdict
from harness.pytest_trail import hides
from harness.run import Run
from harness.scenario import Scenario
from harness.scenario_play import chosen_for
from harness.scenarios.migration import checks
from harness.scenarios.migration.build import scenario as scenario_of
from harness.scenarios.migration.row import MIGRATED, GasSupplier, Home, MigrationRow
from harness.scenarios.migration.row import Stage as RowStage
from harness.scenarios.migration.world import World
from harness.verdict import Verdict

__tracebackhide__ = hides

#: What the row of a test is called; no row of the catalogue is.
_ID: Final = "MIG-9999"
_FAILED: Final = "failed"
_CLAUSE: Final = "smetsbench migration"


class Migrating:
    """One home of a cohort, and everybody who takes part in its migration.

    Attributes:
        world: The parties and their course, as in the migration pack.
    """

    def __init__(self, stage: Stage, home: Installation, cohort: Cohort) -> None:
        """Seat the parties.

        Raises:
            DataError: A table cannot be used.
        """
        self._stage = stage
        is_split = home.shape is SupplyShape.SPLIT_SUPPLY
        self._home = Home(
            ref=home.ref,
            shape=home.shape,
            of_class=home.installation_class,
            cohort=cohort.key,
            gas_supplier=GasSupplier.OTHER_PARTY if is_split else GasSupplier.SAME,
            ppmid=bool(home.of(DeviceType.PPMID)),
        )
        row = MigrationRow(
            id=_ID,
            title="the migration of a test",
            clause=_CLAUSE,
            saboteur="",
            cohort=cohort.key,
            homes=(self._home,),
            stages=(RowStage(ends={home.ref: MIGRATED}),),
        )
        scenario: Scenario = replace(scenario_of(row), needs=frozenset())
        self._run: Run = stage.run_of(scenario, chosen_for(scenario, stage.options))
        self.world = World(self._run, row, [home])
        self.world.begin(self._run, row.stages[0])

    @property
    def course(self) -> Course:
        """The course of the home."""
        return self.world.course(self._home.ref)

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.course.office

    def seats(self) -> Iterator[tuple[str, Any]]:
        """Yield who is there, by name."""
        office, files, commissioning = self.office, self.course.files, self.course.commissioning
        yield "smso", office.smso
        yield "s1sp", office.s1sp
        yield "s1spdp", office.s1spdp
        yield "dco", office.dco
        if isinstance(files, FileWork):
            yield "rp", files.rp
            yield "mcc", files.mcc
        if isinstance(commissioning, Commissioning):
            yield "cp", commissioning.world.party
            yield "dsp", commissioning.world.dsp
            suppliers = list(commissioning.world.suppliers.values())
            yield "suppliers", suppliers
            if suppliers:
                yield "supplier", suppliers[0]
                yield "gas_supplier", suppliers[-1]
        yield "course", self.course
        yield "office", office

    async def migrate(self, orders: Mapping[When, tuple[str, ...]]) -> InstallationRecord:
        """Take the home to rest, and check what must hold then.

        Args:
            orders: What goes wrong, and when.

        Raises:
            DeviationError: Something that must hold does not.
            InconclusiveError: Likewise, by a rule that is no stronger than an inference.
        """
        course, run, trail = self.course, self._run, self._stage.trail
        omits = course.script.omits
        course.script = Script(dict(orders), course.script.files, course.script.acts, omits)
        invariants = course.watch

        async def watch(step: str, record: InstallationRecord) -> None:
            trail.step, trail.device = f"{step} of the migration", record.ref
            if invariants is not None:
                await invariants(step, record)

        course.watch = watch
        run.step = run.scenario.steps[-1]
        try:
            await course.migrate()
            record = course.records[self._home.ref]
            await self._check(record)
        finally:
            course.watch = invariants
        self._tell(record)
        found = of_step(run, run.step)
        if found.verdict is not Verdict.PASS:
            raise_verdict(found.verdict, f"migration of {record.ref}: {found.reason}")
        return record

    async def _check(self, record: InstallationRecord) -> None:
        checks.invariants(self._run, self.world)
        if record.state is State.MIGRATED:
            await checks.rests(self._run, self.world, self._home, _end_of(record))

    def _tell(self, record: InstallationRecord) -> None:
        trail = self._stage.trail
        trail.stated = [_line(one) for one in record.history if one.result == _FAILED][-3:]
        trail.clauses = (_CLAUSE,)
        if record.failures:
            code, sub_code = record.failures[-1]
            trail.cause = f"the home failed with {code} {sub_code}".rstrip()
            trail.next_command = f"smetsbench explain {code}"


def by_step(before: Mapping[str, str], after: Mapping[str, str]) -> dict[When, tuple[str, ...]]:
    """Return a script's orders: what goes wrong before and after which step."""
    moments = ((BEFORE, before), (AFTER, after))
    return {
        (moment, step, ""): (order,) for moment, orders in moments for step, order in orders.items()
    }


def _end_of(record: InstallationRecord) -> Any:
    """Return what a migrated home must be like: everything the S1SP's, but what was left out."""
    return replace(MIGRATED, excluded_gas=bool(record.exclusion))


def _line(entry: Entry) -> str:
    code = f" {entry.code} {entry.sub_code}".rstrip()
    return f"{entry.step} failed{code}: {entry.text}"
