"""Orders from the program that started a service: lines of text on a pipe, whoever takes them."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import IO, Final

from emulator.servers.errors import ListenError

#: Longest line that is read: one with a whole GBCS message in hexadecimal.
MAX_LINE_BYTES: Final = 8192
#: Takes the answer to an order: one line.
Answer = Callable[[str], None]


class OrderLines(asyncio.Protocol, ABC):
    """Cuts a pipe into orders, one a line; the end of the pipe stops the service."""

    def __init__(self, stop: Callable[[], None]) -> None:
        """Take what ends the service."""
        self._stop = stop
        self._kept = bytearray()

    @abstractmethod
    def order(self, line: str) -> None:
        """Take one line, without spaces around it."""

    def data_received(self, data: bytes) -> None:
        """Take octets of the pipe."""
        self._kept += data
        *lines, rest = self._kept.split(b"\n")
        self._kept = rest[-MAX_LINE_BYTES:]
        for line in lines:
            self.order(line.decode("utf-8", "replace").strip())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- whatever ended it
        """The pipe has ended: whoever started us is gone."""
        self._stop()


async def listen_to(pipe: IO[bytes], orders: OrderLines) -> asyncio.ReadTransport:
    """Read orders from a pipe until it ends.

    Raises:
        ListenError: It is no pipe: a file, for instance, has no end to wait for.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, _protocol = await loop.connect_read_pipe(lambda: orders, pipe)
    except (OSError, ValueError) as error:
        raise ListenError("standard input", "it is no pipe that could be listened to") from error
    return transport
