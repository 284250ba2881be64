"""Values by name: what the device was told, over its profile's, over the catalogue's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from device_profiles.gbcs_clusters import ClusterRow, GbcsClusters, load_gbcs_clusters
from device_profiles.schema import DeviceProfile
from emulator.devices.gsme.model.types import Value, dumped, kind_of, made, restored
from emulator.devices.saved import Saved, State

_MOST_PROFILES: Final = 64
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


@dataclass(frozen=True)
class _Shared:
    """The values of one profile; shared by its devices."""

    profile: DeviceProfile
    values: Mapping[str, Value]


_SHARED: Final[dict[int, _Shared]] = {}


def profile_values(profile: DeviceProfile) -> Mapping[str, Value]:
    """Return the values that a profile's ``[attributes]`` hold.

    Raises:
        WrongTypeError: A value is of another type.
        KeyError: There is no value of a name.
    """
    kept = _SHARED.get(id(profile))
    if kept is None or kept.profile is not profile:
        if len(_SHARED) >= _MOST_PROFILES:
            _SHARED.clear()
        values = {name: made_of(name, plain) for name, plain in profile.attributes.items()}
        kept = _SHARED[id(profile)] = _Shared(profile, MappingProxyType(values))
    return kept.values


class Store:
    """Values of one device; sparse.

    Attributes:
        told: What the device itself holds.
    """

    __slots__ = ("_under", "told")

    def __init__(self, *under: Mapping[str, Value]) -> None:
        """Take the mappings that answer for what the device was not told, strongest first."""
        self._under = under
        self.told: dict[str, Value] = {}

    def find(self, name: str) -> Value | None:
        """Return a value, or None where nothing says one."""
        if name in self.told:
            return self.told[name]
        for values in self._under:
            if name in values:
                return values[name]
        return None

    def number(self, name: str, default: int = 0) -> int:
        """Return a number."""
        found = self.find(name)
        return found if isinstance(found, int) else default

    def octets(self, name: str) -> bytes:
        """Return octets."""
        found = self.find(name)
        return found if isinstance(found, bytes) else b""

    def rows(self, name: str) -> tuple[Row, ...]:
        """Return a table's rows."""
        found = self.find(name)
        return found if isinstance(found, tuple) else ()

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a list of numbers."""
        found = self.find(name)
        rows: tuple[Any, ...] = found if isinstance(found, tuple) else ()
        return tuple([each for each in rows if isinstance(each, int)])

    def put(self, name: str, value: Value) -> None:
        """Keep a value; a number out of its type's range stays at the end of the range."""
        kind = kind_of(_typed(name).type)
        if isinstance(value, int):
            low, high = kind.limits
            value = max(low, min(high, value))
        self.told[name] = value

    def dump(self) -> State:
        """Return what was told as JSON values."""
        return {name: dumped(value) for name, value in self.told.items()}

    def load(self, saved: Saved, name: str) -> None:
        """Take over what a dump says under ``name``."""
        self.told = {
            key: restored(kind_of(_typed(key).type), value, key)
            for key, value in saved.table(name).items()
        }
