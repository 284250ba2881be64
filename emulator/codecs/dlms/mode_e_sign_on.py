"""Both ends of an IEC 62056-21 opening, as machines without I/O and clock.

Octets go in and out as an 8N1 line carries them, parity bit included. Where the baud rate changes
is as one maker's manual of mode E has it: after the option select, so that the meter's
confirmation comes at the new rate, still 7E1; HDLC (8N1) begins after it.
"""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import mode_e
from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.dlms.mode_e import Identification, OptionSelect, SignOn
from emulator.core.errors import IllegalEventError, MalformedFrameError

#: Longest wait between two messages of an opening.
ANSWER_MS: Final = 1_500
#: SOH B0 ETX BCC: the break message, which ends a programming session.
BREAK: Final = b"\x01B0\x03q"
_MAX_MESSAGE_BYTES: Final = 64
_MAX_READ_OUT_BYTES: Final = 0x10000
_METER: Final = frozenset({"state", "deadline_ms", "line"})
_READER: Final = frozenset({"state", "deadline_ms", "left", "baud", "confirmation", "kept"})


@dataclass(frozen=True, slots=True)
class Transmit:
    """Put octets on the line at ``baud``."""

    octets: bytes
    baud: int


@dataclass(frozen=True, slots=True)
class Opened:
    """Mode E stands: HDLC, 8N1, at ``baud`` from now on."""

    baud: int


@dataclass(frozen=True, slots=True)
class Listen:
    """Reader: receive at ``baud`` from now on, still 7E1."""

    baud: int


@dataclass(frozen=True, slots=True)
class Identified:
    """Reader: the meter's identification, whatever comes of it."""

    identification: Identification


@dataclass(frozen=True, slots=True)
class ReadOut:
    """Reader: the whole data block of a mode C read-out."""

    block: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Reader: nothing came of it."""

    why: str


Output = Transmit | Opened | Listen | Identified | ReadOut | Failed


class MeterState(enum.Enum):
    """States of the meter's end."""

    LISTENING = "waits for a request"
    IDENTIFIED = "waits for the option select"
    OPENED = "HDLC has the line"


class MeterSignOn:
    """The meter's end: answers requests, opens mode E, reads out in mode C.

    Attributes:
        state: Where it stands.
        deadline_ms: When ``expire`` is due, or None.
    """

    def __init__(
        self, identification: Identification, address: str = "", block: str | None = None
    ) -> None:
        """Make the meter's end.

        Args:
            identification: What it says it is; offers HDLC by ``enhanced`` "2".
            address: Its device address; requests with another one are not for it.
            block: Data block of its read-out, or None when it has none.
        """
        self.state = MeterState.LISTENING
        self.deadline_ms: int | None = None
        self._identification = identification
        self._address = address.lstrip("0")
        self._read_out = None if block is None else mode_e.encode_read_out(block)
        self._line = bytearray()

    def receive(self, octets: bytes, now_ms: int) -> list[Output]:
        """Take octets of the line; after ``Opened`` they are HDLC's and not for here."""
        out: list[Output] = []
        for octet in mode_e.with_substitutes(octets):
            if self.state is MeterState.OPENED:
                break
            if octet in b"/\x06":  # what begins a message ends the noise before it
                self._line.clear()
            if len(self._line) < _MAX_MESSAGE_BYTES:
                self._line.append(octet)
            if octet == 0x0A:
                message = bytes(self._line)
                self._line.clear()
                out += self._message(message, now_ms)
        return out

    def expire(self, now_ms: int) -> list[Output]:
        """Note that time has passed: without option select a meter reads out at 300 baud.

        Source:
            IEC 62056-21 6.4.3 (mode C), known.
        """
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return []
        return self._read(mode_e.OPENING_BAUD)

    def close(self) -> None:
        """Listen anew: HDLC has left the line."""
        self.state = MeterState.LISTENING
        self.deadline_ms = None
        self._line.clear()

    def dump(self) -> State:
        """Return where it stands, as JSON-able data."""
        return {
            "state": self.state.name,
            "deadline_ms": self.deadline_ms,
            "line": self._line.hex(),
        }

    def load(self, state: Json, path: str = "sign_on") -> None:
        """Take over a ``dump`` of a meter's end made alike.

        Raises:
            DumpedStateError: A value is missing, mistyped or too long; nothing is taken.
        """
        dumped = Dumped(state, path, _METER)
        stands = dumped.member("state", MeterState)
        deadline_ms = dumped.optional_number("deadline_ms")
        if (deadline_ms is None) is (stands is MeterState.IDENTIFIED):
            dumped.refuse("deadline_ms", f"does not go with state {stands.name}")
        self._line = bytearray(dumped.octets("line", _MAX_MESSAGE_BYTES))
        self.state, self.deadline_ms = stands, deadline_ms

    def _message(self, message: bytes, now_ms: int) -> list[Output]:
        try:
            if message.startswith(b"/"):
                return self._request(SignOn.decode(message), now_ms)
            if self.state is MeterState.IDENTIFIED:
                return self._select(OptionSelect.decode(message))
        except MalformedFrameError:
            return []
        return []

    def _request(self, request: SignOn, now_ms: int) -> list[Output]:
        if request.address and request.address.lstrip("0") != self._address:
            return []
        self.state = MeterState.IDENTIFIED
        self.deadline_ms = now_ms + ANSWER_MS
        return [_transmit(self._identification.encode(), mode_e.OPENING_BAUD)]

    def _select(self, option: OptionSelect) -> list[Output]:
        baud = mode_e.BAUD_RATES.get(option.speed)
        if baud is None or baud > (self._identification.baud or mode_e.OPENING_BAUD):
            return []
        if option.opens_hdlc and self._identification.mode == "E":
            self.close()
            self.state = MeterState.OPENED
            return [_transmit(option.encode(), baud), Opened(baud)]
        if option.mode == "0" and option.protocol == "0":
            return self._read(baud)
        self.close()
        return [_transmit(BREAK, baud)]

    def _read(self, baud: int) -> list[Output]:
        self.close()
        return [] if self._read_out is None else [_transmit(self._read_out, baud)]


class ReaderState(enum.Enum):
    """States of the reader's end."""

    CLOSED = "nothing under way"
    REQUESTED = "request sent, waits for the identification"
    SELECTED = "mode E asked for, waits for the confirmation"
    READING = "read-out asked for, collects it"


class ReaderSignOn:
    """The reader's end. An optical head may echo what it sends: echoes are passed over.

    Attributes:
        state: Where it stands.
        deadline_ms: When ``expire`` is due, or None.
    """

    def __init__(self, address: str = "", *, read_out: bool = False, retries: int = 2) -> None:
        """Make the reader's end.

        Args:
            address: Device address to call; empty calls any.
            read_out: Ask for the mode C read-out even where HDLC is offered.
            retries: Requests after the first that nobody answers.
        """
        self.state = ReaderState.CLOSED
        self.deadline_ms: int | None = None
        self._request = SignOn(address).encode()
        self._wants_read_out = read_out
        self._retries = retries
        self._left = 0
        self._baud = mode_e.OPENING_BAUD
        self._confirmation = b""
        self._kept = bytearray()

    def begin(self, now_ms: int) -> list[Output]:
        """Send the request.

        Raises:
            IllegalEventError: An opening is under way.
        """
        if self.state is not ReaderState.CLOSED:
            raise IllegalEventError(f"begin in state {self.state.name}")
        self._left = self._retries
        return self._call(now_ms)

    def receive(self, octets: bytes, now_ms: int) -> list[Output]:
        """Take octets of the line."""
        out: list[Output] = []
        for octet in mode_e.with_substitutes(octets):
            if self.state is ReaderState.READING:
                out += self._collect(octet, now_ms)
            elif self.state is not ReaderState.CLOSED:
                out += self._gather(octet, now_ms)
        return out

    def expire(self, now_ms: int) -> list[Output]:
        """Note that time has passed."""
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return []
        if self.state is ReaderState.REQUESTED and self._left:
            self._left -= 1
            return self._call(now_ms)
        waited_for = self.state.value
        self._close()
        return [Failed(f"no answer: {waited_for}")]

    def dump(self) -> State:
        """Return where it stands, as JSON-able data."""
        return {
            "state": self.state.name,
            "deadline_ms": self.deadline_ms,
            "left": self._left,
            "baud": self._baud,
            "confirmation": self._confirmation.hex(),
            "kept": self._kept.hex(),
        }

    def load(self, state: Json, path: str = "sign_on") -> None:
        """Take over a ``dump`` of a reader's end made alike.

        Raises:
            DumpedStateError: A value is missing, mistyped or too long; nothing is taken.
        """
        dumped = Dumped(state, path, _READER)
        stands = dumped.member("state", ReaderState)
        deadline_ms = dumped.optional_number("deadline_ms")
        if (deadline_ms is None) is not (stands is ReaderState.CLOSED):
            dumped.refuse("deadline_ms", f"does not go with state {stands.name}")
        left, baud = dumped.number("left", 0, self._retries), dumped.number("baud", 1)
        confirmation = dumped.octets("confirmation", _MAX_MESSAGE_BYTES)
        self._kept = bytearray(dumped.octets("kept", _MAX_READ_OUT_BYTES))
        self.state, self.deadline_ms, self._left = stands, deadline_ms, left
        self._baud, self._confirmation = baud, confirmation

    def _call(self, now_ms: int) -> list[Output]:
        self.state = ReaderState.REQUESTED
        self._kept.clear()
        self.deadline_ms = now_ms + ANSWER_MS
        return [_transmit(self._request, mode_e.OPENING_BAUD)]

    def _gather(self, octet: int, now_ms: int) -> list[Output]:
        if octet in b"/\x06":
            self._kept.clear()
        if len(self._kept) < _MAX_MESSAGE_BYTES:
            self._kept.append(octet)
        if octet != 0x0A:
            return []
        message = bytes(self._kept)
        self._kept.clear()
        if self.state is ReaderState.SELECTED:
            if message != self._confirmation:
                return []
            baud = self._baud
            self._close()
            return [Opened(baud)]
        try:
            return self._identified(Identification.decode(message), now_ms)
        except MalformedFrameError:  # noise, or the echo of the request
            return []

    def _identified(self, identification: Identification, now_ms: int) -> list[Output]:
        out: list[Output] = [Identified(identification)]
        self._baud = identification.baud or mode_e.OPENING_BAUD
        self.deadline_ms = now_ms + ANSWER_MS
        mode = identification.mode
        if mode == "E" and not self._wants_read_out:
            self.state = ReaderState.SELECTED
            self._confirmation = OptionSelect("2", identification.speed, "2").encode()
            out.append(_transmit(self._confirmation, mode_e.OPENING_BAUD))
        else:
            self.state = ReaderState.READING
            if mode in "CE":  # modes A and B read out of themselves
                option = OptionSelect("0", identification.speed, "0").encode()
                out.append(_transmit(option, mode_e.OPENING_BAUD))
        if self._baud != mode_e.OPENING_BAUD:
            out.append(Listen(self._baud))
        return out

    def _collect(self, octet: int, now_ms: int) -> list[Output]:
        self.deadline_ms = now_ms + ANSWER_MS
        if not self._kept and octet != 0x02:  # echo or noise before STX
            return []
        self._kept.append(octet)
        if len(self._kept) > _MAX_READ_OUT_BYTES:
            self._close()
            return [Failed("the read-out is longer than 65536 octets")]
        if len(self._kept) < 2 or self._kept[-2] != 0x03:
            return []
        data = bytes(self._kept)
        self._close()
        try:
            return [ReadOut(mode_e.decode_read_out(data))]
        except MalformedFrameError as error:
            return [Failed(f"the read-out is damaged: {error.why}")]

    def _close(self) -> None:
        self.state = ReaderState.CLOSED
        self.deadline_ms = None
        self._kept.clear()


def _transmit(octets: bytes, baud: int) -> Transmit:
    return Transmit(mode_e.with_even_parity(octets), baud)
