"""One file from octets to a value that may be believed: the checks of a file by itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.formats.migration_files import checks
from harness.formats.migration_files.document import MigrationFile, from_tree
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.groups import GROUPS, GroupRules, rules_of
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.names import MigrationFileName, parse_migration
from harness.formats.migration_files.opening import Opener
from harness.formats.migration_files.parties import SIGNERS, Directory, Role, Signer
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.signing import verify
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import octets_of, parse

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
        groups: Table 11.2.1, by GroupID.
        opener: Keys that open encrypted layers.
    """

    schema: MigrationSchema
    directory: Directory
    groups: Mapping[str, GroupRules] = field(default_factory=lambda: GROUPS)
    opener: Opener = field(default_factory=Opener)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file after its own checks (R-054).

    Attributes:
        name: Its name, without folder.
        sha256: SHA-256 of its octets, 64 hex digits; empty where it was too large to read.
        size_bytes: How long it is.
        file: Its value; None where it is refused.
        error: Why it is refused.
    """

    name: str
    sha256: str
    size_bytes: int
    file: MigrationFile | None = None
    error: MigrationFileError | None = None

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
        return CheckedFile(self.name, self.sha256, self.size_bytes, None, error)


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
    try:
        file = believed(name, data, context)
    except MigrationFileError as error:
        return CheckedFile(name, digest, len(data), None, error)
    return CheckedFile(name, digest, len(data), file)


def believed(name: str, data: bytes, context: Context) -> MigrationFile:
    """Return the value of a file that passes every check a file can pass by itself.

    The tree the signature is verified over is the tree the value is read from.

    Args:
        name: Name of the file, without folder.
        data: Its octets.
        context: What it is checked against.

    Raises:
        MigrationFileError: The first check that fails, in the order of ``checks.CHECKS``.
    """
    named = parse_migration(name)
    root = parse(data, context.schema.namespace)
    signer = verify(root, context.directory)
    context.schema.validate(root)
    file = from_tree(root, context.schema)
    _check_header(file.header, named)
    _check_signer(file.header, signer)
    context.directory.judge(signer, file.header.created_at)
    rules_of(file.header.group_id, context.groups)
    return file


def _check_header(header: Header, named: MigrationFileName) -> None:
    answered = ANSWERS.get(header.file_type)
    if (header.in_reply_to is None) != (answered is None):
        raise MigrationFileError(checks.HEADER, "02", f"InReplyTo in a {header.file_type}")
    if header.in_reply_to is not None and _type_of(header.in_reply_to) is not answered:
        why = f"a {header.file_type} answers a {answered}, not {header.in_reply_to[:80]}"
        raise MigrationFileError(checks.HEADER, "02", why)
    if (header.mode is None) == (header.file_type is FileType.MCF):
        raise MigrationFileError(checks.HEADER, "03", f"ProcessingMode in a {header.file_type}")
    pairs = (
        ("type", named.file_type, header.file_type),
        ("GroupID", named.group_id, header.group_id),
        ("Requesting Party", named.party, header.requesting_party),
        ("moment", named.at, header.created_at),
        ("counter", named.counter, header.counter),
    )
    for what, in_name, in_header in pairs:
        if in_name != in_header:
            why = f"{what}: {in_name} in the name, {in_header} in the header"
            raise MigrationFileError(checks.NAME, "02", why)


def _type_of(name: str) -> FileType | None:
    try:
        return parse_migration(name).file_type
    except MigrationFileError:
        return None


def _check_signer(header: Header, signer: Signer) -> None:
    wanted = SIGNERS[header.file_type]
    if signer.role is not wanted:
        role = "no role of a migration" if signer.role is None else signer.role.name
        why = f"{signer.party} is {role}; a {header.file_type} is signed by {wanted.name}"
        raise MigrationFileError(checks.SIGNER, "01", why)
    if wanted is Role.REQUESTING_PARTY and signer.party != header.requesting_party:
        why = f"signed by {signer.party}, the header names {header.requesting_party}"
        raise MigrationFileError(checks.SIGNER, "02", why)
