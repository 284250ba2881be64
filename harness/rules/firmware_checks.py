"""What the DCC checks before it distributes or activates firmware, as pure functions."""

import enum
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

from device_profiles.cpl import Cpl
from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.bodies import ServiceReference
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import Actor, may_ask, may_update


class Category(enum.StrEnum):
    """Why a request or a target is refused; oracles compare this, not a response code (F-023)."""

    BAD_REQUEST = "bad-request"
    BAD_SIGNATURE = "bad-signature"
    BAD_IMAGE = "bad-image"
    BAD_LIST = "bad-list"
    NOT_ELIGIBLE_ROLE = "not-eligible-role"
    NOT_RESPONSIBLE = "not-responsible"
    UNKNOWN_DEVICE = "unknown-device"
    NOT_COMMISSIONED = "not-commissioned"
    NOT_APPLICABLE = "not-applicable"
    UNTARGETABLE = "untargetable"
    NOT_ON_CPL = "not-on-cpl"
    UNKNOWN_DEVICE_MODEL = "unknown-device-model"
    HASH_MISMATCH = "hash-mismatch"
    OTHER_REQUEST_IN_PROGRESS = "other-request-in-progress"
    GBCS_VERSION = "gbcs-version"
    PRE_COMMAND_MISMATCH = "pre-command-mismatch"
    NOT_TRANSFORMED = "not-transformed"
    NOT_PLAYED = "not-played"
    NO_SCHEDULE = "no-schedule"
    NOT_REGISTERED = "not-registered"
    NOT_DCC_CONTROLLED = "not-dcc-controlled"
    BAD_CERTIFICATE = "bad-certificate"


class WarningList(enum.StrEnum):
    """The five lists of a firmware warning; values name the fields of ``FirmwareWarning``."""

    INVALID = "invalid"
    NOT_COMMISSIONED = "not_commissioned"
    NOT_APPLICABLE = "not_applicable"
    OTHER_REQUEST_IN_PROGRESS = "other_request_in_progress"
    INVALID_GBCS_VERSION = "invalid_gbcs_version"


#: Category of a target -> the list it stands in.
#: Source: names of the lists in the DUIS 5.4 XSD; which check fills which list: inferred.
LIST_OF: Final[Mapping[Category, WarningList]] = MappingProxyType(
    {
        Category.UNKNOWN_DEVICE: WarningList.INVALID,
        Category.NOT_ELIGIBLE_ROLE: WarningList.INVALID,
        Category.NOT_COMMISSIONED: WarningList.NOT_COMMISSIONED,
        Category.NOT_APPLICABLE: WarningList.NOT_APPLICABLE,
        Category.UNTARGETABLE: WarningList.NOT_APPLICABLE,
        Category.NOT_ON_CPL: WarningList.NOT_APPLICABLE,
        Category.HASH_MISMATCH: WarningList.NOT_APPLICABLE,
        Category.OTHER_REQUEST_IN_PROGRESS: WarningList.OTHER_REQUEST_IN_PROGRESS,
        Category.GBCS_VERSION: WarningList.INVALID_GBCS_VERSION,
    }
)

#: Service -> device types it updates (F-024, SMETS2+). The CHF is the WAN provider's.
#: Source: SECMP0007 (11.4 for PPMIDs alone, HCALCS by 11.1 and 11.3); CHF: CS05a.
TARGETS: Final[Mapping[ServiceReference, frozenset[DeviceType]]] = MappingProxyType(
    {
        ServiceReference.UPDATE_FIRMWARE: frozenset(
            {DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS}
        ),
        ServiceReference.ACTIVATE_FIRMWARE: frozenset(
            {DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS}
        ),
        ServiceReference.UPDATE_PPMID_FIRMWARE: frozenset({DeviceType.PPMID}),
        ServiceReference.READ_FIRMWARE_VERSION: frozenset(
            {
                DeviceType.ESME,
                DeviceType.GSME,
                DeviceType.CHF,
                DeviceType.PPMID,
                DeviceType.HCALCS,
            }
        ),
    }
)
_NEEDS_SECMP0007: Final = frozenset({DeviceType.PPMID, DeviceType.HCALCS})


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a request or one of its targets is refused.

    Attributes:
        category: The kind of reason.
        detail: One sentence.
    """

    category: Category
    detail: str


@dataclass(frozen=True, slots=True)
class Update:
    """What is known when an update is judged.

    Attributes:
        service: 11.1 or 11.4.
        actor: Who asks.
        version: Target version, eight hex digits.
        image_hash: Manufacturer Image Hash, 32 octets.
        force_replace: Whether the image replaces one under way (F-028).
        inventory: The inventory.
        cpl: The Central Products List in force.
        in_progress: Devices with an unfinished transfer.
        day: The day of the request, UTC.
    """

    service: ServiceReference
    actor: Actor
    version: str
    image_hash: bytes
    force_replace: bool
    inventory: Inventory
    cpl: Cpl
    in_progress: Collection[Eui64]
    day: date


@dataclass(frozen=True, slots=True)
class UpdateVerdict:
    """What becomes of an update request.

    Attributes:
        refusal: Why all of it is refused, or None.
        targets: Devices to update, each once, in the order of the request.
        objections: Device -> why it is left out.
        warnings: What does not stop it: duplicates, pathway.
    """

    refusal: Objection | None
    targets: tuple[Eui64, ...] = ()
    objections: Mapping[Eui64, Objection] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def in_list(self, name: WarningList) -> tuple[Eui64, ...]:
        """Return the devices left out for reasons of one list."""
        return tuple(
            device
            for device, objection in self.objections.items()
            if LIST_OF[objection.category] is name
        )


def check_update(
    update: Update, devices: tuple[Eui64, ...], checks: "Mapping[str, Check] | None" = None
) -> UpdateVerdict:
    """Judge an 11.1 or 11.4 request before anything is distributed (F-022, F-024 … F-028).

    Args:
        update: What is known.
        devices: Targets as the request lists them.
        checks: Checks of each target, in order; ``CHECKS`` when left out.

    All targets bad: the request is refused, with their common category, or ``bad-list`` where
    they differ. Some bad: they are listed, the rest goes on.
    """
    if not may_ask(update.actor, update.service):
        return UpdateVerdict(role_objection(update.actor, update.service))
    once = tuple(dict.fromkeys(devices))
    found = {device: objection_to(update, device, checks or CHECKS) for device in once}
    objections = {device: reason for device, reason in found.items() if reason is not None}
    targets = tuple(device for device in once if device not in objections)
    warnings = (*_duplicates(devices), *_pathways(update, targets))
    if targets:
        return UpdateVerdict(None, targets, objections, warnings)
    return UpdateVerdict(_common(objections), (), objections, warnings)


def objection_to(update: Update, device: Eui64, checks: "Mapping[str, Check]") -> Objection | None:
    """Return the first reason not to update one device."""
    record = update.inventory.find(device)
    if record is None:
        return Objection(Category.UNKNOWN_DEVICE, f"{device} is not in the inventory")
    for check in checks.values():
        if (objection := check(update, record)) is not None:
            return objection
    return None


def check_responsible(update: Update, record: InventoryRecord) -> Objection | None:
    """F-100: the actor must be the supplier who may update this device."""
    if may_update(update.actor, record, update.inventory):
        return None
    detail = f"{update.actor.eui64} may not update {record.device_type} {record.device}"
    return Objection(Category.NOT_ELIGIBLE_ROLE, detail)


def check_commissioned(_update: Update, record: InventoryRecord) -> Objection | None:
    """Only commissioned devices are updated."""
    if record.status is DeviceStatus.COMMISSIONED:
        return None
    return Objection(Category.NOT_COMMISSIONED, f"{record.device} is {record.status}")


def check_targetable(update: Update, record: InventoryRecord) -> Objection | None:
    """B3: a device on a hub of the other generation is the target of nothing (S003 §2)."""
    hub = None if record.hub is None else update.inventory.find(record.hub)
    if hub is None or hub.smets is record.smets:
        return None
    return untargetable(record, hub)


def untargetable(record: InventoryRecord, hub: InventoryRecord) -> Objection:
    """Return the objection to any request for a device on a hub of the other generation (B3)."""
    detail = f"{record.device} is a {record.smets} device on a {hub.smets} hub: no target (B3)"
    return Objection(Category.UNTARGETABLE, detail)


def check_applicable(update: Update, record: InventoryRecord) -> Objection | None:
    """F-024: each service has its device types; SMETS1 devices go through the S1SP."""
    if _by_s1sp(update.service, record):
        return None
    return applicability(update.service, record)


def _by_s1sp(service: ServiceReference, record: InventoryRecord) -> bool:
    """Say whether an S1SP brings images of a service to a device: 11.1, for any SMETS1 type."""
    return bool(record.s1sp) and service is ServiceReference.UPDATE_FIRMWARE


def check_hub(update: Update, record: InventoryRecord) -> Objection | None:
    """FM-20: PPMIDs and HCALCS need a hub whose firmware has SECMP0007."""
    if record.device_type not in _NEEDS_SECMP0007 or _by_s1sp(update.service, record):
        return None
    hub = None if record.hub is None else update.inventory.find(record.hub)
    if hub is not None and hub.ppmid_ota:
        return None
    detail = f"the firmware of hub {record.hub} cannot update a {record.device_type}"
    return Objection(Category.GBCS_VERSION, detail)


def check_cpl(update: Update, record: InventoryRecord) -> Objection | None:
    """F-063, F-066: target version listed, Active, hash equal."""
    installed = update.cpl.resolve(
        manufacturer=record.manufacturer,
        model=record.model,
        device_type=record.device_type,
        firmware_version=record.firmware_version,
        smets=record.smets,
    )
    if installed.entry is None:
        detail = f"what runs on {record.device} is not on the CPL ({installed.why})"
        return Objection(Category.NOT_ON_CPL, detail)
    findings = update.cpl.check_update(
        installed.entry, update.version, update.image_hash, update.day
    )
    for finding in findings:
        if finding.refuses:
            mismatch = finding.word == "hash-mismatch"
            category = Category.HASH_MISMATCH if mismatch else Category.NOT_ON_CPL
            return Objection(category, finding.detail)
    return None


def check_in_progress(update: Update, record: InventoryRecord) -> Objection | None:
    """F-028: one transfer a device at a time, unless the image says ForceReplace."""
    if record.device not in update.in_progress or update.force_replace:
        return None
    detail = f"a transfer to {record.device} is not finished"
    return Objection(Category.OTHER_REQUEST_IN_PROGRESS, detail)


Check = Callable[[Update, InventoryRecord], Objection | None]
#: Checks of one target by name, in order; the first objection counts.
CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "responsible": check_responsible,
        "commissioned": check_commissioned,
        "targetable": check_targetable,
        "applicable": check_applicable,
        "hub": check_hub,
        "cpl": check_cpl,
        "in-progress": check_in_progress,
    }
)


def applicability(service: ServiceReference, record: InventoryRecord) -> Objection | None:
    """Return why a service does not apply to a device, or None (F-024)."""
    if record.smets is SmetsVersion.SMETS1 and service in TARGETS:
        detail = f"{record.device} is a SMETS1 device; no GBCS message reaches it"
        return Objection(Category.NOT_APPLICABLE, detail)
    if record.device_type in TARGETS[service]:
        return None
    detail = f"{service} does not apply to a {record.device_type}"
    return Objection(Category.NOT_APPLICABLE, detail)


def check_command(
    service: ServiceReference, actor: Actor, device: Eui64, inventory: Inventory
) -> Objection | None:
    """Judge an 11.2 or 11.3 request: role, device, status, applicability, responsibility.

    Whether the hash of 11.3 is the right one is for the device to say (FM-04).
    """
    if not may_ask(actor, service):
        return role_objection(actor, service)
    record = inventory.find(device)
    if record is None:
        return Objection(Category.UNKNOWN_DEVICE, f"{device} is not in the inventory")
    if record.status is not DeviceStatus.COMMISSIONED:
        return Objection(Category.NOT_COMMISSIONED, f"{device} is {record.status}")
    objection = applicability(service, record)
    if objection is None and service is ServiceReference.ACTIVATE_FIRMWARE:
        allowed = may_update(actor, record, inventory)
        detail = f"{actor.eui64} may not activate firmware of {record.device_type} {device}"
        objection = None if allowed else Objection(Category.NOT_ELIGIBLE_ROLE, detail)
    return objection


def role_objection(actor: Actor, service: ServiceReference) -> Objection:
    """Return the refusal of a role that may not ask for a service (F-025)."""
    held = ", ".join(sorted(actor.roles)) or "no role"
    return Objection(Category.NOT_ELIGIBLE_ROLE, f"{held} may not ask for {service}")


def _common(objections: Mapping[Eui64, Objection]) -> Objection:
    categories = {objection.category for objection in objections.values()}
    if len(categories) == 1:
        return next(iter(objections.values()))
    kinds = ", ".join(sorted(categories))
    return Objection(Category.BAD_LIST, f"no target of the list can be updated: {kinds}")


def _duplicates(devices: tuple[Eui64, ...]) -> tuple[str, ...]:
    seen: set[Eui64] = set()
    twice: dict[Eui64, None] = {}
    for device in devices:
        if device in seen:
            twice[device] = None
        seen.add(device)
    return tuple(f"duplicate: {device} stands in the list more than once" for device in twice)


def _pathways(update: Update, targets: tuple[Eui64, ...]) -> tuple[str, ...]:
    warnings: list[str] = []
    for device in targets:
        record = update.inventory.find(device)
        if record is None:
            continue
        installed = update.cpl.resolve(
            manufacturer=record.manufacturer,
            model=record.model,
            device_type=record.device_type,
            firmware_version=record.firmware_version,
            smets=record.smets,
        )
        if installed.entry is not None:
            findings = update.cpl.check_update(
                installed.entry, update.version, update.image_hash, update.day
            )
            warnings += [f"{item.word}: {item.detail}" for item in findings if not item.refuses]
    return tuple(warnings)
