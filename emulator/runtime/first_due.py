"""Which of several worlds has the next thing to do: known without asking all of them each time."""

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol


class Dated(Protocol):
    """A world, as far as its agenda is looked at."""

    def next_due(self) -> int | None:
        """Return when the next thing happens; None when nothing will."""
        ...

    def call_on_entry(self, call: Callable[[], None]) -> None:
        """Have ``call`` called when something that will happen was entered."""
        ...


class FirstDue:
    """Worlds by what is due first in each; of one moment the one that stands first.

    A world says when something was entered on its agenda, and only then is it asked anew. That
    something became due later, because it happened or was called off, is seen when its turn comes.

    Args:
        worlds: The worlds, in their order.
    """

    def __init__(self, worlds: Sequence[Dated]) -> None:
        self._worlds = worlds
        self._heap: list[tuple[int, int]] = []
        #: What of each world stands in the heap and holds; anything else there is left over.
        self._known: list[int | None] = [None] * len(worlds)
        self._fresh = set(range(len(worlds)))
        for number, world in enumerate(worlds):
            world.call_on_entry(partial(self._fresh.add, number))

    def find(self) -> tuple[int, int] | None:
        """Return when the next thing happens, and in which world; None when nothing will."""
        while self._fresh:
            self._ask(self._fresh.pop())
        heap, known, worlds = self._heap, self._known, self._worlds
        while heap:
            due_us, number = heap[0]
            if known[number] == due_us:
                if worlds[number].next_due() == due_us:
                    return heap[0]
                known[number] = None
                heapq.heappop(heap)
                self._ask(number)
            else:
                heapq.heappop(heap)
        return None

    def _ask(self, number: int) -> None:
        due_us = self._worlds[number].next_due()
        if due_us is not None and due_us != self._known[number]:
            heapq.heappush(self._heap, (due_us, number))
        self._known[number] = due_us
