"""A plan as one picture: bars of every day, and when each home starts; nothing is fetched."""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from harness.dust.plan import DORMANT, Plan, PlanDay, Share

_LEFT: Final = 64
_TOP: Final = 86
_HEIGHT: Final = 240
_ROW: Final = 16
_LEGEND: Final = 22
_LEAST_WIDTH: Final = 560
#: Homes drawn one by one; of more, a line says how many are left out.
MAX_ROWS: Final = 200
#: Fills that can be told apart in grey and by their pattern: background, lines, direction.
_FILLS: Final = (
    ("#444444", "", ""),
    ("#1f6fb2", "#ffffff", "M0 8 L8 0"),
    ("#f2b134", "#5a3d00", "M0 0 L8 8"),
    ("#e3e3e3", "#555555", "M4 0 L4 8"),
    ("#b9d7a8", "#274e13", "M0 4 L8 4"),
)


def draw(plan: Plan) -> str:
    """Return a plan as SVG: readable in grey, and by a screen reader (title and description)."""
    rows = plan.homes[:MAX_ROWS]
    more = len(plan.homes) - len(rows)
    step = max(56, min(120, 900 // max(1, len(plan.days))))
    width = max(_LEAST_WIDTH, _LEFT + step * len(plan.days) + 24)
    calendar = _TOP + _HEIGHT + 58 + _LEGEND * _legend_rows(plan)
    height = calendar + _ROW * (len(rows) + (more > 0)) + 44
    parts = [
        _root(width, height),
        f'<title id="t">{escape(f"Plan of {plan.run}")}</title>',
        f'<desc id="d">{escape(_told(plan))}</desc>',
        *_patterns(),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(12, 24, f"{plan.run}, cohort {plan.cohort}", size=16),
        _text(12, 44, plan.header),
        _text(12, 62, f"{plan.per_day} installations a day, flat allocation {plan.dmin}"),
        *_bars(plan, step),
        *_legend(plan, _TOP + _HEIGHT + 56),
        *_calendar(plan, step, calendar),
    ]
    if more > 0:
        parts.append(_text(12, calendar + _ROW * (len(rows) + 1), f"and {more} more homes"))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _root(width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-labelledby="t d"'
        ' font-family="sans-serif" font-size="12">'
    )


def _told(plan: Plan) -> str:
    days = "; ".join(
        f"{one.day}: "
        + ", ".join(f"{share.who} {share.allocated} of {share.demand}" for share in one.shares)
        for one in plan.days
    )
    return f"Installations a day of {plan.per_day} possible. {days}."


def _names(plan: Plan) -> list[str]:
    return [share.who for share in plan.days[0].shares]


def _fill(number: int) -> str:
    return f"url(#f{number % len(_FILLS)})"


def _patterns() -> Iterator[str]:
    yield "<defs>"
    for number, (ground, lines, way) in enumerate(_FILLS):
        drawn = f'<path d="{way}" stroke="{lines}" stroke-width="1.5"/>' if way else ""
        yield (
            f'<pattern id="f{number}" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<rect width="8" height="8" fill="{ground}"/>{drawn}</pattern>'
        )
    yield "</defs>"


def _scale(plan: Plan) -> float:
    most = max(plan.per_day, *(sum(s.demand for s in day.shares) for day in plan.days))
    return _HEIGHT / most


def _bars(plan: Plan, step: int) -> Iterator[str]:
    scale, floor = _scale(plan), _TOP + _HEIGHT
    line = floor - plan.per_day * scale
    right = _LEFT + step * len(plan.days)
    yield f'<path d="M{_LEFT} {_TOP} V{floor} H{right}" fill="none" stroke="#222222"/>'
    yield (
        f'<path d="M{_LEFT} {line:.1f} H{right}" stroke="#222222" stroke-dasharray="5 4"'
        ' fill="none"/>'
    )
    yield _text(_LEFT - 6, line + 4, str(plan.per_day), anchor="end")
    yield _text(_LEFT - 6, floor + 4, "0", anchor="end")
    for number, day in enumerate(plan.days):
        yield from _bar(day, _LEFT + step * number, step, scale)


def _bar(day: PlanDay, left: int, step: int, scale: float) -> Iterator[str]:
    floor = float(_TOP + _HEIGHT)
    x, width = left + step * 0.15, step * 0.7
    top = floor
    for number, share in enumerate(day.shares):
        tall = share.allocated * scale
        top -= tall
        if share.allocated:
            yield (
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{tall:.1f}"'
                f' fill="{_fill(number)}" stroke="#222222">'
                f"<title>{escape(_of_share(day, share))}</title></rect>"
            )
    carried = sum(share.carried for share in day.shares) * scale
    if carried:
        yield (
            f'<rect x="{x:.1f}" y="{top - carried:.1f}" width="{width:.1f}"'
            f' height="{carried:.1f}" fill="none" stroke="#222222" stroke-dasharray="2 3">'
            f"<title>{escape(f'{day.day}: carried to the next day')}</title></rect>"
        )
    middle = left + step / 2
    yield _text(middle, top - 4, str(day.total), anchor="middle")
    yield _text(middle, floor + 16, day.day.strftime("%d %b"), anchor="middle")
    yield _text(middle, floor + 31, day.week, anchor="middle", size=10)


def _of_share(day: PlanDay, share: Share) -> str:
    return f"{day.day}, {share.who}: {share.allocated} of {share.demand}"


def _legend_rows(plan: Plan) -> int:
    return len(_names(plan)) + 1


def _legend(plan: Plan, top: int) -> Iterator[str]:
    for number, who in enumerate(_names(plan)):
        y = top + _LEGEND * number
        yield (
            f'<rect x="{_LEFT}" y="{y - 11}" width="22" height="14" fill="{_fill(number)}"'
            ' stroke="#222222"/>'
        )
        first = " (first, TMAD 4.24)" if who == DORMANT else ""
        yield _text(_LEFT + 30, y, f"{who}{first}")
    y = top + _LEGEND * len(_names(plan))
    yield (
        f'<rect x="{_LEFT}" y="{y - 11}" width="22" height="14" fill="none" stroke="#222222"'
        ' stroke-dasharray="2 3"/>'
    )
    yield _text(_LEFT + 30, y, "asked for, carried to the next day; dashed line: capacity")


def _calendar(plan: Plan, step: int, top: int) -> Iterator[str]:
    """Yield one line a home: a mark on its day, a line as long as it may wait."""
    numbers = {one.day: number for number, one in enumerate(plan.days)}
    right = _LEFT + step * len(plan.days)
    for row, home in enumerate(plan.homes[:MAX_ROWS]):
        y = top + _ROW * (row + 1)
        x = _LEFT + step * (numbers[home.day] + 0.5)
        waits = (home.ends_by - home.day).days
        end = min(right, x + step * waits)
        changed = ", changes its supplier" if home.changes_to else ""
        told = f"{home.ref}: starts {home.day}, over by {home.ends_by}{changed}"
        yield f"<g><title>{escape(told)}</title>"
        yield f'<path d="M{_LEFT} {y - 4} H{right}" stroke="#e0e0e0"/>'
        if waits:
            yield f'<path d="M{x:.1f} {y - 4} H{end:.1f}" stroke="#222222" stroke-width="3"/>'
        fill = "#444444" if home.dormant else "#ffffff"
        yield f'<circle cx="{x:.1f}" cy="{y - 4}" r="5" fill="{fill}" stroke="#222222"/>'
        yield _text(_LEFT - 6, y, home.ref, anchor="end", size=9)
        yield "</g>"


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor={quoteattr(anchor)}'
        f' fill="#222222">{escape(text)}</text>'
    )
