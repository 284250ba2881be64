"""What responses say of the Smart Metering Inventory (8.2).

Source:
    Shapes: DUIS 5.4 XSD.
"""

from dataclasses import dataclass
from typing import Final

from device_profiles.words import Connectivity, CplStatus, CspRegion, DeviceStatus, DeviceType
from emulator.core.ids import Eui64
from harness.formats.duis import kinds
from harness.formats.duis.bodies import ESME_VARIANT, NAME_30, SMETS_VERSION
from harness.formats.duis.shape import Field, Shape


@dataclass(frozen=True, slots=True)
class InventoryDevice:
    """One device as the inventory shows it (8.2)."""

    device: Eui64
    device_type: DeviceType
    status: DeviceStatus | None
    manufacturer: str
    model: str
    smets_chts_version: str | None = None
    firmware_version: str | None = None
    firmware_version_status: CplStatus | None = None
    cpl_status: CplStatus | None = None
    date_commissioned: str | None = None
    import_mpxn: str | None = None
    esme_variant: str | None = None
    csp_region: CspRegion | None = None
    gbcs_version: str | None = None
    s1sp: str | None = None
    connectivity: Connectivity | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The devices of an installation.

    Attributes:
        devices: One to seventeen of them.
    """

    devices: tuple[InventoryDevice, ...]


GBCS_VERSION: Final = kinds.text("GBCSVersion", 0, 20)
_DEVICE: Final = Shape(
    InventoryDevice,
    (
        Field("DeviceID", "device", kinds.EUI),
        Field("DeviceType", "device_type", kinds.words(DeviceType)),
        Field("DeviceStatus", "status", kinds.words(DeviceStatus), optional=True),
        Field("DeviceManufacturer", "manufacturer", NAME_30),
        Field("DeviceModel", "model", NAME_30),
        Field("SMETSCHTSVersion", "smets_chts_version", SMETS_VERSION, optional=True),
        Field("DeviceFirmwareVersion", "firmware_version", kinds.FIRMWARE_VERSION, optional=True),
        Field(
            "DeviceFirmwareVersionStatus",
            "firmware_version_status",
            kinds.words(CplStatus),
            optional=True,
        ),
        Field("CPLStatus", "cpl_status", kinds.words(CplStatus), optional=True),
        Field("DateCommissioned", "date_commissioned", kinds.DATE, optional=True),
        Field("ImportMPxN", "import_mpxn", kinds.text("ImportMPxN", 1, 13), optional=True),
        Field("ESMEVariant", "esme_variant", ESME_VARIANT, optional=True),
        Field("CSPRegion", "csp_region", kinds.words(CspRegion), optional=True),
        Field("DeviceGBCSVersion", "gbcs_version", GBCS_VERSION, optional=True),
        Field("S1SP", "s1sp", kinds.text("S1SP", 0, 60), optional=True),
        Field("Connectivity", "connectivity", kinds.words(Connectivity), optional=True),
    ),
)
INVENTORY: Final = Shape(Inventory, (Field("Device", "devices", _DEVICE, most=17),))
