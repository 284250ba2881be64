"""The reading end of an HDLC link, as a machine without I/O and clock."""

import enum
from collections.abc import Callable, Mapping
from typing import Final

from emulator.codecs.dlms import hdlc, hdlc_parameters
from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Control, Kind, control, i_control
from emulator.codecs.dlms.hdlc_link import (
    ApduReceived,
    Arrival,
    Connected,
    Disconnected,
    Drop,
    Dropped,
    LinkSettings,
    Numbering,
    Output,
    Reason,
    Send,
    without_llc,
)
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.core.errors import IllegalEventError, MalformedFrameError


class ClientState(enum.Enum):
    """States of the client."""

    DISCONNECTED = "disconnected"
    CONNECTING = "SNRM sent"
    IDLE = "connected, nothing under way"
    WAITING = "polled, waits for the final bit"
    PAUSED = "connected, will poll again after a pause"
    DISCONNECTING = "DISC sent"


_DUMPED: Final = frozenset(
    {
        *("state", "agreed", "deadline_ms", "numbers", "now_ms", "repeats"),
        *("reply_due", "give_up_ms", "peer_busy"),
    }
)
_CONNECTED: Final = frozenset({ClientState.IDLE, ClientState.WAITING, ClientState.PAUSED})


class ClientLink:
    """One link to one server; one message and its reply at a time.

    Attributes:
        state: Where the link stands.
        agreed: Limits in force since the last UA.
        deadline_ms: When ``expire`` is due, or None.
    """

    def __init__(self, settings: LinkSettings, own: Address, peer: Address) -> None:
        self.state = ClientState.DISCONNECTED
        self.agreed = Parameters()
        self.deadline_ms: int | None = None
        self._settings = settings
        self._own = own
        self._peer = peer
        self._numbers = Numbering(self.agreed, settings.max_apdu_bytes)
        self._now_ms = 0
        self._repeats = 0
        self._reply_due = False
        self._give_up_ms = 0
        self._peer_busy = False

    # What the application asks for.

    def connect(self, now_ms: int) -> list[Output]:
        """Send SNRM, without parameters when they are the defaults.

        Raises:
            IllegalEventError: The link is not disconnected.
        """
        self._demand({ClientState.DISCONNECTED}, "connect")
        self._now_ms = now_ms
        self._repeats = 0
        return self._wait(ClientState.CONNECTING, [self._snrm()])

    def send(self, apdu: bytes, now_ms: int, *, expects_reply: bool = True) -> list[Output]:
        """Send one message; its reply comes as ``ApduReceived``.

        Raises:
            IllegalEventError: The link is not idle.
        """
        self._demand({ClientState.IDLE}, "send")
        self._begin(now_ms, reply_due=expects_reply)
        self._numbers.line_up(hdlc.LLC_COMMAND + apdu)
        return self._go_on()

    def poll(self, now_ms: int) -> list[Output]:
        """Ask whether the server has something to say; keeps an idle link alive too.

        Raises:
            IllegalEventError: The link is not idle.
        """
        self._demand({ClientState.IDLE}, "poll")
        self._begin(now_ms, reply_due=False)
        return self._wait(ClientState.WAITING, [self._rr()])

    def send_unnumbered(self, apdu: bytes) -> list[Output]:
        """Send an APDU in a UI frame, in any state; nothing answers or repeats it.

        Raises:
            ValueError: It does not fit one frame.
        """
        return [self._send(control(Kind.UI, poll=False), hdlc.LLC_COMMAND + apdu)]

    def disconnect(self, now_ms: int) -> list[Output]:
        """Send DISC.

        Raises:
            IllegalEventError: The link is disconnected, or being so.
        """
        self._demand(_CONNECTED | {ClientState.CONNECTING}, "disconnect")
        self._now_ms = now_ms
        self._repeats = 0
        return self._wait(ClientState.DISCONNECTING, [self._send(control(Kind.DISC))])

    def _demand(self, states: set[ClientState] | frozenset[ClientState], wish: str) -> None:
        if self.state not in states:
            raise IllegalEventError(f"{wish} in state {self.state.name}")

    def _begin(self, now_ms: int, *, reply_due: bool) -> None:
        self._now_ms = now_ms
        self._repeats = 0
        self._reply_due = reply_due
        self._give_up_ms = now_ms + self._settings.reply_timeout_ms

    # What the line and the clock bring.

    def receive(self, frame: Frame, now_ms: int) -> list[Output]:
        """Take one frame from the line; every state knows every frame."""
        if frame.destination != self._own or frame.source != self._peer:
            return [Dropped(Drop.NOT_FOR_US)]
        self._now_ms = now_ms
        return TRANSITIONS[self.state, frame.control.kind](self, frame)

    def expire(self, now_ms: int) -> list[Output]:
        """Note that time has passed; does nothing before ``deadline_ms``."""
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return []
        self._now_ms = now_ms
        if self.state is ClientState.IDLE:
            return self._end(Reason.INACTIVITY)
        if self.state is ClientState.PAUSED:
            if now_ms >= self._give_up_ms:
                return self._end(Reason.NO_ANSWER)
            return self._wait(ClientState.WAITING, [self._rr()])
        return self._repeat()

    def _repeat(self) -> list[Output]:
        """Say again what got no answer, as often as the settings allow."""
        self._repeats += 1
        if self._repeats > self._settings.retries:
            return self._end(Reason.NO_ANSWER)
        if self.state is ClientState.CONNECTING:
            return self._wait(self.state, [self._snrm()])
        if self.state is ClientState.DISCONNECTING:
            return self._wait(self.state, [self._send(control(Kind.DISC))])
        return self._wait(self.state, self._burst() or [self._rr()])

    # Leaving and coming back.

    def dump(self) -> State:
        """Return all that decides what this end says next, as JSON-able data."""
        return {
            "state": self.state.name,
            "agreed": hdlc_parameters.encode(self.agreed).hex(),
            "deadline_ms": self.deadline_ms,
            "numbers": self._numbers.dump(),
            "now_ms": self._now_ms,
            "repeats": self._repeats,
            "reply_due": self._reply_due,
            "give_up_ms": self._give_up_ms,
            "peer_busy": self._peer_busy,
        }

    def load(self, state: Json, path: str = "client_link") -> None:
        """Take over a ``dump`` of a link with the same settings and addresses.

        Raises:
            DumpedStateError: A value is missing, mistyped or beyond the limits; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        stands = dumped.member("state", ClientState)
        agreed = hdlc_parameters.read_dumped(dumped, "agreed")
        deadline_ms = dumped.optional_number("deadline_ms")
        if (deadline_ms is None) is not (stands is ClientState.DISCONNECTED):
            dumped.refuse("deadline_ms", f"does not go with state {stands.name}")
        numbers = Numbering(agreed, self._settings.max_apdu_bytes)
        numbers.load(dumped.raw("numbers"), f"{path}.numbers")
        now_ms, give_up_ms = dumped.number("now_ms"), dumped.number("give_up_ms")
        repeats = dumped.number("repeats", 0, self._settings.retries + 1)
        reply_due, peer_busy = dumped.flag("reply_due"), dumped.flag("peer_busy")
        self.state, self.agreed, self.deadline_ms = stands, agreed, deadline_ms
        self._numbers, self._now_ms, self._repeats = numbers, now_ms, repeats
        self._reply_due, self._give_up_ms, self._peer_busy = reply_due, give_up_ms, peer_busy

    # What the frames do.

    def _connected(self, frame: Frame) -> list[Output]:
        try:
            offered = hdlc_parameters.decode(frame.information)
        except MalformedFrameError:
            return [Dropped(Drop.BAD_PARAMETERS), *self._end(Reason.BROKEN_RULES)]
        self.agreed = hdlc_parameters.agree(self._settings.parameters, offered)
        self._numbers = Numbering(self.agreed, self._settings.max_apdu_bytes)
        self._peer_busy = False
        self._rest()
        return [Connected(self.agreed)]

    def _refused(self, frame: Frame) -> list[Output]:
        return self._end(Reason.REFUSED)

    def _peer_gone(self, frame: Frame) -> list[Output]:
        return self._end(Reason.PEER)

    def _rejected(self, frame: Frame) -> list[Output]:
        return self._end(Reason.FRAME_REJECT)

    def _disconnected(self, frame: Frame) -> list[Output]:
        return self._end(Reason.OWN)

    def _unnumbered(self, frame: Frame) -> list[Output]:
        apdu = without_llc(frame.information, hdlc.LLC_RESPONSE)
        if apdu is None:
            return [Dropped(Drop.BAD_LLC)]
        return [ApduReceived(apdu, numbered=False)]

    def _information(self, frame: Frame) -> list[Output]:
        numbers = self._numbers
        arrival = numbers.arrival(frame)
        if arrival is Arrival.REPEATED:  # an answer to an earlier poll: its final bit is stale too
            return [Dropped(Drop.REPEATED)]
        if len(frame.information) > self.agreed.receive_bytes:
            return self._end(Reason.BROKEN_RULES)
        if not numbers.acknowledge(frame.control.receive):
            return self._end(Reason.BROKEN_RULES)
        self._peer_busy = False
        arrival = numbers.take(frame)
        if arrival is Arrival.TOO_LONG:
            return self._end(Reason.BROKEN_RULES)
        out: list[Output] = []
        if arrival is Arrival.GAP:
            out.append(Dropped(Drop.OUT_OF_ORDER))
        elif arrival is Arrival.COMPLETE:
            out.append(self._message())
        lost = arrival is Arrival.GAP
        return out + (self._final(ask=lost) if frame.control.poll else self._listen())

    def _message(self) -> Output:
        apdu = without_llc(self._numbers.message, hdlc.LLC_RESPONSE)
        if apdu is None:
            return Dropped(Drop.BAD_LLC)
        self._reply_due = False
        return ApduReceived(apdu)

    def _supervisory(self, frame: Frame) -> list[Output]:
        if not self._numbers.acknowledge(frame.control.receive):
            return self._end(Reason.BROKEN_RULES)
        self._peer_busy = frame.control.kind is Kind.RNR
        return self._final() if frame.control.poll else self._listen()

    def _drop(self, frame: Frame) -> list[Output]:
        return [Dropped(Drop.NOT_EXPECTED)]

    # Parts.

    def _listen(self) -> list[Output]:
        self.deadline_ms = self._now_ms + self._settings.response_timeout_ms
        return []

    def _final(self, *, ask: bool = False) -> list[Output]:
        """Go on after a final bit: it is this end's turn again."""
        if self._now_ms >= self._give_up_ms:
            return self._end(Reason.NO_ANSWER)
        self._repeats = 0
        return self._go_on(ask=ask)

    def _go_on(self, *, ask: bool = False) -> list[Output]:
        if not self._peer_busy:
            burst = self._burst()
            if burst:
                return self._wait(ClientState.WAITING, burst)
            if ask or self._numbers.assembling:
                return self._wait(ClientState.WAITING, [self._rr()])
        if self._reply_due or not self._numbers.all_taken:
            self.state = ClientState.PAUSED
            self.deadline_ms = self._now_ms + self._settings.poll_interval_ms
            return []
        self._rest()
        return []

    def _burst(self) -> list[Output]:
        """Return the I frames that may go now, the last one with the poll bit."""
        if self._peer_busy:
            return []
        parts = self._numbers.burst()
        receive, last = self._numbers.receive_state, len(parts) - 1
        return [
            self._send(
                i_control(part.send, receive, poll=number == last),
                part.information,
                segmented=part.segmented,
            )
            for number, part in enumerate(parts)
        ]

    def _wait(self, state: ClientState, out: list[Output]) -> list[Output]:
        self.state = state
        self.deadline_ms = self._now_ms + self._settings.response_timeout_ms
        return out

    def _rest(self) -> None:
        self.state = ClientState.IDLE
        self.deadline_ms = self._now_ms + self._settings.inactivity_ms

    def _end(self, reason: Reason) -> list[Output]:
        self.state = ClientState.DISCONNECTED
        self.deadline_ms = None
        self._reply_due = False
        self._peer_busy = False
        self._numbers = Numbering(self.agreed, self._settings.max_apdu_bytes)
        return [Disconnected(reason)]

    def _snrm(self) -> Send:
        offered = self._settings.parameters
        plain = offered == Parameters()
        return self._send(control(Kind.SNRM), b"" if plain else hdlc_parameters.encode(offered))

    def _rr(self) -> Send:
        return self._send(control(Kind.RR, receive=self._numbers.receive_state))

    def _send(
        self, control_field: Control, information: bytes = b"", *, segmented: bool = False
    ) -> Send:
        frame = Frame(self._peer, self._own, control_field, information, segmented)
        return Send(hdlc.encode(frame))

    #: Frames that mean the same in every state; the rows below say what differs.
    ANYWHERE: Final[Mapping[Kind, "Handler"]] = {
        Kind.I: _drop,
        Kind.RR: _drop,
        Kind.RNR: _drop,
        Kind.SNRM: _drop,
        Kind.DISC: _drop,
        Kind.UA: _drop,
        Kind.DM: _drop,
        Kind.FRMR: _drop,
        Kind.UI: _unnumbered,
        Kind.UNKNOWN: _drop,
    }
    LOST: Final[Mapping[Kind, "Handler"]] = {Kind.DM: _peer_gone, Kind.FRMR: _rejected}
    ROWS: Final[Mapping[ClientState, Mapping[Kind, "Handler"]]] = {
        ClientState.DISCONNECTED: {},
        ClientState.CONNECTING: {Kind.UA: _connected, Kind.DM: _refused, Kind.FRMR: _rejected},
        ClientState.IDLE: LOST,
        ClientState.PAUSED: LOST,
        ClientState.WAITING: {
            **LOST,
            Kind.I: _information,
            Kind.RR: _supervisory,
            Kind.RNR: _supervisory,
        },
        ClientState.DISCONNECTING: {
            Kind.UA: _disconnected,
            Kind.DM: _disconnected,
            Kind.FRMR: _disconnected,
        },
    }


Handler = Callable[[ClientLink, Frame], list[Output]]

#: State and frame -> what the client does: the whole table.
TRANSITIONS: Final[Mapping[tuple[ClientState, Kind], Handler]] = {
    (state, kind): handler
    for state, row in ClientLink.ROWS.items()
    for kind, handler in {**ClientLink.ANYWHERE, **row}.items()
}
