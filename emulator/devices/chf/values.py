"""What a hub's profile says of its COSEM objects, by name, and what the hub was told since."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import CompactArray, Data
from emulator.codecs.dlms.shapes import make, shape_of
from emulator.codecs.gbcs.named_objects import SUB_GHZ
from emulator.devices.saved import Json, Saved
from emulator.devices.stored_values import StoredValues

CONFIGURATION: Final = "sub_ghz_configuration"
CHANNEL_LOG: Final = "sub_ghz_channel_log"
_LOG: Final = "compact(struct(at:utc,code:u16))"
#: Name -> shape. Source: RTDS 4.5.0 (ECS26i, ECS26n, ECS35d, DBCH02 to DBCH04); the event log has
#: the shape of the security log, as in an ESME.
SHAPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        CONFIGURATION: SUB_GHZ,
        CHANNEL_LOG: "compact(struct(at:utc,code:u16,channel_data:octets))",
        "event_log": _LOG,
        "security_log": _LOG,
        "model_type": "text",
        "manufacturer": "octets",
    }
)
#: Channels of a Zigbee page: a mask's first five bits are the page, the others its channels, the
#: last bit the first. Pages 28 to 31 are those below 1 GHz. Source: known (Zigbee PRO R22).
_PAGES: Final = (28, 29, 30, 31)
_CHANNELS_OF_A_PAGE: Final = 2
#: Settings 5 to 15. Source: RTDS 4.5.0 DBCH03 (values of one hub; meanings not established).
_SETTINGS: Final = (125, 200, 4, 6, 6, 10, 5050, 125, 90, 5000, 3000)


@lru_cache(maxsize=1)
def _defaults() -> Mapping[str, Data]:
    """Return the configuration of a hub whose profile says none. Stand-in."""
    masks = [f"{page:05b}{'1' * _CHANNELS_OF_A_PAGE:0>27}" for page in _PAGES]
    settings = make(shape_of(SUB_GHZ), [*masks, *_SETTINGS], CONFIGURATION)
    return MappingProxyType({CONFIGURATION: settings})


def made_of(name: str, plain: Any) -> Data:
    """Return the value a plain one means under a name of ``SHAPES``."""
    return make(shape_of(SHAPES[name]), plain, name)


class HubStore(StoredValues[Data]):
    """The values of one hub; names that are its GPF's are not among them."""

    __slots__ = ()

    def __init__(self, profile: DeviceProfile) -> None:
        """Take the profile.

        Raises:
            ShapeError: One of its values has another shape.
        """
        said = profile.attributes.items()
        own = {name: made_of(name, plain) for name, plain in said if name in SHAPES}
        super().__init__(own, _defaults())

    def plain(self, name: str) -> object:
        """Return what a value holds."""
        found = self.find(name)
        return None if found is None else found.value

    def rows(self, name: str) -> tuple[Data, ...]:
        """Return the rows of a log that the hub's profile says."""
        found = self.plain(name)
        return found.rows if isinstance(found, CompactArray) else ()

    def dumped(self, value: Data) -> Json:
        """Return the octets of a value as hex digits."""
        return axdr.encode(value).hex()

    def restored(self, saved: Saved, key: str) -> dict[str, Data]:
        """Return the values that stand under a key of a dump."""
        own = saved.part(key)
        return {name: axdr.decode(own.octets(name)) for name in saved.table(key)}
