"""The pages and the values behind them; reading only."""

import asyncio
import json
import mimetypes
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import resources
from typing import Any, Final
from urllib.parse import quote

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from harness.live import stream, viewer
from harness.live.guard import REPORT_CSP, Guard
from harness.live.heads import REPORT
from harness.live.log_index import LogFilter
from harness.live.run_view import MOST_ROWS, RunView
from harness.live.shelf import Shelf
from harness.live.viewer import NotShown
from harness.setting import version

_JSON: Final = "application/json"
_MOST_NUMBER: Final = 2**53
_MOST_WORDS: Final = 200
_FILTERS: Final = ("level", "party", "ref", "device", "text")
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
Values = Callable[[RunView, Request], Any]


class LivePages:
    """Answers for the runs of a shelf.

    Attributes:
        app: The application, for a server.
        streams: The streams that are open.
    """

    def __init__(self, shelf: Shelf, host: str = "127.0.0.1") -> None:
        self._shelf = shelf
        self.streams = stream.Streams()
        run = "/runs/{name}"
        values: dict[str, Values] = {
            "grid": lambda view, _request: {**view.news(None), "head": _head(view)},
            "parts": lambda view, _request: view.parts(),
            "log": _log,
            "line": lambda view, request: view.line(_number(request, "number")),
            "home": lambda view, request: view.home(_word(request, "ref")),
            "files": _files,
            "view": _page_of_file,
        }
        pages = Starlette(
            routes=[
                Route("/", self._runs_page),
                Route("/runs.json", self._runs),
                Route("/static/{name}", _static),
                Route(f"{run}/", self._run_page),
                Route(f"{run}/live", self._live),
                Route(f"{run}/report", self._report),
                Route(f"{run}/download/{{path:path}}", self._download),
                *(Route(f"{run}/{name}.json", self._values(told)) for name, told in values.items()),
            ],
            exception_handlers={HTTPException: _refused, Exception: _failed},
        )
        self.app = Guard(pages, host)

    # -- pages ---------------------------------------------------------------------------------

    async def _runs_page(self, _request: Request) -> Response:
        return _html("runs.html.j2", folder=self._shelf.folder.resolve().name or "runs")

    async def _run_page(self, request: Request) -> Response:
        view = await self._view(request)
        head = await asyncio.to_thread(_head, view)
        shown = view.shown(head)
        return _html("run.html.j2", head=shown, name=quote(head["name"], safe=""))

    async def _runs(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._shelf.runs)
        first = _number(request, "first")
        rows = found[first : first + MOST_ROWS]
        told = {"total": len(found), "first": first, "rows": rows}
        return Response(await asyncio.to_thread(self._veiled, told), 200, None, _JSON)

    def _veiled(self, value: Any) -> bytes:
        return self._shelf.veil_over(json.dumps(value, ensure_ascii=False).encode())

    async def _view(self, request: Request) -> RunView:
        name = request.path_params["name"]
        view = await asyncio.to_thread(self._shelf.view, name)
        if view is None:
            raise HTTPException(404, "there is no such run")
        return view

    # -- values --------------------------------------------------------------------------------

    def _values(self, told: Values) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            view = await self._view(request)
            return await asyncio.to_thread(_as_json, view, told, request)

        return answer

    async def _live(self, request: Request) -> Response:
        view = await self._view(request)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if self.streams.open >= stream.MOST_STREAMS:
            raise HTTPException(503, "too many pages follow runs already")
        cursor = request.headers.get("last-event-id") or _word(request, "after")
        return stream.answer(view, self.streams, cursor, request.is_disconnected)

    # -- files ---------------------------------------------------------------------------------

    async def _report(self, request: Request) -> Response:
        view = await self._view(request)
        octets = await asyncio.to_thread(_octets, view, REPORT)
        headers = {"Content-Security-Policy": REPORT_CSP}
        return HTMLResponse(octets, 200, headers)

    async def _download(self, request: Request) -> Response:
        view = await self._view(request)
        path = request.path_params["path"]
        octets = await asyncio.to_thread(_octets, view, path)
        name = quote(path.rpartition("/")[2], safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(octets, 200, headers, "application/octet-stream")


def _as_json(view: RunView, told: Values, request: Request) -> Response:
    value = told(view, request)
    if value is None:
        raise HTTPException(404, "the run has no such thing")
    octets = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(view.veil.log(octets), 200, None, _JSON)


def _head(view: RunView) -> dict[str, Any]:
    head = view.head()
    if head is None:
        raise HTTPException(404, "the run is gone")
    return {**head.as_json(), "identifiers": view.veil.said}


def _log(view: RunView, request: Request) -> Any:
    wanted = LogFilter(**{name: _word(request, name) for name in _FILTERS})
    first, limit = _number(request, "first"), _number(request, "limit", MOST_ROWS)
    return view.log(wanted, first, limit, by_time=_word(request, "order") == "time")


def _files(view: RunView, request: Request) -> Any:
    text = _word(request, "text")
    return view.files(text, _number(request, "first"), _number(request, "limit", MOST_ROWS))


def _page_of_file(view: RunView, request: Request) -> Any:
    view.refresh()
    place = viewer.find(view, request.query_params.get("path", ""))
    if not isinstance(place, NotShown):
        mode, first = _word(request, "mode"), _number(request, "first")
        page = viewer.page(view, place, mode, first)
        if not isinstance(page, NotShown):
            return page
        place = page
    raise HTTPException(place.status, place.why)


def _octets(view: RunView, path: str) -> bytes:
    view.refresh()
    place = viewer.find(view, path)
    found = place if isinstance(place, NotShown) else viewer.octets_of(view, place)
    if isinstance(found, NotShown):
        raise HTTPException(found.status, found.why)
    return found


def _number(request: Request, name: str, default: int = 0) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:17]) <= _MOST_NUMBER):
        raise HTTPException(400, f"{name} is no number")
    return int(text[:17])


def _word(request: Request, name: str) -> str:
    text = request.query_params.get(name, "").strip()
    if len(text) > _MOST_WORDS:
        raise HTTPException(400, f"{name} is longer than {_MOST_WORDS} letters")
    return text


# -- what comes with the program -------------------------------------------------------------------


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("harness.live", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _html(template: str, **names: Any) -> Response:
    return HTMLResponse(_environment().get_template(template).render(version=version(), **names))


@cache
def _shipped() -> dict[str, bytes]:
    """Return the scripts and styles by name: few, and ours."""
    folder = resources.files("harness.live").joinpath("static")
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    octets = _shipped().get(name)
    if octets is None:
        raise HTTPException(404, "there is no such file")
    dot = name.rfind(".")
    kind = _TYPES.get(name[dot:]) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(octets, 200, {"Cache-Control": "no-cache"}, kind)


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    why = error.detail if isinstance(error, HTTPException) else "failed"
    return PlainTextResponse(f"{why}\n", status)


async def _failed(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"the pages failed: {type(error).__name__}\n", 500)
