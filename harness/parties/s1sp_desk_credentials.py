"""Notified Certificate IDs: whose they are, and how 6.15.1, 6.21 and 6.23 replace them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.smets1_services import Notified, Smets1Service
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate as certificates
from emulator.crypto.certificate import Certificate
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.smets1_contents import Node, Result, Smets1Status
from harness.formats.migration_files.parties import identity_of
from harness.parties.s1sp_desk_faults import DeskError, DeskFault
from harness.parties.s1sp_desk_records import (
    CRITICAL_NETWORK_OPERATOR,
    CRITICAL_SUPPLIER,
    NON_CRITICAL_NETWORK_OPERATOR,
    NON_CRITICAL_SUPPLIER,
    DeskRecord,
)
from harness.rules.migration_certificates import CertificateId

_SUPPLIER_ROLE: Final = 2
_NETWORK_ROLE: Final = 3
#: Role octet in a certificate -> names of the IDs for its signing and key-agreement certificate.
_NAMES: Final[Mapping[int, tuple[str, str]]] = {
    _SUPPLIER_ROLE: (CRITICAL_SUPPLIER, NON_CRITICAL_SUPPLIER),
    _NETWORK_ROLE: (CRITICAL_NETWORK_OPERATOR, NON_CRITICAL_NETWORK_OPERATOR),
}
_ROLES: Final = {
    bodies.PartyRole.SUPPLIER: _SUPPLIER_ROLE,
    bodies.PartyRole.NETWORK_OPERATOR: _NETWORK_ROLE,
}
#: Status word of MMC for a certificate that is not taken, and its number. Source: stand-in.
_BAD: Final = ("badCertificate", 1)


_NOT_KNOWN: Final = "a certificate is in no register"


class Holders:
    """Whose certificate a Certificate ID names."""

    def __init__(self, store: KeyStore) -> None:
        self._known: dict[CertificateId, tuple[Eui64, int]] = {}
        for entry in store.entries():
            if entry.certificate is not None and entry.usage is not KeyUsage.XML:
                role = certificates.read(entry.certificate).role or 0
                self._known[identity_of(entry.certificate)] = (entry.eui64, role)

    def party(self, identity: CertificateId) -> Eui64 | None:
        """Return the party, or None for an ID that nobody knows."""
        found = self._known.get(identity)
        return None if found is None else found[0]

    def role(self, party: Eui64) -> int:
        """Return the role octet of a party's certificates; 0 for a party nobody knows."""
        return next((role for eui64, role in self._known.values() if eui64 == party), 0)

    def learn(self, der: bytes, party: Eui64, role: int) -> None:
        """Note a certificate that came with a request."""
        self._known[identity_of(der)] = (party, role)


@dataclass(frozen=True, slots=True)
class Replacement:
    """Certificates that a request brings.

    Attributes:
        role: Role octet whose IDs are replaced.
        given: The certificates.
        path: How they lead upwards, DER.
        time_checked: Whether their periods of validity count.
    """

    role: int
    given: bodies.ReplacementCertificates
    path: tuple[bytes, ...]
    time_checked: bool


def replacement_of(body: RequestBody) -> Replacement | None:
    """Return the certificates a request brings, or None."""
    if isinstance(body, bodies.UpdateCredentialsCos):
        path = body.path.certificates
        return Replacement(_SUPPLIER_ROLE, body.certificates, path, body.time_checked)
    if isinstance(body, bodies.RequestHandover):
        role = _ROLES.get(body.role, 0)
        return Replacement(role, body.certificates, body.path.certificates, body.time_checked)
    if isinstance(body, bodies.UpdateCredentialsKrp):
        role, given = _ROLES.get(body.role, 0), body.certificates.certificates
        return Replacement(role, given, body.path.certificates, body.time_checked)
    return None


def check_notified(row: Smets1Service, record: DeskRecord, asker: Eui64, holders: Holders) -> None:
    """Refuse a request that the notified Certificate IDs of the device do not allow.

    Raises:
        DeskError: Null, another party's, or (for 6.21) no longer Null.
    """
    if row.notified is Notified.NONE:
        return
    role = _SUPPLIER_ROLE if row.notified is Notified.SUPPLIER else holders.role(asker)
    name = _NAMES.get(role, _NAMES[_SUPPLIER_ROLE])[0]
    held = record.notified[name]
    if row.notified is Notified.NULL:
        if not held.is_null:
            raise DeskError(DeskFault.NOT_NULL, f"{name} of {record.device} is not Null")
        return
    if held.is_null:
        raise DeskError(DeskFault.NULL_CERTIFICATE, f"{name} of {record.device} is Null")
    if holders.party(held) != asker:
        raise DeskError(DeskFault.OTHER_CERTIFICATE, f"{name} of {record.device} is another's")


@dataclass(frozen=True, slots=True)
class Basis:
    """On what certificates are judged.

    Attributes:
        asker: Whose they have to be.
        authorities: Issuers that are believed; none: only certificates of the register count.
        now: The present moment.
    """

    asker: Eui64
    authorities: tuple[Certificate, ...]
    now: UtcMs


def replace_notified(
    record: DeskRecord, wanted: Replacement, holders: Holders, basis: Basis
) -> str:
    """Put a party's Certificate IDs where others stand; returns why not, or nothing.

    Nothing is changed where one certificate is not taken.
    """
    if wanted.role not in _NAMES:
        return "certificates of this role are not kept"
    kinds = ((wanted.given.signing, KeyUsage.DS), (wanted.given.agreement, KeyUsage.KA))
    for der, usage in (*kinds, (wanted.given.top_up, KeyUsage.KA)):
        why = "" if der is None else _fault(der, usage, wanted, basis)
        if not why and der is not None and not basis.authorities:
            why = "" if holders.party(identity_of(der)) == basis.asker else _NOT_KNOWN
        if why:
            return why
    for name, (der, _usage) in zip(_NAMES[wanted.role], kinds, strict=True):
        if der is not None:
            record.notified[name] = identity_of(der)
            holders.learn(der, basis.asker, wanted.role)
    return ""


def _fault(der: bytes, usage: KeyUsage, wanted: Replacement, basis: Basis) -> str:
    try:
        identity_of(der)
        read = certificates.read(der)
        path = tuple(certificates.read(one) for one in wanted.path)
    except MalformedFrameError as error:
        return f"a certificate cannot be read: {error.why}"[:200]
    if read.eui64 != basis.asker:
        return "a certificate is another party's"
    if read.role != wanted.role or read.usage is not usage:
        return "a certificate is of another role or use"
    moment = basis.now if wanted.time_checked else read.not_before
    if not basis.authorities:
        valid = read.not_before <= moment <= read.not_after
        return "" if valid else "a certificate is not valid now"
    issuers = tuple(one for one in path if any(_same(one, root) for root in basis.authorities))
    fault = certificates.judge(read, issuers or basis.authorities, moment)
    return "" if fault is None else f"a certificate does not hold: {fault}"


def _same(one: Certificate, other: Certificate) -> bool:
    return (one.subject, one.public_point) == (other.subject, other.public_point)


def outcome(element: str, asker: Eui64, why: str) -> Result:
    """Return what a user is told of a replacement.

    Args:
        element: Name of the response's element.
        asker: The party whose certificates they are.
        why: Why they were not taken; empty where they were.
    """
    word, number = ("success", 0) if not why else _BAD
    status = Node("StatusCode", "", (Node("ASN1Status", word),), (("ResponseCode", str(number)),))
    parties = () if why else (Node("NewRemotePartyID", str(asker)),)
    replaced = Node("ReplacementOutcome", "", (status, *parties))
    statuses = (Smets1Status(number, why, 1),) if why else ()
    return Result(element, not why, (Node("ExecutionOutcome", "", (replaced,)),), statuses)
