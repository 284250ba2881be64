"""Listening at a port: everything that crosses it and everything that befalls it."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

#: ``in``: towards the meter, what we send; ``out``: from the meter, what we read.
Direction = Literal["in", "out"]
Fields = Mapping[str, str | int]


class Tap(Protocol):
    """A listener at one port. Called in the thread that uses the port; must not block it.

    Times are ``time.monotonic_ns()``, taken when the octets were handed over: to the operating
    system when sent, to us when read.
    """

    def chunk(self, direction: Direction, octets: bytes, at_ns: int) -> None:
        """Take octets that crossed the port in one go; where a frame ends is not known here."""
        ...

    def event(self, kind: str, fields: Fields, at_ns: int) -> None:
        """Take something that befell the port.

        Args:
            kind: ``open`` (url, node, baud), ``speed`` (baud), ``break`` (duration_ms, sent 0/1),
                ``timeout`` (waited_ms), ``close`` (none), ``error`` (kind, what).
            fields: Names and values, as listed above.
            at_ns: When.
        """
        ...


class Taps:
    """Several listeners as one, told in the order given."""

    def __init__(self, taps: Sequence[Tap]) -> None:
        self._taps = tuple(taps)

    def chunk(self, direction: Direction, octets: bytes, at_ns: int) -> None:
        """Tell every listener."""
        for tap in self._taps:
            tap.chunk(direction, octets, at_ns)

    def event(self, kind: str, fields: Fields, at_ns: int) -> None:
        """Tell every listener."""
        for tap in self._taps:
            tap.event(kind, fields, at_ns)
