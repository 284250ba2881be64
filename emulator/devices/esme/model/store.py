"""Values by name: what the device was told, over its profile's, over the catalogue's."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from device_profiles.gbcs_objects import GbcsObjects, load_gbcs_objects
from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import CompactArray, Data
from emulator.codecs.dlms.shapes import Shape, ShapeError, make, shape_of
from emulator.devices.saved import Json, Saved
from emulator.devices.stored_values import ProfileValues, StoredValues

#: Values that no COSEM attribute holds by itself: name -> shape word.
UNBOUND: Final[Mapping[str, str]] = MappingProxyType(
    {
        "values_at": "utc",  # moment at which the registers stood as the profile says
        "elements": "u8",  # 1, or 2 for a twin element meter
        "phases": "u8",
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
    "import_mpan": "9999999999990",
    "second_import_mpan": "",
}


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


#: The values that profiles of ESMEs hold.
PROFILE_VALUES: Final = ProfileValues(made_of)


class Store(StoredValues[Data]):
    """The values of one device."""

    __slots__ = ()

    def __init__(self, profile: DeviceProfile) -> None:
        """Take the profile; what it does not say is the catalogue's.

        Raises:
            ShapeError: A name or a value of the profile does not belong to an ESME.
        """
        super().__init__(PROFILE_VALUES.of(profile), catalogue_defaults())

    def plain(self, name: str) -> object:
        """Return what a value holds."""
        found = self.find(name)
        return None if found is None else found.value

    def numbers(self, name: str, count: int) -> list[int]:
        """Return a list of whole numbers; ``count`` zeros where none is said."""
        found = self.plain(name)
        if not isinstance(found, tuple):
            return [0] * count
        return [item.value for item in found if isinstance(item.value, int)]

    def rows(self, name: str) -> tuple[Data, ...]:
        """Return the rows of a log that the device or its profile says; empty where neither."""
        found = self.published(name)
        return found.value.rows if found and isinstance(found.value, CompactArray) else ()

    def dumped(self, value: Data) -> Json:
        """Return the octets of a value as hex digits."""
        return axdr.encode(value).hex()

    def restored(self, saved: Saved, key: str) -> dict[str, Data]:
        """Return the values that stand under a key of a dump."""
        own = saved.part(key)
        return {name: axdr.decode(own.octets(name)) for name in saved.table(key)}
