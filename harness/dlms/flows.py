"""Each job as a conversation with the line: what to wish for, and what to make of what happens."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from emulator.codecs.dlms import acse_release, apdu_exception
from emulator.codecs.dlms.acse_release import ReleaseReason, ReleaseRequest
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick
from emulator.crypto.dlms_keys import InvocationCounters
from harness.dlms import services
from harness.dlms.association import Client, Draw, Joining
from harness.dlms.carrier import Gone, Heard, Stands
from harness.dlms.dialogue import Ended, Terms
from harness.dlms.jobs import (
    AssociateJob,
    Job,
    RawJob,
    ReleaseJob,
    SignOnJob,
    Value,
)
from harness.dlms.opening import SignedOn
from harness.dlms.proof import Signing
from harness.dlms.services import ServiceJob
from harness.dlms.session import Session, malformed
from harness.dlms.settings import Framing, LineSettings
from harness.meter import (
    Association,
    Credentials,
    SignOnReport,
    Silence,
    Unanswered,
)

_CONFIRMED: Final = 0x40
_HIGH_PRIORITY: Final = 0x80
_INVOKE_IDS: Final = 15
#: Client SAP under which a line is taken out of HDLC where nobody is associated.
_PUBLIC: Final = Credentials("public", 16)
_NO_SIGN_ON: Final = "this line has no IEC 62056-21 sign-on: it is not that of an optical port"


@quick
@dataclass(frozen=True, slots=True)
class Say:
    """Send an APDU and wait for one."""

    apdu: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for a further APDU."""


@quick
@dataclass(frozen=True, slots=True)
class Connect:
    """Open the link of these credentials; at ``baud`` where it is known."""

    credentials: Credentials
    baud: int | None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the link."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Say the sign-on."""

    read_out: bool


Wish = Say | Listen | Connect | Disconnect | Sign
Event = Stands | Heard | Gone | SignedOn
T = TypeVar("T")
Flow = Generator[Wish, Event, T]


@dataclass(slots=True)
class Memory:
    """What a line remembers between jobs.

    Attributes:
        counters: Invocation counters of every key used on this line.
        invoke: Invoke id given last.
        session: The association that stands, or None.
        linked: Credentials whose link stands, or None.
        baud: Speed at which mode E gave the line to HDLC, and nobody took it back; None else.
        speed: Speed the line was last set to; None when it was not.
        flush_due: An answer may still be under way on this connection, to nobody's question.
        lost: How the link was lost, where no job was told yet.
    """

    counters: InvocationCounters = field(default_factory=InvocationCounters)
    invoke: int = 0
    session: Session | None = None
    linked: Credentials | None = None
    baud: int | None = None
    speed: int | None = None
    flush_due: bool = False
    lost: str = ""

    def forget_link(self) -> None:
        """Note that link and association are gone."""
        self.session = self.linked = None

    def gone(self, event: Gone, *, told: bool, on_wrapper: bool) -> None:
        """Note that the link has ended; ``told`` says that a job hears of it."""
        if not told and self.linked is not None:
            self.lost = event.detail
        self.forget_link()
        if on_wrapper:
            self.flush_due |= not event.orderly
        elif event.orderly:
            self.baud = None  # the meter listens for a sign-on again


class Flows:
    """The conversations of one line."""

    def __init__(self, settings: LineSettings, draw: Draw, memory: Memory) -> None:
        self._settings = settings
        self._draw = draw
        self._memory = memory

    def of(self, job: Job) -> Flow[Value]:
        """Return the conversation that does a job."""
        match job:
            case SignOnJob():
                return self._sign_on(read_out=job.read_out)
            case AssociateJob():
                return self._associate(job.credentials, job.signing)
            case RawJob():
                return self._exchange(job.apdu)
            case ReleaseJob():
                return self._release()
            case _:
                return self._serve(job)

    # -- the line ------------------------------------------------------------------------------

    def _sign_on(self, *, read_out: bool) -> Flow[SignOnReport]:
        if self._settings.framing is not Framing.OPTICAL:
            return SignOnReport(answered=False, causes=(_NO_SIGN_ON,))
        yield from self._release()
        signed = yield Sign(read_out)
        return signed.report if isinstance(signed, SignedOn) else SignOnReport(answered=False)

    def _release(self) -> Flow[None]:
        """End association and link, and give a line in mode E back: only DISC does."""
        yield from self._leave()
        if self._memory.baud is not None:
            event = yield Connect(_PUBLIC, self._memory.baud)
            if isinstance(event, Stands):
                yield Disconnect()

    def _leave(self, keep: Credentials | None = None) -> Flow[None]:
        """End the association, and the link too unless ``keep`` can use it."""
        memory = self._memory
        session, memory.session = memory.session, None
        if session is not None:
            yield Say(session.release_request())  # whatever comes, the association is at its end
        linked = memory.linked
        if linked is not None and (keep is None or _peer(keep) != _peer(linked)):
            yield Disconnect()

    def _connect(self, credentials: Credentials) -> Flow[Gone | None]:
        """Open the link where it is closed; return why it cannot be."""
        memory, settings = self._memory, self._settings
        if memory.linked is not None:
            return None
        doubt = ""
        if settings.framing is Framing.OPTICAL and settings.mode_e:
            if memory.baud is not None:  # the meter may still be where it was
                event = yield Connect(credentials, memory.baud)
                if isinstance(event, Stands):
                    return None
            signed = yield Sign(read_out=False)
            if not isinstance(signed, SignedOn) or signed.baud is None:
                return _not_opened(signed)
            doubt = "".join(f"{cause}; " for cause in signed.report.causes[:1])
        event = yield Connect(credentials, memory.baud or settings.baud)
        if isinstance(event, Gone):
            return Gone(event.why, f"{doubt}{event.detail}")
        return (yield from self._flush()) if memory.flush_due else None

    def _flush(self) -> Flow[Gone | None]:
        """Have the meter answer something harmless, so that no earlier answer is still to come.

        A stream keeps its order: what was under way comes before the answer to this.
        """
        request = ReleaseRequest(ReleaseReason.NORMAL)
        event = yield Say(acse_release.encode_request(request))
        last = {acse_release.RLRE_TAG, apdu_exception.TAG}
        while isinstance(event, Heard) and event.apdu[0] not in last:
            event = yield Listen()
        if isinstance(event, Gone):
            return Gone(event.why, f"{event.detail}; close the connection and open it again")
        self._memory.flush_due = False
        return None

    # -- the association -----------------------------------------------------------------------

    def _associate(self, credentials: Credentials, signing: Signing | None) -> Flow[Association]:
        memory = self._memory
        offered = self._settings.conformance
        client = Client(offered, memory.counters, self._draw, self._invoke)
        joining = Joining(credentials, client, signing)
        flushes, held = memory.flush_due, self._replaced_by(credentials)
        if held is None:
            yield from self._leave(keep=credentials)
        memory.session = None
        gone = yield from self._connect(credentials)
        if gone is not None:
            return Association(accepted=False, why=gone.detail, silence=gone.why)
        memory.lost = ""
        step: bytes | Association = joining.begin()
        while isinstance(step, bytes):
            event = yield Say(step)
            while flushes and isinstance(event, Heard) and _is_release_response(event.apdu):
                event = yield Listen()
            if isinstance(event, Heard):
                step = joining.take(event.apdu)
            else:
                step = joining.cut_short(*_why(event))
        if step.accepted:
            memory.session = joining.session
        elif held is not None and step.silence is None and step.result > 0:
            memory.session = held
            return replace(step, before_stands=True)
        elif step.silence is Silence.NOT_AUTHENTIC:
            yield from self._leave()
        return step

    def _replaced_by(self, credentials: Credentials) -> Session | None:
        """Return the association that one with these credentials would replace at the meter."""
        linked = self._memory.linked
        on_wrapper = self._settings.framing is Framing.WRAPPER
        if not self._settings.replaces or not on_wrapper or linked is None:
            return None
        return self._memory.session if _peer(linked) == _peer(credentials) else None

    # -- services ------------------------------------------------------------------------------

    def _serve(self, job: ServiceJob) -> Flow[Value]:
        memory = self._memory
        session = memory.session
        if session is None:
            return self._nobody()
        terms = Terms(
            session.conformance,
            session.room_bytes,
            self._settings.max_answer_bytes,
            self._invoke,
        )
        dialogue = services.dialogue(job, terms)
        step = dialogue.begin()
        while not isinstance(step, Ended):
            event = yield Say(session.seal(step))
            if not isinstance(event, Heard):
                return Unanswered(*_why(event))
            plain = session.open(event.apdu)
            if isinstance(plain, Unanswered):
                return plain
            try:
                step = dialogue.take(plain)
            except MalformedFrameError as error:
                return malformed(error, event.apdu)
        return step.value

    def _exchange(self, apdu: bytes) -> Flow[bytes | Unanswered]:
        if self._memory.linked is None:
            return self._nobody()
        event = yield Say(apdu)
        return event.apdu if isinstance(event, Heard) else Unanswered(*_why(event))

    def _nobody(self) -> Unanswered:
        lost, self._memory.lost = self._memory.lost, ""
        if lost:
            return Unanswered(Silence.LINK_LOST, f"{lost}; associate again")
        return Unanswered(
            Silence.NOT_ASSOCIATED, "nobody is associated on this line: associate first"
        )

    def _invoke(self) -> int:
        memory = self._memory
        memory.invoke = memory.invoke % _INVOKE_IDS + 1
        priority = _HIGH_PRIORITY if self._settings.high_priority else 0
        return priority | _CONFIRMED | memory.invoke


def _peer(credentials: Credentials) -> tuple[int, int]:
    return credentials.client, credentials.server


def _why(event: Event) -> tuple[Silence, str]:
    if isinstance(event, Gone):
        return event.why, event.detail
    return Silence.LINK_LOST, "the line was opened anew"


def _is_release_response(apdu: bytes) -> bool:
    return apdu[:1] == bytes((acse_release.RLRE_TAG,))


def _not_opened(signed: Event) -> Gone:
    if not isinstance(signed, SignedOn) or not signed.report.answered:
        causes = signed.report.causes if isinstance(signed, SignedOn) else ()
        likely = f"; likely: {causes[0]}" if causes else ""
        return Gone(Silence.NO_ANSWER, f"no answer to the sign-on{likely}")
    report = signed.report
    return Gone(
        Silence.LINK_LOST,
        f"the meter ({report.manufacturer}) offers mode {report.mode} and no HDLC by mode E:"
        " try framing hdlc",
    )
