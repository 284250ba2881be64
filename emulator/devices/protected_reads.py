"""Encrypting sensitive answers for whoever asked, known to the device or not."""

from collections.abc import Callable
from dataclasses import replace

from emulator.core.errors import KeyNotHeldError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing, encrypt_block
from emulator.devices.access_engine import AccessFailedError
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.replies import ReplyTo


def reply_to_reader(command: Command, counter: int) -> ReplyTo:
    """Return what the response to a protected read repeats.

    Args:
        command: The command.
        counter: The device's own next counter; only a party that it does not know needs it.

    Source:
        RTDS 4.5.0 ECS21b URP: 26 octets of other information.
    """
    reply = ReplyTo.of(command)
    if command.header.other.certificate is None:
        return reply
    return replace(reply, originator_counter=counter)


def protector(
    command: Command, reply: ReplyTo, device: Eui64, ring: KeyRing
) -> Callable[[bytes], bytes]:
    """Return what encrypts plain text for the reader.

    Raises:
        CommandRefusedError: The certificate in the command cannot be read. What is returned raises
            AccessFailedError where no key of the reader is held.
    """
    other = command.header.other
    party = other.supplementary_party
    if other.certificate is not None and party is not None:
        ring = _with_party(ring, party, other.certificate)
    header = reply.header(device, b"")

    def protect(plain: bytes) -> bytes:
        try:
            return encrypt_block(plain, header, ring)
        except KeyNotHeldError:
            raise AccessFailedError from None

    return protect


def _with_party(ring: KeyRing, party: Eui64, der: bytes) -> KeyRing:
    """Return the ring with the key of a certificate; the device forgets it afterwards."""
    try:
        point = certificate.public_point(der)
    except MalformedFrameError as error:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, str(error)) from None
    held = ring.keystore.find(party, KeyUsage.KA)
    if held is not None and held.public_point == point:
        return ring
    entry = KeyEntry(party, KeyUsage.KA, False, point)
    own = [e for e in ring.keystore.entries() if e.private_scalar is not None]
    return KeyRing(KeyStore([*[e for e in own if e.eui64 != party], entry]))
