"""One certificate-based key establishment, either side, as a machine without input or output.

The machine computes nothing: it asks for keys and keyed hashes, and whoever drives it has them
made by `emulator.crypto.cbke.SoftwareEngine` or by a dongle. So the private keys and the link key
may stay in the dongle.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from emulator.codecs.zcl.key_establishment import (
    POINT_OCTETS,
    ConfirmRequest,
    ConfirmResponse,
    EphemeralRequest,
    EphemeralResponse,
    InitiateRequest,
    InitiateResponse,
    KeyEstablishmentCommand,
    KeySuite,
    Terminate,
    TerminateStatus,
)
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.crypto.cbke_outputs import (
    Agree,
    CbkeIdentity,
    CbkeOutput,
    Ended,
    Established,
    Ignored,
    MakeKey,
    Refusal,
    Send,
    judge_certificate,
)
from emulator.crypto.cbke_table import (
    LATE_EVENTS,
    LIVE,
    PEER_EVENTS,
    TRANSITIONS,
    CbkeEvent,
    CbkeRole,
    CbkeState,
)

#: Seconds granted beyond what a partner says it needs. Source: known (Silicon Labs' stack).
MARGIN_S: Final = 10
#: Seconds we ask a partner to wait after an end. Source: known (Silicon Labs' stack).
BACK_OFF_S: Final = 30

_EVENTS: Final[Mapping[type, CbkeEvent]] = {
    InitiateRequest: CbkeEvent.INITIATE_REQUEST,
    InitiateResponse: CbkeEvent.INITIATE_RESPONSE,
    EphemeralRequest: CbkeEvent.EPHEMERAL_REQUEST,
    EphemeralResponse: CbkeEvent.EPHEMERAL_RESPONSE,
    ConfirmRequest: CbkeEvent.CONFIRM_REQUEST,
    ConfirmResponse: CbkeEvent.CONFIRM_RESPONSE,
    Terminate: CbkeEvent.TERMINATE,
}


_Action: TypeAlias = Callable[[Any], "list[CbkeOutput] | Refusal"]


class CbkeSession:
    """One exchange with one partner; every event gives outputs and performs none.

    Attributes:
        role: Which side we are.
        partner: Who the other side must be: the subject of its certificate.
        state: Where we stand.
        suite: Suite in use.

    Source:
        Zigbee Smart Energy, Annex C.3.1.2.3 and C.3.1.3.3 (order of commands, terminate). Which
        status answers which fault is inferred, mostly from Silicon Labs' stack.
    """

    def __init__(
        self, role: CbkeRole, identity: CbkeIdentity, partner: Eui64, suite: KeySuite | None = None
    ) -> None:
        """Begin in IDLE; an initiator names the suite.

        Raises:
            IllegalEventError: An initiator without a suite it has a certificate for.
        """
        if role is CbkeRole.INITIATOR and suite not in identity.certificates:
            raise IllegalEventError("CBKE: an initiator needs a suite it has a certificate for")
        self.role = role
        self.partner = partner
        self.state = CbkeState.IDLE
        self.suite = suite
        self._identity = identity
        self._times_s = (0, 0)
        self._certificate = b""
        self._key = b""
        self._mac = b""

    @property
    def live(self) -> bool:
        """Whether the exchange is under way."""
        return self.state in LIVE

    @property
    def wait_s(self) -> int:
        """Seconds the present state may last before `time_out`; 0 where it may last for ever."""
        needs = {
            CbkeState.WAITS_CERTIFICATE: 0,
            CbkeState.WAITS_KEY: self._times_s[0],
            CbkeState.WAITS_MAC: self._times_s[1],
            CbkeState.MAKES_KEY: self._identity.ephemeral_time_s,
            CbkeState.AGREES: self._identity.confirm_time_s,
        }
        return needs[self.state] + MARGIN_S if self.state in needs else 0

    def work(self) -> MakeKey | Agree | None:
        """Return the arithmetic that the present state waits for, or None."""
        if self.state is CbkeState.MAKES_KEY:
            return MakeKey(self._chosen)
        return self._ask_to_agree() if self.state is CbkeState.AGREES else None

    # -- events --------------------------------------------------------------------------------

    def start(self) -> list[CbkeOutput]:
        """Begin, as the initiator."""
        return self._step(CbkeEvent.START, None)

    def receive(self, command: KeyEstablishmentCommand) -> list[CbkeOutput]:
        """Take a command that came from the partner's address."""
        return self._step(_EVENTS[type(command)], command)

    def key_made(self, public: bytes) -> list[CbkeOutput]:
        """Take the public half of the ephemeral key asked for."""
        return self._step(CbkeEvent.KEY_MADE, public)

    def agreed(self, mac_u: bytes, mac_v: bytes) -> list[CbkeOutput]:
        """Take the keyed hashes asked for."""
        return self._step(CbkeEvent.AGREED, (mac_u, mac_v))

    def cannot(self, refusal: Refusal) -> list[CbkeOutput]:
        """Take notice that the arithmetic failed."""
        return self._step(CbkeEvent.CANNOT, refusal)

    def unreadable(self, why: str) -> list[CbkeOutput]:
        """Take notice that a frame of the partner was no command; that ends a live exchange."""
        return self._refuse(Refusal(TerminateStatus.BAD_MESSAGE, why)) if self.live else []

    def time_out(self) -> list[CbkeOutput]:
        """Take notice that the present state lasted longer than ``wait_s``."""
        return self._step(CbkeEvent.TIMED_OUT, None)

    def _step(self, event: CbkeEvent, payload: object) -> list[CbkeOutput]:
        row = TRANSITIONS.get((self.role, self.state, event))
        if row is None:
            return self._out_of_place(event)
        name, target = row
        outputs = cast("_Action", getattr(self, f"_{name}"))(payload)
        if isinstance(outputs, Refusal):
            return self._refuse(outputs)
        self.state = target
        return outputs

    def _out_of_place(self, event: CbkeEvent) -> list[CbkeOutput]:
        if event in PEER_EVENTS and self.state not in {CbkeState.ESTABLISHED, CbkeState.ENDED}:
            why = f"{event} out of sequence"
            return self._refuse(Refusal(TerminateStatus.BAD_MESSAGE, why))
        if event in PEER_EVENTS or (event in LATE_EVENTS and self.state is CbkeState.ENDED):
            return [Ignored(event)]
        raise IllegalEventError(f"CBKE {self.role}: {event} while {self.state}")

    def _refuse(self, refusal: Refusal) -> list[CbkeOutput]:
        self.state = CbkeState.ENDED
        terminate = Terminate(refusal.status, BACK_OFF_S, self._identity.suites)
        return [Send(terminate), Ended(refusal.status, False, BACK_OFF_S, refusal.why)]

    # -- actions of the initiator --------------------------------------------------------------

    def _offer(self, _: None) -> list[CbkeOutput]:
        if self.suite is None:
            raise IllegalEventError("CBKE: an initiator without a suite")
        return [Send(InitiateRequest(*self._presentation(self.suite)))]

    def _take_answer(self, command: InitiateResponse) -> list[CbkeOutput] | Refusal:
        if command.suite != self.suite:
            return Refusal(TerminateStatus.UNSUPPORTED_SUITE, "another suite than asked for")
        return self._take_certificate(command, self.suite) or [MakeKey(self.suite)]

    def _take_key_and_agree(self, command: EphemeralResponse) -> list[CbkeOutput] | Refusal:
        refusal = self._keep_key(command.public_key)
        return refusal or [self._ask_to_agree()]

    def _prove(self, macs: tuple[bytes, bytes]) -> list[CbkeOutput]:
        mac_u, self._mac = macs
        return [Send(ConfirmRequest(mac_u))]

    def _check_last_proof(self, command: ConfirmResponse) -> list[CbkeOutput] | Refusal:
        return self._proof_refused(command.mac, self._mac) or [self._established()]

    # -- actions of the responder --------------------------------------------------------------

    def _answer(self, command: InitiateRequest) -> list[CbkeOutput] | Refusal:
        if command.suite not in self._identity.certificates:
            return Refusal(TerminateStatus.UNSUPPORTED_SUITE, f"suite {command.suite:#06x}")
        self.suite = KeySuite(command.suite)
        refusal = self._take_certificate(command, self.suite)
        return refusal or [Send(InitiateResponse(*self._presentation(self.suite)))]

    def _take_key(self, command: EphemeralRequest) -> list[CbkeOutput] | Refusal:
        refusal = self._keep_key(command.public_key)
        return refusal or [MakeKey(self._chosen)]

    def _take_proof(self, command: ConfirmRequest) -> list[CbkeOutput]:
        self._mac = command.mac
        return [self._ask_to_agree()]

    def _check_and_prove(self, macs: tuple[bytes, bytes]) -> list[CbkeOutput] | Refusal:
        mac_u, mac_v = macs
        refusal = self._proof_refused(self._mac, mac_u)
        return refusal or [Send(ConfirmResponse(mac_v)), self._established()]

    # -- actions of both -----------------------------------------------------------------------

    def _send_key(self, public: bytes) -> list[CbkeOutput]:
        if self.role is CbkeRole.INITIATOR:
            return [Send(EphemeralRequest(public))]
        return [Send(EphemeralResponse(public))]

    def _terminated(self, command: Terminate) -> list[CbkeOutput]:
        return [Ended(command.status, True, command.wait_s, "the partner ended it")]

    def _timed_out(self, _: None) -> list[CbkeOutput]:
        return [Ended(None, False, BACK_OFF_S, f"nothing came while it {self.state}")]

    def _cannot(self, refusal: Refusal) -> Refusal:
        return refusal

    # -- parts of actions ----------------------------------------------------------------------

    @property
    def _chosen(self) -> KeySuite:
        if self.suite is None:
            raise IllegalEventError("CBKE: no suite is agreed upon yet")
        return self.suite

    def _presentation(self, suite: KeySuite) -> tuple[int, int, int, bytes]:
        we = self._identity
        return suite, we.ephemeral_time_s, we.confirm_time_s, we.certificates[suite]

    def _ask_to_agree(self) -> Agree:
        initiator = self.role is CbkeRole.INITIATOR
        return Agree(self._chosen, self._certificate, self._key, initiator)

    def _established(self) -> Established:
        return Established(self.partner, self._chosen)

    def _take_certificate(
        self, command: InitiateRequest | InitiateResponse, suite: KeySuite
    ) -> Refusal | None:
        """Keep the partner's certificate and times, unless the certificate is not acceptable."""
        self._certificate = command.certificate
        self._times_s = (command.ephemeral_time_s, command.confirm_time_s)
        ours = self._identity.certificates[suite]
        return judge_certificate(suite, command.certificate, ours, self.partner)

    def _keep_key(self, public_key: bytes) -> Refusal | None:
        if len(public_key) != POINT_OCTETS[self._chosen]:
            return Refusal(TerminateStatus.BAD_MESSAGE, "an ephemeral key of another suite")
        self._key = public_key
        return None

    @staticmethod
    def _proof_refused(theirs: bytes, ours: bytes) -> Refusal | None:
        if hmac.compare_digest(theirs, ours):
            return None
        return Refusal(TerminateStatus.BAD_KEY_CONFIRM, "the keyed hash is not the one due")

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return everything but the identity, as plain data."""
        return {
            "role": self.role.value,
            "partner": self.partner.hex,
            "state": self.state.value,
            "suite": None if self.suite is None else int(self.suite),
            "times_s": list(self._times_s),
            "certificate": self._certificate.hex(),
            "key": self._key.hex(),
            "mac": self._mac.hex(),
        }

    @classmethod
    def load(cls, identity: CbkeIdentity, state: Mapping[str, Any]) -> "CbkeSession":
        """Return the session that was dumped."""
        suite = None if state["suite"] is None else KeySuite(state["suite"])
        partner = Eui64(bytes.fromhex(state["partner"]))
        session = cls(CbkeRole(state["role"]), identity, partner, suite)
        session.state = CbkeState(state["state"])
        session._times_s = (state["times_s"][0], state["times_s"][1])
        session._certificate = bytes.fromhex(state["certificate"])
        session._key = bytes.fromhex(state["key"])
        session._mac = bytes.fromhex(state["mac"])
        return session
