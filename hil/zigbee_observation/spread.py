"""How lengths of time spread: the least, the middle, the most, and a histogram in one line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

_SECOND: Final = 1_000_000
#: Upper bounds of the histogram's columns in microseconds; one more column holds the rest.
BOUNDS_US: Final = tuple(
    round(seconds * _SECOND) for seconds in (0.01, 0.1, 1, 2, 5, 10, 20, 30, 60, 300, 1800, 7200)
)
_BARS: Final = "▁▂▃▄▅▆▇█"
_NONE: Final = "·"


@dataclass(frozen=True, slots=True)
class Spread:
    """A number of lengths of time.

    Attributes:
        count: How many.
        least_us: The shortest, microseconds.
        median_us: The middle one; of an even number the mean of the two, rounded down.
        most_us: The longest.
        columns: How many in each column of the histogram (``BOUNDS_US``).
    """

    count: int
    least_us: int
    median_us: int
    most_us: int
    columns: tuple[int, ...]

    @classmethod
    def of(cls, lengths_us: Iterable[int]) -> Self | None:
        """Return how they spread; None where there are none."""
        rows = sorted(lengths_us)
        if not rows:
            return None
        middle = len(rows) // 2
        median = rows[middle] if len(rows) % 2 else (rows[middle - 1] + rows[middle]) // 2
        return cls(len(rows), rows[0], median, rows[-1], _columns(rows))

    @property
    def bars(self) -> str:
        """The histogram: one character a column, a dot where nothing is."""
        most = max(self.columns)
        return "".join(
            _BARS[(count * len(_BARS) - 1) // most] if count else _NONE for count in self.columns
        )

    def row(self) -> dict[str, Any]:
        """Return it as JSON values; lengths in seconds."""
        return {
            "count": self.count,
            "min_s": self.least_us / _SECOND,
            "median_s": self.median_us / _SECOND,
            "max_s": self.most_us / _SECOND,
            "histogram": list(self.columns),
        }


def gaps(moments_us: Sequence[int]) -> list[int]:
    """Return the lengths of time between successive moments of a sorted sequence."""
    return [later - earlier for earlier, later in pairwise(moments_us)]


def in_words(length_us: int) -> str:
    """Return a length of time for people: ``12 ms``, ``3.2 s``, ``14 min``, ``2.5 h``."""
    if length_us < _SECOND:
        return f"{length_us / 1000:.3g} ms"
    seconds = length_us / _SECOND
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def scale() -> str:
    """Return what the columns of a histogram stand for, one line."""
    return "columns: up to " + ", ".join(map(in_words, BOUNDS_US)) + ", longer"


def _columns(rows: Sequence[int]) -> tuple[int, ...]:
    counts = [0] * (len(BOUNDS_US) + 1)
    for length in rows:
        counts[next((n for n, bound in enumerate(BOUNDS_US) if length <= bound), -1)] += 1
    return tuple(counts)
