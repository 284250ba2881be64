"""One observation from beginning to end: census, capture, statistics; whatever ends it is kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from emulator.core.ids import Eui64
from harness.errors import BenchError, UsageError
from harness.han_ports import HanNetwork
from hil.zigbee_observation.capture_file import CaptureFile
from hil.zigbee_observation.census import CHANNELS, Census
from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.unsealing import Unsealer

#: Frames kept for the statistics; a file holds all. Source: stand-in (a day of a quiet home).
MAX_KEPT: Final = 2_000_000
#: How long one wait for a frame lasts before the end is looked for, seconds.
_WAIT_S: Final = 0.25
_CLEAR_NOTE: Final = "deciphered, keys masked"


class Watcher(Protocol):
    """What an observation needs of a dongle: `ZigbeeObserver`."""

    async def energy(self, channels: Sequence[int]) -> dict[int, int]:
        """Measure energy."""
        ...

    async def networks(self, channels: Sequence[int]) -> tuple[HanNetwork, ...]:
        """Scan for beacons."""
        ...

    async def listen(self, channel: int) -> None:
        """Take every frame on a channel."""
        ...

    async def heard(self, seconds: float) -> Heard | None:
        """Return the next frame."""
        ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be observed.

    Attributes:
        channels: Channels to look at.
        hub: The hub asked for.
        seconds: How long to capture; None: until stopped; 0: not at all.
        out: Where frames go as they were heard.
        clear: Where frames go deciphered.
        keys: Keys of 16 octets, network or link.
        listen_only: Without the active scan.
    """

    channels: tuple[int, ...] = CHANNELS
    hub: Eui64 | None = None
    seconds: float | None = 0
    out: Path | None = None
    clear: Path | None = None
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    listen_only: bool = False


@dataclass(slots=True)
class Captured:
    """What a capture brought, up to where it ended.

    Attributes:
        channel: Channel listened to.
        frames: As heard.
        clear: Deciphered where keys open them; the same frames where there are no keys.
        dropped: Frames not kept for statistics, for there were too many; files have them.
        unsealer: What was opened, where keys are given.
        error: What ended it before its time: the dongle was lost.
    """

    channel: int
    frames: list[Heard] = field(default_factory=list)
    clear: list[Heard] = field(default_factory=list)
    dropped: int = 0
    unsealer: Unsealer | None = None
    error: BenchError | None = None


async def census(watcher: Watcher, wishes: Wishes) -> Census:
    """Look around: energy, and unless it listens only, beacons.

    Raises:
        DongleError: The dongle is lost, or refuses.
    """
    energy = await watcher.energy(wishes.channels)
    found = () if wishes.listen_only else await watcher.networks(wishes.channels)
    return Census(wishes.channels, found, energy, wishes.hub, not wishes.listen_only)


def channel_of(census: Census) -> int:
    """Return the channel to listen to: the hub's, or the only one there is to choose.

    Raises:
        UsageError: There is more than one.
    """
    channels = {one.channel for one in census.found}
    if not channels and census.hub is None:
        channels = {one.channel for one in census.networks}
    if len(channels) != 1:
        channels = set(census.channels)
    if len(channels) == 1:
        return channels.pop()
    raise UsageError(
        "which channel shall be listened to?",
        where="--channel",
        cause="a dongle hears one channel at a time, and the census does not tell which is meant",
        next_command="smetsbench bench observe --channel 15 --seconds 60 ...",
    )


async def capture(
    watcher: Watcher,
    channel: int,
    wishes: Wishes,
    stopped: asyncio.Event,
    progress: Callable[[int], None] = lambda _frames: None,
) -> Captured:
    """Listen to a channel until the time is up, it is stopped, or the dongle is lost.

    Args:
        watcher: The dongle.
        channel: 11 to 26.
        wishes: How long, where to, with which keys.
        stopped: Set by whoever wants it to end.
        progress: Told the number of frames after each.

    Raises:
        UsageError: A file is there already, or cannot be made; nothing was captured.
    """
    taken = Captured(channel, unsealer=Unsealer(wishes.keys) if wishes.keys else None)
    with contextlib.ExitStack() as stack:
        raw = None if wishes.out is None else stack.enter_context(CaptureFile(wishes.out))
        clear = None
        if wishes.clear is not None:
            clear = stack.enter_context(CaptureFile(wishes.clear, note=_CLEAR_NOTE))
        try:
            await watcher.listen(channel)
            async for frame in _frames(watcher, wishes.seconds, stopped):
                if raw is not None:
                    raw.write(frame)
                opened = take(taken, frame)
                if clear is not None:
                    clear.write(opened)
                progress(len(taken.frames) + taken.dropped)
        except BenchError as error:
            taken.error = error
    return taken


def take(taken: Captured, frame: Heard) -> Heard:
    """Add a frame to what was captured; returns it deciphered where keys open it."""
    clear = frame if taken.unsealer is None else taken.unsealer.open(frame)
    if len(taken.frames) >= MAX_KEPT:
        taken.dropped += 1
        return clear
    taken.frames.append(frame)
    taken.clear.append(clear)
    return clear


async def _frames(
    watcher: Watcher, seconds: float | None, stopped: asyncio.Event
) -> AsyncIterator[Heard]:
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    while not stopped.is_set():
        left = _WAIT_S if end is None else min(_WAIT_S, end - loop.time())
        if left <= 0:
            return
        frame = await watcher.heard(left)
        if frame is not None:
            yield frame
