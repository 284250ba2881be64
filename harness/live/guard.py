"""Stands before the pages: who may ask, what may be asked, and the headers of every answer."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.http_hosts import names_this_machine

_METHODS: Final = frozenset({"GET", "HEAD"})
_MOST_ADDRESS: Final = 4096
#: Pages: our own scripts and styles alone, nothing inline, nothing from elsewhere.
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: Reports: their own style, no script at all, and an origin of their own.
REPORT_CSP: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; sandbox"
)
_HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets reading requests through that name this machine by a name that no other can take.

    A page elsewhere that has its own name point here (DNS rebinding) comes with that name.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        """Make a guard.

        Args:
            app: What it guards.
            host: The host that was asked to listen at.
        """
        self._app = app
        self._host = host.casefold()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the pages answer."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if scope["method"] not in _METHODS:
            return PlainTextResponse("these pages are read only\n", 405, {"Allow": "GET, HEAD"})
        if not names_this_machine(Headers(scope=scope).getlist("host"), self._host):
            return PlainTextResponse("this host name is not served here\n", 421)
        if len(scope["raw_path"]) + len(scope["query_string"]) > _MOST_ADDRESS:
            return PlainTextResponse("the address is too long\n", 414)
        return None
