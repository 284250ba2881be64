"""Keys at the door: the participant's, ours, and who is believed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from device_profiles.words import RemoteParty
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto import certificate as certificates
from emulator.crypto import x509_certificate
from emulator.crypto.certificate import Certificate
from emulator.crypto.key_files import pem, write_file
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki
from harness.errors import UsageError
from harness.formats.duis import document, signing
from harness.formats.duis.requests import peek
from harness.formats.duis.shape import SIGNATURE_NAMESPACE
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.xml_input import parse
from harness.formats.migration_files.parties import (
    TEST_NETWORK_OPERATOR,
    TEST_PARTIES,
    Role,
    party_entries,
)
from harness.keys import open_keystore

#: Roles in XML-signing certificates: a user's, the DSP's. Source: issue 8 (R-143).
USER_ROLE: Final = 135
DSP_ROLE: Final = 137
#: Roles a user's certificate may name: ``pki new`` writes the supplier's own there.
USER_ROLES: Final = frozenset({USER_ROLE, int(RemoteParty.SUPPLIER)})
#: Begin of validity of what is made here: before any migration begins. Source: invented.
_BEGIN: Final = from_datetime(datetime(2021, 1, 1, tzinfo=UTC))

PARTICIPANT: Final = "participant"
#: Certificate of the authority that issued made keys: part of the path in a 6.23.
ISSUING: Final = "issuing.pem"
DCC: Final = "dcc"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures are believed, and with which key the DSP speaks.

    Attributes:
        store: Keys of everybody the door plays, and what it knows of its users.
        dsp: The DSP: its identifier is the one of the Access Control Broker.
        users: XML-signing certificates of service users, DER.
    """

    store: KeyStore = field(repr=False)
    dsp: Eui64
    users: dict[Eui64, bytes] = field(repr=False)

    @property
    def dsp_key(self) -> XmlKey:
        """The key with which replies are signed.

        Raises:
            LookupError: It is not held.
        """
        return xml_key_of(self.store, self.dsp)

    def signatories(self, at: UtcMs) -> Signatories:
        """Return whose XML signatures are believed at a moment: the users'."""
        return Signatories(self.users, at)

    def owner_of(self, serial: str) -> tuple[Eui64, Certificate] | None:
        """Return whose XML-signing certificate has a serial number, and what it says."""
        for entry in self.store.entries():
            if entry.usage is KeyUsage.XML and entry.certificate is not None:
                parsed = x509_certificate.load(entry.certificate)
                if str(parsed.serial_number) == serial:
                    return entry.eui64, certificates.read(entry.certificate)
        return None


def xml_key_of(store: KeyStore, party: Eui64) -> XmlKey:
    """Return a party's XML-signing key.

    Raises:
        LookupError: Its private key or its certificate is not held.
    """
    entry = store.find(party, KeyUsage.XML)
    if entry is None or entry.private_scalar is None or entry.certificate is None:
        raise LookupError(f"no XML-signing key of {party} is held")
    return XmlKey.of(entry.private_scalar, entry.certificate)


def participants_keys(folder: Path | None, suppliers: Iterable[Eui64], seed: int) -> KeyStore:
    """Return the participants' keys: those of the folder, made where it is empty.

    Args:
        folder: What ``--trust`` names; None makes keys and writes none.
        suppliers: Service users of the installations.
        seed: Same seed and suppliers, same keys.

    Raises:
        UsageError: The folder cannot be read or written.
    """
    place = None if folder is None else folder / PARTICIPANT
    if place is not None and place.is_dir() and any(place.iterdir()):
        return open_keystore(place)
    pki = TestPki.new(Chance(seed).stream("door users").octets, _BEGIN)
    entries: list[KeyEntry] = []
    for supplier in suppliers:
        entries += user_entries(pki, supplier)
    made = KeyStore(entries)
    if place is not None:
        _write(made, place, {ISSUING: pki.issuing.certificate})
    return made


def user_entries(pki: TestPki, supplier: Eui64) -> list[KeyEntry]:
    """Return made keys of a supplier that is a service user: for devices, and for DUIS."""
    role = int(RemoteParty.SUPPLIER)
    return [
        *pki.organisation_entries(supplier, role),
        pki.organisation_entry(supplier, role, KeyUsage.KA, prepayment=True),
        pki.xml_signing_entry(supplier, USER_ROLE, f"smetsbench user {supplier}"),
    ]


def trust_of(participants: KeyStore, suppliers: Iterable[Eui64], dsp: Eui64, seed: int) -> Trust:
    """Return the trust of a door: the participants' keys, and made ones of all other parties.

    Args:
        participants: The users' keys; public ones are enough for XML signatures.
        suppliers: Suppliers of the installations; who is no user gets made keys for the homes.
        dsp: Identifier of the DSP.
        seed: Same seed, same keys.
    """
    pki = TestPki.new(Chance(seed).stream("door parties").octets, _BEGIN)
    entries: list[KeyEntry] = []
    for role, party in TEST_PARTIES.items():
        if role is not Role.DSP:
            entries += party_entries(pki, role, party)
    entries += party_entries(pki, Role.NETWORK_OPERATOR, TEST_NETWORK_OPERATOR)
    for supplier in suppliers:
        entries += party_entries(pki, Role.SUPPLIER, supplier)
    entries += pki.organisation_entries(dsp, Role.DSP.value)
    entries.append(pki.xml_signing_entry(dsp, DSP_ROLE, "smetsbench dsp"))
    users = {
        one.eui64: one.certificate
        for one in participants.entries()
        if one.usage is KeyUsage.XML and one.certificate is not None
    }
    return Trust(KeyStore(entries).merged(participants), dsp, users)


def write_public(folder: Path, store: KeyStore) -> Path:
    """Write the public keys a participant needs: DSP, S1SP, broker, devices. Returns the place.

    Raises:
        UsageError: The folder cannot be written.
    """
    place = folder / DCC
    _write(store.public(), place)
    return place


def sign_document(octets: bytes, folder: Path, user: Eui64 | None = None) -> tuple[bytes, Eui64]:
    """Sign a DUIS request with a participant's key out of a trust folder.

    Args:
        octets: The request; a signature it has is replaced.
        folder: The trust folder.
        user: Whose key; None for the originator's.

    Returns:
        The signed request, and whose key signed it.

    Raises:
        DuisError: It is no DUIS request.
        UsageError: The key is not held.
    """
    root = parse(octets)
    originator = peek(octets).request_id.originator
    for old in root.findall(f"{{{SIGNATURE_NAMESPACE}}}Signature"):
        root.remove(old)
    signer = user or originator
    try:
        key = xml_key_of(open_keystore(folder / PARTICIPANT), signer)
    except LookupError as error:
        raise UsageError(
            str(error),
            where=f"--trust {folder}",
            cause="a request of another originator, or the trust folder of another door",
            next_command=f"ls {folder / PARTICIPANT}",
        ) from error
    signing.sign(root, key)
    return document.octets(root), signer


def _write(store: KeyStore, place: Path, authorities: Mapping[str, bytes] | None = None) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        store.to_folder(place)
        for name, certificate in (authorities or {}).items():
            write_file(place / name, pem("CERTIFICATE", certificate), private=False)
    except OSError as error:
        raise UsageError(
            f"keys cannot be written: {error.strerror}",
            where=f"--trust {place}",
            cause="something else in its place, a folder that is not yours, or a full disk",
            next_command="smetsbench dust door --trust NEW-FOLDER …",
        ) from error
