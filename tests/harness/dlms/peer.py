"""A scripted meter on the far end of a line, and the pump between it and a reader.

Link and sign-on are the server-side machines of the codecs; what a meter answers is a function.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emulator.codecs.dlms import mode_e_sign_on, wrapper
from emulator.codecs.dlms.hdlc_link import ApduReceived, Disconnected, LinkSettings, Reason, Send
from emulator.codecs.dlms.hdlc_station import LinkOutput, Station
from emulator.codecs.dlms.mode_e import Identification
from emulator.codecs.dlms.mode_e_sign_on import MeterSignOn
from emulator.codecs.dlms.wrapper import WrapperFrame, WrapperSplitter
from emulator.core.chance import Chance
from harness.dlms.jobs import Done, Job, Output, SetSpeed, Value, Write
from harness.dlms.line import LineState, ReaderLine
from harness.dlms.settings import Framing, LineSettings

Application = Callable[[bytes], bytes | None]
E_METER = Identification("SBC", "5", "TEST0001", "2")
C_METER = Identification("SBC", "5", "TEST0002")


def draws(seed: int = 1) -> Callable[[int], bytes]:
    return Chance(seed).stream("client/test").octets


class Peer:
    """A meter's end: octets in, octets out."""

    deadline_ms: int | None = None

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        raise AssertionError(f"no such meter at {now_ms}: {octets.hex()}")

    def expire(self, now_ms: int) -> list[bytes]:
        assert now_ms >= 0
        return []


class DeadPeer(Peer):
    """Nobody is there."""

    def __init__(self) -> None:
        self.last: tuple[bytes, int] | None = None

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        self.last = (octets, now_ms)
        return []


class HdlcPeer(Peer):
    """A station with one application; DM, FRMR and whatever may be put in front of its answers."""

    def __init__(
        self,
        application: Application,
        link: LinkSettings | None = None,
        lower: int | None = None,
    ) -> None:
        self.station = Station(link or LinkSettings(), frozenset({1}), lower)
        self.application = application
        self.ended: list[Reason] = []

    @property
    def deadline_ms(self) -> int | None:  # type: ignore[override]  # computed here
        return self.station.deadline_ms

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        return self._do(self.station.feed(octets, now_ms), now_ms)

    def expire(self, now_ms: int) -> list[bytes]:
        return self._do(self.station.expire(now_ms), now_ms)

    def drop_links(self) -> None:
        for key in list(self.station.links):
            self.station.links.pop(key).close()

    def _do(self, outputs: Sequence[LinkOutput], now_ms: int) -> list[bytes]:
        out: list[bytes] = []
        for item in outputs:
            if isinstance(item.output, Send):
                out.append(item.output.octets)
            elif isinstance(item.output, ApduReceived):
                answer = self.application(item.output.apdu)
                if item.key in self.station.links:
                    link = self.station.links[item.key]
                    replies = [LinkOutput(item.key, one) for one in link.answer(answer, now_ms)]
                    out += self._do(replies, now_ms)
            elif isinstance(item.output, Disconnected):
                self.ended.append(item.output.reason)
        return out


class WrapperPeer(Peer):
    """The same over the wrapper."""

    def __init__(self, application: Application) -> None:
        self.splitter = WrapperSplitter()
        self.application = application
        self.heard_ms = 0

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        self.heard_ms = now_ms
        out = []
        for frame in self.splitter.feed(octets):
            answer = self.application(frame.apdu)
            if answer is not None:
                back = WrapperFrame(frame.destination, frame.source, answer)
                out.append(wrapper.encode(back))
        return out


class OpticalPeer(Peer):
    """Sign-on first; HDLC once mode E stands, until its link ends."""

    def __init__(
        self,
        hdlc: HdlcPeer,
        identification: Identification = E_METER,
        block: str | None = "0.0.0(12345678)\r\n1.8.0(000123.4*kWh)\r\n",
    ) -> None:
        self.sign_on = MeterSignOn(identification, block=block)
        self.hdlc = hdlc
        self.opened = False
        self.speeds: list[int] = []

    @property
    def deadline_ms(self) -> int | None:  # type: ignore[override]  # computed here
        due = [at for at in (self.sign_on.deadline_ms, self.hdlc.deadline_ms) if at is not None]
        return min(due, default=None)

    def hear(self, octets: bytes, now_ms: int) -> list[bytes]:
        if not self.opened:
            return self._signed(self.sign_on.receive(octets, now_ms))
        out = self.hdlc.hear(octets, now_ms)
        if Reason.PEER in self.hdlc.ended or Reason.INACTIVITY in self.hdlc.ended:
            self.close()
        return out

    def expire(self, now_ms: int) -> list[bytes]:
        return self._signed(self.sign_on.expire(now_ms)) + self.hdlc.expire(now_ms)

    def close(self) -> None:
        self.hdlc.ended.clear()
        self.opened = False
        self.sign_on.close()

    def _signed(self, outputs: list[mode_e_sign_on.Output]) -> list[bytes]:
        out = []
        for output in outputs:
            if isinstance(output, mode_e_sign_on.Transmit):
                self.speeds.append(output.baud)
                out.append(output.octets)
            elif isinstance(output, mode_e_sign_on.Opened):
                self.opened = True
        return out


Spoil = Callable[[bytes, int], list[bytes]]


def as_is(octets: bytes, _number: int) -> list[bytes]:
    return [octets]


@dataclass
class Pump:
    """Moves octets between a reader and a peer in virtual time; a hang is a failure.

    Attributes:
        to_meter: What becomes of the n-th write towards the meter: octets that arrive.
        to_reader: The same towards the reader.
        limit_ms: Longest time a job may take.
    """

    line: ReaderLine
    peer: Peer
    to_meter: Spoil = as_is
    to_reader: Spoil = as_is
    limit_ms: int = 600_000
    now_ms: int = 0
    speeds: list[int] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    @property
    def state(self) -> LineState:
        """Where the line stands; asked afresh each time."""
        return self.line.state

    def wants_reopening(self) -> bool:
        return self.line.wants_reopening

    def play(self, job: Job) -> Value:
        """Do a job to its end."""
        end = self.now_ms + self.limit_ms
        outputs = self.line.begin(job, self.now_ms)
        while True:
            done = self._carry(outputs)
            if done is not None:
                return done.value
            due = [self.line.deadline_ms, self.peer.deadline_ms]
            assert due[0] is not None, f"no deadline in {self.line.state}"
            self.now_ms = max(self.now_ms, min(at for at in due if at is not None))
            assert self.now_ms <= end, f"{job} never ended: {self.line.state}"
            answers = self.peer.expire(self.now_ms)
            outputs = self._deliver(answers) + self.line.expire(self.now_ms)

    def _carry(self, outputs: list[Output]) -> Done | None:
        """Carry what the reader put out, and what that brings, until nothing moves."""
        done: Done | None = None
        while outputs:
            output = outputs.pop(0)
            if isinstance(output, Done):
                assert done is None, "a job ended twice"
                done = output
            elif isinstance(output, SetSpeed):
                self.speeds.append(output.baud)
            elif isinstance(output, Write):
                outputs += self._write(output.octets)
        return done

    def _write(self, octets: bytes) -> list[Output]:
        answers = []
        for arriving in self.to_meter(octets, len(self.sent)):
            answers += self.peer.hear(arriving, self.now_ms)
        self.sent.append(octets)
        return self._deliver(answers)

    def _deliver(self, answers: list[bytes]) -> list[Output]:
        out: list[Output] = []
        for octets in answers:
            arriving = self.to_reader(octets, len(self.heard))
            self.heard.append(octets)
            for piece in arriving:
                out += self.line.receive(piece, self.now_ms)
        return out


def reader(settings: LineSettings | None = None, seed: int = 1) -> ReaderLine:
    return ReaderLine(settings or LineSettings(), draws(seed))


def pump_for(framing: Framing, application: Application) -> Pump:
    """A reader and a meter on one line of that framing."""
    hdlc = HdlcPeer(application)
    peers = {
        Framing.HDLC: hdlc,
        Framing.OPTICAL: OpticalPeer(hdlc),
        Framing.WRAPPER: WrapperPeer(application),
    }
    return Pump(reader(LineSettings(framing=framing)), peers[framing])
