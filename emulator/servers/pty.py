"""A meter's line as a pseudo-terminal: what an optical head on a USB lead looks like."""

import os
import stat
import tty
from pathlib import Path
from typing import Final

from emulator.servers.errors import ListenError
from emulator.servers.line_parts import Framing
from emulator.servers.live_line import LineTiming, LiveLine
from emulator.servers.meter_line import MeterLine
from emulator.servers.served_meter import ServedMeter

_READ_BYTES: Final = 4096
#: Octets kept for a client that does not read; a serial line loses what nobody takes.
MAX_KEPT_BYTES: Final = 0x10000


class PtyPort:
    """A pseudo-terminal in raw mode, whose other end is the meter.

    The client's end stays open here too, so that clients may come and go: the meter notices
    nothing, as it notices nothing of a head that is taken off.

    Attributes:
        address: Path of the client's end.
    """

    def __init__(
        self, meter: ServedMeter, name: str, timing: LineTiming, link: Path | None = None
    ) -> None:
        """Open the pseudo-terminal.

        Raises:
            ListenError: The link's name is taken, or the system gives none.
        """
        self._loop = meter.loop
        try:
            self._master, self._slave = os.openpty()
        except OSError as error:
            raise ListenError(
                "pty", f"the system gives no pseudo-terminal: {error.strerror}"
            ) from error
        tty.setraw(self._slave)  # before any client can open it: no echo, no CR for LF, no ^C
        os.set_blocking(self._master, False)
        self.address = os.ttyname(self._slave)
        self._link = link
        self._kept = bytearray()
        try:
            self._make_link()
        except ListenError:
            self._close_ends()
            raise
        line = MeterLine(meter, name, framing=Framing.OPTICAL)
        self._live = LiveLine(meter, line, self, timing)
        self._loop.add_reader(self._master, self._readable)

    async def close(self) -> None:
        """Close both ends, as unplugging does, and remove the link if it is still ours."""
        self._live.detach()
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        if self._link is not None and _target(self._link) == self.address:
            self._link.unlink()
        self._close_ends()

    # -- as a sink -----------------------------------------------------------------------------

    def write(self, octets: bytes, baud: int | None) -> None:  # noqa: ARG002 -- a pty has no speed
        """Send octets to the client; what it does not take in time is kept within bounds."""
        if self._kept:
            self._keep(octets)
            return
        sent = self._send(octets)
        if sent < len(octets):
            self._keep(octets[sent:])
            self._loop.add_writer(self._master, self._writable)

    def hold(self, *, on: bool) -> None:
        """Stop (or go on) reading."""
        if on:
            self._loop.remove_reader(self._master)
        else:
            self._loop.add_reader(self._master, self._readable)

    def hang_up(self, why: str) -> None:
        """Nothing: there is no connection to close."""

    def power_returned(self) -> None:
        """Nothing: the head has no connection that could have died."""

    # -- the pseudo-terminal -------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            octets = os.read(self._master, _READ_BYTES)
        except BlockingIOError:
            return
        if octets:
            self._live.received(octets)

    def _writable(self) -> None:
        del self._kept[: self._send(bytes(self._kept))]
        if not self._kept:
            self._loop.remove_writer(self._master)

    def _send(self, octets: bytes) -> int:
        try:
            return os.write(self._master, octets)
        except BlockingIOError:
            return 0

    def _keep(self, octets: bytes) -> None:
        self._kept += octets[: MAX_KEPT_BYTES - len(self._kept)]

    def _close_ends(self) -> None:
        os.close(self._master)
        os.close(self._slave)

    def _make_link(self) -> None:
        link = self._link
        if link is None:
            return
        target = _target(link)
        if target is not None and not _is_terminal(target):
            link.unlink()  # what an emulator left that was killed
        try:
            link.symlink_to(self.address)
        except OSError as error:
            raise ListenError(
                f"pty:{link}", f"the link cannot be made: {error.strerror}"
            ) from error


def _target(link: Path) -> str | None:
    """Return where a link of ours points to, or None when it is no link to a pseudo-terminal."""
    if not link.is_symlink():
        return None
    target = str(link.readlink())
    return target if target.startswith("/dev/pts/") else None


def _is_terminal(path: str) -> bool:
    try:
        return stat.S_ISCHR(os.stat(path).st_mode)  # noqa: PTH116 -- a device, not a file
    except OSError:
        return False
