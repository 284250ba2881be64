"""A meter behind TCP: raw HDLC or the DLMS wrapper, several clients at once."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from emulator.core.effects import Note
from emulator.servers.errors import ListenError
from emulator.servers.line_parts import Framing
from emulator.servers.live_line import LineTiming, LiveLine
from emulator.servers.meter_line import MeterLine
from emulator.servers.served_meter import ServedMeter

#: Connections of one listener at once; more are closed as soon as they are made.
MAX_CONNECTIONS: Final = 64
#: Seconds a closing connection has to take its last octets, and a slow one to read any.
#: Source: invented.
PATIENCE_S: Final = 10.0


class TcpListener:
    """Takes connections, each a line of its own.

    Attributes:
        address: Where it listens, as a URL.
    """

    def __init__(self, meter: ServedMeter, name: str, timing: LineTiming, framing: Framing) -> None:
        """Make a listener; ``open`` makes it listen.

        Args:
            meter: Whose lines.
            name: What its lines' names begin with, e.g. ``tcp``.
            timing: How the lines behave in time.
            framing: ``HDLC`` or ``WRAPPER``.
        """
        self.address = ""
        self.meter = meter
        self.timing = timing
        self.framing = framing
        self.connections: set[MeterConnection] = set()
        self._name = name
        self._count = 0
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            ListenError: The port is in use, or the host is not this machine's.
        """
        self._server = await listen(lambda: MeterConnection(self), host, port)
        scheme = "wrapper" if self.framing is Framing.WRAPPER else "tcp"
        self.address = f"{scheme}://{bound_to(self._server)}"

    async def close(self) -> None:
        """Stop listening and close every connection."""
        for connection in list(self.connections):
            connection.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def next_name(self) -> str:
        """Return the name of a new line."""
        self._count += 1
        return f"{self._name}:{self._count}"


class MeterConnection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, listener: TcpListener) -> None:
        self._listener = listener
        self._meter = listener.meter
        self._transport: asyncio.Transport | None = None
        self._live: LiveLine | None = None
        self._stuck: asyncio.TimerHandle | None = None

    # -- from asyncio --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP server has stream transports")
        self._transport = transport
        if len(self._listener.connections) >= MAX_CONNECTIONS:
            self._meter.note(Note("line_refused", (("why", "too many connections"),)))
            transport.abort()
            return
        keep_alive(transport)
        self._listener.connections.add(self)
        name = self._listener.next_name()
        line = MeterLine(self._meter, name, framing=self._listener.framing)
        self._live = LiveLine(self._meter, line, self, self._listener.timing)
        self._meter.note(Note("line_connected", (("line", name), ("peer", peer_of(transport)))))

    def data_received(self, data: bytes) -> None:
        """Octets of the client."""
        if self._live is not None:
            self._live.received(data)

    def pause_writing(self) -> None:
        """The client does not read: take no more of it, and not for ever."""
        self.hold(on=True)
        self._stuck = self._meter.loop.call_later(PATIENCE_S, self.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        self.hold(on=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._listener.connections.discard(self)
        if self._stuck is not None:
            self._stuck.cancel()
        if self._live is not None:
            why = "closed" if exc is None else type(exc).__name__
            fields = (("line", self._live.line.name), ("why", why))
            self._live.lost()
            self._meter.note(Note("line_disconnected", fields))
            self._live = None

    # -- as a sink -----------------------------------------------------------------------------

    def write(self, octets: bytes, baud: int | None) -> None:  # noqa: ARG002 -- TCP has no speed
        """Send octets to the client."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def hold(self, *, on: bool) -> None:
        """Stop (or go on) reading."""
        if self._transport is None or self._transport.is_closing():
            return
        if on:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def hang_up(self, why: str) -> None:  # noqa: ARG002 -- told by the line itself
        """Close the connection when what was written is out, and at the latest after a while."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._stuck = self._meter.loop.call_later(PATIENCE_S, self.abort)

    def power_returned(self) -> None:
        """A meter that has lost its supply knows nothing of old connections: reset this one."""
        self.abort()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()


async def listen(make: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> asyncio.Server:
    """Open a listening socket.

    Raises:
        ListenError: The port is in use, or the host is not this machine's.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(make, host, port, reuse_address=True)
    except OSError as error:
        raise ListenError(f"{host}:{port}", error.strerror or str(error)) from error


def bound_to(server: asyncio.Server) -> str:
    """Return ``HOST:PORT`` of a listening server, the host in brackets where it has colons."""
    host, port = server.sockets[0].getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def keep_alive(transport: asyncio.Transport) -> None:
    """Have the system look after a connection whose other end may vanish without a word."""
    held = transport.get_extra_info("socket")
    if held is not None:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def peer_of(transport: asyncio.Transport) -> str:
    """Return who is at the other end, for notes."""
    name = transport.get_extra_info("peername")
    return f"{name[0]}:{name[1]}" if name else "unknown"
