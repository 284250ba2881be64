"""Profile generic (class 7): a buffer of rows, read whole or by range, by entry and by column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import date_time, selective
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.dlms.selective import CaptureObject, EntrySelection, RangeSelection
from emulator.core.errors import MalformedFrameError
from emulator.devices.smets1.binding import Binding
from emulator.devices.smets1.captures import Capture
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

CLOCK_CLASS: Final = 8
_FIFO: Final = 1
_NO_SORT_OBJECT: Final = CaptureObject(0, bytes(6), 0)
#: What a column of a row holds.
Cell = Callable[[Capture, CaptureObject], Data]


@dataclass(frozen=True, slots=True)
class Buffer:
    """What a profile holds at an instant.

    Attributes:
        columns: What a row is made of.
        rows: When each was captured, oldest first.
        cell: Yields what one column of one row holds.
        zone_min: Deviation of times that say none.
    """

    columns: tuple[CaptureObject, ...]
    rows: Sequence[Capture]
    cell: Cell
    zone_min: int = 0

    def read(self, selection: Selection | None) -> Data | DataAccessResult:
        """Return the rows that a selection wants, all without one."""
        if selection is None:
            return self.table(self.rows, self.columns)
        if selection.selector not in {selective.RANGE, selective.ENTRY}:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        try:
            choice = selective.read_selection(selection)
        except MalformedFrameError:
            return DataAccessResult.TYPE_UNMATCHED
        return self.chosen(choice)

    def chosen(self, choice: RangeSelection | EntrySelection) -> Data | DataAccessResult:
        """Return the rows and columns of a choice; one that is not there is out of scope."""
        if isinstance(choice, EntrySelection):
            return self._by_entry(choice)
        return self._by_range(choice)

    def table(self, rows: Sequence[Capture], columns: Sequence[CaptureObject]) -> Data:
        """Return these columns of these rows as an array of structures."""
        cell = self.cell
        lines = [
            Data(Tag.STRUCTURE, tuple([cell(row, column) for column in columns])) for row in rows
        ]
        return Data(Tag.ARRAY, tuple(lines))

    def _by_entry(self, choice: EntrySelection) -> Data | DataAccessResult:
        last_row = choice.last_entry or len(self.rows)
        last_column = choice.last_column or len(self.columns)
        if not 1 <= choice.first_column <= last_column <= len(self.columns):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        if choice.first_entry < 1 or (choice.last_entry and last_row < choice.first_entry):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        rows = self.rows[choice.first_entry - 1 : last_row]
        return self.table(rows, self.columns[choice.first_column - 1 : last_column])

    def _by_range(self, choice: RangeSelection) -> Data | DataAccessResult:
        columns = self.columns
        if choice.columns:
            columns = tuple(column for column in self.columns if column in choice.columns)
        if len(columns) < len(set(choice.columns)) or choice.restricting not in self.columns:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        bounds = self._bounds(choice)
        if isinstance(bounds, DataAccessResult):
            return bounds
        low, high = bounds
        rows = [
            row
            for row in self.rows
            if (low is None or self._key(row, choice.restricting) >= low)
            and (high is None or self._key(row, choice.restricting) <= high)
        ]
        return self.table(rows, columns)

    def _key(self, row: Capture, column: CaptureObject) -> int:
        if column.class_id == CLOCK_CLASS:
            return row.shown
        value = self.cell(row, column).value
        return value if isinstance(value, int) else 0

    def _bounds(self, choice: RangeSelection) -> tuple[int | None, int | None] | DataAccessResult:
        """Return the ends of a range as keys; None is an open end."""
        ends: list[int | None] = []
        for bound in (choice.first, choice.last):
            end = self._bound(bound, clock=choice.restricting.class_id == CLOCK_CLASS)
            if isinstance(end, DataAccessResult):
                return end
            ends.append(end)
        return ends[0], ends[1]

    def _bound(self, bound: Data, *, clock: bool) -> int | DataAccessResult | None:
        if bound == NULL:
            return None
        if not clock:
            unmatched = DataAccessResult.TYPE_UNMATCHED
            return bound.value if isinstance(bound.value, int) else unmatched
        if bound.tag not in {Tag.OCTETS, Tag.DATE_TIME} or not isinstance(bound.value, bytes):
            return DataAccessResult.TYPE_UNMATCHED
        try:
            time = date_time.decode(bound.value)
        except MalformedFrameError:
            return DataAccessResult.TYPE_UNMATCHED
        if time.is_undefined:
            return None
        moment = time.moment(self.zone_min)
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED if moment is None else moment


# -- bindings: the row's value names the profile (load, billing, event-log, security-log) --------


def _buffer(
    meter: "Meter", row: CatalogueRow, selection: Selection | None, at: Moment
) -> Data | DataAccessResult:
    return meter.buffer(row, at.now).read(selection)


def _columns(meter: "Meter", row: CatalogueRow, _at: Moment) -> Data:
    columns = meter.columns[row.obis]
    return Data(Tag.ARRAY, tuple(selective.capture_object(column) for column in columns))


def _reset(meter: "Meter", row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    meter.reset_profile(row.value, at.now)
    return MethodOutcome(ActionResult.SUCCESS)


def _capture(meter: "Meter", row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    meter.captures[row.value].capture(Capture(at.now, meter.clock.shows(at.now)))
    return MethodOutcome(ActionResult.SUCCESS)


def _period(meter: "Meter", row: CatalogueRow, _at: Moment) -> int:
    return meter.dlms.capture_period_s if row.value == "load" else 0


def _in_use(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    return meter.profile_count(row.value, at.now)


def _entries(meter: "Meter", row: CatalogueRow, _at: Moment) -> int:
    return meter.profile_limit(row.value)


@lru_cache(maxsize=256)  # texts of catalogues: the same few in every home
def parse_columns(text: str) -> tuple[CaptureObject, ...]:
    """Read capture objects written ``8/0-0:1.0.0.255/2``, one blank between two.

    Raises:
        ValueError: It is not so written.
    """
    found = []
    for word in text.split():
        class_id, obis, attribute = word.split("/")
        octets = bytes(int(part) for part in obis.replace("-", ".").replace(":", ".").split("."))
        if len(octets) != 6:
            raise ValueError(f"{obis!r} is no logical name")
        found.append(CaptureObject(int(class_id), octets, int(attribute)))
    if not found:
        raise ValueError("a profile has columns")
    return tuple(found)


#: Binding word -> what it does.
BINDINGS: Final = {
    "profile.buffer": Binding(selective=_buffer),
    "profile.columns": Binding(read=_columns),
    "profile.period": Binding(read=_period),
    "profile.fifo": Binding(read=lambda _meter, _row, _at: _FIFO),
    "profile.sort-object": Binding(
        read=lambda _meter, _row, _at: selective.capture_object(_NO_SORT_OBJECT)
    ),
    "profile.in-use": Binding(read=_in_use),
    "profile.entries": Binding(read=_entries),
    "profile.reset": Binding(invoke=_reset),
    "profile.capture": Binding(invoke=_capture),
}
