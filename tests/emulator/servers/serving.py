"""A served scripted device in this process, for tests of the real-time servers."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.codecs.dlms.hdlc import Frame
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.servers.listen import parse
from emulator.servers.live_line import LineTiming
from emulator.servers.serve import ServePlan, Service
from tests.emulator.servers.line_kit import EUI64, START, ScriptedDevice, profile

PATIENCE_S = 30.0


@dataclass
class Served:
    """What is served, and what it told."""

    service: Service
    device: ScriptedDevice
    addresses: list[str]
    notes: list[Note]

    def kinds(self) -> list[str]:
        return [note.kind for note in self.notes]

    def fields(self, kind: str) -> list[dict[str, Any]]:
        return [dict(note.fields) for note in self.notes if note.kind == kind]


@asynccontextmanager
async def served(
    *places: str,
    timing: LineTiming | None = None,
    faults: Sequence[str] = (),
    state: Path | None = None,
    factor: float = 1.0,
    start: UtcMs | None = START,
    **changes: Any,
) -> AsyncIterator[Served]:
    """Serve a scripted device at these places."""
    device = ScriptedDevice(profile(**changes))
    plan = ServePlan(
        device.profile,
        EUI64,
        1,
        lambda _now: device,
        [parse(place) for place in places],
        start,
        START,
        factor,
        timing or LineTiming(),
        faults,
        state,
    )
    notes: list[Note] = []
    service = Service(plan, lambda _at, note: notes.append(note))
    addresses = await service.open()
    try:
        yield Served(service, device, addresses, notes)
    finally:
        await service.close()


@dataclass
class Client:
    """A client of octets: a TCP connection or an open terminal."""

    read: Callable[[], Awaitable[bytes]]
    write: Callable[[bytes], None]
    close: Callable[[], None]
    kept: bytearray = field(default_factory=bytearray)

    async def octets(self, count: int) -> bytes:
        """Return exactly so many octets; fewer when the connection ends."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.kept) < count:
                got = await self.read()
                if not got:
                    break
                self.kept += got
        taken = bytes(self.kept[:count])
        del self.kept[:count]
        return taken

    async def frame(self) -> Frame:
        """Return the next HDLC frame."""
        splitter = FrameSplitter()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frames = splitter.feed(bytes(self.kept))
                self.kept.clear()
                if frames:
                    return frames[0]
                got = await self.read()
                if not got:
                    raise ConnectionError("the connection ended")
                self.kept += got

    async def ended(self) -> bool:
        """Wait until the other end closes; octets before that are passed over."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while await self.read():
                    self.kept.clear()
        except ConnectionError:
            return True
        return True

    async def silent(self, seconds: float = 0.15) -> bool:
        """Say whether nothing comes for a while."""
        try:
            async with asyncio.timeout(seconds):
                self.kept += await self.read()
        except TimeoutError:
            return True
        return False


async def dial(address: str) -> Client:
    """Connect to a TCP address (any scheme) or open a terminal."""
    if address.startswith("/"):
        return _terminal(address)
    host, _, port = address.partition("://")[2].rpartition(":")
    loop = asyncio.get_running_loop()
    held = socket.create_connection((host, int(port)))
    held.setblocking(False)
    held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def read() -> bytes:
        return await loop.sock_recv(held, 65536)

    def write(octets: bytes) -> None:
        held.sendall(octets)

    return Client(read, write, held.close)


def _wake(there: asyncio.Future[None]) -> None:
    if not there.done():
        there.set_result(None)


def _terminal(path: str) -> Client:
    handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    loop = asyncio.get_running_loop()

    async def read() -> bytes:
        there: asyncio.Future[None] = loop.create_future()
        loop.add_reader(handle, _wake, there)
        try:
            await there
            return os.read(handle, 65536)
        finally:
            loop.remove_reader(handle)

    def write(octets: bytes) -> None:
        os.write(handle, octets)

    return Client(read, write, lambda: os.close(handle))


async def until(true: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 -- what is waited for knows nothing of events
            await asyncio.sleep(0.005)
