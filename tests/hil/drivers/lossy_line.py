"""A line between bellows and a dongle's process that disturbs one frame in twenty, either way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from emulator.core.chance import Stream

FAULT_SHARE = 0.05
FLAG = b"\x7e"
#: XON and XOFF: a receiver passes over them.
NOISE = bytes((0x11, 0x13))
KINDS = ("drop", "corrupt", "duplicate", "truncate", "split", "noise")


@dataclass
class LossyLine:
    """A relay in front of a dongle.

    Attributes:
        kinds: What befalls frames, drawn in equal shares.
        chance: Where the draws come from.
        clean: Whether nothing befalls them at the moment.
        made: What befell them so far, by kind.
        address: Where bellows finds it.
    """

    kinds: tuple[str, ...]
    chance: Stream
    clean: bool = True
    made: dict[str, int] = field(default_factory=dict)
    address: str = ""

    def disturbed(self, frame: bytes) -> list[bytes]:
        """Return what arrives of a frame."""
        if self.clean or not self.chance.happens(FAULT_SHARE):
            return [frame]
        kind = self.kinds[self.chance.below(len(self.kinds))]
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

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        try:
            while octets := await reader.read(4096):
                *frames, rest = (rest + octets).split(FLAG)
                for frame in frames:
                    for part in line.disturbed(frame + FLAG):
                        writer.write(part)
                        await writer.drain()
                        await asyncio.sleep(0)
        except ConnectionError:
            return  # one end is gone
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs = await asyncio.open_connection(where.hostname, where.port)
        for ends in ((reader, theirs[1]), (theirs[0], writer)):
            task = asyncio.ensure_future(carry(*ends))
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
