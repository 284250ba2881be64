"""What is checked of a migration: states, owners, codes, notices; each against the row."""

from collections.abc import Mapping
from typing import Final

from lxml import etree

from device_profiles.words import CspRegion, DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.xml_input import parse
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
SUB_CODES: Final = "S000 sub-codes"
CPL_ENTRY: Final = "S003 §2 CPL entry"
NOTICES: Final = "MAM 6 notices"
UNTOUCHED: Final = "smetsbench untouched"
#: States of an installation on whose devices nobody has written.
_UNTOUCHED: Final = frozenset({State.NOT_PLANNED, State.REJECTED})
#: Observations of a device that was written to.
_WRITES: Final = frozenset({"dlms_write", "keys_changed", "sim_moved", "clock_set"})


def outcome(row: MigrationRow) -> str:
    """Return the outcome word of a row: the states its last stage with ends leads to."""
    last = next(stage for stage in reversed(row.stages) if stage.ends)
    states = dict.fromkeys(end.state.value.upper() for end in last.ends.values())
    return "+".join(sorted(states))


def clauses_of_rest(row: MigrationRow, stage: Stage) -> tuple[str, ...]:
    """Return the clauses that the last step of a stage shows."""
    shown = [row.clause, ONE_OWNER, *row.shows]
    ends = stage.ends.values()
    if any(end.state is State.MIGRATED for end in ends):
        shown += [NOTICES, CPL_ENTRY]
    if any(end.code for end in ends):
        shown.append(SUB_CODES)
    if any(end.state in _UNTOUCHED for end in ends):
        shown.append(UNTOUCHED)
    if any(end.back != ("", "") for end in ends):
        shown.append("TMAD 5.1")
    return tuple(dict.fromkeys(shown))


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


async def owned(
    run: Run,
    world: World,
    home: Home,
    wanted: Mapping[DeviceType, Owner],
    *,
    on_the_way: bool = False,
) -> None:
    """Check who operates the holders of a home: associations with the keys of both parties.

    Args:
        run: The run.
        world: Who takes part.
        home: The home.
        wanted: Holder -> whose it must be.
        on_the_way: That more is to come: a device which only its hub leads to is left to a later
            check while no network carries the hub.
    """
    site = world.site(home.ref)
    found = await owners(site, world.course(home.ref).office)
    for device, owner in wanted.items():
        cut_off = found.get(device) is Owner.UNKNOWN and not run.sees(site.eui64(device))
        if on_the_way and cut_off:
            continue
        name = f"{home.ref}: who operates the {device.value}"
        run.check(name, owner, found.get(device), clause=ONE_OWNER)


def quiesced(run: Run, world: World, home: Home) -> None:
    """Check that the SMSO's head end does nothing at an installation by itself any more (H1)."""
    going_on = world.course(home.ref).office.smso.schedules.get(home.ref, ())
    name = f"{home.ref}: what the SMSO still does there"
    run.check(name, [], list(going_on), clause=ONE_OWNER)


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
    supplier_view(run, world, home, end)
    if end.state is State.MIGRATED:
        commissioned(run, world, home)
    if end.state in _UNTOUCHED:
        untouched(run, world, home)


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


def supplier_view(run: Run, world: World, home: Home, end: End) -> None:
    """Check what a supplier is told of a refusal: code and sub-code, never a counter."""
    hands = [one for one in world.course(home.ref).files.hands if home.ref in one.results]
    verdict = hands[-1].results[home.ref] if hands else None
    if verdict is None or verdict.accepted:
        return
    told = verdict.for_suppliers()
    code = end.told or end.code
    run.check(f"{home.ref}: code the supplier is told", code, told.code, clause=SUB_CODES)
    sub_code = "" if end.told else end.sub_code
    run.check(f"{home.ref}: sub-code it is told", sub_code, told.sub_code, clause=SUB_CODES)
    texts = " ".join(one.text for one in told.findings)
    shown = str(hands[-1].counter) in "".join(c if c.isdigit() else " " for c in texts).split()
    run.check(f"{home.ref}: a counter is shown to it", False, shown, clause=SUB_CODES)


def commissioned(run: Run, world: World, home: Home) -> None:
    """Check inventory, notices and the SMSO's records of a migrated installation."""
    course, site = world.course(home.ref), world.site(home.ref)
    parties = world.after(home.ref)
    part = course.detail(home.ref)
    left = course.cases[home.ref].left_out
    cohort = course.office.cohort.cohort
    wanted = [device for device in part.devices if device.hex not in left]
    for device in wanted:
        known = parties.dsp.inventory.find(device)
        name = f"{home.ref}: {device} on the inventory"
        status = None if known is None else (known.status, known.smets)
        run.check(name, (DeviceStatus.COMMISSIONED, SmetsVersion.SMETS1), status, clause=CPL_ENTRY)
    hub = parties.dsp.inventory.find(part.hub.device)
    served = None if hub is None else (hub.s1sp, hub.csp_region)
    run.check(f"{home.ref}: S1SP and region", (cohort.s1sp, CspRegion.SMETS1), served)
    meters = [one for one in part.meters if one.device.hex not in left]
    names = {site.eui64(DeviceType.ESME): "EIS"}
    told = {(names.get(one.device, "GIS"), str(one.device)) for one in meters}
    run.check(f"{home.ref}: who is told of which meter", told, _told(world, home), clause=NOTICES)
    dropped = home.ref in course.office.smso.dropped
    run.check(f"{home.ref}: the SMSO dropped its records", True, dropped, clause=NOTICES)
    kept = [str(one) for one in wanted if course.office.smso.own(one) is not None]
    run.check(f"{home.ref}: keys the SMSO still holds", [], kept, clause=ONE_OWNER)


def _told(world: World, home: Home) -> set[tuple[str, str]]:
    """Return who was told of which meter of a home, as the notices themselves say it."""
    office = world.course(home.ref).office
    meters = {str(Eui64.parse(one.eui64)) for one in world.site(home.ref).installation.devices}
    found = set()
    for letter in office.post.letters:
        if letter.receiver not in {"EIS", "GIS"} or b"CommissioningNotice" not in letter.octets:
            continue
        root = parse(letter.octets)
        meter = next((one.text or "" for one in root.iter() if _local(one) == "DeviceID"), "")
        if meter in meters:
            found.add((letter.receiver, meter))
    return found


def _local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def untouched(run: Run, world: World, home: Home) -> None:
    """Check that nothing was written to any device of a home, and nobody changed its keys."""
    mine = {Eui64.parse(one.eui64) for one in world.site(home.ref).installation.devices}
    seen = [one for one in run.observations() if one.device in mine and one.kind in _WRITES]
    run.check(f"{home.ref}: writes to its devices", 0, len(seen), clause=UNTOUCHED)


def same_end(run: Run, world: World, ref: str, like: str) -> None:
    """Check that two installations ended alike, but for what is each one's own."""
    ends = [_summary(world, one) for one in (like, ref)]
    run.check(f"{ref} ends as {like} did", *ends, clause=world.row.clause)


def _summary(world: World, ref: str) -> dict[str, object]:
    record, parties = world.record(ref), world.after(ref)
    rows = {}
    for one in record.devices:
        known = parties.dsp.inventory.find(one.eui64)
        inventory = None if known is None else (known.status, known.s1sp, known.csp_region)
        null = sorted(name for name, (serial, _issuer) in one.certificate_ids.items() if not serial)
        rows[one.device_type.value] = (one.holder, one.owner, one.firmware_running, null, inventory)
    return {"state": record.state, "SIM": record.sim_owner, "devices": rows}
