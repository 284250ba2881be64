"""The sequence diagram: lanes, and an arrow or a band for every row of the folded trace."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.report.folding import Row, fold
from harness.report.trace import TraceItem

#: Width of all lanes together, and of one lane at most and at least, in pixels.
_DRAWING_PX: Final = 1160
_LANE_MAX_PX: Final = 176
_LANE_MIN_PX: Final = 118
#: Frames of a fold that are shown whole, at its beginning and at its end.
_SHOWN_FIRST, _SHOWN_LAST = 2, 1
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
_LAST_LANES: Final = ("radio", "all nodes")
_DEVICES: Final = ("CHF", "GPF", "ESME", "GSME", "PPMID", "HCALCS", "IHD", "CAD")


@dataclass(frozen=True, slots=True)
class Arrow:
    """A row as drawn: numbers in pixels.

    Attributes:
        x1: Lane of the sender.
        x2: Lane of the receiver.
        label: Text over the line.
        text_x: Where the text is anchored.
        anchor: ``start``, ``middle`` or ``end``.
        look: Class of the line: ``party``, ``wan``, ``han``, ``csp``, ``meter``.
        band: Whether it stands for many frames in both directions.
    """

    x1: int
    x2: int
    label: str
    text_x: int
    anchor: str
    look: str
    band: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row of the page.

    Attributes:
        at_us: Moment of the first frame.
        arrow: Its drawing.
        note: Said beside the label: counts, octets, duration; may be empty.
        shown: Frames shown decoded.
        rounds: Rows of the first round of a repetition.
        left_out: How many frames of it are not shown.
        damaged: Whether a frame of it could not be decoded.
        fragments: Frames that brought a reassembled message, without the last.
    """

    at_us: int
    arrow: Arrow
    note: str
    shown: tuple[TraceItem, ...]
    rounds: tuple["Drawn", ...]
    left_out: int
    damaged: bool
    fragments: tuple[TraceItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagram:
    """The diagram of one scenario.

    Attributes:
        lanes: Names from left to right.
        steps: Step number from 1 and its rows.
        links: Looks that occur, for the legend.
        frames: Number of frames drawn or folded.
    """

    lanes: tuple[str, ...]
    steps: tuple[tuple[int, tuple[Drawn, ...]], ...]
    links: tuple[str, ...]
    frames: int

    @property
    def lane_px(self) -> int:
        """Width of one lane; the style sheet draws the lifelines at the same distance."""
        return _lane_px(self.lanes)

    @property
    def width_px(self) -> int:
        """Width of the drawing."""
        return self.lane_px * len(self.lanes)


def _lane_px(lanes: Sequence[str]) -> int:
    return min(_LANE_MAX_PX, max(_LANE_MIN_PX, _DRAWING_PX // max(1, len(lanes))))


def draw(trace: Sequence[TraceItem]) -> Diagram:
    """Return the diagram of a scenario's trace."""
    lanes = lanes_of(trace)
    steps = []
    for number, items in itertools.groupby(trace, key=lambda item: item.step):
        rows = fold(list(items))
        steps.append((number, tuple(_drawn(row, lanes) for row in rows)))
    looks = ("party", "wan", "csp", "han", "meter")
    present = {_look(item) for item in trace}
    return Diagram(
        lanes, tuple(steps), tuple(look for look in looks if look in present), len(trace)
    )


def lanes_of(trace: Sequence[TraceItem]) -> tuple[str, ...]:
    """Return the lanes: parties as they appear, then the hub, then devices."""
    seen = list(dict.fromkeys(end for item in trace for end in (item.sender, item.receiver)))
    wire = {
        end for item in trace if item.link == "han" for end in (item.sender, item.receiver)
    } | set(_DEVICES)
    parties = [name for name in seen if name not in wire and name not in _LAST_LANES]
    # Whoever stands at the other end of a link to the hub stands next to it.
    near = [name for name in parties if _is_near(name, trace)]
    parties = [name for name in parties if name not in near] + near
    devices = sorted(
        (name for name in seen if name in wire and name not in _LAST_LANES),
        key=lambda name: (_DEVICES.index(name) if name in _DEVICES else len(_DEVICES), name),
    )
    return (*parties, *devices, *(name for name in _LAST_LANES if name in seen))


def _is_near(name: str, trace: Sequence[TraceItem]) -> bool:
    return any(
        name in {item.sender, item.receiver} for item in trace if item.link not in {"party", "han"}
    )


def _look(item: TraceItem) -> str:
    word = item.link.split("-", 1)[0]
    return "meter" if word == "line" else word


def _drawn(row: Row, lanes: Sequence[str]) -> Drawn:
    if row.pattern:
        return _repetition(row, lanes)
    first, count = row.first, len(row.items)
    band = count > 1
    label = row.family if band else first.label
    note = ""
    if band:
        note = f"{_TIMES}{pairs(row)} · {size(row.octets)} · {span(_took_us(row))}"
    if row.fragments:
        label += f" · {len(row.fragments) + 1} fragments"
    shown = tuple(_chosen(row.items))
    return Drawn(
        (row.fragments or row.items)[0].at_us,
        _arrow(
            (lanes.index(first.sender), lanes.index(first.receiver)),
            f"{label} {note}" if band else label,
            lanes,
            look=_look(first),
            band=band,
        ),
        note,
        shown,
        (),
        count - len(shown),
        any(item.damaged for item in row.items),
        tuple(row.fragments),
    )


def _repetition(row: Row, lanes: Sequence[str]) -> Drawn:
    names = list(dict.fromkeys(part.family or part.first.label for part in row.pattern))
    more = f" +{len(names) - 2}" if len(names) > 2 else ""
    note = f"{_TIMES}{row.repeats} · {size(row.octets)} · {span(_took_us(row))}"
    label = f"{', '.join(names[:2])}{more} {note}"
    ends = [end for part in row.pattern for end in (part.first.sender, part.first.receiver)]
    places = sorted({lanes.index(end) for end in ends})
    rounds = tuple(_drawn(part, lanes) for part in row.pattern)
    shown = sum(len(part.shown) for part in rounds)
    arrow = _arrow((places[0], places[-1]), label, lanes, look=_look(row.first), band=True)
    return Drawn(
        row.first.at_us,
        arrow,
        note,
        (),
        rounds,
        len(row.items) - shown,
        any(item.damaged for item in row.items),
    )


def _chosen(items: Sequence[TraceItem]) -> Iterator[TraceItem]:
    if len(items) <= _SHOWN_FIRST + _SHOWN_LAST:
        yield from items
        return
    yield from items[:_SHOWN_FIRST]
    yield from items[-_SHOWN_LAST:]


def _arrow(
    ends: tuple[int, int], label: str, lanes: Sequence[str], *, look: str, band: bool
) -> Arrow:
    """Draw a line between two lanes; the label centred over it, or pushed into the drawing."""
    lane_px = _lane_px(lanes)
    x1, x2 = (lane * lane_px + lane_px // 2 for lane in ends)
    if x1 == x2:
        x2 = x1 + lane_px // 3
    half, middle, width = len(label) * 7 // 2, (x1 + x2) // 2, lane_px * len(lanes)
    anchor, text_x = "middle", middle
    if middle - half < 4:
        anchor, text_x = "start", 4
    elif middle + half > width - 4:
        anchor, text_x = "end", width - 4
    return Arrow(x1, x2, label, text_x, anchor, look, band)


def pairs(row: Row) -> int:
    """Return how often a fold's exchange happened: requests, where answers are in it too."""
    way = sum(item.sender == row.first.sender for item in row.items)
    return way or len(row.items)


def _took_us(row: Row) -> int:
    return max(item.at_us for item in row.items) - row.first.at_us


def size(octets: int) -> str:
    """Return a number of octets as a reader writes it."""
    if octets < 1024:
        return f"{octets} B"
    if octets < 1024 * 1024:
        return f"{octets / 1024:.1f} KiB"
    return f"{octets / 1024 / 1024:.1f} MiB"


def span(duration_us: int) -> str:
    """Return a duration as a reader writes it."""
    seconds = duration_us / 1_000_000
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2])
