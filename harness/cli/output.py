"""What commands print: tables and progress for people, JSON for machines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


def console() -> Console:
    """Return the console for results (standard output; honours NO_COLOR)."""
    return Console(highlight=False, soft_wrap=True)


def errors() -> Console:
    """Return the console for errors and progress (standard error)."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def emit_json(value: object) -> None:
    """Print one JSON document to standard output, keys in the order given."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


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
