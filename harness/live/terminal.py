"""A run on the terminal as it goes: a calm picture, or plain lines where nobody looks."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.dust.events import DustEvent, Level
from harness.dust.steps_told import OnStep
from harness.live.board import Board, phase_of, tone_of
from harness.live.lines import Line, of_event
from harness.live.step_lines import StepLines, step_text
from harness.words import counted

#: How a tone looks.
_STYLES: Final = {
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "wait": "magenta",
    "going": "blue",
    "quiet": "bright_black",
}
#: Signs of the map of installations, for whoever sees no colours.
_SIGNS: Final = {"good": "■", "bad": "✕", "warn": "◆", "wait": "◇", "going": "▸", "quiet": "·"}
#: What a sign that stands for several installations shows: the first of these that one of them is.
_GRAVITY: Final = ("bad", "warn", "wait", "going", "quiet", "good")
#: Kinds of events that are a line where there is no terminal; so are warnings and errors.
_TOLD: Final = frozenset({"run", "entry", "turn", "day", "retry", "paper-answered"})
#: Pictures a second; the run goes on at its own pace.
_PER_SECOND: Final = 4
_MAP_ROWS: Final = 6
_BAR: Final = 28
#: Warnings of one turn that are plain lines; the rest are counted.
_MOST_LOUD: Final = 20


@contextmanager
def watching(
    console: Console, *, title: str = "", total: int | None = None, quiet: bool = False
) -> Iterator["Shows | None"]:
    """Show a run while it goes, and how far its packing is.

    Args:
        console: Where; standard error, so that standard output holds results alone.
        title: What it is called.
        total: How many installations it has; None: as many as were met.
        quiet: Nothing is shown.

    Yields:
        What takes the run's events, from any thread; None where nothing is shown.
    """
    if quiet:
        yield None
    elif is_looked_at(console):
        picture = Picture(title, total)
        with Live(picture, console=console, refresh_per_second=_PER_SECOND, transient=False):
            yield picture
    else:
        yield PlainLines(console)


@contextmanager
def stepping(console: Console, *, quiet: bool = False) -> Iterator[OnStep | None]:
    """Show how far a piece of work is.

    Args:
        console: Where; standard error.
        quiet: Nothing is shown.

    Yields:
        What takes how far it is; None where nothing is shown.
    """
    if quiet:
        yield None
    elif is_looked_at(console):
        with console.status("") as status:
            yield lambda what, done, of: status.update(escape(step_text(what, done, of)))
    else:
        yield StepLines(console)


class Shows(Protocol):
    """What shows a run."""

    def __call__(self, event: DustEvent, /) -> None:
        """Take note of an event."""

    def step(self, what: str, done: int, of: int) -> None:
        """Take note of how far a piece of work is; 0 of 0: nobody knows."""


def is_looked_at(console: Console) -> bool:
    """Say whether a picture that is drawn again and again is of use."""
    return (
        console.is_terminal
        and not console.is_dumb_terminal
        and "CI" not in os.environ
        and not console.no_color
    )


class PlainLines:
    """A line for each turn, day, paper and warning; many warnings of one turn are counted."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._board = Board()
        self._loud = 0
        self.step = StepLines(console)

    def __call__(self, event: DustEvent, /) -> None:
        """Take note of an event."""
        self.take(event)

    def take(self, event: DustEvent) -> None:
        """Take note of an event."""
        line = of_event(event)
        self._board.feed(line)
        if event.kind == "turn":
            self._say_counts()
        if event.kind in _TOLD:
            self._say(line, "")
        elif event.level in {Level.WARNING, Level.ERROR}:
            self._loud += 1
            if self._loud <= _MOST_LOUD:
                self._say(line, f"{event.level.value}: ")

    def _say_counts(self) -> None:
        """Say where installations stand, and how many warnings were not told."""
        if self._loud > _MOST_LOUD:
            more = self._loud - _MOST_LOUD
            self._print(f"  and {more} more warnings (events.jsonl)")
        self._loud = 0
        counts = self._board.by_state()
        if counts:
            told = ", ".join(f"{number} {state}" for state, number in counts.items())
            self._print(f"  installations: {told}")

    def _say(self, line: Line, before: str) -> None:
        about = f" [{line.ref}]" if line.ref else ""
        code = f" ({line.code})" if line.code and line.code not in line.text else ""
        self._print(f"{line.at[:19]}Z  {before}{line.text}{code}{about}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class Picture:
    """What a terminal shows: head, phases, a map of installations, the last warnings."""

    def __init__(self, title: str, total: int | None = None) -> None:
        self._title = title
        self._total = total
        self._board = Board()
        self._step = ""
        self._lock = threading.Lock()

    def __call__(self, event: DustEvent, /) -> None:
        """Take note of an event."""
        self.take(event)

    def take(self, event: DustEvent) -> None:
        """Take note of an event."""
        with self._lock:
            self._board.feed(of_event(event))

    def step(self, what: str, done: int, of: int) -> None:
        """Take note of how far a piece of work is."""
        with self._lock:
            self._step = step_text(what, done, of)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as wide as the terminal is."""
        with self._lock:
            yield Group(
                self._head(),
                self._phases(),
                *self._map(options.max_width),
                *self._foot(),
            )

    def _head(self) -> Text:
        board = self._board
        head = Text(no_wrap=True, overflow="ellipsis")
        head.append(self._title or "run", style="bold")
        head.append(f"  {board.at[:19].replace('T', ' ')}", style="bright_black")
        if board.turn:
            head.append(f"  turn {board.turn}")
        if board.phase:
            head.append(f"  {board.phase}")
        head.append(f"  {counted(board.last, 'event')}", style="bright_black")
        return head

    def _phases(self) -> Table:
        """Return a row a phase: its bar, how many stand in it, and in which states."""
        board = self._board
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, width=_BAR)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        counts, states = board.by_phase(), board.by_state()
        unmet = max(0, (self._total or 0) - len(board.standings))
        counts["planning"] += unmet
        whole = max(1, sum(counts.values()))
        for phase, number in counts.items():
            inside = {state: n for state, n in states.items() if phase_of(state) == phase}
            style = _STYLES[tone_of(next(iter(inside), "Planned"))] if inside else _STYLES["quiet"]
            length = 0 if not number else max(1, round(_BAR * number / whole))
            bar = Text("━" * length, style=style)
            bar.append("─" * (_BAR - length), style=_STYLES["quiet"])
            told = ", ".join(f"{state} {n}" for state, n in inside.items())
            table.add_row(phase, bar, str(number), Text(told, style="bright_black"))
        return table

    def _map(self, width: int) -> Iterator[Text]:
        """Yield rows of signs, one an installation, or one for several that stand together."""
        tones = [tone_of(one.state) for one in self._board.standings.values()]
        tones += ["quiet"] * ((self._total or 0) - len(tones))
        if not tones:
            return
        places = max(1, min(width, 120) * _MAP_ROWS)
        each = -(-len(tones) // places)
        row = Text(no_wrap=True)
        for start in range(0, len(tones), each):
            tone = min(tones[start : start + each], key=_GRAVITY.index)
            row.append(_SIGNS[tone], style=_STYLES[tone])
            if len(row) >= min(width, 120):
                yield row
                row = Text(no_wrap=True)
        if len(row):
            yield row
        if each > 1:
            yield Text(f"each sign: {each} installations, the gravest shows", "bright_black")

    def _foot(self) -> Iterator[Text]:
        board = self._board
        waits = board.waits_for()
        yield Text(board.day, no_wrap=True, overflow="ellipsis")
        yield Text(
            self._step or (f"waits for {waits}" if waits else ""),
            style=_STYLES["wait"],
            no_wrap=True,
            overflow="ellipsis",
        )
        for line in [None, None, None, *board.loud][-3:]:
            if line is None:  # room for it, so that nothing moves when it comes
                yield Text("")
                continue
            about = f" {line.ref}" if line.ref else ""
            code = f" ({line.code})" if line.code else ""
            told = f"{line.level}  {line.at[:19].replace('T', ' ')}{about}  {line.text}{code}"
            style = _STYLES["bad" if line.level == Level.ERROR else "warn"]
            yield Text(told, style=style, no_wrap=True, overflow="ellipsis")
