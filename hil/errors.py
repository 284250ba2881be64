"""What goes wrong at a port, in words for the person at the bench; foreign errors end here."""

import errno
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from harness.errors import BenchError, UsageError

#: What the operating system and pyserial raise.
FOREIGN: Final = (OSError, termios.error)
_DOCTOR: Final = "smetsbench bench doctor FILE"


class PortAddressError(UsageError):
    """A port is written in a way that names none (a wrong bench file, so exit code 2)."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"{url!r} names no port: {why}",
            where=url,
            cause="a port is written as a device path, tcp://HOST:PORT, wrapper://HOST:PORT, "
            "rfc2217://HOST:PORT or loop://",
            next_command="smetsbench bench check FILE",
        )


class SchemeUnknownError(PortAddressError):
    """The part before ``://`` is none that we open."""


class PortError(BenchError):
    """Something is wrong with a port: the bench's fault, never the device's."""


class PortMissingError(PortError):
    """Nothing is where the port should be: no device, no host, nobody listens."""


class PortAmbiguousError(PortError):
    """More than one port fits what the bench file says."""


class PortBusyError(PortError):
    """Another program holds the port."""


class PortRefusedError(PortError):
    """The operating system does not let this user open the port."""


class NotSerialError(PortError):
    """Something is there, but it is no serial line, or no RFC 2217 server."""


class PortSettingError(PortError):
    """The port, or the server it stands at, does not take a setting."""


class PortLostError(PortError):
    """The port went away while it was open: unplugged, powered off, closed by its peer."""


class LineClosedError(PortLostError):
    """The peer of a network line ended the connection."""


class PortStalledError(PortError):
    """The port takes no octets, or not in time."""


class LineSilentError(PortError):
    """The line is there, and nothing came that was waited for."""


class DeviceLockedError(PortError):
    """Somebody else works with this device or bench."""


class LockUnusableError(BenchError):
    """Nobody can say who works with what: the place where locks lie cannot be used."""


class RelayError(PortError):
    """A power relay did not do what it was told, or does not say that it did."""


#: Number of the operating system's error -> what it means while a port is being opened.
_OPENING: Final[dict[int, type[PortError]]] = {
    errno.ENOENT: PortMissingError,
    errno.ENODEV: PortMissingError,
    errno.ENXIO: PortMissingError,
    errno.ENOTDIR: PortMissingError,
    errno.ECONNREFUSED: PortMissingError,
    errno.EHOSTUNREACH: PortMissingError,
    errno.ENETUNREACH: PortMissingError,
    errno.ETIMEDOUT: PortMissingError,
    errno.EIO: PortMissingError,
    errno.EACCES: PortRefusedError,
    errno.EPERM: PortRefusedError,
    errno.EBUSY: PortBusyError,
    errno.EAGAIN: PortBusyError,
    errno.ENOTTY: NotSerialError,
    errno.EINVAL: NotSerialError,
    errno.EISDIR: NotSerialError,
}
#: What is said of each: what failed, its likely cause, the next command; ``{}`` is the port.
_WORDS: Final[dict[type[PortError], tuple[str, str, str]]] = {
    PortMissingError: (
        "{} is not there",
        "not plugged in, plugged in elsewhere, powered off, or its server is not running",
        _DOCTOR,
    ),
    PortRefusedError: (
        "{} may not be opened by this user",
        "the user is not in the group that owns serial devices (dialout on most systems)",
        'sudo usermod -aG dialout "$USER", then log in again',
    ),
    PortBusyError: (
        "{} is in use",
        "another smetsbench, a terminal program, ModemManager or brltty has it open",
        "fuser -v {}",
    ),
    NotSerialError: (
        "{} is no serial line",
        "the address names something else: a plain file, another service's TCP port",
        _DOCTOR,
    ),
    PortSettingError: (
        "{} does not take this setting",
        "the adapter, its driver or the terminal server does not know the speed asked for",
        _DOCTOR,
    ),
    PortLostError: (
        "{} went away while it was in use",
        "the lead was pulled, the adapter lost power, or its server ended",
        _DOCTOR,
    ),
    LineClosedError: (
        "{}: the peer closed the connection",
        "the device dropped the line (inactivity, restart), or its server ended",
        _DOCTOR,
    ),
    PortStalledError: (
        "{} takes no octets",
        "flow control holds the line, or the adapter hangs",
        "unplug the adapter and plug it in again",
    ),
}


def port_error(kind: type[PortError], url: str, detail: str = "") -> PortError:
    """Return an error of this kind with its words; ``detail`` is what the system said."""
    what, cause, next_command = _WORDS[kind]
    said = f" ({detail})" if detail else ""
    return kind(
        what.format(url) + said,
        where=url,
        cause=cause,
        next_command=next_command.format(url),
    )


def number_of(error: BaseException) -> int | None:
    """Return the operating system's number of an error, through what pyserial wraps around it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None and seen.errno > 0:
            return seen.errno
        if isinstance(seen, termios.error) and seen.args and isinstance(seen.args[0], int):
            return seen.args[0]
        seen = seen.__context__
    return None


def _opening_error(url: str, error: BaseException) -> PortError:
    number = number_of(error)
    if number is None:  # names that do not resolve have numbers of their own, or none
        kind = NotSerialError if "RFC2217" in str(error) else PortMissingError
        return port_error(kind, url, str(error))
    return port_error(_OPENING.get(number, PortMissingError), url, str(error))


def translation(url: str, error: OSError | termios.error, *, opening: bool = False) -> PortError:
    """Return the error of this module for one of the operating system's or pyserial's.

    Args:
        url: The port, for the message.
        error: What was raised; pyserial's ``SerialException`` is an ``OSError``.
        opening: Whether the port was being opened; an error afterwards means that it is lost.
    """
    if opening:
        return _opening_error(url, error)
    return port_error(PortLostError, url, str(error))


@contextmanager
def translated(url: str, *, opening: bool = False) -> Iterator[None]:
    """Turn what the operating system and pyserial raise into errors of this module.

    pyserial raises ``SerialException`` from most calls, but plain ``OSError(5)`` from
    ``in_waiting`` on an unplugged device and ``termios.error`` from a change of settings.

    Raises:
        PortError: As ``translation`` says, in place of ``OSError`` and ``termios.error``.
    """
    try:
        yield
    except FOREIGN as error:
        raise translation(url, error, opening=opening) from error
