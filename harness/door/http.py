"""The way in by HTTP: DUIS requests posted, answers and alerts fetched."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from emulator.core.clock import iso
from emulator.core.ids import Eui64
from harness.door.callers import Callers
from harness.door.door import Door
from harness.door.errors import DoorCode, Refusal, of_document
from harness.door.http_answers import bad_number, number_in, refused
from harness.door.http_papers import PaperRoutes
from harness.door.kept import Alert
from harness.door.page import page
from harness.door.refusals import AGAIN
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES

XML: Final = "application/xml"
#: What a content type may say of the octets of a DUIS document; some senders say nothing.
_CHARSETS: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})
_XML_TYPES: Final = frozenset({XML, "text/xml"})
#: Seconds in which the body of a request has to arrive. Source: invented.
BODY_S: Final = 30.0
_MOST_ALERTS: Final = 100
#: Octets of a body that are read, kept or not. Source: invented.
_MOST_READ: Final = 64 * 1024 * 1024
#: Seconds in which more of a body that is too large has to come. Source: invented.
_REST_S: Final = 2.0
Handler = Callable[[Request], Awaitable[Response]]


class HttpDoor:
    """Answers what comes by HTTP.

    Attributes:
        app: The application, for a server.
    """

    def __init__(self, door: Door, body_s: float = BODY_S) -> None:
        self._door = door
        self._body_s = body_s
        self.app = Starlette(
            routes=[
                Route("/", self._page, methods=["GET"]),
                Route("/duis", self._post, methods=["POST"]),
                Route("/duis/{number}", self._answer, methods=["GET"]),
                Route("/alerts", self._alerts, methods=["GET"]),
                *PaperRoutes(door, self._octets).routes(),
            ],
            exception_handlers={HTTPException: _no_route, Exception: _failed},
        )
        self.app.router.redirect_slashes = False  # another address has a named answer, too

    # -- requests ------------------------------------------------------------------------------

    async def _post(self, request: Request) -> Response:
        octets = await self._body(request)
        if isinstance(octets, Refusal):
            self._door.refusals.keep(octets, b"", door="http")
            return refused(octets)
        broken = self._broken()
        if broken is not None:
            return refused(broken)
        outcome = await asyncio.to_thread(
            self._door.intake.take, octets, door="http", again=request.headers.get(AGAIN, "")
        )
        if isinstance(outcome, Refusal):
            return refused(outcome)
        taken = None if outcome.waits else await self._door.prompt(outcome.id)
        broken = self._broken()
        if broken is not None:
            return refused(broken)
        place = {"Location": f"/duis/{outcome.id}"}
        if taken is None or taken.prompt is None:
            return JSONResponse(outcome.as_json(), 202, place)
        return Response(taken.prompt, 200, place, XML)

    async def _body(self, request: Request) -> bytes | Refusal:
        """Read a body that is to be XML."""
        wrong = _wrong_type(request)
        return await self._octets(request) if wrong is None else wrong

    async def _octets(self, request: Request) -> bytes | Refusal:
        """Read a body, and keep no more of it than a document may have.

        What is beyond is read and forgotten, for a while: a sender that is still sending while the
        answer comes would hear of a broken line, and not of the answer.
        """
        octets, size, now = bytearray(), 0, asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(self._body_s) as end:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size <= MAX_DOCUMENT_BYTES:
                        octets += chunk
                    elif size <= _MOST_READ:
                        end.reschedule(now() + min(_REST_S, self._body_s))
                    else:
                        break
        except TimeoutError:
            if size > MAX_DOCUMENT_BYTES:
                return _too_large()
            what = f"the body did not arrive within {self._body_s:g} seconds"
            return Refusal(DoorCode.TOO_SLOW, what, "body", "a sender that stopped", status=408)
        if size > MAX_DOCUMENT_BYTES:
            return _too_large()
        if not octets:
            return Refusal(DoorCode.EMPTY, "the body is empty", "body", "nothing was sent")
        return bytes(octets)

    def _broken(self) -> Refusal | None:
        error = self._door.broken
        if error is None:
            return None
        what = f"the emulated homes broke: {type(error).__name__}"
        return Refusal(DoorCode.BROKEN, what, "", "a defect of smetsbench", "start again", 500)

    # -- answers -------------------------------------------------------------------------------

    async def _answer(self, request: Request) -> Response:
        number = number_in(request.path_params["number"])
        which = number_in(request.query_params.get("answer", "1"))
        if number is None or which is None:
            return refused(bad_number("the address"))
        if self._door.exchange.request(number) is None:
            what = f"no request {number} was taken here"
            return refused(Refusal(DoorCode.UNKNOWN_ID, what, "/duis/ID", status=404))
        found = self._door.exchange.answer(number, which)
        broken = self._broken()
        if found is None:
            return Response(status_code=204) if broken is None else refused(broken)
        many = str(self._door.exchange.answers_of(number))
        return Response(found.document, 200, {"X-Answers": many}, XML)

    async def _alerts(self, request: Request) -> Response:
        after = number_in(request.query_params.get("after", "0"))
        if after is None:
            return refused(bad_number("after"))
        wanted = request.query_params.get("user")
        try:
            user = None if wanted is None else Eui64.parse(wanted)
        except ValueError as error:
            return refused(Refusal(DoorCode.BAD_NUMBER, str(error), "user", "no EUI-64"))
        found = self._door.exchange.alerts(after, user, _MOST_ALERTS)
        return JSONResponse({"alerts": [alert_as_json(one) for one in found]})

    async def _page(self, _request: Request) -> Response:
        return HTMLResponse(page(self._door))


def alert_as_json(alert: Alert) -> dict[str, Any]:
    """Return an alert as the list of alerts has it."""
    return {
        "number": alert.number,
        "user": str(alert.user),
        "code": alert.code,
        "request": alert.request,
        "at": iso(alert.at),
        "document": alert.document.decode(),
    }


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer what no route takes: an unknown path, or another method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = getattr(error, "headers", None)
    if status == 405:
        what = f"{request.method} is not for {request.url.path}"
        found = Refusal(DoorCode.WRONG_METHOD, what, request.url.path, status=405)
    else:
        what = f"there is nothing at {request.url.path[:80]}"
        found = Refusal(DoorCode.UNKNOWN_PATH, what, "address", "a mistyped address", status=404)
    return JSONResponse(found.as_json(), found.status, headers)


async def _failed(_request: Request, error: Exception) -> Response:
    """Answer where the door itself failed."""
    what = f"the door failed: {type(error).__name__}"
    return refused(Refusal(DoorCode.BROKEN, what, "", "a defect of smetsbench", status=500))


def _wrong_type(request: Request) -> Refusal | None:
    """Say why a body is not XML as it stands: by its type, its declared octets, or its packing."""
    kind, _, more = request.headers.get("content-type", "").partition(";")
    charset = more.partition("charset=")[2].partition(";")[0].strip(" \"'").lower()
    packed = request.headers.get("content-encoding", "").strip().lower()
    if kind.strip().lower() not in _XML_TYPES:
        what = f"the content type is {kind.strip().lower()[:60] or 'not given'}"
    elif charset not in _CHARSETS:
        what = f"the content type says {charset[:60]}; DUIS documents are UTF-8"
    elif packed not in {"", "identity"}:
        what = f"the body is packed ({packed[:60]}); it is read as it is"
    else:
        return None
    return Refusal(
        DoorCode.WRONG_CONTENT_TYPE,
        what,
        "Content-Type",
        "DUIS documents are XML",
        f"post with Content-Type: {XML}",
        415,
    )


def _too_large() -> Refusal:
    why = f"the body has more octets than the limit of {MAX_DOCUMENT_BYTES}"
    return of_document(DuisError(DuisFault.TOO_LARGE, why))


# -- serving -----------------------------------------------------------------------------------


class HttpServer(uvicorn.Server):
    """A server on a socket that is open already; whoever started it stops it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the command that serves listens for them."""
        yield


def listening(host: str, port: int) -> socket.socket:
    """Open the socket to serve at.

    Raises:
        OSError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError:
        found.close()
        raise
    found.setblocking(False)
    return found


async def serve(door: Door, at: socket.socket, until: asyncio.Event) -> None:
    """Serve a door until an event is set.

    Args:
        door: The door.
        at: The listening socket; it is closed at the end.
        until: Ends it.
    """
    settings = uvicorn.Config(
        Callers(HttpDoor(door).app, at.getsockname()[0]),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        http="h11",
        ws="none",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
        server_header=False,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = HttpServer(settings)
    serving = asyncio.ensure_future(server.serve([at]))
    await until.wait()
    server.should_exit = True
    await serving


def stop_on_signals(until: asyncio.Event) -> None:
    """Set an event on SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
