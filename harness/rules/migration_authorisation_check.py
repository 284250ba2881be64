"""``ma check`` as a function: an authorisation judged rule by rule, each finding in a cell."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from device_profiles.cohort import Cohort
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import Watch, address, unwatched
from harness.formats.authorisation.installation import AuthorisedInstallation
from harness.formats.authorisation.read_rows import Authorisation, CellFinding, Row, Severity
from harness.formats.authorisation.reading import TOLD_EVERY
from harness.rules.eligibility import EligibilityFacts, eligibility_checks, migrating
from harness.rules.migration_authorisation import (
    AuthorisationFacts,
    Places,
    authorisation_checks,
    combination_of,
    supply_facts,
)
from harness.rules.migration_authorisation_advice import advised
from harness.rules.migration_calendar import FileDayFacts, calendar_checks, check_group
from harness.rules.migration_findings import Finding, Question, Report, RowReport, RowResult
from harness.rules.migration_rulebook import Judge, RuleBook
from harness.rules.outcomes import Outcome, Refusal, Result
from harness.rules.split_supply import supply_checks

_CELLS: Final = "7.3.2"
_MODEL_COLUMNS: Final = ("CHFCplEntry", "ESMECplEntry")


def check(authorisation: Authorisation, question: Question, watch: Watch = unwatched) -> Report:
    """Judge an authorisation.

    The file first; when it is refused, none of its installations is processed.
    """
    name = AuthorisationName.of_file(authorisation.path)
    day, day_from = _day(authorisation, question, name)
    authoriser = question.authoriser or ("" if name is None else str(name.user_id))
    judge = Judge(question.book, day or question.book.tmad[0].from_day, question.switches)
    files = [*_notes(authorisation, question.book), *_named(name, question)]
    outcomes = _file_outcomes(judge, question, day)
    files += [_of_file(outcome) for outcome in outcomes if outcome.code]
    if not authorisation.rows:
        files.append(_fault(question.book, AuthorisationFileError("06", "no line holds any")))
    stopped = next((one for one in files if one.severity is Severity.REFUSED), None)
    asker = _Asker(authorisation, question, judge, authoriser)
    rows = []
    for number, row in enumerate(authorisation.rows):
        if number % TOLD_EVERY == 0:
            watch("judging", number, len(authorisation.rows))
        rows.append(asker.report(row, stopped))
    missing = _not_checked(authorisation, question, judge, day, authoriser)
    return Report(day, day_from, authoriser, tuple(files), tuple(rows), missing)


def refused_file(book: RuleBook, error: AuthorisationFileError) -> Report:
    """Return the report of a file that could not be read."""
    return Report(None, "", "", (_fault(book, error),), (), {})


def _fault(book: RuleBook, error: AuthorisationFileError) -> Finding:
    known = book.codes.find(error.code, error.sub_code)
    says = error.why if known is None else f"{known.says}: {error.why}"
    evidence = "stand-in" if known is None else known.evidence
    return advised(
        Finding(
            "",
            0,
            error.where,
            (),
            "",
            Severity.REFUSED,
            "",
            "P5",
            error.code,
            error.sub_code,
            "MAM 7.3.4, 7.4.4, 7.5.2",
            evidence,
            says,
        )
    )


def _day(
    authorisation: Authorisation, question: Question, name: AuthorisationName | None
) -> tuple[date | None, str]:
    if question.day is not None:
        return question.day, "--on"
    if name is not None:
        return name.day, "file name"
    starts = [row.installation.earliest for row in authorisation.rows if row.installation]
    return (min(starts), "first day of any window") if starts else (None, "")


def _notes(authorisation: Authorisation, book: RuleBook) -> list[Finding]:
    """Return what is to be told of the file that stops nothing."""
    found = [("X-MA-NOTE", note.sub_code, "", note.text) for note in authorisation.grid.notes]
    for heading in authorisation.headings.columns:
        if heading.column is None:
            where = address(max(authorisation.headings.line, 1), heading.index)
            found.append(("X-MA-COLUMN", "03", where, repr(heading.text)))
    findings = []
    for code, sub_code, where, text in found:
        known = book.codes.find(code, sub_code)
        says = text if known is None else f"{known.says}: {text}"
        findings.append(
            Finding(
                "", 0, where, (), "", Severity.NOTE, "", "P5", code, sub_code, "", "stand-in", says
            )
        )
    return findings


def _named(name: AuthorisationName | None, question: Question) -> list[Finding]:
    """Return what the file name says against the question."""
    cohort = question.cohort
    if name is None or cohort is None or name.has_tag(cohort.cohort.smso_tag):
        return []
    text = f"the name carries the tag {name.tag}, cohort {cohort.key} has {cohort.cohort.smso_tag}"
    known = question.book.codes.find("X-MA-FILE", "05")
    says = text if known is None else f"{known.says}: {text}"
    return [
        Finding("", 0, "", (), "", Severity.NOTE, "", "P5", "X-MA-FILE", "05", "", "stand-in", says)
    ]


def _file_outcomes(judge: Judge, question: Question, day: date | None) -> Sequence[Outcome]:
    if question.cohort is None:
        return ()
    facts = FileDayFacts(question.cohort, judge.day)
    checks = {**calendar_checks(question.book)} if day else {"GROUP": check_group}
    return judge.run(checks, facts)


def _of_file(outcome: Outcome) -> Finding:
    severity = Severity.REFUSED if outcome.rejected else Severity.NOTE
    return advised(
        Finding(
            "",
            0,
            "",
            (),
            "",
            severity,
            outcome.rule,
            outcome.step,
            outcome.code,
            outcome.sub_code,
            outcome.clause,
            outcome.evidence,
            outcome.text,
        )
    )


class _Asker:
    """Asks the rules of one line after the other."""

    def __init__(
        self, authorisation: Authorisation, question: Question, judge: Judge, authoriser: str
    ) -> None:
        self._authorisation = authorisation
        self._question = question
        self._judge = judge
        self._authoriser = authoriser
        self._places = Places(
            (row.line, row.installation) for row in authorisation.rows if row.installation
        )
        self._row_checks = authorisation_checks(question.book)
        self._supply_checks = supply_checks(question.book)
        checks = eligibility_checks(question.book, question.lists)
        self._model_checks = {rule: checks[rule] for rule in ("CPL", "MA110")}
        self._models_known = knows_models(authorisation, question)
        self._order = {rule: number for number, rule in enumerate(question.book.rules)}

    def report(self, row: Row, stopped: Finding | None) -> RowReport:
        """Return what is found on one line."""
        findings = [self._of_cell(row, finding) for finding in row.findings]
        if row.installation is not None:
            outcomes = [*self._outcomes(row, row.installation)]
            findings += [self._of_outcome(row, outcome) for outcome in outcomes if outcome.code]
        refusal = next((one for one in findings if one.severity is Severity.REFUSED), stopped)
        if refusal is not None:
            result = RowResult.REFUSED
        elif any(one.severity is Severity.REPAIRED for one in findings):
            result = RowResult.REPAIRED
        else:
            result = RowResult.ACCEPTED
        return RowReport(row, result, refusal, tuple(findings))

    def _outcomes(self, row: Row, installation: AuthorisedInstallation) -> Sequence[Outcome]:
        question, judge = self._question, self._judge
        facts = AuthorisationFacts(
            installation,
            row.line,
            question.cohort,
            judge.day,
            self._places,
            self._authoriser,
            question.installed,
            question.register,
        )
        outcomes = [*judge.run(self._row_checks, facts)]
        if question.cohort is not None:
            supply = supply_facts(installation, question.cohort)
            outcomes += judge.run(self._supply_checks, supply)
            if self._models_known:
                models = self._eligibility(installation, question.cohort)
                outcomes += judge.run(self._model_checks, models)
        return sorted(outcomes, key=lambda outcome: self._order[outcome.rule])

    def _eligibility(
        self, installation: AuthorisedInstallation, cohort: Cohort
    ) -> EligibilityFacts:
        question = self._question
        combination = combination_of(installation, question.installed)
        if combination is not None:
            combination = migrating(combination, cohort, question.lists.cpl)
        csp = str(cohort.cohort.csp)
        if question.installed is not None:
            found = question.installed.find(installation.chf_device_id)
            csp = csp if found is None else str(found[0].csp)
        return EligibilityFacts(cohort, self._judge.day, combination, csp)

    def _of_cell(self, row: Row, finding: CellFinding) -> Finding:
        book = self._question.book
        rule = book.rules[_CELLS]
        code, sub_code = rule.code, finding.sub_code
        severity, text = finding.severity, finding.text
        if finding.severity is Severity.NOTE:
            code, sub_code = "X-MA-COLUMN", "03"
        elif finding.severity is Severity.REFUSED:
            outcome = self._judge.refused(rule, Refusal(sub_code, finding.text))
            text = outcome.text
        return advised(
            Finding(
                row.ref,
                row.line,
                finding.cell,
                (),
                finding.column,
                severity,
                _CELLS,
                rule.step,
                code,
                sub_code,
                rule.clause,
                rule.evidence,
                text,
                finding.original,
                finding.result,
                finding.suggestion,
            )
        )

    def _of_outcome(self, row: Row, outcome: Outcome) -> Finding:
        subject = [name for name in outcome.subject if self._has(name)] or ["InstallationRef"]
        cells = [self._authorisation.cell(row, name) for name in subject]
        severity = Severity.REFUSED if outcome.result is Result.REJECTED else Severity.NOTE
        return advised(
            Finding(
                row.ref,
                row.line,
                cells[0],
                tuple(cells[1:]),
                subject[0],
                severity,
                outcome.rule,
                outcome.step,
                outcome.code,
                outcome.sub_code,
                outcome.clause,
                outcome.evidence,
                outcome.text,
                row.values.get(subject[0], ""),
                "",
                outcome.repair,
            )
        )

    def _has(self, name: str) -> bool:
        return self._authorisation.headings.index_of(name) is not None


def knows_models(authorisation: Authorisation, question: Question) -> bool:
    """Say whether the file or the inventory tells the models of the devices."""
    there = {row.column for _, row in authorisation.headings.read()}
    in_file = any(name in there for name in _MODEL_COLUMNS)
    return in_file or question.installed is not None


def _not_checked(
    authorisation: Authorisation,
    question: Question,
    judge: Judge,
    day: date | None,
    authoriser: str,
) -> dict[str, str]:
    """Return the rules that were not asked, and why: nothing is silently fine."""
    found: dict[str, str] = {}
    needs_cohort = ("GROUP", "1.3", "RELEASE", "RP", "MAM-4", "5.8", "5.9.10", "CPL", "MA110")
    if question.cohort is None:
        found |= dict.fromkeys(needs_cohort, "no cohort is known: give --cohort")
    elif day is None:
        found |= dict.fromkeys(("1.3", "RELEASE", "RP"), "no day is known: give --on")
    if not authoriser:
        found.setdefault("MAM-4", "it is not known whose file it is: give --supplier")
    if not knows_models(authorisation, question):
        why = "the file does not tell the models of the devices: give --inventory"
        found |= dict.fromkeys(("CPL", "MA110"), why)
    if question.installed is None:
        found["P1"] = "no inventory was given: give --inventory"
    if question.register is None:
        why = "no register of certificates was given: give --certificates"
        found["MAM-6"] = why
        found["4.47"] = found["4.48"] = f"only for Null Certificate IDs; {why}"
    found["18"] = "no file tells of excluded categories"
    asked = {_CELLS, *needs_cohort, "UNIQUE", "DATES", "P1", "NULL", "4.47", "4.48", "MAM-6"}
    for rule in asked & set(question.book.rules):
        if rule in question.switches.disabled:
            found[rule] = "switched off for this run"
        elif not question.book.rules[rule].in_force(judge.day) and (
            rule not in question.switches.forced
        ):
            found[rule] = f"not in force on {judge.day}"
    return {rule: found[rule] for rule in question.book.rules if rule in found}
