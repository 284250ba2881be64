"""Rows of a dumped state: values each of whose fields is written and read by its type."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self, get_type_hints

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved, State


@dataclass(frozen=True, slots=True)
class _Form:
    """How a value of one type is written, and read back."""

    write: Callable[[Any], Json]
    read: Callable[[Saved, str], Any]


def _same(value: Any) -> Json:
    found: Json = value
    return found


def _hex(value: Any) -> Json:
    octets: bytes | None = value.octets if isinstance(value, Eui64) else value
    return None if octets is None else octets.hex()


def _optional_eui64(saved: Saved, name: str) -> Eui64 | None:
    return saved.eui64(name) if saved.has(name) else None


_FORMS: Final[Mapping[Any, _Form]] = {
    int: _Form(_same, Saved.number),
    int | None: _Form(_same, Saved.optional_number),
    UtcMs: _Form(_same, Saved.moment),
    UtcMs | None: _Form(_same, Saved.optional_moment),
    str: _Form(_same, Saved.text),
    bool: _Form(_same, Saved.flag),
    bytes: _Form(_hex, Saved.octets),
    bytes | None: _Form(_hex, Saved.optional_octets),
    Eui64: _Form(_hex, Saved.eui64),
    Eui64 | None: _Form(_hex, _optional_eui64),
}


class SavedRow:
    """Base of a dataclass of plain fields: numbers, moments, texts, flags, octets, EUI-64s."""

    __slots__ = ()

    def dump(self) -> State:
        """Return it as JSON values."""
        kind: Any = type(self)
        return {name: form.write(getattr(self, name)) for name, form in _forms(kind).items()}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return what a dump describes.

        Raises:
            IllegalEventError: A value is missing or of another type.
        """
        kind: Any = cls
        row: Self = kind(**{name: form.read(saved, name) for name, form in _forms(kind).items()})
        return row


@functools.cache
def _forms(cls: Any) -> Mapping[str, _Form]:
    hints = get_type_hints(cls)
    return {field.name: _FORMS[hints[field.name]] for field in fields(cls)}
