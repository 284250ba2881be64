"""The CHF's ends of all tunnels: opens them, queues messages for devices, hands theirs on."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zcl import tunnel_wrapper
from emulator.codecs.zcl.tunnel_wrapper import TunnelGet, TunnelGetResponse, TunnelPut
from emulator.codecs.zcl.tunneling import (
    NO_TUNNEL,
    CloseTunnel,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelClosureNotification,
    TunnelProtocol,
    TunnelStatus,
)
from emulator.core.effects import Note, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.han.outputs import (
    CancelFrame,
    Hand,
    Micros,
    SendFrame,
    Settled,
    StartTimer,
    StopTimer,
    TunnelOutput,
)
from emulator.han.tunnel import (
    MAX_ATTEMPTS,
    MAX_TRANSFER_BYTES,
    QUEUE_MESSAGES,
    TunnelWriter,
    longest_message,
    lost,
    pause_us,
    read,
    refused,
    unsure,
)
from emulator.han.tunnel_line import Line, Sent, dump_line, load_line

Outputs = list[TunnelOutput]
_RETRY: Final = "retry"


class TunnelServer:
    """Tunnels of all devices of one HAN; each message goes out once, in order."""

    def __init__(self, lines: list[Line]) -> None:
        """Take one line for every device that may open a tunnel."""
        self.lines = {line.device: line for line in lines}
        self._writer = TunnelWriter()
        self._handle = 0
        self._next_id = 0
        self._powered = False

    @property
    def has_messages(self) -> bool:
        """Whether a message waits for any device, or is on its way to one."""
        return any(line.queue or line.sending is not None for line in self.lines.values())

    # events from the node's owner

    def power_on(self, now_us: Micros) -> Outputs:
        """The hub has power: tell those devices that listen that their tunnels are gone."""
        self._powered = True
        told: Outputs = []
        for line in self.lines.values():
            if not line.polls and line.known_id != NO_TUNNEL:
                told += self._nudge(line, now_us)
        return told

    def power_off(self) -> Outputs:
        """The hub has lost power: queues and tunnels are gone, their numbers are kept."""
        self._powered = False
        waiting = 0
        for line in self.lines.values():
            waiting += len(line.queue) + (line.sending is not None)
            line.empty()
            line.tunnel_id = line.sending = line.latest = None
            line.failures = 0
        return [lost(waiting, "power lost")] if waiting else []

    def submit(self, to: Eui64, message: bytes, now_us: Micros) -> Outputs:
        """Take a message for a device."""
        line = self.lines.get(to)
        if not self._powered:
            return []
        if line is None:
            return [refused("unknown-device", message, to=str(to))]
        wrapper_bytes = tunnel_wrapper.GET_RESPONSE_BYTES if line.polls else 0
        limit = longest_message(line.max_message_bytes, wrapper_bytes)
        if len(message) > limit:
            return [refused("too-long", message, to=str(to), limit=limit)]
        outputs = _expired(line, now_us)
        if len(line.queue) >= QUEUE_MESSAGES:
            return [*outputs, refused("queue-full", message, to=str(to), limit=QUEUE_MESSAGES)]
        line.put(message, now_us)
        return [*outputs, *self._pump(line, now_us)]

    def arrived(self, frame: ZclIndication, now_us: Micros) -> Outputs:
        """Take a frame of the Tunneling cluster."""
        line = self.lines.get(frame.source)
        outcome = read(frame)
        if isinstance(outcome, Note):
            return [outcome]
        sequence, command = outcome
        if line is None:
            return [_ignored(command, frame.source)]
        return self._command(line, command, sequence, now_us)

    def _command(self, line: Line, command: Any, sequence: int, now_us: Micros) -> Outputs:
        match command:
            case TransferData():
                return self._data(line, command, sequence, now_us)
            case RequestTunnel():
                return self._requested(line, command, sequence, now_us)
            case CloseTunnel():
                return self._released(line, command)
            case TransferDataError():
                return self._rejected(line, command, sequence, now_us)
            case _:
                return [_ignored(command, line.device)]

    def settled(self, settled: Settled, now_us: Micros) -> Outputs:
        """The transfer of a message has ended."""
        for line in self.lines.values():
            if line.sending is not None and line.handle == settled.handle:
                return self._ended(line, line.sending, settled, now_us)
        return []

    def expire(self, timer: str, now_us: Micros) -> Outputs:
        """A timer of the tunnels has run out."""
        _, _, device = timer.partition("/")
        line = self.lines[Eui64(bytes.fromhex(device))]
        return self._pump(line, now_us, paused=True) if self._powered else []

    # commands of devices

    def _requested(
        self, line: Line, command: RequestTunnel, sequence: int, now_us: Micros
    ) -> Outputs:
        status = TunnelStatus.SUCCESS
        if command.protocol is not TunnelProtocol.GB_HRGP:
            status = TunnelStatus.PROTOCOL_NOT_SUPPORTED
        elif command.flow_control:
            status = TunnelStatus.FLOW_CONTROL_NOT_SUPPORTED
        number = NO_TUNNEL
        if status is TunnelStatus.SUCCESS:
            number = self._next_id = (self._next_id + 1) % NO_TUNNEL
            line.tunnel_id = line.known_id = number
            line.failures = 0
        answer = RequestTunnelResponse(number, status, MAX_TRANSFER_BYTES)
        outputs: Outputs = [self._order(line, answer, answers=sequence)]
        if status is not TunnelStatus.SUCCESS:
            return outputs
        outputs.append(StopTimer(_timer(line)))
        if line.sending is not None:  # on a tunnel the device no longer knows
            return [*outputs, CancelFrame(line.handle)]
        return [*outputs, *self._pump(line, now_us)]

    def _released(self, line: Line, command: CloseTunnel) -> Outputs:
        if command.tunnel_id != line.tunnel_id:
            return [_ignored(command, line.device)]
        line.tunnel_id = None
        return [] if line.sending is None else [CancelFrame(line.handle)]

    def _data(self, line: Line, command: TransferData, sequence: int, now_us: Micros) -> Outputs:
        if command.tunnel_id != line.tunnel_id:
            error = TransferDataError(command.tunnel_id, TransferStatus.NO_SUCH_TUNNEL)
            return [self._order(line, error, answers=sequence)]
        if len(command.data) > MAX_TRANSFER_BYTES:
            error = TransferDataError(command.tunnel_id, TransferStatus.DATA_OVERFLOW)
            over = refused("data-overflow", command.data, limit=MAX_TRANSFER_BYTES)
            return [self._order(line, error, answers=sequence), over]
        return (
            self._wrapped(line, command.data, now_us)
            if line.polls
            else [Hand(line.device, command.data)]
        )

    def _wrapped(self, line: Line, data: bytes, now_us: Micros) -> Outputs:
        """Take what a polling device sent: a message of its own, or a GET."""
        try:
            wrapped = tunnel_wrapper.decode(data)
        except MalformedFrameError as error:
            why = (("from", str(line.device)), ("layer", error.layer), ("why", error.why))
            return [Note("tunnel_frame_discarded", why)]
        if isinstance(wrapped, TunnelPut):
            return [Hand(line.device, wrapped.message)]
        if isinstance(wrapped, TunnelGet):
            return [*_expired(line, now_us), *self._fetch(line)]
        return [_ignored(wrapped, line.device)]

    def _rejected(
        self, line: Line, command: TransferDataError, sequence: int, now_us: Micros
    ) -> Outputs:
        latest, message, whole_sent = line.latest or (-1, b"", 0)
        outputs: Outputs = []
        if latest == sequence:  # the message last acknowledged is the one it refuses
            line.latest = None
            if command.status is TransferStatus.DATA_OVERFLOW:
                return [refused("data-overflow", message, to=str(line.device))]
            if whole_sent == 1:
                line.put_back(message)
            else:
                outputs = [unsure(message, line.device)]
        if command.tunnel_id == line.tunnel_id:
            line.tunnel_id = None
        return [*outputs, *self._pump(line, now_us)]

    # what the server does

    def _ended(self, line: Line, sent: Sent, settled: Settled, now_us: Micros) -> Outputs:
        tunnel_id, sequence, message = sent
        line.sending = None
        if settled.delivered:
            line.failures = 0
            line.latest = (sequence, message, settled.whole_sent)
            return self._pump(line, now_us)
        if settled.whole_sent:
            return [unsure(message, line.device), *self._pump(line, now_us)]
        line.put_back(message)
        if line.tunnel_id != tunnel_id:  # the tunnel has changed under it: the new one will do
            return self._pump(line, now_us)
        return self._retry_later(line, now_us)

    def _retry_later(self, line: Line, now_us: Micros) -> Outputs:
        """Try again after a pause; in the end wait for the device to come by itself."""
        line.failures += 1
        if line.polls or line.failures > MAX_ATTEMPTS:
            return []
        return [StartTimer(_timer(line), now_us + pause_us(line.failures))]

    def _pump(self, line: Line, now_us: Micros, *, paused: bool = False) -> Outputs:
        """Send the next message to a device that listens, or ask it for a tunnel.

        Args:
            line: The device's line.
            now_us: The present moment.
            paused: Whether the pause behind the last failure is over.
        """
        if line.polls or line.sending is not None or not line.queue:
            return []
        if line.tunnel_id is None:
            pause_runs = 0 < line.failures <= MAX_ATTEMPTS and not paused
            return [] if pause_runs else self._nudge(line, now_us)
        return [self._send(line, line.take(), wrap=None)]

    def _fetch(self, line: Line) -> Outputs:
        """Answer a GET: with the next message, and how many wait behind it."""
        if line.sending is not None:
            return []
        if not line.queue:
            return [self._send_wrapped(line, TunnelGetResponse(0, b""))]
        message = line.take()
        return [self._send(line, message, wrap=TunnelGetResponse(len(line.queue), message))]

    def _send(self, line: Line, message: bytes, wrap: TunnelGetResponse | None) -> SendFrame:
        tunnel_id = NO_TUNNEL if line.tunnel_id is None else line.tunnel_id
        self._handle += 1
        line.handle = self._handle
        data = message if wrap is None else tunnel_wrapper.encode(wrap)
        order = self._order(line, TransferData(tunnel_id, data), handle=self._handle)
        line.sending = (tunnel_id, self._writer.sequence, message)
        return order

    def _send_wrapped(self, line: Line, wrapped: TunnelGetResponse) -> SendFrame:
        tunnel_id = NO_TUNNEL if line.tunnel_id is None else line.tunnel_id
        return self._order(line, TransferData(tunnel_id, tunnel_wrapper.encode(wrapped)))

    def _nudge(self, line: Line, now_us: Micros) -> Outputs:
        """Tell a device that its tunnel is closed, so that it asks for a new one."""
        gone = TunnelClosureNotification(line.known_id)
        return [self._order(line, gone), *self._retry_later(line, now_us)]

    def _order(
        self,
        line: Line,
        command: Any,
        *,
        answers: int | None = None,
        handle: int = 0,
    ) -> SendFrame:
        return self._writer.order(line.device, command, server=True, answers=answers, handle=handle)

    # memory

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "sequence": self._writer.sequence,
            "handle": self._handle,
            "next_id": self._next_id,
            "powered": self._powered,
            "lines": {device.hex: dump_line(line) for device, line in self.lines.items()},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._writer = TunnelWriter(state["sequence"])
        self._handle = state["handle"]
        self._next_id = state["next_id"]
        self._powered = state["powered"]
        for device, line in self.lines.items():
            load_line(line, state["lines"][device.hex])


def _expired(line: Line, now_us: Micros) -> Outputs:
    """Note the messages that have waited too long for their device."""
    expired = line.expire(now_us)
    if not expired:
        return []
    fields = (("to", str(line.device)), ("limit_s", (line.limit_us or 0) // 1_000_000))
    return [
        Note("tunnel_message_expired", (*fields, ("octets", len(message)))) for message in expired
    ]


def _timer(line: Line) -> str:
    return f"{_RETRY}/{line.device.hex}"


def _ignored(command: object, source: Eui64) -> Note:
    return Note(
        "tunnel_frame_ignored", (("from", str(source)), ("command", type(command).__name__))
    )
