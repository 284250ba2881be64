"""Values by name: what a device was told, over its profile's, over its catalogue's."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from device_profiles.schema import DeviceProfile
from emulator.devices.saved import Json, Saved, State

#: A value as the models of a type of device hold it.
V = TypeVar("V")
_MOST_PROFILES: Final = 64


class ProfileValues(Generic[V]):
    """The values of profiles' ``[attributes]``; devices of one profile share them."""

    def __init__(self, made_of: Callable[[str, Any], V]) -> None:
        """Take what makes a named value of a plain one."""
        self._made_of = made_of
        self._shared: dict[int, tuple[DeviceProfile, Mapping[str, V]]] = {}

    def of(self, profile: DeviceProfile) -> Mapping[str, V]:
        """Return the values of a profile; what is no value of such a device raises."""
        kept = self._shared.get(id(profile))
        if kept is None or kept[0] is not profile:
            if len(self._shared) >= _MOST_PROFILES:
                self._shared.clear()
            made = {name: self._made_of(name, plain) for name, plain in profile.attributes.items()}
            kept = self._shared[id(profile)] = (profile, MappingProxyType(made))
        return kept[1]


class StoredValues(ABC, Generic[V]):
    """The values of one device; only what differs from its profile is its own.

    Attributes:
        own: What it was told, by name.
        outlived: Names whose profile value holds no more.
    """

    __slots__ = ("_defaults", "_profile", "outlived", "own")

    def __init__(self, profile: Mapping[str, V], defaults: Mapping[str, V]) -> None:
        """Take what answers for what the device was not told, the stronger one first."""
        self._profile = profile
        self._defaults = defaults
        self.own: dict[str, V] = {}
        self.outlived: set[str] = set()

    @abstractmethod
    def plain(self, name: str) -> object:
        """Return a value as Python has it: a number, octets, or a tuple; None for none."""

    def published(self, name: str) -> V | None:
        """Return what the device or its profile says; None where neither does."""
        found = self.own.get(name)
        if found is None and name not in self.outlived:
            found = self._profile.get(name)
        return found

    def find(self, name: str) -> V | None:
        """Return a value, or the catalogue's; None where there is none at all."""
        found = self.published(name)
        return self._defaults.get(name) if found is None else found

    def number(self, name: str, otherwise: int = 0) -> int:
        """Return a whole number."""
        found = self.plain(name)
        return found if isinstance(found, int) else otherwise

    def octets(self, name: str) -> bytes:
        """Return octets; empty where none are said."""
        found = self.plain(name)
        return found if isinstance(found, bytes) else b""

    def items(self, name: str) -> tuple[Any, ...]:
        """Return the elements of a list or table; empty where there is none."""
        found = self.plain(name)
        return found if isinstance(found, tuple) else ()

    def put(self, name: str, value: V) -> None:
        """Take over a value."""
        self.own[name] = value

    def outlive(self, name: str) -> None:
        """Let a profile's value, and the device's own, hold no more."""
        self.own.pop(name, None)
        if name in self._profile:
            self.outlived.add(name)

    def dump(self) -> State:
        """Return what is the device's own."""
        return {
            "own": {name: self.dumped(value) for name, value in self.own.items()},
            "outlived": [*sorted(self.outlived)],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.own = self.restored(saved, "own")
        self.outlived = set(saved.texts("outlived"))

    @abstractmethod
    def dumped(self, value: V) -> Json:
        """Return a value as JSON."""

    @abstractmethod
    def restored(self, saved: Saved, key: str) -> dict[str, V]:
        """Return the values that stand under a key of a dump."""
