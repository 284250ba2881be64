"""Makes a scenario of a row: its stages become phases, each a step with checks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from device_profiles.cohort import HandoverOrder
from emulator.core.clock import UtcMs
from harness.migration.states import RESTING, Owner, State
from harness.run import Run
from harness.scenario import Scenario, Step, StepFunction
from harness.scenarios.clauses import clauses, exact
from harness.scenarios.migration import checks
from harness.scenarios.migration.homes import holders, installations, order_of
from harness.scenarios.migration.phases import HAND_OVER, TEST, Phase
from harness.scenarios.migration.row import Home, Kind, MigrationRow, Stage
from harness.scenarios.migration.trace import expected_events, phases_of
from harness.scenarios.migration.world import World, open_world, world

_WORLD: Final = "SMETS1"
_DAY_S: Final = 86_400.0
#: Longest that one step may take which goes through a whole migration.
_WHOLE_S: Final = 12 * _DAY_S
#: Where the hand-over stands -> what of it no source says.
_ORDERS: Final = {
    HandoverOrder.BEFORE_FILE_PROCESSING: (
        "where keys and SIM change hands: order A takes S000 §5 literally, before any file is read"
    ),
    HandoverOrder.AFTER_COMMON_FILE: (
        "where keys and SIM change hands: order B has the common file checked before"
    ),
    HandoverOrder.FOLDED: (
        "when other cohorts than FOC change keys and SIM: here within device testing"
    ),
}
#: Phases after which ownership is looked at, with whose the devices are then.
_OWNED_AFTER: Final = {HAND_OVER.name: Owner.S1SP, TEST.name: Owner.S1SP}


def scenario(row: MigrationRow) -> Scenario:
    """Return the scenario of a row; it claims the clauses of its steps and no others."""
    steps = tuple(step for number in range(len(row.stages)) for step in _steps(row, number))
    shown = dict.fromkeys(clause for step in steps for clause in step.clauses)
    types = dict.fromkeys(role.value for home in row.homes for role in holders(row, home))
    return Scenario(
        id=row.id,
        title=row.title,
        devices=("ESME", *(name for name in types if name != "ESME")),
        world=_WORLD,
        clauses=clauses(*shown),
        expectation=exact(checks.outcome(row), row.clause),
        steps=steps,
        setup=open_world,
        needs=frozenset({"CHF", "ESME", "virtual-time"}),
        saboteur=row.saboteur,
        expected_events=row.trace or expected_events(row),
        faults=row.faults,
        settings={"homes": installations(row), "defects": row.conditions, "row": row},
        silent=(*row.silent, *_where_it_stands(row)),
    )


def _where_it_stands(row: MigrationRow) -> tuple[str, ...]:
    """Return what no source says of the order a row plays in; nothing where it says so itself."""
    order = order_of(row)
    said = "" if order is None else _ORDERS[order]
    return () if not said or any("order" in one for one in row.silent) else (said,)


def refs_of(row: MigrationRow, stage: Stage) -> tuple[str, ...]:
    """Return the installations a stage is about."""
    return stage.refs or tuple(home.ref for home in row.homes)


def _steps(row: MigrationRow, number: int) -> Iterator[Step]:
    stage, order = row.stages[number], order_of(row)
    if stage.kind is Kind.STEPS:
        yield from (_with_misconduct(number, step) for step in stage.steps)
        return
    if stage.kind is Kind.MIGRATE and order is not None:
        phases = phases_of(row, number)
        for phase in phases:
            is_first = phase is phases[0]
            act = _phase(number, phase, is_first=is_first)
            waits = stage.wait_s if is_first else 0
            yield Step(phase.title, act, phase.clauses, phase.timeout_s + waits)
    elif stage.kind is Kind.MIGRATE:
        title = "The installations migrate, each as its cohort has it"
        yield Step(title, _whole(number), ("smetsbench migration",), _WHOLE_S)
    elif stage.kind is Kind.RESUBMIT:
        title = "The MCC resubmits what is stranded, and a new file completes it"
        shown = ("TMAD 5.8A", "X-5.8A-MIXED")
        yield Step(title, _resubmitted(number), shown, _WHOLE_S + stage.wait_s)
    else:
        title = "The MCC is asked to resubmit, and refuses"
        yield Step(title, _refused(number), ("TMAD 5.8A", "smetsbench 5.8A-states"), _DAY_S)
    title = "Every installation rests where it must, and each device has its one owner"
    yield Step(title, _rest(number), checks.clauses_of_rest(row, stage), _DAY_S)


def _with_misconduct(number: int, step: Step) -> Step:
    """Return a step of the row's own, taken under what goes wrong in its stage."""

    async def act(run: Run) -> None:
        await _begin(run, number, is_first=False)
        await step.act(run)

    act.__doc__ = step.act.__doc__
    return replace(step, act=act)


async def _begin(run: Run, number: int, *, is_first: bool) -> tuple[World, Stage]:
    """Put into force what goes wrong in a stage; wait and disturb where it begins."""
    here = world(run)
    stage = here.row.stages[number]
    here.begin(run, stage)
    if is_first:
        if stage.wait_s:
            now = run.bench.clock.now()
            await run.bench.clock.sleep_until(UtcMs(now + round(stage.wait_s * 1000)))
        for order in stage.before:
            await run.bench.disturb(order)
    return here, stage


def _phase(number: int, phase: Phase, *, is_first: bool) -> StepFunction:
    async def act(run: Run) -> None:
        """Take the phase with every installation that is due; check where each stands."""
        here, stage = await _begin(run, number, is_first=is_first)
        refs = refs_of(here.row, stage)
        for course in here.courses_of(refs):
            if is_first and any(one.state in _AGAIN for one in course.records.values()):
                await course.retry([ref for ref in refs if ref in course.records])
            else:
                await getattr(course, phase.name)()
        checks.tell(run, here)
        checks.invariants(run, here)
        for ref in refs:
            if ref in stage.ends:
                checks.stands(run, here, phase, ref, stage.ends[ref])
                await _owners_after(run, here, phase, here.row.home(ref))

    return act


#: States from which an installation is planned anew.
_AGAIN: Final = frozenset({State.REJECTED, State.ROLLED_BACK})


async def _owners_after(run: Run, here: World, phase: Phase, home: Home) -> None:
    owner = _OWNED_AFTER.get(phase.name)
    record = here.record(home.ref)
    if owner is None or record.state in RESTING or record.exclusion:
        return
    wanted = dict.fromkeys(checks.held(here, home), owner)
    await checks.owned(run, here, home, wanted, on_the_way=phase is HAND_OVER)
    checks.quiesced(run, here, home)


def _whole(number: int) -> StepFunction:
    async def act(run: Run) -> None:
        """Take every course from its beginning to rest."""
        here, stage = await _begin(run, number, is_first=True)
        for course in here.courses_of(refs_of(here.row, stage)):
            await course.migrate()
        checks.tell(run, here)
        checks.invariants(run, here)

    return act


def _resubmitted(number: int) -> StepFunction:
    async def act(run: Run) -> None:
        """List, judge and complete under 5.8A; hand-over is skipped and said so."""
        here, stage = await _begin(run, number, is_first=True)
        refs = refs_of(here.row, stage)
        for course in here.courses_of(refs):
            mine = [ref for ref in refs if ref in course.records]
            before = {ref: len(course.records[ref].history) for ref in mine}
            refused = await course.resubmit(mine, stage.judgement, roll_forward=stage.roll_forward)
            run.check("refused by the MCC", {}, dict(refused), clause="TMAD 5.8A")
            for ref in mine:
                checks.skipped(run, here, ref, before[ref], stage)
        checks.tell(run, here)
        checks.invariants(run, here)

    return act


def _refused(number: int) -> StepFunction:
    async def act(run: Run) -> None:
        """Ask for 5.8A; nothing may change by it."""
        here, stage = await _begin(run, number, is_first=True)
        for ref in refs_of(here.row, stage):
            before = here.record(ref).state
            refused = await here.course(ref).resubmit([ref], stage.judgement)
            clause = "smetsbench 5.8A-states"
            run.check(f"{ref}: refused", True, bool(refused.get(ref)), clause=clause)
            run.check(f"{ref}: state as before", before, here.record(ref).state, clause=clause)
        checks.tell(run, here)
        checks.invariants(run, here)

    return act


def _rest(number: int) -> StepFunction:
    async def act(run: Run) -> None:
        """Compare every installation with what the row says it must come to."""
        here, stage = await _begin(run, number, is_first=False)
        for ref, end in stage.ends.items():
            await checks.rests(run, here, here.row.home(ref), end)
            if stage.like and ref != stage.like:
                checks.same_end(run, here, ref, stage.like)
        checks.invariants(run, here)
        states = {here.record(ref).state.value.upper() for ref in stage.ends}
        if states:
            run.outcome("+".join(sorted(states)))

    return act
