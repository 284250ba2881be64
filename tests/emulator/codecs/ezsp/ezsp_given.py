"""Random values for any frame, and bellows as an independent reader and writer of them."""

import importlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import bellows.types as t
import construct as c
import zigpy.types as z

from emulator.codecs.ezsp import kinds
from emulator.codecs.ezsp.kinds import TAILS, ClusterLists
from emulator.codecs.ezsp.layout import Layout
from emulator.codecs.ezsp.statuses import Family, RawStatus, Status, read_status, status_number
from emulator.codecs.ezsp.table_deltas import TABLES
from emulator.codecs.zigbee.blocks import Boolean, Eui64LittleEndian
from emulator.core.chance import Stream
from emulator.core.ids import Eui64

#: Every frame of every version and direction: version, frame id, name, True for the answer.
EVERY: Final = [
    (version, row.frame_id, row.name, answer)
    for version, rows in TABLES.items()
    for row in rows
    for answer in (False, True)
    if answer or row.request is not None
]


_STATUSES: Final = {family: [status.number(family) for status in Status] for family in Family}


def draw(form: c.Construct, chance: Stream) -> Any:
    """Return a random value that ``form`` can write."""
    while isinstance(form, c.Renamed):
        form = form.subcon
    for kind, how in _DRAWN.items():
        if isinstance(form, kind):
            return how(form, chance)
    tail = next(name for name, known in TAILS.items() if known.form is form)
    return _tail(tail, chance)


def _number(form: Any, chance: Stream) -> int:
    octets = chance.octets(form.length)
    return int.from_bytes(octets, "little", signed=form.fmtstr[-1].islower())


def _status(family: Family, chance: Stream) -> Status | RawStatus:
    if chance.happens(0.7):
        return read_status(family, _STATUSES[family][chance.below(len(_STATUSES[family]))])
    return read_status(family, int.from_bytes(chance.octets(family.octets), "little"))


def _tail(name: str, chance: Stream) -> Any:
    if name.startswith("lv"):
        return chance.octets(chance.below(120))
    words = [int.from_bytes(chance.octets(2), "little") for _ in range(chance.below(20))]
    if name == "clusters":
        cut = chance.below(len(words) + 1)
        return ClusterLists(tuple(words[:cut]), tuple(words[cut:]))
    return tuple(words)


_DRAWN: Final[dict[type[Any], Callable[[Any, Stream], Any]]] = {
    kinds._StatusField: lambda form, chance: _status(form._family, chance),
    kinds._Yes: lambda _form, chance: Status.OK if chance.happens(0.5) else Status.FAIL,
    Boolean: lambda _form, chance: chance.happens(0.5),
    Eui64LittleEndian: lambda _form, chance: Eui64(chance.octets(8)),
    kinds._Structured: lambda form, chance: form._cls(
        *(draw(part, chance) for part in form.subcon.subcons)
    ),
    c.FormatField: _number,
    c.Bytes: lambda form, chance: chance.octets(form.length),
}


def value_of(layout: Layout, chance: Stream) -> Any:
    """Return a random value of a frame's parameters."""
    drawn = {part.name: draw(part, chance) for part in layout.form.subcons}
    conditional = TAILS["lv32_if_ok"].form
    for part in layout.form.subcons:
        if part.subcon is conditional and drawn["status"] is not Status.OK:
            drawn[part.name] = b""
    return layout.cls(**drawn)


def leaves(layout: Layout, value: Any) -> list[Any]:
    """Return what stands on the wire, one plain value after the other."""
    return [
        leaf
        for part in layout.form.subcons
        for leaf in _plain(part.subcon, getattr(value, part.name))
    ]


def _plain(form: c.Construct, value: Any) -> Iterator[Any]:
    if isinstance(form, kinds._Structured):
        for part in form.subcon.subcons:
            yield from _plain(part.subcon, getattr(value, part.name))
    elif isinstance(form, kinds._StatusField):
        yield status_number(form._family, value)
    elif isinstance(value, Status | bool):
        yield int(value is Status.OK or value is True)
    elif isinstance(value, Eui64):
        yield value.octets[::-1]
    elif isinstance(value, ClusterLists):
        yield from (len(value.inputs), len(value.outputs), value.inputs, value.outputs)
    else:
        yield value


@cache
def _commands(version: int) -> dict[int, tuple[str, Any, Any]]:
    table = importlib.import_module(f"bellows.ezsp.v{version}.commands").COMMANDS
    return {row[0]: (name, row[1], row[2]) for name, row in table.items()}


def schema_of(version: int, frame_id: int, *, answer: bool) -> Any:
    """Return what bellows knows of a frame; None when it has no such number."""
    return _commands(version).get(frame_id, ("", None, None))[2 if answer else 1]


def name_of(version: int, frame_id: int) -> str:
    """Return what bellows calls a frame."""
    return _commands(version)[frame_id][0]


def bellows_writes(schema: Any, plain: list[Any]) -> bytes:
    """Return the octets bellows makes of plain values."""
    left = iter(plain)
    if isinstance(schema, dict):
        made = [_make(kind, left) for kind in schema.values()]
        octets = t.serialize_dict(made, {}, schema)
    else:
        octets = _make(schema, left).serialize()
    over = list(left)
    assert not over, f"bellows knows of fewer fields: {schema} {over}"
    return bytes(octets)


def _make(kind: Any, left: Iterator[Any]) -> Any:
    if issubclass(kind, z.Struct):
        parts: dict[str, Any] = {}
        for field in kind.fields:
            requires = field.requires
            if requires is None or requires(kind(**parts)):
                parts[field.name] = _make(field.type, left)
        made = kind(**parts)
        if len(parts) < len(kind.fields):
            next(left)  # ours has an empty value there
        return made
    value = next(left)
    if isinstance(value, bytes) and not issubclass(kind, bytes):
        return kind.deserialize(value)[0]
    return kind(value)


def bellows_reads(schema: Any, octets: bytes) -> list[Any]:
    """Return the plain values bellows finds in octets, all of which it must use."""
    if isinstance(schema, dict):
        found, rest = t.deserialize_dict(octets, schema)
        values = list(found.values())
    else:
        value, rest = schema.deserialize(octets)
        values = [value]
    assert rest == b"", "bellows leaves octets over"
    return [leaf for value in values for leaf in _leaves(value)]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, z.Struct):
        for field in type(value).fields:
            part = getattr(value, field.name)
            yield from _leaves(b"" if part is None else part)
    elif isinstance(value, bytes):
        yield bytes(value)
    elif isinstance(value, int):
        yield int(value)
    elif isinstance(value, z.FixedList):
        yield value.serialize()
    else:
        yield tuple(int(part) for part in value)


def named_pairs(form: c.Construct, schema: Any) -> Iterator[tuple[str, str]]:
    """Yield our name and bellows' of every field, in the order of the wire, structures inside too.

    Its names are given in small letters and without underscores.
    """
    if isinstance(schema, dict):
        theirs = list(schema.items())
    else:
        theirs = [(field.name, field.type) for field in schema.fields]
    for part, (name, kind) in zip(form.subcons, theirs, strict=True):
        yield part.name, name.replace("_", "").lower()
        if isinstance(part.subcon, kinds._Structured):
            yield from named_pairs(part.subcon.subcon, kind)
