"""The pages served in a thread, and a reader that speaks plain HTTP to them."""

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from harness.door.http import listening
from harness.live.app import LivePages
from harness.live.serving import serve
from harness.live.shelf import Shelf

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Reader:
    """Asks the pages.

    Attributes:
        port: Where they are served.
        pages: What serves them.
    """

    port: int
    pages: LivePages

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        with contextlib.closing(self.open()) as way:
            way.putrequest(method, path, skip_host="Host" in (headers or {}))
            for name, value in (headers or {}).items():
                way.putheader(name, value)
            way.endheaders()
            answer = way.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()

    def value(self, address: str, **names: Any) -> Any:
        whole = f"{address}?{urlencode(names)}" if names else address
        status, _headers, octets = self.ask(whole)
        assert status == 200, (whole, status, octets)
        return json.loads(octets)

    def text(self, path: str) -> tuple[int, str]:
        status, _headers, octets = self.ask(path)
        return status, octets.decode()


@contextlib.contextmanager
def served(folder: Path, *, shows_all: bool = False) -> Iterator[Reader]:
    """Serve the runs of a folder."""
    pages = LivePages(Shelf(folder, shows_all=shows_all))
    at = listening("127.0.0.1", 0)
    port = at.getsockname()[1]
    ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    begun = threading.Event()

    async def work() -> None:
        until = asyncio.Event()
        ends.append((asyncio.get_running_loop(), until))
        begun.set()
        await serve(pages, at, until)

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    begun.wait(PATIENCE_S)
    try:
        yield Reader(port, pages)
    finally:
        loop, until = ends[0]
        loop.call_soon_threadsafe(until.set)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def stream_events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str, Any]]:
    """Yield ``(id, event, data)`` of a stream as they come; comments as ``("", "beat", None)``."""
    number, name, data = "", "", None
    for raw in answer:
        line = raw.decode().rstrip("\n")
        if line.startswith(":"):
            yield "", "beat", None
        elif line.startswith("id: "):
            number = line[4:]
        elif line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            data = json.loads(line[6:])
        elif not line and name:
            yield number, name, data
            number, name, data = "", "", None
