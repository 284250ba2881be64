"""Who may associate: every check of an association request, each with its diagnostic."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from device_profiles.dlms import AssociationSection, Authentication, DlmsSection
from emulator.codecs.dlms import initiate
from emulator.codecs.dlms.acse import (
    AssociationRequest,
    AssociationResult,
    DiagnosticSource,
    Mechanism,
    ProviderDiagnostic,
    UserDiagnostic,
)
from emulator.codecs.dlms.apdu_ciphered import TITLE_BYTES, Form, Protection
from emulator.codecs.dlms.initiate import (
    DLMS_VERSION,
    Conformance,
    InitiateError,
    InitiateRequest,
)
from emulator.core.effects import DlmsChannel
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick
from emulator.crypto import dlms_authentication as authentication
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_security import Opened, Refused
from emulator.devices.smets1.association import HLS, Association, context_of, mechanism_of
from emulator.devices.smets1.hls import challenge_refusal
from emulator.devices.smets1.security import (
    GENERAL_OVERHEAD_BYTES,
    ChannelSecurity,
    DeviceSecurity,
)

#: Shortest APDU that a client may say it takes. Source: known (Green Book).
LEAST_PDU_BYTES: Final = 12
#: Octet of an initiate request that asks for no answer.
RESPONSE_NOT_ALLOWED: Final = 0


@quick
@dataclass(frozen=True, slots=True)
class Rejection:
    """An association request that is refused; nothing of the device has changed.

    Attributes:
        reason: One word for the audit trail.
        detail: The same with its values, for people; never a secret.
        diagnostic: Its number, of ``source``.
        source: Who gives the diagnostic.
        result: Permanent or transient.
        error: What is wrong with the initiate request; None when it is not at fault.
        silent: Whether the client asked for no answer.
    """

    reason: str
    detail: str = ""
    diagnostic: int = UserDiagnostic.NO_REASON_GIVEN
    source: DiagnosticSource = DiagnosticSource.SERVICE_USER
    result: AssociationResult = AssociationResult.REJECTED_PERMANENT
    error: InitiateError | None = None
    silent: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Admission:
    """An association request that is granted.

    Attributes:
        association: What stands now.
        opened: How its initiate request came; the answer goes the same way.
        silent: Whether the client asked for no answer.
    """

    association: Association
    opened: Opened
    silent: bool = False


class AdmissionChecks:
    """The checks of one device; a refusal leaves everything as it was.

    Attributes:
        settings: The profile's section.
        security: Keys, secrets and counters of the device.
        standing: Association of each channel.
        offered: Services the device has.
    """

    def __init__(self, settings: DlmsSection, security: DeviceSecurity) -> None:
        self.settings = settings
        self.security = security
        self.standing: dict[DlmsChannel, Association] = {}
        self.offered = _services(tuple(settings.conformance))

    def refuse_context(
        self, section: AssociationSection, request: AssociationRequest
    ) -> Rejection | None:
        """Say what is wrong with version or application context, or None."""
        if not request.speaks_version_1:
            return Rejection(
                "no_common_version",
                diagnostic=ProviderDiagnostic.NO_COMMON_VERSION,
                source=DiagnosticSource.SERVICE_PROVIDER,
            )
        due = context_of(section)
        if request.context == due:
            return None
        detail = f"context {request.context}, {int(due)} is due"
        return Rejection("wrong_context", detail, UserDiagnostic.CONTEXT_NOT_SUPPORTED)

    def refuse_mechanism(
        self, section: AssociationSection, request: AssociationRequest
    ) -> Rejection | None:
        """Say what is wrong with the authentication mechanism, or None.

        Source:
            reference serial-dlms.md 3.2 (11); 12 for a mechanism that is missing: known.
        """
        due, given = mechanism_of(section), request.authentication
        asked = Mechanism.NONE if given is None else given.mechanism
        unsigned = due is Mechanism.HLS_ECDSA and self.security.signing is None
        if asked == due and not unsigned:
            return None
        detail = f"mechanism {int(asked)}, {int(due)} is due"
        if given is None:
            return Rejection("mechanism_required", detail, UserDiagnostic.MECHANISM_REQUIRED)
        return Rejection("wrong_mechanism", detail, UserDiagnostic.MECHANISM_NOT_RECOGNISED)

    def refuse_proof(
        self, section: AssociationSection, request: AssociationRequest
    ) -> Rejection | None:
        """Say what is wrong with the secret, or with title and challenge, or None."""
        value = None if request.authentication is None else request.authentication.value
        if section.authentication is Authentication.LLS:
            held = self.security.secret(section.name) or b""
            if authentication.lls_matches(held, value):
                return None
            return Rejection("wrong_secret", "", UserDiagnostic.AUTHENTICATION_FAILURE)
        if section.authentication not in HLS:
            return None
        title = request.title or b""
        if len(title) != TITLE_BYTES or title == self.security.server_title:
            detail = f"calling title {title.hex() or 'is missing'}"
            return Rejection("wrong_title", detail, UserDiagnostic.CALLING_TITLE_NOT_RECOGNISED)
        wrong = challenge_refusal(section.authentication, value)
        if wrong is None:
            return None
        return Rejection(wrong.value, "", UserDiagnostic.AUTHENTICATION_FAILURE)

    def refuse_crowd(self, channel: DlmsChannel) -> Rejection | None:
        """Say that as many clients are associated as the device takes, or None.

        Source:
            invented: ``hdlc.max_links`` holds for each kind of line (``optical``, ``tcp``).
        """
        kind = _kind(channel)
        others = [held for held in self.standing if held != channel and _kind(held) == kind]
        if len(others) < self.settings.hdlc.max_links:
            return None
        detail = f"{len(others)} clients on {kind}"
        return Rejection("too_many", detail, result=AssociationResult.REJECTED_TRANSIENT)

    def read_initiate(
        self, request: AssociationRequest, security: ChannelSecurity | None
    ) -> tuple[Opened, InitiateRequest] | Rejection:
        """Return the initiate request and how it came, or why it cannot be had.

        Source:
            inferred: an initiate request whose protection is missing or wrong is an
            authentication failure (13); one that cannot be read an initiate error "other".
        """
        information = request.user_information
        if information is None:
            return Rejection("no_initiate")
        opened = self.open_initiate(information, security)
        if isinstance(opened, Rejection):
            return opened
        try:
            return opened, initiate.decode_request(opened.plain)
        except MalformedFrameError as error:
            return Rejection("malformed_initiate", error.why, error=InitiateError.OTHER)

    def open_initiate(
        self, information: bytes, security: ChannelSecurity | None
    ) -> Opened | Rejection:
        """Return the plain initiate request of an association, or why it cannot be had."""
        if security is None:
            return Opened(information, Form.PLAIN, Protection.NONE)
        failure = UserDiagnostic.AUTHENTICATION_FAILURE
        if not security.can_answer():
            return Rejection("counter_exhausted", "", failure)
        try:
            opened = security.open(information)
        except MalformedFrameError as error:
            return Rejection("malformed_initiate", error.why, failure)
        if isinstance(opened, Refused):
            return Rejection(opened.reason.value, opened.detail, failure)
        return opened

    def refuse_offer(self, section: AssociationSection, offer: InitiateRequest) -> Rejection | None:
        """Say what is wrong with what the client offers, or None.

        Source:
            IEC 62056-5-3 ServiceError initiate; a dedicated key of a wrong length is "other", and
            a client that must be challenged cannot forgo the answer: inferred.
        """
        silent = offer.response_allowed == RESPONSE_NOT_ALLOWED
        least = LEAST_PDU_BYTES + (GENERAL_OVERHEAD_BYTES if section.ciphered else 0)
        detail, error = "", None
        if offer.version < DLMS_VERSION:
            detail, error = f"version {offer.version}", InitiateError.DLMS_VERSION_TOO_LOW
        elif 0 < offer.max_pdu_bytes < least:
            detail = f"{offer.max_pdu_bytes} octets, {least} are the least"
            error = InitiateError.PDU_SIZE_TOO_SHORT
        elif not offer.conformance & self.offered:
            detail, error = "no service in common", InitiateError.INCOMPATIBLE_CONFORMANCE
        elif section.ciphered and len(offer.dedicated_key or bytes(KEY_BYTES)) != KEY_BYTES:
            detail, error = "length of the dedicated key", InitiateError.OTHER
        elif silent and section.authentication in HLS:
            detail, error = "HLS without an answer", InitiateError.OTHER
        if error is None:
            return None
        return Rejection(error.name.lower(), detail, error=error, silent=silent)


@lru_cache(maxsize=64)  # of a few profiles, and flags are slow to reckon with
def _services(names: tuple[str, ...]) -> Conformance:
    offered = Conformance(0)
    for name in names:
        offered |= Conformance[name.upper().replace("-", "_")]
    return offered


def _kind(channel: DlmsChannel) -> str:
    return channel.line.partition(":")[0]
