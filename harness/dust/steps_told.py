"""How far a piece of work is that takes a while: told to whoever wants to hear it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

#: Called with what is being done, how much of it is done, and how much there is; 0 of 0: unknown.
OnStep = Callable[[str, int, int], None]

_One = TypeVar("_One")


class Steps:
    """Tells how far a piece of work is."""

    def __init__(self, on_step: OnStep | None = None) -> None:
        """Take who wants to hear it; None: nobody."""
        self._on_step = on_step

    def say(self, what: str) -> None:
        """Tell of work whose end cannot be counted."""
        self.told(what, 0, 0)

    def told(self, what: str, done: int, of: int) -> None:
        """Tell how much is done."""
        if self._on_step is not None:
            self._on_step(what, done, of)

    def through(self, what: str, those: Sequence[_One]) -> Iterator[_One]:
        """Yield what is to be done, one after the other, and tell of it."""
        for number, one in enumerate(those):
            self.told(what, number, len(those))
            yield one
        self.told(what, len(those), len(those))
