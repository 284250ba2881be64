"""Dumped state: what devices write as JSON, and typed reading of it."""

from collections.abc import Mapping
from typing import TypeAlias

from emulator.core.clock import UtcMs
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
State: TypeAlias = dict[str, Json]


class Saved:
    """A dumped state being read back; a missing or mistyped value names its path."""

    def __init__(self, values: Json, path: str = "state") -> None:
        if not isinstance(values, dict):
            raise IllegalEventError(f"{path}: not a table of values")
        self._values: Mapping[str, Json] = values
        self._path = path

    def _value(self, name: str) -> Json:
        if name not in self._values:
            raise IllegalEventError(f"{self._path}.{name}: missing from the dumped state")
        return self._values[name]

    def _wrong(self, name: str, wanted: str) -> IllegalEventError:
        return IllegalEventError(f"{self._path}.{name}: not {wanted}")

    def has(self, name: str) -> bool:
        """Say whether the value is there and not None."""
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._value(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def number(self, name: str) -> int:
        """Return a whole number."""
        value = self._value(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "a number")
        return value

    def moment(self, name: str) -> UtcMs:
        """Return a moment in milliseconds since 1970."""
        return UtcMs(self.number(name))

    def flag(self, name: str) -> bool:
        """Return True or False."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def octets(self, name: str) -> bytes:
        """Return octets written as hex."""
        try:
            return bytes.fromhex(self.text(name))
        except ValueError:
            raise self._wrong(name, "hex") from None

    def eui64(self, name: str) -> Eui64:
        """Return an EUI-64."""
        return Eui64(self.octets(name))

    def part(self, name: str) -> "Saved":
        """Return a table inside."""
        return Saved(self._value(name), f"{self._path}.{name}")

    def table(self, name: str) -> State:
        """Return a table inside as it was dumped."""
        value = self._value(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "a table")
        return value

    def optional_part(self, name: str) -> "Saved | None":
        """Return a table inside, or None."""
        return self.part(name) if self.has(name) else None

    def optional_octets(self, name: str) -> bytes | None:
        """Return octets written as hex, or None."""
        return self.octets(name) if self.has(name) else None

    def optional_number(self, name: str) -> int | None:
        """Return a whole number, or None."""
        return self.number(name) if self.has(name) else None

    def optional_moment(self, name: str) -> UtcMs | None:
        """Return a moment, or None."""
        return self.moment(name) if self.has(name) else None

    def rows(self, name: str) -> list["Saved"]:
        """Return a list of tables."""
        value = self._value(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return [Saved(item, f"{self._path}.{name}[{at}]") for at, item in enumerate(value)]

    def numbers(self, name: str) -> dict[str, int]:
        """Return a table of whole numbers."""
        value = self._value(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "a table")
        part = Saved(value, f"{self._path}.{name}")
        return {key: part.number(key) for key in value}

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self._value(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        texts = [item for item in value if isinstance(item, str)]
        if len(texts) != len(value):
            raise self._wrong(name, "a list of texts")
        return texts

    def number_list(self, name: str) -> list[int]:
        """Return a list of whole numbers."""
        value = self._value(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        numbers = [item for item in value if isinstance(item, int) and not isinstance(item, bool)]
        if len(numbers) != len(value):
            raise self._wrong(name, "a list of numbers")
        return numbers

    def pairs(self, name: str) -> list[tuple[int, int]]:
        """Return a list of pairs of whole numbers."""
        value = self._value(name)
        rows = value if isinstance(value, list) else [None]
        numbers = [number for row in rows if isinstance(row, list) for number in row]
        if any(not isinstance(row, list) or len(row) != 2 for row in rows) or not all(
            isinstance(number, int) for number in numbers
        ):
            raise self._wrong(name, "a list of pairs")
        found = [number for number in numbers if isinstance(number, int)]
        return list(zip(found[::2], found[1::2], strict=True))

    def eui64s(self, name: str) -> tuple[Eui64, ...]:
        """Return a list of EUI-64s."""
        return tuple(Eui64(bytes.fromhex(text)) for text in self.texts(name))
