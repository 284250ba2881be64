"""Who may ask what of a SMETS1 device: roles, responsibility, status.

Source:
    inferred from the roles of DUIS users and from who is responsible for which meter; the rows
    are ``device_profiles/catalogues/smets1-services.csv``.
"""

import enum
from typing import Final

from device_profiles.smets1_services import Smets1Service
from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import Actor, UserRole, coordinator

#: Roles of users that answer for a device, and roles that only read network data.
_SUPPLIERS: Final = frozenset({UserRole.IMPORT_SUPPLIER, UserRole.GAS_SUPPLIER})
_GAS: Final = frozenset({DeviceType.GSME, DeviceType.GPF})
_NETWORK: Final = {
    UserRole.ELECTRICITY_DISTRIBUTOR: DeviceType.ESME,
    UserRole.GAS_TRANSPORTER: DeviceType.GSME,
}
#: Services that only the coordinating supplier may ask of a hub or a PPMID.
_COORDINATED: Final = frozenset({"11.1", "11.3"})


class Route(enum.StrEnum):
    """Who carries a request to a device out (R-093)."""

    GBCS = "GBCS"
    S1SP = "S1SP"


def route_of(record: InventoryRecord) -> Route:
    """Return how requests go to a device: by its generation, which is one or the other.

    Source:
        S003 §2; SEC glossary (Countersigned Service Request).
    """
    return Route.S1SP if record.smets is SmetsVersion.SMETS1 else Route.GBCS


def objection_to(
    row: Smets1Service, actor: Actor, record: InventoryRecord, inventory: Inventory
) -> Objection | None:
    """Say why a user may not ask this of a device, or None."""
    roles = frozenset(str(role) for role in actor.roles) & row.roles
    if not roles:
        return Objection(Category.NOT_ELIGIBLE_ROLE, f"{row.service} is not for {actor.eui64}")
    if record.device_type not in row.devices:
        return Objection(
            Category.NOT_APPLICABLE, f"{row.service} is not for a {record.device_type}"
        )
    if not row.before_commissioning and record.status is not DeviceStatus.COMMISSIONED:
        return Objection(Category.NOT_COMMISSIONED, f"{record.device} is {record.status}")
    if any(_answers(UserRole(role), row, actor, record, inventory) for role in roles):
        return None
    return Objection(Category.NOT_RESPONSIBLE, f"{actor.eui64} does not answer for {record.device}")


def _answers(
    role: UserRole,
    row: Smets1Service,
    actor: Actor,
    record: InventoryRecord,
    inventory: Inventory,
) -> bool:
    if role in _NETWORK:
        return record.device_type is _NETWORK[role]
    if role not in _SUPPLIERS:
        return True
    return actor.eui64 in responsible(row, role, record, inventory)


def responsible(
    row: Smets1Service, role: UserRole, record: InventoryRecord, inventory: Inventory
) -> frozenset[Eui64]:
    """Return the suppliers that may ask this of a device in that role.

    A meter's own supplier, in the role of its fuel. For hubs and PPMIDs the suppliers of the
    home's meters; where firmware is concerned the coordinating one alone, if the hub's group has
    one.
    """
    if record.device_type in {DeviceType.ESME, *_GAS}:
        fits = (role is UserRole.GAS_SUPPLIER) == (record.device_type in _GAS)
        return frozenset({record.supplier}) if fits else frozenset()
    hub = inventory.find(record.hub) if record.hub is not None else None
    coordinated = hub is None or hub.coordinated
    if row.service in _COORDINATED and coordinated:
        return frozenset({coordinator(record, inventory)})
    wanted = DeviceType.GSME if role is UserRole.GAS_SUPPLIER else DeviceType.ESME
    meters = [one for one in inventory.of_hub(record.hub) if one.device_type is wanted]
    return frozenset(one.supplier for one in meters) or frozenset({record.supplier})
