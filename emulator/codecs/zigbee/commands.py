"""What commands of the network and application support layers have in common: number, fields."""

from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeVar

import construct as c

from emulator.codecs.zigbee.blocks import build, parse_whole


class Numbered(Protocol):
    """A frozen dataclass whose payload is ``FORM``, field for field, behind its number."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    ID: ClassVar[Any]
    FORM: ClassVar[c.Construct]


N = TypeVar("N", bound=Numbered)


def numbered(layer: str, command: Numbered, values: dict[str, Any] | None = None) -> bytes:
    """Write a command: its number and its fields, without the header of its layer.

    Args:
        layer: Its layer, for errors.
        command: The command.
        values: What its form takes, where that is not field for field.

    Raises:
        ValueError: A field is out of range.
    """
    if values is None:
        values = {row.name: getattr(command, row.name) for row in fields(command)}
    return bytes((command.ID,)) + build(layer, command.FORM, values)


def fields_of(layer: str, kind: type[N], data: bytes) -> N:
    """Read the fields of a command from what stands behind its number, all of it.

    Raises:
        MalformedFrameError: Too short, octets left over, or a field refuses.
    """
    raw = parse_whole(layer, kind.FORM, data)
    return kind(**{row.name: raw[row.name] for row in fields(kind)})
