"""A field: a name, and text or further fields; and how to print and encode a tree of them."""

import dataclasses
import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Union

Field = tuple[str, Union[str, "list[Field]"]]


def numbered(fields: Iterable[Field]) -> list[Field]:
    """Return fields with 1, 2, 3 … before their names."""
    return [(f"{number} {name}", value) for number, (name, value) in enumerate(fields, 1)]


def plain_fields(
    value: object, text_of: Callable[[str, object], str | None] = lambda _name, _item: None
) -> list[Field]:
    """Return a dataclass as fields.

    Args:
        value: An instance of a dataclass; dataclasses in it become nested fields.
        text_of: Asked first how to print the attribute of that name; None leaves it to this.
    """
    if not dataclasses.is_dataclass(value):
        return []
    fields: list[Field] = []
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        text = text_of(field.name, item)
        nested = plain_fields(item, text_of) if text is None and _is_record(item) else None
        fields.append((field.name.replace("_", " "), nested or text or _text(item)))
    return fields


def _is_record(item: object) -> bool:
    return dataclasses.is_dataclass(item) and type(item).__str__ is object.__str__


def _text(item: object) -> str:
    if isinstance(item, enum.IntEnum):
        return f"{item.value} {item.name.lower().replace('_', ' ')}"
    return item.hex() if isinstance(item, bytes) else str(item)


def lines(fields: Iterable[Field], indent: int = 0) -> Iterator[str]:
    """Yield a tree as indented lines."""
    for name, value in fields:
        if isinstance(value, str):
            yield f"{'  ' * indent}{name}: {value}"
        else:
            yield f"{'  ' * indent}{name}"
            yield from lines(value, indent + 1)


def to_json(fields: Iterable[Field]) -> list[dict[str, object]]:
    """Return a tree as JSON: objects with ``name`` and ``value`` or ``fields``, in order."""
    return [
        {"name": name, "value": value}
        if isinstance(value, str)
        else {"name": name, "fields": to_json(value)}
        for name, value in fields
    ]
