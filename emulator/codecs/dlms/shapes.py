"""What a DLMS value must look like, written in a word, and values made from plain ones.

A word is ``u32``, ``array(u32)``, ``struct(name:text,start:date_time)``, ``u32[48]`` (an array of
fixed length), ``compact(struct(…))``, alternatives ``u16|date_time``, or a name of ``NAMED``.
Plain values are what a data file can hold: whole numbers, texts, lists, tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

from emulator.codecs.dlms.axdr import ArrayType, CompactArray, Data, StructureType, Tag
from emulator.codecs.dlms.axdr import TypeDescription as Description
from emulator.codecs.dlms.plain_scalars import SCALARS, Scalar

#: Names of shapes that GBCS objects share. Source: RTDS 4.5.0 (gbcs-cosem-objects.tsv).
NAMED: Final[Mapping[str, str]] = {
    "scaler_unit": "struct(scaler:i8,unit:enum)",
    "seasons": "array(struct(name:text,start:date_time,week:octets))",
    "weeks": "array(struct(name:octets,mon:u8,tue:u8,wed:u8,thu:u8,fri:u8,sat:u8,sun:u8))",
    "days": "array(struct(day:u8,switches:array(struct(at:time,script:obis,selector:u16))))",
    "special_days": "array(struct(index:u16,date:date,day:u8))",
    "charge": "struct(scales:struct(commodity:i8,price:i8),"
    "commodity:struct(class:u16,object:obis,attribute:i8),prices:prices)",
    "prices": "array(struct(index:octets,price:i16))",
    "links": "array(struct(credit:obis,charge:obis,collection:bits))",
    "schedule": "array(struct(index:u16,enabled:bool,script:obis,selector:u16,at:time,"
    "validity:u16,weekdays:bits,special_days:bits,begin:date,end:date))",
    "executions": "array(struct(at:time,on:date))",
    "payment_mode": "struct(mode:enum,status:enum)",
    "preset": "struct(preset:date_time,begin:date_time,end:date_time)",
}
_WORD: Final = re.compile(r"\s*([A-Za-z_]\w*|[()\[\],:|]|\d+)")


class ShapeError(ValueError):
    """A plain value is not what its shape asks for."""


@dataclass(frozen=True, slots=True)
class Rows:
    """An array, of any length or of a fixed one."""

    element: "Shape"
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """A structure, its elements with their names."""

    elements: tuple[tuple[str, "Shape"], ...]


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact array of rows of one type."""

    row: "Shape"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several shapes."""

    options: tuple["Shape", ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """A charge table; its plain form is a list of prices in their order, or one without index."""

    table: "Shape"


Shape = Scalar | Rows | Fields | Compact | Choice | Prices


@lru_cache(maxsize=512)
def shape_of(word: str) -> Shape:
    """Return the shape a word names.

    Raises:
        ValueError: It is no such word.
    """
    words = _Words(word)
    shape = words.choice()
    words.end()
    return shape


class _Words:
    """The words of a shape, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.words = text, _WORD.findall(text)
        if "".join(self.words) != "".join(text.split()):
            self.fail("unknown characters")

    def fail(self, why: str) -> NoReturn:
        raise ValueError(f"no shape: {self.text!r} ({why})")

    def end(self) -> None:
        if self.words:
            self.fail(f"{self.words[0]!r} is left over")

    def take(self, wanted: str = "") -> str:
        word = self.words.pop(0) if self.words else ""
        if not word or (wanted and word != wanted):
            self.fail(f"{wanted or 'a word'} is due")
        return word

    def next_is(self, word: str) -> bool:
        return bool(self.words) and self.words[0] == word

    def choice(self) -> Shape:
        options = [self.shape()]
        while self.next_is("|"):
            self.take("|")
            options.append(self.shape())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def shape(self) -> Shape:
        shape = self.named(self.take())
        while self.next_is("["):
            self.take("[")
            shape = Rows(shape, int(self.take()))
            self.take("]")
        return shape

    def named(self, name: str) -> Shape:
        if name in {"array", "compact", "struct"}:
            self.take("(")
            inner = self.fields() if name == "struct" else self.choice()
            self.take(")")
            if name == "struct":
                return inner
            return Rows(inner) if name == "array" else Compact(inner)
        if name == "prices":
            return Prices(shape_of(NAMED[name]))
        if name in NAMED:
            return shape_of(NAMED[name])
        if name not in SCALARS:
            self.fail(f"{name!r} is no type")
        return SCALARS[name]

    def fields(self) -> Fields:
        elements = []
        while True:
            name = self.take()
            self.take(":")
            elements.append((name, self.choice()))
            if not self.next_is(","):
                return Fields(tuple(elements))
            self.take(",")


def fits(shape: Shape, data: Data) -> bool:
    """Say whether a value has the shape."""
    match shape:
        case Scalar():
            return shape.fits(data)
        case Choice(options):
            return any(fits(option, data) for option in options)
        case Prices(table):
            return fits(table, data)
        case Compact(row):
            rows = data.value.rows if isinstance(data.value, CompactArray) else None
            return rows is not None and all(fits(row, item) for item in rows)
        case _:
            return _fits_each(shape, data)


def _fits_each(shape: Rows | Fields, data: Data) -> bool:
    tag = Tag.ARRAY if isinstance(shape, Rows) else Tag.STRUCTURE
    items = data.value
    if data.tag is not tag or not isinstance(items, tuple):
        return False
    if isinstance(shape, Rows):
        due = [shape.element] * (len(items) if shape.count is None else shape.count)
    else:
        due = [one for _, one in shape.elements]
    return len(items) == len(due) and all(map(fits, due, items))


def make(shape: Shape, plain: Any, path: str = "value") -> Data:
    """Return the value that a plain one means.

    Raises:
        ShapeError: It does not fit; the message begins with its path.
    """
    match shape:
        case Scalar():
            return _scalar(shape, plain, path)
        case Choice(options):
            return _first(options, plain, path)
        case Prices(table):
            return make(table, _price_rows(plain, path), path)
        case Compact(row):
            rows = tuple(make(row, item, f"{path}[{at}]") for at, item in _listed(plain, path))
            return compact(row, rows)
        case Rows(element, count):
            items = [make(element, item, f"{path}[{at}]") for at, item in _listed(plain, path)]
            if count is not None and len(items) != count:
                raise ShapeError(f"{path}: {count} elements are due, not {len(items)}")
            return Data(Tag.ARRAY, tuple(items))
    parts = _parts(shape, plain, path)
    made = [make(one, parts[name], f"{path}.{name}") for name, one in shape.elements]
    return Data(Tag.STRUCTURE, tuple(made))


def compact(row: Shape, rows: tuple[Data, ...]) -> Data:
    """Return a compact array of rows that have a shape."""
    return Data(Tag.COMPACT_ARRAY, CompactArray(describe(row), rows))


def describe(shape: Shape) -> Description:
    """Return a shape as the type description of a compact array.

    Raises:
        ValueError: A compact array cannot hold it.
    """
    if isinstance(shape, Scalar):
        return shape.tag
    if isinstance(shape, Fields):
        return StructureType(tuple([describe(one) for _, one in shape.elements]))
    if isinstance(shape, Rows) and shape.count is not None:
        return ArrayType(shape.count, describe(shape.element))
    raise ValueError(f"no row of a compact array: {shape}")


def _scalar(shape: Scalar, plain: Any, path: str) -> Data:
    try:
        return shape.make(plain)
    except ValueError as error:
        raise ShapeError(f"{path}: {error}") from None


def _first(options: tuple[Shape, ...], plain: Any, path: str) -> Data:
    why = ""
    for option in options:
        try:
            return make(option, plain, path)
        except ShapeError as error:
            why = str(error)
    raise ShapeError(why)


def _listed(plain: Any, path: str) -> list[tuple[int, Any]]:
    if not isinstance(plain, list | tuple):
        raise ShapeError(f"{path}: a list is due, not {plain!r}")
    return list(enumerate(plain))


def _price_rows(plain: Any, path: str) -> list[dict[str, Any]]:
    if isinstance(plain, int):
        return [{"index": "", "price": plain}]
    return [{"index": _price_index(at), "price": price} for at, price in _listed(plain, path)]


def _price_index(at: int) -> str:
    """Return the index of a price: 01 to 30 the 48 TOU, then A1 to A8 … D8 blocks by TOU.

    Source:
        RTDS 4.5.0 ECS01b, ECS24.
    """
    return f"{at + 1:02x}" if at < 48 else f"{'abcd'[(at - 48) // 8]}{(at - 48) % 8 + 1}"


def _parts(shape: Fields, plain: Any, path: str) -> Mapping[str, Any]:
    names = [name for name, _ in shape.elements]
    if isinstance(plain, list | tuple) and len(plain) == len(names):
        return dict(zip(names, plain, strict=True))
    if not isinstance(plain, Mapping) or set(plain) != set(names):
        raise ShapeError(f"{path}: a table of {', '.join(names)} is due, not {plain!r}")
    return plain
