"""Associations of a device: who is let in, or refused with which diagnostic, and let out again."""

from device_profiles.dlms import AssociationSection, DlmsSection
from emulator.codecs.dlms import acse, acse_release, initiate
from emulator.codecs.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    AssociationResult,
    UserDiagnostic,
)
from emulator.codecs.dlms.acse_release import ReleaseReason, ReleaseRequest, ReleaseResponse
from emulator.codecs.dlms.initiate import (
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)
from emulator.core.chance import Stream
from emulator.core.effects import DlmsChannel
from emulator.core.errors import MalformedFrameError
from emulator.devices.smets1.admission import (
    RESPONSE_NOT_ALLOWED,
    Admission,
    AdmissionChecks,
    Rejection,
)
from emulator.devices.smets1.association import HLS, Association, context_of, mechanism_of
from emulator.devices.smets1.exceptions import Refusal, malformed
from emulator.devices.smets1.hls import CHALLENGE_BYTES
from emulator.devices.smets1.security import (
    ChannelSecurity,
    DeviceSecurity,
)


class AssociationServer(AdmissionChecks):
    """The door of a device: its clients, and the associations that stand.

    A granted request replaces the association that its channel had; a refused one leaves it.

    Attributes:
        sections: What the profile says of each client, by service access point.
        chance: Where challenges come from.

    Source:
        inferred: on a request for an association that stands already.
    """

    def __init__(self, settings: DlmsSection, security: DeviceSecurity, chance: Stream) -> None:
        super().__init__(settings, security)
        self.sections = {section.client: section for section in settings.associations}
        self.chance = chance

    # -- AARQ ----------------------------------------------------------------------------------

    def admit(self, channel: DlmsChannel, request: AssociationRequest) -> Admission | Rejection:
        """Grant an association, or say why not; only a granted one changes anything."""
        section = self.sections.get(channel.client)
        if section is None or channel.server != self.settings.logical_device:
            detail = f"client {channel.client} of logical device {channel.server}"
            return Rejection("unknown_client", detail)
        refused = (
            self.refuse_context(section, request)
            or self.refuse_mechanism(section, request)
            or self.refuse_proof(section, request)
            or self.refuse_crowd(channel)
        )
        if refused is not None:
            return refused
        title = request.title or b""
        keys = self.security.keys
        security = ChannelSecurity(self.security, title, keys) if section.ciphered else None
        read = self.read_initiate(request, security)
        if isinstance(read, Rejection):
            return read
        opened, offer = read
        refused = self.refuse_offer(section, offer)
        if refused is not None:
            return refused
        association = self.begin(channel, section, request, offer, security)
        return Admission(association, opened, offer.response_allowed == RESPONSE_NOT_ALLOWED)

    def begin(
        self,
        channel: DlmsChannel,
        section: AssociationSection,
        request: AssociationRequest,
        offer: InitiateRequest,
        security: ChannelSecurity | None,
    ) -> Association:
        """Let a client in; one with HLS still has to reply to our challenge."""
        hls = section.authentication in HLS
        value = None if request.authentication is None else request.authentication.value
        if security is not None and offer.dedicated_key is not None:
            security.dedicate(offer.dedicated_key)
        association = Association(
            channel,
            section,
            offer.conformance & self.offered,
            offer.max_pdu_bytes,
            self.settings.max_pdu_bytes,
            self.security.keys,
            (request.title or b"") if hls else b"",
            security,
            pending=hls,
            own_challenge=self.draw_challenge(section) if hls else b"",
            client_challenge=(value or b"") if hls else b"",
        )
        self.standing[channel] = association
        return association

    def draw_challenge(self, section: AssociationSection) -> bytes:
        """Return a fresh challenge to a client."""
        return self.chance.octets(CHALLENGE_BYTES[section.authentication])

    # -- AARE ----------------------------------------------------------------------------------

    def acceptance(self, admission: Admission) -> bytes:
        """Return the AARE of a granted association.

        Source:
            reference serial-dlms.md 3.2: HLS is result 0 with diagnostic 14 and our challenge.
        """
        held = admission.association
        granted = initiate.encode_response(
            InitiateResponse(held.conformance, held.server_pdu_bytes)
        )
        mechanism = mechanism_of(held.section)
        response = AssociationResponse(
            context_of(held.section),
            AssociationResult.ACCEPTED,
            diagnostic=(
                UserDiagnostic.AUTHENTICATION_REQUIRED if held.pending else UserDiagnostic.NULL
            ),
            user_information=held.seal(granted, admission.opened),
            title=self.security.server_title if held.title else None,
            authentication=(
                acse.Authentication(mechanism, held.own_challenge) if held.pending else None
            ),
        )
        return acse.encode_response(response)

    def rejection(self, channel: DlmsChannel, request: AssociationRequest, why: Rejection) -> bytes:
        """Return the AARE of a refused association, with the context that would have done.

        Source:
            IEC 62056-5-3; that the service error goes unprotected: inferred, no association
            stands that could protect it.
        """
        section = self.sections.get(channel.client)
        error = None
        if why.error is not None:
            error = initiate.encode_error(ConfirmedServiceError(why.error))
        response = AssociationResponse(
            request.context if section is None else context_of(section),
            why.result,
            why.source,
            why.diagnostic,
            error,
        )
        return acse.encode_response(response)

    # -- RLRQ ----------------------------------------------------------------------------------

    def release(self, held: Association, request: ReleaseRequest) -> bytes | Refusal:
        """Return the RLRE to a release, or why the association stays.

        Source:
            IEC 62056-5-3 RLRQ: a ciphered association may be released with its initiate request
            under protection, which must then hold, and is answered in kind; that one without user
            information is honoured too: inferred, the client could drop its link as well.
        """
        if request.user_information is None:
            return acse_release.encode_response(ReleaseResponse(ReleaseReason.NORMAL))
        opened = held.open(request.user_information)
        if isinstance(opened, Refusal):
            return opened
        try:
            initiate.decode_request(opened.plain)
        except MalformedFrameError as error:
            return malformed(error)
        granted = initiate.encode_response(
            InitiateResponse(held.conformance, held.server_pdu_bytes)
        )
        information = held.seal(granted, opened)
        return acse_release.encode_response(ReleaseResponse(ReleaseReason.NORMAL, information))
