"""The last two passes of HLS: the client's reply to our challenge, and ours to its."""

from typing import Final

from device_profiles.dlms import Authentication
from emulator.crypto import dlms_authentication as gmac
from emulator.crypto import dlms_signature
from emulator.crypto.dlms_authentication import AuthenticationRefusal
from emulator.crypto.dlms_keys import CounterExhaustedError
from emulator.devices.smets1.association import Association
from emulator.devices.smets1.security import DeviceSecurity

#: Mechanism -> octets of our own challenge. Source: reference serial-dlms.md 3.2 (16); 32 the least
#: that ECDSA allows.
CHALLENGE_BYTES: Final = {Authentication.HLS_GMAC: 16, Authentication.HLS_ECDSA: 32}


def challenge_refusal(how: Authentication, challenge: bytes | None) -> AuthenticationRefusal | None:
    """Say why a client's challenge will not do for this mechanism, or None."""
    if how is Authentication.HLS_ECDSA:
        return dlms_signature.challenge_refusal(challenge)
    return gmac.challenge_refusal(challenge)


class HlsProof:
    """The session of one request, as the association object may use it."""

    def __init__(self, association: Association, security: DeviceSecurity) -> None:
        self._association = association
        self._security = security

    def reply_to_hls(self, reply: bytes) -> bytes | None:
        """Check the client's reply; return ours, or None, and then the association ends.

        Source:
            IEC 62056-5-3 HLS; that a wrong reply ends the association: inferred, its challenge
            must not be tried twice.
        """
        held = self._association
        if not held.pending:
            return None
        ecdsa = held.section.authentication is Authentication.HLS_ECDSA
        answer = self.signed(held, reply) if ecdsa else self.proven(held, reply)
        if answer is None:
            held.failed = True
            return None
        held.pending = False
        self._security.remember(held.title)
        return answer

    def proven(self, held: Association, reply: bytes) -> bytes | None:
        """Return our reply by GMAC if the client's is right, else None."""
        suite = self._security.suite
        if gmac.hls_refusal(
            held.keys, title=held.title, challenge=held.own_challenge, reply=reply, suite=suite
        ):
            return None
        try:
            return gmac.hls_reply(
                held.keys,
                self._security.counters,
                title=self._security.server_title,
                challenge=held.client_challenge,
                suite=suite,
            )
        except CounterExhaustedError:
            return None

    def signed(self, held: Association, reply: bytes) -> bytes | None:
        """Return our reply by ECDSA if the client's is right, else None."""
        keys, title = self._security.signing, self._security.server_title
        if keys is None:
            return None
        if dlms_signature.hls_refusal(
            keys.client_point,
            title=held.title,
            own=title,
            sent=held.own_challenge,
            received=held.client_challenge,
            reply=reply,
        ):
            return None
        return dlms_signature.hls_reply(
            keys.server,
            title=title,
            peer=held.title,
            received=held.client_challenge,
            sent=held.own_challenge,
        )
