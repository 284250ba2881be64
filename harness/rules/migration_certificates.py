"""Certificate IDs of meters: whole, Null, and known to a register of certificates."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from device_profiles.errors import DuplicateEntryError, InvalidValueError
from device_profiles.files import read_csv
from device_profiles.words import RemoteParty
from emulator.core.values import quick

REGISTER_COLUMNS: Final = ("serial", "issuer", "role", "party")
#: A serial number has at most 20 octets (RFC 5280).
_HEX: Final = re.compile(r"[0-9A-F]{1,40}")
_ROLES: Final = {
    "supplier": RemoteParty.SUPPLIER,
    "network-operator": RemoteParty.NETWORK_OPERATOR,
    "other": RemoteParty.OTHER,
}


@quick
@dataclass(frozen=True, slots=True)
class CertificateId:
    """A certificate by serial number and issuer.

    Attributes:
        serial: Serial number in decimal digits, no leading zeros; ``0`` in the Null one.
        issuer: Issuer's common name.

    Source:
        S1SR-d (a Certificate ID is serial number and issuer name). The form of the serial
        number, and that the Null Certificate ID is serial 0 without an issuer: invented.
    """

    serial: str
    issuer: str

    @property
    def is_null(self) -> bool:
        """Whether it is the Null Certificate ID: both halves exactly."""
        return self == NULL_CERTIFICATE_ID

    @property
    def is_missing(self) -> bool:
        """Whether nothing was given at all."""
        return not self.serial and not self.issuer

    @property
    def is_half(self) -> bool:
        """Whether it is neither Null nor a whole Certificate ID."""
        if self.is_null or self.is_missing:
            return False
        return self.serial in {"", NULL_CERTIFICATE_ID.serial} or not self.issuer

    def __str__(self) -> str:
        return "Null" if self.is_null else f"{self.serial or '(no serial)'} of {self.issuer or '?'}"


#: The one Null Certificate ID (R-052).
NULL_CERTIFICATE_ID: Final = CertificateId("0", "")


@quick
@dataclass(frozen=True, slots=True)
class RegisteredCertificate:
    """One certificate of the register.

    Attributes:
        certificate: Its ID.
        role: Whose kind of certificate it is.
        party: User ID (EUI-64, printed form) it was issued to.
    """

    certificate: CertificateId
    role: RemoteParty
    party: str


class CertificateRegister:
    """The certificates a repository knows, by their IDs."""

    def __init__(self, certificates: Iterable[RegisteredCertificate], file: str = "") -> None:
        self.file: Final = file
        found: dict[tuple[str, str], RegisteredCertificate] = {}
        for entry in certificates:
            key = _key(entry.certificate)
            if key in found:
                raise DuplicateEntryError(
                    "this certificate stands twice", file=file, key=str(entry.certificate)
                )
            found[key] = entry
        self._found: Final[Mapping[tuple[str, str], RegisteredCertificate]] = found

    def find(self, certificate: CertificateId) -> RegisteredCertificate | None:
        """Return what is known of a certificate, or None; issuers compare without case."""
        return self._found.get(_key(certificate))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a register from CSV: ``serial, issuer, role, party``, one line a certificate.

        Roles are ``supplier``, ``network-operator`` and ``other``.

        Raises:
            DataError: The file cannot be read, or a line is wrong.
        """
        headings, rows = read_csv(path)
        for name in REGISTER_COLUMNS:
            if name not in headings:
                raise InvalidValueError("this column is missing", file=path, key=f"column {name}")
        found = []
        for line, row in enumerate(rows, start=2):
            cells = {name: str(row.get(name) or "").strip() for name in REGISTER_COLUMNS}
            if cells["role"] not in _ROLES:
                raise InvalidValueError(
                    f"the role is one of {', '.join(_ROLES)}", file=path, key=f"line {line} role"
                )
            identity = CertificateId(canonical_serial(cells["serial"]), cells["issuer"])
            if identity.is_null or identity.is_half or identity.is_missing:
                raise InvalidValueError(
                    "a certificate has a serial number and an issuer",
                    file=path,
                    key=f"line {line}",
                )
            found.append(RegisteredCertificate(identity, _ROLES[cells["role"]], cells["party"]))
        return cls(found, str(path))


def render_register(certificates: Iterable[RegisteredCertificate]) -> str:
    """Write a register as CSV."""
    names = {role: name for name, role in _ROLES.items()}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(REGISTER_COLUMNS)
    for entry in certificates:
        identity = entry.certificate
        writer.writerow((identity.serial, identity.issuer, names[entry.role], entry.party))
    return out.getvalue()


def canonical_serial(text: str) -> str:
    """Return a serial number in our one form: decimal digits without leading zeros.

    Text with ``0x``, with colons or with letters A to F is read as hexadecimal; text that is
    neither comes back as it is.
    """
    plain = text.strip().upper().replace(" ", "").replace("-", "")
    hexadecimal = plain.removeprefix("0X").replace(":", "")
    if plain.isdecimal() and plain.isascii():
        return plain.lstrip("0") or "0"
    if _HEX.fullmatch(hexadecimal):
        return str(int(hexadecimal, 16))
    return plain


def _key(certificate: CertificateId) -> tuple[str, str]:
    return certificate.serial, certificate.issuer.casefold()
