"""The meter's clock (class 8): what it shows, how it drifts, how it is set."""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import axdr, date_time
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.devices.saved import Saved, State
from emulator.devices.smets1.binding import Binding, items_of, refused
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

_MINUTE_MS: Final = 60_000
_QUARTER_MS: Final = 15 * _MINUTE_MS
#: Farthest that shift_time moves the clock, in seconds. Source: known (Blue Book, class 8 m6).
MAX_SHIFT_S: Final = 900
#: First and last moment a clock can show: 2000-01-01 and 2100-01-01. Source: invented.
EARLIEST: Final = 946_684_800_000
LATEST: Final = 4_102_444_800_000
_MILLION: Final = 1_000_000


class MeterClock:
    """A clock that runs a little fast or slow from the moment it was last set.

    Attributes:
        ppm: How fast it runs beyond the truth, in parts in a million.
        zone_min: Deviation of local time: what is added to it to make UTC.
        status: Clock status octet.
        preset: Time, begin and end of validity that m5 left, in UTC; None for nothing.
    """

    def __init__(self, now: UtcMs, ppm: int) -> None:
        self.ppm = ppm
        self.zone_min = 0
        self.status = 0
        self.preset: tuple[UtcMs, UtcMs, UtcMs] | None = None
        self._true, self._shown = now, now

    def shows(self, at: UtcMs) -> UtcMs:
        """Return the UTC that the clock believes in at a true instant."""
        passed = at - self._true
        return UtcMs(self._shown + passed + passed * self.ppm // _MILLION)

    def set_to(self, shown: UtcMs, at: UtcMs) -> None:
        """Show ``shown`` at the true instant ``at``, and drift from there."""
        self._true, self._shown = at, shown

    def octets(self, shown: UtcMs) -> bytes:
        """Return what the clock shows as twelve octets of local time."""
        return date_time.encode(date_time.of_moment(shown, self.zone_min, self.status))

    def read(self, data: Data) -> UtcMs | None:
        """Return the moment that twelve octets name to this clock; None for no such moment."""
        if not isinstance(data.value, bytes) or data.tag not in {Tag.OCTETS, Tag.DATE_TIME}:
            return None
        try:
            named = date_time.decode(data.value).moment(self.zone_min)
        except MalformedFrameError:
            return None
        return named if named is not None and EARLIEST <= named < LATEST else None

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "true": self._true,
            "shown": self._shown,
            "zone_min": self.zone_min,
            "status": self.status,
            "preset": None if self.preset is None else list(self.preset),
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self._true, self._shown = saved.moment("true"), saved.moment("shown")
        self.zone_min, self.status = saved.number("zone_min"), saved.number("status")
        self.preset = None
        if saved.has("preset"):
            time, begin, end = (UtcMs(number) for number in saved.number_list("preset"))
            self.preset = (time, begin, end)


# -- bindings ----------------------------------------------------------------------------------


def _time(meter: "Meter", _row: CatalogueRow, at: Moment) -> bytes:
    return meter.clock.octets(meter.clock.shows(at.now))


def _set_time(meter: "Meter", _row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    shown = meter.clock.read(value)
    if shown is None:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    meter.set_clock(shown, at)
    return DataAccessResult.SUCCESS


def _set_zone(meter: "Meter", _row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    if not isinstance(value.value, int) or abs(value.value) > date_time.MAX_DEVIATION_MIN:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    meter.clock.zone_min = value.value
    return DataAccessResult.SUCCESS


def _to_multiple(meter: "Meter", multiple_ms: int, at: Moment) -> MethodOutcome:
    shown = meter.clock.shows(at.now)
    meter.set_clock(UtcMs((shown + multiple_ms // 2) // multiple_ms * multiple_ms), at)
    return MethodOutcome(ActionResult.SUCCESS)


def _to_quarter(
    meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment
) -> MethodOutcome:
    return _to_multiple(meter, _QUARTER_MS, at)


def _to_period(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    return _to_multiple(meter, meter.dlms.capture_period_s * 1000, at)


def _to_minute(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    return _to_multiple(meter, _MINUTE_MS, at)


def _preset(meter: "Meter", _row: CatalogueRow, data: Data | None, _at: Moment) -> MethodOutcome:
    times = items_of(data, Tag.STRUCTURE, 3)
    if times is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    time, begin, end = (meter.clock.read(item) for item in times)
    if time is None or begin is None or end is None or end < begin:
        return refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    meter.clock.preset = (time, begin, end)
    return MethodOutcome(ActionResult.SUCCESS)


def _to_preset(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    preset = meter.clock.preset
    if preset is None or not preset[1] <= meter.clock.shows(at.now) <= preset[2]:
        return refused(ActionResult.OTHER_REASON)
    meter.set_clock(preset[0], at)
    return MethodOutcome(ActionResult.SUCCESS)


def _shift(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    seconds = None if data is None else data.value
    if not isinstance(seconds, int) or abs(seconds) > MAX_SHIFT_S:
        return refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    meter.set_clock(UtcMs(meter.clock.shows(at.now) + seconds * 1000), at)
    return MethodOutcome(ActionResult.SUCCESS)


#: Binding word -> what it does.
BINDINGS: Final = {
    "clock.time": Binding(_time, _set_time, historic=True),
    "clock.zone": Binding(lambda meter, _row, _at: meter.clock.zone_min, _set_zone),
    "clock.status": Binding(lambda meter, _row, _at: meter.clock.status),
    "clock.undefined": Binding(lambda _meter, _row, _at: axdr.octets(date_time.UNDEFINED)),
    "clock.to-quarter": Binding(invoke=_to_quarter),
    "clock.to-period": Binding(invoke=_to_period),
    "clock.to-minute": Binding(invoke=_to_minute),
    "clock.to-preset": Binding(invoke=_to_preset),
    "clock.preset": Binding(invoke=_preset),
    "clock.shift": Binding(invoke=_shift),
}
