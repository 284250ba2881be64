"""A client and a station that talk through a line with faults, on a clock that jumps."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.codecs.dlms.hdlc import Address
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_link import (
    ApduReceived,
    Disconnected,
    LinkSettings,
    Output,
    Reason,
    Send,
)
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.codecs.dlms.hdlc_station import LinkOutput, Station
from emulator.core.chance import Stream

CLIENT = Address(16)
SERVER = Address(1, 17, 2)
SILENCE_MS = 30


@dataclass
class Line:
    """What happens to each frame, by its number on the line; frames arrive 10 ms later."""

    fate: Callable[[int, bytes], list[bytes]] = lambda _number, octets: [octets]
    count: int = 0

    def carry(self, octets: bytes) -> bytes:
        self.count += 1
        return b"".join(self.fate(self.count - 1, octets))


@dataclass
class Talk:
    """A client and a station, a line between them, and a clock that jumps."""

    client: ClientLink
    station: Station
    line: Line = field(default_factory=Line)
    now_ms: int = 0
    answer: Callable[[bytes], bytes | None] = lambda apdu: apdu[::-1]
    delivered: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    ended: list[Reason] = field(default_factory=list)
    splitter: FrameSplitter = field(default_factory=FrameSplitter)
    to_station: bytes = b""
    to_client: bytes = b""

    def from_client(self, outputs: list[Output]) -> None:
        self._note_client(outputs)
        self._pump()

    def from_station(self, outputs: list[LinkOutput]) -> None:
        self._note_station(outputs)
        self._pump()

    def _pump(self) -> None:
        """Carry octets both ways, in order, until both ends are still."""
        while self.to_station or self.to_client:
            self.now_ms += 10
            there, self.to_station = self.to_station, b""
            if there:
                self._note_station(self.station.feed(there, self.now_ms))
                self._note_station(self.station.silence(self.now_ms + SILENCE_MS))
            back, self.to_client = self.to_client, b""
            for frame in self.splitter.feed(back) + self.splitter.silence():
                self._note_client(self.client.receive(frame, self.now_ms))

    def _note_client(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self.to_station += self.line.carry(output.octets)
            elif isinstance(output, ApduReceived):
                self.received.append(output.apdu)
            elif isinstance(output, Disconnected):
                self.ended.append(output.reason)

    def _note_station(self, outputs: list[LinkOutput]) -> None:
        for item in outputs:
            if isinstance(item.output, Send):
                self.to_client += self.line.carry(item.output.octets)
            elif isinstance(item.output, ApduReceived):
                self.delivered.append(item.output.apdu)
                link = self.station.links[item.key]
                reply = link.answer(self.answer(item.output.apdu), self.now_ms)
                self._note_station([LinkOutput(item.key, output) for output in reply])

    def settle(self) -> None:
        """Let time pass until the client rests."""
        while self.client.state not in {ClientState.IDLE, ClientState.DISCONNECTED}:
            assert self.client.deadline_ms is not None
            self.now_ms = max(self.now_ms, self.client.deadline_ms)
            self.from_station(self.station.expire(self.now_ms))
            self.from_client(self.client.expire(self.now_ms))

    def connect(self) -> None:
        self.from_client(self.client.connect(self.now_ms))
        self.settle()

    def ask(self, apdu: bytes) -> bytes:
        before = len(self.received)
        self.from_client(self.client.send(apdu, self.now_ms))
        self.settle()
        assert len(self.received) == before + 1, self.ended
        return self.received[-1]


def talk(client: Parameters, server: Parameters, called: Address = SERVER, **more: int) -> Talk:
    settings = LinkSettings(client, **more)
    station = Station(LinkSettings(server), frozenset({1}), called.lower)
    return Talk(ClientLink(settings, CLIENT, called), station)


def text(draw: Stream, size: int) -> bytes:
    """Octets with many flags in them."""
    return bytes(0x7E if octet < 40 else octet for octet in draw.octets(size))


def flip(octets: bytes, bit: int) -> bytes:
    spoilt = bytearray(octets)
    spoilt[bit // 8 % len(spoilt)] ^= 1 << bit % 8
    return bytes(spoilt)


def seeded(draw: Stream) -> Callable[[int, bytes], list[bytes]]:
    """One frame in five meets a fault."""

    def fate(_number: int, octets: bytes) -> list[bytes]:
        match draw.below(25):
            case 0 | 1:
                return []
            case 2:
                return [octets, octets]
            case 3:
                return [flip(octets, draw.below(len(octets) * 8))]
            case 4:
                return [octets[: draw.below(len(octets))]]
            case 5:
                return [draw.octets(9), octets, b"\x7e\xa3"]
        return [octets]

    return fate
