"""Telnet with the COM port control option (RFC 2217): the stream, both ways.

Octets go in as they come; plain data, negotiations and subnegotiations come out. Data is taken as
binary whatever BINARY was negotiated, because a serial line carries octets (``inferred: what
clients do``).
"""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.core.errors import MalformedFrameError

LAYER: Final = "rfc2217"
IAC: Final = 0xFF
SE: Final = 240
NOP: Final = 241
SB: Final = 250
#: A subnegotiation is longest with a signature; more is not kept.
MAX_SUBNEGOTIATION_BYTES: Final = 256
#: Added to a command's number in what the server sends.
SERVER_OFFSET: Final = 100


class Verb(enum.IntEnum):
    """The four telnet negotiations."""

    WILL = 251
    WONT = 252
    DO = 253
    DONT = 254


class Option(enum.IntEnum):
    """The telnet options a serial server agrees to."""

    BINARY = 0
    ECHO = 1
    SUPPRESS_GO_AHEAD = 3
    COM_PORT = 44


class Command(enum.IntEnum):
    """COM port commands, by the client's numbers."""

    SIGNATURE = 0
    BAUD_RATE = 1
    DATA_SIZE = 2
    PARITY = 3
    STOP_SIZE = 4
    CONTROL = 5
    NOTIFY_LINE_STATE = 6
    NOTIFY_MODEM_STATE = 7
    FLOW_SUSPEND = 8
    FLOW_RESUME = 9
    LINE_STATE_MASK = 10
    MODEM_STATE_MASK = 11
    PURGE = 12


class LineState(enum.IntFlag):
    """Bits of NOTIFY-LINESTATE."""

    DATA_READY = 1
    OVERRUN = 2
    PARITY_ERROR = 4
    FRAMING_ERROR = 8
    BREAK = 16
    TRANSMIT_HOLDING_EMPTY = 32
    TRANSMIT_SHIFT_EMPTY = 64
    TIMEOUT = 128


class ModemState(enum.IntFlag):
    """Bits of NOTIFY-MODEMSTATE: the lines above, what changed below."""

    CTS_CHANGED = 1
    DSR_CHANGED = 2
    RING_ENDED = 4
    CARRIER_CHANGED = 8
    CTS = 16
    DSR = 32
    RING = 64
    CARRIER = 128


@dataclass(frozen=True, slots=True)
class Data:
    """Octets of the serial line, as they are there."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Negotiation:
    """WILL, WONT, DO or DONT an option; any number may be asked for."""

    verb: Verb
    option: int


@dataclass(frozen=True, slots=True)
class ComPort:
    """One COM port subnegotiation.

    Attributes:
        command: Which.
        value: Its octets, not escaped.
        from_server: It carries the server's number (command + 100).
    """

    command: Command
    value: bytes
    from_server: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something well framed that is not for here, or badly framed and passed over."""

    why: str


Item = Data | Negotiation | ComPort | Ignored

_SIZES: Final[dict[Command, frozenset[int]]] = {
    Command.BAUD_RATE: frozenset({4}),
    Command.NOTIFY_LINE_STATE: frozenset({0, 1}),  # empty: a client polls
    Command.NOTIFY_MODEM_STATE: frozenset({0, 1}),
    Command.FLOW_SUSPEND: frozenset({0}),
    Command.FLOW_RESUME: frozenset({0}),
}
_ONE: Final = frozenset({1})


def escape(octets: bytes) -> bytes:
    """Return data as telnet sends it: each 0xFF twice."""
    return octets.replace(b"\xff", b"\xff\xff")


def encode(item: Data | Negotiation | ComPort) -> bytes:
    """Write one item of the stream.

    Raises:
        ValueError: A value has a length its command does not allow.

    Source:
        RFC 854 and 855 (negotiation, escaping), RFC 2217 sections 2 to 5; known.
    """
    if isinstance(item, Data):
        return escape(item.octets)
    if isinstance(item, Negotiation):
        return bytes((IAC, item.verb, item.option))
    if not _size_fits(item.command, len(item.value)):
        raise ValueError(f"{item.command.name} cannot have {len(item.value)} octets")
    number = item.command + (SERVER_OFFSET if item.from_server else 0)
    return bytes((IAC, SB, Option.COM_PORT, number)) + escape(item.value) + bytes((IAC, SE))


def decode_subnegotiation(data: bytes) -> ComPort:
    """Read what stands between SB and SE, unescaped.

    Raises:
        MalformedFrameError: Another option, an unknown command, or a length it does not allow.
    """
    if len(data) < 2 or data[0] != Option.COM_PORT:
        raise MalformedFrameError(LAYER, data, "not a COM port subnegotiation", 0)
    from_server = data[1] >= SERVER_OFFSET
    number = data[1] - (SERVER_OFFSET if from_server else 0)
    try:
        command = Command(number)
    except ValueError:
        raise MalformedFrameError(LAYER, data, f"no COM port command {data[1]}", 1) from None
    if not _size_fits(command, len(data) - 2):
        why = f"{command.name} with {len(data) - 2} octets"
        raise MalformedFrameError(LAYER, data, why, 2)
    return ComPort(command, data[2:], from_server)


def _size_fits(command: Command, size: int) -> bool:
    if command is Command.SIGNATURE:
        return size <= MAX_SUBNEGOTIATION_BYTES - 2
    return size in _SIZES.get(command, _ONE)


class _At(enum.Enum):
    """Where in the stream the splitter stands."""

    DATA = 0
    COMMAND = 1  # after IAC
    OPTION = 2  # after IAC and a verb
    INSIDE = 3  # in a subnegotiation
    INSIDE_COMMAND = 4  # after IAC in a subnegotiation


class TelnetSplitter:
    """Takes a telnet stream apart; nothing in it raises, and it keeps 256 octets at most."""

    def __init__(self) -> None:
        self._at = _At.DATA
        self._verb = Verb.WILL
        self._inside = bytearray()
        self._too_long = False
        self._data = bytearray()
        self._items: list[Item] = []

    @property
    def kept_bytes(self) -> int:
        """Octets of an unfinished subnegotiation."""
        return len(self._inside)

    def feed(self, octets: bytes) -> list[Item]:
        """Take more octets; return what they hold, in order."""
        position = 0
        while position < len(octets):
            if self._at is _At.DATA:  # data by the stretch, the rest octet by octet
                found = octets.find(IAC, position)
                end = len(octets) if found < 0 else found
                self._data += octets[position:end]
                position = end + 1
                if found >= 0:
                    self._at = _At.COMMAND
                continue
            self._step(octets[position])
            position += 1
        self._flush()
        items, self._items = self._items, []
        return items

    def _step(self, octet: int) -> None:
        if self._at is _At.INSIDE:
            if octet == IAC:
                self._at = _At.INSIDE_COMMAND
            else:
                self._keep(octet)
        elif self._at is _At.INSIDE_COMMAND:
            self._inside_command(octet)
        elif self._at is _At.OPTION:
            self._at = _At.DATA
            self._add(Negotiation(self._verb, octet))
        else:
            self._command(octet)

    def _command(self, octet: int) -> None:
        self._at = _At.DATA
        if octet == IAC:
            self._data.append(IAC)
        elif octet >= Verb.WILL:
            self._verb = Verb(octet)
            self._at = _At.OPTION
        elif octet == SB:
            self._at = _At.INSIDE
            self._inside.clear()
            self._too_long = False
        elif octet != NOP:
            self._add(Ignored(f"telnet command {octet}"))

    def _inside_command(self, octet: int) -> None:
        if octet == IAC:
            self._at = _At.INSIDE
            self._keep(IAC)
            return
        data, too_long = bytes(self._inside), self._too_long
        self._inside.clear()
        if octet != SE:  # broken off; the command itself still counts
            self._add(Ignored("a subnegotiation broken off"))
            self._command(octet)
            return
        self._at = _At.DATA
        if too_long:
            self._add(Ignored("a subnegotiation that is too long"))
            return
        try:
            self._add(decode_subnegotiation(data))
        except MalformedFrameError as error:
            self._add(Ignored(error.why))

    def _keep(self, octet: int) -> None:
        if len(self._inside) < MAX_SUBNEGOTIATION_BYTES:
            self._inside.append(octet)
        else:
            self._too_long = True

    def _add(self, item: Item) -> None:
        self._flush()
        self._items.append(item)

    def _flush(self) -> None:
        if self._data:
            self._items.append(Data(bytes(self._data)))
            self._data.clear()


class OptionTable:
    """Which options are on, ours and the peer's; answers only what changes something.

    Each option may be on in each direction apart. Answering a confirmation again would never end
    (RFC 1143), so what we asked for ourselves is remembered.
    """

    def __init__(self, agreeable: frozenset[int]) -> None:
        self._agreeable = agreeable
        self._ours: set[int] = set()
        self._theirs: set[int] = set()
        self._asked: set[tuple[bool, int]] = set()

    def is_on(self, option: int) -> bool:
        """Say whether ``option`` is on in either direction."""
        return option in self._ours or option in self._theirs

    def ask(self, verb: Verb, option: int) -> Negotiation:
        """Return a WILL or DO of our own to send."""
        self._asked.add((verb is Verb.WILL, option))
        return Negotiation(verb, option)

    def answer(self, heard: Negotiation) -> list[Negotiation]:
        """Take the peer's negotiation; return what to send, nothing when all is said."""
        about_us = heard.verb in {Verb.DO, Verb.DONT}
        on, off = (Verb.WILL, Verb.WONT) if about_us else (Verb.DO, Verb.DONT)
        state = self._ours if about_us else self._theirs
        option = heard.option
        asked = (about_us, option) in self._asked
        self._asked.discard((about_us, option))
        if heard.verb in {Verb.DONT, Verb.WONT}:
            was_on = option in state
            state.discard(option)
            return [Negotiation(off, option)] if was_on and not asked else []
        if option in state:
            return []
        if option not in self._agreeable:
            return [Negotiation(off, option)]
        state.add(option)
        return [] if asked else [Negotiation(on, option)]
