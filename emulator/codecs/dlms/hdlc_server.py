"""The meter's end of an HDLC link, as a machine without I/O and clock."""

import enum
from collections.abc import Callable, Mapping
from typing import Final

from emulator.codecs.dlms import hdlc, hdlc_parameters
from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import (
    Control,
    Fault,
    FrameReject,
    Kind,
    control,
    i_control,
)
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
from emulator.core.errors import MalformedFrameError


class ServerState(enum.Enum):
    """States of the server: the normal disconnected mode, the normal response mode in three."""

    DISCONNECTED = "disconnected"
    READY = "waits for a message"
    ANSWERING = "has a message, the application owes its answer"
    SENDING = "has an answer the client has not wholly taken"
    REJECTED = "rejected a frame; only SNRM and DISC help"


_DUMPED: Final = frozenset(
    {"state", "agreed", "numbers", "heard_ms", "poll_held_ms", "peer_busy", "reject"}
)


class ServerLink:
    """One link to one client.

    It speaks only when polled. An I frame received again gets the stored window again; a message
    that comes while the last one is not answered and taken is refused with RNR, so that memory
    stays at one message each way.

    Attributes:
        state: Where the link stands.
        agreed: Limits in force since the last SNRM.
    """

    def __init__(self, settings: LinkSettings, own: Address, peer: Address) -> None:
        self.state = ServerState.DISCONNECTED
        self.agreed = Parameters()
        self._settings = settings
        self._own = own
        self._peer = peer
        self._numbers = Numbering(self.agreed, settings.max_apdu_bytes)
        self._heard_ms = 0
        self._poll_held_ms: int | None = None
        self._peer_busy = False
        self._reject = b""

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, or None."""
        if self.state is ServerState.DISCONNECTED:
            return None
        inactive = self._heard_ms + self._settings.inactivity_ms
        if self._poll_held_ms is None:
            return inactive
        return min(inactive, self._poll_held_ms + self._settings.hold_ms)

    def receive(self, frame: Frame, now_ms: int) -> list[Output]:
        """Take one frame from this client; every state knows every frame."""
        self._heard_ms = now_ms
        return TRANSITIONS[self.state, frame.control.kind](self, frame)

    def expire(self, now_ms: int) -> list[Output]:
        """Note that time has passed; does nothing before ``deadline_ms``."""
        deadline = self.deadline_ms
        if deadline is None or now_ms < deadline:
            return []
        if now_ms >= self._heard_ms + self._settings.inactivity_ms:
            return self._end(Reason.INACTIVITY)
        self._poll_held_ms = None
        return [self._send(control(Kind.RR, receive=self._numbers.receive_state))]

    def answer(self, apdu: bytes | None, now_ms: int) -> list[Output]:
        """Answer the message received last; None says that it gets no answer.

        Sends at once while the client's poll is held, else with its next poll.
        """
        if self.state is not ServerState.ANSWERING:
            return [Dropped(Drop.NO_QUESTION)]
        held = self._poll_held_ms is not None
        self._poll_held_ms = None
        self.state = ServerState.READY
        if apdu is not None:
            self._numbers.line_up(hdlc.LLC_RESPONSE + apdu)
            self.state = ServerState.SENDING
        self._heard_ms = max(self._heard_ms, now_ms)  # a slow application is no silence
        return self._turn() if held else []

    def notify(self, apdu: bytes) -> list[Output]:
        """Send an APDU in a UI frame, in any state and unasked (data notification).

        Raises:
            ValueError: It does not fit one frame.
        """
        return [self._send(control(Kind.UI, poll=False), hdlc.LLC_RESPONSE + apdu)]

    def close(self) -> list[Output]:
        """Leave the link without a word; later polls get DM."""
        return self._end(Reason.OWN)

    # Leaving and coming back.

    def dump(self) -> State:
        """Return all that decides what this end says next, as JSON-able data."""
        return {
            "state": self.state.name,
            "agreed": hdlc_parameters.encode(self.agreed).hex(),
            "numbers": self._numbers.dump(),
            "heard_ms": self._heard_ms,
            "poll_held_ms": self._poll_held_ms,
            "peer_busy": self._peer_busy,
            "reject": self._reject.hex(),
        }

    def load(self, state: Json, path: str = "server_link") -> None:
        """Take over a ``dump`` of a link with the same settings and addresses.

        Raises:
            DumpedStateError: A value is missing, mistyped or beyond the limits; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        stands = dumped.member("state", ServerState)
        agreed = hdlc_parameters.read_dumped(dumped, "agreed")
        numbers = Numbering(agreed, self._settings.max_apdu_bytes)
        numbers.load(dumped.raw("numbers"), f"{path}.numbers")
        heard_ms = dumped.number("heard_ms")
        poll_held_ms = dumped.optional_number("poll_held_ms")
        peer_busy, reject = dumped.flag("peer_busy"), dumped.octets("reject", 3)
        self.state, self.agreed, self._numbers = stands, agreed, numbers
        self._heard_ms, self._poll_held_ms = heard_ms, poll_held_ms
        self._peer_busy, self._reject = peer_busy, reject

    # What the frames do.

    def _connect(self, frame: Frame) -> list[Output]:
        if not frame.control.poll:
            return [Dropped(Drop.NOT_POLLED)]
        try:
            offered = hdlc_parameters.decode(frame.information)
        except MalformedFrameError:
            dropped: list[Output] = [Dropped(Drop.BAD_PARAMETERS)]
            return dropped + (self._say_dm(frame) if self.state is ServerState.DISCONNECTED else [])
        ended = self._end(Reason.NEW_CONNECTION)
        self.agreed = hdlc_parameters.agree(self._settings.parameters, offered)
        self._numbers = Numbering(self.agreed, self._settings.max_apdu_bytes)
        self.state = ServerState.READY
        ua = self._send(control(Kind.UA), hdlc_parameters.encode(self.agreed))
        return [*ended, ua, Connected(self.agreed)]

    def _disconnect(self, frame: Frame) -> list[Output]:
        if not frame.control.poll:
            return [Dropped(Drop.NOT_POLLED)]
        if frame.information:
            return self._refuse(frame, Fault.INFORMATION_NOT_ALLOWED | Fault.UNDEFINED_CONTROL)
        return [self._send(control(Kind.UA)), *self._end(Reason.PEER)]

    def _say_dm(self, frame: Frame) -> list[Output]:
        return [self._send(control(Kind.DM))] if frame.control.poll else []

    def _information(self, frame: Frame) -> list[Output]:
        if len(frame.information) > self.agreed.receive_bytes:
            return self._refuse(frame, Fault.INFORMATION_TOO_LONG)
        if not self._acknowledge(frame):
            return self._refuse(frame, Fault.INVALID_RECEIVE_NUMBER)
        self._peer_busy = False
        if self.state is not ServerState.READY:
            repeated = self._numbers.arrival(frame) is Arrival.REPEATED
            why = Drop.REPEATED if repeated else Drop.BUSY
            return [Dropped(why), *self._answer_poll(frame, busy=not repeated)]
        return self._take(frame)

    def _take(self, frame: Frame) -> list[Output]:
        arrival = self._numbers.take(frame)
        if arrival is Arrival.TOO_LONG:
            return self._refuse(frame, Fault.INFORMATION_TOO_LONG)
        if arrival is Arrival.COMPLETE:
            return self._deliver(frame)
        if arrival is Arrival.PART:
            return self._answer_poll(frame)
        why = Drop.REPEATED if arrival is Arrival.REPEATED else Drop.OUT_OF_ORDER
        return [Dropped(why), *self._answer_poll(frame)]

    def _deliver(self, frame: Frame) -> list[Output]:
        apdu = without_llc(self._numbers.message, hdlc.LLC_COMMAND)
        if apdu is None:
            return [Dropped(Drop.BAD_LLC), *self._answer_poll(frame)]
        self.state = ServerState.ANSWERING
        self._poll_held_ms = self._heard_ms if frame.control.poll else None
        return [ApduReceived(apdu)]

    def _supervisory(self, frame: Frame) -> list[Output]:
        if frame.information:
            return self._refuse(frame, Fault.INFORMATION_NOT_ALLOWED | Fault.UNDEFINED_CONTROL)
        if not self._acknowledge(frame):
            return self._refuse(frame, Fault.INVALID_RECEIVE_NUMBER)
        self._peer_busy = frame.control.kind is Kind.RNR
        return self._answer_poll(frame)

    def _unnumbered(self, frame: Frame) -> list[Output]:
        apdu = without_llc(frame.information, hdlc.LLC_COMMAND)
        if apdu is None:
            return [Dropped(Drop.BAD_LLC)]
        return [ApduReceived(apdu, numbered=False)]

    def _unknown(self, frame: Frame) -> list[Output]:
        return self._refuse(frame, Fault.UNDEFINED_CONTROL)

    def _reject_again(self, frame: Frame) -> list[Output]:
        return [self._send(control(Kind.FRMR), self._reject)] if frame.control.poll else []

    def _drop(self, frame: Frame) -> list[Output]:
        return [Dropped(Drop.NOT_EXPECTED)]

    # Parts.

    def _acknowledge(self, frame: Frame) -> bool:
        valid = self._numbers.acknowledge(frame.control.receive)
        if valid and self.state is ServerState.SENDING and self._numbers.all_taken:
            self.state = ServerState.READY
        return valid

    def _answer_poll(self, frame: Frame, *, busy: bool = False) -> list[Output]:
        if not frame.control.poll:
            return []
        self._poll_held_ms = None
        return self._turn(busy=busy)

    def _turn(self, *, busy: bool = False) -> list[Output]:
        """Speak: what is to be sent up to the window, else RR (or RNR); the last frame is final."""
        receive = self._numbers.receive_state
        burst = [] if self._peer_busy else self._numbers.burst()
        if not burst:
            return [self._send(control(Kind.RNR if busy else Kind.RR, receive=receive))]
        last = len(burst) - 1
        return [
            self._send(
                i_control(part.send, receive, poll=number == last),
                part.information,
                segmented=part.segmented,
            )
            for number, part in enumerate(burst)
        ]

    def _refuse(self, frame: Frame, faults: Fault) -> list[Output]:
        numbers = self._numbers
        self._reject = FrameReject(
            frame.control.octet, numbers.send_state, numbers.receive_state, faults
        ).encode()
        ended = self._end(Reason.FRAME_REJECT)
        self.state = ServerState.REJECTED
        return [*self._reject_again(frame), *ended]

    def _end(self, reason: Reason) -> list[Output]:
        told = self.state in {ServerState.DISCONNECTED, ServerState.REJECTED}
        self.state = ServerState.DISCONNECTED
        self._poll_held_ms = None
        self._peer_busy = False
        self._numbers = Numbering(self.agreed, self._settings.max_apdu_bytes)
        return [] if told else [Disconnected(reason)]

    def _send(
        self, control_field: Control, information: bytes = b"", *, segmented: bool = False
    ) -> Send:
        frame = Frame(self._peer, self._own, control_field, information, segmented)
        return Send(hdlc.encode(frame))

    #: What a frame does in the three connected states.
    CONNECTED: Final[Mapping[Kind, "Handler"]] = {
        Kind.SNRM: _connect,
        Kind.DISC: _disconnect,
        Kind.I: _information,
        Kind.RR: _supervisory,
        Kind.RNR: _supervisory,
        Kind.UI: _unnumbered,
        Kind.UA: _drop,
        Kind.DM: _drop,
        Kind.FRMR: _drop,
        Kind.UNKNOWN: _unknown,
    }
    #: Before a connection: polls get DM, UI frames are heard.
    UNCONNECTED: Final[Mapping[Kind, "Handler"]] = {
        Kind.SNRM: _connect,
        Kind.DISC: _say_dm,
        Kind.I: _say_dm,
        Kind.RR: _say_dm,
        Kind.RNR: _say_dm,
        Kind.UI: _unnumbered,
        Kind.UA: _drop,
        Kind.DM: _drop,
        Kind.FRMR: _drop,
        Kind.UNKNOWN: _say_dm,
    }
    #: After a rejected frame: every poll gets the FRMR again.
    AFTER_REJECT: Final[Mapping[Kind, "Handler"]] = {
        Kind.SNRM: _connect,
        Kind.DISC: _disconnect,
        Kind.I: _reject_again,
        Kind.RR: _reject_again,
        Kind.RNR: _reject_again,
        Kind.UI: _drop,
        Kind.UA: _drop,
        Kind.DM: _drop,
        Kind.FRMR: _drop,
        Kind.UNKNOWN: _reject_again,
    }


Handler = Callable[[ServerLink, Frame], list[Output]]

_ROWS: Final[Mapping[ServerState, Mapping[Kind, Handler]]] = {
    ServerState.DISCONNECTED: ServerLink.UNCONNECTED,
    ServerState.READY: ServerLink.CONNECTED,
    ServerState.ANSWERING: ServerLink.CONNECTED,
    ServerState.SENDING: ServerLink.CONNECTED,
    ServerState.REJECTED: ServerLink.AFTER_REJECT,
}
#: State and frame -> what the server does: the whole table.
TRANSITIONS: Final[Mapping[tuple[ServerState, Kind], Handler]] = {
    (state, kind): handler for state, row in _ROWS.items() for kind, handler in row.items()
}
