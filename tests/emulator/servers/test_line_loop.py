"""The loop that serves a busy descriptor while it waits: nothing of asyncio is kept waiting."""

import asyncio
import os
import select
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from emulator.servers import line_loop
from emulator.servers.line_selector import LineLoop

LIMIT_S = 30


def play(scene: Callable[[socket.socket, socket.socket], Awaitable[None]]) -> None:
    """Run a coroutine between two ends of a line, on the loop and on asyncio's own."""
    for make in (LineLoop, asyncio.SelectorEventLoop):
        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there, asyncio.Runner(loop_factory=make) as runner:

            async def limited(here: socket.socket = here, there: socket.socket = there) -> None:
                await asyncio.wait_for(scene(here, there), LIMIT_S)

            runner.run(limited())


def test_octets_are_read_while_the_loop_waits_and_what_a_reader_asks_for_comes() -> None:
    async def scene(here: socket.socket, there: socket.socket) -> None:
        loop, got, done = asyncio.get_running_loop(), list[bytes](), asyncio.Event()

        def read() -> None:
            got.append(os.read(here.fileno(), 64))
            if len(got) == 1:
                loop.call_soon(there.send, b"two")
            elif len(got) == 2:
                loop.call_later(0.01, there.send, b"three")
            else:
                done.set()

        line_loop.watch(loop, here.fileno(), read)
        there.send(b"one")
        await done.wait()
        line_loop.unwatch(loop, here.fileno())
        line_loop.unwatch(loop, here.fileno())
        assert got == [b"one", b"two", b"three"]

    play(scene)


def test_timers_and_threads_come_through_a_line_that_never_falls_silent() -> None:
    async def scene(here: socket.socket, there: socket.socket) -> None:
        loop, turns = asyncio.get_running_loop(), list[int]()

        def read() -> None:
            turns.append(len(os.read(here.fileno(), 64)))
            there.send(b"again")

        line_loop.watch(loop, here.fileno(), read)
        there.send(b"begin")
        assert await asyncio.to_thread(len, b"12345") == 5
        await asyncio.sleep(0.05)
        line_loop.unwatch(loop, here.fileno())
        assert len(turns) > 2

    play(scene)


def test_room_is_told_once_it_isthere_and_a_failing_reader_ends_nothing() -> None:
    async def scene(here: socket.socket, there: socket.socket) -> None:
        loop, failed, room = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        loop.set_exception_handler(lambda _loop, _told: failed.set())

        def read() -> None:
            os.read(here.fileno(), 64)
            raise ValueError("spoilt")

        line_loop.watch(loop, here.fileno(), read, room.set)
        await room.wait()
        line_loop.watch(loop, here.fileno(), read)
        there.send(b"octets")
        await failed.wait()
        line_loop.unwatch(loop, here.fileno())

    play(scene)


def test_a_system_without_epoll_has_a_loop_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with line_loop_made() as whole:
        assert isinstance(whole, LineLoop)
    monkeypatch.delattr(select, "epoll")
    with line_loop_made() as plain:
        assert not isinstance(plain, LineLoop)


@contextmanager
def line_loop_made() -> Iterator[asyncio.AbstractEventLoop]:
    """Make the loop, and close it."""
    loop = line_loop.new_loop()
    try:
        yield loop
    finally:
        loop.close()
