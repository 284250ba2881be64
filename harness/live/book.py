"""What ``run.json`` says beyond the head, without the histories: they are in the log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.live.heads import RECORD

#: A longer record is not read: its events and files still are.
_MOST_BYTES: Final = 512 << 20
#: Files of a run folder that are handed out beside those of its record.
_SIDE_FILES: Final = {
    "report.html": "report",
    "report.md": "report",
    "report.json": "report",
    "junit.xml": "report",
    "definition.toml": "definition",
    "index.csv": "list of files",
    "installations.csv": "list of installations",
    "events.jsonl": "log",
    "wire.pcapng": "capture",
    "certificates.json": "certificates",
    "evidence.zip": "evidence pack",
}
#: Folders below a run folder whose files are handed out.
_FOLDERS: Final = ("files", "mrr")
_MOST_WALKED: Final = 50_000
_COLUMNS: Final = ("sender", "receiver", "kind", "at", "result", "signature")


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a run.

    Attributes:
        path: Within the run folder.
        size_bytes: Octets.
        sender: Party; may be empty.
        receiver: Party; may be empty.
        kind: What it is.
        at: Moment, virtual; may be empty.
        result: What became of it; may be empty.
        signature: Result of the signature check; may be empty.
        sha256: Hex; may be empty.
        refs: Installations it names, where few.
    """

    path: str
    size_bytes: int
    sender: str = ""
    receiver: str = ""
    kind: str = ""
    at: str = ""
    result: str = ""
    signature: str = ""
    sha256: str = ""
    refs: tuple[str, ...] = ()


@dataclass(slots=True)
class Book:
    """What is kept of a record.

    Attributes:
        stamp: Which version of the file it is.
        homes: Installation -> its record without the history.
        files: Files by path.
        parts: Criteria, cases, defects and days as JSON values, by name.
    """

    stamp: tuple[int, int] = (0, 0)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, FileRow] = field(default_factory=dict)
    parts: dict[str, list[Any]] = field(default_factory=dict)


def stamp_of(folder: Path) -> tuple[int, int]:
    """Return what tells one version of a run's record from another."""
    try:
        found = (folder / RECORD).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def read_book(folder: Path) -> tuple[Book, bytes]:
    """Read a run's record; returns it with its octets. An empty one where none can be read."""
    stamp = stamp_of(folder)
    octets, plain = b"", None
    if 0 < stamp[1] <= _MOST_BYTES:
        try:
            octets = (folder / RECORD).read_bytes()
            plain = json.loads(octets)
        except (OSError, ValueError, RecursionError):
            plain = None
    told = plain if isinstance(plain, dict) else {}
    book = Book(stamp)
    for one in _listed(told, "installations"):
        ref = str(one.get("ref", ""))
        if ref:
            book.homes[ref] = {name: value for name, value in one.items() if name != "history"}
    for row in (*_of_record(told), *_beside(folder)):
        book.files.setdefault(row.path, row)
    names = ("criteria", "cases", "defects", "days")
    book.parts = {name: list(_listed(told, name)) for name in names}
    return book, octets


def _listed(told: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    value = told.get(name)
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def _of_record(told: dict[str, Any]) -> Iterator[FileRow]:
    for one in _listed(told, "files"):
        size, refs = one.get("size_bytes"), one.get("refs")
        yield FileRow(
            path=str(one.get("path", "")),
            size_bytes=size if isinstance(size, int) else 0,
            sha256=str(one.get("sha256", "")),
            refs=tuple(str(ref) for ref in refs) if isinstance(refs, list) else (),
            **{name: str(one.get(name, "")) for name in _COLUMNS},
        )


def _beside(folder: Path) -> Iterator[FileRow]:
    """Yield what lies in the folder and may be handed out."""
    for name, kind in _SIDE_FILES.items():
        path = folder / name
        if path.is_file():
            yield FileRow(name, path.stat().st_size, kind=kind)
    walked = 0
    for name in _FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            walked += 1
            if walked > _MOST_WALKED:
                return
            if path.is_file() and not path.is_symlink():
                shown = path.relative_to(folder).as_posix()
                yield FileRow(shown, path.stat().st_size, kind="MRR" if name == "mrr" else "")
