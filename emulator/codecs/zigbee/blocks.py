"""Construct blocks of the Zigbee formats, and parsing that refuses what is left over."""

import enum
import io
from collections.abc import Callable, Mapping
from typing import Any

from construct import Adapter, Bytes, CheckError, Construct, ConstructError, MappingError

from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64


class Eui64LittleEndian(Adapter):
    """Eight octets, least significant first on the wire; an `Eui64` in Python."""

    def __init__(self) -> None:
        super().__init__(Bytes(8))

    def _decode(self, obj: bytes, context: Any, path: str) -> Eui64:
        return Eui64(obj[::-1])

    def _encode(self, obj: Eui64, context: Any, path: str) -> bytes:
        return obj.octets[::-1]


class Named(Adapter):
    """A number on the wire, a member of ``enum_type`` in Python; other numbers refuse."""

    def __init__(self, subcon: Construct, enum_type: type[enum.IntEnum]) -> None:
        super().__init__(subcon)
        self._enum_type = enum_type

    def _decode(self, obj: int, context: Any, path: str) -> enum.IntEnum:
        try:
            return self._enum_type(obj)
        except ValueError:
            raise MappingError(f"{obj:#x} is no {self._enum_type.__name__}", path=path) from None

    def _encode(self, obj: enum.IntEnum, context: Any, path: str) -> int:
        return int(obj)


class Boolean(Adapter):
    """0 or 1 on the wire; other numbers (0xFF is "invalid") refuse."""

    def _decode(self, obj: int, context: Any, path: str) -> bool:
        if obj > 1:
            raise MappingError(f"{obj:#x} is no boolean", path=path)
        return bool(obj)

    def _encode(self, obj: bool, context: Any, path: str) -> int:
        return int(obj)


class Must(Construct):
    """No octets; refuses with ``why`` unless ``holds`` of the fields read or written so far."""

    def __init__(self, holds: Callable[[Any], Any], why: str) -> None:
        super().__init__()
        self._holds = holds
        self._why = why
        self.flagbuildnone = True

    def _parse(self, stream: Any, context: Any, path: str) -> None:
        if not self._holds(context):
            raise CheckError(self._why, path=path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> None:
        if not self._holds(context):
            raise CheckError(self._why, path=path)


class Row(Adapter):
    """A construct list; a tuple in Python."""

    def _decode(self, obj: list[Any], context: Any, path: str) -> tuple[Any, ...]:
        return tuple(obj)

    def _encode(self, obj: tuple[Any, ...], context: Any, path: str) -> list[Any]:
        return list(obj)


def parse_part(layer: str, form: Construct, data: bytes, offset: int = 0) -> tuple[Any, int]:
    """Read ``form`` from ``data`` at ``offset``; return what it gave and the offset behind it.

    Raises:
        MalformedFrameError: ``data`` is too short or a field refuses; its offset is where reading
            stopped.
    """
    stream = io.BytesIO(data)
    stream.seek(offset)
    try:
        parsed = form.parse_stream(stream)
    except ConstructError as error:
        why = " ".join(str(error).split())
        raise MalformedFrameError(layer, data, why, stream.tell()) from error
    return parsed, stream.tell()


def parse_whole(layer: str, form: Construct, data: bytes) -> Any:
    """Read ``form`` from all of ``data``.

    Raises:
        MalformedFrameError: ``data`` is too short, a field refuses, or octets are left over.
    """
    parsed, end = parse_part(layer, form, data)
    if end != len(data):
        raise MalformedFrameError(layer, data, f"{len(data) - end} octets left over", end)
    return parsed


def build(layer: str, form: Construct, values: Mapping[str, Any]) -> bytes:
    """Write ``values`` in ``form``.

    Raises:
        ValueError: A value does not fit its field: our own fault, not a peer's.
    """
    try:
        built: bytes = form.build(values)
    except ConstructError as error:
        raise ValueError(f"{layer}: {' '.join(str(error).split())}") from error
    return built
