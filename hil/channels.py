"""The ways octets leave this process: a device, a TCP connection, a pyserial port object."""

import errno
import math
import os
import select
import socket
import stat
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import serial

from hil.errors import (
    LineClosedError,
    PortSettingError,
    PortStalledError,
    port_error,
    translated,
)
from hil.port_address import PortAddress, Way

#: Most octets taken at once; a pty holds 4 KiB, a socket more.
READ_BYTES: Final = 0x10000
#: A port object of pyserial is asked this often; its time-out must not be changed while open,
#: because RFC 2217's then settles every setting anew.
_SLICE_S: Final = 0.05
_CONNECT_S: Final = 5.0


class Channel(Protocol):
    """Octets to and from one line. What fails raises as the operating system or pyserial has it."""

    def read(self, timeout_s: float) -> bytes:
        """Return what is there, waiting up to ``timeout_s`` for the first octet; else nothing."""
        ...

    def write(self, octets: bytes, timeout_s: float) -> None:
        """Hand over all octets, waiting up to ``timeout_s`` for room."""
        ...

    def set_baud(self, baud: int) -> None:
        """Change the speed, after what was written has left."""
        ...

    def send_break(self, duration_s: float) -> bool:
        """Hold the line in break; False where the line has none."""
        ...

    def present(self) -> bool:
        """Whether the other end is still where it was; for lines that can vanish in silence."""
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


class FdChannel:
    """A line behind a file descriptor that does not block: read with poll, without pyserial.

    pyserial's own ``read`` sets up a select with two more descriptors and collects octet by octet
    up to a count; here what is there comes at once.
    """

    def __init__(self, url: str, fd: int) -> None:
        self._url = url
        self._fd = fd
        self._readable = select.poll()
        self._readable.register(fd, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(fd, select.POLLOUT)

    def read(self, timeout_s: float) -> bytes:
        """Return what is there; nothing when the time is over.

        Raises:
            OSError: The line is gone.
        """
        if not self._readable.poll(math.ceil(timeout_s * 1000)):
            return b""
        try:
            octets = os.read(self._fd, READ_BYTES)
        except BlockingIOError:  # woken for nothing
            return b""
        if not octets:
            raise self.ended()
        return octets

    def write(self, octets: bytes, timeout_s: float) -> None:
        """Hand over all octets.

        Raises:
            PortStalledError: The line did not take them in time.
            OSError: The line is gone.
        """
        taken = self._hand_over(octets)
        give_up = time.monotonic() + timeout_s if taken < len(octets) else 0.0
        while taken < len(octets):
            left_s = give_up - time.monotonic()
            if left_s <= 0 or not self._writable.poll(math.ceil(left_s * 1000)):
                left = len(octets) - taken
                raise port_error(
                    PortStalledError, self._url, f"{left} of {len(octets)} octets left"
                )
            taken += self._hand_over(memoryview(octets)[taken:])

    def _hand_over(self, octets: bytes | memoryview) -> int:
        try:
            return os.write(self._fd, octets)
        except BlockingIOError:
            return 0

    def ended(self) -> Exception:
        """Return the error for an end of the octets."""
        return OSError(errno.EIO, "the line ended")


class DeviceChannel(FdChannel):
    """A serial device or pty, opened and set by pyserial."""

    def __init__(self, port: serial.Serial, url: str, present: Callable[[], bool]) -> None:
        """Take over an open port; ``present`` says whether its device node is still there."""
        super().__init__(url, port.fileno())
        self._port = port
        self._present = present

    def set_baud(self, baud: int) -> None:
        """Change the speed once the last octet has left (the kernel says when)."""
        self._port.flush()
        self._port.baudrate = baud

    def send_break(self, duration_s: float) -> bool:
        """Hold the line in break. A pty takes it, and its other end sees nothing."""
        self._port.send_break(duration_s)
        return True

    def present(self) -> bool:
        """Whether the device node of the opening is still there."""
        return self._present()

    def close(self) -> None:
        """Close the device."""
        self._port.close()


class SocketChannel(FdChannel):
    """A TCP connection. It has no speed and no break.

    pyserial's ``socket://`` is passed by: it loses the number of the error when it cannot connect,
    and leaves Nagle's algorithm on.
    """

    def __init__(self, connection: socket.socket, url: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        super().__init__(url, connection.fileno())
        self._connection = connection

    def read(self, timeout_s: float) -> bytes:
        """Return what is there; nothing when the time is over.

        Raises:
            LineClosedError: The peer closed or reset the connection.
        """
        try:
            return super().read(timeout_s)
        except ConnectionError as error:  # closed while something of ours was under way
            raise self.ended() from error

    def write(self, octets: bytes, timeout_s: float) -> None:
        """Hand over all octets.

        Raises:
            PortStalledError: The line did not take them in time.
            LineClosedError: The peer closed or reset the connection.
        """
        try:
            super().write(octets, timeout_s)
        except ConnectionError as error:
            raise self.ended() from error

    def set_baud(self, baud: int) -> None:
        """Do nothing: a TCP connection has no speed."""

    def send_break(self, duration_s: float) -> bool:
        """Do nothing: a TCP connection has no break."""
        del duration_s
        return False

    def present(self) -> bool:
        """Return True; TCP itself tells when the peer goes."""
        return True

    def ended(self) -> Exception:
        """Return the error for a connection that its peer closed."""
        return port_error(LineClosedError, self._url)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class ObjectChannel:
    """A port that is an object of pyserial: ``rfc2217://`` and ``loop://``."""

    def __init__(self, port: serial.Serial, url: str) -> None:
        self._port = port
        self._url = url

    def read(self, timeout_s: float) -> bytes:
        """Return what is there; nothing when the time is over (up to 50 ms late)."""
        if timeout_s <= 0 and not self._port.in_waiting:
            return b""
        give_up = time.monotonic() + timeout_s
        while True:
            first: bytes = self._port.read(1)
            if first:
                waiting = int(self._port.in_waiting)
                return first + (bytes(self._port.read(waiting)) if waiting else b"")
            if time.monotonic() >= give_up:
                return b""

    def write(self, octets: bytes, timeout_s: float) -> None:
        """Hand over all octets; pyserial has its own time-out of 5 s here."""
        del timeout_s
        self._port.write(octets)

    def set_baud(self, baud: int) -> None:
        """Change the speed.

        Raises:
            PortSettingError: The server refuses it, or does not answer.
            OSError: The connection is gone.
        """
        try:
            self._port.baudrate = baud
        except serial.SerialException as error:
            if "connection failed" in str(error):
                raise
            raise port_error(PortSettingError, self._url, str(error)) from error

    def send_break(self, duration_s: float) -> bool:
        """Hold the line in break."""
        self._port.send_break(duration_s)
        return True

    def present(self) -> bool:
        """Return True; reading tells when the peer goes."""
        return True

    def close(self) -> None:
        """Close the port object."""
        self._port.close()


def node_watch(path: str) -> Callable[[], bool]:
    """Return a question: is the device node that ``path`` names now still there, the same?

    The node itself is watched, not a link to it: a link below ``/dev/serial/by-id`` may be made
    anew by the system while the device stays.
    """
    node = os.path.realpath(path)
    number = _device_number(node)

    def present() -> bool:
        return _device_number(node) == number

    return present


def _device_number(node: str) -> int | None:
    try:
        found = os.stat(node)  # noqa: PTH116 - asked often; the path is text already
    except OSError:
        return None
    return found.st_rdev if stat.S_ISCHR(found.st_mode) else -1


def open_channel(address: PortAddress, baud: int, *, exclusive: bool) -> Channel:
    """Open the line an address names, 8N1.

    Raises:
        PortMissingError: Nothing is there.
        PortBusyError: Another program holds it.
        PortRefusedError: This user may not open it.
        NotSerialError: It is no serial line, or no RFC 2217 server.
        PortSettingError: It does not take the speed.
    """
    try:
        with translated(address.url, opening=True):
            return _opened(address, baud, exclusive=exclusive)
    except ValueError as error:  # a speed the driver, or the server, does not know
        raise port_error(PortSettingError, address.url, str(error)) from error


def _opened(address: PortAddress, baud: int, *, exclusive: bool) -> Channel:
    if address.is_network:
        connection = socket.create_connection((address.host, address.port), _CONNECT_S)
        return SocketChannel(connection, address.url)
    if address.way is Way.DEVICE:
        port = serial.Serial(
            address.path,
            baud,
            serial.EIGHTBITS,
            serial.PARITY_NONE,
            serial.STOPBITS_ONE,
            timeout=0,
            exclusive=True if exclusive else None,
        )
        with suppress(ValueError, OSError):  # FTDI: 1 ms in place of 16; ptys have no such thing
            port.set_low_latency_mode(True)
        return DeviceChannel(port, address.url, node_watch(address.path))
    with warnings.catch_warnings():  # pyserial 3.5 calls outdated methods of its own threads
        warnings.filterwarnings("ignore", "set(Daemon|Name)", DeprecationWarning)
        port = serial.serial_for_url(address.url, baudrate=baud, timeout=_SLICE_S)
    return ObjectChannel(port, address.url)
