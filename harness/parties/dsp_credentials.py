"""Credentials that the DCC itself replaces at SMETS2+ devices: who may have it done, what came.

6.23 is signed by the transitional change-of-supplier party, which checks first; 6.21 by the broker,
which can only hand over a place that is still its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.gbcs.credentials import Reported, read_alert, read_response
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate as certificates
from emulator.crypto.certificate import Certificate
from emulator.crypto.keystore import KeyUsage
from harness.formats.duis import date_time, smets1_bodies
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.smets1_bodies import PartyRole, ReplacementCertificates
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import Actor, UserRole

_GAS: Final = frozenset({DeviceType.GSME, DeviceType.GPF})
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})
_OPERATORS: Final = frozenset({UserRole.ELECTRICITY_DISTRIBUTOR, UserRole.GAS_TRANSPORTER})
_ROLES: Final = {
    PartyRole.SUPPLIER: RemoteParty.SUPPLIER,
    PartyRole.NETWORK_OPERATOR: RemoteParty.NETWORK_OPERATOR,
}


def is_of_dcc(service: str) -> bool:
    """Say whether the DCC orders this replacement itself, and in its own name."""
    return service in {"6.21", "6.23"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the request.

    Attributes:
        broker: The Access Control Broker.
        inventory: The inventory.
        supplies: Meter point -> its registered supplier, where somebody registered it.
        now: The present moment.
    """

    broker: Eui64
    inventory: Inventory
    supplies: Mapping[str, Eui64]
    now: UtcMs


def objection_to(
    asked: ServiceRequest, actor: Actor, record: InventoryRecord, known: Known
) -> Objection | None:
    """Say why the DCC does not replace credentials for a user, or None.

    Source:
        That the change-of-supplier party checks who is registered, the meter point and whose the
        certificates are: SEC (known); that a meter point nobody registered may be anybody's of the
        right role: a stand-in, a door alone has no registration data.
    """
    body = asked.body
    if isinstance(body, smets1_bodies.UpdateCredentialsCos):
        given, role, path = body.certificates, PartyRole.SUPPLIER, body.path.certificates
        why = _not_gaining(body.mpxn, actor, record, known)
    elif isinstance(body, smets1_bodies.RequestHandover):
        given, role, path = body.certificates, body.role, body.path.certificates
        why = _not_to_hand_over(role, actor, record, known)
    else:
        raise TypeError(type(body).__name__)
    moment = known.now if body.time_checked else None
    return why or _fault_of(given, role, path, actor.eui64, moment)


def _not_gaining(
    mpxn: str, actor: Actor, record: InventoryRecord, known: Known
) -> Objection | None:
    objection = _not_its_supplier(actor, record)
    if objection is not None:
        return objection
    point = _meter_point(record, known.inventory)
    if point and point != mpxn:
        return Objection(Category.NOT_REGISTERED, f"{record.device} is not at the meter point")
    if known.supplies.get(point or mpxn, actor.eui64) != actor.eui64:
        return Objection(Category.NOT_REGISTERED, f"{actor.eui64} is not registered for it")
    return None


def _not_its_supplier(actor: Actor, record: InventoryRecord) -> Objection | None:
    needed = UserRole.GAS_SUPPLIER if record.device_type in _GAS else UserRole.IMPORT_SUPPLIER
    if needed in actor.roles:
        return None
    detail = f"{actor.eui64} is no {needed}: a {record.device_type} is not its to take over"
    return Objection(Category.NOT_ELIGIBLE_ROLE, detail)


def _meter_point(record: InventoryRecord, inventory: Inventory) -> str:
    """Return the meter point of a meter; of another device, that of the meter it belongs to."""
    if record.device_type in _METERS:
        return record.mpxn
    meter = DeviceType.GSME if record.device_type in _GAS else DeviceType.ESME
    beside = inventory.of_hub(record.hub)
    return next((one.mpxn for one in beside if one.device_type is meter), "")


def _not_to_hand_over(
    role: PartyRole, actor: Actor, record: InventoryRecord, known: Known
) -> Objection | None:
    """Say why a place is not the DCC's to hand over, or not to that user.

    Source:
        A supplier's place that is the broker's own is what 6.21 is about: RTDS 4.5.0 CS02b
        supplier by supplier (handover). The inventory's supplier stands for the place: inferred.
    """
    if role is PartyRole.SUPPLIER:
        objection = _not_its_supplier(actor, record)
        if objection is None and record.supplier != known.broker:
            detail = f"the supplier's place of {record.device} is {record.supplier}'s already"
            objection = Objection(Category.NOT_DCC_CONTROLLED, detail)
        return objection
    if role is not PartyRole.NETWORK_OPERATOR or actor.roles.isdisjoint(_OPERATORS):
        detail = f"{actor.eui64} does not take the place of a {role}"
        return Objection(Category.NOT_ELIGIBLE_ROLE, detail)
    return None


def _fault_of(
    given: ReplacementCertificates,
    role: PartyRole,
    path: tuple[bytes, ...],
    asker: Eui64,
    moment: UtcMs | None,
) -> Objection | None:
    places = (
        (given.signing, KeyUsage.DS),
        (given.agreement, KeyUsage.KA),
        (given.top_up, KeyUsage.KA),
    )
    try:
        issuers = tuple(certificates.read(one) for one in path)
        for der, usage in places:
            read = None if der is None else certificates.read(der)
            why = "" if read is None else _fault(read, usage, role, issuers, asker, moment)
            if why:
                return Objection(Category.BAD_CERTIFICATE, why)
    except MalformedFrameError as error:
        return Objection(Category.BAD_CERTIFICATE, f"a certificate cannot be read: {error.why}")
    return None


def _fault(  # noqa: PLR0913, PLR0917 - a certificate, and what it has to be
    read: Certificate,
    usage: KeyUsage,
    role: PartyRole,
    issuers: tuple[Certificate, ...],
    asker: Eui64,
    moment: UtcMs | None,
) -> str:
    if read.eui64 != asker:
        return f"a certificate is of {read.eui64}, who did not ask"
    if read.role != _ROLES.get(role) or read.usage is not usage:
        return "a certificate is of another role or use"
    fault = certificates.judge(read, issuers, read.not_before if moment is None else moment)
    return "" if fault is None else f"a certificate does not hold: {fault}"


# -- what came of it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changed:
    """A replacement that a device has told of.

    Attributes:
        asked: The request.
        alert_code: Alert with which it was told; 0 for an answer.
        success: Whether every place was replaced.
    """

    asked: ServiceRequest
    alert_code: int
    success: bool


@dataclass(slots=True)
class CredentialChanges:
    """Replacements that the DCC ordered, until the device says what became of them.

    Attributes:
        ordered: Device, and counter of the command -> the request.
    """

    ordered: dict[tuple[Eui64, int], bytes] = field(default_factory=dict, repr=False)

    def order(self, asked: ServiceRequest, counter: int, document: bytes) -> None:
        """Note a command that is on its way; one that cancels ends those that wait."""
        device = asked.request_id.target
        if getattr(asked.body, "execution_time", None) != date_time.CANCEL:
            self.ordered[device, counter] = document
            return
        for key, waiting in [*self.ordered.items()]:
            if key[0] == device and read_request(waiting).header.variant == asked.header.variant:
                del self.ordered[key]

    def answered(self, device: Eui64, payload: bytes) -> Changed | None:
        """Take an answer; None where it is about no such command, or says nothing yet."""
        reported = read_response(payload)
        return None if reported is None else self._told(device, reported)

    def alerted(self, device: Eui64, payload: bytes) -> Changed | None:
        """Take the alert that tells of a command with a date; None where it is about none."""
        return self._told(device, read_alert(payload))

    def _told(self, device: Eui64, reported: Reported) -> Changed | None:
        document = self.ordered.pop((device, reported.counter), None)
        if document is None:
            return None
        return Changed(read_request(document), reported.alert_code, reported.success)

    def dump(self) -> list[list[Any]]:
        """Return it as JSON values."""
        rows = self.ordered.items()
        return [[str(device), counter, waiting.hex()] for (device, counter), waiting in rows]

    def load(self, state: list[list[Any]]) -> None:
        """Take over a dumped one."""
        self.ordered = {
            (Eui64.parse(device), counter): bytes.fromhex(waiting)
            for device, counter, waiting in state
        }
