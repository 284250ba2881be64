"""Certificates and keys as fields: whose, for what, by whom, and which one checked a message."""

from emulator.codecs.gbcs.envelope import Envelope
from emulator.codecs.gbcs.use_cases import MessageRow
from emulator.core.clock import iso
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.keystore import KeyEntry, KeyUsage
from emulator.crypto.protection import KeyRing, mac_parties
from harness.gbcs_view.field import Field
from harness.gbcs_view.words import BY_TYPE

_USAGES = {KeyUsage.DS: "digital signature", KeyUsage.KA: "key agreement"}
#: Organisational unit of a certificate -> role. Source: reference gbcs.md section 2.
_UNITS = {1: "recovery", 2: "supplier", 3: "network operator", 4: "access control broker",
          5: "transitional CoS", 6: "WAN provider", 7: "issuing authority",
          8: "load controller"}  # fmt: skip


def certificate_fields(der: bytes) -> list[Field]:
    """Return a DER certificate; of other octets (a PKCS#10 request) the octets alone."""
    try:
        read = certificate.read(der)
    except MalformedFrameError:
        return [("DER octets", der.hex())]
    fields: list[tuple[str, str | None]] = [
        ("subject", str(read.eui64) if read.eui64 else "an authority"),
        ("role", None if read.role is None else _UNITS.get(read.role, f"unit {read.role:02X}")),
        ("key usage", None if read.usage is None else _USAGES.get(read.usage, str(read.usage))),
        ("key identifier", read.key_identifier.hex()),
        ("valid from", iso(read.not_before)),
        ("valid to", iso(read.not_after)),
        ("DER octets", der.hex()),
    ]
    return [(name, text) for name, text in fields if text is not None]


def role_word(role: int) -> str:
    """Return the word of a remote party role."""
    return BY_TYPE["role"].get(role, str(role))


def keys_used(env: Envelope, row: MessageRow, ring: KeyRing, acb: Eui64) -> list[Field]:
    """Return which keys a message's protections are checked with."""
    fields: list[Field] = []
    header = env.header
    if env.signature:
        entry = ring.keystore.find(header.originator, KeyUsage.DS)
        fields.append(("signature checked with", _key(entry, header.originator, KeyUsage.DS)))
    if env.mac is not None:
        one, other = mac_parties(header, row, acb=acb)
        for party in (one, other):
            entry = ring.keystore.find(party, KeyUsage.KA)
            fields.append(("MAC checked with", _key(entry, party, KeyUsage.KA)))
    return fields


def block_keys(env: Envelope, ring: KeyRing) -> list[Field]:
    """Return which keys the encrypted blocks of a message are opened with."""
    header = env.header
    party = header.other.supplementary_party or header.target
    return [
        ("decrypted with", _key(ring.keystore.find(who, KeyUsage.KA), who, KeyUsage.KA))
        for who in (header.originator, party)
    ]


def _key(entry: KeyEntry | None, party: Eui64, usage: KeyUsage) -> str:
    what = f"{_USAGES[usage]} key of {party}"
    if entry is None:
        return f"{what}: not held"
    held = "private key held" if entry.private_scalar is not None else "public key"
    if entry.certificate is None:
        return f"{what} ({held}, no certificate)"
    try:
        identifier = certificate.read(entry.certificate).key_identifier.hex()
    except MalformedFrameError:
        return f"{what} ({held}, an odd certificate)"
    return f"{what} ({held}, certificate with key identifier {identifier})"
