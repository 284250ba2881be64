"""The Migration Control Centre: validates Migration Common Files and answers with an MVF."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from device_profiles.cohort import Cohort
from harness.formats.migration_files.building import short
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.checks import Check
from harness.formats.migration_files.common_file import CommonFile, CommonInstallation
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.document import MigrationFile
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.groups import cohort_of
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.reading import CheckedFile, Context, check_octets
from harness.formats.migration_files.result_files import ValidatedInstallation, ValidationFile
from harness.formats.migration_files.words import Validity
from harness.rules.counters import COUNTER_CHECKS
from harness.rules.migration_calendar import FileDayFacts, calendar_checks
from harness.rules.migration_installation import (
    Claim,
    CommonFacts,
    Desk,
    InstallationRules,
    shared_in,
)
from harness.rules.migration_rulebook import Judge
from harness.rules.outcomes import Outcome, rejection

NAME: Final = "MCC"


@dataclass(frozen=True, slots=True)
class CommonVerdict:
    """What the MCC says of one MCF.

    Attributes:
        file: The MCF after its own checks; refused where the file as a whole is.
        installations: Ref -> outcomes of its rules; empty for a refused file.
        content: What the MVF says.
    """

    file: CheckedFile
    installations: Mapping[str, tuple[Outcome, ...]]
    content: ValidationFile

    def result(self, ref: str) -> Result:
        """Return what became of one installation."""
        if self.file.error is not None:
            return Result.NOT_PROCESSED
        refused = any(one.rejected for one in self.installations[ref])
        return Result.REFUSED if refused else Result.ACCEPTED


class Mcc:
    """Validates MCFs of all Requesting Parties; knows which are open, and which devices they name.

    Args:
        context: What files are checked against; no key that opens an envelope is in it.
        rules: Rules of installations.

    Attributes:
        claims: Device, printed form -> who named it in an MCF that is still open.
        judgements: What it wrote when it let migrations be completed (5.8A): ref -> sentences.
    """

    name: Final = NAME

    def __init__(self, context: Context, rules: InstallationRules) -> None:
        self._context = context
        self._rules = rules
        self.claims: dict[str, Claim] = {}
        self.judgements: dict[str, list[str]] = {}

    def validate(  # noqa: PLR0913 -- a file, its day, and what of it is asked here
        self,
        name: str,
        octets: bytes,
        day: date,
        *,
        ledger: Ledger | None = None,
        desk: Desk = Desk.MCC,
        stranded: frozenset[str] | None = None,
    ) -> CommonVerdict:
        """Validate one MCF (step V2): file level first, then installation by installation.

        Args:
            name: Its name.
            octets: What arrived.
            day: The day it is handed in, UTC.
            ledger: Counters, where 5.9.5 is asked here (order B); None: it is not.
            desk: Whose rules of installations are asked; both in order B.
            stranded: Refs that are stranded; None: nobody knows.
        """
        row = check_octets(name, octets, self._context)
        if row.file is not None and not isinstance(row.file.content, CommonFile):
            why = f"a {row.file.header.file_type} in the place of a Migration Common File"
            row = row.refused(MigrationFileError(Check("SET"), "06", why))
        if row.file is None or not isinstance(row.file.content, CommonFile):
            return _refused(row)
        cohort = cohort_of(row.file.header.group_id, self._context.groups)
        row = self._file_rules(row, row.file, cohort, day, ledger)
        if row.file is None or not isinstance(row.file.content, CommonFile):
            return _refused(row)
        header, installations = row.file.header, row.file.content.installations
        shared = shared_in(installations)
        found: dict[str, tuple[Outcome, ...]] = {}
        for one in installations:
            facts = CommonFacts(header, cohort, one, shared, self.claims, stranded)
            found[one.ref] = self._rules.ask(facts, day, desk)
        verdict = CommonVerdict(row, found, _content(found))
        self._claim(header, installations, verdict)
        return verdict

    def _file_rules(
        self,
        row: CheckedFile,
        file: MigrationFile,
        cohort: Cohort,
        day: date,
        ledger: Ledger | None,
    ) -> CheckedFile:
        """Ask the rules of days, and 5.9.5 where it is asked here."""
        judge = Judge(self._context.book, day, self._context.switches)
        checks = {
            rule: check
            for rule, check in calendar_checks(self._context.book).items()
            if rule != "GROUP"  # asked with the file's own checks
        }
        outcomes = judge.run(checks, FileDayFacts(cohort, day))
        if ledger is not None:
            facts = ledger.facts(file.header, file.header)
            outcomes = (*outcomes, judge.ask("5.9.5", COUNTER_CHECKS["5.9.5"], facts))
        first = rejection(outcomes)
        row = row.warned(Finding.of(one) for one in outcomes if one.code and not one.rejected)
        if first is None:
            return row
        why = Finding.of(first).text
        return row.refused(MigrationFileError(Check(first.rule), first.sub_code, why))

    def _claim(
        self, header: Header, installations: Iterable[CommonInstallation], verdict: CommonVerdict
    ) -> None:
        """Remember whose open MCF names which device."""
        party = str(header.requesting_party)
        for one in installations:
            if verdict.result(one.ref) is Result.ACCEPTED:
                claim = Claim(party, header.group_id, header.counter, one.ref)
                self.claims.update({str(device): claim for device in one.devices})

    def release(self, refs: Iterable[str]) -> None:
        """Forget the claims of installations whose migration ended, one way or the other."""
        ended = set(refs)
        self.claims = {d: claim for d, claim in self.claims.items() if claim.ref not in ended}

    def judge(self, ref: str, sentence: str) -> None:
        """Write down why a migration is to be completed under 5.8A (R-067)."""
        self.judgements.setdefault(ref, []).append(sentence)

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values."""
        claims = {device: asdict(claim) for device, claim in sorted(self.claims.items())}
        return {"claims": claims, "judgements": self.judgements}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.claims = {device: Claim(**claim) for device, claim in state["claims"].items()}
        self.judgements = {ref: list(told) for ref, told in state["judgements"].items()}


def _refused(row: CheckedFile) -> CommonVerdict:
    findings = () if row.finding is None else (short(row.finding),)
    return CommonVerdict(row, {}, ValidationFile(Validity.INVALID, findings))


def _content(found: Mapping[str, tuple[Outcome, ...]]) -> ValidationFile:
    rows = tuple(
        ValidatedInstallation(
            ref,
            Validity.INVALID if any(one.rejected for one in outcomes) else Validity.VALID,
            tuple(short(Finding.of(one)) for one in outcomes if one.rejected),
        )
        for ref, outcomes in found.items()
    )
    return ValidationFile(Validity.VALID, (), rows)
