"""Files the user names: read within bounds, and never written over what they were made from."""

import os
from collections.abc import Iterable
from pathlib import Path

from harness.errors import UsageError


def read_octets(path: Path, limit_bytes: int) -> bytes:
    """Return the content of a file; one octet more than the limit where there is more.

    A pipe is read like a file; an endless one is read no further than the limit.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the file cannot be read: {_reason(error)}",
            where=str(path),
            cause="a folder in the place of a file"
            if path.is_dir()
            else "a mistyped name, or a file that you may not read",
            next_command=f"ls -l {path}",
        ) from error


def write_octets(out: Path, content: bytes, *, made_from: Iterable[Path] = ()) -> None:
    """Write a file.

    Args:
        out: Where to; what is there is replaced.
        content: All of it.
        made_from: Files the content was made from, which must not be replaced by it.

    Raises:
        UsageError: It is one of those files, or cannot be written.
    """
    for source in made_from:
        refuse_same(out, source)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"the file cannot be written: {_reason(error)}",
            where=str(out),
            cause="a folder that is not there or not yours, or a full disk",
            next_command=f"ls -ld {out.parent}",
        ) from error


def make_folder(folder: Path) -> Path:
    """Return a folder, made where it is not there yet.

    Raises:
        UsageError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder cannot be made: {_reason(error)}",
            where=str(folder),
            cause="a file in its place, a folder above it that is not yours, or a full disk",
            next_command=f"ls -ld {folder} {folder.parent}",
        ) from error
    return folder


def refuse_same(out: Path, source: Path) -> None:
    """Refuse to write over a source.

    Raises:
        UsageError: Both names are of one file or folder.
    """
    if os.path.exists(out) and os.path.exists(source) and out.samefile(source):  # noqa: PTH110 -- a name too long for a file is no file here
        raise UsageError(
            "the output would replace what it is made from",
            where=str(out),
            cause="the same name given twice",
            next_command="name another --out",
        )


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
