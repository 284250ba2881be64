"""Where an emulated dongle is plugged in: a pseudo-terminal or a TCP port, one host at a time."""

import asyncio
import os
import socket
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from emulator.servers.errors import ListenError
from emulator.servers.listen import Place

_READ_BYTES: Final = 4096
#: Octets kept for a host that does not read. Source: invented, a serial adapter's buffer and more.
_MAX_KEPT_BYTES: Final = 0x10000
#: Hosts that may knock at one moment. Source: invented.
_BACKLOG: Final = 8

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


class _Wire:
    """The dongle's end of an open line: a descriptor that never waits."""

    def __init__(self, descriptor: int, take: Take, lost: Callable[[], None]) -> None:
        """Take the descriptor, who takes its octets, and who is told that the other end is gone."""
        self.descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._take = take
        self._lost = lost
        self._kept = bytearray()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._readable)

    def write(self, octets: bytes) -> None:
        """Send octets to the host; what it does not take in time is kept within bounds."""
        if self._kept:
            self._kept += octets[: _MAX_KEPT_BYTES - len(self._kept)]
            return
        sent = self._send(octets)
        if sent < len(octets):
            self._kept += octets[sent:]
            self._loop.add_writer(self.descriptor, self._writable)

    def shut(self) -> None:
        """Watch the descriptor no longer; whoever opened it closes it."""
        self._loop.remove_reader(self.descriptor)
        self._loop.remove_writer(self.descriptor)

    def _writable(self) -> None:
        del self._kept[: self._send(bytes(self._kept))]
        if not self._kept:
            self._loop.remove_writer(self.descriptor)

    def _send(self, octets: bytes) -> int:
        try:
            return os.write(self.descriptor, octets)
        except BlockingIOError:
            return 0
        except OSError:  # the host is gone: reading tells who has to know
            return len(octets)

    def _readable(self) -> None:
        try:
            octets = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if octets:
            self._take(octets)
        else:
            self._lost()


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
        self._take = take
        self._link = link
        self._open()
        if link is not None:
            self._make_link(link)

    def _open(self) -> None:
        try:
            self._master, self._slave = os.openpty()
        except OSError as error:
            raise ListenError("pty", f"no pseudo-terminal: {error.strerror}") from error
        tty.setraw(self._slave)  # before any host can open it: no echo, no CR for LF
        self.address = os.ttyname(self._slave)
        self._wire = _Wire(self._master, self._take, self._nobody)

    def _nobody(self) -> None:
        """Nothing: the host's end is open here too."""

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
        """Send octets to the host."""
        self._wire.write(octets)

    def unplug(self) -> None:
        """Drop the host: the terminal is gone, and another one is there under the same link."""
        self._remove_link()
        self._shut()
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
        self._wire.shut()
        os.close(self._master)
        os.close(self._slave)


class DongleTcp:
    """A TCP port that takes one host at a time; a new one drops the old, as a lead has one socket.

    Attributes:
        address: Where it listens, as a URL.
    """

    def __init__(self, take: Take, host: str, port: int) -> None:
        """Listen.

        Raises:
            ListenError: The port is in use, or the host is not this machine's.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._server = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise ListenError(f"{host}:{port}", error.strerror or str(error)) from error
        bound, at = self._server.getsockname()[:2]
        self.address = f"tcp://[{bound}]:{at}" if ":" in bound else f"tcp://{bound}:{at}"
        self._take = take
        self._host: tuple[socket.socket, _Wire] | None = None
        self._server.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._server.fileno(), self._knocked)

    def _knocked(self) -> None:
        try:
            host, _address = self._server.accept()
        except OSError:  # it has gone away again
            return
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.unplug()
        self._host = (host, _Wire(host.fileno(), self._take, self.unplug))

    def write(self, octets: bytes) -> None:
        """Send octets to the host; without one they are lost."""
        if self._host is not None:
            self._host[1].write(octets)

    def unplug(self) -> None:
        """Drop the host."""
        held, self._host = self._host, None
        if held is not None:
            held[1].shut()
            held[0].close()

    async def close(self) -> None:
        """Stop listening and drop the host."""
        self.unplug()
        self._loop.remove_reader(self._server.fileno())
        self._server.close()


def open_port(place: Place, take: Take) -> DonglePort:
    """Open a place.

    Raises:
        ListenError: It cannot be had, or is of a kind that no dongle has.
    """
    if place.kind == "pty":
        return DonglePty(take, place.link)
    if place.kind != "tcp":
        raise ListenError(place.text, "a dongle is reached at pty, pty:LINK or tcp://HOST:PORT")
    return DongleTcp(take, place.host, place.port)
