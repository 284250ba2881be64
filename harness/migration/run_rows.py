"""A migration run's records as rows: JSON for machines, one line an installation for people."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from emulator.core.clock import iso
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import State
from harness.migration.totals import resting_code, resting_entry, totals
from harness.verdict import Verdict

#: What an installation's resting state says of the migration (architecture, rule 10).
_CLEAN: Final = frozenset({State.MIGRATED})
_LEFT_ALONE: Final = frozenset({State.NOT_PLANNED, State.EXCLUDED})
#: Codes that stand in a public document; a refusal under any other rests on a stand-in rule.
#: Source: MA110 (MEHRS of March 2022), GT01 ("Various 1"); see migration.md 6.4.
FIRM_CODES: Final = frozenset({"MA110", "GT01"})


def document(records: Sequence[InstallationRecord]) -> dict[str, Any]:
    """Return ``{installations, totals}`` as ``migration run --json`` prints it."""
    return {"installations": [row(one) for one in records], "totals": totals(records)}


def row(record: InstallationRecord) -> dict[str, Any]:
    """Return one installation; its history is whole, and holds no key and no file counter."""
    return {**head(record), "history": [_entry(one) for one in record.history]}


def head(record: InstallationRecord) -> dict[str, Any]:
    """Return one installation without its history."""
    cause = record.stranded_cause
    return {
        "ref": record.ref,
        "state": record.state.value,
        "attempts": record.attempts,
        "stranded_cause": None if cause is None else cause.value,
        "verdict": verdict(record).name,
        "code": resting_code(record),
        "class": str(record.installation_class),
        "shape": str(record.shape),
        "sim_owner": record.sim_owner.value,
        "judgement": record.judgement,
        "exclusion": record.exclusion,
        "devices": [
            {
                "eui64": str(one.eui64),
                "device_type": one.device_type.value,
                "holder": one.holder,
                "owner": one.owner.value if one.holder else "",  # no credential: nobody's
                "firmware_declared": one.firmware_declared,
                "firmware_running": one.firmware_running,
            }
            for one in record.devices
        ],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    told = {name: getattr(entry, name) for name in Entry.__slots__}
    return {**told, "at": iso(entry.at)}


def verdict(record: InstallationRecord) -> Verdict:
    """Return what an installation's end says: PASS migrated, SKIPPED never begun, else not proven.

    An installation that was refused, rolled back or stranded under a rule nobody has read is
    INCONCLUSIVE; under a documented code it is FAIL. One that is excluded because it failed too
    often was begun: it failed as its last attempt did.
    """
    if record.state in _CLEAN:
        return Verdict.PASS
    if record.state in _LEFT_ALONE and not record.failures:
        return Verdict.SKIPPED
    return Verdict.FAIL if resting_code(record) in FIRM_CODES else Verdict.INCONCLUSIVE


def reason(record: InstallationRecord) -> str:
    """Return one sentence on why an installation stands where it stands."""
    entry = resting_entry(record)
    cause = f" ({record.stranded_cause.value})" if record.stranded_cause is not None else ""
    if entry is None:
        return f"{record.state.value}{cause}"
    return f"{record.state.value}{cause} at {entry.step}: {entry.text}"


def steps_of(records: Iterable[InstallationRecord]) -> list[str]:
    """Return the step ids that occur in histories, in the order of the course."""
    seen = {entry.step for record in records for entry in record.history if entry.step}
    return sorted(seen, key=step_order)


#: Phases in the order of work; steps of one phase by their number.
_PHASES: Final = "PMVHTCR"


def step_order(step: str) -> tuple[int, int, str]:
    """Return what sorts step ids by phase and number (``H10`` behind ``H2``)."""
    phase = _PHASES.find(step[:1])
    digits = step[1:]
    number = int(digits) if digits.isdigit() else 99
    return (len(_PHASES) if phase < 0 else phase, number, step)
