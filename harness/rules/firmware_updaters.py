"""Which supplier may update which device, and what becomes of a second one that asks."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.updaters import (
    Others,
    Played,
    Updater,
    UpdaterRow,
    Updaters,
    load_updaters,
)
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import Actor, UserRole
from harness.verdict import Expectation, ExpectationKind

_METERS: Final = (DeviceType.ESME, DeviceType.GSME)
_ROLES: Final[Mapping[Updater, UserRole]] = {
    Updater.GAS_SUPPLIER: UserRole.GAS_SUPPLIER,
    Updater.IMPORT_SUPPLIER: UserRole.IMPORT_SUPPLIER,
}


class Permission(enum.StrEnum):
    """What the DCC makes of a supplier that asks for an update."""

    ALLOWED = "allowed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class UpdaterRuling:
    """What the table says of one supplier and one device.

    Attributes:
        permissions: One word; both where the documents are silent.
        row: Identifier of the row; empty where no row is about the device.
        says: The row in a sentence.
        evidence: Its mark.
        played: What our own DSP does where the documents are silent, or None.
    """

    permissions: frozenset[Permission]
    row: str
    says: str
    evidence: str
    played: Played | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the documents do not say which it is."""
        return len(self.permissions) > 1

    def allows(self, *, coin: bool = True) -> bool:
        """Say whether our own DSP lets the supplier.

        Args:
            coin: Drawn from the run's chance; it decides where the row leaves it open.
        """
        if not self.is_silent:
            return Permission.ALLOWED in self.permissions
        return coin if self.played is Played.EITHER else self.played is Played.ALLOWED

    def expectation(self) -> Expectation:
        """Return what a scenario expects: the one word, or one of both."""
        kind = ExpectationKind.ONE_OF if self.is_silent else ExpectationKind.EXACT
        return Expectation(kind, frozenset(map(str, self.permissions)), self.evidence)

    def objection(self, actor: Actor, record: InventoryRecord) -> Objection:
        """Return the refusal in the DCC's words."""
        detail = f"{actor.eui64} may not update {record.device_type} {record.device}: {self.says}"
        return Objection(Category.NOT_ELIGIBLE_ROLE, detail)


def may_update(
    actor: Actor,
    record: InventoryRecord,
    inventory: Inventory,
    rows: Updaters | None = None,
) -> UpdaterRuling:
    """Say whether a supplier may update a device (F-100).

    Args:
        actor: Who asks.
        record: The device.
        inventory: What else stands in its home, and whether the hub's group has a coordinator.
        rows: The table; the shipped one when left out.

    Source:
        S001 for hubs and PPMIDs; each row of ``catalogues/firmware-updaters.csv`` has its own.
    """
    table = load_updaters() if rows is None else rows
    row = table.find(
        record.device_type, record.smets, coordinated=_is_coordinated(record, inventory)
    )
    if row is None:
        says = f"no row of the table is about a {record.smets} {record.device_type}"
        return UpdaterRuling(frozenset({Permission.REFUSED}), "", says, "inferred:no row")
    if _is_updater(row, actor, record, inventory):
        return _ruling(row, Permission.ALLOWED)
    if row.others is Others.SILENT and _serves(actor, record, inventory):
        return UpdaterRuling(frozenset(Permission), row.id, row.says, row.evidence, row.played)
    return _ruling(row, Permission.REFUSED)


def second_update(
    second: Actor,
    record: InventoryRecord,
    inventory: Inventory,
    *,
    in_progress: bool,
    rows: Updaters | None = None,
) -> Objection | None:
    """Return what meets the second of two suppliers that update one device (F-101), or None.

    The one who is not the coordinator is refused for who it is; where the documents name no
    coordinator, it is refused for the request that is under way.

    Args:
        second: Who asks second.
        record: The device.
        inventory: The inventory.
        in_progress: Whether the first update is under way.
        rows: The table; the shipped one when left out.

    Source:
        inferred (firmware.md F-101) from S001 and the list OtherRequestInProgress of DUIS.
    """
    ruling = may_update(second, record, inventory, rows)
    if not ruling.is_silent and not ruling.allows():
        return ruling.objection(second, record)
    if in_progress:
        detail = f"an update of {record.device} is not finished"
        return Objection(Category.OTHER_REQUEST_IN_PROGRESS, detail)
    return None


def _ruling(row: UpdaterRow, word: Permission) -> UpdaterRuling:
    return UpdaterRuling(frozenset({word}), row.id, row.says, row.evidence)


def _is_coordinated(record: InventoryRecord, inventory: Inventory) -> bool:
    hub = record if record.device_type is DeviceType.CHF else _hub(record, inventory)
    return hub is None or hub.coordinated


def _hub(record: InventoryRecord, inventory: Inventory) -> InventoryRecord | None:
    return None if record.hub is None else inventory.find(record.hub)


def _is_updater(
    row: UpdaterRow, actor: Actor, record: InventoryRecord, inventory: Inventory
) -> bool:
    role = _ROLES.get(row.updater)
    if role is None or role not in actor.roles:
        return False
    return actor.eui64 == _supplier(role, record, inventory)


def _supplier(role: UserRole, record: InventoryRecord, inventory: Inventory) -> Eui64:
    """Return the supplier of the home's meter of that fuel, or the device's own."""
    if record.device_type in {*_METERS, DeviceType.GPF}:
        return record.supplier
    wanted = DeviceType.GSME if role is UserRole.GAS_SUPPLIER else DeviceType.ESME
    for other in inventory.of_hub(_home(record)):
        if other.device_type is wanted:
            return other.supplier
    return record.supplier


def _serves(actor: Actor, record: InventoryRecord, inventory: Inventory) -> bool:
    """Say whether the actor supplies a meter of the home, in the role of its fuel."""
    roles = {DeviceType.ESME: UserRole.IMPORT_SUPPLIER, DeviceType.GSME: UserRole.GAS_SUPPLIER}
    return any(
        roles.get(other.device_type) in actor.roles and other.supplier == actor.eui64
        for other in inventory.of_hub(_home(record))
        if other.device_type in roles
    )


def _home(record: InventoryRecord) -> Eui64 | None:
    return record.device if record.device_type is DeviceType.CHF else record.hub
