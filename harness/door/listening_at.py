"""``HOST:PORT``: the socket it stands for, on this machine unless asked otherwise."""

import socket
from collections.abc import Callable

from harness.door.call_back import is_loopback
from harness.door.http import listening
from harness.errors import UsageError


def open_socket(listen: str, *, anywhere: bool, warn: Callable[[str], None]) -> socket.socket:
    """Open the socket to listen at.

    Args:
        listen: ``HOST:PORT``; port 0 is any.
        anywhere: Whether an address beyond this machine is meant.
        warn: Called with the host where it can be reached from elsewhere.

    Raises:
        UsageError: The address is none, is in use, or leads beyond this machine.
    """
    host, port = host_and_port(listen)
    if not is_loopback(host):
        if not anywhere:
            raise _refusal(listen, "it leads beyond this machine", "no loopback address")
        warn(host)
    try:
        return listening(host, port)
    except OSError as error:
        raise _refusal(listen, str(error.strerror), "another program has it") from error


def host_and_port(listen: str) -> tuple[str, int]:
    """Read ``HOST:PORT``.

    Raises:
        UsageError: It is none.
    """
    host, colon, port = listen.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port[:6]) <= 0xFFFF):
        raise _refusal(listen, "it is not HOST:PORT", "a mistyped address")
    return host.strip("[]"), int(port)


def address(at: socket.socket) -> str:
    """Return the address of a socket as browsers take it."""
    host, port = at.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refusal(listen: str, why: str, cause: str) -> UsageError:
    return UsageError(
        f"nothing can listen there: {why}",
        where=f"--listen {listen}",
        cause=cause,
        next_command="--listen 127.0.0.1:0, or --listen-anywhere where you mean it",
    )
