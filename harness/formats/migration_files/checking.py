"""Files that came together: counters, set, manifest, then installation after installation."""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from harness.formats.migration_files import checks
from harness.formats.migration_files.common_file import CommonFile, CommonInstallation
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.document import MigrationFile
from harness.formats.migration_files.encrypted_file import EncryptedFile, EncryptedInstallation
from harness.formats.migration_files.envelope import Binding
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.file_set import FileSet
from harness.formats.migration_files.group_file import GroupFile, GroupInstallation
from harness.formats.migration_files.groups import GroupRules, rules_of
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.opening import RECIPIENTS, Opened, Opening
from harness.formats.migration_files.reading import CheckedFile, Context
from harness.formats.migration_files.result_files import ValidatedInstallation, ValidationFile
from harness.formats.migration_files.words import FileType, Validity


class Result(enum.StrEnum):
    """What became of a file or an installation in a check."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"  # a check could not be made; nothing was found wrong
    NOT_PROCESSED = "not-processed"  # a file of its set is refused


@dataclass(frozen=True, slots=True)
class InstallationView:
    """All that the files of a set say of one installation.

    Attributes:
        header: Header of the MCF.
        rules: Row of the group.
        common: Its part of the MCF.
        validated: Its part of the MVF; None where there is no MVF, likewise below.
        group: Its part of the MGF.
        encrypted: Its part of the MEF.
        opened: What the MEF's layers hold.
    """

    header: Header
    rules: GroupRules
    common: CommonInstallation
    validated: ValidatedInstallation | None = None
    group: GroupInstallation | None = None
    encrypted: EncryptedInstallation | None = None
    opened: Opened | None = None


#: Rules of installations: return findings, first failing check first; none: it is viable so far.
InstallationCheck = Callable[[InstallationView], Sequence[Finding]]


def files_alone(_view: InstallationView) -> tuple[Finding, ...]:
    """Make no check of installations beyond those of the files themselves."""
    return ()


@dataclass(frozen=True, slots=True)
class InstallationReport:
    """What became of one installation.

    Attributes:
        ref: The Requesting Party's reference; the CHF's EUI-64 where no MCF has one.
        result: See ``Result``.
        findings: Why, first failing check first.
        view: All that was known of it.
    """

    ref: str
    result: Result
    findings: tuple[Finding, ...] = ()
    view: InstallationView | None = field(default=None, repr=False)


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
) -> DeliveryReport:
    """Check files that came together: as files first, then installation by installation (R-053).

    Nothing here changes what was checked before: the new ledger is in the report.

    Args:
        files: Files after their own checks.
        context: What they are checked against.
        ledger: Counters accepted before.
        installation_check: Rules of installations.
    """
    delivery = FileSet(files, ledger)
    delivery.check()
    rows = tuple(_installations(delivery, context, installation_check))
    return DeliveryReport(tuple(delivery.files), rows, delivery.ledger, delivery.missing)


def _installations(
    delivery: FileSet, context: Context, installation_check: InstallationCheck
) -> Iterable[InstallationReport]:
    common = delivery.value(FileType.MCF)
    if common is None or not isinstance(common.content, CommonFile):
        return
    parts = _Parts(delivery, common, context)
    broken = next((row for row in delivery.files if row.error is not None), None)
    for installation in common.content.installations:
        if broken is not None and broken.error is not None:
            of_file = broken.error.finding
            told = replace(of_file, text=f"its set is refused: {broken.name}: {of_file.text}"[:500])
            yield InstallationReport(installation.ref, Result.NOT_PROCESSED, (told,))
        else:
            yield _installation(parts, installation, installation_check)
    if broken is None:
        yield from parts.strangers(common.content)


_Row = TypeVar("_Row")


class _Parts:
    """The parts of the files of a set, by installation."""

    def __init__(self, delivery: FileSet, common: MigrationFile, context: Context) -> None:
        self.header = common.header
        self.rules = rules_of(common.header.group_id, context.groups)
        self.opening = Opening(self.rules, context.opener, context.schema)
        validation = delivery.value(FileType.MVF)
        group, encrypted = delivery.value(FileType.MGF), delivery.value(FileType.MEF)
        self.validated: Mapping[str, ValidatedInstallation] | None = None
        self.groups: Mapping[str, GroupInstallation] | None = None
        self.encrypted: Mapping[str, EncryptedInstallation] | None = None
        #: Why the MCF as a whole was found invalid; empty: it was not.
        self.invalid: tuple[Finding, ...] = ()
        if validation is not None and isinstance(validation.content, ValidationFile):
            if validation.content.result is Validity.INVALID:
                self.invalid = validation.content.findings
            self.validated = {row.ref: row for row in validation.content.installations}
        if group is not None and isinstance(group.content, GroupFile):
            self.groups = {row.ref: row for row in group.content.installations}
        if encrypted is not None and isinstance(encrypted.content, EncryptedFile):
            self.encrypted = {str(row.hub): row for row in encrypted.content.installations}

    def strangers(self, common: CommonFile) -> Iterable[InstallationReport]:
        """Report what other files have and the MCF has not."""
        refs = {row.ref for row in common.installations}
        hubs = {str(row.hub.device) for row in common.installations}
        found = [ref for ref in (*(self.validated or ()), *(self.groups or ())) if ref not in refs]
        found += [hub for hub in self.encrypted or () if hub not in hubs]
        for ref in dict.fromkeys(found):
            error = MigrationFileError(checks.MISMATCH, "01", f"{ref} is not in the MCF")
            yield InstallationReport(ref, Result.REFUSED, (error.finding,))


def _installation(
    parts: _Parts, installation: CommonInstallation, installation_check: InstallationCheck
) -> InstallationReport:
    view = InstallationView(
        parts.header,
        parts.rules,
        installation,
        _found(parts.validated, installation.ref),
        _found(parts.groups, installation.ref),
        _found(parts.encrypted, str(installation.hub.device)),
    )
    if parts.invalid:
        return InstallationReport(installation.ref, Result.REFUSED, parts.invalid, view)
    try:
        _check_parts(parts, view)
        if view.validated is not None and view.validated.result is Validity.INVALID:
            return InstallationReport(
                installation.ref, Result.REFUSED, view.validated.findings, view
            )
        if view.encrypted is not None:
            binding = Binding.of(parts.header, installation.hub.device)
            view = replace(view, opened=parts.opening.open(view.encrypted, binding))
    except MigrationFileError as error:
        return InstallationReport(installation.ref, Result.REFUSED, (error.finding,), view)
    findings = tuple(installation_check(view))
    if findings:
        return InstallationReport(installation.ref, Result.REFUSED, findings, view)
    if view.opened is not None and view.opened.closed:
        role, sub_code = RECIPIENTS[view.opened.closed[0]]
        told = MigrationFileError(checks.KEY_NONE, sub_code, f"no private key of {role.name}")
        return InstallationReport(installation.ref, Result.INCOMPLETE, (told.finding,), view)
    return InstallationReport(installation.ref, Result.ACCEPTED, (), view)


def _found(rows: Mapping[str, _Row] | None, key: str) -> _Row | None:
    return None if rows is None else rows.get(key)


def _check_parts(parts: _Parts, view: InstallationView) -> None:
    """Check that the files of a set agree on an installation.

    Raises:
        MigrationFileError: X-V3.
    """
    ref = view.common.ref
    if parts.validated is not None and view.validated is None:
        raise _mismatch("05", f"{ref} is not in the MVF")
    if view.validated is not None and view.validated.result is Validity.INVALID:
        if view.group is not None or view.encrypted is not None:
            raise _mismatch("02", f"{ref} is Invalid in the MVF, and yet in the group files")
        return
    if parts.groups is not None and view.group is None:
        raise _mismatch("03", f"{ref} is not in the MGF")
    if parts.encrypted is not None and view.encrypted is None:
        raise _mismatch("04", f"{ref} is not in the MEF")
    if view.group is not None and not _same_devices(view.common, view.group):
        raise _mismatch("06", f"{ref}: hub or meters in the MGF are others than in the MCF")


def _same_devices(common: CommonInstallation, group: GroupInstallation) -> bool:
    meters = [group.esme.device, *([] if group.gsme is None else [group.gsme.device])]
    return group.hub.device == common.hub.device and meters == [
        meter.device for meter in common.meters
    ]


def _mismatch(sub_code: str, why: str) -> MigrationFileError:
    return MigrationFileError(checks.MISMATCH, sub_code, why)
