"""The home in hand: whose rules are asked, and whose steps are taken, at this moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_HOME: Final[ContextVar[str]] = ContextVar("home in hand", default="")


def home_in_hand() -> str:
    """Return the ref of the installation that is dealt with; empty: no single one is."""
    return _HOME.get()


@contextmanager
def in_hand(ref: str) -> Iterator[None]:
    """Deal with one installation for a while.

    Args:
        ref: What it is called.
    """
    token = _HOME.set(ref)
    try:
        yield
    finally:
        _HOME.reset(token)
