"""What both ends of an HDLC link share: their settings, what they put out, and the numbering.

The machines (``hdlc_server``, ``hdlc_client``) do no I/O and keep no clock: frames and the time go
in, values come out, and ``deadline_ms`` says when the owner has to call ``expire``. All times are
milliseconds of one clock that never goes back.
"""

import enum
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.dlms.hdlc import Frame
from emulator.codecs.dlms.hdlc_control import MODULUS
from emulator.codecs.dlms.hdlc_parameters import Parameters


class Reason(enum.Enum):
    """Why a link ended."""

    OWN = "this end closed it"
    PEER = "the peer closed it"
    REFUSED = "the peer would not connect"
    INACTIVITY = "nothing was heard for the inactivity time-out"
    NO_ANSWER = "the peer did not answer, repeats included"
    FRAME_REJECT = "a frame was rejected that repeating cannot cure"
    BROKEN_RULES = "the peer broke the rules of numbering, length or negotiation"
    NEW_CONNECTION = "the peer connected anew"


class Drop(enum.Enum):
    """Why a frame or a message changed nothing."""

    NOT_EXPECTED = "no such frame is expected in this state"
    NOT_POLLED = "the frame asks for an answer but carries no poll bit"
    REPEATED = "this frame was taken before"
    OUT_OF_ORDER = "a frame before this one is missing"
    BUSY = "the last message is not answered yet"
    BAD_PARAMETERS = "the parameters offered cannot be read"
    BAD_LLC = "the message has no LLC header of the other side"
    NOT_FOR_US = "no station of this address is here"
    TOO_MANY_LINKS = "no more clients can connect"
    NO_QUESTION = "nobody waits for this answer"


@dataclass(frozen=True, slots=True)
class Send:
    """Put one frame, flags included, on the line."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """The link stands; ``parameters`` are this end's limits as agreed."""

    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The link is gone."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class ApduReceived:
    """A whole APDU came, without LLC header; not ``numbered``: in a UI frame."""

    apdu: bytes
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something the peer sent was not acted upon."""

    why: Drop


Output = Send | Connected | Disconnected | ApduReceived | Dropped


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What one end offers and how long it waits.

    Attributes:
        parameters: Limits offered in the negotiation.
        max_apdu_bytes: Longest message taken together from segments.
        inactivity_ms: Silence after which the link is gone.
        response_timeout_ms: Client: how long it waits for a final bit before it repeats.
        retries: Client: repeats before it gives up.
        poll_interval_ms: Client: pause before it asks again a server that is busy or not ready.
        reply_timeout_ms: Client: longest time from a message to its reply, polls included.
        hold_ms: Server: how long it keeps a poll for the answer before it says RR instead.

    Source:
        Inactivity 120 s: reference serial-dlms.md section 6.3; the others invented.
    """

    parameters: Parameters = field(default_factory=Parameters)
    max_apdu_bytes: int = 0xFFFF
    inactivity_ms: int = 120_000
    response_timeout_ms: int = 1_500
    retries: int = 3
    poll_interval_ms: int = 200
    reply_timeout_ms: int = 60_000
    hold_ms: int = 1_000


class Arrival(enum.Enum):
    """What an I frame is to the receiving end."""

    PART = "taken, the message goes on"
    COMPLETE = "taken, the message is whole"
    REPEATED = "taken before"
    GAP = "one before it is missing"
    TOO_LONG = "the message exceeds the limit"


@dataclass(frozen=True, slots=True)
class Segment:
    """One I frame's content with its number."""

    send: int
    information: bytes
    segmented: bool


_Unsent = tuple[bytes, bool]
_NUMBERING: Final = frozenset(
    {"receive_state", "acknowledged", "stored", "unsent", "assembly", "assembling"}
)
_SEGMENT: Final = frozenset({"information", "segmented"})


class Numbering:
    """Sequence numbers, the stored window and the message under assembly of one end.

    What was sent and not acknowledged stays stored, and every turn to send begins with it: that is
    how a repeated frame gets the same answer without being carried out again.

    Attributes:
        receive_state: V(R), the number of the next I frame expected.
        message: The message just completed; valid after ``Arrival.COMPLETE``.
    """

    def __init__(self, agreed: Parameters, max_apdu_bytes: int) -> None:
        self.receive_state = 0
        self.message = b""
        self._agreed = agreed
        self._limit = max_apdu_bytes + 3  # the LLC header
        self._acknowledged = 0
        self._stored: deque[_Unsent] = deque()
        self._unsent: deque[_Unsent] = deque()
        self._assembly = bytearray()
        self._assembling = False

    @property
    def send_state(self) -> int:
        """V(S), the number of the next new I frame."""
        return (self._acknowledged + len(self._stored)) % MODULUS

    @property
    def all_taken(self) -> bool:
        """The peer has acknowledged everything there was to send."""
        return not self._stored and not self._unsent

    @property
    def assembling(self) -> bool:
        """A message has begun to arrive and is not whole."""
        return self._assembling

    def line_up(self, information: bytes) -> None:
        """Line up one message, cut into segments as agreed."""
        size = self._agreed.transmit_bytes
        for start in range(0, len(information), size):
            more = start + size < len(information)
            self._unsent.append((information[start : start + size], more))

    def acknowledge(self, receive: int) -> bool:
        """Take the peer's N(R); False when it acknowledges what was never sent."""
        count = (receive - self._acknowledged) % MODULUS
        if count > len(self._stored):
            return False
        for _ in range(count):
            self._stored.popleft()
        self._acknowledged = receive
        return True

    def burst(self) -> list[Segment]:
        """Return all that may be sent now: the stored window, then new segments to fill it."""
        while self._unsent and len(self._stored) < self._agreed.transmit_window:
            self._stored.append(self._unsent.popleft())
        return list(self._numbered())

    def _numbered(self) -> Iterator[Segment]:
        for offset, (information, segmented) in enumerate(self._stored):
            yield Segment((self._acknowledged + offset) % MODULUS, information, segmented)

    def arrival(self, frame: Frame) -> Arrival:
        """Say what an I frame is, without taking it: PART, REPEATED or GAP."""
        ahead = (frame.control.send - self.receive_state) % MODULUS
        if ahead == 0:
            return Arrival.PART
        return Arrival.GAP if ahead < self._agreed.receive_window else Arrival.REPEATED

    def take(self, frame: Frame) -> Arrival:
        """Take an I frame if its turn has come."""
        arrival = self.arrival(frame)
        if arrival is not Arrival.PART:
            return arrival
        if len(self._assembly) + len(frame.information) > self._limit:
            return Arrival.TOO_LONG
        self.receive_state = (self.receive_state + 1) % MODULUS
        self._assembly += frame.information
        self._assembling = frame.segmented
        if frame.segmented:
            return Arrival.PART
        self.message = bytes(self._assembly)
        self._assembly.clear()
        return Arrival.COMPLETE

    def dump(self) -> State:
        """Return all that decides what this end says next; ``message`` is none of it."""
        return {
            "receive_state": self.receive_state,
            "acknowledged": self._acknowledged,
            "stored": _dump_segments(self._stored),
            "unsent": _dump_segments(self._unsent),
            "assembly": self._assembly.hex(),
            "assembling": self._assembling,
        }

    def load(self, state: Json, path: str = "numbering") -> None:
        """Take over a ``dump`` made under the same limits.

        Raises:
            DumpedStateError: A value is missing, mistyped or beyond the limits; nothing is taken.
        """
        dumped = Dumped(state, path, _NUMBERING)
        receive_state = dumped.number("receive_state", 0, MODULUS - 1)
        acknowledged = dumped.number("acknowledged", 0, MODULUS - 1)
        stored = self._load_segments(dumped, "stored", self._agreed.transmit_window)
        unsent = self._load_segments(dumped, "unsent", self._limit)
        last = (unsent or stored or [(b"", False)])[-1]
        if last[1]:
            dumped.refuse("unsent", "a message without its last segment")
        assembly = dumped.octets("assembly", self._limit)
        assembling = dumped.flag("assembling")
        if assembly and not assembling:
            dumped.refuse("assembly", "octets of a message that has not begun")
        self.receive_state, self._acknowledged = receive_state, acknowledged
        self._stored, self._unsent = stored, unsent
        self._assembly, self._assembling = bytearray(assembly), assembling

    def _load_segments(self, dumped: Dumped, name: str, most: int) -> deque[_Unsent]:
        size = self._agreed.transmit_bytes
        rows = dumped.rows(name, _SEGMENT, most)
        return deque((row.octets("information", size), row.flag("segmented")) for row in rows)


def _dump_segments(segments: deque[_Unsent]) -> Json:
    return [{"information": information.hex(), "segmented": more} for information, more in segments]


#: Octets a UI frame's LLC header takes.
LLC_BYTES: Final = 3


def without_llc(information: bytes, llc: bytes) -> bytes | None:
    """Return the APDU behind the LLC header, or None when the header or the APDU is missing."""
    if len(information) <= LLC_BYTES or information[:LLC_BYTES] != llc:
        return None
    return information[LLC_BYTES:]
