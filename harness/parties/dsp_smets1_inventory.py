"""What answers of S1SPs mean for the Smart Metering Inventory."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.credential_alerts import (
    CertificateKind,
    NewCertificate,
    SecurityCredentialsUpdated,
)
from harness.formats.duis.requests import ServiceRequest
from harness.rules.inventory import Inventory, InventoryRecord

_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})


def give_supplier(inventory: Inventory, record: InventoryRecord, supplier: Eui64) -> None:
    """Make another supplier responsible for a meter (for gas: for the GPF of its home as well)."""
    inventory.put(replace(record, supplier=supplier))
    if record.device_type is not DeviceType.GSME:
        return
    for other in inventory.of_hub(record.hub):
        if other.device_type is DeviceType.GPF:
            inventory.put(replace(other, supplier=supplier))


def note_success(
    inventory: Inventory,
    asked: ServiceRequest,
    *,
    now: UtcMs,
    supplies: Mapping[str, Eui64],
) -> None:
    """Note what a request that succeeded has changed.

    Source:
        DUIS status words [known]; which request leads to which status on SMETS1: stand-in.
    """
    body, target = asked.body, asked.request_id.target
    if isinstance(body, bodies.UpdateHanDeviceLog):
        _log_changed(inventory, body, target, now, supplies)
    elif isinstance(body, bodies.CommissionDevice):
        _reach(inventory, target, DeviceStatus.COMMISSIONED, now)
    elif isinstance(body, bodies.JoinNonCritical):
        record = inventory.find(target)
        is_meter = record is not None and record.device_type in _METERS
        done = DeviceStatus.INSTALLED_NOT_COMMISSIONED if is_meter else DeviceStatus.COMMISSIONED
        _reach(inventory, target, done, now)
    elif isinstance(body, bodies.ReadDeviceLog):
        _hub_answered(inventory, target, now)


def _reach(inventory: Inventory, device: Eui64, status: DeviceStatus, now: UtcMs) -> None:
    record = inventory.find(device)
    settled = {status, DeviceStatus.COMMISSIONED}
    if record is not None and record.status not in settled:
        inventory.move(device, status, now)


def _hub_answered(inventory: Inventory, hub: Eui64, now: UtcMs) -> None:
    """A hub whose log an S1SP has read is commissioned, and its GPF with it."""
    of_hub = inventory.find(hub)
    for record in [of_hub, *_gpfs_of(inventory, hub)]:
        if of_hub is None or record is None or record.status is not DeviceStatus.PENDING:
            continue
        inventory.put(
            replace(
                record,
                hub=hub,
                csp_region=of_hub.csp_region,
                s1sp=of_hub.s1sp,
                connectivity=of_hub.connectivity,
            )
        )
        inventory.move(record.device, DeviceStatus.COMMISSIONED, now)


def _gpfs_of(inventory: Inventory, hub: Eui64) -> list[InventoryRecord]:
    found = inventory.find(hub)
    if found is None:
        return []
    alike = (found.manufacturer, found.model, found.supplier, found.history)
    return [
        one
        for one in inventory
        if one.device_type is DeviceType.GPF
        and one.hub is None
        and (one.manufacturer, one.model, one.supplier, one.history) == alike
    ]


def _log_changed(
    inventory: Inventory,
    body: bodies.UpdateHanDeviceLog,
    hub: Eui64,
    now: UtcMs,
    supplies: Mapping[str, Eui64],
) -> None:
    record, of_hub = inventory.find(body.device), inventory.find(hub)
    if record is None or of_hub is None:
        return
    if body.change is bodies.LogChange.REMOVE:
        inventory.put(replace(record, hub=None))
        inventory.move(body.device, DeviceStatus.DECOMMISSIONED, now)
        return
    mpxn = "" if body.whitelisting is None else body.whitelisting.mpxn or ""
    inventory.put(
        replace(
            record,
            hub=hub,
            mpxn=mpxn,
            supplier=supplies.get(mpxn, record.supplier),
            csp_region=of_hub.csp_region,
            s1sp=of_hub.s1sp if record.smets is SmetsVersion.SMETS1 else "",
            connectivity=of_hub.connectivity,
        )
    )
    _reach(inventory, body.device, DeviceStatus.WHITELISTED, now)


def credentials_alert(asked: ServiceRequest) -> SecurityCredentialsUpdated | None:
    """Return the alert that certificates were replaced, or None where none were."""
    read = _CERTIFICATES.get(type(asked.body))
    if read is None:
        return None
    role, given = read(asked.body)
    rows = (
        (CertificateKind.SIGNING, given.signing),
        (CertificateKind.AGREEMENT, given.agreement),
        (CertificateKind.TOP_UP, given.top_up),
    )
    certificates = tuple(
        NewCertificate(kind, hashlib.sha1(der, usedforsecurity=False).digest())
        for kind, der in rows
        if der is not None
    )
    return SecurityCredentialsUpdated(asked.request_id.target, role, certificates)


def _of_handover(body: object) -> tuple[bodies.PartyRole, bodies.ReplacementCertificates]:
    if not isinstance(body, bodies.RequestHandover):
        raise TypeError(type(body).__name__)
    return body.role, body.certificates


def _of_krp(body: object) -> tuple[bodies.PartyRole, bodies.ReplacementCertificates]:
    if not isinstance(body, bodies.UpdateCredentialsKrp):
        raise TypeError(type(body).__name__)
    return body.role, body.certificates.certificates


def _of_cos(body: object) -> tuple[bodies.PartyRole, bodies.ReplacementCertificates]:
    if not isinstance(body, bodies.UpdateCredentialsCos):
        raise TypeError(type(body).__name__)
    return bodies.PartyRole.SUPPLIER, body.certificates


#: Body -> role and certificates in it.
_CERTIFICATES: Final[
    Mapping[type, Callable[[object], tuple[bodies.PartyRole, bodies.ReplacementCertificates]]]
] = {
    bodies.RequestHandover: _of_handover,
    bodies.UpdateCredentialsKrp: _of_krp,
    bodies.UpdateCredentialsCos: _of_cos,
}
