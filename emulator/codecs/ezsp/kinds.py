"""Kinds of fields of EZSP frames: each as construct declares it and as ``struct`` reads it fast."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
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
class Kind:
    """A field of fixed length.

    Attributes:
        form: Its construct declaration.
        codes: Its ``struct`` format characters, little-endian.
        count: How many values they stand for.
        read: From the unpacked values and the index of the first; None: that value itself.
        write: Appends the values to pack; None: the value itself.
    """

    form: c.Construct
    codes: str
    count: int = 1
    read: Callable[[tuple[Any, ...], int], Any] | None = None
    write: Callable[[Any, list[Any]], None] | None = None


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

    def write(value: AnyStatus, out: list[Any]) -> None:
        out.append(status_number(family, value))

    code = "I" if family is Family.SL else "B"
    return Kind(_StatusField(family), code, read=read, write=write)


def octets_kind(length: int) -> Kind:
    """Return the kind of exactly ``length`` octets."""

    def write(value: bytes, out: list[Any]) -> None:
        if len(value) != length:
            raise ValueError(f"{length} octets wanted, {len(value)} given")
        out.append(value)

    return Kind(c.Bytes(length), f"{length}s", write=write)


def structure_kind(cls: type[Any], parts: Mapping[str, Kind]) -> Kind:
    """Return the kind of a structure: ``cls``, whose fields stand on the wire as ``parts``."""
    declared = c.Struct(*(c.Renamed(part.form, name) for name, part in parts.items()))
    codes = "".join(part.codes for part in parts.values())
    count = sum(part.count for part in parts.values())
    plain = all(part.read is None for part in parts.values())
    rows = tuple((name, part.read, part.write, part.count) for name, part in parts.items())
    in_order = tuple(parts) == tuple(field.name for field in fields(cls))[: len(parts)]
    if not in_order:
        raise TypeError(f"the fields of {cls.__name__} stand in another order on the wire")

    def read(raw: tuple[Any, ...], at: int) -> Any:
        if plain:
            return cls(*raw[at : at + count])
        values = []
        for _name, how, _write, size in rows:
            values.append(raw[at] if how is None else how(raw, at))
            at += size
        return cls(*values)

    def write(value: Any, out: list[Any]) -> None:
        for name, _read, how, _size in rows:
            part = getattr(value, name)
            if how is None:
                out.append(part)
            else:
                how(part, out)

    return Kind(_Structured(declared, cls), codes, count, read, write)


def _read_bool(raw: tuple[Any, ...], at: int) -> bool:
    if raw[at] > 1:
        raise UnfitError
    return bool(raw[at])


def _write_bool(value: bool, out: list[Any]) -> None:
    out.append(1 if value else 0)


def _read_eui64(raw: tuple[Any, ...], at: int) -> Eui64:
    return Eui64(raw[at][::-1])


def _write_eui64(value: Eui64, out: list[Any]) -> None:
    out.append(value.octets[::-1])


def _read_yes(raw: tuple[Any, ...], at: int) -> Status:
    return Status.OK if _read_bool(raw, at) else Status.FAIL


def _write_yes(value: AnyStatus, out: list[Any]) -> None:
    out.append(1 if value is Status.OK else 0)


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
    "bool": Kind(Boolean(c.Int8ul), "B", read=_read_bool, write=_write_bool),
    "eui": Kind(Eui64LittleEndian(), "8s", read=_read_eui64, write=_write_eui64),
    "yes": Kind(_Yes(Boolean(c.Int8ul)), "B", read=_read_yes, write=_write_yes),
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
