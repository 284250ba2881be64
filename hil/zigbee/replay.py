"""A recorded dongle, offline: it answers what was asked on the bench as it answered there.

Each command of the host is looked for among those recorded and not yet used, keys apart, and
answered with what the dongle said then: the response, and the callbacks up to the next command.
So a host that asks in a slightly other order (its tasks race) is served all the same. The ASH
link is a new one: numbers, acknowledgements and repeats are made as they are needed; waits are not
played. The time of day, which the host tells to who asks, may be another than it was. What was
never recorded is answered ``invalidCommand``, and kept as a `Difference`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.ezsp.ash_actions import Action, Deliver, LinkUp, Write
from emulator.codecs.ezsp.ash_ends import AshNcp
from emulator.codecs.ezsp.protocol import VERSIONS, codec_of
from emulator.codecs.zcl import time
from harness.dlms_view.line import Way
from harness.errors import BenchError
from harness.transcript import Chunk, Record
from hil.zigbee.messages import WIDE_VERSION
from hil.zigbee.redaction import masked
from hil.zigbee.transcript import data_frame

_NOP: Final = b"\x05\x00"
_INVALID: Final = bytes((0x80, 0x01, 0x58, 0x00, 0x36))
_EXTENDED: Final = 0x01
_HEADER: Final = 5
_LEGACY_HEADER: Final = 3
#: Bits of a frame's control octet that mark a callback. Source: UG100 (known).
_CALLBACK: Final = 0x18
#: Where a unicast names its cluster, and where its message begins, up to v13 and since v14; what
#: of that is no value: its ZCL header. Source: reference zigbee-dongle.md 2.8.
_SEND_UNICAST: Final = 0x34
_CLUSTER: Final = slice(_HEADER + 5, _HEADER + 7)
_MESSAGE: Final = (_HEADER + 16, _HEADER + 17)
_ZCL_HEADER: Final = 3
#: Most differences that are kept; the rest is counted.
MAX_KEPT: Final = 100


@dataclass(slots=True)
class Exchange:
    """One command and what the dongle said until the next.

    Attributes:
        command: EZSP frame as `comparable` gives it.
        said: EZSP frames.
        used: Whether it was asked again.
    """

    command: bytes
    said: list[bytes] = field(default_factory=list)
    used: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A command that was not recorded, or not as often.

    Attributes:
        number: Which command of the host it is, from 1; those that ask for a sign of life apart.
        asked: Its name.
        recorded: What the recording has there, in words.
        octets: Its parameters, keys masked.
    """

    number: int
    asked: str
    recorded: str
    octets: bytes = field(repr=False)

    def __str__(self) -> str:
        """Return it as one line for people."""
        return f"command {self.number}, {self.asked}: {self.recorded}"


def exchanges(records: Iterable[Record], version: int = 0) -> list[Exchange]:
    """Return what was said, command by command; repeats on the line count once.

    What asks for a sign of life is left out; callbacks behind it belong to the command before.
    """
    found: list[Exchange] = []
    last = dict.fromkeys(Way, b"")
    for chunk in records:
        if not isinstance(chunk, Chunk):
            continue
        frame = data_frame(chunk.octets)
        if frame is None or (frame.retransmitted and frame.payload == last[chunk.way]):
            continue
        last[chunk.way] = payload = frame.payload
        if chunk.way is Way.IN:
            if not _is_nop(payload):
                found.append(Exchange(comparable(payload, version)))
        elif found and not (_is_nop(payload) and not payload[1] & _CALLBACK):
            found[-1].said.append(payload)
    return found


def comparable(command: bytes, version: int) -> bytes:
    """Return a command without what may be another in a replay: keys, and the time of day."""
    octets = masked(command, Way.IN, version)
    cluster = int.from_bytes(octets[_CLUSTER], "little")
    if _frame_id(octets) != _SEND_UNICAST or cluster != time.CLUSTER:
        return octets
    kept = _MESSAGE[version >= WIDE_VERSION] + _ZCL_HEADER
    return octets[:kept] + bytes(max(0, len(octets) - kept))


class ReplayedDongle:
    """Octets of a line in and out.

    Attributes:
        count: How many differences there were.
        differences: The first of them.
    """

    def __init__(
        self,
        records: Sequence[Record],
        version: int = 0,
        tell: Callable[[Difference], None] | None = None,
    ) -> None:
        """Take a recording.

        Args:
            records: What crossed the line.
            version: EZSP version that was spoken; 0: not known.
            tell: Told of each difference when it is found.
        """
        self.count = 0
        self.differences: list[Difference] = []
        self._tell = tell
        self._version = version
        self._recorded = exchanges(records, version)
        self._places: dict[bytes, deque[int]] = {}
        for number, one in enumerate(self._recorded):
            self._places.setdefault(one.command[1:], deque()).append(number)
        self._asked = 0
        self._next = 0
        self._link = AshNcp()
        self._link.start(announce=False)
        self._waiting: deque[bytes] = deque()

    @property
    def left(self) -> int:
        """How many recorded commands have not come."""
        return sum(not one.used for one in self._recorded)

    def receive(self, octets: bytes, now: int) -> bytes:
        """Take octets of the host at a moment in milliseconds; return those that go back."""
        return self._perform(self._link.receive(octets, now), now)

    def tick(self, now: int) -> bytes:
        """Do what time demands."""
        return self._perform(self._link.tick(now), now)

    def _perform(self, actions: list[Action], now: int) -> bytes:
        out = b""
        for action in actions:
            if isinstance(action, Write):
                out += action.octets
            elif isinstance(action, LinkUp):
                self._waiting.clear()
            elif isinstance(action, Deliver):
                self._waiting += self._answer(action.payload)
        while self._waiting and self._link.room:
            out += self._perform(self._link.send(self._waiting.popleft(), now), now)
        return out

    def _answer(self, command: bytes) -> list[bytes]:
        sequence = command[:1]
        if _is_nop(command):
            return [sequence + b"\x80\x01" + _NOP]
        self._asked += 1
        wanted = comparable(command, self._version)
        places = self._places.get(wanted[1:])
        if not places:
            self._differs(wanted)
            return [sequence + _INVALID]
        exchange = self._recorded[places.popleft()]
        exchange.used = True
        return [sequence + said[1:] for said in exchange.said]

    def _differs(self, command: bytes) -> None:
        self.count += 1
        found = Difference(self._asked, self._name(command), self._there(command), command[5:])
        if len(self.differences) < MAX_KEPT:
            self.differences.append(found)
        if self._tell is not None:
            self._tell(found)

    def _there(self, command: bytes) -> str:
        """Say what the recording has in place of a command."""
        while self._next < len(self._recorded) and self._recorded[self._next].used:
            self._next += 1
        left = (one for one in self._recorded[self._next :] if not one.used)
        first = next(left, None)
        if first is None:
            return "the recording ends before it"
        if _frame_id(first.command) != _frame_id(command):
            return f"not recorded, or not as often; due there is {self._name(first.command)}"
        at = next(
            (
                n
                for n, (a, b) in enumerate(zip(first.command[5:], command[5:], strict=False), 1)
                if a != b
            ),
            min(len(first.command), len(command)) - _HEADER + 1,
        )
        return f"recorded with other parameters, from octet {at} on"

    def _name(self, command: bytes) -> str:
        frame_id = _frame_id(command)
        if self._version in VERSIONS:
            for name, number in codec_of(self._version).frames.items():
                if number == frame_id:
                    return name.value
        return f"frame {frame_id:#06x}"


def different(found: Difference, where: str) -> BenchError:
    """Return the error for a bench whose recorded dongle was asked something else."""
    return BenchError(
        f"the recorded dongle was asked something else: {found}",
        where=where,
        cause="another seed, scenario, bench file or version than when it was recorded",
        next_command="run what was recorded, as it was recorded; or record it anew",
    )


def _is_nop(payload: bytes) -> bool:
    return payload[2:5] == bytes((_EXTENDED,)) + _NOP


def _frame_id(command: bytes) -> int:
    if len(command) < _HEADER:
        return command[_LEGACY_HEADER - 1] if len(command) >= _LEGACY_HEADER else -1
    return int.from_bytes(command[3:5], "little")
