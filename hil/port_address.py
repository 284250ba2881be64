"""How a port is written: one text for a device, a terminal server, an emulator."""

import enum
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hil.errors import PortAddressError, SchemeUnknownError


class Way(enum.StrEnum):
    """How the octets travel."""

    DEVICE = "device"  # a serial device or pty of this computer
    TCP = "tcp"  # the raw line over TCP: HDLC
    WRAPPER = "wrapper"  # the DLMS IP wrapper over TCP
    RFC2217 = "rfc2217"  # a serial line behind a terminal server that takes settings
    LOOP = "loop"  # an echo inside this process


_SCHEMES: Final = {
    "tcp": Way.TCP,
    "wrapper": Way.WRAPPER,
    "rfc2217": Way.RFC2217,
    "loop": Way.LOOP,
}


@dataclass(frozen=True, slots=True)
class PortAddress:
    """A port as written, taken apart.

    Attributes:
        url: As written.
        way: How the octets travel.
        path: Device path; empty elsewhere.
        host: Name or address; empty where there is none.
        port: TCP port; 0 where there is none.
    """

    url: str
    way: Way
    path: str = ""
    host: str = ""
    port: int = 0

    @property
    def is_network(self) -> bool:
        """Whether the line ends at a TCP connection with nothing else between."""
        return self.way in (Way.TCP, Way.WRAPPER)


def parse(url: str) -> PortAddress:
    """Take a port apart.

    Args:
        url: ``/dev/ttyUSB0``, ``/dev/serial/by-id/…``, a pty's path, ``tcp://HOST:PORT``,
            ``wrapper://HOST:PORT``, ``rfc2217://HOST:PORT`` (pyserial's options after ``?`` are
            handed on), ``loop://``.

    Raises:
        SchemeUnknownError: Something else stands before ``://``; ``spy://`` among them, because a
            tap records more and every port can have one.
        PortAddressError: The rest names no port.
    """
    if "://" not in url:
        return _device(url)
    parts = urlsplit(url)
    way = _SCHEMES.get(parts.scheme)
    if way is None:
        raise SchemeUnknownError(url, _unknown(parts.scheme))
    if way is Way.LOOP:
        if parts.netloc or parts.path or parts.query:
            raise PortAddressError(url, "nothing follows loop://")
        return PortAddress(url, way)
    return _network(url, way, parts)


def _device(url: str) -> PortAddress:
    if not url.startswith("/"):
        raise PortAddressError(url, "a device path begins with /")
    if any(ord(character) < 32 for character in url):
        raise PortAddressError(url, "a path holds no control characters")
    return PortAddress(url, Way.DEVICE, path=url)


def _network(url: str, way: Way, parts: SplitResult) -> PortAddress:
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise PortAddressError(url, "the TCP port is a number from 1 to 65535") from error
    if not host:
        raise PortAddressError(url, "a host is missing")
    if not port:
        raise PortAddressError(url, "a TCP port, 1 to 65535, is missing")
    if parts.username is not None or parts.path not in ("", "/") or parts.fragment:
        raise PortAddressError(url, "nothing stands beside host and port")
    if parts.query and way is not Way.RFC2217:
        raise PortAddressError(url, "only rfc2217:// has options")
    return PortAddress(url, way, host=host, port=port)


def _unknown(scheme: str) -> str:
    known = ", ".join(f"{name}://" for name in _SCHEMES)
    hint = "; for a record of the octets use smetsbench capture" if scheme == "spy" else ""
    return f"{scheme}:// is not known here (known: a path, {known}){hint}"
