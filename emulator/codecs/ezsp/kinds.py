"""Kinds of fields of EZSP frames: each as construct declares it and as ``struct`` reads it fast."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Final

import construct as c

from emulator.codecs.ezsp.statuses import (
    AnyStatus,
    Family,
    Status,
    read_status,
    status_number,
    status_reader,
)
from emulator.codecs.zigbee.blocks import Boolean, Eui64LittleEndian, Row
from emulator.core.ids import Eui64


class UnfitError(Exception):
    """The fast way cannot read these octets; the declaration says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One value to pack of a field.

    Attributes:
        path: Which attribute of the field's value it is, with dots; empty: that value itself.
        turn: What ``struct`` packs, from it; None: itself.
    """

    path: str = ""
    turn: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A field of fixed length.

    Attributes:
        form: Its construct declaration.
        codes: Its ``struct`` format characters, little-endian.
        count: How many values they stand for.
        read: From the unpacked values and the index of the first; None: that value itself.
        parts: The values to pack, in order.
    """

    form: c.Construct
    codes: str
    count: int = 1
    read: Callable[[tuple[Any, ...], int], Any] | None = None
    parts: tuple[Part, ...] = (Part(),)


@dataclass(frozen=True, slots=True)
class Tail:
    """A field of any length at the end of a frame.

    Attributes:
        form: Its construct declaration.
        read: From the octets that are left and the values before it; `UnfitError` when in doubt.
        write: To octets, from the value and the whole frame's value.
    """

    form: c.Construct
    read: Callable[[bytes, list[Any]], Any]
    write: Callable[[Any, Any], bytes]


@dataclass(frozen=True, slots=True)
class ClusterLists:
    """Clusters of an endpoint.

    Attributes:
        inputs: Those it serves.
        outputs: Those it is a client of.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class _StatusField(c.Adapter):
    """A status of one family."""

    def __init__(self, family: Family) -> None:
        super().__init__(c.Int32ul if family is Family.SL else c.Int8ul)
        self._family = family

    def _decode(self, obj: int, context: Any, path: str) -> AnyStatus:
        return read_status(self._family, obj)

    def _encode(self, obj: AnyStatus, context: Any, path: str) -> int:
        return status_number(self._family, obj)


class _Yes(c.Adapter):
    """A boolean on the wire; whether something succeeded in Python."""

    def _decode(self, obj: bool, context: Any, path: str) -> Status:
        return Status.OK if obj else Status.FAIL

    def _encode(self, obj: AnyStatus, context: Any, path: str) -> bool:
        return obj is Status.OK


class _Structured(c.Adapter):
    """A declared structure as the dataclass that stands for it."""

    def __init__(self, form: c.Construct, cls: type[Any]) -> None:
        super().__init__(form)
        self._names = tuple(field.name for field in fields(cls))
        self._cls = cls

    def _decode(self, obj: Any, context: Any, path: str) -> Any:
        return self._cls(**{name: obj[name] for name in self._names if name in obj})

    def _encode(self, obj: Any, context: Any, path: str) -> dict[str, Any]:
        return {name: getattr(obj, name) for name in self._names}


class _Clusters(c.Adapter):
    """Two counts and two lists."""

    def _decode(self, obj: Any, context: Any, path: str) -> ClusterLists:
        return ClusterLists(obj.inputs, obj.outputs)

    def _encode(self, obj: ClusterLists, context: Any, path: str) -> dict[str, Any]:
        return {
            "ins": len(obj.inputs),
            "outs": len(obj.outputs),
            "inputs": obj.inputs,
            "outputs": obj.outputs,
        }


def status_kind(family: Family) -> Kind:
    """Return the kind of a status of ``family``."""
    known = status_reader(family)

    def read(raw: tuple[Any, ...], at: int) -> AnyStatus:
        return known(raw[at])

    code = "I" if family is Family.SL else "B"
    parts = (Part(turn=partial(status_number, family)),)
    return Kind(_StatusField(family), code, read=read, parts=parts)


def octets_kind(length: int) -> Kind:
    """Return the kind of exactly ``length`` octets."""

    def whole(value: bytes) -> bytes:
        if len(value) != length:
            raise ValueError(f"{length} octets wanted, {len(value)} given")
        return value

    return Kind(c.Bytes(length), f"{length}s", parts=(Part(turn=whole),))


def structure_kind(cls: type[Any], parts: Mapping[str, Kind]) -> Kind:
    """Return the kind of a structure: ``cls``, whose fields stand on the wire as ``parts``."""
    declared = c.Struct(*(c.Renamed(part.form, name) for name, part in parts.items()))
    codes = "".join(part.codes for part in parts.values())
    count = sum(part.count for part in parts.values())
    plain = all(part.read is None for part in parts.values())
    rows = tuple((part.read, part.count) for part in parts.values())
    in_order = tuple(parts) == tuple(field.name for field in fields(cls))[: len(parts)]
    if not in_order:
        raise TypeError(f"the fields of {cls.__name__} stand in another order on the wire")

    def read(raw: tuple[Any, ...], at: int) -> Any:
        if plain:
            return cls(*raw[at : at + count])
        values = []
        for how, size in rows:
            values.append(raw[at] if how is None else how(raw, at))
            at += size
        return cls(*values)

    packed = tuple(row for name, part in parts.items() for row in parts_under(name, part))
    return Kind(_Structured(declared, cls), codes, count, read, packed)


def parts_under(name: str, kind: Kind) -> tuple[Part, ...]:
    """Return the values to pack of a field, as attributes of what the field belongs to."""
    paths = (f"{name}.{part.path}" if part.path else name for part in kind.parts)
    return tuple(replace(part, path=path) for part, path in zip(kind.parts, paths, strict=True))


def _read_bool(raw: tuple[Any, ...], at: int) -> bool:
    if raw[at] > 1:
        raise UnfitError
    return bool(raw[at])


def _read_eui64(raw: tuple[Any, ...], at: int) -> Eui64:
    return Eui64(raw[at][::-1])


def _reversed(octets: bytes) -> bytes:
    return octets[::-1]


def _read_yes(raw: tuple[Any, ...], at: int) -> Status:
    return Status.OK if _read_bool(raw, at) else Status.FAIL


def _is_ok(value: AnyStatus) -> bool:
    return value is Status.OK


def _read_counted(octets: bytes, _before: list[Any]) -> bytes:
    if not octets or octets[0] != len(octets) - 1:
        raise UnfitError
    return octets[1:]


def _write_counted(value: bytes, _whole: Any) -> bytes:
    return bytes((len(value),)) + value


def _read_long(octets: bytes, _before: list[Any]) -> bytes:
    if int.from_bytes(octets[:4], "little") != len(octets) - 4:
        raise UnfitError
    return octets[4:]


def _write_long(value: bytes, _whole: Any) -> bytes:
    return len(value).to_bytes(4, "little") + value


def _read_long_if_ok(octets: bytes, before: list[Any]) -> bytes:
    if before[0] is Status.OK:
        return _read_long(octets, before)
    if octets:
        raise UnfitError
    return b""


def _write_long_if_ok(value: bytes, whole: Any) -> bytes:
    return _write_long(value, whole) if whole.status is Status.OK else b""


def _read_words(octets: bytes, _before: list[Any]) -> tuple[int, ...]:
    if len(octets) % 2:
        raise UnfitError
    return struct.unpack(f"<{len(octets) // 2}H", octets)


def _write_words(value: tuple[int, ...], _whole: Any) -> bytes:
    return struct.pack(f"<{len(value)}H", *value)


def _read_counted_words(octets: bytes, before: list[Any]) -> tuple[int, ...]:
    if not octets or len(octets) != 1 + 2 * octets[0]:
        raise UnfitError
    return _read_words(octets[1:], before)


def _write_counted_words(value: tuple[int, ...], whole: Any) -> bytes:
    return bytes((len(value),)) + _write_words(value, whole)


def _read_clusters(octets: bytes, before: list[Any]) -> ClusterLists:
    if len(octets) < 2 or len(octets) != 2 + 2 * (octets[0] + octets[1]):
        raise UnfitError
    every = _read_words(octets[2:], before)
    return ClusterLists(every[: octets[0]], every[octets[0] :])


def _write_clusters(value: ClusterLists, whole: Any) -> bytes:
    counts = bytes((len(value.inputs), len(value.outputs)))
    return counts + _write_words((*value.inputs, *value.outputs), whole)


_LONG: Final = c.Prefixed(c.Int32ul, c.GreedyBytes)
#: Kinds that are the same in every version, by the word that stands for them in the tables.
KINDS: Final[Mapping[str, Kind]] = {
    "u8": Kind(c.Int8ul, "B"),
    "i8": Kind(c.Int8sl, "b"),
    "u16": Kind(c.Int16ul, "H"),
    "u32": Kind(c.Int32ul, "I"),
    "bool": Kind(Boolean(c.Int8ul), "B", read=_read_bool, parts=(Part(turn=bool),)),
    "eui": Kind(Eui64LittleEndian(), "8s", read=_read_eui64, parts=(Part("octets", _reversed),)),
    "yes": Kind(_Yes(Boolean(c.Int8ul)), "B", read=_read_yes, parts=(Part(turn=_is_ok),)),
}
#: Fields of any length: octets behind a count of one or four octets, words to the end or counted.
TAILS: Final[Mapping[str, Tail]] = {
    "lv": Tail(c.Prefixed(c.Int8ul, c.GreedyBytes), _read_counted, _write_counted),
    "lv32": Tail(_LONG, _read_long, _write_long),
    "lv32_if_ok": Tail(
        c.IfThenElse(c.this.status == Status.OK, _LONG, c.Computed(b"")),
        _read_long_if_ok,
        _write_long_if_ok,
    ),
    "words": Tail(Row(c.GreedyRange(c.Int16ul)), _read_words, _write_words),
    "counted_words": Tail(
        Row(c.PrefixedArray(c.Int8ul, c.Int16ul)), _read_counted_words, _write_counted_words
    ),
    "clusters": Tail(
        _Clusters(
            c.Struct(
                "ins" / c.Int8ul,
                "outs" / c.Int8ul,
                "inputs" / Row(c.Array(c.this.ins, c.Int16ul)),
                "outputs" / Row(c.Array(c.this.outs, c.Int16ul)),
            )
        ),
        _read_clusters,
        _write_clusters,
    ),
}
