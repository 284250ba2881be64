"""Whom an S1SP's desk believes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.core.ids import Eui64
from emulator.crypto.certificate import Certificate
from emulator.crypto.keystore import KeyStore
from harness.formats.duis.signing import XmlKey


@dataclass(slots=True)
class DeskTrust:
    """Whom a desk believes, and with which key it speaks.

    Attributes:
        key: Its XML-signing key.
        dsp: The DSP, whose countersignature it asks for.
        commissioning_party: Asks before any Certificate ID is notified.
        xml: XML-signing certificates: party -> DER.
        store: Certificates of all parties.
        authorities: Issuers of certificates that it takes.
    """

    key: XmlKey = field(repr=False)
    dsp: Eui64
    commissioning_party: Eui64
    xml: Mapping[Eui64, bytes] = field(repr=False)
    store: KeyStore = field(repr=False)
    authorities: tuple[Certificate, ...] = field(default=(), repr=False)
