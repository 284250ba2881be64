"""A line between bellows and a dongle's process that disturbs one frame in twenty, either way.

ASH promises that nothing is lost or doubled as long as the link stands, and a link falls when one
frame is spoilt too often: a dongle lets four waits for an acknowledgement pass, bellows sends a
frame five times and waits 10 s for an answer. At one frame in twenty a dongle's frame is lost four
times in a row about once in 160,000 (0.05 to the fourth), so one run of 10,000 commands in 40 would
end with an ERROR frame, as it should. So this line has a bound, and counts how often it holds: of
one frame, its repetitions included, it spoils `MOST_SPOILT` at most.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from emulator.codecs.ezsp.ash_octets import unstuff
from emulator.core.chance import Stream

FAULT_SHARE = 0.05
FLAG = b"\x7e"
CANCEL = b"\x1a"
#: XON and XOFF: a receiver passes over them.
NOISE = bytes((0x11, 0x13))
KINDS = ("drop", "corrupt", "duplicate", "truncate", "split", "noise")
SPOILING = frozenset({"drop", "corrupt", "truncate"})
#: How often in a row one frame may be spoilt. Source: one less than a link stands.
MOST_SPOILT = 3


@dataclass
class Lane:
    """One direction of the line.

    Attributes:
        number: That of the data frame on its way, or None.
        spoilt: How often it was spoilt; what is left of another one in front of it counts too.
        open: What crossed last lost its closing flag.
    """

    number: int | None = None
    spoilt: int = 0
    open: bool = False

    def begin(self, frame: bytes) -> None:
        """Take the next frame: a data frame of another number is a new one."""
        control = unstuff(frame.lstrip(CANCEL)[:2].removesuffix(b"\x7d"))
        if not control or control[0] & 0x80 or control[0] >> 4 == self.number:
            return
        self.number, self.spoilt = control[0] >> 4, int(self.open)


@dataclass
class LossyLine:
    """A relay in front of a dongle.

    Attributes:
        kinds: What befalls frames, drawn in equal shares.
        chance: Where the draws come from.
        clean: Whether nothing befalls them at the moment.
        made: What befell them so far, by kind.
        spared: How often the bound held.
        address: Where bellows finds it.
    """

    kinds: tuple[str, ...]
    chance: Stream
    clean: bool = True
    made: dict[str, int] = field(default_factory=dict)
    spared: int = 0
    address: str = ""
    lanes: tuple[Lane, Lane] = field(default_factory=lambda: (Lane(), Lane()))

    def disturbed(self, frame: bytes, lane: Lane) -> list[bytes]:
        """Return what arrives of a frame."""
        lane.begin(frame)
        parts = self._drawn(frame, lane)
        lane.open = bool(parts) and not parts[-1].endswith(FLAG)
        return parts

    def _drawn(self, frame: bytes, lane: Lane) -> list[bytes]:
        if self.clean or not self.chance.happens(FAULT_SHARE):
            return [frame]
        kind = self.kinds[self.chance.below(len(self.kinds))]
        if kind in SPOILING and lane.spoilt >= MOST_SPOILT:
            self.spared += 1
            return [frame]
        lane.spoilt += kind in SPOILING
        self.made[kind] = self.made.get(kind, 0) + 1
        place = self.chance.below(len(frame))
        flipped = frame[place] ^ 1 << self.chance.below(8)
        parts = {
            "drop": [],
            "corrupt": [frame[:place] + bytes((flipped,)) + frame[place + 1 :]],
            "duplicate": [frame, frame],
            "truncate": [frame[:place]],
            "split": [frame[:place], frame[place:]],
            "noise": [frame[:place] + NOISE + frame[place:]],
        }[kind]
        return [part for part in parts if part]


@contextlib.asynccontextmanager
async def lossy_line(line: LossyLine, dongle: str) -> AsyncIterator[LossyLine]:
    """Relay between whoever connects and a dongle at ``tcp://HOST:PORT``."""
    where = urlsplit(dongle)
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lane: Lane) -> None:
        rest = b""
        try:
            while octets := await reader.read(4096):
                *frames, rest = (rest + octets).split(FLAG)
                for frame in frames:
                    for part in line.disturbed(frame + FLAG, lane):
                        writer.write(part)
                        await writer.drain()
                        await asyncio.sleep(0)
        except ConnectionError:
            return  # one end is gone
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs = await asyncio.open_connection(where.hostname, where.port)
        for lane, ends in zip(line.lanes, ((reader, theirs[1]), (theirs[0], writer)), strict=True):
            task = asyncio.ensure_future(carry(*ends, lane))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    line.address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # transports close in the loop's next turns
