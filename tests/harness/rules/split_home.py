"""A split-supply home, as the inventory holds it."""

from dataclasses import replace
from typing import Any

from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import Actor, UserRole
from tests.harness.parties.party_world import CPL

IMPORT = Eui64.parse("02-53-42-00-00-01-00-00")
GAS = Eui64.parse("02-53-42-00-00-03-00-00")
HUB = Eui64.parse("02-53-02-00-00-00-00-01")
SPLIT = {
    DeviceType.CHF: ("FFF1", "00010100", IMPORT),
    DeviceType.GPF: ("FFF1", "00010100", GAS),
    DeviceType.ESME: ("FFF2", "00100100", IMPORT),
    DeviceType.GSME: ("FFF2", "00200100", GAS),
    DeviceType.PPMID: ("FFF3", "00300100", GAS),
    DeviceType.HCALCS: ("FFF3", "00400100", IMPORT),
}
HASHES = {
    device_type: bytes.fromhex(
        CPL.entry(f"SYN-DEMO-{device_type}-01000001").manufacturer_image_hash
    )
    for device_type in (DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID, DeviceType.HCALCS)
}
IS = Actor(IMPORT, frozenset({UserRole.IMPORT_SUPPLIER}))
GS = Actor(GAS, frozenset({UserRole.GAS_SUPPLIER}))


def eui64(device_type: DeviceType) -> Eui64:
    if device_type is DeviceType.CHF:
        return HUB
    return Eui64(b"\x02\x53\x09\0\0\0\0" + bytes((list(DeviceType).index(device_type),)))


def home(**changes: Any) -> Inventory:
    """A split-supply home; ``changes`` are ``ESME=dict(status=…)``."""
    records = []
    for device_type, (manufacturer, model, supplier) in SPLIT.items():
        record = InventoryRecord(
            device=eui64(device_type),
            device_type=device_type,
            status=DeviceStatus.COMMISSIONED,
            manufacturer=manufacturer,
            model=model,
            firmware_version="01000000",
            smets=SmetsVersion.SMETS2,
            hub=HUB,
            supplier=supplier,
            ppmid_ota=device_type is DeviceType.CHF,
        )
        records.append(replace(record, **changes.get(str(device_type), {})))
    return Inventory(records)
