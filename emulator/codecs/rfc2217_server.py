"""The serial server's end of RFC 2217, as a machine without I/O and clock."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from emulator.codecs import rfc2217
from emulator.codecs.rfc2217 import (
    Command,
    ComPort,
    Data,
    Ignored,
    LineState,
    Negotiation,
    Option,
    OptionTable,
    TelnetSplitter,
    Verb,
)

#: Octets kept for a client that asked for a pause; what comes beyond is lost, and said so.
MAX_HELD_BYTES: Final = 0x10000
_AGREEABLE: Final = frozenset({Option.BINARY, Option.SUPPRESS_GO_AHEAD, Option.COM_PORT})
_STATE_BITS: Final = 0xF0  # of a modem state: the lines, without what changed


class Parity(enum.IntEnum):
    """Values of SET-PARITY."""

    NONE = 1
    ODD = 2
    EVEN = 3
    MARK = 4
    SPACE = 5


class StopSize(enum.IntEnum):
    """Values of SET-STOPSIZE."""

    ONE = 1
    TWO = 2
    ONE_AND_A_HALF = 3


class Flow(enum.IntEnum):
    """Values of SET-CONTROL that choose outbound (or both ways') flow control."""

    NONE = 1
    XON_XOFF = 2
    HARDWARE = 3
    CARRIER = 17
    DSR = 19


class InboundFlow(enum.IntEnum):
    """Values of SET-CONTROL that choose inbound flow control."""

    NONE = 14
    XON_XOFF = 15
    HARDWARE = 16
    DTR = 18


@dataclass(frozen=True, slots=True)
class PortSettings:
    """How the serial port stands.

    Attributes:
        baud: Baud rate.
        data_bits: 5 to 8.
        parity: Parity.
        stop: Stop bits.
        flow: Outbound flow control.
        inbound_flow: Inbound flow control.
        break_on: The line is held in break.
        dtr: Data terminal ready.
        rts: Request to send.
    """

    baud: int = 9600
    data_bits: int = 8
    parity: Parity = Parity.NONE
    stop: StopSize = StopSize.ONE
    flow: Flow = Flow.NONE
    inbound_flow: InboundFlow = InboundFlow.NONE
    break_on: bool = False
    dtr: bool = True
    rts: bool = True


@dataclass(frozen=True, slots=True)
class Write:
    """Send octets to the client."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class ToPort:
    """Send octets out of the serial port."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Configure:
    """Set the serial port so."""

    settings: PortSettings


@dataclass(frozen=True, slots=True)
class PurgePort:
    """Throw away what the port has received, or has yet to transmit, or both."""

    receive: bool
    transmit: bool


@dataclass(frozen=True, slots=True)
class ClientSignature:
    """The client says who it is."""

    text: str


Output = Write | ToPort | Configure | PurgePort | ClientSignature | Ignored

#: SET-CONTROL value -> setting to change and its new value.
_SWITCHES: Final[Mapping[int, tuple[str, object]]] = {
    **{int(flow): ("flow", flow) for flow in Flow},
    **{int(flow): ("inbound_flow", flow) for flow in InboundFlow},
    5: ("break_on", True),
    6: ("break_on", False),
    8: ("dtr", True),
    9: ("dtr", False),
    11: ("rts", True),
    12: ("rts", False),
}
#: SET-CONTROL value -> the setting it belongs to or asks about.
_SUBJECTS: Final[Mapping[int, str]] = {
    0: "flow",
    4: "break_on",
    7: "dtr",
    10: "rts",
    13: "inbound_flow",
    **{value: switch[0] for value, switch in _SWITCHES.items()},
}
_ON_OFF: Final[Mapping[str, tuple[int, int]]] = {
    "break_on": (5, 6),
    "dtr": (8, 9),
    "rts": (11, 12),
}


class SerialServer:
    """One client's session with a serial port.

    Every request gets its answer, with what holds afterwards; a value that cannot be set gets the
    present one. Only FLOWCONTROL-SUSPEND and -RESUME have none: the server's own numbers of these
    would tell the client to stop.

    Attributes:
        settings: How the port stands.
        suspended: The client asked for a pause.
        line_state: Last line state told by the port.
        modem_state: Last modem state told by the port.
    """

    def __init__(
        self,
        settings: PortSettings | None = None,
        signature: str = "smetsbench",
        baud_rates: frozenset[int] | None = None,
    ) -> None:
        """Make a session.

        Args:
            settings: How the port stands; by default 9600 baud 8N1.
            signature: What the server says it is.
            baud_rates: Rates the port can do; None: any above 0.
        """
        self.settings = settings or PortSettings()
        self.suspended = False
        self.line_state = 0
        self.modem_state = 0
        self._signature = signature.encode("ascii", "replace")[:200]
        self._baud_rates = baud_rates
        self._masks = {Command.LINE_STATE_MASK: 0, Command.MODEM_STATE_MASK: 0xFF}
        self._options = OptionTable(_AGREEABLE)
        self._splitter = TelnetSplitter()
        self._held = bytearray()

    def open(self) -> list[Output]:
        """Say what the server is ready for, when a client has come."""
        wishes = [
            (verb, option)
            for option in (Option.BINARY, Option.SUPPRESS_GO_AHEAD)
            for verb in (Verb.WILL, Verb.DO)
        ]
        asked = [self._options.ask(*wish) for wish in [*wishes, (Verb.DO, Option.COM_PORT)]]
        return [Write(b"".join(rfc2217.encode(item) for item in asked))]

    def receive(self, octets: bytes) -> list[Output]:
        """Take octets of the client."""
        out: list[Output] = []
        for item in self._splitter.feed(octets):
            match item:
                case Data():
                    out.append(ToPort(item.octets))
                case Negotiation():
                    out += [Write(rfc2217.encode(said)) for said in self._options.answer(item)]
                case ComPort(from_server=True):
                    out.append(Ignored("a client that speaks as a server"))
                case ComPort():
                    out += REQUESTS[item.command](self, item)
                case Ignored():
                    out.append(item)
        return out

    def from_port(self, octets: bytes) -> list[Output]:
        """Take octets of the serial port for the client."""
        if not self.suspended:
            return [Write(rfc2217.escape(octets))] if octets else []
        room = MAX_HELD_BYTES - len(self._held)
        self._held += octets[:room]
        if len(octets) > room:
            return self.tell_line_state(self.line_state | LineState.OVERRUN)
        return []

    def tell_line_state(self, state: int) -> list[Output]:
        """Note the port's line state; the client is told what its mask lets through."""
        self.line_state = state
        shown = state & self._masks[Command.LINE_STATE_MASK]
        return self._notify(Command.NOTIFY_LINE_STATE, shown) if shown else []

    def tell_modem_state(self, lines: int) -> list[Output]:
        """Note the port's modem lines (upper four bits); changes are worked out and told."""
        lines &= _STATE_BITS
        changed = (lines ^ self.modem_state) & _STATE_BITS
        deltas = changed >> 4 & 0b1011 | (self.modem_state & ~lines & 0x40) >> 4
        self.modem_state = lines
        shown = (lines | deltas) & self._masks[Command.MODEM_STATE_MASK]
        visible = changed & self._masks[Command.MODEM_STATE_MASK]
        return self._notify(Command.NOTIFY_MODEM_STATE, shown) if visible else []

    # Requests.

    def _say_signature(self, request: ComPort) -> list[Output]:
        if request.value:
            return [ClientSignature(request.value.decode("ascii", "replace"))]
        return [self._reply(request, self._signature)]

    def _set_baud(self, request: ComPort) -> list[Output]:
        baud = int.from_bytes(request.value, "big")
        possible = baud > 0 if self._baud_rates is None else baud in self._baud_rates
        out = self._change("baud", baud) if possible else []
        return [*out, self._reply(request, self.settings.baud.to_bytes(4, "big"))]

    def _set_data_size(self, request: ComPort) -> list[Output]:
        bits = request.value[0]
        out = self._change("data_bits", bits) if 5 <= bits <= 8 else []
        return [*out, self._reply(request, bytes((self.settings.data_bits,)))]

    def _set_parity(self, request: ComPort) -> list[Output]:
        value = request.value[0]
        out = self._change("parity", Parity(value)) if 1 <= value <= 5 else []
        return [*out, self._reply(request, bytes((self.settings.parity,)))]

    def _set_stop(self, request: ComPort) -> list[Output]:
        value = request.value[0]
        out = self._change("stop", StopSize(value)) if 1 <= value <= 3 else []
        return [*out, self._reply(request, bytes((self.settings.stop,)))]

    def _set_control(self, request: ComPort) -> list[Output]:
        value = request.value[0]
        out: list[Output] = []
        if value in _SWITCHES:
            out = self._change(*_SWITCHES[value])
        return [*out, self._reply(request, bytes((self._control_value(value),)))]

    def _control_value(self, asked: int) -> int:
        subject = _SUBJECTS.get(asked, "flow")
        present = getattr(self.settings, subject)
        on_off = _ON_OFF.get(subject)
        return int(present) if on_off is None else on_off[0 if present else 1]

    def _poll_line(self, request: ComPort) -> list[Output]:
        return self._notify(Command.NOTIFY_LINE_STATE, self.line_state)

    def _poll_modem(self, request: ComPort) -> list[Output]:
        return self._notify(Command.NOTIFY_MODEM_STATE, self.modem_state)

    def _suspend(self, request: ComPort) -> list[Output]:
        self.suspended = True
        return []

    def _resume(self, request: ComPort) -> list[Output]:
        self.suspended = False
        held = bytes(self._held)
        self._held.clear()
        return [Write(rfc2217.escape(held))] if held else []

    def _set_mask(self, request: ComPort) -> list[Output]:
        self._masks[request.command] = request.value[0]
        return [self._reply(request, request.value)]

    def _purge(self, request: ComPort) -> list[Output]:
        what = request.value[0]
        reply = self._reply(request, request.value)
        if not 1 <= what <= 3:
            return [Ignored(f"nothing to purge by {what}"), reply]
        if what & 1:
            self._held.clear()
        return [PurgePort(bool(what & 1), bool(what & 2)), reply]

    # Parts.

    def _change(self, name: str, value: object) -> list[Output]:
        changed = replace(self.settings, **{name: value})  # type: ignore[arg-type]  # one field
        if changed == self.settings:
            return []
        self.settings = changed
        return [Configure(changed)]

    def _notify(self, command: Command, state: int) -> list[Output]:
        return [Write(rfc2217.encode(ComPort(command, bytes((state,)), from_server=True)))]

    def _reply(self, request: ComPort, value: bytes) -> Write:
        return Write(rfc2217.encode(ComPort(request.command, value, from_server=True)))

    ROWS: Final[Mapping[Command, "Handler"]] = {
        Command.SIGNATURE: _say_signature,
        Command.BAUD_RATE: _set_baud,
        Command.DATA_SIZE: _set_data_size,
        Command.PARITY: _set_parity,
        Command.STOP_SIZE: _set_stop,
        Command.CONTROL: _set_control,
        Command.NOTIFY_LINE_STATE: _poll_line,
        Command.NOTIFY_MODEM_STATE: _poll_modem,
        Command.FLOW_SUSPEND: _suspend,
        Command.FLOW_RESUME: _resume,
        Command.LINE_STATE_MASK: _set_mask,
        Command.MODEM_STATE_MASK: _set_mask,
        Command.PURGE: _purge,
    }


Handler = Callable[[SerialServer, ComPort], list[Output]]

#: Command -> what the server does: the whole table.
REQUESTS: Final[Mapping[Command, Handler]] = SerialServer.ROWS
