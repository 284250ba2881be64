"""General-signing and general-ciphering: protection between any two parties, by named keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulator.codecs.dlms import apdu_general
from emulator.codecs.dlms.apdu_ciphered import (
    BOTH,
    TITLE_BYTES,
    CipheredApdu,
    Form,
    Protection,
    SecurityControl,
)
from emulator.codecs.dlms.apdu_general import (
    GeneralCiphering,
    GeneralHeader,
    GeneralSigning,
)
from emulator.crypto import dlms_cipher
from emulator.crypto import signature as ecdsa
from emulator.crypto.dlms_general_keys import (
    GeneralKeys,
    GeneralRefusal,
    KeyChoice,
    OwnKeys,
    Party,
    Refused,
)
from emulator.crypto.dlms_keys import InvocationCounters


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed APDU whose signature holds."""

    header: GeneralHeader
    content: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A ciphered APDU that was unwrapped.

    Attributes:
        header: Who protected it for whom.
        plain: What was in it.
        choice: How it came by its key; answer in the same way.
        protection: What was done to it.
    """

    header: GeneralHeader
    plain: bytes
    choice: KeyChoice
    protection: Protection


class GeneralProtection:
    """One party's end of general protection.

    Compressed contents (V.44) are refused by name: no library at hand can do it.
    """

    def __init__(
        self,
        own: OwnKeys,
        parties: Mapping[bytes, Party],
        counters: InvocationCounters,
        draw: Callable[[int], bytes],
        suite: int = 1,
    ) -> None:
        """Make an end.

        Args:
            own: Own title and keys.
            parties: Others by their system titles; may grow or change at any time.
            counters: Invocation counters of all keys.
            draw: Gives octets of chance, for wrapped and ephemeral keys.
            suite: Security suite, 0 or 1; suite 0 has no key agreement and no signatures.
        """
        if suite not in {0, 1}:
            raise ValueError(f"security suite {suite} is neither 0 nor 1")
        if len(own.title) != TITLE_BYTES:
            raise ValueError("a system title has eight octets")
        self._keys = GeneralKeys(own, parties, draw, asymmetric=suite == 1)
        self._counters = counters
        self._suite = suite

    # Signatures.

    def sign(self, content: bytes, header: GeneralHeader) -> bytes:
        """Return ``content`` in a general-signing APDU.

        Raises:
            KeyNotHeldError: No private signature key is held, or the suite has none.
            ValueError: ``header`` names another originator, or a part is too long.
        """
        self._check_header(header)
        unsigned = GeneralSigning(header, content, b"")
        signature = ecdsa.sign(self._keys.signing_key(), unsigned.signed_octets())
        return apdu_general.encode_signing(GeneralSigning(header, content, signature))

    def verify(self, data: bytes) -> Signed | Refused:
        """Check one general-signing APDU.

        Raises:
            MalformedFrameError: Layer ``dlms.general_signing``.
        """
        apdu = apdu_general.decode_signing(data)
        party = self._sender(apdu.header)
        if isinstance(party, Refused):
            return party
        point = self._keys.verification_key(party)
        if point is None:
            return Refused(GeneralRefusal.KEY_NOT_HELD, "no public signature key of the originator")
        if not ecdsa.verify(point, apdu.signed_octets(), apdu.signature):
            return Refused(GeneralRefusal.WRONG_SIGNATURE, "the signature does not hold")
        return Signed(apdu.header, apdu.content)

    # Ciphering.

    def seal(
        self, plain: bytes, header: GeneralHeader, choice: KeyChoice, protection: Protection = BOTH
    ) -> bytes:
        """Return ``plain`` in a general-ciphering APDU.

        Raises:
            CounterExhaustedError: The key's counter is at its end.
            KeyNotHeldError: A key that ``choice`` needs is not held, or the suite has none.
            ValueError: ``header`` names another originator, there is no APDU, or ``protection``
                would not authenticate it.
        """
        self._check_header(header)
        if not plain or not protection & Protection.AUTHENTICATED:
            raise ValueError("there is no APDU to seal, or nothing would authenticate it")
        key, key_info = self._keys.to_send(header, choice)
        control = SecurityControl(self._suite, protection)
        counter = self._counters.draw(key, header.originator)
        iv = dlms_cipher.nonce(header.originator, counter)
        content = dlms_cipher.protect(key, self._associated(header), iv, control, plain)
        apdu = GeneralCiphering(header, key_info, control, counter, content)
        return apdu_general.encode_ciphering(apdu)

    def open(self, data: bytes) -> Opened | Refused:
        """Check and unwrap one general-ciphering APDU.

        Raises:
            MalformedFrameError: Layer ``dlms.general_ciphering``.

        Source:
            IEC 62056-5-3 general-ciphering. That the five parts of the header are authenticated
            with their lengths: as GBCS does it (429 RTDS messages, no authentication key there);
            that the authentication key stands between the control octet and them: DLMS Green Book,
            whose printed tag of the one-pass example could not be reproduced.
        """
        apdu = apdu_general.decode_ciphering(data)
        party = self._sender(apdu.header)
        if isinstance(party, Refused):
            return party
        return self._refusal_of_control(apdu.control) or self._unwrapped(apdu, party)

    def _refusal_of_control(self, control: SecurityControl) -> Refused | None:
        if control.suite != self._suite:
            detail = f"suite {control.suite}, not {self._suite}"
            return Refused(GeneralRefusal.WRONG_SUITE, detail)
        if control.compressed:
            return Refused(GeneralRefusal.COMPRESSED, "compression (V.44) is not supported")
        if control.broadcast:
            return Refused(GeneralRefusal.WRONG_CONTROL, "the key-set bit has no meaning here")
        if not control.protection & Protection.AUTHENTICATED:
            return Refused(GeneralRefusal.NOT_PROTECTED, f"{control.protection!r} proves nothing")
        return None

    def _unwrapped(self, apdu: GeneralCiphering, party: Party) -> Opened | Refused:
        found = self._keys.received(apdu.header, apdu.key_info, party)
        if isinstance(found, Refused):
            return found
        key, choice = found
        originator = apdu.header.originator
        frame = CipheredApdu(
            Form.GENERAL_GLOBAL, None, originator, apdu.control, apdu.counter, apdu.content
        )
        plain = dlms_cipher.unprotect(key, self._associated(apdu.header), originator, frame)
        if not plain:
            return Refused(GeneralRefusal.NOT_AUTHENTIC, "the authentication tag is wrong")
        expected = self._counters.expected(key, originator)
        if not self._counters.accept(key, originator, apdu.counter):
            detail = f"invocation counter {apdu.counter}, at least {expected} is due"
            return Refused(GeneralRefusal.COUNTER_NOT_RISING, detail)
        return Opened(apdu.header, plain, choice, apdu.control.protection)

    def _associated(self, header: GeneralHeader) -> bytes:
        """Return what is authenticated between the control octet and the APDU."""
        return self._keys.own.symmetric.authentication + header.encode()

    # Parts.

    def _check_header(self, header: GeneralHeader) -> None:
        if header.originator != self._keys.own.title:
            raise ValueError(f"originator {header.originator.hex()} is not this party")

    def _sender(self, header: GeneralHeader) -> Party | Refused:
        if header.recipient != self._keys.own.title:
            return Refused(GeneralRefusal.NOT_FOR_US, f"recipient {header.recipient.hex()}")
        if len(header.originator) != TITLE_BYTES or header.originator not in self._keys.parties:
            return Refused(GeneralRefusal.UNKNOWN_PARTY, f"originator {header.originator.hex()}")
        return self._keys.parties[header.originator]
