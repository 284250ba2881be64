"""Parts of a profile: rows between two moments, rows by number, some columns only."""

from typing import Final

from emulator.codecs.dlms import selective
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.selective import CaptureObject, EntrySelection, RangeSelection
from emulator.core.clock import UtcMs
from harness.dlms import obis
from harness.dlms.clock import clock_data

PROFILE_CLASS: Final = 7
_BUFFER: Final = 2
#: The column that tells the time of a row: the clock's time.
TIME_COLUMN: Final = CaptureObject(8, obis.parse("0-0:1.0.0"), 2)


def between(
    first: UtcMs, last: UtcMs, columns: tuple[CaptureObject, ...] = (), deviation_min: int = 0
) -> Selection:
    """Return the selection of rows from ``first`` to ``last``, both included.

    Args:
        first: Time of the first row wanted.
        last: Time of the last row wanted.
        columns: Columns wanted; empty for all.
        deviation_min: Deviation of the local time the bounds are written in.
    """
    bounds = (clock_data(first, deviation_min), clock_data(last, deviation_min))
    return selective.selection_of(RangeSelection(TIME_COLUMN, *bounds, columns))


def entries(first: int, last: int = 0, first_column: int = 1, last_column: int = 0) -> Selection:
    """Return the selection of rows and columns by number, counted from 1; 0 is the last."""
    return selective.selection_of(EntrySelection(first, last, first_column, last_column))


def buffer(profile: str, selection: Selection | None = None) -> Attribute:
    """Return the buffer of a profile, or the part of it that is selected.

    Raises:
        ValueError: ``profile`` is no logical name.
    """
    return obis.attribute(PROFILE_CLASS, profile, _BUFFER, selection)
