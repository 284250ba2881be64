"""A world's state as octets: plain data in, the same plain data out."""

import json
import zlib
from typing import Any, Final

from emulator.core.errors import EmulatorError

_MAGIC: Final = b"smetsbench world 1\n"
_BYTES: Final = "\N{BULLET}b"
_TUPLE: Final = "\N{BULLET}t"
_SIMPLE: Final = frozenset({int, str, bool, float, type(None)})


class Kept(dict[str, Any]):
    """A state that is dumped again and again unchanged; packing it once is enough.

    Attributes:
        packed: What ``pack`` made of it; None before.
    """

    packed: Any = None


class SnapshotError(EmulatorError):
    """Stored octets are no state of a world, or of another one."""


def pack(state: Any) -> bytes:
    """Write plain data (None, truth values, numbers, texts, octets, lists, tuples, tables).

    Source:
        invented: a magic line, then JSON compressed with zlib.
    """
    text = json.dumps(_plain(state), ensure_ascii=False, separators=(",", ":"))
    return _MAGIC + zlib.compress(text.encode(), 1)


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


def _plain(value: Any) -> Any:
    # Most values stand for themselves: asking for their exact type first halves the work.
    if isinstance(value, bytes):
        return {_BYTES: value.hex()}
    if isinstance(value, tuple):
        return {_TUPLE: [item if type(item) in _SIMPLE else _plain(item) for item in value]}
    if isinstance(value, list):
        return [item if type(item) in _SIMPLE else _plain(item) for item in value]
    if isinstance(value, Kept):
        if value.packed is None:
            value.packed = _table(value)
        return value.packed
    return _table(value) if isinstance(value, dict) else value


def _table(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item if type(item) in _SIMPLE else _plain(item) for key, item in value.items()}


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
