"""What commands print: tables and progress for people, JSON for machines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from harness.verdict import Verdict

#: Tables are laid out at least so wide: a narrower terminal breaks their lines, and cuts nothing.
MIN_WIDTH: Final = 80
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
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a terminal that is not UTF-8, or a file name that is not
        text = json.dumps(value, indent=2)
    sys.stdout.write(text + "\n")


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
