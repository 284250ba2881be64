"""A made-up DUST run of any size as a run folder: record, log and files, courses with trouble."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.dust.events import Phase
from harness.dust.record import DustRecord, KeptFile, RunState
from harness.dust.record_form import render
from harness.migration.record import DeviceRecord, Entry, InstallationRecord
from harness.migration.states import Owner, State, StrandedCause
from tests.harness.dust.dust_sample import head, record

MADE_UP = b"\x02\x53"
LIVE = b"\x00\xdb"
_START = UtcMs(1_674_453_600_000)  # 2023-01-23T06:00Z
_DAY_MS = 86_400_000
_PER_DAY = 400
_MINUTE_MS = 60_000
_STEPS = (
    *(("P", number, "MCC") for number in range(1, 6)),
    *(("V", number, "MCC") for number in range(1, 5)),
    *(("H", number, "S1SP") for number in range(1, 6)),
    *(("T", number, "S1SP") for number in range(1, 8)),
    *(("C", number, "CP") for number in range(1, 8)),
)
_STATES = {
    "P5": State.AUTHORISED,
    "V1": State.IN_VALIDATION,
    "H4": State.AWAITING_CHF,
    "T1": State.TESTING,
    "T7": State.VIABLE,
    "C1": State.COMMISSIONING,
    "C7": State.MIGRATED,
}
#: Every so many installations, the step at which one fails, its code, and where it comes to rest.
_TROUBLE = (
    (11, "V2", "MA110", State.REJECTED, None),
    (17, "T3", "X-T3", State.STRANDED, StrandedCause.TESTING_FAILED),
    (29, "H4", "X-H4-7D", State.STRANDED, StrandedCause.NO_CHF_COMMS),
)
_PHASES = {"P": Phase.PLANNING, "T": Phase.TESTING, "C": Phase.COMMISSIONING}
_PHASES |= dict.fromkeys("VH", Phase.VALIDATION)
USER = "90-B3-D5-1F-30-01-00-00"


def _home(number: int, prefix: bytes, phases: str) -> InstallationRecord:
    one = InstallationRecord(f"dual-{number + 1:04d}", "EA", "EA", "Active", "dual-fuel")
    for place, kind in enumerate((DeviceType.CHF, DeviceType.ESME, DeviceType.GSME)):
        eui64 = Eui64(prefix + bytes((place, *number.to_bytes(4, "big"), 1)))
        firmware = ("00010203", "00010203" if place else "00010204")
        one.devices.append(DeviceRecord(eui64, kind, True, Owner.SMSO, "m", *firmware))
    at = UtcMs(_START + number // _PER_DAY * _DAY_MS + number % _PER_DAY * 7_000)
    trouble = next((row for row in _TROUBLE if number % row[0] == row[0] - 1), None)
    for letter, step_number, actor in (one for one in _STEPS if one[0] in phases):
        step = f"{letter}{step_number}"
        at = UtcMs(at + _MINUTE_MS)
        esme = str(one.devices[1].eui64) if letter in "TC" else ""
        if trouble is not None and step == trouble[1]:
            code, rest, cause = trouble[2:]
            one.note(Entry(at, actor, step, "failed", f"{step} was refused", esme, code))
            one.state, one.stranded_cause = rest, cause
            one.note(Entry(at, actor, step, "state", "at rest", "", code, state=rest.value))
            return one
        one.note(Entry(at, actor, step, "ok", f"{step} is as it should be", esme))
        state = _STATES.get(step)
        if state is not None:
            one.state = state
            one.note(Entry(at, actor, step, "state", f"{state.value} now", state=state.value))
    for device in one.devices:
        device.owner = Owner.S1SP
    return one


def homes(count: int, prefix: bytes = MADE_UP, phases: str = "PVHTC") -> list[InstallationRecord]:
    """Return installations with their histories, as far as some phases go."""
    return [_home(number, prefix, phases) for number in range(count)]


def events(told: list[InstallationRecord]) -> Iterator[dict[str, Any]]:
    """Yield what an engine tells of them, as lines hold it: turns, steps, states, and a read."""
    lines = sorted(
        ((line, one) for one in told for line in one.history), key=lambda pair: pair[0].at
    )
    first = {"at": iso(_START), "level": "info", "phase": Phase.ENTRY.value}
    yield {"number": 1, **first, "kind": "run", "text": "the run begins", "turn": 0}
    yield {"number": 2, **first, "kind": "turn", "text": "turn 1: authorise", "turn": 1}
    yield {"number": 3, **first, "kind": "turn-done", "text": "turn 1 is over", "turn": 1}
    number = 4
    for line, one in lines:
        bad = line.result == "failed"
        head: dict[str, Any] = {
            "at": iso(line.at),
            "level": "warning" if bad else "info",
            "ref": one.ref,
        }
        head["turn"] = 2 + (line.at - _START) // _DAY_MS
        step = {"party": line.actor, "device": line.device, "step": line.step}
        step |= {"state": line.state, "code": line.code, "phase": _PHASES[line.step[0]].value}
        kind = {"kind": "state" if line.state else "step", "text": line.text}
        told_result = {"told": {"result": line.result}}
        yield {"number": number, **head, **_full(step), **kind, **told_result}
        number += 1
        if line.state == State.MIGRATED:
            device = str(one.devices[1].eui64)
            head |= {"phase": Phase.AFTER.value, "device": device}
            request = {"kind": "request", "text": f"4.8.1 for {device}"}
            answer = {"kind": "answer", "text": "4.8.1: I0", "code": "I0"}
            yield {"number": number, **head, **request, "party": USER, "receiver": "DCC"}
            yield {"number": number + 1, **head, **answer, "party": "DCC", "receiver": USER}
            number += 2


def _full(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def line_of(event: dict[str, Any]) -> str:
    """Return a line of ``events.jsonl``."""
    return json.dumps(event, separators=(",", ":")) + "\n"


def _files(folder: Path, told: list[InstallationRecord]) -> Iterator[KeptFile]:
    for number, one in enumerate(told[:40], 1):
        device = one.devices[1].eui64
        way, name = ("in", "MA.csv") if number % 2 else ("out", "MCF.xml")
        path = f"files/{way}/{number:04d}-{name}"
        octets = f"<Home><DeviceID>{device}</DeviceID></Home>\n".encode()
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(octets)
        yield KeptFile(
            *(path, len(octets), hashlib.sha256(octets).hexdigest(), "Example Supplier", "DCC"),
            *(name[:3].strip("."), iso(_START), "accepted", "valid", (one.ref,)),
        )


def write(  # noqa: PLR0913 -- the sides that samples of a run have
    folder: Path,
    count: int = 50,
    *,
    prefix: bytes = MADE_UP,
    done: bool = True,
    histories: bool = True,
    phases: str = "PVHTC",
) -> DustRecord:
    """Write a run folder as an engine leaves it; returns its record.

    Args:
        folder: Where.
        count: Installations.
        prefix: First octets of their EUI-64s; ``LIVE`` ones might be real.
        done: Whether the run is over.
        histories: Whether the record holds histories (pages do not read them there).
        phases: Letters of the phases that are played.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = homes(count, prefix, phases)
    with (folder / "events.jsonl").open("w", encoding="utf-8") as log:
        log.writelines(map(line_of, events(told)))
    if not histories:
        told = [replace(one, history=[]) for one in told]
    sample = record(1)
    whole = replace(
        sample,
        header=replace(head(), run_id=folder.name),
        installations=tuple(told),
        files=tuple(_files(folder, told)),
        state=RunState.DONE if done else RunState.RUNNING,
        verdict=sample.verdict if done else None,
        reason=sample.reason if done else "the run is under way",
    )
    (folder / "run.json").write_text(render(whole), "utf-8")
    (folder / "definition.toml").write_text(f'[run]\nid = "{folder.name}"\n', "utf-8")
    (folder / "report.html").write_text("<!DOCTYPE html><title>r</title><p>the report", "utf-8")
    (folder / "journal.sqlite").write_bytes(b"SQLite format 3\0keys")
    return whole
