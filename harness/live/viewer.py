"""Files of a run for a reader: found safely, shown by the page as text or octets, handed out."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from harness.live.run_view import RunView

#: Octets of one page of a file.
_TEXT_BYTES: Final = 48 * 1024
_HEX_BYTES: Final = 8 * 1024
#: A file whose identifiers are to be hidden is looked through whole, and is at most this long.
_MOST_VEILED: Final = 64 << 20
_ROW: Final = 16
#: What is never handed out: journals hold worlds, and worlds hold keys.
_NEVER: Final = re.compile(r"(?i)\.((sqlite|db)(-\w+)?|key|pem|p12|der|part)$")
_PRIVATE: Final = (b"PRIVATE KEY-----", b'"private_scalar"')
_JSON: Final = frozenset({".json", ".jsonl"})
_PACK: Final = ".zip"
_TEXTS: Final = frozenset(
    {".json", ".jsonl", ".xml", ".csv", ".txt", ".md", ".toml", ".html", ".done", ".log"}
)


@dataclass(frozen=True, slots=True)
class NotShown:
    """Why a file is not shown.

    Attributes:
        status: Status of HTTP.
        why: One sentence.
    """

    status: int
    why: str


def find(view: RunView, shown: str) -> Path | NotShown:
    """Return the place of a file that a reader named."""
    path = view.path_of(shown)
    if path is None:
        return NotShown(404, "the run has no such file")
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or _NEVER.search(path):
        return NotShown(403, "this file is not handed out")
    place = (view.folder / path).resolve()
    if not place.is_relative_to(view.folder.resolve()):
        return NotShown(403, "this file lies outside of the run folder")
    if not place.is_file():
        return NotShown(404, "the file is not in the run folder any more")
    return place


def octets_of(view: RunView, place: Path) -> bytes | NotShown:
    """Return a whole file as a reader may see it."""
    if view.veil.hides and place.suffix == _PACK:
        return NotShown(
            403, "the pack is signed as it is; serve --with-identifiers, or take it from the folder"
        )
    told = place.stat()
    if told.st_size > _MOST_VEILED:
        return NotShown(413, f"the file has more than {_MOST_VEILED} octets; see the run folder")
    stamp = (str(place), told.st_mtime_ns, told.st_size)
    if view.last_file[0] == stamp:
        return view.last_file[1]
    octets = place.read_bytes()
    if any(one in octets for one in _PRIVATE):
        return NotShown(403, "this file holds a private key")
    if place.suffix != _PACK:
        octets = view.veil.file(octets, json=place.suffix in _JSON)
    view.last_file = (stamp, octets)
    return octets


def page(view: RunView, place: Path, mode: str, first: int) -> dict[str, Any] | NotShown:
    """Return a part of a file as text or as octets.

    Args:
        view: The run.
        place: The file.
        mode: ``text``, ``hex``, or empty: whichever suits.
        first: First octet.
    """
    octets = octets_of(view, place)
    if isinstance(octets, NotShown):
        return octets
    as_hex = mode == "hex" or (not mode and not _is_text(place, octets))
    length = _HEX_BYTES if as_hex else _TEXT_BYTES
    first = min(first, len(octets)) // _ROW * _ROW
    part = octets[first : first + length]
    text = dump(part, first) if as_hex else part.decode("utf-8", errors="replace")
    behind = first + len(part)
    return {
        "mode": "hex" if as_hex else "text",
        "text": text,
        "first": first,
        "previous": max(0, first - length) if first else None,
        "next": behind if behind < len(octets) else None,
        "size": len(octets),
    }


def _is_text(place: Path, octets: bytes) -> bool:
    if place.suffix in _TEXTS:
        return True
    return b"\0" not in octets[:4096] and octets[:4096].isascii()


def dump(octets: bytes, first: int) -> str:
    """Return octets as rows of sixteen, with offsets and letters."""
    rows = []
    for start in range(0, len(octets), _ROW):
        row = octets[start : start + _ROW]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        letters = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in row)
        rows.append(f"{first + start:08x}  {left:<23}  {right:<23}  {letters}")
    return "\n".join(rows)
