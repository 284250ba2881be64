"""Which tokens a meter has taken: duplicates and tokens that are out of date are refused."""

import enum
from collections.abc import Iterable, Mapping
from typing import Final

#: Counters of accepted tokens that a meter keeps. Source: known (GBCS), no text at hand.
KEPT: Final = 100


class TokenAge(enum.StrEnum):
    """How a token stands to those taken before."""

    NEW = "new"
    DUPLICATE = "duplicate"
    OUT_OF_DATE = "out_of_date"


class TokenMemory:
    """The originator counters of the latest accepted tokens.

    A token is a duplicate when its counter is kept, and out of date when it is below every kept
    one and none could be forgotten for it. Any order between is fine: customers key tokens in as
    they find them.
    """

    def __init__(self, kept: Iterable[int] = (), limit: int = KEPT) -> None:
        """Take the counters kept so far; at most ``limit`` are kept, the highest ones.

        Raises:
            ValueError: Nothing could be kept.
        """
        if limit < 1:
            raise ValueError(f"a meter keeps at least one counter, not {limit}")
        self.limit = limit
        self._kept = sorted(set(kept))[-limit:]

    def __repr__(self) -> str:
        return f"TokenMemory({len(self._kept)} of {self.limit})"

    @property
    def kept(self) -> tuple[int, ...]:
        """The counters kept, lowest first."""
        return tuple(self._kept)

    def age(self, counter: int) -> TokenAge:
        """Say how a token of that originator counter stands; nothing changes."""
        if counter in self._kept:
            return TokenAge.DUPLICATE
        if len(self._kept) >= self.limit and counter < self._kept[0]:
            return TokenAge.OUT_OF_DATE
        return TokenAge.NEW

    def take(self, counter: int) -> TokenAge:
        """Keep the counter of an accepted token if it is new, forgetting the lowest when full."""
        age = self.age(counter)
        if age is TokenAge.NEW:
            self._kept = sorted([*self._kept, counter])[-self.limit :]
        return age

    def dump(self) -> dict[str, object]:
        """Return the state as JSON values."""
        return {"limit": self.limit, "kept": list(self._kept)}

    @classmethod
    def load(cls, state: Mapping[str, object]) -> "TokenMemory":
        """Return the memory a dump describes.

        Raises:
            ValueError: It is no such state.
        """
        limit, kept = state.get("limit"), state.get("kept")
        if isinstance(limit, int) and isinstance(kept, list) and len(kept) <= limit:
            counters = [one for one in kept if isinstance(one, int) and one >= 0]
            if len(counters) == len(kept):
                return cls(counters, limit)
        raise ValueError("a token memory is a limit and as many counters at most")
