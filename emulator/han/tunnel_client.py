"""A device's end of its tunnel to the CHF: opens it, keeps it, moves messages through it."""

import enum
from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zcl import tunnel_wrapper
from emulator.codecs.zcl.tunnel_wrapper import TunnelGet, TunnelGetResponse, TunnelPut
from emulator.codecs.zcl.tunneling import (
    CloseTunnel,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelClosureNotification,
    TunnelStatus,
)
from emulator.core.effects import Note, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.han.outputs import (
    CancelFrame,
    Hand,
    Micros,
    Settled,
    StartTimer,
    StopTimer,
    TunnelOutput,
)
from emulator.han.tunnel import (
    ANSWER_WAIT_US,
    MAX_TRANSFER_BYTES,
    POLL_US,
    QUEUE_MESSAGES,
    TunnelWriter,
    longest_message,
    lost,
    pause_us,
    read,
    refused,
    unsure,
)

Outputs = list[TunnelOutput]
_OPEN_TIMER: Final = "open"
_GET_TIMER: Final = "get"
_RESEND_TIMER: Final = "resend"


class TunnelState(enum.StrEnum):
    """Where the client stands with its tunnel."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"


class TunnelClient:
    """One tunnel, one message on its way at a time; delivers none twice.

    A device that polls (GSME, sleepy devices) wraps its messages (PUT) and fetches those for it
    (GET) whenever its receiver is on; the others take Transfer Data at any time.
    """

    def __init__(self, server: Eui64, *, polls: bool, sleepy: bool, max_message_bytes: int) -> None:
        """Take the CHF's EUI-64, the device's habits and its longest message."""
        self.server = server
        self.polls = polls
        self.sleepy = sleepy
        self.max_message_bytes = max_message_bytes
        self.state = TunnelState.CLOSED
        self.tunnel_id: int | None = None
        self._powered = False
        self._awake = False
        self._queue: list[bytes] = []
        self._sending: tuple[int, bytes] | None = None  # transaction, message
        self._handle = 0
        self._latest: tuple[int, bytes, int] | None = None  # transaction, message, times sent
        self._get_pending = False
        self._failures = 0
        self._request_sequence = -1
        self._writer = TunnelWriter()

    @property
    def is_open(self) -> bool:
        """Whether it has its tunnel."""
        return self.state is TunnelState.OPEN

    @property
    def has_messages(self) -> bool:
        """Whether a message waits, or is on its way."""
        return bool(self._queue) or self._sending is not None

    # events from the node's owner

    def power_on(self, now_us: Micros) -> Outputs:
        """The device has power; one that never sleeps opens its tunnel."""
        self._powered = True
        self._awake = not self.sleepy
        return self._open(now_us) if self._awake else []

    def power_off(self) -> Outputs:
        """The device has lost power: only the tunnel's number is remembered, to close it."""
        waiting = len(self._queue) + (self._sending is not None)
        self._queue.clear()
        self._sending = self._latest = None
        self._powered = self._awake = self._get_pending = False
        self._failures = 0
        self.state = TunnelState.CLOSED
        return [lost(waiting, "power lost")] if waiting else []

    def radio(self, *, awake: bool, now_us: Micros) -> Outputs:
        """The receiver was switched on or off."""
        if not self._powered or awake == self._awake:
            return []
        self._awake = awake
        if not awake:
            return self._fall_asleep()
        self._failures = 0
        return self._work(now_us) if self.state is TunnelState.OPEN else self._open(now_us)

    def submit(self, message: bytes) -> Outputs:
        """Take a message of the device for the CHF."""
        if not self._powered:
            return []
        wrapper_bytes = tunnel_wrapper.PUT_BYTES if self.polls else 0
        limit = longest_message(self.max_message_bytes, wrapper_bytes)
        if len(message) > limit:
            return [refused("too-long", message, limit=limit)]
        if len(self._queue) >= QUEUE_MESSAGES:
            return [refused("queue-full", message, limit=QUEUE_MESSAGES)]
        self._queue.append(message)
        return self._pump()

    def arrived(self, frame: ZclIndication, now_us: Micros) -> Outputs:
        """Take a frame of the Tunneling cluster."""
        outcome = read(frame)
        if isinstance(outcome, Note):
            return [outcome]
        sequence, command = outcome
        match command:
            case TransferData():
                return self._data(command, sequence, now_us)
            case RequestTunnelResponse():
                return self._answered(command, sequence, now_us)
            case TransferDataError():
                return self._rejected(command, sequence, now_us)
            case TunnelClosureNotification():
                return self._closed(command, now_us)
            case _:
                return [_ignored(command)]

    def settled(self, settled: Settled, now_us: Micros) -> Outputs:
        """The transfer of a message has ended."""
        if self._sending is None or settled.handle != self._handle:
            return []
        sequence, message = self._sending
        self._sending = None
        if settled.delivered:
            self._failures = 0
            self._latest = (sequence, message, settled.whole_sent)
            return self._pump()
        if settled.whole_sent:
            return [unsure(message, self.server), *self._pump()]
        self._queue.insert(0, message)
        self._failures += 1
        if not self._awake:
            return []
        return [StartTimer(_RESEND_TIMER, now_us + pause_us(self._failures))]

    def expire(self, timer: str, now_us: Micros) -> Outputs:
        """A timer of the tunnel has run out."""
        if not self._powered or not self._awake:
            return []
        if timer == _RESEND_TIMER:
            return self._pump()
        if timer == _GET_TIMER:
            self._get_pending = False
            return self._get(now_us)
        if self.state is TunnelState.OPENING:
            self.state = TunnelState.CLOSED
            self._failures += 1
            return [StartTimer(_OPEN_TIMER, now_us + pause_us(self._failures))]
        return self._open(now_us) if self.state is TunnelState.CLOSED else []

    # commands of the CHF

    def _answered(self, command: RequestTunnelResponse, sequence: int, now_us: Micros) -> Outputs:
        late = self.state is TunnelState.CLOSED and self._awake  # nothing newer was asked
        if not (late or self.state is TunnelState.OPENING) or sequence != self._request_sequence:
            return [_ignored(command)]
        if command.status is not TunnelStatus.SUCCESS:
            self.state = TunnelState.CLOSED
            self._failures += 1
            why = Note("tunnel_refused", (("status", command.status.name),))
            return [why, StartTimer(_OPEN_TIMER, now_us + pause_us(self._failures))]
        self.state = TunnelState.OPEN
        self.tunnel_id = command.tunnel_id
        self._failures = 0
        opened = Note("tunnel_opened", (("tunnel", command.tunnel_id),))
        return [StopTimer(_OPEN_TIMER), opened, *self._work(now_us)]

    def _data(self, command: TransferData, sequence: int, now_us: Micros) -> Outputs:
        if self.state is not TunnelState.OPEN or command.tunnel_id != self.tunnel_id:
            return [self._error(command, TransferStatus.NO_SUCH_TUNNEL, sequence)]
        if not self.polls:
            return self._message(command, command.data, sequence)
        try:
            wrapped = tunnel_wrapper.decode(command.data)
        except MalformedFrameError as error:
            return [Note("tunnel_frame_discarded", (("layer", error.layer), ("why", error.why)))]
        if not isinstance(wrapped, TunnelGetResponse):
            return [_ignored(wrapped)]
        self._get_pending = False
        taken = self._message(command, wrapped.message, sequence) if wrapped.message else []
        if wrapped.remaining:
            return [*taken, *self._get(now_us)]
        return [*taken, StartTimer(_GET_TIMER, now_us + POLL_US)]

    def _message(self, command: TransferData, message: bytes, sequence: int) -> Outputs:
        if len(message) > self.max_message_bytes:
            over = refused("data-overflow", message, limit=self.max_message_bytes)
            return [self._error(command, TransferStatus.DATA_OVERFLOW, sequence), over]
        return [Hand(self.server, message)]

    def _rejected(self, command: TransferDataError, sequence: int, now_us: Micros) -> Outputs:
        if self.state is not TunnelState.OPEN or command.tunnel_id != self.tunnel_id:
            return [_ignored(command)]
        latest, message, whole_sent = self._latest or (-1, b"", 0)
        outputs: Outputs = []
        if latest == sequence:  # the message last acknowledged is the one it refuses
            self._latest = None
            if command.status is TransferStatus.DATA_OVERFLOW:
                return [refused("data-overflow", message)]
            if whole_sent == 1:
                self._queue.insert(0, message)
            else:
                outputs = [unsure(message, self.server)]
        return [*outputs, *self._reopen(now_us)]

    def _closed(self, command: TunnelClosureNotification, now_us: Micros) -> Outputs:
        if self.state is TunnelState.OPENING:
            return [_ignored(command)]
        if self.state is TunnelState.OPEN and command.tunnel_id != self.tunnel_id:
            return [_ignored(command)]
        return self._reopen(now_us)

    # what the client does

    def _open(self, now_us: Micros) -> Outputs:
        """Ask for a tunnel; close the one from before, if there was one."""
        outputs: Outputs = []
        if self.tunnel_id is not None:
            close = CloseTunnel(self.tunnel_id)
            outputs.append(self._writer.order(self.server, close, server=False))
            self.tunnel_id = None
        request = RequestTunnel(max_incoming_bytes=MAX_TRANSFER_BYTES)
        outputs.append(self._writer.order(self.server, request, server=False))
        self._request_sequence = self._writer.sequence
        self.state = TunnelState.OPENING
        self._get_pending = False
        return [*outputs, StartTimer(_OPEN_TIMER, now_us + ANSWER_WAIT_US)]

    def _reopen(self, now_us: Micros) -> Outputs:
        """The CHF does not know our tunnel: ask for another (there is nothing to close)."""
        self.state = TunnelState.CLOSED
        self.tunnel_id = None
        cancelled: Outputs = [] if self._sending is None else [CancelFrame(self._handle)]
        stopped = [StopTimer(_GET_TIMER), StopTimer(_RESEND_TIMER)]
        return [*stopped, *cancelled, *(self._open(now_us) if self._awake else [])]

    def _fall_asleep(self) -> Outputs:
        self._get_pending = False
        if self.state is TunnelState.OPENING:
            self.state = TunnelState.CLOSED
        cancelled: Outputs = [] if self._sending is None else [CancelFrame(self._handle)]
        timers = (_OPEN_TIMER, _GET_TIMER, _RESEND_TIMER)
        return [*cancelled, *(StopTimer(name) for name in timers)]

    def _work(self, now_us: Micros) -> Outputs:
        return [*self._pump(), *(self._get(now_us) if self.polls else [])]

    def _pump(self) -> Outputs:
        ready = self.state is TunnelState.OPEN and self._awake and self._sending is None
        if not ready or not self._queue or self.tunnel_id is None:
            return []
        message = self._queue.pop(0)
        self._handle += 1
        data = tunnel_wrapper.encode(TunnelPut(message)) if self.polls else message
        transfer = TransferData(self.tunnel_id, data)
        order = self._writer.order(self.server, transfer, server=False, handle=self._handle)
        self._sending = (self._writer.sequence, message)
        return [order]

    def _get(self, now_us: Micros) -> Outputs:
        ready = self.state is TunnelState.OPEN and self._awake and not self._get_pending
        if not ready or not self.polls or self.tunnel_id is None:
            return []
        self._get_pending = True
        get = TransferData(self.tunnel_id, tunnel_wrapper.encode(TunnelGet()))
        order = self._writer.order(self.server, get, server=False)
        return [order, StartTimer(_GET_TIMER, now_us + ANSWER_WAIT_US)]

    def _error(self, command: TransferData, status: TransferStatus, sequence: int) -> TunnelOutput:
        error = TransferDataError(command.tunnel_id, status)
        return self._writer.order(self.server, error, server=False, answers=sequence)

    # memory

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "state": self.state.value,
            "tunnel_id": self.tunnel_id,
            "powered": self._powered,
            "awake": self._awake,
            "queue": list(self._queue),
            "sending": None if self._sending is None else list(self._sending),
            "handle": self._handle,
            "latest": None if self._latest is None else list(self._latest),
            "get_pending": self._get_pending,
            "failures": self._failures,
            "request": self._request_sequence,
            "sequence": self._writer.sequence,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self.state = TunnelState(state["state"])
        self.tunnel_id = state["tunnel_id"]
        self._powered = state["powered"]
        self._awake = state["awake"]
        self._queue = list(state["queue"])
        sending, latest = state["sending"], state["latest"]
        self._sending = None if sending is None else (sending[0], sending[1])
        self._handle = state["handle"]
        self._latest = None if latest is None else (latest[0], latest[1], latest[2])
        self._get_pending = state["get_pending"]
        self._failures = state["failures"]
        self._request_sequence = state["request"]
        self._writer = TunnelWriter(state["sequence"])


def _ignored(command: object) -> Note:
    return Note("tunnel_frame_ignored", (("command", type(command).__name__),))
