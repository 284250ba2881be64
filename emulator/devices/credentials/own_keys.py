"""Use cases on a device's own keys: CS02c makes one, CS02d certifies it, CS02e shows it."""

import enum
from typing import TYPE_CHECKING, Any, Final

from device_profiles.words import RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.gbcs.credentials import DIGITAL_SIGNATURE, KEY_AGREEMENT
from emulator.codecs.gbcs.signing_request import request_info, signed_request
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.crypto import certificate, signature
from emulator.crypto.certificate import Certificate
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.devices.asn1_commands import node_of
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.credentials.places import USAGES
from emulator.devices.credentials.trust import OwnKey
from emulator.devices.handlers import Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.base import Device

C, R = MessageCode, RemoteParty
_OWNERS: Final = frozenset({R.SUPPLIER, R.ACCESS_CONTROL_BROKER})
_BITS: Final = {KeyUsage.DS: DIGITAL_SIGNATURE, KeyUsage.KA: KEY_AGREEMENT}
#: Identifier of the hardware type of a device whose certificates say none: 2.999.2, an arc for
#: examples. Source: invented.
_HARDWARE_TYPE: Final = bytes.fromhex("883702")
#: What stands before the hardware module name in a certificate (1.3.6.1.5.5.7.8.4).
_MODULE_NAME: Final = bytes.fromhex("06082b06010505070804")
#: Use -> event codes (failed, succeeded). Source: NP (alert codes).
_EVENTS: Final = {KeyUsage.DS: (0x8F4C, 0x8F4D), KeyUsage.KA: (0x8F4E, 0x8F4F)}


class CertificateCode(enum.IntEnum):
    """What came of a certificate for the device's own key (CS02d). Source: NP."""

    SUCCESS = 0
    INVALID_CERTIFICATE = 1
    WRONG_IDENTITY = 2
    INVALID_USAGE = 3
    NO_KEY_PAIR = 4
    WRONG_PUBLIC_KEY = 5
    STORAGE_FAILED = 6
    KEY_CHANGE_FAILED = 7


#: CS02c and CS02e: a usage that is none; CS02e: no certificate. Source: NP.
_INVALID_USAGE: Final = 1
_NO_CERTIFICATE: Final = 2


def enter(table: "HandlerTable[Any]") -> None:
    """Enter these use cases, which every device with keys has.

    Source:
        The supplier: RTDS 4.5.0; the ACB, for devices that have no supplier's place: inferred.
    """
    table.handles(C.CS02C, by=_OWNERS)(make_key)
    table.handles(C.CS02D, by=_OWNERS)(take_certificate)
    table.handles(C.CS02E, by=_OWNERS)(show_certificate)


def _asked_usage(command: Command) -> KeyUsage | None:
    """Return the use that a command names; None where there is no such use.

    Raises:
        CommandRefusedError: It names none.
    """
    node = command.value
    parts = node.content if isinstance(node, Node) else b""
    if not isinstance(parts, tuple) or len(parts) != 1 or parts[0].tag != Tag.BIT_STRING:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "no key usage")
    bits = parts[0].content
    return USAGES.get(bits) if isinstance(bits, bytes) else None


def make_key(device: "Device", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS02c: make a new key and ask for a certificate for it; the old one stays in use."""
    usage = _asked_usage(command)
    if usage is None:
        return Answer(der.integer(_INVALID_USAGE))
    scalar = device.trust.new_key(device.eui64, usage)
    point = signature.point_of(scalar)
    info = request_info(point, _BITS[usage], device.eui64, _hardware_type(device))
    return Answer(signed_request(info, signature.sign(scalar, der.encode(info))))


def _hardware_type(device: "Device") -> bytes:
    """Return the hardware type that the device's certificates name, as identifier octets."""
    entries = [device.ring.keystore.find(device.eui64, usage) for usage in _BITS]
    for entry in entries:
        held = b"" if entry is None or entry.certificate is None else entry.certificate
        _, found, rest = held.partition(_MODULE_NAME)
        if found:
            module = der.decode(rest[: 2 + rest[1]])
            [name] = module.content if isinstance(module.content, tuple) else ()
            kind = name.content[0].content if isinstance(name.content, tuple) else b""
            return kind if isinstance(kind, bytes) else _HARDWARE_TYPE
    return _HARDWARE_TYPE


def show_certificate(device: "Device", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS02e: show the certificate of the key in use."""
    usage = _asked_usage(command)
    if usage is None:
        return Answer(der.integer(_INVALID_USAGE))
    entry = device.ring.keystore.find(device.eui64, usage)
    if entry is None or entry.certificate is None:
        return Answer(der.integer(_NO_CERTIFICATE))
    return Answer(der.decode(entry.certificate))


def take_certificate(device: "Device", command: Command, now: UtcMs) -> Answer:
    """CS02d: take the certificate of the key made last, and use that key from now on.

    A certificate anew for the key in use is taken, too. The response is signed with the new key
    (inferred: the certificate came to whoever asks for it first).
    """
    octets = der.encode(node_of(command))
    try:
        found = certificate.read(octets)
    except MalformedFrameError:
        return Answer(der.integer(CertificateCode.INVALID_CERTIFICATE))
    code = _take(device, found, octets)
    if found.usage not in _EVENTS:
        return Answer(der.integer(code))
    event = _EVENTS[found.usage][code is CertificateCode.SUCCESS]
    noted = device.log(event, code.name.lower(), now, security=True)
    return Answer(der.integer(code), after=(noted,))


def _take(device: "Device", found: Certificate, octets: bytes) -> CertificateCode:
    if found.eui64 != device.eui64:
        return CertificateCode.WRONG_IDENTITY
    if found.usage not in _BITS:
        return CertificateCode.INVALID_USAGE
    draft = device.trust.drafts.get(found.usage)
    if draft is not None and signature.point_of(draft) == found.public_point:
        device.trust.own[found.usage] = OwnKey(draft, octets)
        del device.trust.drafts[found.usage]
        _put(device, found.usage, draft, octets)
        return CertificateCode.SUCCESS
    held = device.ring.keystore.find(device.eui64, found.usage)
    if held is not None and found.public_point in _points(held):
        return CertificateCode.SUCCESS
    if draft is None:
        return CertificateCode.NO_KEY_PAIR
    return CertificateCode.WRONG_PUBLIC_KEY


def _points(held: KeyEntry) -> set[bytes]:
    shown = set() if held.certificate is None else {certificate.public_point(held.certificate)}
    return {held.public_point, *shown}


def _put(device: "Device", usage: KeyUsage, scalar: int, octets: bytes) -> None:
    point = signature.point_of(scalar)
    entry = KeyEntry(device.eui64, usage, False, point, scalar, octets)
    device.take_ring(KeyRing(device.ring.keystore.merged(KeyStore([entry]))))
