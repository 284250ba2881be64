"""What commands print: tables and progress for people, JSON for machines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from harness.verdict import Verdict

#: Tables are laid out at least so wide: a narrower terminal breaks their lines, and cuts nothing.
MIN_WIDTH: Final = 80
_ONE_LINE: Final = json.JSONEncoder(ensure_ascii=False)
#: What a run's verdict asks for.
EXIT_CODES: Final = {
    Verdict.SKIPPED: 0,
    Verdict.PASS: 0,
    Verdict.INCONCLUSIVE: 1,
    Verdict.FAIL: 1,
    Verdict.ERROR: 3,
}


class _Results(Console):
    """A console that leaves it to the caller when nobody reads any more (``| head``)."""

    def on_broken_pipe(self) -> None:
        """Pass the error on, instead of ending the program with exit code 1.

        Raises:
            BrokenPipeError: Always.
        """
        raise BrokenPipeError


def console() -> Console:
    """Return the console for results (standard output; honours NO_COLOR)."""
    screen = _Results(highlight=False, soft_wrap=True)
    screen.width = max(screen.width, MIN_WIDTH)
    return screen


def errors() -> Console:
    """Return the console for errors and progress (standard error)."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def emit_json(value: object) -> None:
    """Print one JSON document to standard output, keys in the order given."""
    text = indented(value)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a terminal that is not UTF-8, or a file name that is not
        text = json.dumps(value, indent=2)
    sys.stdout.write(text + "\n")


def indented(value: object, depth: int = 0) -> str:
    """Return ``json.dumps(value, indent=2, ensure_ascii=False)``, the sooner for long lists.

    json indents with Python code, item by item. Here whatever holds no further list or object is
    one call of its C encoder, whose separators carry the indentation.

    Args:
        value: JSON values; objects with texts as keys.
        depth: How deep in a document it stands.
    """
    if not value or not isinstance(value, (dict, list, tuple)):
        return _ONE_LINE.encode(value)
    inner = "\n" + "  " * (depth + 1)
    members = value.values() if isinstance(value, dict) else value
    if not any(member and isinstance(member, (dict, list, tuple)) for member in members):
        parts = [_flat(inner).encode(value)[1:-1]]
    elif isinstance(value, dict):
        named = ((_ONE_LINE.encode(str(name)), member) for name, member in value.items())
        parts = [f"{name}: {indented(member, depth + 1)}" for name, member in named]
    else:
        parts = [indented(member, depth + 1) for member in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}{inner}{(',' + inner).join(parts)}\n{'  ' * depth}{closing}"


@cache
def _flat(inner: str) -> json.JSONEncoder:
    """Return the encoder of what holds nothing further, at one depth."""
    return json.JSONEncoder(ensure_ascii=False, separators=("," + inner, ": "))


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for work in stages, on a terminal alone.

    Yields a function that is told the stage, how much of it is done, and of how much (0: nobody
    knows yet, and the bar pulses).
    """
    screen = errors()
    if not screen.is_terminal:
        yield lambda _stage, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("opening", total=None)

        def tell(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)

        yield tell


@contextmanager
def progress(total: int, title: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing elsewhere; yields a function that adds to the count."""
    screen = errors()
    if not screen.is_terminal:
        yield lambda _step: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=screen, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda step: bar.update(task, advance=step)
