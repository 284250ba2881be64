"""The sending side of block transfer: a window at a time, again from the first block not had."""

import enum
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from emulator.codecs.gbcs.envelope import GroupingHeader
from emulator.codecs.gbcs.gbt import GbtBlock, GbtSettings, segment
from emulator.core.clock import UtcMs


class SenderState(enum.StrEnum):
    """Where a transfer stands."""

    READY = "ready"
    WAITING = "waiting"
    DONE = "done"
    GIVEN_UP = "given_up"


_OVER: Final = frozenset({SenderState.DONE, SenderState.GIVEN_UP})


class GbtSender:
    """Sends one message in blocks; it performs nothing, what it returns is to be sent.

    Attributes:
        state: Where the transfer stands.
        deadline: When ``timeout`` is due; None when nothing is awaited.
        attempts: How often the present window was sent.
    """

    def __init__(self, message: bytes, header: GroupingHeader, settings: GbtSettings) -> None:
        """Cut the message.

        Raises:
            ValueError: It is empty, or has too many blocks.
        """
        self._blocks = segment(message, header, settings)
        self._settings = settings
        self._had = 0
        self._window = settings.window
        self.state = SenderState.READY
        self.deadline: UtcMs | None = None
        self.attempts = 0

    def start(self, now: UtcMs) -> list[GbtBlock]:
        """Send the first window; nothing where it was sent before."""
        return self._send(now) if self.state is SenderState.READY else []

    def acknowledged(self, block: GbtBlock, now: UtcMs) -> list[GbtBlock]:
        """Take an acknowledgement and return the next window, or again what was lost.

        An acknowledgement of blocks that were never sent, or of fewer than before, changes nothing:
        it is late, or of another transfer.
        """
        if self.state is not SenderState.WAITING:
            return []
        if not self._had <= block.acknowledged <= self._sent():
            return []
        if block.acknowledged > self._had:
            self.attempts = 0
        self._had = block.acknowledged
        if block.window:
            self._window = min(block.window, self._settings.window)
        if self._had == len(self._blocks):
            self._end(SenderState.DONE)
            return []
        return self._again(now)

    def timeout(self, now: UtcMs) -> list[GbtBlock]:
        """Send the window again where its acknowledgement is overdue, or give up."""
        if self.deadline is None or now < self.deadline:
            return []
        return self._again(now)

    def _again(self, now: UtcMs) -> list[GbtBlock]:
        if self.attempts > self._settings.retries:
            self._end(SenderState.GIVEN_UP)
            return []
        return self._send(now)

    def _sent(self) -> int:
        return min(self._had + self._window, len(self._blocks))

    def _send(self, now: UtcMs) -> list[GbtBlock]:
        self.state = SenderState.WAITING
        self.attempts += 1
        self.deadline = UtcMs(now + self._settings.ack_timeout_ms)
        return [self._in_window(number) for number in range(self._had + 1, self._sent() + 1)]

    def _in_window(self, number: int) -> GbtBlock:
        """Return a block; the last of a window asks for an acknowledgement."""
        block = self._blocks[number - 1]
        streaming = number != self._sent()
        if block.is_streaming == streaming:
            return block
        return replace(block, is_streaming=streaming)

    def _end(self, state: SenderState) -> None:
        self.state = state
        self.deadline = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be sent."""
        return self.state in _OVER

    def dump(self) -> dict[str, object]:
        """Return the state as JSON values; message and settings are the constructor's."""
        return {
            "state": self.state.value,
            "had": self._had,
            "window": self._window,
            "attempts": self.attempts,
            "deadline": None if self.deadline is None else int(self.deadline),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped state.

        Raises:
            KeyError: A value is missing.
            ValueError: A value is none of this state.
        """
        had, window = int(state["had"]), int(state["window"])
        if not 0 <= had <= len(self._blocks) or not 1 <= window <= self._settings.window:
            raise ValueError(f"no state of a message of {len(self._blocks)} blocks")
        self.state = SenderState(state["state"])
        self._had, self._window, self.attempts = had, window, int(state["attempts"])
        deadline = state["deadline"]
        self.deadline = None if deadline is None else UtcMs(int(deadline))
