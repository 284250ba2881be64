"""A recorded dongle, offline: it answers what was asked on the bench as it answered there.

Each command of the host is looked for among those recorded and not yet used, keys apart, and
answered with what the dongle said then: the response, and the callbacks up to the next command.
So a host that asks in a slightly other order (its tasks race) is served all the same. The ASH
link is a new one: numbers, acknowledgements and repeats are made as they are needed.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.ezsp.ash_actions import Action, Deliver, LinkUp, Write
from emulator.codecs.ezsp.ash_ends import AshNcp
from harness.dlms_view.line import Way
from harness.transcript import Chunk
from hil.zigbee.transcript import data_frame, masked

_NOP: Final = b"\x05\x00"
_INVALID: Final = bytes((0x80, 0x01, 0x58, 0x00, 0x36))
_TICK_S: Final = 0.05
_EXTENDED: Final = 0x01
_READ_BYTES: Final = 4096


@dataclass(slots=True)
class Exchange:
    """One command and what the dongle said until the next.

    Attributes:
        command: EZSP frame, keys masked.
        said: EZSP frames.
    """

    command: bytes
    said: list[bytes] = field(default_factory=list)


def exchanges(chunks: Sequence[Chunk]) -> list[Exchange]:
    """Return what was said, command by command; repeats on the line count once."""
    found: list[Exchange] = []
    last = dict.fromkeys(Way, b"")
    for chunk in chunks:
        frame = data_frame(chunk.octets)
        if frame is None or (frame.retransmitted and frame.payload == last[chunk.way]):
            continue
        last[chunk.way] = frame.payload
        if chunk.way is Way.IN:
            found.append(Exchange(frame.payload))
        elif found:
            found[-1].said.append(frame.payload)
    return found


class ReplayedDongle:
    """Octets of a line in and out.

    Attributes:
        unknown: Commands that the recorded host never gave, or not as often.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.unknown: list[bytes] = []
        self._left = exchanges(chunks)
        self._link = AshNcp()
        self._link.start(announce=False)
        self._waiting: deque[bytes] = deque()

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
        if command[2:5] == bytes([_EXTENDED]) + _NOP:
            return [sequence + b"\x80\x01" + _NOP]
        wanted = masked(command, Way.IN, 0)[1:]
        for exchange in self._left:
            if exchange.command[1:] == wanted:
                self._left.remove(exchange)
                return [sequence + said[1:] for said in exchange.said]
        self.unknown.append(command)
        return [sequence + _INVALID]


class ReplayServer:
    """A replayed dongle on a TCP port of this computer.

    Attributes:
        dongle: What answers.
        address: Where, as ``tcp://HOST:PORT``.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.dongle = ReplayedDongle(chunks)
        self.address = ""
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listen; return the address."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        return self.address

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now = int(loop.time() * 1000)
            try:
                async with asyncio.timeout(_TICK_S):
                    octets = await reader.read(_READ_BYTES)
            except TimeoutError:
                writer.write(self.dongle.tick(now))
                continue
            if not octets:
                writer.close()
                return
            writer.write(self.dongle.receive(octets, int(loop.time() * 1000)))
