"""Orders to a served device from the program that started it: lines of text on a pipe."""

import asyncio
from collections.abc import Callable
from typing import IO, Final

from emulator.core.effects import Note
from emulator.servers.errors import ListenError
from emulator.servers.served_meter import ServedMeter

#: The order that takes the supply, and after which a number of seconds follows (0: for good).
POWER_CUT: Final = "power-cut"
#: Longest line that is read.
MAX_LINE_BYTES: Final = 1024
_MAX_OFF_S: Final = 1e9


class ControlPipe(asyncio.Protocol):
    """Reads orders, one a line; the end of the pipe stops the service.

    ``power-cut SECONDS`` takes the supply for so many seconds of the device's clock. What is no
    order is noted, and nothing else.

    Source:
        invented.
    """

    def __init__(self, meter: ServedMeter, stop: Callable[[], None]) -> None:
        """Take the meter, and what ends its service."""
        self._meter = meter
        self._stop = stop
        self._kept = bytearray()

    def data_received(self, data: bytes) -> None:
        """Take octets of the pipe."""
        self._kept += data
        *lines, rest = self._kept.split(b"\n")
        self._kept = rest[-MAX_LINE_BYTES:]
        for line in lines:
            self._order(line.decode("utf-8", "replace").strip())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- whatever ended it
        """The pipe has ended: whoever started us is gone."""
        self._stop()

    def _order(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        off_s = _seconds(rest) if word == POWER_CUT else None
        if off_s is not None:
            self._meter.note(Note("control", (("order", line[:80]),)))
            self._meter.cut_power(off_s)
        elif line:
            self._meter.note(Note("control_refused", (("line", line[:80]),)))


async def listen_to(
    pipe: IO[bytes], meter: ServedMeter, stop: Callable[[], None]
) -> asyncio.ReadTransport:
    """Read orders from a pipe until it ends.

    Raises:
        ListenError: It is no pipe: a file, for instance, has no end to wait for.
    """
    try:
        transport, _protocol = await meter.loop.connect_read_pipe(
            lambda: ControlPipe(meter, stop), pipe
        )
    except (OSError, ValueError) as error:
        raise ListenError("standard input", "it is no pipe that could be listened to") from error
    return transport


def _seconds(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= _MAX_OFF_S else None
