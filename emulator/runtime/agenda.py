"""What is to happen in a world, and when: one heap of plain entries, and named timers."""

from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush
from typing import Any, Final

Micros = int
#: Due time, sequence number, kind, box (-1: none), and what the kind needs.
Entry = tuple[Micros, int, str, int, Any]


class Agenda:
    """Entries in order of time; those of one moment in the order they were made.

    Attributes:
        on_entry: Called when something was entered; None: nobody looks.
    """

    def __init__(self) -> None:
        self.on_entry: Callable[[], None] | None = None
        self._heap: list[Entry] = []
        self._sequence = 0
        self._timers: dict[tuple[str, int, str], int] = {}

    def put(self, due_us: Micros, kind: str, box: int, what: Any) -> None:
        """Enter something that will happen."""
        self._sequence = sequence = self._sequence + 1
        heappush(self._heap, (due_us, sequence, kind, box, what))
        if self.on_entry is not None:
            self.on_entry()

    def start_timer(self, due_us: Micros, kind: str, box: int, name: str) -> None:
        """Enter a timer; it replaces a running one of that kind, box and name."""
        self._sequence = sequence = self._sequence + 1
        heappush(self._heap, (due_us, sequence, kind, box, name))
        self._timers[kind, box, name] = sequence
        if self.on_entry is not None:
            self.on_entry()

    def stop_timer(self, kind: str, box: int, name: str) -> None:
        """Forget a timer, if it runs."""
        self._timers.pop((kind, box, name), None)

    def stop_timers_of(self, box: int) -> None:
        """Forget all timers that a box itself set; the return of its power is not one of them."""
        for key in [key for key in self._timers if key[1] == box and key[0] != POWER_RETURN]:
            del self._timers[key]

    def next_due(self) -> Micros | None:
        """Return when the next thing happens, or None when nothing will."""
        heap, timers = self._heap, self._timers
        while heap:
            due_us, sequence, kind, box, what = heap[0]
            if kind not in TIMER_KINDS or timers.get((kind, box, what)) == sequence:
                return due_us
            heappop(heap)  # a timer that was stopped, or started anew
        return None

    def next_is(self, timer: str) -> bool:
        """Say whether the next thing is a timer of that name; ask `next_due` first."""
        heap = self._heap
        return bool(heap) and heap[0][4] == timer and heap[0][2] in TIMER_KINDS

    def next_but(self, timer: str) -> Micros | None:
        """Return when the next thing happens but timers of that name; None when nothing will."""
        others = (
            entry[0]
            for entry in self._heap
            if entry[2] not in TIMER_KINDS or (entry[4] != timer and self._runs(entry))
        )
        return min(others, default=None)

    def put_off(self, later: Callable[[Entry], Micros]) -> None:
        """Move everything that will happen to the moment that ``later`` says."""
        self._heap = [(later(entry), *entry[1:]) for entry in self._heap]
        heapify(self._heap)
        if self.on_entry is not None:
            self.on_entry()

    def pop(self) -> Entry:
        """Take the next entry; ask `next_due` first."""
        entry = heappop(self._heap)
        if entry[2] in TIMER_KINDS:
            key = entry[2:]
            if self._timers.get(key) == entry[1]:
                del self._timers[key]
        return entry

    def take(self, until_us: Micros) -> Entry | None:
        """Take the next entry that is due by ``until_us``; None where there is none.

        The same as `next_due` and `pop`, in one look at the heap.
        """
        heap, timers = self._heap, self._timers
        while heap and heap[0][0] <= until_us:
            entry = heappop(heap)
            if entry[2] not in TIMER_KINDS:
                return entry
            key = entry[2:]
            if timers.get(key) == entry[1]:
                del timers[key]
                return entry
        return None

    def put_back(self, entry: Entry) -> None:
        """Enter again what was just taken: it is to happen, but not yet."""
        heappush(self._heap, entry)
        if entry[2] in TIMER_KINDS:
            self._timers[entry[2:]] = entry[1]

    def look_again(self) -> None:
        """Tell whoever looks that what is due has changed, although nothing was entered."""
        if self.on_entry is not None:
            self.on_entry()

    def _runs(self, entry: Entry) -> bool:
        return self._timers.get((entry[2], entry[3], entry[4])) == entry[1]

    @property
    def mark(self) -> tuple[int, int]:
        """What is another as soon as anything was entered or taken; putting off leaves it."""
        return self._sequence, len(self._heap)

    def dump(self) -> dict[str, Any]:
        """Return all entries that will happen, as plain data."""
        entries = [
            list(entry)
            for entry in sorted(self._heap, key=lambda entry: entry[:2])
            if entry[2] not in TIMER_KINDS or self._runs(entry)
        ]
        return {"sequence": self._sequence, "entries": entries}

    def load(self, state: Mapping[str, Any]) -> None:
        """Put all entries back."""
        self._sequence = state["sequence"]
        self._heap = [
            (due_us, sequence, kind, box, what)
            for due_us, sequence, kind, box, what in state["entries"]
        ]
        self._timers = {
            (kind, box, what): sequence
            for _due_us, sequence, kind, box, what in self._heap
            if kind in TIMER_KINDS
        }
        if self.on_entry is not None:
            self.on_entry()


#: The timer that ends a power cut.
POWER_RETURN: Final = "power-return"
#: Kinds of entries that are timers: they have a name and can be stopped.
TIMER_KINDS: Final = frozenset({"timer", "node", "tunnel", "csp", POWER_RETURN})
