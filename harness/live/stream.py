"""Server-sent events of one run: what came since, in bundles; a beat where nothing comes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import StreamingResponse

from harness.live.run_view import RunView

#: Pages that may follow runs at once.
MOST_STREAMS: Final = 32
#: Seconds between two looks at a log, and between two beats.
LOOK_S: Final = 0.5
_BEAT_S: Final = 10.0
_RETRY_MS: Final = 2000
_DONE: Final = "done"


@dataclass(slots=True)
class Streams:
    """The streams that are open.

    Attributes:
        stopping: Set when the server is to end.
        open: How many there are.
    """

    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0


def cursor_in(text: str) -> tuple[int, int] | None:
    """Read a cursor ``GENERATION-NUMBER``; None where it is none."""
    generation, dash, number = text.partition("-")
    whole = [part.isascii() and part.isdigit() and len(part) < 16 for part in (generation, number)]
    return (int(generation), int(number)) if dash and all(whole) else None


def answer(
    view: RunView, streams: Streams, cursor: str, is_gone: Callable[[], Awaitable[bool]]
) -> StreamingResponse:
    """Return the stream of a run from a cursor on.

    Args:
        view: The run.
        streams: What counts them.
        cursor: What the page knows; a wrong one means nothing.
        is_gone: Whether the page went away.
    """
    body = _events(view, streams, cursor_in(cursor), is_gone)
    return StreamingResponse(body, 200, {"X-Accel-Buffering": "no"}, "text/event-stream")


async def _events(
    view: RunView,
    streams: Streams,
    cursor: tuple[int, int] | None,
    is_gone: Callable[[], Awaitable[bool]],
) -> AsyncIterator[str]:
    streams.open += 1
    loop = asyncio.get_running_loop()
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        told, beat_at = "", loop.time()
        while not (streams.stopping.is_set() or await is_gone()):
            news, head = await asyncio.to_thread(_look, view, cursor)
            if head is None:
                yield _event("over", "", {})
                return
            state = f"{news['cursor']} {head['state']} {head['verdict']} {head['turn']}"
            if state != told:
                told, cursor, beat_at = state, cursor_in(news["cursor"]), loop.time()
                yield _event("news", news["cursor"], {**news, "head": head})
            elif head["state"] == _DONE:
                yield _event("over", news["cursor"], {})
                return
            elif loop.time() - beat_at > _BEAT_S:
                beat_at = loop.time()
                yield ": beat\n\n"
            await _pause(streams.stopping)
    finally:
        streams.open -= 1


def _look(
    view: RunView, cursor: tuple[int, int] | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    news = view.news(cursor)
    head = view.head()
    if head is None:
        return news, None
    shown: tuple[dict[str, Any], dict[str, Any]] = view.shown((news, head.as_json()))
    return shown


async def _pause(stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_S):
            await stopping.wait()
    except TimeoutError:
        return


def _event(name: str, cursor: str, value: object) -> str:
    number = f"id: {cursor}\n" if cursor else ""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{number}event: {name}\ndata: {text}\n\n"
