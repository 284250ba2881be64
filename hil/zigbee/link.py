"""The line to a dongle: bellows' ASH and gateway, with a tap on every octet and the guard.

Between serialx' transport and bellows' ASH protocol stands a tap (byte-exact, both ways, what
crosses the line; an acknowledgement goes with what follows, and a CANCEL before what is sent
again); between bellows' EZSP protocol and its gateway stands the guard.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, cast

import bellows.ash
import bellows.uart
import zigpy.serial

from emulator.codecs.ezsp.ash_octets import CANCEL, ESCAPE, FLAG, INVERTED
from hil.tap import Tap
from hil.zigbee.guard import Guard
from hil.zigbee.settings import DongleSettings

#: Until a path that opens is connected, seconds.
_CONNECT_S: Final = 10.0
_FRESH: Final = bytes((CANCEL,))
#: A pause in which the rest of a frame does not come, seconds: the longest frame takes a sixth of
#: it at 57,600 baud, and no dongle repeats a frame before 0.4 s. Where flow control held the line
#: so long, a frame is lost that ASH repeats. Source: invented.
_PAUSE_S: Final = 0.3
#: Control octets of frames without data, and the mark of a data frame that was sent before.
_DATALESS: Final = 0x80
_AGAIN: Final = 0x08
#: What tells an acknowledgement from other frames without data.
_KINDS: Final = 0xE0
#: How long an acknowledgement waits for a frame to go with, seconds: half of what ASH allows.
#: Source: UG101 5.6 (T_TX_ACK_DELAY is 20 ms).
_ACK_S: Final = 0.01
#: Frames that are acknowledged at once: a dongle sends five unasked, and its window is never full.
_OWED: Final = 4


class _GatheringTransport:
    """What ASH writes to: the line's transport; acknowledgements wait for a frame to go with.

    bellows acknowledges every frame by itself, and most often sends a command soon after. So the
    answer, the report and the message of one exchange are acknowledged in one write with the next
    command, by one acknowledgement, and both programs wake up half as often. Where no command
    comes soon, or many frames do, the acknowledgement goes by itself.

    A data frame that is sent again goes behind a CANCEL. Where the copy before it lost its end,
    its rest waits at the dongle for a flag: without the CANCEL it would spoil the copy too, and
    one truncated frame would cost two of the five attempts that bellows makes.

    Source:
        UG101 2.3 (a CANCEL ends a frame in progress, anywhere); known (an acknowledgement is of
        all frames before its number).
    """

    def __init__(self, transport: asyncio.Transport, tap: Tap | None) -> None:
        self._transport = transport
        self._tap = tap
        self._loop = asyncio.get_running_loop()
        self._waits = b""
        self._owed = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, octets: bytes) -> None:
        """Write, or keep what is an acknowledgement for a moment."""
        if octets[0] & _KINDS != _DATALESS:
            waits = self._taken()
            self._put(waits + (_FRESH + octets if _sent_again(octets) else octets))
            return
        self._waits = octets  # it tells what those before it tell
        self._owed += 1
        if self._owed >= _OWED:
            self._flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(_ACK_S, self._flush)

    def is_closing(self) -> bool:
        """Say whether the line is closed or about to be."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Write what is gathered, and close the line."""
        self._flush()
        self._transport.close()

    def _taken(self) -> bytes:
        """Return the acknowledgement that waits, which does so no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waits, self._waits, self._owed = self._waits, b"", 0
        return waits

    def _flush(self) -> None:
        octets = self._taken()
        if octets:
            self._put(octets)

    def _put(self, octets: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._tap is not None:
            self._tap.chunk("in", octets, time.monotonic_ns())
        self._transport.write(octets)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _sent_again(octets: bytes) -> bool:
    """Say whether octets are a data frame that bears the mark of one that was sent before."""
    control = octets[1] ^ INVERTED if octets[0] == ESCAPE else octets[0]
    return octets[0] != CANCEL and control < _DATALESS and control & _AGAIN != 0


class _Line(asyncio.Protocol):
    """What the line's transport reads into: ASH, and the tap hears what is read.

    A frame without its end is given up after a pause: bellows, which knows no time here, would
    take it together with the repetition of it that comes next, and lose both.
    """

    def __init__(self, inner: asyncio.Protocol, tap: Tap | None, settings: DongleSettings) -> None:
        self._inner = inner
        self._tap = tap
        self._settings = settings
        self._unfinished_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open line."""
        told: dict[str, str | int] = {"url": self._settings.path, "baud": self._settings.baud}
        if self._tap is not None:
            self._tap.event("open", told, time.monotonic_ns())
        gathering = _GatheringTransport(cast("asyncio.Transport", transport), self._tap)
        self._inner.connection_made(cast("asyncio.Transport", gathering))

    def data_received(self, data: bytes) -> None:
        """Take octets of the dongle."""
        if self._tap is not None:
            self._tap.chunk("out", bytes(data), time.monotonic_ns())
        now = time.monotonic()
        if self._unfinished_since is not None and now - self._unfinished_since > _PAUSE_S:
            self._inner.data_received(_FRESH)
        self._unfinished_since = None if data[-1] == FLAG else now
        self._inner.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take notice that the line is gone or was closed."""
        now = time.monotonic_ns()
        if self._tap is not None and exc is None:
            self._tap.event("close", {}, now)
        elif self._tap is not None:
            self._tap.event("error", {"kind": type(exc).__name__, "what": str(exc)}, now)
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Take notice that a network peer sends no more."""
        return self._inner.eof_received()


class GuardedGateway:
    """bellows' gateway, of which only what the guard lets pass is sent.

    Attributes:
        frames: EZSP frames sent so far.
    """

    def __init__(
        self, gateway: bellows.uart.Gateway, guard: Guard, version: Callable[[], int]
    ) -> None:
        self.frames = 0
        self._gateway = gateway
        self._guard = guard
        self._version = version

    async def send_data(self, data: bytes) -> None:
        """Send one EZSP frame.

        Raises:
            GuardRefusedError: The guard does not let it pass.
        """
        self._guard.check(data, self._version())
        self.frames += 1
        await self._gateway.send_data(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


async def open_gateway(
    settings: DongleSettings,
    ezsp: Any,
    guard: Guard,
    version: Callable[[], int],
    tap: Tap | None = None,
) -> GuardedGateway:
    """Open the line as bellows does, with tap and guard.

    Args:
        settings: Which line.
        ezsp: Who takes the frames: an ``EZSP`` of bellows.
        guard: What may pass.
        version: Tells the EZSP version spoken at the moment.
        tap: Who hears every octet.

    Raises:
        OSError: As the operating system and serialx say.
        TimeoutError: The line opens and never connects.
    """
    device = settings.device()
    gateway = bellows.uart.Gateway(ezsp)
    protocol = _Line(bellows.ash.AshProtocol(gateway), tap, settings)
    async with asyncio.timeout(_CONNECT_S):
        await zigpy.serial.create_serial_connection(
            asyncio.get_running_loop(),
            lambda: protocol,
            url=settings.path,
            baudrate=device["baudrate"],
            xonxoff=settings.flow_control in (None, "software"),
            rtscts=settings.flow_control == "hardware",
        )
        await gateway.wait_until_connected()
    return GuardedGateway(gateway, guard, version)
