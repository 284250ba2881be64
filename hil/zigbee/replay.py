"""A recorded dongle, offline: it answers what was asked on the bench as it answered there.

Each command of the host is looked for among those recorded and not yet used, keys apart, and
answered with what the dongle said then: the response, and the callbacks up to the next command.
So a host that asks in a slightly other order (its tasks race) is served all the same. The ASH
link is a new one: numbers, acknowledgements and repeats are made as they are needed; waits are not
played. The time of day, which the host tells to who asks, may be another than it was, and so may
ZCL's transaction numbers: answers are given the host's. What was
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
from harness.han_ports import SMART_ENERGY
from harness.transcript import Chunk, Record
from hil.zigbee.messages import INCOMING_MESSAGE, WIDE_VERSION, ApsOption
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
_PROFILE: Final = slice(_HEADER + 3, _HEADER + 5)
_CLUSTER: Final = slice(_HEADER + 5, _HEADER + 7)
_OPTIONS: Final = slice(_HEADER + 9, _HEADER + 11)
_INDEX: Final = _HEADER + 11
_OF_A_MAKER: Final = 0x04
#: The same of messages that come in. Source: as above.
_HEARD_CLUSTER: Final = slice(_HEADER + 3, _HEADER + 5)
_HEARD_MESSAGE: Final = (_HEADER + 19, _HEADER + 31)
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
        sequence: ZCL transaction number of the message it sent; None: it sent none.
    """

    command: bytes
    said: list[bytes] = field(default_factory=list)
    used: bool = False
    sequence: int | None = None


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
                number = zcl_sequence(payload, version)
                found.append(Exchange(comparable(payload, version), sequence=number))
        elif found and not (_is_nop(payload) and not payload[1] & _CALLBACK):
            found[-1].said.append(payload)
    return found


def comparable(command: bytes, version: int) -> bytes:
    """Return a command without what may be another in a replay.

    That is: keys, the time of day, and ZCL's transaction number.
    """
    octets = masked(command, Way.IN, version)
    if zcl_sequence(octets, version) is None:
        return octets
    at = _MESSAGE[version >= WIDE_VERSION]
    octets = octets[: at + 1] + b"\0" + octets[at + 2 :]
    if int.from_bytes(octets[_CLUSTER], "little") != time.CLUSTER:
        return octets
    return octets[: at + _ZCL_HEADER] + bytes(max(0, len(octets) - at - _ZCL_HEADER))


def zcl_sequence(command: bytes, version: int) -> int | None:
    """Return the transaction number of a Smart Energy message that a command sends.

    None for other commands and messages, and for fragments behind the first.
    """
    at = _MESSAGE[version >= WIDE_VERSION]
    if _frame_id(command) != _SEND_UNICAST or len(command) < at + _ZCL_HEADER:
        return None
    profile = int.from_bytes(command[_PROFILE], "little")
    in_parts = int.from_bytes(command[_OPTIONS], "little") & ApsOption.FRAGMENT
    is_part = in_parts and command[_INDEX]  # a first fragment has the header of ZCL
    is_makers = command[at] & _OF_A_MAKER
    return None if profile != SMART_ENERGY or is_part or is_makers else command[at + 1]


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
        self._numbers: dict[tuple[bytes, int], int] = {}
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

    def _perform(self, actions: Sequence[Action], now: int) -> bytes:
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
        live = zcl_sequence(command, self._version)
        if exchange.sequence is not None and live is not None:
            self._numbers[command[_CLUSTER], exchange.sequence] = live
        return [sequence + self._numbered(said)[1:] for said in exchange.said]

    def _numbered(self, said: bytes) -> bytes:
        """Return what a dongle said with the transaction number its host knows by now."""
        at = _HEARD_MESSAGE[self._version >= WIDE_VERSION] + 1
        if _frame_id(said) != INCOMING_MESSAGE or len(said) <= at:
            return said
        live = self._numbers.get((said[_HEARD_CLUSTER], said[at]))
        return said if live is None else said[:at] + bytes((live,)) + said[at + 1 :]

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
