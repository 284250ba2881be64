"""The Key Establishment cluster of a device: agrees on link keys, as server and as client.

Whoever holds the device hands it the frames of cluster 0x0800 and the timers it asked for. The
link keys it agrees on stand in ``link_keys``; what a note says never holds one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.foundation import AttributeValue
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.key_establishment import (
    TYPES,
    ConfirmRequest,
    EphemeralRequest,
    InitiateRequest,
    KeyEstablishmentAttribute,
    KeyEstablishmentCommand,
    KeySuite,
    Terminate,
    TerminateStatus,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.binary_curve import InvalidPointError
from emulator.crypto.cbke import SoftwareEngine
from emulator.crypto.cbke_outputs import (
    Agree,
    CbkeIdentity,
    CbkeOutput,
    Ended,
    Established,
    MakeKey,
    Refusal,
    Send,
)
from emulator.crypto.cbke_session import BACK_OFF_S, CbkeSession
from emulator.crypto.cbke_table import CbkeRole

#: Timers: the partner's silence, our own arithmetic, another attempt.
_WAIT, _WORK, _RETRY = "cbke.wait", "cbke.work", "cbke.retry"
TIMERS: Final = frozenset({_WAIT, _WORK, _RETRY})
#: Least times told to a partner, seconds: those of the example in Smart Energy Annex C.5.
_LEAST_TIMES_S: Final = (3, 6)

#: Says why no key is established with a device, or None if one may be.
Admission = Callable[[Eui64], TerminateStatus | None]


@dataclass(frozen=True, slots=True)
class KeyEstablishmentSettings:
    """How a device goes about it.

    Attributes:
        ephemeral_ms: Time its arithmetic takes for an ephemeral key, milliseconds.
        confirm_ms: Time it takes for the keyed hashes, milliseconds.
        attempts: Attempts of an initiator before it gives up.

    Source:
        invented; real dongles take seconds (reference/zigbee-dongle.md 4.5).
    """

    ephemeral_ms: int = 0
    confirm_ms: int = 0
    attempts: int = 3


@dataclass(slots=True)
class _Attempt:
    """What an initiator wants, and how often it may still try."""

    partner: Eui64
    suite: KeySuite
    left: int


class KeyEstablishment:
    """Key establishments of one device, one at a time.

    Attributes:
        eui64: The device.
        link_keys: Link keys agreed upon, by partner.
        session: The exchange under way or the latest one, or None.
    """

    def __init__(
        self,
        eui64: Eui64,
        engines: Mapping[KeySuite, SoftwareEngine],
        *,
        admit: Admission,
        next_sequence: Callable[[], int],
        settings: KeyEstablishmentSettings | None = None,
    ) -> None:
        """Take the device's credentials (in engines, by suite) and who may become a partner.

        Args:
            eui64: The device.
            engines: Arithmetic and credentials, by suite.
            admit: Judges a device that wants to begin.
            next_sequence: Gives the ZCL transaction number of our own requests.
            settings: Times and attempts.
        """
        self.eui64 = eui64
        self.link_keys: dict[Eui64, bytes] = {}
        self.session: CbkeSession | None = None
        self.settings = settings or KeyEstablishmentSettings()
        self._engines = engines
        self._identity = CbkeIdentity(
            eui64,
            {suite: engine.credentials.certificate for suite, engine in engines.items()},
            max(_LEAST_TIMES_S[0], -(-self.settings.ephemeral_ms // 1000)),
            max(_LEAST_TIMES_S[1], -(-self.settings.confirm_ms // 1000)),
        )
        self._admit = admit
        self._next_sequence = next_sequence
        self._attempt: _Attempt | None = None
        self._latest_frame = b""
        self._latest_sequence = 0

    def attributes(self) -> Mapping[int, AttributeValue]:
        """Return the attributes both sides of the cluster serve."""
        suite = KeyEstablishmentAttribute.KEY_ESTABLISHMENT_SUITE
        return {suite: AttributeValue(TYPES[suite], self._identity.suites)}

    # -- events --------------------------------------------------------------------------------

    def begin(self, partner: Eui64, suite: KeySuite, now: UtcMs) -> list[Effect]:
        """Begin as the initiator, in place of what is under way as one.

        Raises:
            IllegalEventError: No credentials of that suite, or an exchange is under way.
        """
        if self.session is not None and self.session.live:
            raise IllegalEventError("key establishment: one is under way")
        self._attempt = _Attempt(partner, suite, self.settings.attempts)
        return [CancelTimer(_RETRY), *self._try(now)]

    def on_frame(self, indication: ZclIndication, frame: ZclFrame, now: UtcMs) -> list[Effect]:
        """Take a frame of the cluster; what cannot be read never raises here."""
        session = self.session
        if session is not None and indication.source == session.partner:
            if indication.frame == self._latest_frame:
                return [_ignored(indication.source, "the same frame once more")]
            if session.live:
                return self._from_partner(session, indication, frame, now)
        try:
            command = cluster.decode(frame)
        except MalformedFrameError as error:
            return [_ignored(indication.source, str(error))]
        return self._from_others(indication, frame, command, now)

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take one of the timers in ``TIMERS``."""
        session = self.session
        if name == _RETRY:
            return self._try(now) if self._attempt else []
        if session is None or not session.live:
            return []
        if name == _WAIT:
            return self._perform(session, session.time_out(), now)
        return self._perform(session, self._do_work(session), now)

    def lose_power(self) -> list[Effect]:
        """Forget what is under way; the link keys stay."""
        self.session = self._attempt = None
        self._latest_frame = b""
        for engine in self._engines.values():
            engine.forget()
        return [CancelTimer(name) for name in sorted(TIMERS)]

    # -- frames --------------------------------------------------------------------------------

    def _from_partner(
        self, session: CbkeSession, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take a frame of the partner of the exchange under way."""
        try:
            command = cluster.decode(frame)
        except MalformedFrameError as error:
            self._latest_sequence = frame.sequence
            return self._perform(session, session.unreadable(str(error)), now)
        if not _fits_role(session.role, frame, command):
            return [_ignored(indication.source, "a Terminate for the other role")]
        return self._hand(session, indication.frame, frame.sequence, command, now)

    def _from_others(
        self,
        indication: ZclIndication,
        frame: ZclFrame,
        command: KeyEstablishmentCommand,
        now: UtcMs,
    ) -> list[Effect]:
        """Take a command of someone with whom nothing is under way."""
        source = indication.source
        if isinstance(command, InitiateRequest):
            status = self._refused(source)
            if status is not None:
                return self._turn_away(source, frame, status)
            self.session = CbkeSession(CbkeRole.RESPONDER, self._identity, source)
            return self._hand(self.session, indication.frame, frame.sequence, command, now)
        if isinstance(command, EphemeralRequest | ConfirmRequest):
            return self._turn_away(source, frame, TerminateStatus.BAD_MESSAGE)
        return [_ignored(source, f"{type(command).__name__} without an exchange")]

    def _refused(self, source: Eui64) -> TerminateStatus | None:
        if source == self.eui64:
            return TerminateStatus.BAD_MESSAGE
        if self.session is not None and self.session.live:
            return TerminateStatus.NO_RESOURCES
        return self._admit(source)

    def _turn_away(self, source: Eui64, frame: ZclFrame, status: TerminateStatus) -> list[Effect]:
        terminate = Terminate(status, BACK_OFF_S, self._identity.suites)
        octets = cluster.encode(terminate, frame.sequence, server_to_client=True)
        fields = (("partner", str(source)), ("status", status.name))
        return [
            SendZcl(source, cluster.CLUSTER, octets),
            Note("key_establishment_turned_away", fields),
        ]

    def _hand(
        self,
        session: CbkeSession,
        octets: bytes,
        sequence: int,
        command: KeyEstablishmentCommand,
        now: UtcMs,
    ) -> list[Effect]:
        self._latest_frame = octets
        self._latest_sequence = sequence
        return self._perform(session, session.receive(command), now)

    # -- what the session asks for -------------------------------------------------------------

    def _try(self, now: UtcMs) -> list[Effect]:
        attempt = self._attempt
        if attempt is None or (self.session is not None and self.session.live):
            return []
        attempt.left -= 1
        role = CbkeRole.INITIATOR
        self.session = CbkeSession(role, self._identity, attempt.partner, attempt.suite)
        self._latest_frame = b""
        return self._perform(self.session, self.session.start(), now)

    def _perform(self, session: CbkeSession, outputs: list[CbkeOutput], now: UtcMs) -> list[Effect]:
        effects: list[Effect] = []
        for output in outputs:
            match output:
                case Send():
                    effects.append(self._send(session, output.command))
                case MakeKey():
                    effects.append(SetTimer(_WORK, UtcMs(now + self.settings.ephemeral_ms)))
                case Agree():
                    effects.append(SetTimer(_WORK, UtcMs(now + self.settings.confirm_ms)))
                case Established():
                    effects += self._keep_key(output)
                case Ended():
                    effects += self._end(session, output, now)
                case _:
                    effects.append(_ignored(session.partner, f"{output.event} too late"))
        if session.live:
            return [*effects, SetTimer(_WAIT, UtcMs(now + 1000 * session.wait_s))]
        return [*effects, CancelTimer(_WAIT), CancelTimer(_WORK)]

    def _send(self, session: CbkeSession, command: KeyEstablishmentCommand) -> Effect:
        answers = session.role is CbkeRole.RESPONDER
        sequence = self._latest_sequence if answers else self._next_sequence()
        octets = cluster.encode(command, sequence, server_to_client=answers)
        return SendZcl(session.partner, cluster.CLUSTER, octets)

    def _do_work(self, session: CbkeSession) -> list[CbkeOutput]:
        work = session.work()
        if work is None:
            return []
        engine = self._engines[work.suite]
        if isinstance(work, MakeKey):
            return session.key_made(engine.make_key())
        try:
            agreed = engine.agree(work.certificate, work.key, initiator=work.initiator)
        except InvalidPointError as error:
            return session.cannot(Refusal(TerminateStatus.BAD_MESSAGE, str(error)))
        return session.agreed(agreed.mac_u, agreed.mac_v)

    def _keep_key(self, output: Established) -> list[Effect]:
        self.link_keys[output.partner] = self._engines[output.suite].take_link_key()
        self._attempt = None
        fields = (("partner", str(output.partner)), ("suite", output.suite.name))
        return [Note("key_established", fields)]

    def _end(self, session: CbkeSession, output: Ended, now: UtcMs) -> list[Effect]:
        self._latest_frame = b""
        if session.suite is not None:
            self._engines[session.suite].forget()
        fields = (
            ("partner", str(session.partner)),
            ("role", session.role),
            ("status", None if output.status is None else output.status.name),
            ("by_partner", output.by_partner),
            ("why", output.why),
        )
        effects: list[Effect] = [Note("key_establishment_ended", fields)]
        attempt = self._attempt
        if attempt is None or session.role is CbkeRole.RESPONDER:
            return effects
        if attempt.left > 0:
            return [*effects, SetTimer(_RETRY, UtcMs(now + 1000 * max(output.wait_s, 1)))]
        self._attempt = None
        return [*effects, Note("key_establishment_given_up", fields[:1])]

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data, keys included."""
        attempt = self._attempt
        return {
            "link_keys": {partner.hex: key.hex() for partner, key in self.link_keys.items()},
            "session": None if self.session is None else self.session.dump(),
            "engines": {str(int(suite)): e.dump() for suite, e in self._engines.items()},
            "attempt": None
            if attempt is None
            else [attempt.partner.hex, int(attempt.suite), attempt.left],
            "latest_frame": self._latest_frame.hex(),
            "latest_sequence": self._latest_sequence,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self.link_keys = {
            Eui64(bytes.fromhex(partner)): bytes.fromhex(key)
            for partner, key in state["link_keys"].items()
        }
        for suite, engine in self._engines.items():
            engine.load(state["engines"][str(int(suite))])
        attempt = state["attempt"]
        self._attempt = attempt and _Attempt(
            Eui64(bytes.fromhex(attempt[0])), KeySuite(attempt[1]), attempt[2]
        )
        session = state["session"]
        self.session = session and CbkeSession.load(self._identity, session)
        self._latest_frame = bytes.fromhex(state["latest_frame"])
        self._latest_sequence = state["latest_sequence"]


def _fits_role(role: CbkeRole, frame: ZclFrame, command: KeyEstablishmentCommand) -> bool:
    """Say whether a Terminate speaks to the role we have (the others show themselves)."""
    return not isinstance(command, Terminate) or (
        frame.server_to_client == (role is CbkeRole.INITIATOR)
    )


def _ignored(source: Eui64, why: str) -> Note:
    return Note("key_establishment_ignored", (("source", str(source)), ("why", why)))
