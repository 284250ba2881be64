"""Reads of logs by range: what span of time a selection names."""

from typing import Final

from emulator.codecs.dlms.selective import RangeSelection
from emulator.devices.access_engine import AccessFailedError

#: Seconds since 2000 of the first and the last moment wanted.
Span = tuple[int, int]
#: The clock that a range is over: UTC in seconds since 2000. Source: RTDS 4.5.0.
CLOCK_COLUMN: Final = (1, bytes((0, 0, 94, 44, 100, 255)), 2)


def span_of(choice: object) -> Span:
    """Return the span of a selection by range, of whole rows.

    Raises:
        AccessFailedError: It is no such selection, or not over the clock.
    """
    if not isinstance(choice, RangeSelection) or choice.columns:
        raise AccessFailedError
    column, first, last = choice.restricting, choice.first.value, choice.last.value
    named = (column.class_id, column.obis, column.attribute)
    if named != CLOCK_COLUMN or not isinstance(first, int) or not isinstance(last, int):
        raise AccessFailedError
    return first, last
