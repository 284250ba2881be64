"""Which service users may ask for what, and for which device."""

import enum
from dataclasses import dataclass
from typing import Final

from device_profiles.smets1_services import load_smets1_services
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis.bodies import ServiceReference
from harness.rules.inventory import Inventory, InventoryRecord


class UserRole(enum.StrEnum):
    """Roles of service users, as DUIS abbreviates them; the last is ours: a role inside the DCC."""

    IMPORT_SUPPLIER = "IS"
    EXPORT_SUPPLIER = "ES"
    GAS_SUPPLIER = "GS"
    REGISTERED_SUPPLIER_AGENT = "RSA"
    ELECTRICITY_DISTRIBUTOR = "ED"
    GAS_TRANSPORTER = "GT"
    OTHER_USER = "OU"
    COMMISSIONING_PARTY = "CP"


@quick
@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks.

    Attributes:
        eui64: The service user.
        roles: Roles in which it is registered.
    """

    eui64: Eui64
    roles: frozenset[UserRole]


SUPPLIERS: Final = frozenset({UserRole.IMPORT_SUPPLIER, UserRole.GAS_SUPPLIER})

#: Services whose roles do not depend on the generation of the device.
_OF_BOTH_GENERATIONS: Final = frozenset(
    {
        ServiceReference.UPDATE_FIRMWARE,
        ServiceReference.ACTIVATE_FIRMWARE,
        ServiceReference.READ_FIRMWARE_VERSION,
        ServiceReference.DEVICE_PRENOTIFICATION,
        ServiceReference.READ_INVENTORY,
        ServiceReference.UPDATE_INVENTORY,
        ServiceReference.CREATE_SCHEDULE,
        ServiceReference.READ_SCHEDULE,
        ServiceReference.DELETE_SCHEDULE,
        ServiceReference.DECOMMISSION_DEVICE,
    }
)

#: Service -> roles that may ask for it.
#: Source: firmware.md §2.1 (request matrix); 8.2 and 8.4 inferred from 12.2; those that are
#: played on SMETS1 devices alone: ``catalogues/smets1-services.csv``.
MAY_ASK: Final[dict[ServiceReference, frozenset[UserRole]]] = {
    ServiceReference.UPDATE_FIRMWARE: SUPPLIERS,
    ServiceReference.ACTIVATE_FIRMWARE: SUPPLIERS,
    ServiceReference.UPDATE_PPMID_FIRMWARE: SUPPLIERS,
    ServiceReference.READ_FIRMWARE_VERSION: frozenset(UserRole),
    ServiceReference.DEVICE_PRENOTIFICATION: frozenset(UserRole),
    ServiceReference.READ_INVENTORY: frozenset(UserRole),
    ServiceReference.UPDATE_INVENTORY: frozenset(UserRole),
    ServiceReference.CREATE_SCHEDULE: frozenset(UserRole),
    ServiceReference.READ_SCHEDULE: frozenset(UserRole),
    ServiceReference.DELETE_SCHEDULE: frozenset(UserRole),
    ServiceReference.DECOMMISSION_DEVICE: SUPPLIERS,
    **{
        ServiceReference(name): frozenset(map(UserRole, row.roles))
        for name, row in load_smets1_services().items()
        if name in set(ServiceReference) - _OF_BOTH_GENERATIONS
    },
}


def may_ask(actor: Actor, service: ServiceReference) -> bool:
    """Say whether one of the actor's roles allows the service (F-025)."""
    return not actor.roles.isdisjoint(MAY_ASK[service])


def coordinator(record: InventoryRecord, inventory: Inventory) -> Eui64:
    """Return the supplier who may update a device (F-100, SMETS2+).

    The gas supplier for a GSME; the electricity import supplier for everything else, which for
    CHF, PPMID and HCALCS is the supplier of the installation's ESME where there is one.

    Source:
        S001 (the import supplier coordinates CHF and PPMID upgrades); applied to SMETS2+
        installations and to HCALCS: inferred.
    """
    if record.device_type in {DeviceType.GSME, DeviceType.GPF, DeviceType.ESME}:
        return record.supplier
    for other in inventory.of_hub(record.hub):
        if other.device_type is DeviceType.ESME:
            return other.supplier
    return record.supplier


def may_update(actor: Actor, record: InventoryRecord, inventory: Inventory) -> bool:
    """Say whether the actor is the one who may update this device (F-100)."""
    gas = record.device_type in {DeviceType.GSME, DeviceType.GPF}
    needed = UserRole.GAS_SUPPLIER if gas else UserRole.IMPORT_SUPPLIER
    return needed in actor.roles and actor.eui64 == coordinator(record, inventory)
