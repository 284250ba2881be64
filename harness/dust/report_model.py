"""What every report of a run says, worked out once from record and events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from device_profiles.words import SupplyShape
from harness.dust.event_digest import EventDigest
from harness.dust.events import DustEvent, Level
from harness.dust.mrr import reconcile_mrr
from harness.dust.pseudonyms import Shown
from harness.dust.record import DustRecord
from harness.dust.report_coverage import Coverage, coverage
from harness.dust.report_gaps import OpenPoint, open_points
from harness.migration.record import InstallationRecord
from harness.migration.totals import totals
from harness.report.migration_grid import Grid, grid
from harness.report.migration_model import Played
from harness.report.trace import TraceItem
from harness.verdict import Verdict

#: Messages of one installation that are drawn at most.
_MOST_MESSAGES: Final = 150
_IDENTIFIERS: Final = {
    Shown.PLAIN: "Identifiers are shown as they are (--with-identifiers).",
    Shown.PSEUDONYMS: (
        "Identifiers of user data are pseudonyms (EE-EE-… for an EUI-64, leading noughts for an"
        " MPxN, noughts for a UTRN), the same one always by the same; --with-identifiers shows"
        " them."
    ),
    Shown.MADE_UP: "All identifiers are made up (EUI-64s 02-53-…, MPxNs 99…): none can be live.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The installation whose course is told at length.

    Attributes:
        ref: Which one; empty where the run has none.
        why: Why this one.
        record: What is kept of it.
        trace: Messages between parties about it.
        left_out: Further messages that are not drawn.
    """

    ref: str
    why: str
    record: InstallationRecord | None
    trace: tuple[TraceItem, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Report:
    """A run as reports tell it.

    Attributes:
        record: The run.
        shown: What a reader sees of identifiers.
        identifiers: The same in words.
        totals: Counts of ``harness.migration.totals``.
        grid: Installations by step.
        coverage: Clauses by cohort and shape.
        open_points: What the run does not prove.
        unreconciled: Sums that do not follow from histories.
        chosen: One installation at length.
        events: What was gathered of all events.
        warnings: Events of level warning and error, the first ones.
        levels: Level -> number of events.
    """

    record: DustRecord
    shown: Shown
    identifiers: str
    totals: dict[str, Any]
    grid: Grid
    coverage: Coverage
    open_points: tuple[OpenPoint, ...]
    unreconciled: tuple[str, ...]
    chosen: Chosen
    events: EventDigest
    warnings: tuple[DustEvent, ...]
    levels: dict[str, int]

    @property
    def verdict_word(self) -> str:
        """The verdict of the run, or ``NONE``."""
        return word(self.record.verdict)


def word(verdict: Verdict | None) -> str:
    """Return a verdict as reports write it."""
    return "NONE" if verdict is None else verdict.name


def build(record: DustRecord, events: Iterable[DustEvent], shown: Shown) -> Report:
    """Work out what reports say; the events are gone through once."""
    ref, why = _choice(record)
    told = EventDigest(events, ref, _owners(record))
    return Report(
        record=record,
        shown=shown,
        identifiers=_IDENTIFIERS[shown],
        totals=totals(record.installations),
        grid=grid(
            [Played(number, one.ref, one, ()) for number, one in enumerate(record.installations)]
        ),
        coverage=coverage(record),
        open_points=open_points(record, tuple(SupplyShape)),
        unreconciled=reconcile_mrr(record),
        chosen=_chosen(record, ref, why, told),
        events=told,
        warnings=tuple(told.warnings),
        levels={level.value: told.levels[level] for level in Level},
    )


def _choice(record: DustRecord) -> tuple[str, str]:
    """Return the installation that is told at length, and why this one."""
    homes = {one.ref: one for one in record.installations}
    longest = max(homes.values(), key=lambda one: len(one.history), default=None)
    fallback = ("" if longest is None else longest.ref, "its history, the longest; nothing failed")
    return next(((ref, why) for ref, why in _candidates(record) if ref in homes), fallback)


def _owners(record: DustRecord) -> dict[str, str]:
    """Return ref or device -> installation."""
    homes = record.installations
    devices = {str(device.eui64): one.ref for one in homes for device in one.devices}
    return {one.ref: one.ref for one in homes} | devices


def _chosen(record: DustRecord, ref: str, why: str, events: EventDigest) -> Chosen:
    about = events.about()
    trace = tuple(_item(one) for one in about[:_MOST_MESSAGES])
    home = next((one for one in record.installations if one.ref == ref), None)
    return Chosen(ref, why, home, trace, max(0, len(about) - len(trace)))


def _candidates(record: DustRecord) -> Iterator[tuple[str, str]]:
    for defect in sorted(record.defects, key=lambda one: one.severity):
        yield defect.ref, f"defect {defect.id}"
    for case in record.cases:
        if case.verdict > Verdict.PASS:
            yield from ((ref, f"case {case.id}") for ref in case.refs)


def _item(one: DustEvent) -> TraceItem:
    code = f" [{one.code}]" if one.code else ""
    return TraceItem(
        at_us=one.at * 1000,
        link="party",
        step=one.turn + 1,
        sender=one.party,
        receiver=one.receiver,
        label=f"{one.step + ' ' if one.step else ''}{one.text}{code}",
        family="",
        layers=(),
        octets=b"",
        damaged=one.level is Level.ERROR,
    )
