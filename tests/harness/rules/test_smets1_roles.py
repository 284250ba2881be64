"""Which way a request goes, and who may ask what of a SMETS1 device."""

from dataclasses import replace

import pytest

from device_profiles.smets1_services import load_smets1_services
from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.rules.firmware_checks import Category
from harness.rules.inventory import Inventory
from harness.rules.roles import Actor, UserRole
from harness.rules.smets1_roles import Route, objection_to, route_of
from tests.harness.parties.s1sp_world import CHF, EIS, ESME, GIS, GSME, NEW, NO, PPMID, World

ROWS = load_smets1_services()
IS = Actor(EIS, frozenset({UserRole.IMPORT_SUPPLIER}))
GS = Actor(GIS, frozenset({UserRole.GAS_SUPPLIER}))
ED = Actor(NO, frozenset({UserRole.ELECTRICITY_DISTRIBUTOR}))
GT = Actor(NO, frozenset({UserRole.GAS_TRANSPORTER}))
STRANGER = Actor(NEW, frozenset({UserRole.IMPORT_SUPPLIER}))
NOBODY = Actor(NEW, frozenset())


def home() -> Inventory:
    return World().dsp.inventory


@pytest.mark.parametrize(
    ("smets", "route"), [(SmetsVersion.SMETS1, Route.S1SP), (SmetsVersion.SMETS2, Route.GBCS)]
)
@pytest.mark.parametrize("device", [CHF, ESME, GSME, PPMID])
def test_the_generation_decides_the_way(device: Eui64, smets: SmetsVersion, route: Route) -> None:
    record = home().find(device)
    assert record is not None
    assert route_of(replace(record, smets=smets, s1sp="")) is route


def test_a_device_cannot_be_of_both_generations() -> None:
    record = home().find(ESME)
    assert record is not None
    with pytest.raises(ValueError, match="has no S1SP"):
        replace(record, smets=SmetsVersion.SMETS2)


def judged(service: str, actor: Actor, device: Eui64, inventory: Inventory | None = None) -> str:
    inventory = inventory or home()
    record = inventory.find(device)
    assert record is not None
    found = objection_to(ROWS[service], actor, record, inventory)
    return "" if found is None else str(found.category)


@pytest.mark.parametrize(
    ("service", "actor", "device", "category"),
    [
        ("1.6", IS, ESME, ""),
        ("1.6", GS, GSME, ""),
        ("1.6", GS, ESME, Category.NOT_RESPONSIBLE),  # the supplier of the other fuel
        ("1.6", IS, GSME, Category.NOT_RESPONSIBLE),
        ("1.6", STRANGER, ESME, Category.NOT_RESPONSIBLE),  # the old or another supplier
        ("1.6", ED, ESME, Category.NOT_ELIGIBLE_ROLE),
        ("1.6", IS, CHF, Category.NOT_APPLICABLE),
        ("4.1.1", ED, ESME, ""),
        ("4.1.1", GT, GSME, ""),
        ("4.1.1", ED, GSME, Category.NOT_RESPONSIBLE),
        ("4.1.1", GT, ESME, Category.NOT_RESPONSIBLE),
        ("4.18", ED, ESME, Category.NOT_ELIGIBLE_ROLE),  # a balance is no network data
        ("8.9", GS, CHF, ""),
        ("8.9", STRANGER, CHF, Category.NOT_RESPONSIBLE),
        ("11.3", GS, CHF, Category.NOT_RESPONSIBLE),  # the EIS coordinates
        ("11.3", IS, CHF, ""),
        ("11.2", NOBODY, ESME, Category.NOT_ELIGIBLE_ROLE),
    ],
)
def test_roles_and_responsibility(service: str, actor: Actor, device: Eui64, category: str) -> None:
    assert judged(service, actor, device) == category


def test_where_no_supplier_coordinates_either_may_activate_a_hubs_firmware() -> None:
    inventory = home()
    hub = inventory.find(CHF)
    assert hub is not None
    inventory.put(replace(hub, coordinated=False))
    assert judged("11.3", GS, CHF, inventory) == ""
    assert judged("11.3", IS, CHF, inventory) == ""
    assert judged("11.3", STRANGER, CHF, inventory) == Category.NOT_RESPONSIBLE


@pytest.mark.parametrize("service", sorted(name for name, row in ROWS.items() if row.roles))
def test_only_what_commissions_is_asked_of_a_device_that_is_not_commissioned(service: str) -> None:
    row = ROWS[service]
    inventory = home()
    for record in list(inventory):
        inventory.put(replace(record, status=DeviceStatus.PENDING))
    kind = min(row.devices & {DeviceType.ESME, DeviceType.CHF})
    device = {DeviceType.ESME: ESME, DeviceType.CHF: CHF}[kind]
    category = judged(service, IS, device, inventory)
    assert (category == Category.NOT_COMMISSIONED) != row.before_commissioning


def test_the_dsp_routes_by_generation_and_refuses_strays() -> None:
    world = World()
    device = world.dsp.inventory.find(PPMID)
    assert device is not None
    world.dsp.inventory.put(replace(device, smets=SmetsVersion.SMETS2, s1sp=""))
    asked = world.eis.read_firmware_version(PPMID)
    answer = world.eis.take(world.dsp.submit(world.eis.send(asked), EIS))
    assert answer.code == "E11"
    assert world.dsp.to_s1sps == []
    asked = world.eis.read_firmware_version(ESME)
    assert world.eis.take(world.dsp.submit(world.eis.send(asked), EIS)).code == "I99"
    assert [one.device for one in world.dsp.to_s1sps] == [ESME]
    assert world.dsp.outbox == []
