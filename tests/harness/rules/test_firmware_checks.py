import itertools
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from device_profiles.words import CplStatus, DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.bodies import ServiceReference
from harness.rules.firmware_checks import (
    CHECKS,
    LIST_OF,
    TARGETS,
    Category,
    Update,
    WarningList,
    check_command,
    check_update,
)
from harness.rules.inventory import Inventory
from harness.rules.roles import Actor, UserRole
from tests.harness.parties.party_world import CPL
from tests.harness.rules.split_home import GAS, GS, HASHES, IMPORT, IS, eui64, home


def update(device_type: DeviceType, actor: Actor = IS, **changes: Any) -> Update:
    service = (
        ServiceReference.UPDATE_PPMID_FIRMWARE
        if device_type is DeviceType.PPMID
        else ServiceReference.UPDATE_FIRMWARE
    )
    made = Update(
        service=service,
        actor=actor,
        version="01000001",
        image_hash=HASHES.get(device_type, bytes(32)),
        force_replace=False,
        inventory=home(),
        cpl=CPL,
        in_progress=frozenset(),
        day=date(2026, 6, 1),
    )
    return replace(made, **changes)


def category(made: Update, device_type: DeviceType) -> Category | None:
    verdict = check_update(made, (eui64(device_type),))
    return None if verdict.refusal is None else verdict.refusal.category


@pytest.mark.parametrize(
    ("device_type", "actor"),
    [
        (DeviceType.ESME, IS),
        (DeviceType.GSME, GS),
        (DeviceType.PPMID, IS),
        (DeviceType.HCALCS, IS),
    ],
)
def test_the_right_supplier_with_a_listed_image_may_update(
    device_type: DeviceType, actor: Actor
) -> None:
    made = update(device_type, actor)
    assert check_update(made, (eui64(device_type),)).targets == (eui64(device_type),)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"actor": GS}, Category.NOT_ELIGIBLE_ROLE),
        ({"actor": Actor(IMPORT, frozenset({UserRole.GAS_SUPPLIER}))}, Category.NOT_ELIGIBLE_ROLE),
        ({"actor": Actor(IMPORT, frozenset())}, Category.NOT_ELIGIBLE_ROLE),
        ({"actor": Actor(IMPORT, frozenset({UserRole.OTHER_USER}))}, Category.NOT_ELIGIBLE_ROLE),
        ({"inventory": Inventory()}, Category.UNKNOWN_DEVICE),
        (
            {"inventory": home(ESME={"status": DeviceStatus.INSTALLED_NOT_COMMISSIONED})},
            Category.NOT_COMMISSIONED,
        ),
        ({"inventory": home(ESME={"smets": SmetsVersion.SMETS1})}, Category.UNTARGETABLE),
        ({"service": ServiceReference.UPDATE_PPMID_FIRMWARE}, Category.NOT_APPLICABLE),
        ({"image_hash": bytes(32)}, Category.HASH_MISMATCH),
        ({"version": "0BAD0BAD"}, Category.NOT_ON_CPL),
        ({"version": "01000003"}, Category.NOT_ON_CPL),
        ({"inventory": home(ESME={"firmware_version": "0BAD0BAD"})}, Category.NOT_ON_CPL),
        ({"day": date(2013, 12, 31)}, Category.NOT_ON_CPL),
        (
            {"in_progress": frozenset({eui64(DeviceType.ESME)})},
            Category.OTHER_REQUEST_IN_PROGRESS,
        ),
        (
            {"in_progress": frozenset({eui64(DeviceType.ESME)}), "force_replace": True},
            None,
        ),
        ({"in_progress": frozenset({eui64(DeviceType.GSME)})}, None),
    ],
)
def test_each_reason_to_refuse_an_esme_update_has_its_category(
    changes: dict[str, Any], found: Category | None
) -> None:
    assert category(update(DeviceType.ESME, **changes), DeviceType.ESME) is found


@pytest.mark.parametrize("status", list(DeviceStatus))
def test_only_commissioned_devices_are_updated(status: DeviceStatus) -> None:
    made = update(DeviceType.ESME, inventory=home(ESME={"status": status}))
    commissioned = status is DeviceStatus.COMMISSIONED
    assert category(made, DeviceType.ESME) is (None if commissioned else Category.NOT_COMMISSIONED)


@pytest.mark.parametrize("status", [s for s in CplStatus if s is not CplStatus.ACTIVE])
def test_a_version_that_is_not_active_is_refused(status: CplStatus) -> None:
    cpl = CPL.with_status("SYN-DEMO-ESME-01000001", status)
    assert category(update(DeviceType.ESME, cpl=cpl), DeviceType.ESME) is Category.NOT_ON_CPL


def test_a_device_whose_own_version_was_withdrawn_may_still_be_updated_away_from_it() -> None:
    cpl = CPL.with_status("SYN-DEMO-ESME-01000000", CplStatus.WITHDRAWN)
    assert category(update(DeviceType.ESME, cpl=cpl), DeviceType.ESME) is None


@pytest.mark.parametrize("device_type", [DeviceType.PPMID, DeviceType.HCALCS])
@pytest.mark.parametrize("hub", [{"ppmid_ota": False}, {"hub": None}])
def test_ppmids_and_hcalcs_need_a_hub_that_can(
    device_type: DeviceType, hub: dict[str, Any]
) -> None:
    changes = {"CHF": hub} if "ppmid_ota" in hub else {str(device_type): hub}
    made = update(device_type, inventory=home(**changes))
    if "hub" in hub:
        record = made.inventory.find(eui64(device_type))
        assert record is not None
        made.inventory.put(replace(record, supplier=IMPORT))
    assert category(made, device_type) is Category.GBCS_VERSION


@pytest.mark.parametrize("device_type", [DeviceType.ESME, DeviceType.GSME])
def test_meters_do_not_need_secmp0007(device_type: DeviceType) -> None:
    actor = GS if device_type is DeviceType.GSME else IS
    made = update(device_type, actor, inventory=home(CHF={"ppmid_ota": False}))
    assert category(made, device_type) is None


@pytest.mark.parametrize(
    ("service", "device_type"),
    list(itertools.product(TARGETS, DeviceType)),
)
def test_every_service_has_its_device_types(
    service: ServiceReference, device_type: DeviceType
) -> None:
    allowed = {
        "11.1": {"ESME", "GSME", "HCALCS"},
        "11.2": {"ESME", "GSME", "CHF", "PPMID", "HCALCS"},
        "11.3": {"ESME", "GSME", "HCALCS"},
        "11.4": {"PPMID"},
    }[service]
    assert (device_type in TARGETS[service]) == (device_type in allowed)


def test_good_and_bad_targets_part_and_keep_their_order() -> None:
    stranger = Eui64(bytes(8))
    inventory = home(HCALCS={"status": DeviceStatus.PENDING})
    made = update(DeviceType.ESME, inventory=inventory)
    devices = (stranger, eui64(DeviceType.ESME), eui64(DeviceType.HCALCS), eui64(DeviceType.PPMID))
    verdict = check_update(made, devices)
    assert verdict.refusal is None
    assert verdict.targets == (eui64(DeviceType.ESME),)
    assert verdict.in_list(WarningList.INVALID) == (stranger,)
    assert verdict.in_list(WarningList.NOT_COMMISSIONED) == (eui64(DeviceType.HCALCS),)
    assert verdict.in_list(WarningList.NOT_APPLICABLE) == (eui64(DeviceType.PPMID),)
    assert verdict.in_list(WarningList.INVALID_GBCS_VERSION) == ()


def test_all_targets_bad_for_one_reason_is_that_reason_and_for_several_a_bad_list() -> None:
    made = update(DeviceType.ESME)
    strangers = (Eui64(bytes(8)), Eui64(bytes(7) + b"\1"))
    refusal = check_update(made, strangers).refusal
    assert refusal is not None
    assert refusal.category is Category.UNKNOWN_DEVICE
    mixed = check_update(made, (strangers[0], eui64(DeviceType.PPMID))).refusal
    assert mixed is not None
    assert mixed.category is Category.BAD_LIST


def test_a_duplicate_is_updated_once_and_warned_about_once() -> None:
    device = eui64(DeviceType.ESME)
    verdict = check_update(update(DeviceType.ESME), (device, device, device))
    assert verdict.targets == (device,)
    assert len(verdict.warnings) == 1


def test_a_version_out_of_order_is_a_warning_only() -> None:
    listed = bytes.fromhex(CPL.entry("SYN-DEMO-ESME-01000002").manufacturer_image_hash)
    made = update(DeviceType.ESME, version="01000002", image_hash=listed)
    verdict = check_update(made, (eui64(DeviceType.ESME),))
    assert verdict.refusal is None
    assert [warning.split(":")[0] for warning in verdict.warnings] == ["pathway"]


def test_every_category_of_a_target_has_a_list() -> None:
    assert set(LIST_OF.values()) == set(WarningList)
    assert len(CHECKS) == 7


@pytest.mark.parametrize(
    ("service", "actor", "device_type", "found"),
    [
        ("11.3", IS, DeviceType.ESME, None),
        ("11.3", GS, DeviceType.GSME, None),
        ("11.3", GS, DeviceType.ESME, Category.NOT_ELIGIBLE_ROLE),
        ("11.3", IS, DeviceType.GSME, Category.NOT_ELIGIBLE_ROLE),
        ("11.3", IS, DeviceType.PPMID, Category.NOT_APPLICABLE),
        ("11.3", IS, DeviceType.CHF, Category.NOT_APPLICABLE),
        (
            "11.3",
            Actor(IMPORT, frozenset({UserRole.EXPORT_SUPPLIER})),
            DeviceType.ESME,
            Category.NOT_ELIGIBLE_ROLE,
        ),
        ("11.2", GS, DeviceType.ESME, None),
        ("11.2", IS, DeviceType.CHF, None),
        ("11.2", IS, DeviceType.GPF, Category.NOT_APPLICABLE),
        ("11.2", Actor(GAS, frozenset()), DeviceType.ESME, Category.NOT_ELIGIBLE_ROLE),
    ],
)
def test_commands_are_judged_by_role_device_and_responsibility(
    service: str, actor: Actor, device_type: DeviceType, found: Category | None
) -> None:
    verdict = check_command(ServiceReference(service), actor, eui64(device_type), home())
    assert (None if verdict is None else verdict.category) is found


def test_a_command_for_a_device_nobody_knows_or_that_is_not_commissioned_is_refused() -> None:
    service = ServiceReference.ACTIVATE_FIRMWARE
    unknown = check_command(service, IS, Eui64(bytes(8)), home())
    assert unknown is not None
    assert unknown.category is Category.UNKNOWN_DEVICE
    pending = home(ESME={"status": DeviceStatus.PENDING})
    early = check_command(service, IS, eui64(DeviceType.ESME), pending)
    assert early is not None
    assert early.category is Category.NOT_COMMISSIONED
