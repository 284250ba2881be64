"""An optical head on a network serial server (RFC 2217), whose speed and parity count."""

import asyncio
from collections.abc import Sequence
from typing import Final

from emulator.codecs import rfc2217_server
from emulator.codecs.rfc2217_server import (
    ClientSignature,
    Configure,
    PurgePort,
    SerialServer,
    ToPort,
    Write,
)
from emulator.core.effects import Note
from emulator.servers.line_parts import Framing
from emulator.servers.live_line import LineTiming, LiveLine
from emulator.servers.meter_line import MeterLine
from emulator.servers.served_meter import ServedMeter
from emulator.servers.tcp import PATIENCE_S, bound_to, keep_alive, listen, peer_of
from emulator.servers.uart import CharacterFormat, carried, format_of

#: Modem lines of the port as the client sees them: CTS, DSR and carrier are there.
_MODEM_LINES: Final = 0xB0
#: What the server says it is.
_SIGNATURE: Final = "smetsbench optical head (emulated)"


class SerialHead:
    """The port of a serial server with an optical head on it; one client at a time.

    The meter's end stays when clients come and go, and so does whatever state its line is in.

    Attributes:
        address: Where it listens, as a URL.
    """

    def __init__(self, meter: ServedMeter, name: str, timing: LineTiming) -> None:
        """Make the port; ``open`` makes it listen."""
        self.address = ""
        self.meter = meter
        self.client: HeadClient | None = None
        self._line = MeterLine(meter, name, framing=Framing.OPTICAL)
        self.live = LiveLine(meter, self._line, self, timing)
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            ListenError: The port is in use, or the host is not this machine's.
        """
        self._server = await listen(lambda: HeadClient(self), host, port)
        self.address = f"rfc2217://{bound_to(self._server)}"

    async def close(self) -> None:
        """Stop listening and close the connection."""
        self.live.detach()
        if self.client is not None:
            self.client.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def inactivity_s(self) -> float:
        """Seconds after which a client that says nothing is cut: later than the meter gives up.

        A terminal server knows nothing of the meter's links; cut with the meter, a reader could not
        tell the one from the other. Source: invented.
        """
        section = self.meter.profile.dlms
        return 240.0 if section is None else 2.0 * section.hdlc.inactivity_s

    def heard_from_client(self, octets: bytes, client: CharacterFormat) -> None:
        """Send octets of the client over the head, and let the meter hear what comes of them."""
        meter = CharacterFormat(self._line.baud or client.baud)
        self.live.received(carried(octets, client, meter), client.bits)

    # -- as a sink -----------------------------------------------------------------------------

    def write(self, octets: bytes, baud: int | None) -> None:
        """Send octets of the meter to the client, as its port hears them."""
        client = self.client
        if client is not None:
            there = client.format
            client.show(carried(octets, CharacterFormat(baud or there.baud), there))

    def hold(self, *, on: bool) -> None:
        """Stop (or go on) reading."""
        if self.client is not None:
            self.client.hold(on=on)

    def hang_up(self, why: str) -> None:
        """Nothing: the meter's end of a serial line has no connection to close."""

    def power_returned(self) -> None:
        """Nothing: the serial server has a supply of its own."""


class HeadClient(asyncio.Protocol):
    """One connection to the serial server.

    Attributes:
        format: How octets stand on the client's side of the line.
    """

    def __init__(self, head: SerialHead) -> None:
        self._head = head
        self._session = SerialServer(signature=_SIGNATURE)
        self.format = format_of(self._session.settings)
        self._transport: asyncio.Transport | None = None
        self._heard_s = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    # -- from asyncio --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here; it gets the port if that is free."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP server has stream transports")
        meter = self._head.meter
        self._transport = transport
        if self._head.client is not None:
            meter.note(Note("line_refused", (("why", "the port is in use"),)))
            transport.abort()
            return
        keep_alive(transport)
        self._head.client = self
        meter.note(Note("line_connected", (("line", "rfc2217"), ("peer", peer_of(transport)))))
        self._perform(self._session.open())
        self._perform(self._session.tell_modem_state(_MODEM_LINES))
        self._heard_s = meter.loop.time()
        self._look()

    def data_received(self, data: bytes) -> None:
        """Octets of the client."""
        self._heard_s = self._head.meter.loop.time()
        self._perform(self._session.receive(data))

    def pause_writing(self) -> None:
        """The client does not read: take no more of it, and not for ever."""
        self.hold(on=True)
        self._stuck = self._head.meter.loop.call_later(PATIENCE_S, self.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        self.hold(on=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; the meter notices nothing."""
        for handle in (self._watch, self._stuck):
            if handle is not None:
                handle.cancel()
        if self._head.client is self:
            self._head.client = None
            self._head.live.purge(towards_client=True, towards_meter=True)
            why = "closed" if exc is None else type(exc).__name__
            note = Note("line_disconnected", (("line", "rfc2217"), ("why", why)))
            self._head.meter.note(note)

    # -- both ways -----------------------------------------------------------------------------

    def show(self, octets: bytes) -> None:
        """Send what the port has heard to the client."""
        self._perform(self._session.from_port(octets))

    def hold(self, *, on: bool) -> None:
        """Stop (or go on) reading."""
        if self._transport is None or self._transport.is_closing():
            return
        if on:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _perform(self, outputs: Sequence[rfc2217_server.Output]) -> None:
        head = self._head
        for output in outputs:
            match output:
                case Write():
                    self._send(output.octets)
                case ToPort():
                    head.heard_from_client(output.octets, self.format)
                case Configure():
                    self.format = format_of(output.settings)
                case PurgePort():
                    head.live.purge(towards_client=output.receive, towards_meter=output.transmit)
                case ClientSignature():
                    head.meter.note(Note("line_client", (("signature", output.text[:80]),)))

    def _send(self, octets: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def _look(self) -> None:
        """Cut a client that has said nothing for the inactivity time: it may be gone long since."""
        loop = self._head.meter.loop
        left_s = self._heard_s + self._head.inactivity_s - loop.time()
        if left_s > 0:
            self._watch = loop.call_later(left_s, self._look)
            return
        self._head.meter.note(Note("line_hung_up", (("line", "rfc2217"), ("why", "silent"))))
        self.abort()
