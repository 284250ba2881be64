"""What a run does not prove: what is made up, inferred, accepted, waived, skipped, not covered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from device_profiles.cohort import cohort_names
from device_profiles.words import SupplyShape
from harness.dust.record import CaseResult, DustRecord, RunState
from harness.report.evidence import MEANINGS, kind_of
from harness.verdict import Verdict, is_firm

_EMULATED: Final = (
    "Every device was emulated: this shows that the rules as written here are met by devices as"
    " described here, not how a real device behaves."
)
_REAL: Final = (
    "Devices on benches were reached through ports of this computer; those at a loopback endpoint"
    " were programs, and hubs, networks and head ends were emulated throughout."
)
_SERVICE: Final = (
    "Migration DUST itself is not public: entry and exit criteria, severities and the form of this"
    " evidence are ours. A pass here is no pass of the DCC's service."
)


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """One thing that a run leaves open.

    Attributes:
        kind: ``missing``, ``emulated``, ``stand-in``, ``inferred``, ``accepted``, ``waived``,
            ``skipped``, ``fault`` or ``undecided``.
        text: One sentence.
    """

    kind: str
    text: str


def open_points(record: DustRecord, shapes: Sequence[SupplyShape]) -> tuple[OpenPoint, ...]:
    """Return what a run leaves open, each thing once."""
    every = [*_of_run(record), *_of_data(record), *_of_cases(record), *_not_covered(record, shapes)]
    return tuple(dict.fromkeys(every))


def _of_run(record: DustRecord) -> Iterator[OpenPoint]:
    if record.state is not RunState.DONE:
        yield OpenPoint("missing", f"The run is {record.state.value}: what is below is as it was.")
    head = record.header
    emulated = "emulated" in head.environment.lower()
    yield OpenPoint("emulated", _EMULATED if emulated else _REAL)
    yield OpenPoint("stand-in", _SERVICE)
    if head.historical:
        yield OpenPoint("accepted", f"The cohort was closed on {head.as_of}: a historical run.")
    if head.mode == "simulated":
        text = "The participant was simulated: nothing is shown of any real participant's system."
        yield OpenPoint("emulated", text)
    yield from (OpenPoint("fault", text) for text in head.not_proven)


def _of_data(record: DustRecord) -> Iterator[OpenPoint]:
    for name, better in sorted(record.header.stand_ins.items()):
        yield OpenPoint("stand-in", f"{name}; would be replaced by {better}.")
    for rule in record.header.rules_accepted:
        yield OpenPoint("accepted", f"The rule {rule} may carry a FAIL although it is not firm.")


def _of_cases(record: DustRecord) -> Iterator[OpenPoint]:
    for one in record.criteria:
        if one.verdict is Verdict.SKIPPED:
            yield OpenPoint("skipped", f"Criterion {one.id} was not judged: {one.reason}.")
    for case in record.cases:
        if case.waived_by:
            yield OpenPoint("waived", f"Case {case.id} was waived by {case.waived_by}.")
        elif case.verdict is Verdict.SKIPPED:
            yield OpenPoint("skipped", f"Case {case.id} was skipped: {case.reason}.")
        yield from _weak(case)


def _weak(case: CaseResult) -> Iterator[OpenPoint]:
    """Yield which expectations rest on no published rule, once a case and kind."""
    counts: dict[str, int] = {}
    for one in case.expected:
        if not is_firm(one.evidence):
            kind = kind_of(one.evidence)
            counts[kind] = counts.get(kind, 0) + 1
    for kind, count in sorted(counts.items()):
        told = MEANINGS.get(kind, kind)
        rests = f"{count} of its {len(case.expected)} expectations rest on rules that are: {told}"
        shown = kind if kind in {"inferred", "stand-in"} else "inferred"
        yield OpenPoint(shown, f"Case {case.id}: {rests}.")


def _not_covered(record: DustRecord, shapes: Sequence[SupplyShape]) -> Iterator[OpenPoint]:
    present = {str(one.shape) for one in record.installations}
    absent = [one.value for one in shapes if one.value not in present]
    if absent:
        yield OpenPoint("missing", f"No installation of shape {', '.join(absent)} was migrated.")
    others = [name for name in cohort_names() if name != record.header.cohort]
    yield OpenPoint("missing", f"Nothing is shown of cohorts {', '.join(others)}.")
