"""Stands before the HTTP door: programs of the participant may ask, web pages elsewhere may not.

A browser on the participant's machine would post papers, or end turns, for any page it shows: a
simple request asks nobody first.
"""

import ipaddress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from harness.door.errors import DoorCode, Refusal
from harness.door.http_answers import refused
from harness.http_hosts import names_this_machine

_SAME_SITE: Final = frozenset({"same-origin", "none"})


class Callers:
    """Lets a request through that comes from a program, or from a page of the door's own."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        """Make a guard.

        Args:
            app: What it guards.
            host: The address that is listened at. Beyond this machine any name may be its own.
        """
        self._app = app
        self._host = host.casefold()
        self._is_loopback = ipaddress.ip_address(host).is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the door answer."""
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (self._app if refusal is None else refused(refusal))(scope, receive, send)

    def _refusal(self, headers: Headers) -> Refusal | None:
        hosts = headers.getlist("host")
        if self._is_loopback and not names_this_machine(hosts, self._host):
            what = "the door is not served under this host name"
            return _foreign(what, "Host", f"ask at http://{self._host}:PORT", 421)
        origin = headers.get("origin")
        if origin is not None and origin.casefold() != f"http://{hosts[0]}".casefold():
            what = "a web page of another origin asks; its browser would ask for any page"
            return _foreign(what, "Origin", "ask with a program", 403)
        if headers.get("sec-fetch-site", "none") not in _SAME_SITE:
            what = "a web page of another site asks; its browser would ask for any page"
            return _foreign(what, "Sec-Fetch-Site", "ask with a program", 403)
        return None


def _foreign(what: str, where: str, do: str, status: int) -> Refusal:
    cause = "a page elsewhere, not the participant's system"
    return Refusal(DoorCode.FOREIGN_PAGE, what, where, cause, do, status)
