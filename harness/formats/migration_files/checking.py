"""Files that came together: counters, set, manifest, then installation after installation."""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from emulator.core.clock import to_datetime
from emulator.core.values import quick
from harness.formats.migration_files import checks
from harness.formats.migration_files.agreement import Present, agree, same_secrets, stranger
from harness.formats.migration_files.checks import Level
from harness.formats.migration_files.common_file import CommonFile, CommonInstallation
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.document import MigrationFile
from harness.formats.migration_files.encrypted_file import EncryptedFile, EncryptedInstallation
from harness.formats.migration_files.envelope import Binding
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.file_set import FileSet
from harness.formats.migration_files.group_file import GroupFile, GroupInstallation
from harness.formats.migration_files.groups import cohort_of
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.opening import RECIPIENTS, Opening
from harness.formats.migration_files.reading import CheckedFile, Context
from harness.formats.migration_files.result_files import ValidatedInstallation, ValidationFile
from harness.formats.migration_files.view import InstallationView
from harness.formats.migration_files.words import FileType, Validity
from harness.rules.in_hand import in_hand
from harness.rules.migration_envelope import ENVELOPE_CHECKS
from harness.rules.migration_rulebook import Judge
from harness.rules.outcomes import Outcome


class Result(enum.StrEnum):
    """What became of a file or an installation in a check."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"  # a check could not be made; nothing was found wrong
    NOT_PROCESSED = "not-processed"  # a file of its set is refused


#: Rules of installations, in their order: what rejects refuses one, what warns is told.
InstallationCheck = Callable[[InstallationView], Sequence[Outcome]]


def files_alone(_view: InstallationView) -> tuple[Outcome, ...]:
    """Make no check of installations beyond those of the files themselves."""
    return ()


@quick
@dataclass(frozen=True, slots=True)
class InstallationReport:
    """What became of one installation.

    Attributes:
        ref: The Requesting Party's reference; the CHF's EUI-64 where no MCF has one.
        result: See ``Result``.
        findings: Why, first failing check first.
        view: All that was known of it.
        level: Whether a whole file failed, or this installation alone.
        warnings: What was told and stopped nothing.
    """

    ref: str
    result: Result
    findings: tuple[Finding, ...] = ()
    view: InstallationView | None = field(default=None, repr=False)
    level: Level = Level.INSTALLATION
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of files that came together.

    Attributes:
        files: Every file, in the order given.
        installations: Every installation of the MCF, in its order; then strangers of other files.
        ledger: The counters after it.
        missing: Required files that did not come.
    """

    files: tuple[CheckedFile, ...]
    installations: tuple[InstallationReport, ...]
    ledger: Ledger
    missing: tuple[FileType, ...]

    @property
    def header(self) -> Header | None:
        """Header of the accepted MCF; None where there is none."""
        for row in self.files:
            if row.file is not None and row.file.header.file_type is FileType.MCF:
                return row.file.header
        return None

    @property
    def is_clean(self) -> bool:
        """Whether nothing was refused or left unchecked."""
        return all(row.error is None for row in self.files) and all(
            row.result is Result.ACCEPTED for row in self.installations
        )


def check_delivery(
    files: Sequence[CheckedFile],
    context: Context,
    ledger: Ledger,
    installation_check: InstallationCheck = files_alone,
    *,
    common_accepted: bool = False,
) -> DeliveryReport:
    """Check files that came together: as files first, then installation by installation (R-053).

    Nothing here changes what was checked before: the new ledger is in the report.

    Args:
        files: Files after their own checks.
        context: What they are checked against.
        ledger: Counters accepted before.
        installation_check: Rules of installations.
        common_accepted: Whether the MCF's counter was accepted before, at the MCF's own level.
    """
    delivery = FileSet(files, ledger, context, common_accepted=common_accepted)
    delivery.check()
    rows = tuple(_installations(delivery, context, installation_check))
    return DeliveryReport(tuple(delivery.files), rows, delivery.ledger, delivery.missing)


def _installations(
    delivery: FileSet, context: Context, installation_check: InstallationCheck
) -> Iterable[InstallationReport]:
    common = delivery.value(FileType.MCF)
    if common is None or not isinstance(common.content, CommonFile):
        return
    broken = next((row for row in delivery.files if row.error is not None), None)
    if broken is not None and broken.error is not None:
        of_file = broken.error.finding
        told = replace(of_file, text=f"its set is refused: {broken.name}: {of_file.text}"[:500])
        for installation in common.content.installations:
            yield InstallationReport(
                installation.ref, Result.NOT_PROCESSED, (told,), level=Level.FILE
            )
        return
    parts = _Parts(delivery, common, common.content, context)
    for installation in common.content.installations:
        with in_hand(installation.ref):
            reported = parts.report(installation, installation_check)
        yield reported
    yield from parts.strangers()


_Row = TypeVar("_Row")


class _Parts:
    """The parts of the files of a set, by installation.

    Raises:
        MigrationFileError: X-GROUP 01: no cohort has the GroupID, although the run let that pass.
    """

    def __init__(
        self, delivery: FileSet, common: MigrationFile, content: CommonFile, context: Context
    ) -> None:
        self._content = content
        self._context = context
        self._header = common.header
        self._day = to_datetime(common.header.created_at).date()
        self._cohort = cohort_of(common.header.group_id, context.groups)
        self._opening = Opening(self._cohort, context.opener, context.schema)
        self._judge = Judge(context.book, self._day, context.switches)
        self._order = {row.code: row.order for row in context.book.rules.values()}
        self._binds_party = context.book.settings.envelope_binds_requesting_party
        validation = delivery.value(FileType.MVF)
        group, encrypted = delivery.value(FileType.MGF), delivery.value(FileType.MEF)
        self._validated: Mapping[str, ValidatedInstallation] | None = None
        self._groups: Mapping[str, GroupInstallation] | None = None
        self._encrypted: Mapping[str, EncryptedInstallation] | None = None
        #: Why the MCF as a whole was found invalid; empty: it was not.
        self._invalid: tuple[Finding, ...] = ()
        if validation is not None and isinstance(validation.content, ValidationFile):
            if validation.content.result is Validity.INVALID:
                self._invalid = validation.content.findings
            self._validated = {row.ref: row for row in validation.content.installations}
        if group is not None and isinstance(group.content, GroupFile):
            self._groups = {row.ref: row for row in group.content.installations}
        if encrypted is not None and isinstance(encrypted.content, EncryptedFile):
            self._encrypted = {str(row.hub): row for row in encrypted.content.installations}
        hubs = {str(row.hub.device) for row in content.installations}
        strange = set(self._encrypted or ()) - hubs
        self._present = Present(
            self._validated is not None,
            self._groups is not None,
            self._encrypted is not None,
            strange,
        )

    def strangers(self) -> Iterable[InstallationReport]:
        """Report what other files have and the MCF has not."""
        refs = {row.ref for row in self._content.installations}
        found = [
            ref for ref in (*(self._validated or ()), *(self._groups or ())) if ref not in refs
        ]
        found += sorted(self._present.strange_hubs)
        if not self._context.gate(self._day).asks(checks.MISMATCH):
            return
        for ref in dict.fromkeys(found):
            yield InstallationReport(ref, Result.REFUSED, (stranger(ref).finding,))

    def report(
        self, installation: CommonInstallation, installation_check: InstallationCheck
    ) -> InstallationReport:
        """Return what becomes of one installation."""
        view = InstallationView(
            self._header,
            self._cohort,
            installation,
            _found(self._validated, installation.ref),
            _found(self._groups, installation.ref),
            _found(self._encrypted, str(installation.hub.device)),
            beside=self._content.installations,
        )
        if self._invalid:
            return InstallationReport(installation.ref, Result.REFUSED, self._invalid, view)
        gate = self._context.gate(self._day)
        found: list[Finding] = []
        try:
            agree(view, self._present, gate)
        except MigrationFileError as error:
            found.append(error.finding)
        if view.validated is not None and view.validated.result is Validity.INVALID:
            findings = (*found, *view.validated.findings)
            return InstallationReport(installation.ref, Result.REFUSED, findings, view)
        outcomes: list[Outcome] = []
        if not found and view.encrypted is not None:
            view, outcomes = self._open(view, view.encrypted)
            found += self._secrets(view) if not any(one.rejected for one in outcomes) else []
        if not found:
            outcomes += installation_check(view)
        return self._verdict(view, found, outcomes, gate.warnings)

    def _open(
        self, view: InstallationView, encrypted: EncryptedInstallation
    ) -> tuple[InstallationView, list[Outcome]]:
        hub = view.common.hub.device
        binding = Binding.of(self._header, hub, with_party=self._binds_party)
        facts, opened = self._opening.open(encrypted, binding)
        outcomes = [*self._judge.run(ENVELOPE_CHECKS, facts, stop=True)]
        return replace(view, opened=opened), outcomes

    def _secrets(self, view: InstallationView) -> list[Finding]:
        if view.opened is None:
            return []
        try:
            same_secrets(view, view.opened, self._context.gate(self._day))
        except MigrationFileError as error:
            return [error.finding]
        return []

    def _verdict(
        self,
        view: InstallationView,
        found: list[Finding],
        outcomes: Sequence[Outcome],
        warnings: Sequence[Finding],
    ) -> InstallationReport:
        refused = [*found, *(Finding.of(one) for one in outcomes if one.rejected)]
        told = [*warnings, *(Finding.of(one) for one in outcomes if one.code and not one.rejected)]
        refused.sort(key=lambda one: self._order.get(one.code, 0))
        result, ref = (Result.REFUSED if refused else Result.ACCEPTED), view.common.ref
        if not refused and view.opened is not None and view.opened.closed:
            role, sub_code = RECIPIENTS[view.opened.closed[0]]
            none = MigrationFileError(checks.KEY_NONE, sub_code, f"no private key of {role.name}")
            if self._context.gate(self._day).asks(checks.KEY_NONE):
                refused, result = [none.finding], Result.INCOMPLETE
        return InstallationReport(ref, result, tuple(refused), view, warnings=tuple(told))


def _found(rows: Mapping[str, _Row] | None, key: str) -> _Row | None:
    return None if rows is None else rows.get(key)
