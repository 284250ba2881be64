"""How a client gets in: AARQ, AARE, and passes 3 and 4 of the high-level mechanisms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms import acse, apdu_action, apdu_exception, axdr, initiate
from emulator.codecs.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    AssociationResult,
    Authentication,
    Mechanism,
    UserDiagnostic,
)
from emulator.codecs.dlms.apdu_action import ActionRequest, ActionResponse
from emulator.codecs.dlms.apdu_ciphered import TITLE_BYTES, Form
from emulator.codecs.dlms.apdu_parts import ActionResult, Descriptor, GetResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.initiate import Conformance, InitiateResponse
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_keys import InvocationCounters
from harness.dlms import words
from harness.dlms.dialogue import is_answer_to
from harness.dlms.proof import Exchange, Proof, Signing, proof_of
from harness.dlms.session import Session, malformed, protection_of
from harness.meter import Association, Credentials, Silence, Unanswered

#: The association object's "reply to HLS authentication": class 15, 0-0:40.0.0.255, method 1.
REPLY_TO_HLS: Final = Descriptor(15, bytes((0, 0, 40, 0, 0, 255)), 1)

Draw = Callable[[int], bytes]


@quick
@dataclass(frozen=True, slots=True)
class Client:
    """What one client has, whomever it presents itself as.

    Attributes:
        offered: Services it offers.
        counters: Invocation counters of all its associations.
        draw: Chance, for challenges and dedicated keys.
        invoke: Gives the next invoke-id-and-priority.
    """

    offered: Conformance
    counters: InvocationCounters = field(repr=False)
    draw: Draw = field(repr=False)
    invoke: Callable[[], int] = field(repr=False)


class Joining:
    """One attempt to associate: begin, then hand over each answer until an ``Association`` comes.

    Attributes:
        session: The session that stands once the association is accepted.
    """

    def __init__(
        self, credentials: Credentials, client: Client, signing: Signing | None = None
    ) -> None:
        """Take the credentials.

        Args:
            credentials: Who associates.
            client: What this client offers, remembers and draws.
            signing: Signature keys, for mechanism 7 alone.

        Raises:
            ValueError: The credentials lack what they need: a secret, keys or a title.
        """
        self._proof = proof_of(credentials, client.counters, signing)
        _refuse_lacking_title(credentials, self._proof)
        self._credentials = credentials
        self._invoke = client.invoke
        self._challenge = b"" if self._proof is None else client.draw(self._proof.challenge_bytes)
        self._dedicated = client.draw(KEY_BYTES) if credentials.form.dedicated else None
        protection = protection_of(credentials, client.counters, self._dedicated)
        self.session = Session(credentials, protection, client.offered)
        self._passed = Exchange(b"", self._challenge, b"")
        self._server_title = b""
        self._asked: int | None = None
        self._response: AssociationResponse | None = None

    def begin(self) -> bytes:
        """Return the AARQ."""
        credentials = self._credentials
        return acse.encode_request(
            AssociationRequest(
                self.session.context,
                self.session.initiate(self._dedicated),
                title=credentials.title or None,
                authentication=self._authentication(),
            )
        )

    def _authentication(self) -> Authentication | None:
        mechanism = self._credentials.mechanism
        if mechanism is Mechanism.NONE:
            return None
        value = self._credentials.secret if self._proof is None else self._challenge
        return Authentication(mechanism, value)

    def take(self, apdu: bytes) -> bytes | Association:
        """Take the AARE, or the answer to pass 3; return the next APDU or what it came to."""
        try:
            if self._asked is not None:
                return self._pass_4(apdu, self._asked)
            if apdu[:1] == bytes((apdu_exception.TAG,)):
                told = words.of_exception(apdu_exception.decode(apdu))
                return self._unfit(Silence.EXCEPTION, told)
            return self._aare(acse.decode_response(apdu))
        except MalformedFrameError as error:
            return self._unfit(Silence.BROKEN, malformed(error, apdu).detail)

    def cut_short(self, why: Silence, detail: str) -> Association:
        """Return what an attempt comes to that the line ended."""
        return self._unfit(why, detail)

    # -- the AARE ------------------------------------------------------------------------------

    def _aare(self, response: AssociationResponse) -> bytes | Association:
        self._server_title = response.title or b""
        self._response = response
        if response.result is not AssociationResult.ACCEPTED:
            return self._refused(response)
        if response.context != self.session.context:
            return self._unfit(Silence.BROKEN, "the meter accepts another application context")
        granted = self._granted(response)
        if isinstance(granted, Association):
            return granted
        self._agree(granted)
        if self._proof is not None:
            return self._pass_3(response, self._proof)
        if response.diagnostic == UserDiagnostic.AUTHENTICATION_REQUIRED:
            return self._came_to("the meter demands high-level authentication")
        return self._came_to(accepted=True)

    def _refused(self, response: AssociationResponse) -> Association:
        why = words.of_refusal(response)
        information = response.user_information
        if information is not None:
            told = self.session.open(information)
            if isinstance(told, Unanswered) and told.why is Silence.EXCEPTION:
                why += f"; {told.detail}"
        return self._came_to(why)

    def _granted(self, response: AssociationResponse) -> InitiateResponse | Association:
        """Return the initiate response of an accepting AARE, checked."""
        if response.user_information is None:
            return self._unfit(Silence.BROKEN, "the AARE holds no initiate response")
        protection = self.session.protection
        needs_title = protection is not None or self._proof is not None
        if needs_title and len(self._server_title) != TITLE_BYTES:
            return self._unfit(Silence.NOT_AUTHENTIC, "the meter names no system title")
        if protection is not None:
            protection.peer_title = self._server_title
        opened = self.session.open(response.user_information)
        if isinstance(opened, Unanswered):
            return self._unfit(opened.why, f"initiate response: {opened.detail}")
        granted = initiate.decode_response(opened)
        if granted.name != initiate.LOGICAL_NAMES or granted.version != initiate.DLMS_VERSION:
            return self._unfit(
                Silence.BROKEN,
                f"the meter grants DLMS version {granted.version} and variable-access name"
                f" {granted.name:04X}; version 6 and logical names (0007) were asked for",
            )
        return granted

    def _agree(self, granted: InitiateResponse) -> None:
        session = self.session
        session.conformance = granted.conformance & session.offered
        session.max_pdu_bytes = granted.max_pdu_bytes

    # -- passes 3 and 4 ------------------------------------------------------------------------

    def _pass_3(self, response: AssociationResponse, proof: Proof) -> bytes | Association:
        if response.diagnostic != UserDiagnostic.AUTHENTICATION_REQUIRED:
            return self._unfit(
                Silence.NOT_AUTHENTIC, "the meter accepts without proving who it is (passes 3, 4)"
            )
        given = response.authentication
        if given is None or given.mechanism != self._credentials.mechanism:
            return self._unfit(Silence.NOT_AUTHENTIC, "the meter answers with another mechanism")
        refusal = proof.bad_challenge(given.value, self._challenge)
        if given.value is None or refusal is not None:
            reason = (refusal or "no challenge").replace("_", " ")
            return self._unfit(Silence.NOT_AUTHENTIC, f"the meter's challenge is bad: {reason}")
        self._passed = Exchange(self._server_title, self._challenge, given.value)
        ours = proof.ours(self._passed)
        self._asked = self._invoke()
        request = ActionRequest(self._asked, REPLY_TO_HLS, axdr.octets(ours))
        return self.session.seal(apdu_action.encode_request(request))

    def _pass_4(self, apdu: bytes, asked: int) -> Association:
        plain = self.session.open(apdu)
        if isinstance(plain, Unanswered):
            return self._unfit(plain.why, f"answer to our proof: {plain.detail}")
        answer = apdu_action.decode_response(plain)
        if not isinstance(answer, ActionResponse) or not is_answer_to(answer.invoke, asked):
            return self._unfit(Silence.BROKEN, "something else than an answer to our proof came")
        outcome = answer.outcome
        if outcome.result is not ActionResult.SUCCESS:
            told = words.of_result(outcome.result)
            return self._came_to(f"the meter refuses our proof: {told}")
        refusal = self._refusal_of(outcome.returned)
        if refusal:
            return self._unfit(
                Silence.NOT_AUTHENTIC, f"the meter does not prove that it has the keys: {refusal}"
            )
        return self._came_to(accepted=True)

    def _refusal_of(self, reply: GetResult | None) -> str:
        """Say why the meter's own proof does not hold; nothing where it does."""
        if not isinstance(reply, Data) or reply.tag is not Tag.OCTETS or self._proof is None:
            return "no proof"
        if not isinstance(reply.value, bytes):
            return "no proof"
        refusal = self._proof.bad_reply(self._passed, reply.value)
        return "" if refusal is None else refusal.replace("_", " ")

    def _unfit(self, why: Silence, detail: str) -> Association:
        return self._came_to(detail, why)

    def _came_to(
        self, why: str = "", silence: Silence | None = None, *, accepted: bool = False
    ) -> Association:
        """Return what the attempt came to, with what the AARE said where there was one."""
        session, response = self.session, self._response
        if response is None:
            return Association(accepted, why=why, silence=silence)
        return Association(
            accepted,
            int(response.result),
            response.diagnostic,
            self._server_title,
            session.conformance,
            session.max_pdu_bytes,
            why,
            silence,
        )


def _refuse_lacking_title(credentials: Credentials, proof: Proof | None) -> None:
    """Refuse credentials that have no name where one is needed."""
    needed = proof is not None or credentials.form is not Form.PLAIN
    if needed and len(credentials.title) != TITLE_BYTES:
        raise ValueError(f"{credentials.name} needs a system title of {TITLE_BYTES} octets")
