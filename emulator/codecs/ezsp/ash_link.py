"""What both ends of an ASH link do alike: acknowledge, reject, retransmit, give up."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import (
    AckFrame,
    AshFrame,
    DataFrame,
    ErrorFrame,
    MalformedAshError,
    NakFrame,
    ResetCode,
    RstAckFrame,
    RstFrame,
)
from emulator.codecs.ezsp.ash_actions import Action, Deliver, LinkFailed, LinkState, Write
from emulator.codecs.ezsp.ash_receiver import AshReceiver
from emulator.codecs.ezsp.ash_window import MAX_QUEUED, Outstanding, SendWindow
from emulator.core.errors import IllegalEventError

#: How long an acknowledgement waits for a DATA frame it can ride on.
T_TX_ACK_DELAY_MS: Final = 20
#: How long a "not ready" holds when it is not repeated.
T_REMOTE_NOT_READY_MS: Final = 1000
#: Time-outs in a row after which an end gives up.
ACK_TIMEOUTS: Final = 4

_CONTROL: Final = (RstFrame, RstAckFrame, ErrorFrame)
_DUMPED: Final = frozenset(
    {
        "state",
        "receiver",
        "window",
        "expected",
        "rejecting",
        "ack_due_at",
        "not_ready_until",
        "code",
        "counts",
    }
)
_COUNTS: Final = ("retransmitted", "duplicates", "naks", "out_of_sequence", "bad_acknowledgements")


class AshEnd(ABC):
    """One end of a link: octets, payloads and time in, actions out.

    ``now`` is a whole number of milliseconds of any clock that never goes back. Whoever owns the
    line calls ``tick`` when ``deadline`` is reached. An acknowledgement waits 20 ms for a DATA
    frame that takes it along, so an answer that is given at once costs no frame of its own.

    Attributes:
        state: How this end stands.
        code: The last reset or error code seen or given.
        counts: What went wrong on the line, by word.

    Source:
        UG101 (ASH protocol reference) sections 3 to 6; reference zigbee-dongle.md section 2.1.
    """

    def __init__(self, window: int) -> None:
        """Take how many DATA frames this end may have unacknowledged, 1 to 7.

        Raises:
            ValueError: ``window`` is out of range.
        """
        self.state = LinkState.DOWN
        self.code: int = ResetCode.UNKNOWN
        self.counts = dict.fromkeys(_COUNTS, 0)
        self._receiver = AshReceiver()
        self._window = SendWindow(window)
        self._expected = 0
        self._rejecting = False
        self._ack_due_at: int | None = None
        self._not_ready_until: int | None = None

    @property
    def room(self) -> int:
        """How many more payloads may be handed over."""
        return self._window.room

    @property
    def idle(self) -> bool:
        """Everything handed over has been acknowledged, and nothing is owed."""
        return not self._window.unacknowledged and self._ack_due_at is None

    @property
    def unacknowledged(self) -> int:
        """Payloads handed over and not acknowledged yet."""
        return self._window.unacknowledged

    @property
    def t_rx_ack_ms(self) -> int:
        """How long an acknowledgement is waited for at present."""
        return self._window.t_rx_ack_ms

    @property
    def refused(self) -> int:
        """How often octets between two flags were no frame."""
        return self._receiver.refused

    @property
    def kept_bytes(self) -> int:
        """Octets of an unfinished frame."""
        return self._receiver.kept_bytes

    @property
    def deadline(self) -> int | None:
        """When ``tick`` has something to do; None: never."""
        first = self._window.timeout_at
        for at in (self._ack_due_at, self._not_ready_until):
            if at is not None and (first is None or at < first):
                first = at
        return first

    def send(self, payload: bytes, now: int, *, callback: bool = False) -> list[Write]:
        """Hand over an EZSP frame for the other end.

        Args:
            payload: 3 to 220 octets.
            now: Milliseconds.
            callback: It may be held while the other end is not ready, and be overtaken by others.

        Raises:
            IllegalEventError: The link does not stand, or too much waits already (see ``room``).
            ValueError: ``payload`` does not fit a frame.
        """
        octets = self.send_at_once(payload, now)
        if octets:
            return [Write(octets)]
        if not self.room:
            raise IllegalEventError(f"ash: {MAX_QUEUED} frames wait already")
        self._window.add(payload, callback=callback)
        return self._flush(now)

    def send_at_once(self, payload: bytes, now: int) -> bytes:
        """Hand over an EZSP frame; return its octets for the line: none if it has to wait.

        Args:
            payload: 3 to 220 octets.
            now: Milliseconds.

        Raises:
            IllegalEventError: The link does not stand.
            ValueError: ``payload`` does not fit a frame.
        """
        if self.state is not LinkState.CONNECTED:
            raise IllegalEventError(f"ash: cannot send while {self.state.value}")
        if not ash.MIN_DATA_BYTES <= len(payload) <= ash.MAX_DATA_BYTES:
            raise ValueError(f"ash: an EZSP frame has 3 to 220 octets, not {len(payload)}")
        if self._not_ready_until is not None:
            return b""
        item = self._window.at_once(payload, now)
        if item is None:
            return b""
        self._ack_due_at = None  # it rides along
        return ash.encode_data(item.number, self._expected, payload, again=False)

    def receive(self, octets: bytes, now: int) -> list[Action]:
        """Take octets of the line."""
        actions: list[Action] = []
        for found in self._receiver.feed(octets):
            if type(found) is AckFrame and self._only_acknowledges(found, now):
                continue
            if isinstance(found, MalformedAshError):
                actions += self._on_spoilt()
            else:
                actions += self._on_frame(found, now)
        return actions

    def tick(self, now: int) -> list[Action]:
        """Do what time demands; nothing when ``deadline`` lies ahead."""
        actions: list[Action] = []
        if self._not_ready_until is not None and self._not_ready_until <= now:
            self._not_ready_until = None
        timeout_at = self._window.timeout_at
        if timeout_at is not None and timeout_at <= now:
            actions += self._on_timeout(now)
        if self.state is LinkState.CONNECTED:
            actions += self._flush(now)
            if self._ack_due_at is not None and self._ack_due_at <= now:
                actions.append(self._acknowledgement())
        return actions

    def dump(self) -> State:
        """Return everything as JSON-able data; times stay times of the same clock."""
        return {
            "state": self.state.name,
            "receiver": self._receiver.dump(),
            "window": self._window.dump(),
            "expected": self._expected,
            "rejecting": self._rejecting,
            "ack_due_at": self._ack_due_at,
            "not_ready_until": self._not_ready_until,
            "code": self.code,
            "counts": dict(self.counts),
        }

    def load(self, state: Json, path: str = "ash") -> None:
        """Take over a ``dump`` of an end of the same kind.

        Raises:
            DumpedStateError: A value is missing or mistyped; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        receiver, window = AshReceiver(), SendWindow(self._window.size)
        receiver.load(dumped.raw("receiver"), f"{path}.receiver")
        window.load(dumped.raw("window"), f"{path}.window")
        counts = dumped.numbers("counts")
        if set(counts) != set(_COUNTS):
            dumped.refuse("counts", "not the counters of a link")
        kind, code = dumped.member("state", LinkState), dumped.number("code", 0, 0xFF)
        expected, rejecting = (
            dumped.number("expected", 0, ash.MODULUS - 1),
            dumped.flag("rejecting"),
        )
        due, held = (
            dumped.optional_number("ack_due_at"),
            dumped.optional_number("not_ready_until"),
        )
        self.state, self.code, self.counts = kind, code, counts
        self._receiver, self._window = receiver, window
        self._expected, self._rejecting = expected, rejecting
        self._ack_due_at, self._not_ready_until = due, held

    # What the two ends do each in their own way.

    @abstractmethod
    def _on_control(self, frame: RstFrame | RstAckFrame | ErrorFrame, now: int) -> list[Action]:
        """Take a frame that resets or fails the link."""

    def _on_ignored(self) -> list[Action]:
        """Take anything else, spoilt or not, while the link does not stand."""
        return []

    def _not_ready(self) -> bool:
        """Say whether this end asks the other to hold callbacks."""
        return False

    def _on_timeout(self, now: int) -> list[Action]:
        """Send again what was not acknowledged in time, or give up."""
        if self._window.timed_out() >= ACK_TIMEOUTS:
            return self._fail(ResetCode.ACK_TIMEOUTS)
        return [*self._retransmit(now)]

    # Frames

    def _only_acknowledges(self, frame: AckFrame, now: int) -> bool:
        """Take an acknowledgement after which there is nothing to do; False: look closer."""
        return (
            self.state is LinkState.CONNECTED
            and self._not_ready_until is None
            and not frame.not_ready
            and not self._window.queued
            and self._window.acknowledge(frame.acknowledged, now)
        )

    def _on_frame(self, frame: AshFrame, now: int) -> Sequence[Action]:
        if isinstance(frame, _CONTROL):
            return self._on_control(frame, now)
        if self.state is not LinkState.CONNECTED:
            return self._on_ignored()
        if not self._window.acknowledge(frame.acknowledged, now):
            self.counts["bad_acknowledgements"] += 1
            return self._reject()
        if isinstance(frame, DataFrame):
            actions = self._on_data(frame, now)
        else:
            self._not_ready_until = now + T_REMOTE_NOT_READY_MS if frame.not_ready else None
            actions = [] if isinstance(frame, AckFrame) else [*self._retransmit(now)]
        return [*actions, *self._flush(now)] if self._window.queued else actions

    def _on_spoilt(self) -> list[Action]:
        if self.state is not LinkState.CONNECTED:
            return self._on_ignored()
        return self._reject()

    def _on_data(self, frame: DataFrame, now: int) -> list[Action]:
        if frame.number == self._expected:
            self._expected = (self._expected + 1) % ash.MODULUS
            self._rejecting = False
            if self._ack_due_at is None:
                self._ack_due_at = now + T_TX_ACK_DELAY_MS
            return [Deliver(frame.payload)]
        if frame.retransmitted:  # its acknowledgement was lost
            self.counts["duplicates"] += 1
            return [self._acknowledgement()]
        self.counts["out_of_sequence"] += 1
        return self._reject()

    def _reject(self) -> list[Action]:
        """Ask for retransmission, once until a good DATA frame comes."""
        if self._rejecting:
            return []
        self._rejecting = True
        self.counts["naks"] += 1
        self._ack_due_at = None
        return [Write(ash.encode(NakFrame(self._expected, self._not_ready())))]

    def _acknowledgement(self) -> Action:
        self._ack_due_at = None
        return Write(ash.encode(AckFrame(self._expected, self._not_ready())))

    # Sending

    def _flush(self, now: int) -> list[Write]:
        """Send what the window allows."""
        held = self._not_ready_until is not None and now < self._not_ready_until
        return [self._data(item) for item in self._window.next_frames(now, held=held)]

    def _retransmit(self, now: int) -> list[Write]:
        """Send everything unacknowledged again."""
        items = self._window.all_again(now)
        self.counts["retransmitted"] += len(items)
        return [self._data(item) for item in items]

    def _data(self, item: Outstanding) -> Write:
        self._ack_due_at = None  # it rides along
        return Write(ash.encode_data(item.number, self._expected, item.payload, again=item.again))

    # State

    def _forget(self) -> None:
        """Start anew: numbers at 0, nothing sent, nothing owed."""
        self._window = SendWindow(self._window.size)
        self._expected = 0
        self._rejecting = False
        self._ack_due_at = None
        self._not_ready_until = None

    def _fail(self, code: int) -> list[Action]:
        """Give up until the next reset."""
        lost = self._window.unacknowledged
        self._forget()
        self.state, self.code = LinkState.FAILED, code
        return [LinkFailed(code, lost)]
