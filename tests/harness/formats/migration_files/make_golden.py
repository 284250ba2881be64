"""Writes the golden files: ``python -m tests.harness.formats.migration_files.make_golden``."""

from pathlib import Path

from harness.formats.migration_files.words import FileType
from tests.harness.formats.migration_files.migration_given import SCHEMA, Wanted, built
from tests.harness.formats.migration_files.migration_given import answers as answer_files

FOLDER = Path(__file__).parent / "golden"


def golden() -> dict[str, bytes]:
    """Name -> octets: a set of group EA, a plain-text MEF of EB, and the answers of later steps."""
    files = [*built(), *answer_files()]
    files += [
        file
        for file in built(Wanted("EB", plaintext=True, gas=False))
        if file.file.header.file_type is FileType.MEF
    ]
    assert SCHEMA.is_stand_in
    return {file.name: file.octets for file in files}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, octets in golden().items():
        (FOLDER / name).write_bytes(octets)


if __name__ == "__main__":
    main()
