"""Which supplier may update which device, and what meets a second one (F-100, F-101)."""

from dataclasses import replace

import pytest

from device_profiles.updaters import Played, Updaters, load_updaters
from device_profiles.words import SmetsVersion
from emulator.core.ids import Eui64
from harness.rules.firmware_checks import Category
from harness.rules.firmware_updaters import Permission, UpdaterRuling, may_update, second_update
from harness.rules.inventory import Inventory
from harness.rules.roles import Actor, UserRole
from harness.verdict import ExpectationKind
from tests.harness.parties.s1sp_world import CHF, EIS, ESME, GIS, GSME, NEW, PPMID, World

IS = Actor(EIS, frozenset({UserRole.IMPORT_SUPPLIER}))
GS = Actor(GIS, frozenset({UserRole.GAS_SUPPLIER}))
STRANGER = Actor(NEW, frozenset({UserRole.IMPORT_SUPPLIER, UserRole.GAS_SUPPLIER}))
WRONG_ROLE = Actor(EIS, frozenset({UserRole.ELECTRICITY_DISTRIBUTOR}))
EITHER, YES, NO = set(Permission), {Permission.ALLOWED}, {Permission.REFUSED}


def home(*, coordinated: bool, smets: SmetsVersion = SmetsVersion.SMETS1) -> Inventory:
    inventory = World().dsp.inventory
    for record in list(inventory):
        s1sp = record.s1sp if smets is SmetsVersion.SMETS1 else ""
        inventory.put(replace(record, coordinated=coordinated, smets=smets, s1sp=s1sp))
    return inventory


def rule(actor: Actor, device: Eui64, inventory: Inventory) -> UpdaterRuling:
    record = inventory.find(device)
    assert record is not None
    return may_update(actor, record, inventory)


@pytest.mark.parametrize(
    ("actor", "device", "with_eis", "in_foc"),
    [
        (IS, ESME, YES, YES),
        (GS, ESME, NO, NO),
        (GS, GSME, YES, YES),
        (IS, GSME, NO, NO),
        (IS, CHF, YES, YES),
        (GS, CHF, NO, EITHER),
        (IS, PPMID, YES, YES),
        (GS, PPMID, NO, EITHER),
        (STRANGER, CHF, NO, NO),
        (STRANGER, PPMID, NO, NO),
        (STRANGER, ESME, NO, NO),
        (WRONG_ROLE, CHF, NO, NO),
        (WRONG_ROLE, ESME, NO, NO),
    ],
)
def test_who_may_update_what(
    actor: Actor, device: Eui64, with_eis: set[Permission], in_foc: set[Permission]
) -> None:
    assert rule(actor, device, home(coordinated=True)).permissions == with_eis
    assert rule(actor, device, home(coordinated=False)).permissions == in_foc


def test_silence_is_one_of_both_and_inferred() -> None:
    found = rule(GS, CHF, home(coordinated=False))
    expected = found.expectation()
    assert expected.kind is ExpectationKind.ONE_OF
    assert expected.outcomes == {"allowed", "refused"}
    assert expected.evidence.startswith("inferred:")
    assert rule(IS, CHF, home(coordinated=True)).expectation().kind is ExpectationKind.EXACT


def test_chance_decides_what_the_documents_leave_open_and_nothing_else() -> None:
    open_one, refused = (
        rule(GS, CHF, home(coordinated=False)),
        rule(GS, ESME, home(coordinated=False)),
    )
    assert [open_one.allows(coin=coin) for coin in (True, False)] == [True, False]
    assert not refused.allows(coin=True)
    assert rule(IS, CHF, home(coordinated=False)).allows(coin=False)
    fixed = replace(open_one, played=Played.REFUSED)
    assert not fixed.allows(coin=True)


def test_no_supplier_updates_a_smets2_hub_and_the_import_supplier_its_ppmid() -> None:
    inventory = home(coordinated=True, smets=SmetsVersion.SMETS2)
    assert rule(IS, CHF, inventory).permissions == NO
    assert rule(IS, PPMID, inventory).permissions == YES
    assert rule(GS, PPMID, inventory).permissions == NO


def test_a_device_without_a_row_is_updated_by_nobody() -> None:
    inventory = home(coordinated=True)
    record = inventory.find(ESME)
    assert record is not None
    table = Updaters(row for row in load_updaters().rows if row.id != "UPD-ESME")
    found = may_update(IS, record, inventory, table)
    assert found.permissions == NO
    assert found.row == ""


def test_a_refusal_names_who_what_and_why() -> None:
    inventory = home(coordinated=True)
    record = inventory.find(CHF)
    assert record is not None
    found = rule(GS, CHF, inventory).objection(GS, record)
    assert found.category is Category.NOT_ELIGIBLE_ROLE
    assert str(GIS) in found.detail
    assert "coordinates" in found.detail


@pytest.mark.parametrize(
    ("coordinated", "in_progress", "category"),
    [
        (True, True, Category.NOT_ELIGIBLE_ROLE),
        (True, False, Category.NOT_ELIGIBLE_ROLE),
        (False, True, Category.OTHER_REQUEST_IN_PROGRESS),
        (False, False, None),
    ],
)
def test_the_second_of_two_suppliers_meets_what_its_group_has_for_it(
    *, coordinated: bool, in_progress: bool, category: Category | None
) -> None:
    inventory = home(coordinated=coordinated)
    record = inventory.find(CHF)
    assert record is not None
    found = second_update(GS, record, inventory, in_progress=in_progress)
    assert (None if found is None else found.category) == category


def test_the_coordinator_waits_for_its_own_update_too() -> None:
    inventory = home(coordinated=True)
    record = inventory.find(CHF)
    assert record is not None
    found = second_update(IS, record, inventory, in_progress=True)
    assert found is not None
    assert found.category is Category.OTHER_REQUEST_IN_PROGRESS
