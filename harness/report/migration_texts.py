"""A migration run as ``run.json``, ``events.jsonl``, ``junit.xml`` and ``installations.csv``."""

import csv
import io
import json
from typing import Any, Final

from lxml import etree

from emulator.core.clock import iso
from harness.migration import run_rows
from harness.migration.record import Entry
from harness.report.junit import clean
from harness.report.migration_model import DURABILITY, MigrationRecord, Played
from harness.verdict import Verdict

#: Columns of ``installations.csv``; the last one says what every row of it rests on.
COLUMNS: Final = (
    "ref",
    "cohort",
    "group_id",
    "class",
    "shape",
    "state",
    "stranded_cause",
    "attempts",
    "code",
    "sim_owner",
    "verdict",
    "evidence",
)


def document(run: MigrationRecord) -> dict[str, Any]:
    """Return the run as JSON values; ``installations`` and ``totals`` are those of ``--json``."""
    return {
        "kind": "migration",
        "run": run.id,
        "state": run.state,
        "verdict": None if run.verdict is None else run.verdict.name,
        "seed": run.options.seed,
        "version": run.version,
        "bench": "emulated",
        "durability": dict(DURABILITY),
        "options": run.options.dump(),
        "about": dict(run.about),
        "rounds": [
            {"number": one.number + 1, "kind": one.kind, "done": one.done, **one.told}
            for one in run.rounds
        ],
        "installations": [_installation(one) for one in run.installations],
        "totals": run.totals(),
        "migration_files": [
            {
                **dict(one.told),
                "name": one.name,
                "sha256": one.sha256,
                "size_bytes": one.size_bytes,
                "round": one.round + 1,
            }
            for one in run.sent
        ],
        "remarks": list(run.remarks),
        "files": dict(run.files),
    }


def _installation(one: Played) -> dict[str, Any]:
    """Return one installation; one that was not played has no state."""
    if one.record is None:
        rows: dict[str, Any] = {"ref": one.ref, "state": None, "verdict": None, "history": []}
    else:
        rows = run_rows.row(one.record)
    facts = [{"round": number + 1, **play.facts} for number, play in one.plays]
    verdict = None if one.verdict is None else one.verdict.name
    return {**rows, "verdict": verdict, "error": one.error or None, "plays": facts}


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


def render_json(run: MigrationRecord) -> bytes:
    """Return ``run.json``: one line an installation, of which there may be thousands."""
    told = document(run)
    rows = [_ENCODER.encode(row) for row in told["installations"]]
    text = json.dumps({**told, "installations": []}, indent=1, ensure_ascii=False)
    lines = "".join(
        f"\n  {row}{',' if number < len(rows) else ''}" for number, row in enumerate(rows, 1)
    )
    empty = '\n "installations": []'  # one blank before it: of the document itself
    return (text.replace(empty, f"{empty[:-1]}{lines}\n ]", 1) + "\n").encode()


def render_events(run: MigrationRecord) -> bytes:
    """Return ``events.jsonl``: each line of each history, by installation, in order."""
    lines = [
        _ENCODER.encode({"installation": one.ref, **_entry(entry)})
        for one in run.installations
        if one.record is not None
        for entry in one.record.history
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _entry(entry: Entry) -> dict[str, Any]:
    told = {name: getattr(entry, name) for name in Entry.__slots__}
    return {**told, "at": iso(entry.at)}


def render_csv(run: MigrationRecord) -> bytes:
    """Return ``installations.csv``: one row an installation, its basis in the last column."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in run.installations:
        record = one.record
        if record is None:
            continue
        row = run_rows.head(record)
        code = row["code"]
        firm = one.verdict is Verdict.FAIL and code in run_rows.FIRM_CODES
        writer.writerow(
            [
                record.ref,
                record.cohort,
                record.group_id,
                row["class"],
                row["shape"],
                row["state"],
                row["stranded_cause"] or "",
                record.attempts,
                code,
                row["sim_owner"],
                "" if one.verdict is None else one.verdict.name,
                "source:public" if firm else "stand-in",
            ]
        )
    return out.getvalue().encode()


def render_junit(run: MigrationRecord) -> bytes:
    """Return ``junit.xml``: one suite, a case an installation.

    What is not migrated is a failure of its verdict's type; what broke is an error; what was never
    planned, or not played yet, is skipped.
    """
    cases = [_case(run, one) for one in run.installations]
    root = etree.Element("testsuites", name=f"smetsbench {run.id}")
    suite = etree.SubElement(root, "testsuite", name=f"migration {run.about['cohort']}")
    properties = etree.SubElement(suite, "properties")
    for name, value in (
        ("seed", str(run.options.seed)),
        ("cohort", str(run.about["cohort"])),
        ("group_id", str(run.about["group_id"])),
        ("durability", DURABILITY["grade"]),
        ("evidence", "stand-in: files and rules that are not public are made up"),
        ("smetsbench", run.version),
    ):
        etree.SubElement(properties, "property", name=name, value=clean(value))
    suite.extend(cases)
    for element in (suite, root):
        element.set("tests", str(len(cases)))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    etree.indent(root)
    octets: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return octets


def _case(run: MigrationRecord, one: Played) -> etree._Element:
    case = etree.Element(
        "testcase", classname=f"migration.{run.about['cohort']}", name=clean(one.ref)
    )
    record = one.record
    if record is not None and record.history:
        took_ms = record.history[-1].at - record.history[0].at
        case.set("time", f"{took_ms / 1000:.3f}")
    verdict, told = one.verdict, clean(one.reason)
    if verdict is Verdict.ERROR:
        etree.SubElement(case, "error", message=told, type="ERROR")
    elif verdict is None or verdict is Verdict.SKIPPED:
        etree.SubElement(case, "skipped", message=told)
    elif verdict is not Verdict.PASS:
        etree.SubElement(case, "failure", message=told, type=verdict.name)
    return case
