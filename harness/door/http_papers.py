"""Papers, files and turns over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.core.clock import iso
from harness.door.door import Door
from harness.door.errors import DoorCode, Refusal
from harness.door.http_answers import bad_number, number_in, refused
from harness.door.kept import Outgoing

_OCTETS: Final = "application/octet-stream"


class PaperRoutes:
    """The paths of papers, files and turns.

    Args:
        door: The door.
        read: Reads the body of a request, or says why not.
    """

    def __init__(self, door: Door, read: Callable[[Request], Awaitable[bytes | Refusal]]) -> None:
        self._door = door
        self._read = read

    def routes(self) -> list[Route]:
        """Return the paths."""
        return [
            Route("/papers/{name}", self._post, methods=["POST"]),
            Route("/papers/{number}", self._outcome, methods=["GET"]),
            Route("/files", self._files, methods=["GET"]),
            Route("/files/{number}", self._file, methods=["GET"]),
            Route("/turns/current", self._turn, methods=["GET"]),
            Route("/turns/{number}/done", self._done, methods=["POST"]),
        ]

    async def _post(self, request: Request) -> Response:
        octets = await self._read(request)
        if isinstance(octets, Refusal):
            return refused(octets)
        name = request.path_params["name"]
        outcome = await asyncio.to_thread(self._door.papers.take, octets, door="http", name=name)
        if isinstance(outcome, Refusal):
            return refused(outcome)
        place = {"Location": f"/papers/{outcome.number}"}
        return JSONResponse(outcome.as_json(), 202, place)

    async def _outcome(self, request: Request) -> Response:
        number = number_in(request.path_params["number"])
        if number is None:
            return refused(bad_number("the address"))
        if self._door.exchange.paper(number) is None:
            return refused(_unknown(f"no paper {number} was taken here", "/papers/N"))
        told = self._door.exchange.outcome(number)
        return Response(status_code=204) if told is None else JSONResponse(told)

    async def _files(self, request: Request) -> Response:
        after = number_in(request.query_params.get("after", "0"))
        if after is None:
            return refused(bad_number("after"))
        return JSONResponse({"files": [_as_json(one) for one in self._door.exchange.files(after)]})

    async def _file(self, request: Request) -> Response:
        number = number_in(request.path_params["number"])
        if number is None:
            return refused(bad_number("the address"))
        found = self._door.exchange.file(number)
        if found is None:
            return refused(_unknown(f"there is no file {number}", "/files/N"))
        return Response(found.octets, 200, {"Content-Disposition": _attached(found.name)}, _OCTETS)

    async def _turn(self, _request: Request) -> Response:
        """Return the open turn; 204 while the run works, ``{"turn": null}`` when it is over."""
        sheet = self._door.turn
        if sheet is not None:
            return JSONResponse(sheet)
        ended = self._door.is_over or not self._door.papers.conducted
        return JSONResponse({"turn": None}) if ended else Response(status_code=204)

    async def _done(self, request: Request) -> Response:
        octets = await self._read(request)
        if isinstance(octets, Refusal) and octets.code != DoorCode.EMPTY:
            return refused(octets)
        number = number_in(request.path_params["number"])
        if number is None:
            return refused(bad_number("the address"))
        refusal = await asyncio.to_thread(self._door.papers.say_done, number, door="http")
        if refusal is not None:
            return refused(refusal)
        return JSONResponse({"turn": number}, 202)


def _as_json(file: Outgoing) -> dict[str, object]:
    return {
        "number": file.number,
        "name": file.name,
        "size": file.size,
        "paper": file.paper,
        "turn": file.turn,
        "at": iso(file.at),
    }


def _attached(name: str) -> str:
    """Return the header that names a file (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _unknown(what: str, where: str) -> Refusal:
    return Refusal(DoorCode.UNKNOWN_ID, what, where, status=404)
