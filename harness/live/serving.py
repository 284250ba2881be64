"""Serves the pages until it is told to stop."""

import asyncio
import socket
from typing import Final

import uvicorn

from harness.door.http import HttpServer
from harness.live.app import LivePages
from harness.live.stream import MOST_STREAMS

#: Requests and streams at once; more are answered 503.
_MOST_AT_ONCE: Final = MOST_STREAMS + 32


async def serve(pages: LivePages, at: socket.socket, until: asyncio.Event) -> None:
    """Serve pages at an open socket until an event is set; the socket is closed at the end."""
    settings = uvicorn.Config(
        pages.app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=2,
    )
    server = HttpServer(settings)
    serving = asyncio.ensure_future(server.serve([at]))
    await until.wait()
    pages.streams.stopping.set()
    server.should_exit = True
    await serving
