"""Maximum demand registers: value, when it was reached, when it was reset."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device_profiles.gbcs_objects import MemberRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.dates import decode_date_time, encode_date_time
from emulator.core.clock import UtcMs
from emulator.devices.access_engine import Turn
from emulator.devices.consumption import DAY_MS, HALF_HOUR_MS, Kind
from emulator.devices.esme.model.schedules import Schedule

if TYPE_CHECKING:
    from emulator.devices.esme.model.model import EsmeModel


@dataclass(frozen=True, slots=True)
class Peak:
    """What a search for a maximum found.

    Attributes:
        since: First moment searched.
        until: Last moment searched, the end of a half hour.
        most_w: Greatest half-hour demand.
        at: End of that half hour.
    """

    since: UtcMs
    until: UtcMs
    most_w: int
    at: UtcMs


_KINDS: Final = {
    "demand_import": Kind.IMPORT,
    "demand_import_period": Kind.IMPORT,
    "demand_export": Kind.EXPORT,
}
#: The register that the configurable period is for.
_OF_PERIOD: Final = "demand_import_period"
#: Script that begins the period; 2 ends it. Source: inferred from RTDS ECS37 (1 at 17:00, 2 at
#: 22:00).
_BEGINS: Final = 1
#: A search for a maximum goes no further back. Source: invented.
_MOST_DAYS: Final = 400


def value(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return the greatest half-hour demand since the reset."""
    return Data(Tag.UINT32, _greatest(model, row.argument, turn.now)[0])


def captured_at(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return the end of the half hour of that demand."""
    return axdr.octets(encode_date_time(_greatest(model, row.argument, turn.now)[1]))


def reset_at(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return when the register was reset."""
    said = model.store.published(row.name)
    return said or axdr.octets(encode_date_time(_since(model, row.argument, turn.now)))


def reset(model: "EsmeModel", row: MemberRow, _value: Data, turn: Turn) -> None:
    """Begin the register anew."""
    at = axdr.octets(encode_date_time(turn.now))
    for name in (f"{row.argument}_w", f"{row.argument}_at"):
        model.store.outlive(name)
    model.store.put(f"{row.argument}_reset_at", at)


def _greatest(model: "EsmeModel", name: str, now: UtcMs) -> tuple[int, UtcMs]:
    """Return the greater of what the profile says and what flowed since."""
    since = _since(model, name, now)
    said, said_at = model.store.published(f"{name}_w"), model.store.published(f"{name}_at")
    base = model.ledger.base_at
    if said is not None and base is not None:
        since = max(since, base)
    most, at = _searched(model, name, since, now)
    if said is None or not isinstance(said.value, int) or said.value < most:
        return most, at
    if said_at is None or not isinstance(said_at.value, bytes):
        return said.value, since
    return said.value, decode_date_time(said_at.value)[0]


def _searched(model: "EsmeModel", name: str, since: UtcMs, now: UtcMs) -> tuple[int, UtcMs]:
    """Return the greatest demand between two moments; what was searched before is remembered."""
    until, peak = since, (0, since)
    kept = model.peaks.get(name)
    if kept is not None and kept.since == since and kept.until <= now:
        until, peak = kept.until, (kept.most_w, kept.at)
    if name == _OF_PERIOD and (period := Schedule(model.store, "demand_period")):
        found = _most_in(model, period, until, now)
    else:
        found = model.consumption.most_w(until, now, _KINDS[name])
    peak = found if found[0] > peak[0] else peak
    searched = UtcMs(max(until, now - now % HALF_HOUR_MS))
    model.peaks[name] = Peak(since, searched, *peak)
    return peak


def _most_in(model: "EsmeModel", period: Schedule, since: UtcMs, until: UtcMs) -> tuple[int, UtcMs]:
    """Return the greatest demand of the half hours that begin within a configured period."""
    most, at = 0, since
    first = -(-since // HALF_HOUR_MS) * HALF_HOUR_MS
    for edge in range(first, until - HALF_HOUR_MS + 1, HALF_HOUR_MS):
        if period.last(UtcMs(edge)) != _BEGINS:
            continue
        demand = model.consumption.demand_w(UtcMs(edge), UtcMs(edge + HALF_HOUR_MS))
        if demand > most:
            most, at = demand, UtcMs(edge + HALF_HOUR_MS)
    return most, at


def _since(model: "EsmeModel", name: str, now: UtcMs) -> UtcMs:
    earliest = UtcMs(max(model.consumption.start, now - _MOST_DAYS * DAY_MS))
    said = model.store.published(f"{name}_reset_at")
    if said is None or not isinstance(said.value, bytes):
        return earliest
    return UtcMs(max(earliest, decode_date_time(said.value)[0]))
