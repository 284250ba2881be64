"""Messages on their way: what waits for an acknowledgement, for a poll, or for the host's word."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.zigbee import aps
from emulator.han.aps_receiver import PLAIN_MEMORY
from emulator.ncp.radio_frames import DataFrame, ToNode

#: Repeats of a message that is not acknowledged.
#: Source: known (Zigbee specification, apscMaxFrameRetries).
MAX_REPEATS: Final = 3
#: How long a received message is remembered, in milliseconds. Source: invented; longer than all
#: repeats of a message take.
REMEMBERED_MS: Final = 20_000
#: Received messages that are remembered at one time: counters have eight bits, and at the speed of
#: an emulated air a new message may soon bear an old one's. Source: invented.
REMEMBERED: Final = 64


@dataclass(slots=True)
class Sending:
    """A unicast of the host, until its fate is told.

    Attributes:
        kind: `identifiers.OutgoingType`.
        destination: As in the command.
        aps: As in the command, with its counter.
        tag: The host's own mark.
        frame: What goes on the air.
        message: What is to be told with its fate; empty unless a policy asks for it.
        tries: How often it went on the air.
        acked: The receiver's APS is asked for an acknowledgement.
        key: What an acknowledgement names: node, counter, number of the fragment.
    """

    kind: int
    destination: int
    aps: ApsFrame
    tag: int
    frame: DataFrame
    message: bytes = b""
    tries: int = 0
    acked: bool = field(init=False)
    key: tuple[int, int, int | None] = field(init=False)

    def __post_init__(self) -> None:
        inner = self.frame.frame
        fragment = inner.fragment if isinstance(inner, aps.ApsFrame) else None
        block = None if fragment is None else fragment.number
        self.acked = isinstance(inner, aps.ApsFrame) and inner.ack_request
        self.key = (self.frame.destination, inner.counter, block)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A frame for a child that sleeps.

    Attributes:
        number: Which one.
        frame: The frame.
        fetched: Called with True when the child has fetched it, with False when it has not.
    """

    number: int
    frame: ToNode
    fetched: Callable[[bool], None]


@dataclass(slots=True)
class Traffic:
    """Messages on their way.

    Attributes:
        aps_counter: Counter of the last message.
        pending: Unicasts whose fate is not known yet.
        indirect: Frames that wait for a child, by its short address.
        number: Of the last frame that had to wait.
        replies: Messages whose acknowledgement is the host's, and the link key they were sealed
            under, by node and counter.
    """

    aps_counter: int = 0
    pending: dict[tuple[int, int, int | None], Sending] = field(default_factory=dict)
    indirect: dict[int, deque[Waiting]] = field(default_factory=dict)
    number: int = 0
    replies: dict[tuple[int, int], tuple[aps.ApsFrame, bytes | None]] = field(
        default_factory=dict, repr=False
    )
    _seen: OrderedDict[tuple[int, int, int | None], int] = field(default_factory=OrderedDict)
    _plain: dict[int, deque[int]] = field(default_factory=dict)

    def next_counter(self) -> int:
        """Return the counter of a new message."""
        self.aps_counter = (self.aps_counter + 1) & 0xFF
        return self.aps_counter

    def seen(self, source: int, frame: aps.ApsFrame, now: int) -> bool:
        """Remember a received message; say whether it was remembered already."""
        if not frame.ack_request:
            memory = self._plain.get(source)
            if memory is None:
                memory = self._plain[source] = deque(maxlen=PLAIN_MEMORY)
            known = frame.counter in memory
            memory.append(frame.counter)
            return known
        block = None if frame.fragment is None else frame.fragment.number
        key = (source, frame.counter, block)
        at = self._seen.pop(key, None)
        self._seen[key] = now
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return at is not None and now - at <= REMEMBERED_MS
