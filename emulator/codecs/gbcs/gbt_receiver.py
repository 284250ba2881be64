"""The receiving side of block transfer: blocks of several messages in, whole messages out."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.gbt import GbtBlock, GbtSettings
from emulator.core.clock import UtcMs

#: Originator, direction, counter.
StreamKey = tuple[bytes, Cra, int]


class GbtRefusal(enum.StrEnum):
    """Why a block, or an unfinished message, is dropped."""

    NOT_FIRST = "not_first"
    OUT_OF_WINDOW = "out_of_window"
    OTHER_CONTENT = "other_content"
    BEHIND_LAST = "behind_last"
    EMPTY_BLOCK = "empty_block"
    TOO_LONG = "too_long"
    TOO_MANY_STREAMS = "too_many_streams"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a block.

    Attributes:
        message: A whole message, or None.
        answers: Acknowledgements to send.
        refusal: Why something was dropped, or None.
    """

    message: bytes | None = None
    answers: tuple[GbtBlock, ...] = ()
    refusal: GbtRefusal | None = None


@dataclass(slots=True)
class _Stream:
    """An unfinished message."""

    at: UtcMs
    parts: dict[int, bytes] = field(default_factory=dict)
    had: int = 0
    end: int | None = None
    size: int = 0


class GbtReceiver:
    """Puts messages together; it performs nothing, what it returns is to be done.

    A block that comes twice is acknowledged again and changes nothing, also after its message was
    whole. A lost block is asked for by acknowledging what came before it.
    """

    def __init__(self, settings: GbtSettings) -> None:
        self._settings = settings
        self._streams: dict[StreamKey, _Stream] = {}
        self._done: dict[StreamKey, int] = {}

    @property
    def unfinished(self) -> int:
        """Messages that have begun and not ended."""
        return len(self._streams)

    def take(self, block: GbtBlock, now: UtcMs) -> Received:
        """Take one block that carries data."""
        done = self._done.get(block.stream)
        if done is not None:
            return Received(None, self._answers(block, done))
        stream = self._streams.get(block.stream)
        if stream is None:
            refusal = self._refuse_first(block)
            if refusal is not None:
                return Received(refusal=refusal)
            stream = self._streams[block.stream] = _Stream(now)
        stream.at = now
        refusal = self._enter(stream, block)
        if refusal is GbtRefusal.OUT_OF_WINDOW:
            return Received(None, self._answers(block, stream.had), refusal)
        if refusal is not None:
            del self._streams[block.stream]
            return Received(refusal=refusal)
        if stream.end is not None and stream.had == stream.end:
            return self._finish(block, stream)
        return Received(None, self._answers(block, stream.had))

    def _refuse_first(self, block: GbtBlock) -> GbtRefusal | None:
        if not 1 <= block.number <= self._settings.window:
            return GbtRefusal.NOT_FIRST
        if len(self._streams) >= self._settings.max_streams:
            return GbtRefusal.TOO_MANY_STREAMS
        return None

    def _enter(self, stream: _Stream, block: GbtBlock) -> GbtRefusal | None:
        refusal = self._refuse(stream, block)
        if refusal is not None or block.number in stream.parts:
            return refusal
        stream.size += len(block.data)
        if stream.size > self._settings.max_message_bytes:
            return GbtRefusal.TOO_LONG
        stream.parts[block.number] = block.data
        stream.end = block.number if block.is_last else stream.end
        while stream.had + 1 in stream.parts:
            stream.had += 1
        return None

    def _refuse(self, stream: _Stream, block: GbtBlock) -> GbtRefusal | None:
        number, held = block.number, stream.parts.get(block.number)
        if not block.data:
            return GbtRefusal.EMPTY_BLOCK
        if held is not None:
            return None if held == block.data else GbtRefusal.OTHER_CONTENT
        if not stream.had < number <= stream.had + self._settings.window:
            return GbtRefusal.OUT_OF_WINDOW
        behind = stream.end is not None and number > stream.end
        before = block.is_last and any(other > number for other in stream.parts)
        return GbtRefusal.BEHIND_LAST if behind or before else None

    def _finish(self, block: GbtBlock, stream: _Stream) -> Received:
        del self._streams[block.stream]
        self._done[block.stream] = stream.had
        while len(self._done) > self._settings.max_streams:
            del self._done[next(iter(self._done))]
        message = b"".join(stream.parts[number] for number in range(1, stream.had + 1))
        return Received(message, (self._answer(block, stream.had),))

    def _answers(self, block: GbtBlock, had: int) -> tuple[GbtBlock, ...]:
        """Return an acknowledgement where the block asks for one: it is the last of a window."""
        return () if block.is_streaming else (self._answer(block, had),)

    def _answer(self, block: GbtBlock, had: int) -> GbtBlock:
        return GbtBlock(
            block.cra,
            block.counter,
            block.target,
            block.originator,
            block.message_code,
            0,
            had,
            window=self._settings.window,
            security_control=self._settings.security_control,
        )

    def pass_time(self, now: UtcMs) -> tuple[Received, ...]:
        """Drop messages of which nothing came for too long; each is told."""
        limit = self._settings.silence_ms
        late = [key for key, stream in self._streams.items() if now - stream.at >= limit]
        for key in late:
            del self._streams[key]
        return tuple([Received(refusal=GbtRefusal.SILENCE) for _ in late])

    def next_deadline(self) -> UtcMs | None:
        """Return when ``pass_time`` is due; None where nothing is unfinished."""
        moments = [stream.at for stream in self._streams.values()]
        return UtcMs(min(moments) + self._settings.silence_ms) if moments else None

    def dump(self) -> dict[str, object]:
        """Return the state as JSON values."""
        return {
            "streams": [
                {
                    **_dump_key(key),
                    "at": int(stream.at),
                    "had": stream.had,
                    "end": stream.end,
                    "parts": {str(n): part.hex() for n, part in stream.parts.items()},
                }
                for key, stream in self._streams.items()
            ],
            "done": [{**_dump_key(key), "had": had} for key, had in self._done.items()],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped state; the settings stay as constructed.

        Raises:
            KeyError: A value is missing.
            ValueError: A value is none of this state.
        """
        self._streams = {_load_key(row): _load_stream(row) for row in state["streams"]}
        self._done = {_load_key(row): int(row["had"]) for row in state["done"]}


def _dump_key(key: StreamKey) -> dict[str, object]:
    return {"originator": key[0].hex(), "cra": int(key[1]), "counter": key[2]}


def _load_key(row: Mapping[str, Any]) -> StreamKey:
    return bytes.fromhex(row["originator"]), Cra(row["cra"]), int(row["counter"])


def _load_stream(row: Mapping[str, Any]) -> _Stream:
    parts = {int(number): bytes.fromhex(part) for number, part in row["parts"].items()}
    end = None if row["end"] is None else int(row["end"])
    size = sum(map(len, parts.values()))
    return _Stream(UtcMs(int(row["at"])), parts, int(row["had"]), end, size)
