"""Where an emulated dongle is plugged in: a pseudo-terminal or a TCP port, one host at a time."""

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from emulator.servers.errors import ListenError
from emulator.servers.listen import Place
from emulator.servers.tcp import bound_to, keep_alive, listen

_READ_BYTES: Final = 4096
#: Octets kept for a host that does not read. Source: invented, a serial adapter's buffer and more.
_MAX_KEPT_BYTES: Final = 0x10000

Take = Callable[[bytes], None]


class DonglePort(Protocol):
    """An open place."""

    @property
    def address(self) -> str:
        """How to reach it: a URL, or the path of a pseudo-terminal."""
        ...

    def write(self, octets: bytes) -> None:
        """Send octets to the host; without one they are lost."""
        ...

    def unplug(self) -> None:
        """Drop the host, as pulling the lead does."""
        ...

    async def close(self) -> None:
        """Close the place."""
        ...


class DonglePty:
    """A pseudo-terminal; its host's end stays open here too, so that hosts may come and go.

    Attributes:
        address: Path of the host's end.
    """

    def __init__(self, take: Take, link: Path | None) -> None:
        """Open it, and make the link.

        Raises:
            ListenError: The system gives none, or the link cannot be made.
        """
        self._loop = asyncio.get_running_loop()
        self._take = take
        self._link = link
        self._kept = bytearray()
        self._writing = False
        self._open()
        if link is not None:
            self._make_link(link)

    def _open(self) -> None:
        try:
            self._master, self._slave = os.openpty()
        except OSError as error:
            raise ListenError("pty", f"no pseudo-terminal: {error.strerror}") from error
        tty.setraw(self._slave)  # before any host can open it: no echo, no CR for LF
        os.set_blocking(self._master, False)
        self.address = os.ttyname(self._slave)
        self._loop.add_reader(self._master, self._readable)

    def _make_link(self, link: Path) -> None:
        old = str(link.readlink()) if link.is_symlink() else ""
        if old.startswith("/dev/pts/") and not Path(old).exists():
            link.unlink()  # what an emulator left that was killed
        try:
            link.symlink_to(self.address)
        except OSError as error:
            self._shut()
            raise ListenError(
                f"pty:{link}", f"the link cannot be made: {error.strerror}"
            ) from error

    def write(self, octets: bytes) -> None:
        """Send octets to the host; what it does not take in time is kept within bounds."""
        self._kept += octets[: _MAX_KEPT_BYTES - len(self._kept)]
        self._writable()

    def _writable(self) -> None:
        try:
            del self._kept[: os.write(self._master, self._kept)]
        except BlockingIOError:
            self._wait()
            return
        if self._kept:
            self._wait()
        elif self._writing:
            self._writing = False
            self._loop.remove_writer(self._master)

    def _wait(self) -> None:
        """Go on when the host has read something."""
        if not self._writing:
            self._writing = True
            self._loop.add_writer(self._master, self._writable)

    def _readable(self) -> None:
        try:
            octets = os.read(self._master, _READ_BYTES)
        except BlockingIOError:
            return
        if octets:
            self._take(octets)

    def unplug(self) -> None:
        """Drop the host: the terminal is gone, and another one is there under the same link."""
        self._remove_link()
        self._shut()
        self._kept.clear()
        self._open()
        if self._link is not None:
            self._make_link(self._link)

    async def close(self) -> None:
        """Close both ends, and remove the link if it is still ours."""
        self._remove_link()
        self._shut()

    def _remove_link(self) -> None:
        link = self._link
        if link is not None and link.is_symlink() and str(link.readlink()) == self.address:
            link.unlink()

    def _shut(self) -> None:
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        self._writing = False
        os.close(self._master)
        os.close(self._slave)


class _Host(asyncio.BufferedProtocol):
    """One connection; its octets are read into the same place every time."""

    def __init__(self, port: "DongleTcp") -> None:
        self.port = port
        self.transport: asyncio.Transport | None = None
        self._read = bytearray(_READ_BYTES)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A host is here; an older one is dropped, as a lead can be in one socket only."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP server has stream transports")
        self.transport = transport
        keep_alive(transport)
        self.port.unplug()
        self.port.host = self

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - a line has its own size
        """Return where to put octets of the host."""
        return self._read

    def buffer_updated(self, nbytes: int) -> None:
        """Octets of the host."""
        if self.port.host is self:
            self.port.take(bytes(self._read[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever ended it
        """The host is gone."""
        if self.port.host is self:
            self.port.host = None


class DongleTcp:
    """A TCP port that takes one host at a time.

    Attributes:
        address: Where it listens, as a URL.
        host: The connection, or None.
        take: Takes the octets of the host.
    """

    def __init__(self, take: Take) -> None:
        """Take whoever takes the host's octets; ``open`` makes it listen."""
        self.address = ""
        self.host: _Host | None = None
        self.take = take
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            ListenError: The port is in use, or the host is not this machine's.
        """
        self._server = await listen(lambda: _Host(self), host, port)
        self.address = f"tcp://{bound_to(self._server)}"

    def write(self, octets: bytes) -> None:
        """Send octets to the host; without one they are lost."""
        transport = None if self.host is None else self.host.transport
        if transport is not None and not transport.is_closing():
            transport.write(octets)

    def unplug(self) -> None:
        """Drop the host."""
        host, self.host = self.host, None
        if host is not None and host.transport is not None:
            host.transport.abort()

    async def close(self) -> None:
        """Stop listening and drop the host."""
        self.unplug()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


async def open_port(place: Place, take: Take) -> DonglePort:
    """Open a place.

    Raises:
        ListenError: It cannot be had, or is of a kind that no dongle has.
    """
    if place.kind == "pty":
        return DonglePty(take, place.link)
    if place.kind != "tcp":
        raise ListenError(place.text, "a dongle is reached at pty, pty:LINK or tcp://HOST:PORT")
    port = DongleTcp(take)
    await port.open(place.host, place.port)
    return port
