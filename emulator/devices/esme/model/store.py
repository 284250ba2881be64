"""Values by name: what the device was told, over its profile's, over the catalogue's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from device_profiles.gbcs_objects import GbcsObjects, load_gbcs_objects
from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import CompactArray, Data
from emulator.codecs.dlms.shapes import Shape, ShapeError, make, shape_of
from emulator.devices.saved import Saved, State

#: Values that no COSEM attribute holds by itself: name -> shape word.
UNBOUND: Final[Mapping[str, str]] = MappingProxyType(
    {
        "values_at": "utc",  # moment at which the registers stood as the profile says
        "elements": "u8",  # 1, or 2 for a twin element meter
        "phases": "u8",
        "wide_lengths": "u8",  # 1: ASN.1 lengths as the RTDS writes them
        "hardware_type": "octets",  # object identifier, for certification requests
        "import_mpan": "text",
        "second_import_mpan": "text",
        "active_import_wh": "u32",
        "reactive_import_varh": "u32",
        "second_import_wh": "u32",
        "tou_wh": "u32[48]",
        "second_tou_wh": "u32[4]",
        "block_wh": "u32[32]",
        "active_power_w": "u32",
        "second_power_w": "u32",
        "emergency_credit_millipence": "i32",
        "debt1_millipence": "i32",
        "debt2_millipence": "i32",
        "payment_debt_millipence": "i32",
    }
)
_DEFAULTS: Final = {
    "elements": 1,
    "phases": 1,
    "wide_lengths": 0,
    "hardware_type": "883702",
    "import_mpan": "9999999999990",
    "second_import_mpan": "",
}
_MOST_PROFILES: Final = 64


@lru_cache(maxsize=1)
def esme_objects() -> GbcsObjects:
    """Return the ESME's catalogue, one for all devices."""
    return load_gbcs_objects("esme")


def shape_named(name: str) -> Shape:
    """Return the shape of a named value.

    Raises:
        KeyError: There is no value of this name.
    """
    row = esme_objects().named.get(name)
    return shape_of(UNBOUND[name] if row is None else row.type)


@lru_cache(maxsize=1)
def catalogue_defaults() -> Mapping[str, Data]:
    """Return the values of the catalogue, one set for all devices."""
    rows = esme_objects().rows
    made = {
        r.name: make(shape_of(r.type), r.default, r.name) for r in rows if r.default is not None
    }
    made |= {name: make(shape_of(UNBOUND[name]), plain) for name, plain in _DEFAULTS.items()}
    return MappingProxyType(made)


@dataclass(frozen=True)
class ProfileValues:
    """The values of one profile; shared by its devices."""

    profile: DeviceProfile
    values: Mapping[str, Data]


_SHARED: Final[dict[int, ProfileValues]] = {}


def profile_values(profile: DeviceProfile) -> Mapping[str, Data]:
    """Return the values that a profile's ``[attributes]`` hold.

    Raises:
        ShapeError: A name or a value does not belong to an ESME.
    """
    kept = _SHARED.get(id(profile))
    if kept is None or kept.profile is not profile:
        if len(_SHARED) >= _MOST_PROFILES:
            _SHARED.clear()
        made = {name: made_of(name, plain) for name, plain in profile.attributes.items()}
        kept = _SHARED[id(profile)] = ProfileValues(profile, MappingProxyType(made))
    return kept.values


def made_of(name: str, plain: Any) -> Data:
    """Return the value a plain one means under a name.

    Raises:
        ShapeError: There is no such name, or the value has another shape.
    """
    try:
        shape = shape_named(name)
    except KeyError:
        raise ShapeError(f"{name}: an ESME has no such attribute") from None
    return make(shape, plain, name)


class Store:
    """The values of one device; only what differs from its profile is its own.

    Attributes:
        own: What it was told, by name.
        outlived: Names whose profile value holds no more.
    """

    __slots__ = ("_profile", "outlived", "own")

    def __init__(self, profile: Mapping[str, Data]) -> None:
        self._profile = profile
        self.own: dict[str, Data] = {}
        self.outlived: set[str] = set()

    def published(self, name: str) -> Data | None:
        """Return what the device or its profile says; None where neither does."""
        found = self.own.get(name)
        if found is None and name not in self.outlived:
            found = self._profile.get(name)
        return found

    def find(self, name: str) -> Data | None:
        """Return a value, or the catalogue's; None where there is none at all."""
        found = self.published(name)
        return catalogue_defaults().get(name) if found is None else found

    def number(self, name: str, otherwise: int = 0) -> int:
        """Return a whole number."""
        found = self.find(name)
        return found.value if found is not None and isinstance(found.value, int) else otherwise

    def numbers(self, name: str, count: int) -> list[int]:
        """Return a list of whole numbers; ``count`` zeros where none is said."""
        found = self.find(name)
        if found is None or not isinstance(found.value, tuple):
            return [0] * count
        return [item.value for item in found.value if isinstance(item.value, int)]

    def items(self, name: str) -> tuple[Data, ...]:
        """Return the elements of an array or structure; empty where there is none."""
        found = self.find(name)
        return found.value if found is not None and isinstance(found.value, tuple) else ()

    def octets(self, name: str) -> bytes:
        """Return octets; empty where none are said."""
        found = self.find(name)
        return found.value if found is not None and isinstance(found.value, bytes) else b""

    def rows(self, name: str) -> tuple[Data, ...]:
        """Return the rows of a log that the device or its profile says; empty where neither."""
        found = self.published(name)
        return found.value.rows if found and isinstance(found.value, CompactArray) else ()

    def put(self, name: str, value: Data) -> None:
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
            "own": {name: axdr.encode(value).hex() for name, value in self.own.items()},
            "outlived": [*sorted(self.outlived)],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        own = saved.part("own")
        self.own = {name: axdr.decode(own.octets(name)) for name in saved.table("own")}
        self.outlived = set(saved.texts("outlived"))
