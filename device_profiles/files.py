"""Data files as they lie on disk: shipped ones, and overlays whose values win."""

import csv
import functools
import hashlib
import io
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from device_profiles.errors import InvalidValueError, UnreadableFileError

#: Where the shipped data lie.
SHIPPED: Final = Path(__file__).parent
#: Subfolders a data folder may have.
SUBFOLDERS: Final = ("models", "cohorts", "clauses", "catalogues", "schemas")
#: No data file of ours comes near; a larger one is a mistake.
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
#: No table of ours has tables so deep inside it; a deeper one is a mistake.
MAX_DEPTH: Final = 8
#: Parsed texts kept; all the shipped models, cohorts and clauses are fewer.
_KEPT_TEXTS: Final = 128

Folders = Sequence[Path]
Loaded = TypeVar("Loaded")
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class DataFile:
    """One TOML file, read.

    Attributes:
        path: Where it lies.
        table: Its content, to be read only: files read twice share it.
        digest: First 16 hex digits of its SHA-256, for ``user:`` marks.
        is_overlay: Whether it lies in an overlay.
    """

    path: Path
    table: dict[str, Any]
    digest: str
    is_overlay: bool


def read_octets(path: Path) -> bytes:
    """Return the content of a data file.

    Raises:
        UnreadableFileError: It is not there or larger than any data file is.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnreadableFileError(error.strerror or "cannot be read", file=path) from error
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableFileError(f"more than {MAX_FILE_BYTES} octets", file=path)
    return content


#: What was read while `reading_once` holds, by what was asked for; None: nothing is kept.
_ONCE: dict[object, Any] | None = None


@contextmanager
def reading_once() -> Iterator[None]:
    """Read no data file a second time: for a piece of work that is to see one state of them."""
    global _ONCE  # noqa: PLW0603 -- what a process has read is the process's
    before = _ONCE
    _ONCE = {} if before is None else before
    try:
        yield
    finally:
        _ONCE = before


def once(asked: object, read: Callable[[], Loaded]) -> Loaded:
    """Return what ``read`` returns; while `reading_once` holds, what it returned at first.

    Args:
        asked: What tells this question from all others; hashable.
        read: Reads it.
    """
    kept = _ONCE
    if kept is None:
        return read()
    if asked not in kept:
        kept[asked] = read()
    found: Loaded = kept[asked]
    return found


def read_text(path: Path) -> str:
    """Return the content of a UTF-8 file, without a byte order mark.

    Raises:
        UnreadableFileError: It cannot be read or is not UTF-8.
    """
    return once(("text", path), lambda: _text_of(path))


def _text_of(path: Path) -> str:
    try:
        return read_octets(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"not UTF-8 text (octet {error.start})", file=path) from error


def read_toml(path: Path, *, is_overlay: bool) -> DataFile:
    """Read one TOML file.

    Raises:
        UnreadableFileError: It cannot be read or is not TOML.
    """
    text = read_text(path)
    table, digest = _parsed(path, text)
    return DataFile(path, table, digest, is_overlay)


@functools.lru_cache(maxsize=_KEPT_TEXTS)
def _parsed(path: Path, text: str) -> tuple[dict[str, Any], str]:
    """Parse a file's text; the same text is parsed once (a run of homes loads the same models)."""
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise UnreadableFileError("not TOML: brackets nested too deep", file=path) from None
    except ValueError as error:  # TOMLDecodeError, or a number of more digits than Python reads
        raise UnreadableFileError(f"not TOML: {error}", file=path) from error
    if _depth(table) > MAX_DEPTH:
        raise InvalidValueError(f"tables nested deeper than {MAX_DEPTH}", file=path)
    return table, digest_of(text.encode())


def by_content(load: Callable[[Path], Loaded]) -> Callable[[Path], Loaded]:
    """Have a loader of one file give what it gave before while the file's text is the same.

    Args:
        load: Makes a value, to be read only, of a file of UTF-8 text.
    """
    kept: dict[Path, tuple[str, Loaded]] = {}

    @functools.wraps(load)
    def loaded(path: Path) -> Loaded:
        text = read_text(path)
        known = kept.get(path)
        if known is None or known[0] != text:
            if len(kept) >= _KEPT_TEXTS:
                kept.clear()
            known = kept[path] = (text, load(path))
        return known[1]

    return loaded


def _depth(table: Mapping[str, Any]) -> int:
    """Return how deep tables lie inside a table, 1 for none; without recursion."""
    deepest, left = 0, [(1, table)]
    while left:
        depth, here = left.pop()
        deepest = max(deepest, depth)
        left += [(depth + 1, value) for value in here.values() if isinstance(value, dict)]
    return deepest


def read_csv(path: Path) -> tuple[list[str], list[dict[str | Any, Any]]]:
    """Read a CSV file: UTF-8, comma separated, one heading line.

    Returns:
        The headings, and the rows as :class:`csv.DictReader` yields them.

    Raises:
        UnreadableFileError: It cannot be read, or a cell is longer than any can be.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    try:
        return list(reader.fieldnames or ()), list(reader)
    except csv.Error as error:
        line = reader.line_num + 1
        raise UnreadableFileError(f"not CSV: {error}", file=path, key=f"line {line}") from error


def digest_of(content: bytes) -> str:
    """Return the first 16 hex digits of the SHA-256, as ``user:`` marks carry it."""
    return hashlib.sha256(content).hexdigest()[:16]


def layers(subfolder: str, name: str, overlays: Folders) -> list[Path]:
    """Return the files of that name, weakest first: shipped, then each overlay's.

    What is there but is no file that can be read (a folder, a link to nowhere) is returned too:
    reading it says so, and nothing the user wrote is passed over in silence.
    """
    folders = [SHIPPED, *overlays]
    return [path for folder in folders if os.path.lexists(path := folder / subfolder / name)]


def names(subfolder: str, suffix: str, overlays: Folders) -> list[str]:
    """Return the stems of all files of a subfolder, shipped and overlaid, sorted."""
    folders = [SHIPPED, *overlays]
    return sorted(
        {path.stem for folder in folders for path in (folder / subfolder).glob(f"*{suffix}")}
    )


def refuse(error: ValidationError, file: Path | str, where: str = "") -> InvalidValueError:
    """Turn pydantic's error into ours: the first thing wrong, with its key path."""
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    key = ".".join(part for part in (where, path) if part)
    others = error.error_count() - 1
    more = f" (and {others} more)" if others else ""
    return InvalidValueError(first["msg"].removeprefix("Value error, ") + more, file=file, key=key)


def checked(
    shape: type[Shape], content: Mapping[str, Any], file: Path | str, where: str = ""
) -> Shape:
    """Return what a row, a table or a file holds.

    Args:
        shape: What it must be.
        content: What was read.
        file: For the message.
        where: Place in the file, for the message.

    Raises:
        InvalidValueError: It is not of that shape.
    """
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        raise refuse(error, file, where) from error


def unknown_keys(table: Iterable[str], known: Iterable[str], file: Path, where: str = "") -> None:
    """Refuse a key that a file must not have.

    Raises:
        InvalidValueError: There is one.
    """
    allowed = set(known)
    for key in table:
        if key not in allowed:
            raise InvalidValueError(
                f"unknown key (known: {', '.join(sorted(allowed))})",
                file=file,
                key=f"{where}.{key}" if where else key,
            )
