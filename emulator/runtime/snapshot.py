"""A world's state as octets: plain data in, the same plain data out."""

import json
import re
import zlib
from typing import Any, Final

from emulator.core.errors import EmulatorError

_MAGIC: Final = b"smetsbench world 1\n"
_BYTES: Final = "\N{BULLET}b"
_TUPLE: Final = "\N{BULLET}t"
#: Stands for a state that is kept while a text is made; the text never holds it.
_KEPT: Final = "\N{BULLET}k"
_MARKED: Final = re.compile(f'"{_KEPT}(\\d+)"')
_SIMPLE: Final = frozenset({int, str, bool, float, type(None)})


class Kept(dict[str, Any]):
    """A state that is dumped again and again unchanged; writing it once is enough.

    Attributes:
        text: What ``text_of`` made of it; empty before.
    """

    text: str = ""


class SnapshotError(EmulatorError):
    """Stored octets are no state of a world, or of another one."""


def pack(state: Any) -> bytes:
    """Write plain data (None, truth values, numbers, texts, octets, lists, tuples, tables).

    Source:
        invented: a magic line, then JSON compressed with zlib.
    """
    return packed(text_of(state))


def text_of(state: Any) -> bytes:
    """Return plain data as the text that ``pack`` compresses; equal data are equal octets."""
    plain = _Plain()
    return plain.line(plain.value(state)).encode()


def packed(text: bytes) -> bytes:
    """Return what ``pack`` makes of a text of ``text_of``."""
    return _MAGIC + zlib.compress(text, 1)


def unpack(octets: bytes) -> Any:
    """Read what `pack` has written.

    Raises:
        SnapshotError: Not written by `pack`, or damaged.
    """
    if not octets.startswith(_MAGIC):
        raise SnapshotError("not the stored state of an emulated bench (or of another version)")
    try:
        return _rich(json.loads(zlib.decompress(octets[len(_MAGIC) :])))
    except (zlib.error, ValueError, TypeError) as error:
        raise SnapshotError(
            f"the stored state of the emulated bench is damaged: {error}"
        ) from error


class _Plain:
    """Makes JSON values of plain data; for a state that is kept a mark stands, and its text aside.

    Attributes:
        kept: Texts, in the order of their marks.
    """

    def __init__(self) -> None:
        self.kept: list[str] = []

    def value(self, value: Any) -> Any:
        """Return a value as JSON values."""
        # Most values stand for themselves: asking for their exact type first halves the work.
        if isinstance(value, bytes):
            return {_BYTES: value.hex()}
        if isinstance(value, tuple):
            return {_TUPLE: [item if type(item) in _SIMPLE else self.value(item) for item in value]}
        if isinstance(value, list):
            return [item if type(item) in _SIMPLE else self.value(item) for item in value]
        if isinstance(value, Kept):
            return self._mark(value)
        return self._table(value) if isinstance(value, dict) else value

    def _table(self, value: dict[str, Any]) -> dict[str, Any]:
        return {
            key: item if type(item) in _SIMPLE else self.value(item) for key, item in value.items()
        }

    def line(self, plain: Any) -> str:
        """Return JSON values as a line, each text that is kept in its place."""
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        return _MARKED.sub(lambda found: self.kept[int(found[1])], text) if self.kept else text

    def _mark(self, value: Kept) -> str:
        if not value.text:
            inside = _Plain()
            value.text = inside.line(inside.value(dict(value)))
        self.kept.append(value.text)
        return f"{_KEPT}{len(self.kept) - 1}"


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return [_rich(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_BYTES}:
        return bytes.fromhex(value[_BYTES])
    if value.keys() == {_TUPLE}:
        return tuple(_rich(item) for item in value[_TUPLE])
    return {key: _rich(item) for key, item in value.items()}
