"""Building blocks of the DLMS declarations: values in place of construct's containers."""

import enum
from collections.abc import Mapping
from dataclasses import fields
from types import UnionType
from typing import Any, Final

from construct import (
    Adapter,
    Bytes,
    Construct,
    Int8ub,
    MappingError,
    OneOf,
    PrefixedArray,
    Rebuild,
    SizeofError,
    Struct,
    len_,
    stream_read,
    stream_write,
    this,
)

from emulator.codecs.gbcs.envelope_declaration import BerLength

_TRUE: Final = (0x01, 0xFF)


class Shaped(Adapter):
    """A Struct whose fields bear the names of a dataclass, as a value of that dataclass.

    Attributes:
        shape: The dataclass.
    """

    def __init__(self, shape: type[Any], *parts: Construct) -> None:
        super().__init__(Struct(*parts))
        self.shape = shape
        self._names = [field.name for field in fields(shape)]

    def _decode(self, obj: Any, context: Any, path: str) -> Any:
        return self.shape(**{name: obj[name] for name in self._names})

    def _encode(self, obj: Any, context: Any, path: str) -> dict[str, Any]:
        if not isinstance(obj, self.shape):
            raise MappingError(f"{obj!r} is no {self.shape.__name__}", path=path)
        return {name: getattr(obj, name) for name in self._names}


class Chosen(Construct):
    """An octet that says which form follows; what is built says by its type.

    Attributes:
        forms: Octet -> type of the value, and its form.
    """

    def __init__(self, forms: Mapping[int, tuple[type[Any] | UnionType, Construct]]) -> None:
        super().__init__()
        self.forms = forms

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        octet = stream_read(stream, 1, path)[0]
        if octet not in self.forms:
            raise MappingError(f"choice {octet} is not known", path=path)
        return self.forms[octet][1].parse_stream(stream)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        for octet, (shape, form) in self.forms.items():
            if isinstance(obj, shape):
                stream_write(stream, bytes((octet,)), 1, path)
                return form.build_stream(obj, stream)
        raise MappingError(f"no choice for {obj!r}", path=path)

    def _sizeof(self, context: Any, path: str) -> int:
        raise SizeofError("a choice has no fixed size", path=path)


class Usage(Construct):
    """An OPTIONAL part behind its usage flag, 00 or 01; None where it is absent."""

    def __init__(self, form: Construct) -> None:
        super().__init__()
        self._form = form

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        flag = stream_read(stream, 1, path)[0]
        if flag > 1:
            raise MappingError(f"usage flag {flag}", path=path)
        return self._form.parse_stream(stream) if flag else None

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        stream_write(stream, b"\0" if obj is None else b"\1", 1, path)
        return None if obj is None else self._form.build_stream(obj, stream)

    def _sizeof(self, context: Any, path: str) -> int:
        raise SizeofError("an optional part has no fixed size", path=path)


class Member(Adapter):
    """An octet that is a member of an enumeration."""

    def __init__(self, kind: type[enum.IntEnum]) -> None:
        super().__init__(OneOf(Int8ub, [int(member) for member in kind]))
        self._kind = kind

    def _decode(self, obj: int, context: Any, path: str) -> enum.IntEnum:
        return self._kind(obj)

    def _encode(self, obj: enum.IntEnum, context: Any, path: str) -> int:
        return int(obj)


class Listed(Adapter):
    """A SEQUENCE OF: a count and so many items, as a tuple."""

    def __init__(self, form: Construct) -> None:
        super().__init__(PrefixedArray(BerLength(), form))

    def _decode(self, obj: Any, context: Any, path: str) -> tuple[Any, ...]:
        return tuple(obj)

    def _encode(self, obj: tuple[Any, ...], context: Any, path: str) -> list[Any]:
        return list(obj)


class _Octets(Adapter):
    def _decode(self, obj: Any, context: Any, path: str) -> bytes:
        octets: bytes = obj.octets
        return octets

    def _encode(self, obj: bytes, context: Any, path: str) -> dict[str, bytes]:
        return {"octets": obj}


class _Flag(Adapter):
    def _decode(self, obj: int, context: Any, path: str) -> bool:
        return obj in _TRUE

    def _encode(self, obj: bool, context: Any, path: str) -> int:
        return 1 if obj else 0


#: An octet string behind its length.
OCTETS: Final = _Octets(
    Struct("length" / Rebuild(BerLength(), len_(this.octets)), "octets" / Bytes(this.length))
)
#: A BOOLEAN: 00, 01 or FF; ours is 01.
FLAG: Final = _Flag(OneOf(Int8ub, [0, *_TRUE]))
