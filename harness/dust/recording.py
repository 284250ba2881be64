"""The record of a run as it stands: head, cases, defects, criteria, days, homes, files."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from device_profiles.files import Folders
from device_profiles.installation import Installation
from harness.dust.bench_homes import BenchHomes, told_of
from harness.dust.borne_out import LetterRow, load_letters
from harness.dust.cases import Facts, judge_cases
from harness.dust.chronicle import Chronicle
from harness.dust.closing import RunDays
from harness.dust.defects import DefectRow, find_defects, load_defect_rows
from harness.dust.definition import Definition
from harness.dust.definition_faults import put_in
from harness.dust.exits import Outcome, judge_exit, verdict_of
from harness.dust.pack_parts import versions
from harness.dust.record import Criterion, Day, DustRecord, Header, RunState
from harness.dust.record_form import Rendered
from harness.dust.reports import replace_whole
from harness.migration.record import InstallationRecord
from harness.rules.migration_rulebook import RuleBook
from harness.setting import version
from harness.standins import collect, others
from harness.verdict import Verdict

RUN: Final = "run.json"
#: Data files of every run, by the beginnings of their names.
_USED: Final = ("catalogues/migration-", "catalogues/dmc", "catalogues/epcl", "catalogues/cpl")


def header_of(
    definition: Definition,
    days: RunDays,
    homes: Sequence[Installation],
    on_benches: BenchHomes | None = None,
) -> Header:
    """Return the head of a run's reports."""
    there = on_benches or BenchHomes()
    facts = definition.cohort.cohort
    named = definition.participant
    clause = days.window.clause
    return Header(
        run_id=definition.run.id,
        title=definition.run.title,
        cohort=definition.cohort.key,
        group_id=facts.group_id,
        cohort_title=definition.cohort.title,
        participant=named.name,
        mode=str(named.mode),
        environment=str(definition.run.environment),
        as_of=days.as_of,
        as_of_why=f"the cohort's last open day ({clause})" if days.is_default else "definition",
        historical=days.historical,
        label=definition.kind,
        seed=definition.run.seed,
        version=version(),
        definition_sha256=definition.sha256,
        versions=versions(),
        stand_ins=stand_ins_of(definition, homes),
        rules_accepted=definition.rules_accepted,
        not_proven=(*put_in(definition), *days.remarks, *there.not_proven()),
        benches=there.told(),
    )


def stand_ins_of(definition: Definition, homes: Sequence[Installation]) -> dict[str, str]:
    """Return the stand-ins that a run rests on, data file by data file, and what replaces them."""
    profiles = {f"models/{device.profile}" for home in homes for device in home.devices}
    cohort = f"cohorts/{definition.cohort.key}"
    found: dict[str, list[str]] = defaultdict(list)
    folders: Folders = definition.overlays
    for one in collect(folders, inferred=False):
        if one.file in profiles or one.file == cohort or one.file.startswith(_USED):
            found[one.file].append(one.replaced_by)
    told = {
        file: f"{len(rows)} values; {', '.join(dict.fromkeys(rows))}"
        for file, rows in sorted(found.items())
    }
    elsewhere = {
        name: better
        for name, (_what, better) in others(folders).items()
        if name.startswith(("migration", "made-up", "role octets"))
    }
    return told | elsewhere


@dataclass(slots=True)
class Recorder:
    """Makes the record of a run, again and again.

    Attributes:
        definition: The definition.
        header: Its head.
        book: The rules.
        folder: The run folder.
    """

    definition: Definition
    header: Header
    book: RuleBook = field(repr=False)
    folder: Path
    _rows: tuple[DefectRow, ...] = field(init=False, repr=False)
    _letters: tuple[LetterRow, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._rows = load_defect_rows(self.definition.overlays)
        self._letters = load_letters(self.definition.overlays)

    def record(  # noqa: PLR0913 -- what a record is made of
        self,
        chronicle: Chronicle,
        records: Mapping[str, InstallationRecord],
        *,
        criteria: Sequence[Criterion],
        days: Sequence[Day],
        moments: tuple[str, str],
        today: date,
        over: bool,
        skipped: Mapping[str, str] | None = None,
    ) -> DustRecord:
        """Return the record as it stands.

        Args:
            chronicle: Files and events.
            records: What is kept of each home.
            criteria: Entry criteria as they were judged.
            days: Migration days that were played.
            moments: When the run began and ended, ISO 8601; the end may be empty.
            today: Day on which waivers are looked at.
            over: Whether the run is over.
            skipped: Home -> why its bench could not play it.
        """
        ordered = {ref: records[ref] for ref in sorted(records)}
        accepted = frozenset(self.definition.rules_accepted)
        files = chronicle.files()
        facts = Facts(ordered, files, chronicle.results, self.book, accepted, over, self._letters)
        not_played = skipped or {}
        cases = judge_cases(self.definition, facts, not_played, today)
        defects = find_defects(self.definition, cases, facts, self._rows, not_played)
        kept = [*criteria]
        verdict: Verdict | None = None
        reason = "the run is under way"
        if over:
            kept += judge_exit(self.definition, Outcome(facts, cases, defects, self.folder))
            verdict, reason = verdict_of(kept)
            reason += f"; not played: {', '.join(sorted(not_played))}" if not_played else ""
        return DustRecord(
            header=told_of(self.header, not_played),
            state=RunState.DONE if over else RunState.RUNNING,
            turn=chronicle.turn,
            verdict=verdict,
            reason=reason,
            criteria=tuple(kept),
            cases=cases,
            defects=defects,
            days=tuple(days),
            installations=tuple(ordered.values()),
            files=files,
            started_at=moments[0],
            ended_at=moments[1],
        )


def write_record(folder: Path, record: DustRecord) -> None:
    """Write ``run.json``, whole or not at all."""
    replace_whole(folder / RUN, Rendered(record))
