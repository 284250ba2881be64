"""A run as ``report.json`` (schema ``harness/schemas/dust-report.schema.json``)."""

from typing import Any

from harness.dust import record_form
from harness.dust.record import DustRecord
from harness.dust.report_coverage import Coverage
from harness.dust.report_model import Report
from harness.migration import run_rows
from harness.migration.record import InstallationRecord
from harness.report.migration_grid import Grid
from harness.verdict import Verdict


def document(report: Report) -> dict[str, Any]:
    """Return the run as JSON values."""
    record = report.record
    plain = record_form.document(record)
    return {
        "kind": "dust",
        **{name: plain[name] for name in ("header", "state", "turn", "verdict", "reason")},
        "identifiers": report.shown.value,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        **{name: plain[name] for name in ("criteria", "cases", "defects", "days")},
        "totals": report.totals,
        "unreconciled": list(report.unreconciled),
        "coverage": _coverage(report.coverage),
        "installations": _installations(record, report.grid),
        "files": plain["files"],
        "events": report.levels,
        "not_proven": [{"kind": one.kind, "text": one.text} for one in report.open_points],
    }


def _coverage(told: Coverage) -> dict[str, Any]:
    return {
        "cohort": told.cohort,
        "shapes": list(told.shapes),
        "homes": list(told.homes),
        "clauses": [
            {
                "clause": row.clause,
                "steps": list(row.steps),
                "evidence": list(row.evidence),
                "cells": [
                    {"verdict": _word(one.verdict), "judged": one.judged, "played": one.played}
                    for one in row.cells
                ],
            }
            for row in told.rows
        ],
    }


def _installations(record: DustRecord, told: Grid) -> list[dict[str, Any]]:
    cells = {
        member.ref: [one.result for one in row.cells] for row in told.rows for member in row.members
    }
    return [
        _installation(one, dict(zip(told.steps, cells[one.ref], strict=True)))
        for one in record.installations
    ]


def _installation(one: InstallationRecord, steps: dict[str, str]) -> dict[str, Any]:
    head = run_rows.head(one)
    wanted = ("ref", "state", "stranded_cause", "code", "attempts", "class", "shape", "verdict")
    return {
        **{name: head[name] for name in wanted},
        "exclusion": one.exclusion,
        "steps": {step: result for step, result in steps.items() if result},
    }


def _word(verdict: Verdict | None) -> str | None:
    return None if verdict is None else verdict.name


def render(report: Report) -> bytes:
    """Return ``report.json``."""
    return record_form.lines(document(report)).encode()
