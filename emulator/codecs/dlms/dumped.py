"""Typed reading of what a machine of this package dumped: every wrong value is named by its path.

A dump is JSON-able: octets stand in it as hex, members of an enumeration by their names. A machine
reads all of it before it takes over any of it, so a refused state leaves the machine as it was.
"""

import enum
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

from emulator.core.errors import IllegalEventError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
State: TypeAlias = dict[str, Json]
_LAST: Final = (1 << 63) - 1
_Member = TypeVar("_Member", bound=enum.Enum)


class DumpedStateError(IllegalEventError):
    """A dumped state cannot be taken over: our own fault, or a damaged file's.

    Attributes:
        path: Which value, e.g. ``station.links[0].state``.
        why: What is wrong with it.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Dumped:
    """A table of a dumped state that has these names and no others."""

    def __init__(self, values: object, path: str, names: frozenset[str]) -> None:
        """Take a table.

        Raises:
            DumpedStateError: It is no table, a name is missing, or one is not known.
        """
        if not isinstance(values, Mapping):
            raise DumpedStateError(path, "not a table of values")
        self.path = path
        self._values: Mapping[str, Any] = values
        for name in sorted(names - values.keys()):
            self.refuse(name, "missing from the dumped state")
        for name in sorted(str(name) for name in values.keys() - names):
            self.refuse(name, "not known")

    def refuse(self, name: str, why: str) -> NoReturn:
        """Refuse the value of ``name``.

        Raises:
            DumpedStateError: Always.
        """
        raise DumpedStateError(f"{self.path}.{name}", why)

    def number(self, name: str, least: int = 0, most: int = _LAST) -> int:
        """Return a whole number from ``least`` to ``most``."""
        value = self._values[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(name, f"not a whole number from {least} to {most}")
        return value

    def optional_number(self, name: str) -> int | None:
        """Return a whole number, or None."""
        return None if self._values[name] is None else self.number(name, -_LAST)

    def flag(self, name: str) -> bool:
        """Return True or False."""
        value = self._values[name]
        if not isinstance(value, bool):
            self.refuse(name, "not true or false")
        return value

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._values[name]
        if not isinstance(value, str):
            self.refuse(name, "not a text")
        return value

    def octets(self, name: str, most: int = 1 << 24) -> bytes:
        """Return at most ``most`` octets written as hex."""
        try:
            value = bytes.fromhex(self.text(name))
        except ValueError:
            self.refuse(name, "not hex")
        if len(value) > most:
            self.refuse(name, f"{len(value)} octets, {most} are the limit")
        return value

    def optional_octets(self, name: str, most: int = 1 << 24) -> bytes | None:
        """Return octets written as hex, or None."""
        return None if self._values[name] is None else self.octets(name, most)

    def member(self, name: str, kind: type[_Member]) -> _Member:
        """Return a member of an enumeration, written by its name."""
        found = kind.__members__.get(self.text(name))
        if found is None:
            self.refuse(name, f"no {kind.__name__}")
        return found

    def part(self, name: str, names: frozenset[str]) -> "Dumped":
        """Return a table inside."""
        return Dumped(self._values[name], f"{self.path}.{name}", names)

    def numbers(self, name: str, most: int = _LAST) -> dict[str, int]:
        """Return a table of whole numbers from 0 to ``most`` under any names."""
        value = self._values[name]
        if not isinstance(value, Mapping):
            self.refuse(name, "not a table of values")
        inner = Dumped(value, f"{self.path}.{name}", frozenset(value))
        return {str(key): inner.number(key, 0, most) for key in value}

    def raw(self, name: str) -> Json:
        """Return the value as it is, for a machine inside to read."""
        value: Json = self._values[name]
        return value

    def rows(self, name: str, names: frozenset[str], most: int = 1 << 20) -> list["Dumped"]:
        """Return a list of at most ``most`` tables."""
        value = self._values[name]
        if not isinstance(value, list):
            self.refuse(name, "not a list")
        if len(value) > most:
            self.refuse(name, f"{len(value)} rows, {most} are the limit")
        path = f"{self.path}.{name}"
        return [Dumped(row, f"{path}[{at}]", names) for at, row in enumerate(value)]
