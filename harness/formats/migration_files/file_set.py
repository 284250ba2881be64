"""Files that came together as a set: counters, what they say of each other, the manifest."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from emulator.core.clock import to_datetime
from harness.formats.migration_files import checks
from harness.formats.migration_files.checks import Check
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.document import MigrationFile
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.names import parse_migration, same_name
from harness.formats.migration_files.reading import ANSWERS, CheckedFile, Context
from harness.formats.migration_files.required_set import RequiredSet
from harness.formats.migration_files.words import FileType
from harness.rules.counters import COUNTER_CHECKS
from harness.rules.migration_calendar import FileDayFacts, calendar_checks
from harness.rules.migration_rulebook import Judge
from harness.rules.outcomes import Check as RuleCheck
from harness.rules.outcomes import Facts

#: The four files an S1SP needs before it begins.
REQUIRED: Final = (FileType.MCF, FileType.MVF, FileType.MGF, FileType.MEF)


def deliveries(files: Sequence[CheckedFile]) -> list[list[CheckedFile]]:
    """Sort the files of a folder into sets.

    With one MCF, or none, all files came together. With several, files go to the MCF of their
    series and counter, a refused one to that of its name: its set is not processed without it.
    Those that fit none are a set without an MCF.
    """
    if sum(row.file_type is FileType.MCF for row in files) <= 1:
        return [list(files)] if files else []
    sets: dict[object, list[CheckedFile]] = {}
    for row in files:
        sets.setdefault(_set_key(row), []).append(row)
    return [sets[key] for key in sorted(sets, key=str)]


def _set_key(row: CheckedFile) -> object:
    if row.file is not None:
        header = row.file.header
        of = (header.requesting_party, header.group_id, header.counter)
    else:
        try:
            named = parse_migration(row.name)
        except MigrationFileError:
            return ("refused", row.name)
        of = (named.party, named.group_id, named.counter)
    return ("set", str(of[0]), of[1], f"{of[2]:010d}")


class FileSet:
    """One pass over files that came together; refused ones are replaced as the checks go on.

    Args:
        files: Files after their own checks.
        ledger: Counters accepted before; ``ledger`` holds them afterwards.
        context: What they are checked against: its rules and switches.
        common_accepted: Whether the MCF was accepted before, at the MCF's own level (order B): its
            counter is not asked about again.
    """

    def __init__(
        self,
        files: Sequence[CheckedFile],
        ledger: Ledger,
        context: Context,
        *,
        common_accepted: bool = False,
    ) -> None:
        self.files = list(files)
        self.ledger = ledger
        self._context = context
        self._common_accepted = common_accepted
        self._first: dict[FileType, int] = {}
        for index, row in enumerate(self.files):
            kind = row.file_type
            if kind is None:
                continue
            if kind in self._first and row.file is not None:
                self._refuse(index, checks.SET, "05", f"a second {kind}")
            self._first.setdefault(kind, index)

    def _refuse(self, index: int, check: Check, sub_code: str, why: str) -> None:
        self._settle(index, MigrationFileError(check, sub_code, why))

    def _settle(self, index: int, error: MigrationFileError) -> None:
        """Refuse a file, unless the run lets it pass."""
        row = self.files[index]
        gate = self._context.gate(None if row.file is None else _day(row.file.header))
        try:
            gate.settle(error)
        except MigrationFileError:
            self.files[index] = row.refused(error)
        else:
            self.files[index] = row.warned(gate.warnings)

    def _check_days(self, index: int, common: Header | None) -> None:
        """Ask the rules of days: of an MCF all, of what follows it whether it may still come."""
        row = self.files[index]
        cohort = None
        if row.file is not None:
            cohort = self._context.groups.get(row.file.header.group_id)
        if row.file is None or cohort is None:
            return
        started = None if common is None else _day(common)
        facts = FileDayFacts(cohort, _day(row.file.header), started)
        for rule, check in calendar_checks(self._context.book).items():
            if rule != "GROUP" and (common is None) == (rule != "4.15"):
                self._ask(index, rule, check, facts)

    def _ask(self, index: int, rule: str, check: RuleCheck[Facts], facts: Facts) -> None:
        """Ask one rule of a file."""
        row = self.files[index]
        if row.file is None:
            return
        judge = Judge(self._context.book, _day(row.file.header), self._context.switches)
        outcome = judge.ask(rule, check, facts)
        if outcome.rejected:
            why = outcome.internal or outcome.text
            error = MigrationFileError(Check(rule), outcome.sub_code, why)
            self.files[index] = row.refused(error)
        elif outcome.code:
            self.files[index] = row.warned((Finding.of(outcome),))

    def value(self, kind: FileType) -> MigrationFile | None:
        """Return the accepted file of a type."""
        index = self._first.get(kind)
        return None if index is None else self.files[index].file

    def check(self) -> None:
        """Make every check of the set, in order."""
        self._check_common()
        self._check_followers()
        self._check_manifest()

    def _check_common(self) -> None:
        common = self.value(FileType.MCF)
        if common is None:
            return
        self._check_days(self._first[FileType.MCF], None)
        if not self._common_accepted and self.value(FileType.MCF) is not None:
            facts = self.ledger.facts(common.header, common.header)
            first = self._first[FileType.MCF]
            self._ask(first, "5.9.5", COUNTER_CHECKS["5.9.5"], facts)
        if self.value(FileType.MCF) is not None:
            self.ledger = self.ledger.accepted(common.header)

    def _check_followers(self) -> None:
        common = self.value(FileType.MCF)
        for index, row in enumerate(self.files):
            if row.file is None or row.file.header.file_type is FileType.MCF:
                continue
            if common is None and FileType.MCF in self._first:
                self._refuse(index, checks.SET, "06", "the MCF of its set is refused")
                continue
            header, of = row.file.header, None if common is None else common.header
            rule = "5.9.7" if header.file_type is FileType.MEF else "5.9.6"
            self._ask(index, rule, COUNTER_CHECKS[rule], self.ledger.facts(header, of))
            self._check_days(index, of)
            if common is None or self.files[index].file is None:
                continue
            try:
                self._check_follower(header, common)
            except MigrationFileError as error:
                self._settle(index, error)

    def _check_follower(self, header: Header, common: MigrationFile) -> None:
        for sub_code, what, own, due in (
            ("01", "GroupID", header.group_id, common.header.group_id),
            ("02", "Requesting Party", header.requesting_party, common.header.requesting_party),
            ("03", "Migration Week", header.migration_week, common.header.migration_week),
        ):
            if own != due:
                why = f"{what} {own}, the MCF has {due}"
                raise MigrationFileError(checks.SET, sub_code, why)
        answered = ANSWERS.get(header.file_type)
        if answered is None or answered not in self._first:
            return
        if not same_name(self.files[self._first[answered]].name, header.in_reply_to):
            why = f"it answers {header.in_reply_to}, which is another {answered}"
            raise MigrationFileError(checks.SET, "04", why)

    def _check_manifest(self) -> None:
        manifest = self.value(FileType.RFS)
        if manifest is not None and isinstance(manifest.content, RequiredSet):
            try:
                self._compare(manifest.content)
            except MigrationFileError as error:
                self._settle(self._first[FileType.RFS], error)

    def _compare(self, manifest: RequiredSet) -> None:
        by_name = {row.name: row for row in self.files}
        for wanted in manifest.files:
            row = by_name.get(wanted.name)
            if row is None:  # spelt another way, or not there
                row = next((one for one in self.files if same_name(one.name, wanted.name)), None)
            if row is None or row.file_type is not wanted.file_type:
                raise MigrationFileError(checks.REQUIRED, "01", f"{wanted.name} is not there")
            if row.sha256 != wanted.sha256:
                why = f"{wanted.name} has other content"
                raise MigrationFileError(checks.REQUIRED, "02", why)
        named = {row.name for row in manifest.files}
        for kind in REQUIRED:
            name = self.files[self._first[kind]].name if kind in self._first else ""
            if not name or name in named:
                continue
            if not any(same_name(name, one) for one in named):
                raise MigrationFileError(checks.REQUIRED, "03", f"{name} is not named")

    @property
    def missing(self) -> tuple[FileType, ...]:
        """Required files that did not come."""
        return tuple(kind for kind in REQUIRED if kind not in self._first)


def _day(header: Header) -> date:
    return to_datetime(header.created_at).date()
