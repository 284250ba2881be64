"""The S1SP Required File Set: which files belong together, by their digests."""

from dataclasses import dataclass
from typing import Final

from harness.formats.migration_files import kinds
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_table import Record, attribute, many


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One file of a set.

    Attributes:
        file_type: MCF, MVF, MGF or MEF.
        name: Its name.
        sha256: SHA-256 of its octets, 64 hex digits in lower case.
    """

    file_type: FileType
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RequiredSet:
    """Content of an S1SP Required File Set manifest.

    Attributes:
        files: The files.

    Source:
        the name: known; that it is a manifest, and made by the Requesting Party: invented.
    """

    files: tuple[NamedFile, ...]


REQUIRED_SET: Final = Record(
    RequiredSet,
    (
        many(
            "File",
            "files",
            Record(
                NamedFile,
                (
                    attribute("FileType", "file_type", kinds.words(FileType)),
                    attribute("Name", "name", kinds.FILE_NAME),
                    attribute("SHA256", "sha256", kinds.SHA256),
                ),
            ),
        ),
    ),
)
