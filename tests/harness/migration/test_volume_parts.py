"""Parts of migration runs: totals, rows, faults, workers."""

from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.migration_files.reading import check_octets
from harness.formats.migration_files.words import FileType
from harness.migration import run_rows
from harness.migration.record import DeviceRecord, Entry, InstallationRecord
from harness.migration.states import Owner, State, StrandedCause
from harness.migration.totals import UnreconciledError, reconcile, totals
from harness.migration.volume_faults import SPOILS, parse
from harness.report.migration_grid import grid
from harness.report.migration_model import Played
from harness.verdict import Verdict
from tests.harness.formats.migration_files.migration_given import Wanted, context, one

_WAY = {
    State.MIGRATED: (
        State.AUTHORISED,
        State.IN_VALIDATION,
        State.TESTING,
        State.VIABLE,
        State.COMMISSIONING,
        State.MIGRATED,
    ),
    State.REJECTED: (State.AUTHORISED, State.REJECTED),
    State.NOT_PLANNED: (State.NOT_PLANNED,),
    State.STRANDED: (State.AUTHORISED, State.HANDED_OVER, State.STRANDED),
}


def record(ref: str, end: State, code: str = "") -> InstallationRecord:
    made = InstallationRecord(ref, "EA", "EA", "Active", "dual-fuel")
    made.devices.append(
        DeviceRecord(Eui64.parse("02-53-00-00-00-00-00-01"), DeviceType.ESME, True, Owner.SMSO)
    )
    for at, state in enumerate(_WAY[end]):
        cause = StrandedCause.FILE_ERROR if state is State.STRANDED else None
        entry = Entry(UtcMs(at), "MCC", "V2", "state", "so it goes")
        if state is end:
            entry = replace(entry, code=code)
        made.move(state, entry, cause=cause)
    return made


def some() -> list[InstallationRecord]:
    return [
        record("A", State.MIGRATED),
        record("B", State.REJECTED, "X-5.9.10"),
        record("C", State.NOT_PLANNED, "MA110"),
        record("D", State.STRANDED, "X-H4-7D"),
        record("E", State.MIGRATED),
    ]


def test_totals_count_what_histories_say() -> None:
    counted = totals(some())
    assert counted["by_state"] == {"Migrated": 2, "NotPlanned": 1, "Rejected": 1, "Stranded": 1}
    assert counted["by_cause"] == {"FileError": 1}
    assert counted["by_code"] == {"MA110": 1, "X-5.9.10": 1, "X-H4-7D": 1}
    assert counted["reached"]["authorised"] == 4
    assert counted["reached"]["migrated"] == 2
    reconcile(some(), counted)


def test_a_total_that_does_not_follow_from_the_histories_is_found() -> None:
    counted = totals(some())
    counted["by_state"]["Migrated"] += 1
    with pytest.raises(UnreconciledError, match="by_state"):
        reconcile(some(), counted)


@pytest.mark.parametrize("spoil", ["state", "cause", "rest", "time"])
def test_a_record_that_does_not_follow_from_its_history_is_found(spoil: str) -> None:
    records = some()
    if spoil == "state":
        records[1].state = State.MIGRATED
    elif spoil == "cause":
        records[3].stranded_cause = None
    elif spoil == "rest":
        records[0].history.pop()
        records[0].state = State.COMMISSIONING
    else:
        records[0].history[-1] = replace(records[0].history[-1], at=UtcMs(-1))
    with pytest.raises(UnreconciledError):
        reconcile(records, totals(records))


def test_verdicts_are_no_stronger_than_their_rules() -> None:
    found = [run_rows.verdict(one) for one in some()]
    assert found == [
        Verdict.PASS,
        Verdict.INCONCLUSIVE,
        Verdict.SKIPPED,
        Verdict.INCONCLUSIVE,
        Verdict.PASS,
    ]
    assert run_rows.verdict(record("F", State.REJECTED, "MA110")) is Verdict.FAIL


def test_installations_of_one_course_share_a_row_of_the_grid() -> None:
    played = [Played(n, one.ref, one, ()) for n, one in enumerate(some())]
    rows = grid([*played, Played(9, "F", None, ())]).rows
    assert [len(row.members) for row in rows] == [2, 1, 1, 1, 1]
    assert rows[0].named == "A, E"
    assert {row.state for row in rows} == {
        "Migrated",
        "Rejected",
        "NotPlanned",
        "Stranded",
        "not played",
    }


def test_steps_stand_in_the_order_of_the_course() -> None:
    steps = ["R1", "T10", "H2", "V1", "P2", "T2", "C1", "M1"]
    ordered = sorted(steps, key=run_rows.step_order)
    assert ordered == ["P2", "M1", "V1", "H2", "T2", "T10", "C1", "R1"]


def test_faults_are_sorted_into_links_steps_and_files() -> None:
    found = parse(
        ["mute@wan", "before.2:R1:GSME/drop@han", "after:H3/mute@wan", "file:MEF/truncated"],
        known=lambda _order: None,
    )
    assert found.on_links == ("mute@wan",)
    assert found.script.orders == {
        ("before:2", "R1", "GSME"): ("drop@han",),
        ("after:1", "H3", ""): ("mute@wan",),
    }
    assert found.script.files == {"MEF": SPOILS["truncated"]}


def test_an_installation_excluded_after_failures_was_begun() -> None:
    """Nobody tried the one; the other failed five times, and its devices changed hands."""
    left_alone, tried = record("A", State.STRANDED), record("B", State.STRANDED)
    tried.failures += [("X-H4-7D", "01")] * 5
    for made in (left_alone, tried):
        made.move(State.EXCLUDED, Entry(UtcMs(9), "MCC", "M1", "state", "excluded", code="X-18"))
    assert run_rows.verdict(left_alone) is Verdict.SKIPPED
    assert run_rows.verdict(tried) is Verdict.INCONCLUSIVE


def test_a_row_names_the_exclusion_and_no_owner_of_what_holds_no_credential() -> None:
    made = record("A", State.MIGRATED)
    made.exclusion = "gas_han_failure"
    made.devices.append(
        DeviceRecord(Eui64.parse("02-53-05-00-00-00-00-01"), DeviceType.PPMID, False, Owner.SMSO)
    )
    row = run_rows.head(made)
    assert row["exclusion"] == "gas_han_failure"
    assert [device["owner"] for device in row["devices"]] == ["SMSO", ""]


@pytest.mark.parametrize("kind", ["MCF", "MVF", "MGF", "MEF", "RFS"])
def test_content_changes_a_value_and_leaves_the_file_well_formed(kind: str) -> None:
    file = one(FileType(kind), Wanted(homes=2))
    row = check_octets(file.name, SPOILS["content"](file.octets), context())
    assert row.finding is not None
    assert (row.finding.code, row.finding.sub_code) == ("X-SIG-BAD", "01")


@pytest.mark.parametrize("word", SPOILS)
def test_a_spoilt_file_is_another_file(word: str) -> None:
    file = (
        b'<?xml version="1.0"?><a><DeviceID>00-11</DeviceID><b/><ds:SignatureValue>QUJDREVGR0g='
        b"</ds:SignatureValue></a>"
    )
    assert SPOILS[word](file) != file
