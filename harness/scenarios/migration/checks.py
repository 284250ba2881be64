"""What is checked of a migration: states, owners, codes, notices; each against the row."""

from collections.abc import Mapping
from typing import Final

from device_profiles.words import DeviceType
from harness.migration.ownership import owners
from harness.migration.record import InstallationRecord
from harness.migration.states import Owner, State
from harness.run import Run
from harness.scenarios.migration.homes import holders
from harness.scenarios.migration.phases import Phase
from harness.scenarios.migration.row import End, Home, MigrationRow, Stage
from harness.scenarios.migration.trace import words_of
from harness.scenarios.migration.world import World

ONE_OWNER: Final = "smetsbench one-owner"
MIXED: Final = "X-5.8A-MIXED"


def outcome(row: MigrationRow) -> str:
    """Return the outcome word of a row: the states its last stage with ends leads to."""
    last = next(stage for stage in reversed(row.stages) if stage.ends)
    states = dict.fromkeys(end.state.value.upper() for end in last.ends.values())
    return "+".join(sorted(states))


def tell(run: Run, world: World) -> None:
    """State as events what the histories hold that was not told yet."""
    several = len(world.row.homes) > 1
    for home in world.row.homes:
        record = world.record(home.ref)
        new = record.history[world.told.get(home.ref, 0) :]
        world.told[home.ref] = len(record.history)
        for word in words_of(record, new):
            run.event(f"{home.ref} {word}" if several else word)


def invariants(run: Run, world: World) -> None:
    """Check that no invariant was hurt, after whichever step."""
    run.check("what must hold after every step", [], world.broken(), clause=ONE_OWNER)


def stands(run: Run, world: World, phase: Phase, ref: str, end: End) -> None:
    """Check where an installation stands after a phase: on its way, or where it is to rest."""
    record = world.record(ref)
    may_be = phase.leaves_in if end.state is State.MIGRATED else {*phase.leaves_in, end.state}
    words = " or ".join(sorted(state.value for state in may_be))
    found = words if record.state in may_be else f"{record.state}: {_last_words(record)}"
    run.check(f"{ref}: where it stands after this phase", words, found)


def _last_words(record: InstallationRecord) -> str:
    last = record.history[-1]
    return f"{last.step} {last.code}/{last.sub_code} {last.text}"


async def owned(run: Run, world: World, home: Home, wanted: Mapping[DeviceType, Owner]) -> None:
    """Check who operates the holders of a home: associations with the keys of both parties."""
    found = await owners(world.site(home.ref), world.course(home.ref).office)
    for device, owner in wanted.items():
        name = f"{home.ref}: who operates the {device.value}"
        run.check(name, owner, found.get(device), clause=ONE_OWNER)


def held(world: World, home: Home) -> tuple[DeviceType, ...]:
    """Return the holders of a home that its migration is about."""
    there = holders(world.row, home)
    return tuple(one for one in there if not (home.deregistered and one is DeviceType.GSME))


async def rests(run: Run, world: World, home: Home, end: End) -> None:
    """Check that an installation rests where the row says, and why."""
    record, clause = world.record(home.ref), world.row.clause
    run.check(f"{home.ref}: state", end.state, record.state, clause=clause)
    run.check(f"{home.ref}: why stranded", end.cause, record.stranded_cause, clause=clause)
    if end.code:
        said = (end.step, end.code, end.sub_code)
        run.check(f"{home.ref}: step and code", said, _failed_at(record), clause=clause)
    if end.back != ("", ""):
        run.check(f"{home.ref}: rollback", end.back, _stopped_at(record), clause="TMAD 5.1")
    if end.attempts is not None:
        run.check(f"{home.ref}: attempts", end.attempts, record.attempts, clause=clause)
    wanted = {device: end.owner(device) for device in held(world, home)}
    await owned(run, world, home, wanted)
    sim = await world.site(home.ref).hub().sim_owner()
    run.check(f"{home.ref}: whose the SIM is", end.sim_owner().value, sim, clause=clause)


def _failed_at(record: InstallationRecord) -> tuple[str, str, str]:
    """Return step and code of the failure an attempt ended with, but for what a rollback met."""
    found = [one for one in record.history if one.code and one.step[:1] not in {"R", "M"}]
    return (found[-1].step, found[-1].code, found[-1].sub_code) if found else ("", "", "")


def _stopped_at(record: InstallationRecord) -> tuple[str, str]:
    found = [one for one in record.history if one.result == "failed" and one.step[0] == "R"]
    return (found[-1].step, found[-1].sub_code) if found else ("", "")


def skipped(run: Run, world: World, ref: str, since: int, stage: Stage) -> None:
    """Check that a resubmission skipped the hand-over, kept the judgement, and foresaw failure."""
    record, clause = world.record(ref), "TMAD 5.8A"
    new = record.history[since:]
    for step in ("H1", "H2", "H3"):
        results = {one.result for one in new if one.step == step}
        run.check(f"{ref}: {step}", {"skipped"}, results, clause=clause)
    run.check(f"{ref}: judgement kept", stage.judgement, record.judgement, clause=clause)
    warned = [one.text for one in new if one.step == "M1" and one.code == MIXED]
    foreseen = warned[0].rpartition(" ")[2] if warned else ""
    run.check(f"{ref}: step of the predicted failure", stage.predicts, foreseen, clause=MIXED)
