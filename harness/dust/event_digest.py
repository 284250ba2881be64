"""What reports tell of a run's events, gathered while they pass: there may be a million."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from harness.dust.events import DustEvent, Level, Phase

LOUD: Final = frozenset({Level.WARNING, Level.ERROR})
#: Warnings and errors that are listed at most.
_MOST_WARNINGS: Final = 60
#: Kinds of messages that are about one installation, or about none.
_SINGLE: Final = frozenset({"message", "request", "answer"})
_PHASES: Final = tuple(Phase)


class EventDigest:
    """Events of a run as far as reports need them.

    Attributes:
        levels: Level -> number of events.
        warnings: Events of level warning and error, the first ones.
    """

    def __init__(
        self, events: Iterable[DustEvent], ref: str = "", owners: Mapping[str, str] | None = None
    ) -> None:
        """Let events pass, once.

        Args:
            events: The events, in order.
            ref: Installation whose messages are wanted.
            owners: Ref or device -> installation; what tells whom a text names.
        """
        self.levels: Counter[Level] = Counter()
        self.warnings: list[DustEvent] = []
        self._ref = ref
        self._owners = owners or {}
        self._about: list[DustEvent] = []
        self._turns: set[int] = set()
        self._moments = array("q")
        self._phases = array("b")
        self._loud = array("b")
        for one in events:
            self._take(one)

    def __len__(self) -> int:
        """Return how many events there were."""
        return len(self._moments)

    def _take(self, one: DustEvent) -> None:
        is_loud = one.level in LOUD
        self.levels[one.level] += 1
        self._moments.append(one.at)
        self._phases.append(_PHASES.index(one.phase))
        self._loud.append(is_loud)
        if is_loud and len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(one)
        if not self._ref:
            return
        if one.ref == self._ref:
            self._turns.add(one.turn)
        if one.party and one.receiver and (one.ref == self._ref or self._is_shared(one)):
            self._about.append(one)

    def _is_shared(self, one: DustEvent) -> bool:
        """Say whether it is a file that is about no other installation."""
        shared = not one.ref and one.file and one.kind not in _SINGLE
        return bool(shared) and _named(one.text, self._owners) <= {self._ref}

    def about(self) -> list[DustEvent]:
        """Return messages about the installation, and files of its turns about no other one."""
        return [one for one in self._about if one.ref == self._ref or one.turn in self._turns]

    def span(self) -> tuple[int, int]:
        """Return the first and the last moment, milliseconds."""
        return min(self._moments, default=0), max(self._moments, default=1)

    def bins(self, count: int) -> dict[Phase, dict[int, list[int]]]:
        """Return phase -> bin of the run's time -> number of events, and of loud ones."""
        first, last = self.span()
        span = max(1, last - first)
        found: dict[Phase, dict[int, list[int]]] = {}
        for at, phase, loud in zip(self._moments, self._phases, self._loud, strict=True):
            place = min(count - 1, (at - first) * count // span)
            cell = found.setdefault(_PHASES[phase], {}).setdefault(place, [0, 0])
            cell[0] += 1
            cell[1] += loud
        return found


def _named(text: str, owners: Mapping[str, str]) -> set[str]:
    """Return the installations that a text names, by ref or by a device."""
    words: Sequence[str] = text.replace(",", " ").replace(":", " ").split()
    return {owners[word] for word in words if word in owners}
