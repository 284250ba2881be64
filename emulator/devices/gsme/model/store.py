"""Values by name: what the device was told, over its profile's, over the catalogue's."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from device_profiles.gbcs_clusters import ClusterRow, GbcsClusters, load_gbcs_clusters
from emulator.devices.gsme.model.types import Value, dumped, kind_of, made, restored
from emulator.devices.saved import Json, Saved, State
from emulator.devices.stored_values import ProfileValues, StoredValues

Row = tuple[Any, ...]


@lru_cache(maxsize=1)
def gas_clusters() -> GbcsClusters:
    """Return the catalogue, one for all devices."""
    return load_gbcs_clusters("gas")


@lru_cache(maxsize=1)
def catalogue_defaults() -> Mapping[str, Value]:
    """Return the values of the catalogue, one set for all devices."""
    rows = [row for row in gas_clusters().rows if row.default is not None]
    return MappingProxyType({row.name: made_of(row.name, row.default) for row in rows})


def made_of(name: str, plain: Any) -> Value:
    """Return a named value from a plain one.

    Raises:
        WrongTypeError: It is of another type.
        KeyError: There is no value of this name.
    """
    return made(kind_of(_typed(name).type), plain, name)


def _typed(name: str) -> ClusterRow:
    row = gas_clusters().named[name]
    if not row.type:
        raise KeyError(f"{name} is a command")
    return row


#: The values that profiles of gas meters hold.
PROFILE_VALUES: Final = ProfileValues(made_of)


class Store(StoredValues[Value]):
    """The values of one device."""

    __slots__ = ()

    def plain(self, name: str) -> object:
        """Return a value."""
        return self.find(name)

    def rows(self, name: str) -> tuple[Row, ...]:
        """Return a table's rows."""
        return self.items(name)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a list of numbers."""
        return tuple([each for each in self.items(name) if isinstance(each, int)])

    def put(self, name: str, value: Value) -> None:
        """Keep a value; a number out of its type's range stays at the end of the range."""
        kind = kind_of(_typed(name).type)
        if isinstance(value, int):
            low, high = kind.limits
            value = max(low, min(high, value))
        super().put(name, value)

    def dumped(self, value: Value) -> Json:
        """Return a value as JSON."""
        return dumped(value)

    def restored(self, saved: Saved, key: str) -> dict[str, Value]:
        """Return the values that stand under a key of a dump."""
        return restored_values(saved.table(key))


def restored_values(table: State) -> dict[str, Value]:
    """Return named values from their dump."""
    return {name: restored(kind_of(_typed(name).type), raw, name) for name, raw in table.items()}
