"""Files that came together as a set: counters, what they say of each other, the manifest."""

from collections.abc import Sequence
from typing import Final

from harness.formats.migration_files import checks
from harness.formats.migration_files.checks import Check
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.document import MigrationFile
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.reading import ANSWERS, CheckedFile
from harness.formats.migration_files.required_set import RequiredSet
from harness.formats.migration_files.words import FileType

#: The four files an S1SP needs before it begins.
REQUIRED: Final = (FileType.MCF, FileType.MVF, FileType.MGF, FileType.MEF)


def deliveries(files: Sequence[CheckedFile]) -> list[list[CheckedFile]]:
    """Sort the files of a folder into sets.

    With one MCF, or none, all files came together. With several, files go to the MCF of their
    series and counter; those that fit none are a set without an MCF.
    """
    if sum(row.file_type is FileType.MCF for row in files) <= 1:
        return [list(files)] if files else []
    sets: dict[object, list[CheckedFile]] = {}
    for row in files:
        sets.setdefault(_set_key(row), []).append(row)
    return [sets[key] for key in sorted(sets, key=str)]


def _set_key(row: CheckedFile) -> object:
    if row.file is None:
        return ("refused", row.name)
    header = row.file.header
    return ("set", str(header.requesting_party), header.group_id, f"{header.counter:010d}")


class FileSet:
    """One pass over files that came together; refused ones are replaced as the checks go on.

    Args:
        files: Files after their own checks.
        ledger: Counters accepted before; ``ledger`` holds them afterwards.
    """

    def __init__(self, files: Sequence[CheckedFile], ledger: Ledger) -> None:
        self.files = list(files)
        self.ledger = ledger
        self._first: dict[FileType, int] = {}
        for index, row in enumerate(self.files):
            kind = row.file_type
            if kind is None:
                continue
            if kind in self._first and row.file is not None:
                self._refuse(index, checks.SET, "05", f"a second {kind}")
            self._first.setdefault(kind, index)

    def _refuse(self, index: int, check: Check, sub_code: str, why: str) -> None:
        self._refused(index, MigrationFileError(check, sub_code, why))

    def _refused(self, index: int, error: MigrationFileError) -> None:
        self.files[index] = self.files[index].refused(error)

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
        try:
            self.ledger.check_common(common.header)
        except MigrationFileError as error:
            self._refused(self._first[FileType.MCF], error)
        else:
            self.ledger = self.ledger.accepted(common.header)

    def _check_followers(self) -> None:
        common = self.value(FileType.MCF)
        for index, row in enumerate(self.files):
            if row.file is None or row.file.header.file_type is FileType.MCF:
                continue
            if common is None and FileType.MCF in self._first:
                self._refuse(index, checks.SET, "06", "the MCF of its set is refused")
                continue
            try:
                self._check_follower(row.file.header, common)
            except MigrationFileError as error:
                self._refused(index, error)

    def _check_follower(self, header: Header, common: MigrationFile | None) -> None:
        self.ledger.check_follower(header, None if common is None else common.header)
        if common is None:
            return
        for sub_code, what, own, due in (
            ("01", "GroupID", header.group_id, common.header.group_id),
            ("02", "Requesting Party", header.requesting_party, common.header.requesting_party),
            ("03", "Migration Week", header.migration_week, common.header.migration_week),
        ):
            if own != due:
                why = f"{what} {own}, the MCF has {due}"
                raise MigrationFileError(checks.SET, sub_code, why)
        answered = ANSWERS.get(header.file_type)
        if answered in self._first and self.files[self._first[answered]].name != header.in_reply_to:
            why = f"it answers {header.in_reply_to}, which is another {answered}"
            raise MigrationFileError(checks.SET, "04", why)

    def _check_manifest(self) -> None:
        manifest = self.value(FileType.RFS)
        if manifest is not None and isinstance(manifest.content, RequiredSet):
            try:
                self._compare(manifest.content)
            except MigrationFileError as error:
                self._refused(self._first[FileType.RFS], error)

    def _compare(self, manifest: RequiredSet) -> None:
        by_name = {row.name: row for row in self.files}
        for wanted in manifest.files:
            row = by_name.get(wanted.name)
            if row is None or row.file_type is not wanted.file_type:
                raise MigrationFileError(checks.REQUIRED, "01", f"{wanted.name} is not there")
            if row.sha256 != wanted.sha256:
                why = f"{wanted.name} has other content"
                raise MigrationFileError(checks.REQUIRED, "02", why)
        named = {row.name for row in manifest.files}
        for kind in REQUIRED:
            name = self.files[self._first[kind]].name if kind in self._first else ""
            if name and name not in named:
                raise MigrationFileError(checks.REQUIRED, "03", f"{name} is not named")

    @property
    def missing(self) -> tuple[FileType, ...]:
        """Required files that did not come."""
        return tuple(kind for kind in REQUIRED if kind not in self._first)
