"""Tables for people that cut nothing off: they fold, or a row takes more lines."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

#: The narrowest last column that is still calm to read.
_CALM: Final = 32
_GAP: Final = "  "
_INDENT: Final = "    "
_BETWEEN: Final = " · "


def folded(*headings: str, keep: int | None = None) -> Table:
    """Return an empty table that ends no cell in an ellipsis.

    Args:
        headings: Column headings.
        keep: How many columns, from the left, are never broken; all but the last when None.
    """
    unbroken = len(headings) - 1 if keep is None else keep
    columns = [
        Column(heading, no_wrap=number < unbroken, overflow="fold")
        for number, heading in enumerate(headings)
    ]
    return Table(*columns, box=box.SIMPLE, pad_edge=False)


def print_listing(
    screen: Console, headings: Sequence[str], rows: Iterable[Sequence[str]], *, beside: int
) -> None:
    """Print rows side by side where they fit, else what explains a row under it.

    Args:
        screen: Where to.
        headings: Column headings.
        rows: Plain texts, one a column.
        beside: How many columns, from the left, name a row: they always stand on one line.
    """
    lines = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    needed = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    if needed + min(widths[-1], _CALM) <= screen.width:
        _print_beside(screen, headings, lines)
        return
    screen.print(Text(_line(headings[:beside], widths), style="dim"))
    names = headings[beside:]
    for row in lines:
        named = "".join(
            text.ljust(width) + _GAP for text, width in zip(row[: beside - 1], widths, strict=False)
        )
        print_hanging(screen, named, row[beside - 1])
        below = row[beside:]
        told = [f"{name}: {text}" for name, text in zip(names, below, strict=True) if text]
        for text in below if len(below) == 1 else _packed(told, screen.width - len(_INDENT)):
            print_hanging(screen, _INDENT, text)


def print_hanging(screen: Console, first: str, text: str) -> None:
    """Print a text behind a word, wrapped between its words, its further lines under the first.

    Args:
        screen: Where to.
        first: What the first line begins with, blanks behind it included.
        text: One sentence or more.
    """
    width = max(screen.width - len(first), _CALM)
    parts = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    for number, part in enumerate(parts or [""]):
        screen.print(Text((first if number == 0 else " " * len(first)) + part))


def _packed(items: Sequence[str], width: int) -> list[str]:
    """Return items on as few lines as they need, none of them broken where it fits a line."""
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(_BETWEEN) + len(item) <= width:
            lines[-1] += _BETWEEN + item
        else:
            lines.append(item)
    return lines


def _print_beside(
    screen: Console, headings: Sequence[str], rows: Iterable[tuple[str, ...]]
) -> None:
    last = len(headings) - 1
    columns = [Column(name, no_wrap=index < last) for index, name in enumerate(headings)]
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for row in rows:
        table.add_row(*map(Text, row))
    screen.print(table)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(text.ljust(width) for text, width in zip(cells, widths, strict=False)).rstrip()
