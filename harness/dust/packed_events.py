"""The events of a pack, checked line by line while reports go through them."""

from collections.abc import Iterable, Iterator

from harness.dust import reports
from harness.dust.events import DustEvent


def lines_in(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines, the last one whole or not."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


class PackedEvents:
    """The events of a pack, looked at while they pass.

    Attributes:
        count: How many there were.
        wrong: What is wrong with the first that is not as it should be; empty for nothing.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        """Take the lines of the log."""
        self.count = 0
        self.wrong = ""
        self._lines = lines

    def __iter__(self) -> Iterator[DustEvent]:
        """Yield the events.

        Raises:
            ValueError: A line is no event.
        """
        for line in self._lines:
            for event in reports.events_of(line):
                self.count += 1
                if event.number != self.count:
                    self.wrong = self.wrong or f"event {self.count} is called {event.number}"
                if event.line().encode() != line:
                    self.wrong = self.wrong or "a line is not in its one form"
                yield event
            if not line.endswith(b"\n"):
                self.wrong = self.wrong or "a line is not in its one form"
