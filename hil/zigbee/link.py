"""The line to a dongle: bellows' ASH and gateway, with a tap on every octet and the guard.

Between serialx' transport and bellows' ASH protocol stands a tap (byte-exact, both ways, nothing
altered, what is written together gathered); between bellows' EZSP protocol and its gateway stands
the guard.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, cast

import bellows.ash
import bellows.uart
import zigpy.serial

from hil.tap import Tap
from hil.zigbee.guard import Guard
from hil.zigbee.settings import DongleSettings

#: Until a path that opens is connected, seconds.
_CONNECT_S: Final = 10.0


class _GatheringTransport:
    """What ASH writes to: the line's transport; what is written in one go goes out in one go.

    bellows acknowledges every frame by itself. Three frames that arrive together are answered by
    one write of three acknowledgements: the same octets in the same order, a third of the cost.
    """

    def __init__(self, transport: asyncio.Transport, tap: Tap | None) -> None:
        self._transport = transport
        self._tap = tap
        self._gathered = bytearray()

    def write(self, octets: bytes) -> None:
        """Write, as soon as this turn of the loop has ended."""
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush)
        self._gathered += octets

    def close(self) -> None:
        """Write what is gathered, and close the line."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        octets, self._gathered = bytes(self._gathered), bytearray()
        if not octets or self._transport.is_closing():
            return
        if self._tap is not None:
            self._tap.chunk("in", octets, time.monotonic_ns())
        self._transport.write(octets)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Line(asyncio.Protocol):
    """What the line's transport reads into: ASH, and the tap hears what is read."""

    def __init__(self, inner: asyncio.Protocol, tap: Tap | None, settings: DongleSettings) -> None:
        self._inner = inner
        self._tap = tap
        self._settings = settings

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
