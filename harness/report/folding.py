"""Folds a trace into rows a reader can take in: like frames together, repetitions together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.report.layers import FRAGMENTS, REASSEMBLED
from harness.report.trace import TraceItem

#: Rows of one family fold from this many frames on.
_FOLD_FROM: Final = 3
#: A pattern of rows folds from this many repetitions on, and has this many rows at most.
_REPEATS_FROM: Final = 3
_PERIOD_MAX: Final = 32


@dataclass(slots=True)
class Row:
    """One row of the sequence diagram.

    Attributes:
        items: Its frames in order; the first one gives direction and colour.
        fragments: Frames that brought the first one in fragments, without the last.
        acks: APS acknowledgements that belong to them.
        family: Their family; empty for a single frame.
        pattern: For a repetition: the rows of its first round; else empty.
        repeats: How often the pattern came; 1 for no repetition.
    """

    items: list[TraceItem]
    acks: list[TraceItem] = field(default_factory=list)
    family: str = ""
    fragments: list[TraceItem] = field(default_factory=list)
    pattern: tuple["Row", ...] = ()
    repeats: int = 1

    @property
    def first(self) -> TraceItem:
        """Its first frame."""
        return self.items[0]

    @property
    def octets(self) -> int:
        """Octets of all its frames, acknowledgements included."""
        return sum(len(item.octets) for item in (*self.items, *self.acks, *self.fragments))

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What makes two rows the same to a reader."""
        folded = 2 if len(self.items) > 1 else 1
        first = self.first
        return (first.sender, first.receiver, self.family or first.label, folded)


def _pair(item: TraceItem) -> frozenset[str]:
    return frozenset({item.sender, item.receiver})


def fold(items: Sequence[TraceItem]) -> list[Row]:
    """Return the rows of one step's items: acknowledgements absorbed, families and rounds folded.

    Rows keep the order of their first frames. A frame joins a row of its family only while that
    row is the last one between its two ends.
    """
    rows: list[Row] = []
    last: dict[frozenset[str], Row] = {}
    for item in items:
        row = last.get(_pair(item))
        if item.family == "ack" and row is not None:
            row.acks.append(item)
        elif row is not None and _completes(item, row):
            row.fragments, row.items, row.family = row.items, [item], item.family
        elif row is not None and item.family and item.family == row.family:
            row.items.append(item)
        else:
            row = Row([item], family=item.family)
            rows.append(row)
            last[_pair(item)] = row
    return _rounds([part for row in rows for part in _unfolded(row)])


def _completes(item: TraceItem, row: Row) -> bool:
    return row.family == FRAGMENTS and any(layer.name == REASSEMBLED for layer in item.layers)


def _unfolded(row: Row) -> list[Row]:
    """Few frames of a family stand for themselves."""
    if len(row.items) >= _FOLD_FROM or len(row.items) == 1:
        return [row]
    if row.fragments:
        return [row]
    parts = [Row([item], family=item.family) for item in row.items]
    parts[-1].acks = row.acks
    return parts


def _rounds(rows: list[Row]) -> list[Row]:
    folded: list[Row] = []
    keys = [row.key for row in rows]
    at = 0
    while at < len(rows):
        period, repeats = _best(keys, at)
        if repeats == 1:
            folded.append(rows[at])
            at += 1
            continue
        part = rows[at : at + period * repeats]
        folded.append(
            Row(
                [item for row in part for item in row.items],
                [item for row in part for item in row.acks],
                pattern=tuple(part[:period]),
                repeats=repeats,
            )
        )
        at += period * repeats
    return folded


def _best(keys: Sequence[object], at: int) -> tuple[int, int]:
    """Return period and number of the repetition at ``at`` that covers the most rows."""
    best = (1, 1)
    for period in range(1, _PERIOD_MAX + 1):
        pattern = keys[at : at + period]
        repeats = 1
        while keys[at + repeats * period : at + (repeats + 1) * period] == pattern:
            repeats += 1
        if len(pattern) == period and repeats >= _REPEATS_FROM:
            best = max(best, (period, repeats), key=lambda found: found[0] * found[1])
    return best
