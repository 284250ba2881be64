"""What drivers of dongles are told, out of a bench file, a run and its home."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.zcl import basic, key_establishment, metering, ota, time, tunneling
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.aps import PROFILE_SMART_ENERGY
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Credentials
from emulator.crypto.test_certificates import all_credentials
from hil.dongle_sections import DongleSection
from hil.zigbee.settings import DongleSettings

#: Device identifier of a hub's endpoints. Source: Smart Energy 1.2 (known): energy service
#: interface.
_ESI: Final = 0x0500
#: Device identifiers of what may join. Source: as above; a meter, a display, a load control device.
_METER, _DISPLAY, _LOAD_CONTROL = 0x0501, 0x0502, 0x0503
_HUB_SERVES: Final = (
    basic.CLUSTER,
    time.CLUSTER,
    ota.CLUSTER,
    tunneling.CLUSTER,
    metering.CLUSTER,
    key_establishment.CLUSTER,
)
_HUB_USES: Final = (basic.CLUSTER, metering.CLUSTER, key_establishment.CLUSTER)
_SERVES: Final = (basic.CLUSTER, key_establishment.CLUSTER)
_USES: Final = (time.CLUSTER, ota.CLUSTER, tunneling.CLUSTER, key_establishment.CLUSTER)


def line_of(name: str, section: DongleSection, path: str) -> DongleSettings:
    """Return what is said of a dongle's line.

    Args:
        name: What people call it.
        section: What the bench file says of it.
        path: Where it is.
    """
    return DongleSettings(
        path,
        name,
        section.baud,
        section.flow_control,
        (min(section.ezsp), max(section.ezsp)),
    )


def hub_endpoints(profile: DeviceProfile) -> tuple[SimpleDescriptor, ...]:
    """Return the endpoints of a hub: its CHF's, and its GPF's where it has one."""
    radio = profile.radio
    numbers = [radio.endpoint, *([] if radio.gpf_endpoint is None else [radio.gpf_endpoint])]
    return tuple(
        SimpleDescriptor(number, PROFILE_SMART_ENERGY, _ESI, 0, _HUB_SERVES, _HUB_USES)
        for number in numbers
    )


def node_endpoint(profile: DeviceProfile) -> SimpleDescriptor:
    """Return the endpoint of a device that joins."""
    kind = profile.device_type
    meter = kind in {DeviceType.ESME, DeviceType.GSME}
    serves = (*_SERVES, metering.CLUSTER) if meter else _SERVES
    device = _METER if meter else _LOAD_CONTROL if kind is DeviceType.HCALCS else _DISPLAY
    return SimpleDescriptor(profile.radio.endpoint, PROFILE_SMART_ENERGY, device, 0, serves, _USES)


def credentials_of(seed: int, eui64: Eui64) -> Mapping[KeySuite, Credentials]:
    """Return what a radio proves itself with: certificates of the test authority of a seed."""
    return MappingProxyType(dict(all_credentials(seed, eui64)))
