"""The desk for papers: authorisations judged as ``ma check`` does, passwords, demand, retries."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from device_profiles.errors import DataError
from device_profiles.installation import Installation
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.door.ports import OutFile, Paper, PaperFinding, PaperOutcome
from harness.dust.chronicle import IN, OUT, PAPER_RESULT, Chronicle, plain_name
from harness.dust.declared import meters_of
from harness.dust.definition import Definition
from harness.dust.definition_faults import defects_of
from harness.dust.disabled_checks import switches_on
from harness.dust.events import Level, Phase
from harness.formats.authorisation import demand_file, sealed, signed
from harness.formats.authorisation.columns import Layout, load_layout
from harness.formats.authorisation.faults import AuthorisationFileError, damaged
from harness.formats.authorisation.file_name import REPAIRED, AuthorisationName
from harness.formats.authorisation.paper_kind import (
    PaperKind,
    RetryLine,
    kind_of_paper,
    read_retries,
    stem_of,
)
from harness.formats.authorisation.read_rows import Authorisation, Severity
from harness.formats.authorisation.reading import read
from harness.formats.authorisation.writing import ENDINGS, write
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.parties import Directory, register_of
from harness.migration.misconduct import Misconduct
from harness.migration.office import Office
from harness.rules.migration_authorisation import InstalledDevices
from harness.rules.migration_authorisation_check import check, refused_file
from harness.rules.migration_findings import Finding, Question, Report, RowReport, RowResult

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
_MA: Final = "MA outcome"
_LEVELS: Final = {Severity.REFUSED: "error", Severity.REPAIRED: "warning", Severity.NOTE: "note"}
_NOT_OURS: Final = "X-PAPER"


@dataclass(slots=True)
class Desk:
    """What the desk has on it.

    Attributes:
        windows: Ref -> first and last day authorised, ISO 8601.
        refused: Ref -> code of the last refusal, while nothing mended it.
        meters: Ref -> what was authorised of its meters.
        demand: Day, ISO 8601 -> Active installations asked for.
        party: SEC Party ID in the name of the demand file; empty where there is none.
        retries: Ref -> what the participant decided of it, and from which day on.
        phrases: Stem of a password file -> its digest: who sent it; the phrase is told nowhere.
        waiting: Name of a sealed paper that waits for its password -> its path in the run folder.
    """

    windows: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    meters: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    demand: dict[str, int] = field(default_factory=dict)
    party: str = ""
    retries: dict[str, tuple[str, str]] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict, repr=False)
    waiting: dict[str, str] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values, to be written at once: they are its own."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> "Desk":
        """Return a dumped one."""
        pairs = {
            name: {ref: (one[0], one[1]) for ref, one in state[name].items()}
            for name in ("windows", "retries")
        }
        return cls(**{**state, **pairs})


class PaperOffice:
    """Takes papers, judges them, and remembers what they allow.

    Attributes:
        desk: What it remembers.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- run, homes, rules, keys, where all is told
        self,
        definition: Definition,
        homes: Sequence[Installation],
        office: Office,
        keys: KeyStore,
        chronicle: Chronicle,
        today: Callable[[], date],
        *,
        desk: Desk | None = None,
    ) -> None:
        self.desk = desk or Desk()
        self._definition = definition
        self._chronicle = chronicle
        self._today = today
        self._office = office
        self._wrong = Misconduct.of(defects_of(definition))
        self._layout: Layout = load_layout(definition.overlays)
        self._directory = Directory(keys)
        self._register = register_of(keys)
        self._installed = InstalledDevices(homes)
        self._refs = frozenset(home.ref for home in homes)
        self._users = frozenset(Eui64.parse(one) for one in definition.participant.user_ids)
        self._takers: dict[PaperKind, Callable[[Paper, str], PaperOutcome]] = {
            PaperKind.PASSWORD: self._password,
            PaperKind.DEMAND_REQUEST: self._demand,
            PaperKind.RETRY_LIST: self._retries,
        }

    def take(self, paper: Paper) -> PaperOutcome:
        """Take one paper; whatever is in it, the answer is an outcome."""
        kind = kind_of_paper(paper.name, paper.octets)
        path = self._keep(paper, kind)
        taker = self._takers.get(kind, self._unknown)
        if kind in {PaperKind.AUTHORISATION, PaperKind.SEALED, PaperKind.SIGNED}:
            taker = self._authorisation
        outcome = taker(paper, path)
        self._chronicle.judge(path, ACCEPTED if outcome.accepted else outcome.code)
        self._answered(paper, outcome)
        return outcome

    def _keep(self, paper: Paper, kind: PaperKind) -> str:
        kept = self._chronicle.keep(
            f"{IN}/{plain_name(paper.name)}",
            paper.octets,
            str(kind),
            sender=self._definition.participant.name,
            receiver="DCC",
        )
        self._chronicle.tell(
            "paper",
            f"{kind} {paper.name} came by {paper.door}",
            phase=Phase.PLANNING,
            party=self._definition.participant.name,
            receiver="DCC",
            file=kept.path,
        )
        return kept.path

    def _answered(self, paper: Paper, outcome: PaperOutcome) -> None:
        """Keep what goes out: the outcome, and the files with it."""
        told = {"sender": "DCC", "receiver": self._definition.participant.name}
        name = plain_name(paper.name)
        kind = f"{outcome.kind or 'paper'} outcome"
        kept = self._chronicle.keep_json(
            f"{OUT}/{name}.outcome.json", outcome.as_json(), kind, result=outcome.code, **told
        )
        for file in outcome.files:
            path = f"{OUT}/{plain_name(file.name)}"
            self._chronicle.keep(path, file.octets, f"{outcome.kind} repaired", **told)
        self._chronicle.tell(
            "paper-answered",
            f"{paper.name}: {outcome.code}",
            level=Level.INFO if outcome.accepted else Level.WARNING,
            phase=Phase.PLANNING,
            party="DCC",
            receiver=self._definition.participant.name,
            code=outcome.code,
            file=kept.path,
        )

    # -- authorisations ------------------------------------------------------------------------

    def _authorisation(self, paper: Paper, path: str) -> PaperOutcome:
        return self._opened(paper.name, paper.octets, path)

    def _opened(self, name: str, octets: bytes, path: str) -> PaperOutcome:
        """Judge an authorisation: signature, seal, then line by line."""
        try:
            name, octets, is_signed = self._unwrapped(name, octets, path)
            if self._definition.participant.signed and not is_signed:
                raise signed.unsigned()
        except MigrationFileError as error:
            return self._refused_whole(error.check.code, str(error), path)
        except AuthorisationFileError as error:
            return self._refused_whole(error.code, error.why, path)
        return self._judged(name, octets, path)

    def _unwrapped(self, name: str, octets: bytes, path: str) -> tuple[str, bytes, bool]:
        """Return the file within signature and seal, in whatever order they are.

        Raises:
            MigrationFileError: A signature is missing or wrong.
            AuthorisationFileError: A seal does not open.
        """
        is_signed = False
        for _layer in range(3):
            kind = kind_of_paper(name, octets)
            if kind is PaperKind.SIGNED:
                opened = signed.open_signed(octets, self._directory, self._users)
                name, octets, is_signed = opened.name, opened.octets, True
            elif kind is PaperKind.SEALED:
                name, octets = self._unsealed(name, octets, path)
        return name, octets, is_signed

    def _unsealed(self, name: str, octets: bytes, path: str) -> tuple[str, bytes]:
        plain = name.removesuffix(sealed.ENDING)
        wanted = AuthorisationName.parse(stem_of(plain))
        stem = "" if wanted is None else _password_stem(wanted)
        if stem not in self.desk.phrases:
            self.desk.waiting[name] = path
            raise damaged("its MAPASSWORD file was not handed in", name)
        holder = self._chronicle.folder / self.desk.phrases[stem]
        return plain, sealed.unseal(octets, plain, sealed.read_phrase(holder))

    def _judged(self, name: str, octets: bytes, path: str) -> PaperOutcome:
        question = self._question()
        with TemporaryDirectory() as scratch:
            place = Path(scratch) / plain_name(name)
            place.write_bytes(octets)
            try:
                authorisation = read(
                    place, self._layout, repairs="7.3.2" not in question.switches.disabled
                )
            except AuthorisationFileError as error:
                report = refused_file(self._office.book, error)
                return self._outcome(report, (), path)
            report = check(authorisation, question)
            files = self._repaired(authorisation, report, Path(scratch))
        return self._outcome(report, files, path)

    def _question(self) -> Question:
        today = self._today()
        off = switches_on(today, self._definition.disabled_checks, self._office.book)
        return Question(
            self._office.book,
            self._office.lists,
            cohort=self._office.cohort,
            day=today,
            installed=self._installed,
            register=self._register,
            switches=self._wrong.switches(off),
        )

    def _repaired(
        self, authorisation: Authorisation, report: Report, folder: Path
    ) -> tuple[OutFile, ...]:
        """Return the repaired workbook, where anything had to be repaired."""
        if not any(row.result is RowResult.REPAIRED for row in report.rows):
            return ()
        kept = [row.row for row in report.rows if row.result is not RowResult.REFUSED]
        name = f"{authorisation.path.stem}{REPAIRED}{ENDINGS[authorisation.grid.kind]}"
        place = folder / f"out-{name}"
        write(authorisation, kept, self._layout, place)
        return (OutFile(name, place.read_bytes()),)

    def _outcome(self, report: Report, files: tuple[OutFile, ...], path: str) -> PaperOutcome:
        for row in report.rows:
            self._row(row, path)
        results = {row.result for row in report.rows}
        whole = [one for one in report.files if one.severity is Severity.REFUSED]
        word = ACCEPTED
        if whole or RowResult.REFUSED in results or not report.rows:
            word = REFUSED
        elif RowResult.REPAIRED in results:
            word = str(RowResult.REPAIRED)
        if whole:
            self._tell("", REFUSED, whole[0].code, path, whole[0].text)
        findings = tuple(_finding(one) for one in report.findings())
        accepted = bool(results - {RowResult.REFUSED}) and not whole
        return PaperOutcome(accepted, word, findings, files, "MA")

    def _row(self, row: RowReport, path: str) -> None:
        """Remember what a line allows, and tell what became of it."""
        authorised = row.row.installation
        ref = self._ref(row)
        code = "" if row.refusal is None else _coded(row.refusal)
        if row.result is RowResult.REFUSED or authorised is None:
            if ref not in self.desk.windows:
                self.desk.refused[ref] = code
        else:
            days = (authorised.earliest.isoformat(), authorised.latest.isoformat())
            self.desk.windows[ref] = days
            self.desk.meters[ref] = meters_of(authorised)
            self.desk.refused.pop(ref, None)
        text = "" if row.refusal is None else row.refusal.text
        self._tell(ref, str(row.result), code, path, text)

    def _ref(self, row: RowReport) -> str:
        """Return our name of a line's installation: by its devices, then by its own word."""
        authorised = row.row.installation
        if authorised is not None:
            found = self._installed.find(authorised.chf_device_id)
            if found is not None:
                return found[0].ref
        return row.row.ref

    def _tell(self, ref: str, result: str, code: str, path: str, text: str) -> None:
        said = f"{ref or 'authorisation'} {result}" + (f": {text}" if text else "")
        self._chronicle.tell(
            PAPER_RESULT,
            said,
            level=Level.WARNING if result == REFUSED else Level.INFO,
            phase=Phase.PLANNING,
            party="DCC",
            ref=ref if ref in self._refs else "",
            step="P5",
            code=code,
            file=path,
            told={"file": _MA, "result": result},
        )

    def _refused_whole(self, code: str, why: str, path: str) -> PaperOutcome:
        self._tell("", REFUSED, code, path, why)
        return PaperOutcome(False, code, (PaperFinding(code, why),), kind="MA")

    # -- other papers --------------------------------------------------------------------------

    def _password(self, paper: Paper, path: str) -> PaperOutcome:
        """Take a MAPASSWORD file; what waited for it is judged now, and named in what is found."""
        stem = stem_of(paper.name)
        try:
            sealed.read_phrase(self._chronicle.folder / path)
        except AuthorisationFileError as error:
            return _refusal(error.code, error.why, str(PaperKind.PASSWORD))
        named = AuthorisationName.parse(stem)
        self.desk.phrases["" if named is None else _password_stem(named)] = path
        findings: list[PaperFinding] = []
        files: list[OutFile] = []
        for name, kept in [*self.desk.waiting.items()]:
            del self.desk.waiting[name]
            outcome = self._opened(name, self._chronicle.octets(kept), kept)
            findings += [
                replace(one, where=f"{name} {one.where}".rstrip()) for one in outcome.findings
            ]
            files += outcome.files
        return PaperOutcome(True, ACCEPTED, tuple(findings), tuple(files), str(PaperKind.PASSWORD))

    def _demand(self, paper: Paper, _path: str) -> PaperOutcome:
        kind = str(PaperKind.DEMAND_REQUEST)
        try:
            lines = demand_file.read_demand(demand_file.REQUEST, paper.octets, paper.name)
        except DataError as error:
            return _refusal(_NOT_OURS, str(error), kind)
        named = demand_file.DemandName.parse(stem_of(paper.name))
        self.desk.party = "PARTY" if named is None else named.party
        self.desk.demand |= {one.on.isoformat(): one.demand for one in lines}
        return PaperOutcome(True, ACCEPTED, kind=kind)

    def _retries(self, paper: Paper, _path: str) -> PaperOutcome:
        kind = str(PaperKind.RETRY_LIST)
        try:
            lines = read_retries(paper.octets, paper.name)
        except DataError as error:
            return _refusal(_NOT_OURS, str(error), kind)
        findings = [self._retry(one, number) for number, one in enumerate(lines, start=2)]
        wrong = tuple(one for one in findings if one is not None)
        return PaperOutcome(not wrong, REFUSED if wrong else ACCEPTED, wrong, kind=kind)

    def _retry(self, line: RetryLine, number: int) -> PaperFinding | None:
        if line.ref not in self._refs:
            return PaperFinding(_NOT_OURS, f"{line.ref} is no home of this run", f"line {number}")
        self.desk.retries[line.ref] = (line.decision, line.on.isoformat())
        return None

    def _unknown(self, paper: Paper, _path: str) -> PaperOutcome:
        kind = kind_of_paper(paper.name, paper.octets)
        why = f"{paper.name} is {kind}: the DCC takes none from a supplier"
        return _refusal(_NOT_OURS, why, str(kind))


def _refusal(code: str, why: str, kind: str) -> PaperOutcome:
    return PaperOutcome(False, code, (PaperFinding(code, why),), kind=kind)


def _finding(one: Finding) -> PaperFinding:
    where = " ".join(filter(None, (one.ref, one.cell)))
    return PaperFinding(_coded(one), one.text, where, _LEVELS[one.severity])


def _coded(one: Finding) -> str:
    return f"{one.code}-{one.sub_code}" if one.sub_code else one.code


def _password_stem(name: AuthorisationName) -> str:
    """Return what an authorisation and its MAPASSWORD file have in common."""
    told = f"{name.tag.casefold()} {name.user_id} {name.at.isoformat()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]
