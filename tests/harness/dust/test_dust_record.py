"""The record and the events of a DUST run survive their written form."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.dust.events import DustEvent, EventLog, Level, Phase, read_events
from harness.dust.record import (
    Attribution,
    CaseResult,
    Criterion,
    Day,
    Defect,
    DustRecord,
    Expected,
    Header,
    KeptFile,
    RunState,
)
from harness.dust.record_form import load, render
from harness.migration.record import DeviceRecord, Entry, InstallationRecord
from harness.migration.states import Owner, State
from harness.verdict import Verdict

HEADER = Header(
    *("R-1", "A run", "DA", "DA", "Secure", "Supplier", "drop", "UIT-emulated"),
    date(2023, 1, 30),
    "last open day of Table 17.6",
    historical=False,
    label="Migration DUST style",
    seed=1,
    version="0.1",
    definition_sha256="00" * 32,
    versions={"b": "2", "a": "1"},
)


def a_record() -> DustRecord:
    home = InstallationRecord("dual-001", "DA", "DA", "Active", "dual fuel")
    eui64 = Eui64.parse("00-DB-12-34-56-78-90-A0")
    home.devices.append(DeviceRecord(eui64, DeviceType.ESME, holder=True, owner=Owner.SMSO))
    home.move(State.AUTHORISED, Entry(UtcMs(5), "RP", "P6", "passed", "authorised"))
    judged = Expected("state", "Migrated", "Rejected", Verdict.FAIL, events=(3,), files=("a/b",))
    return DustRecord(
        HEADER,
        RunState.DONE,
        4,
        Verdict.FAIL,
        "a case failed",
        (Criterion("E1", "entry", "epcl", "on the EPCL", Verdict.PASS, "all are"),),
        (CaseResult("C-1", "t", "f", True, ("dual-001",), (judged,), Verdict.FAIL, "why"),),
        (Defect("D-001", 2, "seen", Attribution.DEVICE, events=(1, 2)),),
        (Day(date(2023, 1, 2), "2023-W01", 5, {"A": 1}, {"A": 1}, ("dual-001",)),),
        (home,),
        (KeptFile("in/x", 3, "ab", "supplier", "DCC", "MA", "2023-01-02T00:00:00.000Z"),),
        "2023-01-02T00:00:00.000Z",
        "2023-01-03T00:00:00.000Z",
    )


def test_a_record_read_back_is_the_record() -> None:
    record = a_record()
    assert load(render(record)) == record
    assert render(load(render(record))) == render(record)


@pytest.mark.parametrize("name", ["header", "cases", "installations", "verdict"])
def test_a_record_without_a_part_is_refused(name: str) -> None:
    text = render(a_record()).replace(f' "{name}"', f' "no-{name}"', 1)
    with pytest.raises(ValueError, match="no record"):
        load(text)


EVENT = DustEvent(1, UtcMs(1_600_000_000_123), Level.INFO, Phase.TESTING, "step", "T1", step="T1")


def test_an_event_read_back_is_the_event(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    more = replace(EVENT, number=2, told={"a": [1, "x"]}, ref="dual-001", code="MA110")
    log.write(EVENT)
    log.write(more)
    log.close()
    assert list(read_events(tmp_path / "events.jsonl")) == [EVENT, more]


def test_a_log_opened_again_is_cut_back_to_what_the_journal_knows(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    for number in (1, 2, 3):
        log.write(replace(EVENT, number=number))
    log.close()
    path.write_bytes(path.read_bytes()[:-4])  # killed in the middle of a line
    again = EventLog(path, known=2)
    again.write(replace(EVENT, number=3, text="anew"))
    again.close()
    assert [(one.number, one.text) for one in read_events(path)] == [
        *((1, "T1"), (2, "T1")),
        (3, "anew"),
    ]


def test_a_line_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(EVENT.line().encode() + EVENT.line().encode()[:-1])
    assert list(read_events(path)) == [EVENT]
