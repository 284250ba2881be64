"""One file from octets to a value that may be believed: the checks of a file by itself."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from emulator.core.clock import to_datetime
from harness.formats.migration_files import checks
from harness.formats.migration_files.checks import shipped_book
from harness.formats.migration_files.document import MigrationFile, from_tree
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.groups import Groups, cohort_of, load_groups
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.kinds import MOMENT
from harness.formats.migration_files.names import MigrationFileName, parse_migration
from harness.formats.migration_files.opening import Opener
from harness.formats.migration_files.parties import SIGNERS, Directory, Role, Signer
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.signing import verify
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import octets_of, parse
from harness.rules.migration_rulebook import RuleBook, Switches

#: File type -> type of the file that it answers. Source: MVF known; the others invented.
ANSWERS: Final[Mapping[FileType, FileType]] = {
    FileType.MVF: FileType.MCF,
    FileType.VIF: FileType.MEF,
    FileType.SCF: FileType.MCF,
    FileType.COF: FileType.SCF,
}


@dataclass(frozen=True, slots=True)
class Context:
    """What files are checked against.

    Attributes:
        schema: The migration schema.
        directory: Whose signatures are known.
        groups: GroupID -> cohort: Table 11.2.1 and all else that differs.
        opener: Keys that open encrypted layers.
        book: The rules in use.
        switches: What the run changes in them.
    """

    schema: MigrationSchema
    directory: Directory
    groups: Groups = field(default_factory=load_groups, repr=False)
    opener: Opener = field(default_factory=Opener)
    book: RuleBook = field(default_factory=shipped_book, repr=False)
    switches: Switches = field(default_factory=Switches)

    def gate(self, day: date | None = None) -> Gate:
        """Return where refusals of one file are let through.

        Args:
            day: The day its rules are asked on, UTC; None: all are in force.
        """
        return Gate(self.book, self.switches, day)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file after its own checks (R-054).

    Attributes:
        name: Its name, without folder.
        sha256: SHA-256 of its octets, 64 hex digits; empty where it was too large to read.
        size_bytes: How long it is.
        file: Its value; None where it is refused.
        error: Why it is refused.
        warnings: What was told and stopped nothing.
    """

    name: str
    sha256: str
    size_bytes: int
    file: MigrationFile | None = None
    error: MigrationFileError | None = None
    warnings: tuple[Finding, ...] = ()

    @property
    def finding(self) -> Finding | None:
        """Why it is refused; None where it is not."""
        return None if self.error is None else self.error.finding

    @property
    def file_type(self) -> FileType | None:
        """What it is: by its header, or by its name where it is refused."""
        if self.file is not None:
            return self.file.header.file_type
        try:
            return parse_migration(self.name).file_type
        except MigrationFileError:
            return None

    def refused(self, error: MigrationFileError) -> "CheckedFile":
        """Return the file as refused by a later check."""
        return replace(self, file=None, error=error)

    def warned(self, warnings: Iterable[Finding]) -> "CheckedFile":
        """Return the file with further warnings."""
        return replace(self, warnings=(*self.warnings, *warnings))


def check_path(path: Path, context: Context) -> CheckedFile:
    """Check a file of the disk by itself.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        data = octets_of(path)
    except MigrationFileError as error:
        return CheckedFile(path.name, "", path.stat().st_size, None, error)
    return check_octets(path.name, data, context)


def check_octets(name: str, data: bytes, context: Context) -> CheckedFile:
    """Check a file by itself: name, XML, signature, schema, values, header, group."""
    digest = hashlib.sha256(data).hexdigest()
    gate = context.gate()
    try:
        file = believed(name, data, context, gate)
    except MigrationFileError as error:
        return CheckedFile(name, digest, len(data), None, error, tuple(gate.warnings))
    return CheckedFile(name, digest, len(data), file, None, tuple(gate.warnings))


def believed(name: str, data: bytes, context: Context, gate: Gate | None = None) -> MigrationFile:
    """Return the value of a file that passes every check a file can pass by itself.

    The tree the signature is verified over is the tree the value is read from.

    Args:
        name: Name of the file, without folder.
        data: Its octets.
        context: What it is checked against.
        gate: Collects warnings; None: one of its own.

    Raises:
        MigrationFileError: The first check that fails, in the order of ``checks.CHECKS``.
    """
    through = gate or context.gate()
    named = _named(name, through)
    root = parse(data, context.schema.namespace, gate=through)
    signer = verify(root, context.directory, through)
    try:
        context.schema.validate(root)
    except MigrationFileError as error:
        through.settle(error)
    file = from_tree(root, context.schema, through)
    through.day = to_datetime(file.header.created_at).date()
    _check_header(file.header, through)
    if named is not None:
        _check_name(file.header, named, through)
    if signer is not None:
        _check_signer(file.header, signer, through)
        try:
            context.directory.judge(signer, file.header.created_at)
        except MigrationFileError as error:
            through.settle(error)
    _check_group(file.header, context, through)
    return file


def _named(name: str, gate: Gate) -> MigrationFileName | None:
    try:
        return parse_migration(name)
    except MigrationFileError as error:
        gate.settle(error)
        return None


def _check_group(header: Header, context: Context, gate: Gate) -> None:
    """Refuse a file of a cohort that is not migrated: it can be read, and says what it says.

    Raises:
        MigrationFileError: X-GROUP 01, X-GROUP 02 (R-004).
    """
    try:
        cohort = cohort_of(header.group_id, context.groups)
    except MigrationFileError as error:
        gate.settle(error)
        return
    if not cohort.cohort.migratable:
        why = f"GroupID {header.group_id}: {cohort.cohort.not_migrated_because}"
        gate.refuse(checks.GROUP, "02", why)


def _check_header(header: Header, gate: Gate) -> None:
    answered = ANSWERS.get(header.file_type)
    if (header.in_reply_to is None) != (answered is None):
        gate.refuse(checks.HEADER, "02", f"InReplyTo in a {header.file_type}")
    elif header.in_reply_to is not None and _type_of(header.in_reply_to) is not answered:
        why = f"a {header.file_type} answers a {answered}, not {header.in_reply_to[:80]}"
        gate.refuse(checks.HEADER, "02", why)
    if (header.mode is None) == (header.file_type is FileType.MCF):
        gate.refuse(checks.HEADER, "03", f"ProcessingMode in a {header.file_type}")


def _check_name(header: Header, named: MigrationFileName, gate: Gate) -> None:
    pairs = (
        ("type", named.file_type, header.file_type),
        ("GroupID", named.group_id, header.group_id),
        ("Requesting Party", named.party, header.requesting_party),
        ("moment", MOMENT.encode(named.at), MOMENT.encode(header.created_at)),
        ("counter", named.counter, header.counter),
    )
    for what, in_name, in_header in pairs:
        if in_name != in_header:
            why = f"{what}: {in_name} in the name, {in_header} in the header"
            gate.refuse(checks.NAME, "02", why)


def _type_of(name: str) -> FileType | None:
    try:
        return parse_migration(name).file_type
    except MigrationFileError:
        return None


def _check_signer(header: Header, signer: Signer, gate: Gate) -> None:
    wanted = SIGNERS[header.file_type]
    if signer.role is not wanted:
        role = "no role of a migration" if signer.role is None else signer.role.name
        why = f"{signer.party} is {role}; a {header.file_type} is signed by {wanted.name}"
        gate.refuse(checks.SIGNER, "01", why)
    if wanted is Role.REQUESTING_PARTY and signer.party != header.requesting_party:
        why = f"signed by {signer.party}, the header names {header.requesting_party}"
        gate.refuse(checks.SIGNER, "02", why)
