"""Keeps every way in open until the door is told to close."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.door import http
from harness.door.call_back import CallBack, Place
from harness.door.door import Door
from harness.door.drop import LOOK_S, FileDrop


@dataclass(frozen=True, slots=True)
class WaysIn:
    """Which ways in and out are open.

    Attributes:
        listen: Socket that HTTP is served at, or None.
        drop: Folder of the file drop, or None.
        call_back: Where answers and alerts are posted to, or None.
        look_s: Seconds between two looks into the drop.
        drop_patience_s: Seconds for which the drop may be out of reach; None: for ever.
    """

    listen: socket.socket | None = None
    drop: Path | None = None
    call_back: Place | None = None
    look_s: float = LOOK_S
    drop_patience_s: float | None = None


async def serve(door: Door, ways: WaysIn, until: asyncio.Event, say: Callable[[str], None]) -> None:
    """Serve a door until an event is set, or its world breaks.

    Args:
        door: The door.
        ways: Which ways are open.
        until: Ends it.
        say: Takes a line about what went wrong on the way out.

    Raises:
        UsageError: The drop cannot be made.
        BenchError: It was out of reach for too long.
    """
    drop = None if ways.drop is None else FileDrop(door, ways.drop, say)
    work = [_watch(door, until)]
    if drop is not None:
        work.append(drop.watch(until, ways.look_s, ways.drop_patience_s))
    if ways.call_back is not None:
        work.append(CallBack(door, ways.call_back, say).run(until))
    if ways.listen is not None:
        work.append(http.serve(door, ways.listen, until))
    await asyncio.gather(*work)


async def _watch(door: Door, until: asyncio.Event) -> None:
    """Close the door when its world is broken: nothing it could answer any more."""
    ended = asyncio.ensure_future(until.wait())
    while not until.is_set():
        news = asyncio.ensure_future(door.bell.next().wait())
        if door.broken is not None:
            until.set()
        await asyncio.wait([news, ended], return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
    ended.cancel()
