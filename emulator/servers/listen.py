"""Where a served meter can be reached: the URLs of ``--listen``, and what opens each."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from emulator.servers.errors import ListenError
from emulator.servers.line_parts import Framing
from emulator.servers.live_line import TCP_SILENCE_S, LineTiming
from emulator.servers.pty import PtyPort
from emulator.servers.rfc2217 import SerialHead
from emulator.servers.served_meter import ServedMeter
from emulator.servers.tcp import TcpListener

#: What ``--listen`` takes.
FORMS: Final = "pty, pty:LINK, tcp://HOST:PORT, wrapper://HOST:PORT, rfc2217://HOST:PORT"
_SCHEMES: Final = ("tcp", "wrapper", "rfc2217")
_LOOPBACK: Final = "127.0.0.1"
_ANYWHERE: Final = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104 -- named in order to refuse them


@dataclass(frozen=True, slots=True)
class Place:
    """One place to listen at.

    Attributes:
        kind: ``pty``, ``tcp``, ``wrapper`` or ``rfc2217``.
        host: Host to listen at; empty for a pty.
        port: TCP port, 0 for any that is free.
        link: Symbolic link to make to a pty, or None.
        text: As it was asked for.
    """

    kind: str
    host: str = ""
    port: int = 0
    link: Path | None = None
    text: str = ""


class Listener(Protocol):
    """An open place."""

    @property
    def address(self) -> str:
        """How to reach it: a URL, or the path of a pty."""
        ...

    async def close(self) -> None:
        """Stop listening and drop who is connected."""
        ...


def parse(text: str, *, anywhere: bool = False) -> Place:
    """Read one ``--listen``.

    Args:
        text: For instance ``tcp://127.0.0.1:0``; a host left out is this machine's loopback.
        anywhere: Whether an address beyond this machine's loopback is allowed.

    Raises:
        ListenError: It is none of ``FORMS``, or would be open to other machines unasked.
    """
    if text == "pty":
        return Place("pty", text=text)
    if text.startswith("pty:") and len(text) > len("pty:"):
        return Place("pty", link=Path(text.removeprefix("pty:")), text=text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ListenError(text, f"not a place to listen at: {error}") from error
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in _SCHEMES or port is None or extra:
        raise ListenError(text, f"not a place to listen at; there are: {FORMS}")
    host = parts.hostname or _LOOPBACK
    if not anywhere and not _is_loopback(host):
        who = "every network" if host in _ANYWHERE else "other machines"
        raise ListenError(text, f"{who} could reach it, and it knows no passwords of yours")
    return Place(parts.scheme, "0.0.0.0" if host == "*" else host, port, text=text)  # noqa: S104 -- asked for


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # a name may lead anywhere


async def open_place(place: Place, meter: ServedMeter, number: int, timing: LineTiming) -> Listener:
    """Open one place.

    Args:
        place: Where.
        meter: Whose line.
        number: Which place of the meter it is, from 1: part of the lines' names.
        timing: How lines behave in time.

    Raises:
        ListenError: The place cannot be had.
    """
    suffix = "" if number == 1 else str(number)
    if place.kind == "pty":
        return PtyPort(meter, f"optical{suffix}", timing, place.link)
    if place.kind == "rfc2217":
        head = SerialHead(meter, f"optical{suffix}", replace(timing, keeps_reaction=True))
        await head.open(place.host, place.port)
        return head
    framing = Framing.WRAPPER if place.kind == "wrapper" else Framing.HDLC
    slow = replace(timing, silence_s=max(timing.silence_s, TCP_SILENCE_S))
    listener = TcpListener(meter, f"{place.kind}{suffix}", slow, framing)
    await listener.open(place.host, place.port)
    return listener
