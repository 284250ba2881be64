"""The client's end of RFC 2217, as a machine without I/O and clock."""

import enum
from collections import deque
from dataclasses import dataclass
from typing import Final

from emulator.codecs import rfc2217
from emulator.codecs.rfc2217 import (
    Command,
    ComPort,
    Data,
    Ignored,
    Negotiation,
    Option,
    OptionTable,
    TelnetSplitter,
    Verb,
)
from emulator.core.errors import IllegalEventError

#: How long an answer may take (milliseconds).
ANSWER_MS: Final = 3_000
_AGREEABLE: Final = frozenset(
    {Option.BINARY, Option.SUPPRESS_GO_AHEAD, Option.ECHO, Option.COM_PORT}
)
#: Commands nobody answers.
_UNANSWERED: Final = frozenset({Command.FLOW_SUSPEND, Command.FLOW_RESUME})


class ClientState(enum.Enum):
    """States of the client."""

    CLOSED = "not opened"
    NEGOTIATING = "waits for the COM port option"
    READY = "nothing is waited for"
    ASKING = "waits for an answer"
    REFUSED = "the server has no COM port option"


@dataclass(frozen=True, slots=True)
class Write:
    """Send octets to the server."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class FromPort:
    """The serial port received octets."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """The server has agreed to the COM port option."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server does not speak RFC 2217; octets still cross."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The server's answer: ``value`` is what holds now, which need not be what was ``asked``."""

    command: Command
    asked: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came to this request; the next one goes out."""

    command: Command


@dataclass(frozen=True, slots=True)
class Notified:
    """The server tells a line state or modem state (bits of ``LineState``, ``ModemState``)."""

    command: Command
    state: int


@dataclass(frozen=True, slots=True)
class Paused:
    """The server asks for a pause in sending, or ends it."""

    paused: bool


Output = Write | FromPort | Ready | Refused | Confirmed | Unanswered | Notified | Paused | Ignored


class SerialClient:
    """One session; requests go out one after the other, each when the last one was answered.

    Attributes:
        state: Where it stands.
        deadline_ms: When ``expire`` is due, or None.
    """

    def __init__(self) -> None:
        self.state = ClientState.CLOSED
        self.deadline_ms: int | None = None
        self._options = OptionTable(_AGREEABLE)
        self._splitter = TelnetSplitter()
        self._waiting: deque[ComPort] = deque()
        self._asked: ComPort | None = None

    def open(self, now_ms: int) -> list[Output]:
        """Ask for binary both ways and the COM port option.

        Raises:
            IllegalEventError: It was opened before.
        """
        if self.state is not ClientState.CLOSED:
            raise IllegalEventError(f"open in state {self.state.name}")
        self.state = ClientState.NEGOTIATING
        self.deadline_ms = now_ms + ANSWER_MS
        wishes = (
            (Verb.WILL, Option.COM_PORT),
            (Verb.WILL, Option.BINARY),
            (Verb.DO, Option.BINARY),
            (Verb.WILL, Option.SUPPRESS_GO_AHEAD),
            (Verb.DO, Option.SUPPRESS_GO_AHEAD),
        )
        asked = [self._options.ask(verb, option) for verb, option in wishes]
        return [Write(b"".join(rfc2217.encode(item) for item in asked))]

    def ask(self, command: Command, value: bytes, now_ms: int) -> list[Output]:
        """Send one request, or line it up behind the one under way.

        Raises:
            IllegalEventError: The session is not opened, or the server refused the option.
            ValueError: ``value`` has a length the command does not allow.
        """
        if self.state in {ClientState.CLOSED, ClientState.REFUSED}:
            raise IllegalEventError(f"ask in state {self.state.name}")
        request = ComPort(command, value)
        rfc2217.encode(request)
        self._waiting.append(request)
        return self._next(now_ms) if self.state is ClientState.READY else []

    def set_baud(self, baud: int, now_ms: int) -> list[Output]:
        """Ask for a baud rate; 0 asks which holds."""
        return self.ask(Command.BAUD_RATE, baud.to_bytes(4, "big"), now_ms)

    def to_port(self, octets: bytes) -> list[Output]:
        """Send octets out of the serial port.

        Raises:
            IllegalEventError: The session is not opened.
        """
        if self.state is ClientState.CLOSED:
            raise IllegalEventError("to_port in state CLOSED")
        return [Write(rfc2217.escape(octets))]

    def receive(self, octets: bytes, now_ms: int) -> list[Output]:
        """Take octets of the server."""
        out: list[Output] = []
        for item in self._splitter.feed(octets):
            match item:
                case Data():
                    out.append(FromPort(item.octets))
                case Negotiation():
                    out += self._negotiated(item, now_ms)
                case ComPort(from_server=False):
                    out.append(Ignored("a server that speaks as a client"))
                case ComPort():
                    out += self._heard(item, now_ms)
                case Ignored():
                    out.append(item)
        return out

    def expire(self, now_ms: int) -> list[Output]:
        """Note that time has passed: what was waited for will not come."""
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return []
        if self._asked is None:
            return self._refused()
        lost = Unanswered(self._asked.command)
        return [lost, *self._next(now_ms)]

    def _negotiated(self, item: Negotiation, now_ms: int) -> list[Output]:
        out: list[Output] = [Write(rfc2217.encode(said)) for said in self._options.answer(item)]
        if item.option != Option.COM_PORT:
            return out
        if self._options.is_on(Option.COM_PORT):
            if self.state is ClientState.NEGOTIATING:
                out += [Ready(), *self._next(now_ms)]
        elif item.verb is Verb.DONT and self.state is not ClientState.CLOSED:
            out += self._refused()
        return out

    def _refused(self) -> list[Output]:
        self.state = ClientState.REFUSED
        self.deadline_ms = None
        self._asked = None
        self._waiting.clear()
        return [Refused()]

    def _heard(self, item: ComPort, now_ms: int) -> list[Output]:
        asked = self._asked
        if asked is not None and item.command is asked.command:
            confirmed = Confirmed(item.command, asked.value, item.value)
            return [confirmed, *self._next(now_ms)]
        if item.command in {Command.NOTIFY_LINE_STATE, Command.NOTIFY_MODEM_STATE} and item.value:
            return [Notified(item.command, item.value[0])]
        if item.command in _UNANSWERED:
            return [Paused(item.command is Command.FLOW_SUSPEND)]
        return [Ignored(f"an answer nobody asked for: {item.command.name}")]

    def _next(self, now_ms: int) -> list[Output]:
        """Send the next request that lies ready."""
        out: list[Output] = []
        self._asked, self.state, self.deadline_ms = None, ClientState.READY, None
        while self._waiting and self._asked is None:
            request = self._waiting.popleft()
            out.append(Write(rfc2217.encode(request)))
            if request.command in _UNANSWERED or _is_own_signature(request):
                continue
            self._asked, self.state = request, ClientState.ASKING
            self.deadline_ms = now_ms + ANSWER_MS
        return out


def _is_own_signature(request: ComPort) -> bool:
    return request.command is Command.SIGNATURE and bool(request.value)
