"""Two drawings of a run, in numbers: capacity by day, and when what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from emulator.core.clock import UtcMs, to_datetime
from harness.dust.event_digest import EventDigest
from harness.dust.events import Phase
from harness.dust.record import Day

#: Looks of suppliers in a bar; those behind the last share its look.
LOOKS: Final = 6
_PLOT_PX: Final = 160
_DAY_PX, _BAR_PX, _LEFT_PX = 64, 34, 46
_LANE_PX: Final = 26
_TIMELINE_PX, _NAME_PX = 1080, 118
_BINS: Final = 180
_MARKS: Final = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10_000)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: whose it is, its look, how many, and where it stands, in pixels."""

    name: str
    look: int
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A day.

    Attributes:
        day: The day.
        x: Left edge, pixels.
        pieces: Places given, bottom to top.
        demand: What was asked for in all, and its height's upper edge.
        capacity: Places there were, and their height.
    """

    day: Day
    x: float
    pieces: tuple[Piece, ...]
    demand: tuple[int, float]
    capacity: tuple[int, float]


@dataclass(frozen=True, slots=True)
class CapacityChart:
    """Capacity by day.

    Attributes:
        width: Pixels.
        height: Height of the plot, pixels.
        left: Where days begin.
        bar: Width of a bar.
        bars: Days.
        marks: Counts at the side, and where they stand.
        names: Suppliers and their looks.
    """

    width: float
    height: float
    left: float
    bar: float
    bars: tuple[Bar, ...]
    marks: tuple[tuple[int, float], ...]
    names: tuple[tuple[str, int], ...]


def capacity_chart(days: Sequence[Day]) -> CapacityChart:
    """Return the drawing of migration days."""
    highest = max(
        (max(one.capacity, sum(one.demand.values()), sum(one.allocated.values())) for one in days),
        default=0,
    )
    mark = next((one for one in _MARKS if one * 5 >= highest), max(1, highest // 5))
    top = max(mark, -(-highest // mark) * mark)
    names = sorted({name for one in days for name in (*one.demand, *one.allocated)})
    looks = {name: min(number, LOOKS - 1) for number, name in enumerate(names)}
    return CapacityChart(
        width=_LEFT_PX + _DAY_PX * max(1, len(days)) + 8,
        height=_PLOT_PX,
        left=_LEFT_PX,
        bar=_BAR_PX,
        bars=tuple(_bar(one, number, top, looks) for number, one in enumerate(days)),
        marks=tuple((value, _y(value, top)) for value in range(0, top + 1, mark)),
        names=tuple(looks.items()),
    )


def _y(value: float, top: float) -> float:
    return round(_PLOT_PX * (1 - value / top), 1)


def _bar(day: Day, number: int, top: int, looks: dict[str, int]) -> Bar:
    pieces, below = [], 0
    for name, look in looks.items():
        count = day.allocated.get(name, 0)
        if count:
            upper = _y(below + count, top)
            pieces.append(Piece(name, look, count, upper, round(_y(below, top) - upper, 1)))
            below += count
    asked = sum(day.demand.values())
    x = _LEFT_PX + number * _DAY_PX + (_DAY_PX - _BAR_PX) / 2
    return Bar(
        day, x, tuple(pieces), (asked, _y(asked, top)), (day.capacity, _y(day.capacity, top))
    )


@dataclass(frozen=True, slots=True)
class Tick:
    """What happened in one stretch of time, in one lane."""

    x: float
    width: float
    strength: float
    count: int
    loud: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A phase of the run."""

    name: str
    y: float
    ticks: tuple[Tick, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """When what happened, by phase.

    Attributes:
        width: Pixels.
        height: Pixels of all lanes.
        lane: Pixels of one.
        left: Where time begins.
        lanes: Phases that occur.
        days: Beginnings of days, or of hours in a short run: label and place.
    """

    width: float
    height: float
    lane: float
    left: float
    lanes: tuple[Lane, ...]
    days: tuple[tuple[str, float], ...]


def timeline(events: EventDigest) -> Timeline:
    """Return the drawing of a run's events."""
    first, last = events.span()
    span = max(1, last - first)
    bins = events.bins(_BINS)
    phases = [phase for phase in Phase if phase in bins]
    most = max((cell[0] for lane in bins.values() for cell in lane.values()), default=1)
    lanes = tuple(_lane(phase, number, bins[phase], most) for number, phase in enumerate(phases))
    height = _LANE_PX * max(1, len(lanes))
    return Timeline(_TIMELINE_PX, height, _LANE_PX, _NAME_PX, lanes, _moments(first, span))


def _lane(phase: Phase, number: int, bins: dict[int, list[int]], most: int) -> Lane:
    width = (_TIMELINE_PX - _NAME_PX) / _BINS
    ticks = tuple(
        Tick(
            round(_NAME_PX + place * width, 1),
            round(max(width, 3), 1),
            round(0.3 + 0.7 * (count / most) ** 0.5, 2),
            count,
            loud,
        )
        for place, (count, loud) in sorted(bins.items())
    )
    return Lane(phase.value, number * _LANE_PX, ticks, sum(one.count for one in ticks))


def _moments(first: int, span: int) -> tuple[tuple[str, float], ...]:
    """Return up to ten labels: beginnings of days, in a run of less than two of hours."""
    hour = 3_600_000
    unit = 24 * hour if span >= 48 * hour else hour
    step = next((one for one in _MARKS if span // unit <= 9 * one), span // unit // 9 + 1)
    start = to_datetime(UtcMs(first)).replace(minute=0, second=0, microsecond=0)
    if unit > hour:
        start = start.replace(hour=0)
    shown = "%d %b" if unit > hour else "%d %b %H:00"
    moments = []
    for number in range(1, span // unit // step + 2):
        at = start + timedelta(milliseconds=unit * step * number)
        offset = at.timestamp() * 1000 - first
        if 0 <= offset <= span:
            x = _NAME_PX + (_TIMELINE_PX - _NAME_PX) * offset / span
            moments.append((at.strftime(shown).lstrip("0"), round(x, 1)))
    return tuple(moments)
