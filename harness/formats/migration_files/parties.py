"""Parties of a migration: roles, test identifiers, keys and certificates."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

from cryptography import x509

from device_profiles.words import RemoteParty
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto import certificate as certificates
from emulator.crypto import x509_certificate
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import Draw, TestPki
from harness.formats.migration_files import checks
from harness.formats.migration_files.devices import NULL_CERTIFICATE_ID, CertificateId
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.words import FileType
from harness.rules.migration_certificates import CertificateRegister, RegisteredCertificate


class Role(enum.Enum):
    """Roles in a migration; the value is the role octet in the certificate (its OU).

    Source:
        supplier and network operator: GBCS; the others have no role octet in any source, and
        theirs are invented.
    """

    SUPPLIER = 0x02
    NETWORK_OPERATOR = 0x03
    SMSO = 0xE0
    REQUESTING_PARTY = 0xE1
    S1SP = 0xE2
    S1SPDP = 0xE3
    DCO = 0xE4
    DSP = 0xE5
    COMMISSIONING_PARTY = 0xE6
    MCC = 0xE7


#: EUI-64s of the parties there is one of; locally administered, so none is live (stand-in).
TEST_PARTIES: Final[Mapping[Role, Eui64]] = {
    role: Eui64(bytes((0x02, 0x53, 0x42, 0, 0, role.value, 0, 0)))
    for role in Role
    if role not in {Role.SUPPLIER, Role.NETWORK_OPERATOR}
}

#: The network operator that ``pki new`` makes keys for (stand-in).
TEST_NETWORK_OPERATOR: Final = Eui64.parse("02-53-42-00-00-02-00-00")

#: File type -> role that makes and signs it. Source: MCF S000 §5; MVF known to come from
#: the DCC, here its MCC; the rest known or invented.
SIGNERS: Final[Mapping[FileType, Role]] = {
    FileType.MCF: Role.REQUESTING_PARTY,
    FileType.MVF: Role.MCC,
    FileType.MGF: Role.REQUESTING_PARTY,
    FileType.MEF: Role.REQUESTING_PARTY,
    FileType.VIF: Role.S1SP,
    FileType.SCF: Role.S1SP,
    FileType.RFS: Role.REQUESTING_PARTY,
    FileType.COF: Role.COMMISSIONING_PARTY,
}


def party_entries(pki: TestPki, role: Role, party: Eui64) -> tuple[KeyEntry, ...]:
    """Issue the keys of one party: signature, key agreement and XML signature."""
    name = f"smetsbench {role.name.replace('_', ' ').lower()}"
    return (
        *pki.organisation_entries(party, role.value),
        pki.xml_signing_entry(party, role.value, name),
    )


def role_keys(
    draw: Draw,
    at: UtcMs,
    *,
    suppliers: Iterable[Eui64] = (),
    network_operators: Iterable[Eui64] = (),
) -> KeyStore:
    """Make a test PKI's keys of every role.

    Args:
        draw: Source of chance.
        at: Begin of validity.
        suppliers: Suppliers to issue keys for as well.
        network_operators: Network operators to issue keys for as well.
    """
    pki = TestPki.new(draw, at)
    store = KeyStore()
    parties = list(TEST_PARTIES.items())
    parties += [(Role.SUPPLIER, party) for party in suppliers]
    parties += [(Role.NETWORK_OPERATOR, party) for party in network_operators]
    for role, party in parties:
        for entry in party_entries(pki, role, party):
            store.add(entry)
    return store


_ROLES: Final = {role.value: role for role in Role}


def parties_in(store: KeyStore) -> dict[Role, Eui64]:
    """Return the first party of each role that a key store holds a certificate of."""
    found: dict[Role, Eui64] = {}
    for entry in store.entries():
        if entry.certificate is not None:
            role = _ROLES.get(certificates.read(entry.certificate).role or 0)
            if role is not None:
                found.setdefault(role, entry.eui64)
    return found


def certificate_id(entry: KeyEntry | None) -> CertificateId:
    """Return the Certificate ID of a key; the null one where there is no certificate."""
    if entry is None or entry.certificate is None:
        return NULL_CERTIFICATE_ID
    return identity_of(entry.certificate)


@lru_cache(maxsize=256)
def identity_of(der: bytes) -> CertificateId:
    """Return the Certificate ID of a certificate: serial number and issuer's common name.

    Raises:
        MalformedFrameError: It cannot be read.
    """
    parsed = x509_certificate.load(der)
    names = parsed.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return CertificateId(str(parsed.serial_number), str(names[0].value) if names else "unnamed")


@quick
@dataclass(frozen=True, slots=True)
class Signer:
    """One XML-signing certificate.

    Attributes:
        party: Whose it is.
        role: By the role octet in it; None where that is no role of a migration.
        issuer: Issuer name, RFC 4514.
        serial: Serial number.
        public_point: The key, uncompressed, 65 octets.
        der: The certificate.
    """

    party: Eui64
    role: Role | None
    issuer: str
    serial: int
    public_point: bytes
    der: bytes = field(repr=False)

    @classmethod
    def of(cls, entry: KeyEntry) -> Self | None:
        """Return the signer of a key, or None where the key has no certificate."""
        if entry.certificate is None:
            return None
        issuer, number = x509_certificate.names(entry.certificate)
        fields = certificates.read(entry.certificate)
        role = None if fields.role is None else _ROLES.get(fields.role)
        return cls(entry.eui64, role, issuer, number, fields.public_point, entry.certificate)


class Directory:
    """Whose XML signatures are known, found by what KeyInfo says of the certificate.

    Args:
        store: Key store; its XML-signing keys with certificates count.
        authorities: DER certificates of issuers that are believed; none: every certificate of the
            key store is believed as it stands.

    Raises:
        MalformedFrameError: A certificate is none.
    """

    def __init__(self, store: KeyStore, authorities: Iterable[bytes] = ()) -> None:
        entries = (entry for entry in store.entries() if entry.usage is KeyUsage.XML)
        signers = [signer for signer in map(Signer.of, entries) if signer is not None]
        self._signers = {(signer.issuer, signer.serial): signer for signer in signers}
        self._authorities = tuple(certificates.read(der) for der in authorities)

    def find(self, issuer: str, serial: int) -> Signer | None:
        """Return the signer with that certificate, or None."""
        return self._signers.get((issuer, serial))

    def judge(self, signer: Signer, at: UtcMs) -> None:
        """Judge a signer's certificate at the moment a file was made.

        Raises:
            MigrationFileError: X-SIG-CERT.
        """
        fields = certificates.read(signer.der)
        if at < fields.not_before:
            raise _not_valid("01", signer)
        if at > fields.not_after:
            raise _not_valid("02", signer)
        if self._authorities and certificates.judge(fields, self._authorities, at) is not None:
            raise _not_valid("03", signer)


def _not_valid(sub_code: str, signer: Signer) -> MigrationFileError:
    why = f"the certificate of {signer.party}: {checks.CERTIFICATE.subs[sub_code]}"
    return MigrationFileError(checks.CERTIFICATE, sub_code, why)


def register_of(store: KeyStore) -> CertificateRegister | None:
    """Return the certificates of suppliers and network operators of a key store.

    Returns:
        None where it has none: then nothing can be said of a Certificate ID.
    """
    found: dict[CertificateId, RegisteredCertificate] = {}
    named = {
        Role.SUPPLIER.value: RemoteParty.SUPPLIER,
        Role.NETWORK_OPERATOR.value: RemoteParty.NETWORK_OPERATOR,
    }
    for entry in store.entries():
        if entry.certificate is None:
            continue
        remote = named.get(certificates.read(entry.certificate).role or 0, RemoteParty.OTHER)
        one = certificate_id(entry)
        found[one] = RegisteredCertificate(one, remote, str(entry.eui64))
    if not any(row.role is not RemoteParty.OTHER for row in found.values()):
        return None
    return CertificateRegister(found.values(), "key store")
