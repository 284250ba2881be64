"""The DCC alert that tells a party that certificates at a device were replaced."""

import enum
from dataclasses import dataclass

from emulator.core.ids import Eui64
from harness.formats.duis.smets1_bodies import PartyRole


@dataclass(frozen=True, slots=True)
class SecurityCredentialsUpdated:
    """Certificates of a party at a device were replaced.

    Attributes:
        device: The device.
        role: Whose certificates.
        certificates: What stands there now.
    """

    device: Eui64
    role: PartyRole
    certificates: tuple["NewCertificate", ...]


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """One certificate that stands at a device now.

    Attributes:
        kind: What it is for.
        sha1: Its SHA-1 (the XSD's choice), 20 octets.
    """

    kind: "CertificateKind"
    sha1: bytes


class CertificateKind(enum.StrEnum):
    """What a replaced certificate is for."""

    SIGNING = "DigitalSigning"
    AGREEMENT = "KeyAgreement"
    TOP_UP = "KeyAgreementTopUp"
