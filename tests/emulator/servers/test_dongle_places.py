"""Where a dongle is plugged in: hosts that read late, come anew or go away."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import pytest

from emulator.servers.dongle_line import DonglePort, open_port
from emulator.servers.listen import parse

PLACES = pytest.mark.parametrize("place", ["pty", "tcp://127.0.0.1:0"])
#: Less than a dongle keeps for a host that does not read.
MUCH = bytes(range(256)) * 200
PATIENCE_S = 30.0

Scene = Callable[[DonglePort, asyncio.Queue[bytes]], Awaitable[None]]


def plugged_in(place: str, scene: Scene) -> None:
    """Play a scene at an open place, with what the dongle is told."""

    async def play() -> None:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        port = open_port(parse(place), heard.put_nowait)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await scene(port, heard)
        finally:
            await port.close()

    asyncio.run(play())


def come(port: DonglePort) -> int:
    """Open a place as a host does; return the descriptor, which never waits."""
    if port.address.startswith("/"):
        return os.open(port.address, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    host, _, number = port.address.removeprefix("tcp://").rpartition(":")
    plug = socket.create_connection((host, int(number)))
    plug.setblocking(False)
    return plug.detach()


async def read(host: int, count: int) -> bytes:
    """Read so many octets, as slowly as they come."""
    got = b""
    while len(got) < count:
        try:
            got += os.read(host, count - len(got))
        except BlockingIOError:
            await asyncio.sleep(0.001)
    return got


@PLACES
def test_a_host_that_reads_late_loses_nothing_and_no_order(place: str) -> None:
    async def scene(port: DonglePort, heard: asyncio.Queue[bytes]) -> None:
        host = come(port)
        os.write(host, b"hello")
        assert await heard.get() == b"hello"
        for at in range(0, len(MUCH), 512):
            port.write(MUCH[at : at + 512])
        assert await read(host, len(MUCH)) == MUCH
        port.write(b"after")
        assert await read(host, 5) == b"after"
        os.close(host)

    plugged_in(place, scene)


@PLACES
def test_a_dongle_that_was_unplugged_takes_the_next_host(place: str) -> None:
    async def scene(port: DonglePort, heard: asyncio.Queue[bytes]) -> None:
        for word in (b"first", b"second"):
            host = come(port)
            os.write(host, word)
            assert await heard.get() == word
            port.unplug()
            os.close(host)

    plugged_in(place, scene)
