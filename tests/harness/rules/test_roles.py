import itertools

import pytest

from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.formats.duis.bodies import ServiceReference
from harness.rules.inventory import Inventory
from harness.rules.roles import MAY_ASK, Actor, UserRole, coordinator, may_ask, may_update
from tests.harness.rules.split_home import GAS, GS, HUB, IMPORT, IS, eui64, home

# --- roles --------------------------------------------------------------------------------------


_FIRMWARE = [one for one in MAY_ASK if one.reference in {"8.2", "8.4", "12.2"} or one[:2] == "11"]


@pytest.mark.parametrize(("service", "role"), list(itertools.product(_FIRMWARE, UserRole)))
def test_firmware_is_asked_for_by_suppliers_and_read_by_all(
    service: ServiceReference, role: UserRole
) -> None:
    allowed = service not in {"11.1", "11.3", "11.4"} or role in {"IS", "GS"}
    assert may_ask(Actor(IMPORT, frozenset({role})), service) == allowed


@pytest.mark.parametrize(
    ("device_type", "supplier"),
    [
        (DeviceType.GSME, GAS),
        (DeviceType.GPF, GAS),
        (DeviceType.ESME, IMPORT),
        (DeviceType.CHF, IMPORT),
        (DeviceType.PPMID, IMPORT),
        (DeviceType.HCALCS, IMPORT),
    ],
)
def test_the_import_supplier_coordinates_everything_but_gas(
    device_type: DeviceType, supplier: Eui64
) -> None:
    inventory = home()
    record = inventory.find(eui64(device_type))
    assert record is not None
    assert coordinator(record, inventory) == supplier
    assert may_update(IS, record, inventory) == (supplier == IMPORT)
    assert may_update(GS, record, inventory) == (supplier == GAS)


def test_without_an_esme_the_devices_own_supplier_coordinates() -> None:
    inventory = home()
    inventory.remove(eui64(DeviceType.ESME))
    record = inventory.find(eui64(DeviceType.PPMID))
    assert record is not None
    assert coordinator(record, inventory) == GAS


def test_an_inventory_comes_back_from_its_dump() -> None:
    inventory = home(PPMID={"hub": None, "esme_variant": "AD"})
    assert list(Inventory.restore(inventory.dump())) == list(inventory)
    assert inventory.suppliers_of(HUB) == (IMPORT, GAS)
    assert inventory.of_hub(None) == ()
