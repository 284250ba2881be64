"""A made-up DUST run of fifty installations (or as many as wanted) with mixed outcomes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs, from_datetime, iso
from emulator.core.ids import Eui64
from harness.dust.events import DustEvent, EventLog, Level, Phase
from harness.dust.pack_parts import versions
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
from harness.migration.record import DeviceRecord, Entry, InstallationRecord
from harness.migration.states import Owner, State, StrandedCause
from harness.setting import version
from harness.verdict import Verdict

FIRST = date(2023, 1, 23)
_SHAPES = ("dual-fuel", "dual-fuel", "electricity-only", "split-supply")
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Course:
    """Steps of one installation: (hours after six, actor, step, result, text, code, state)."""

    name: str
    steps: tuple[tuple[float, str, str, str, str, str, State | None], ...]
    cause: StrandedCause | None = None
    exclusion: str = ""


_BEGIN = (
    (0, "SMSO", "P1", "ok", "the installation is on the SMSO's inventory", "", None),
    (0, "MCC", "P2", "ok", "the device models are eligible", "", None),
    (0, "MCC", "P5", "ok", "the migration is authorised", "", None),
    (0, "MCC", "P6", "state", "authorised", "", State.AUTHORISED),
    (0, "RP", "V1", "ok", "the MCF names it, mode Full", "", None),
)
_ON = (
    (0.1, "SMSO", "H1", "state", "the SMSO has let go", "", State.HANDED_OVER),
    (0.2, "SMSO", "H2", "ok", "the S1SP's key opens it, the SMSO's is refused", "", None),
    (0.3, "MCC", "V2", "state", "the files are looked at", "", State.IN_VALIDATION),
    (0.3, "MCC", "V2", "ok", "the answer is the MVF", "", None),
    (0.3, "S1SP", "V4", "ok", "signature, schema, counters and split supply", "", None),
    (0.4, "S1SP", "H4", "state", "the hub is awaited", "", State.AWAITING_CHF),
)
_TEST = (
    (3, "S1SP", "H4", "ok", "the hub was heard in time", "", None),
    (3, "S1SP", "T1", "state", "its hub was heard", "", State.TESTING),
    (3, "S1SP", "T1", "ok", "the hub answers; its device log has 3 devices", "", None),
    (3.1, "S1SP", "T2", "ok", "every version that was read is that of the combination", "", None),
)
COURSES = (
    Course(
        "migrated",
        (
            *(*_BEGIN, *_ON, *_TEST),
            (3.2, "S1SP", "T7", "state", "every check was met", "", State.VIABLE),
            (3.2, "S1SP", "C1", "state", "commissioning begins", "", State.COMMISSIONING),
            (3.3, "CP", "C3", "ok", "8.11 for ESME", "", None),
            (3.4, "SMSO", "C7", "state", "migrated", "", State.MIGRATED),
        ),
    ),
    Course(
        "rejected",
        (
            *_BEGIN,
            (0.3, "MCC", "V2", "failed", "not aligned with an EPCL entry", "MA110", None),
            (0.3, "MCC", "V2", "state", "refused", "MA110", State.REJECTED),
        ),
    ),
    Course(
        "silent",
        (
            *(*_BEGIN, *_ON),
            (7 * 24, "S1SP", "H4", "failed", "the hub was not heard in 7 days", "X-H4-7D", None),
            (7 * 24, "S1SP", "H4", "state", "stranded", "X-H4-7D", State.STRANDED),
        ),
        StrandedCause.NO_CHF_COMMS,
    ),
    Course(
        "rolled back",
        (
            *(*_BEGIN, *_ON, *_TEST),
            (3.2, "S1SP", "T3", "failed", "the ESME refuses the clock", "X-T3", None),
            (3.3, "SMSO", "R1", "state", "rollback begins", "", State.ROLLING_BACK),
            (3.6, "SMSO", "R4", "ok", "the SMSO's keys are back", "", None),
            (3.7, "SMSO", "R6", "state", "as it was", "X-T3", State.ROLLED_BACK),
        ),
    ),
)
#: Which course an installation takes, by its number.
_ORDER = (0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 3)


def head() -> Header:
    return Header(
        run_id="SEC-2022-A",
        title="Supplier's migration product, release 7",
        cohort="EA",
        group_id="EA",
        cohort_title="Final Operating Capability (BG)",
        participant="Example Supplier",
        mode="drop",
        environment="UIT-emulated",
        as_of=date(2023, 1, 31),
        as_of_why="last open day of Table 17.6",
        historical=False,
        label="Migration DUST style",
        seed=7,
        version=version(),
        definition_sha256=hashlib.sha256(b"definition").hexdigest(),
        versions=versions(),
        stand_ins={
            "migration schema": "the SMETS1 Migration Schema, as schemas/migration.xsd",
            "migration-codes": "the codes of the TMAD and the MEHRS (migration-real-codes.csv)",
            "metadata layouts": "the two diagrams missing from S003 §5",
        },
        rules_accepted=("5.9.10",),
        requesting_party="SMSO-BG",
        not_proven=("Fault put in on purpose: mute@wan at H4 in every twelfth home.",),
    )


def home(
    number: int, *, prefix: bytes = b"\x02\x53", course: int | None = None
) -> InstallationRecord:
    shape = _SHAPES[number % len(_SHAPES)]
    one = InstallationRecord(f"home-{number + 1:04d}", "EA", "EA", "Active", shape)
    kinds = [DeviceType.CHF, DeviceType.ESME]
    kinds += [] if shape == "electricity-only" else [DeviceType.GSME]
    for place, kind in enumerate(kinds):
        eui64 = Eui64(prefix + bytes((place, *number.to_bytes(4, "big"), 1)))
        one.devices.append(DeviceRecord(eui64, kind, holder=True, owner=Owner.S1SP))
    taken = COURSES[_ORDER[number % len(_ORDER)] if course is None else course]
    start = datetime(FIRST.year, FIRST.month, FIRST.day, 6, tzinfo=UTC) + timedelta(days=number % 5)
    for hours, actor, step, result, text, code, state in taken.steps:
        at = UtcMs(from_datetime(start) + int(hours * _HOUR_MS) + number)
        device = str(one.devices[1].eui64) if step in {"T3", "C3"} else ""
        entry = Entry(at, actor, step, result, text, device, code)
        if state is None:
            one.note(entry)
        else:
            one.move(state, entry, cause=taken.cause if state is State.STRANDED else None)
    one.attempts = 1
    one.exclusion = taken.exclusion
    return one


def record(count: int = 50, *, prefix: bytes = b"\x02\x53") -> DustRecord:
    homes = tuple(home(number, prefix=prefix) for number in range(count))
    days = []
    for offset in range(5):
        refs = tuple(one.ref for number, one in enumerate(homes) if number % 5 == offset)
        day = FIRST + timedelta(days=offset)
        asked = {"Example Supplier": len(refs) + 2, "dormant": 4, "SUPPLIER-B": 3 + offset}
        given = {"Example Supplier": len(refs), "dormant": 4, "SUPPLIER-B": 3}
        capacity = sum(given.values()) + 2
        days.append(Day(day, "2023-W04", capacity, asked, given, refs, offset + 1))
    return DustRecord(
        head(),
        RunState.DONE,
        6,
        Verdict.FAIL,
        "C-003 failed: a file of the participant was refused under MA110",
        _criteria(),
        _cases(),
        _defects(),
        tuple(days),
        homes,
        (),
        "2023-01-23T06:00:00.000Z",
        "2023-01-31T06:00:00.000Z",
        {homes[3].ref: "SUPPLIER-B"} if count > 3 else {},
    )


def _criteria() -> tuple[Criterion, ...]:
    return (
        Criterion(
            "E1", "entry", "epcl", "every combination is on the EPCL", Verdict.PASS, "all are"
        ),
        Criterion(
            *(
                "E2",
                "entry",
                "participant-certificates",
                "the participant's certificates are known",
            ),
            *(Verdict.PASS, "2 certificates", "source:S001 4.1.1"),
        ),
        Criterion(
            *("X1", "exit", "mandatory_cases", "every mandatory case passed or is waived"),
            *(Verdict.FAIL, "C-003 failed"),
        ),
        Criterion("X2", "exit", "terminal_states", "all at rest", Verdict.PASS, "50 of 50 are"),
    )


def _cases() -> tuple[CaseResult, ...]:
    ok = Expected(
        *("state of home-0001", "Migrated", "Migrated", Verdict.PASS, "TMAD 5.9"),
        *("source:S000 §5", (3, 9)),
    )
    wrong = Expected(
        *(
            "outcome of the MA file",
            "accepted",
            "MA110 in line 5",
            Verdict.FAIL,
            "MEHRS Appendix A",
        ),
        *("source:DCC-mehrs22", (12,), ("files/in/0001-MA.csv",)),
    )
    open_ = Expected(
        *("state of home-0008", "Migrated", "Stranded", Verdict.INCONCLUSIVE, "TMAD 5.8A"),
        *("inferred:S000 §5", (20,)),
    )
    return (
        CaseResult(
            *("C-001", "Happy path, dual fuel", "happy-path", True, ("home-0001", "home-0002")),
            *((ok,), Verdict.PASS, "all 1 expectation held"),
        ),
        CaseResult(
            *("C-002", "A hub is silent for seven days", "chf-silent", True, ("home-0008",)),
            *((open_,), Verdict.INCONCLUSIVE, "stranded, under an inferred rule"),
            *("A. Tester, 2023-03-01: known of the bench", "H4"),
        ),
        CaseResult(
            *("C-003", "Authorisation workbook", "ma-file-faults", True, ("home-0005",)),
            *((ok, wrong), Verdict.FAIL, "MA110 in line 5", "", "V2"),
        ),
        CaseResult(
            *("C-004", "Bilingual PPMID", "bilingual-ppmid", False, (), (), Verdict.SKIPPED),
            "the bench has no PPMID",
        ),
    )


def _defects() -> tuple[Defect, ...]:
    return (
        Defect(
            "D-001",
            2,
            "The workbook names a device model that is on no EPCL entry",
            Attribution.PARTICIPANT,
            case="C-003",
            ref="home-0005",
            first_failing_step="V2",
            code="MA110",
            events=(12,),
            files=("files/in/0001-MA.csv",),
        ),
        Defect(
            "D-002",
            3,
            "The hub was not heard in seven days",
            Attribution.DEVICE,
            case="C-002",
            ref="home-0008",
            first_failing_step="H4",
            code="X-H4-7D",
            events=(20,),
        ),
        Defect("D-003", 5, "A notice came a minute late", Attribution.OPEN),
    )


_PARTIES = {"MCC": "SMSO", "RP": "MCC", "S1SP": "DCO", "SMSO": "S1SP", "CP": "DSP"}
_PHASES = {
    "P": Phase.PLANNING,
    "V": Phase.VALIDATION,
    "H": Phase.VALIDATION,
    "T": Phase.TESTING,
    "C": Phase.COMMISSIONING,
    "R": Phase.TESTING,
}


def events(told: DustRecord) -> Iterator[DustEvent]:
    lines = [(line, one) for one in told.installations for line in one.history]
    start = min((line.at for line, _ in lines), default=UtcMs(0))
    yield DustEvent(1, UtcMs(start - _HOUR_MS), Level.INFO, Phase.ENTRY, "entry", "the run begins")
    number = 1
    for number, (line, one) in enumerate(sorted(lines, key=lambda pair: pair[0].at), 2):
        level = Level.WARNING if line.result == "failed" else Level.INFO
        yield DustEvent(
            *(number, line.at, level, _PHASES[line.step[0]], "step", line.text, line.actor),
            *(_PARTIES[line.actor], one.ref, line.device, line.step, line.state, line.code),
            turn=1 + (line.at - start) // (24 * _HOUR_MS),
        )
    end = UtcMs(start + 8 * 24 * _HOUR_MS)
    yield DustEvent(number + 1, end, Level.INFO, Phase.CLOSE, "close", "the run is over")


def kept(path: str) -> KeptFile:
    """A file as a record lists it."""
    digest = hashlib.sha256(path.encode()).hexdigest()
    told = ("Example Supplier", "DCC", "MA", "2023-01-23T06:00:00.000Z", "accepted", "valid")
    return KeptFile(path, 95, digest, *told, ("home-0001",))


def filled(folder: Path, count: int = 50, *, prefix: bytes = b"\x02\x53") -> DustRecord:
    """Write a run folder as an engine leaves it; returns its record."""
    told = record(count, prefix=prefix)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "definition.toml").write_text('[run]\nid = "SEC-2022-A"\n', "utf-8")
    log = EventLog(folder / "events.jsonl")
    for event in events(told):
        log.write(event)
    log.close()
    listed = []
    for number, one in enumerate(told.installations[:20], 1):
        device = one.devices[1].eui64
        way, name = ("in", "MA.csv") if number % 2 else ("out", "MCF.xml")
        path = f"files/{way}/{number:04d}-{name}"
        mpan = "9900000000000" if prefix[:1] == b"\x02" else "1200023305967"
        text = f"<Home><DeviceID>{device}</DeviceID><ImportMPxN>{mpan}</ImportMPxN></Home>\n"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
        listed.append(
            KeptFile(
                *(path, len(text), hashlib.sha256(text.encode()).hexdigest()),
                *("Example Supplier", "DCC") if way == "in" else ("RP", "MCC"),
                *("MA" if way == "in" else "MCF", iso(one.history[0].at), "accepted"),
                *("valid", (one.ref,)),
            )
        )
    (folder / "wire.pcapng").write_bytes(told.installations[0].devices[0].eui64.octets * 40)
    return replace(told, files=tuple(listed))
