"""The known ASH frames, and a line between two ends on which named things go wrong."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.ezsp.ash import (
    AckFrame,
    AshFrame,
    DataFrame,
    ErrorFrame,
    NakFrame,
    RstAckFrame,
    RstFrame,
)
from emulator.codecs.ezsp.ash_actions import Action, Deliver, LinkFailed, LinkUp, Write
from emulator.codecs.ezsp.ash_ends import AshHost, AshNcp
from emulator.core.chance import Stream

#: Frames and their octets on the wire (reference zigbee-dongle.md section 2.2).
KNOWN: Final[tuple[tuple[AshFrame, str], ...]] = (
    (RstFrame(), "C0 38 BC 7E"),
    (RstAckFrame(0x0B), "C1 02 0B 0A 52 7E"),
    (RstAckFrame(0x02), "C1 02 02 9B 7B 7E"),
    (ErrorFrame(0x51), "C2 02 51 A8 BD 7E"),
    (AckFrame(1), "81 60 59 7E"),
    (AckFrame(2), "82 50 3A 7E"),
    (NakFrame(6), "A6 34 DC 7E"),
    (DataFrame(0, 0, bytes.fromhex("00000004")), "00 42 21 A8 50 ED 2C 7E"),
    (DataFrame(2, 5, bytes.fromhex("00000002")), "25 42 21 A8 56 A6 09 7E"),
    (DataFrame(0, 1, bytes.fromhex("0080000D025074")), "01 42 A1 A8 59 28 45 C6 A5 BB 7E"),
    (
        DataFrame(1, 1, bytes.fromhex("01000100000D")),
        "7D 31 43 21 A9 54 2A 7D 38 99 DA 7E",
    ),
)
#: What may happen to the octets of one frame on a bad line.
FAULTS: Final = ("drop", "corrupt", "duplicate", "truncate", "split", "flow")
_LATENCY_MS: Final = 1


def spoil(kind: str, octets: bytes, chance: Stream) -> list[bytes]:
    """Return the pieces that arrive when ``kind`` happens to ``octets``."""
    at = chance.below(len(octets))
    if kind == "drop":
        return []
    if kind == "corrupt":
        return [octets[:at] + bytes((octets[at] ^ 1 + chance.below(255),)) + octets[at + 1 :]]
    if kind == "duplicate":
        return [octets, octets]
    if kind == "truncate":
        return [octets[:at]]
    if kind == "split":
        return [octets[:at], octets[at:]]
    return [octets[:at] + bytes((0x11 if chance.happens(0.5) else 0x13,)) + octets[at:]]


@dataclass
class Line:
    """Two ends, the octets under way between them and a clock that jumps."""

    host: AshHost = field(default_factory=AshHost)
    ncp: AshNcp = field(default_factory=AshNcp)
    faults: Callable[[bytes], list[bytes]] = lambda octets: [octets]
    now: int = 0
    at_ncp: list[bytes] = field(default_factory=list)
    at_host: list[bytes] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    failures: list[tuple[str, LinkFailed]] = field(default_factory=list)
    frames: int = 0
    kept_most: int = 0
    on_ncp: Callable[[bytes], None] = lambda _payload: None
    on_host: Callable[[bytes], None] = lambda _payload: None
    _pieces: int = 0
    _wire: list[tuple[int, int, str, bytes]] = field(default_factory=list)

    def act(self, who: str, actions: Sequence[Action]) -> None:
        """Perform what an end asks for."""
        for action in actions:
            if isinstance(action, Write):
                self.frames += 1
                other = "ncp" if who == "host" else "host"
                for piece in self.faults(action.octets):
                    self._pieces += 1
                    at = self.now + _LATENCY_MS
                    heapq.heappush(self._wire, (at, self._pieces, other, piece))
            elif isinstance(action, Deliver):
                got, told = (
                    (self.at_ncp, self.on_ncp) if who == "ncp" else (self.at_host, self.on_host)
                )
                got.append(action.payload)
                told(action.payload)
            elif isinstance(action, LinkUp):
                self.ups.append(who)
            else:
                self.failures.append((who, action))

    def step(self) -> bool:
        """Let the next thing happen; False when nothing ever will."""
        times = [at for at in (self.host.deadline, self.ncp.deadline) if at is not None]
        if self._wire and self._wire[0][0] <= min(times, default=self._wire[0][0]):
            at, _order, who, octets = heapq.heappop(self._wire)
            self.now = max(self.now, at)
            end = self.host if who == "host" else self.ncp
            self.act(who, end.receive(octets, self.now))
            self.kept_most = max(self.kept_most, end.kept_bytes)
            return True
        if not times:
            return False
        self.now = max(self.now, min(times))
        self.act("host", self.host.tick(self.now))
        self.act("ncp", self.ncp.tick(self.now))
        return True

    def run(self, until: Callable[[], bool], steps: int = 1_000_000) -> None:
        """Let things happen until ``until`` holds or nothing is left to happen."""
        for _ in range(steps):
            if until() or not self.step():
                return
        raise AssertionError("the line does not come to rest")

    def connect(self) -> None:
        """Open the link from the host and wait for it to stand."""
        before = self.ups.count("host")
        self.act("host", self.host.connect(self.now))
        self.run(lambda: self.ups.count("host") > before)


def connected(faults: Callable[[bytes], list[bytes]] = lambda octets: [octets]) -> Line:
    """Return a line whose link stands; faults begin after that."""
    line = Line()
    line.act("ncp", line.ncp.start(announce=False))
    line.connect()
    line.faults = faults
    return line
