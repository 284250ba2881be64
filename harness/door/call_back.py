"""Receive Response by call-back: answers and alerts are posted to the participant."""

import asyncio
import http.client
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from harness.door.door import Door
from harness.errors import UsageError

#: Seconds an attempt may take, attempts, seconds between them. Source: invented.
_TIMEOUT_S: Final = 10.0
_ATTEMPTS: Final = 3
_PAUSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to post to.

    Attributes:
        host: A loopback address.
        port: Its port.
        path: Path and query.
    """

    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            UsageError: It is none, or leads away from this machine.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 80
        except ValueError as error:
            raise _no_place(url, str(error)) from error
        if parts.scheme != "http" or not is_loopback(host):
            raise _no_place(url, "answers go to http on a loopback address alone")
        query = f"?{parts.query}" if parts.query else ""
        return cls(host, port, (parts.path or "/") + query)


def is_loopback(host: str) -> bool:
    """Say whether an address is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class CallBack:
    """Posts what comes from now on; what cannot be posted can be fetched as ever.

    Args:
        door: The door.
        place: Where to.
        tell: Takes a line about what could not be posted.
    """

    def __init__(self, door: Door, place: Place, tell: Callable[[str], None]) -> None:
        self._door = door
        self._place = place
        self._tell = tell
        before = door.exchange.later_answers(0)
        self._answered = before[-1][0] if before else 0
        self._alerted = door.exchange.counts()["alerts"]

    async def run(self, until: asyncio.Event) -> None:
        """Post whatever comes until an event is set."""
        ended = asyncio.ensure_future(until.wait())
        while not until.is_set():
            news = asyncio.ensure_future(self._door.bell.next().wait())
            await self._post_new()
            await asyncio.wait([news, ended], return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
        ended.cancel()

    async def _post_new(self) -> None:
        for place, answer in self._door.exchange.later_answers(self._answered):
            await self._post(answer.document, f"answer to {answer.request}")
            self._answered = place
        for alert in self._door.exchange.alerts(self._alerted):
            await self._post(alert.document, f"alert {alert.number}")
            self._alerted = alert.number

    async def _post(self, document: bytes, what: str) -> None:
        why = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(_PAUSE_S)
            why = await asyncio.to_thread(self._attempt, document)
            if not why:
                return
        self._tell(f"{what} could not be posted: {why}; it can be fetched")

    def _attempt(self, document: bytes) -> str:
        """Post once; returns why it was not taken, or nothing."""
        place = self._place
        connection = http.client.HTTPConnection(place.host, place.port, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", place.path, document, {"Content-Type": "application/xml"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            connection.close()
        return "" if 200 <= status < 300 else f"status {status}"


def _no_place(url: str, why: str) -> UsageError:
    return UsageError(
        f"not a place to post answers to: {why}",
        where=f"--call-back {url}",
        cause="another scheme, or a machine that is not this one",
        next_command="--call-back http://127.0.0.1:PORT/PATH",
    )
