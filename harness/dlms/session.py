"""One standing association: what was agreed, and how its APDUs are protected and checked."""

from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms import acse_release, apdu_exception, initiate
from emulator.codecs.dlms.acse import ApplicationContext
from emulator.codecs.dlms.acse_release import ReleaseReason, ReleaseRequest
from emulator.codecs.dlms.apdu_ciphered import BOTH, TITLE_BYTES, Form
from emulator.codecs.dlms.initiate import Conformance, InitiateRequest
from emulator.core.errors import MalformedFrameError
from emulator.crypto.dlms_cipher import TAG_BYTES
from emulator.crypto.dlms_keys import InvocationCounters
from emulator.crypto.dlms_security import Refused, SecurityContext
from harness.dlms import words
from harness.meter import Credentials, Silence, Unanswered

#: Tag, length, security control and counter around a ciphered APDU, and its authentication tag.
_SERVICE_OVERHEAD_BYTES: Final = 1 + 3 + 5 + TAG_BYTES
_GENERAL_OVERHEAD_BYTES: Final = _SERVICE_OVERHEAD_BYTES + 1 + TITLE_BYTES
#: The forms that use the key of one association alone, and the form of their initiate request.
_GLOBAL: Final = {
    Form.SERVICE_DEDICATED: Form.SERVICE_GLOBAL,
    Form.GENERAL_DEDICATED: Form.GENERAL_GLOBAL,
}
_UNKNOWN_TITLE: Final = bytes(TITLE_BYTES)
_EXCEPTION: Final = bytes((apdu_exception.TAG,))
_ERROR: Final = bytes((initiate.ERROR_TAG,))


def protection_of(
    credentials: Credentials, counters: InvocationCounters, dedicated: bytes | None
) -> SecurityContext | None:
    """Return the protection of an association with those credentials; None where it is plain.

    The meter's title is not known before its answer.

    Raises:
        ValueError: They hold no keys, no title of eight octets or no suite of ours.
    """
    if credentials.form is Form.PLAIN:
        return None
    if credentials.keys is None:
        raise ValueError(f"{credentials.name} ciphers, and has no keys")
    return SecurityContext(
        credentials.keys,
        counters,
        own_title=credentials.title,
        peer_title=_UNKNOWN_TITLE,
        suite=credentials.suite,
        required=BOTH,
        dedicated_key=dedicated,
        takes_plain_exceptions=True,
    )


@dataclass(slots=True)
class Session:
    """An association, from its request on.

    Attributes:
        credentials: Who associates.
        protection: Of its APDUs; None where they are plain.
        offered: The services offered.
        conformance: The services agreed; none before the meter's answer.
        max_pdu_bytes: Longest APDU the meter takes; 0 is no limit.
    """

    credentials: Credentials
    protection: SecurityContext | None = field(repr=False)
    offered: Conformance
    conformance: Conformance = field(default_factory=lambda: Conformance(0))
    max_pdu_bytes: int = 0

    @property
    def context(self) -> ApplicationContext:
        """Application context the credentials ask for."""
        plain = self.protection is None
        return ApplicationContext.LN if plain else ApplicationContext.LN_CIPHERED

    @property
    def room_bytes(self) -> int:
        """Longest plain APDU that the meter takes once it is protected; 0 is no limit."""
        if self.max_pdu_bytes == 0 or self.protection is None:
            return self.max_pdu_bytes
        general = self.credentials.form.general
        over = _GENERAL_OVERHEAD_BYTES if general else _SERVICE_OVERHEAD_BYTES
        return max(1, self.max_pdu_bytes - over)

    def initiate(self, dedicated: bytes | None = None) -> bytes:
        """Return the initiate request, under the global keys where the session ciphers."""
        limit = self.credentials.max_pdu_bytes
        plain = initiate.encode_request(InitiateRequest(self.offered, limit, dedicated))
        if self.protection is None:
            return plain
        form = self.credentials.form
        return self.protection.seal(plain, _GLOBAL.get(form, form))

    def release_request(self) -> bytes:
        """Return the RLRQ that ends the association; it proves who ends a ciphered one."""
        information = None if self.protection is None else self.initiate()
        return acse_release.encode_request(ReleaseRequest(ReleaseReason.NORMAL, information))

    def seal(self, plain: bytes) -> bytes:
        """Return an APDU as it goes to the meter."""
        if self.protection is None:
            return plain
        return self.protection.seal(plain, self.credentials.form)

    def open(self, apdu: bytes) -> bytes | Unanswered:
        """Return the plain answer in an APDU of the meter, or why there is none.

        An exception response is no answer, and neither is one whose protection does not hold; a
        malformed one is not either.
        """
        plain = self._unprotected(apdu)
        if isinstance(plain, Unanswered):
            return plain
        try:
            first = plain[:1]
            if first == _EXCEPTION:
                detail = words.of_exception(apdu_exception.decode(plain))
                return Unanswered(Silence.EXCEPTION, detail, apdu)
            if first == _ERROR:
                detail = words.of_service_error(initiate.decode_error(plain))
                return Unanswered(Silence.EXCEPTION, detail, apdu)
        except MalformedFrameError as error:
            return malformed(error, apdu)
        return plain

    def _unprotected(self, apdu: bytes) -> bytes | Unanswered:
        if self.protection is None:
            return apdu
        try:
            opened = self.protection.open(apdu)
        except MalformedFrameError as error:
            return malformed(error, apdu)
        if isinstance(opened, Refused):
            reason = opened.reason.replace("_", " ")
            return Unanswered(Silence.NOT_AUTHENTIC, f"{reason}: {opened.detail}", apdu)
        return opened.plain


def malformed(error: MalformedFrameError, apdu: bytes) -> Unanswered:
    """Return what an answer that does not follow its format comes to."""
    at = f" at octet {error.offset}" if error.offset >= 0 else ""
    return Unanswered(Silence.BROKEN, f"{error.layer}: {error.why}{at}", apdu)
