"""The person at the terminal: told things, and asked for a word."""

import sys
from collections.abc import Callable

from harness.cli.output import errors


def asker() -> Callable[[str], str] | None:
    """Return how to have a word typed; None where nobody sits at a terminal."""
    return _ask if sys.stdin is not None and sys.stdin.isatty() else None


def tell(line: str) -> None:
    """Tell the person a line."""
    errors().print(line, markup=False)


def _ask(question: str) -> str:
    errors().print(question, end="", markup=False)
    return sys.stdin.readline()
