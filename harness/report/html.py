"""The run as one offline page."""

import json
import shlex
from collections import Counter
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2

from harness.report.evidence import MEANINGS, gaps, kind_of
from harness.report.model import RunRecord, ScenarioRecord
from harness.report.sayings import sayings
from harness.report.sequence import draw, size, span
from harness.report.trace import TraceItem
from harness.report.xml_fields import is_xml
from harness.verdict import ExpectationKind, Verdict
from harness.words import counted

#: The page is at most this long, in octets.
LIMIT_BYTES: Final = 10 * 1024 * 1024
#: What frames are shown decoded, by level of detail; a level is taken when the one before it is
#: too long for one page.
_DETAIL: Final = (
    ({"party", "wan", "csp", "han", "meter"}, ""),
    ({"party", "wan", "csp"}, "decoded fields and octets of HAN frames and meters' lines"),
    (set[str](), "decoded fields and octets of all frames"),
)
_CLIP: Final = 160
_SYMBOLS: Final = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✕",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "!",
    Verdict.SKIPPED: "\N{EN DASH}",
}
_LINKS: Final = {
    "party": "between parties",
    "wan": "SM WAN",
    "csp": "image transfer (stand-in)",
    "han": "HAN",
    "meter": "meter's line",
}


def render(run: RunRecord) -> str:
    """Return ``report.html``, at most 10 MiB; what is left out for that is named in it."""
    page = ""
    for shown, left_out in _DETAIL:
        page = _page(run, shown, left_out)
        if len(page.encode()) <= LIMIT_BYTES:
            return page
    return _page(run, set(), "the sequence diagrams and most events", brief=True)


@cache
def environment() -> jinja2.Environment:
    """Return what renders templates, with the filters and words that all pages share."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        clip=clip, clock=clock, chip=kind_of, size=size, dump=dump, mark=_mark, value=_value
    )
    environment.globals.update(symbol=_symbol, word=_word, meanings=MEANINGS, links=_LINKS)
    return environment


def _page(run: RunRecord, shown: set[str], left_out: str, *, brief: bool = False) -> str:
    style = resources.files("harness.report").joinpath("static/report.css").read_text("utf-8")
    counts = Counter(_word(scenario.verdict) for scenario in run.scenarios)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            style=style,
            counts=sorted(counts.items()),
            reason=reason(run),
            gaps=gaps(run),
            repeat=repeat(run),
            scenarios=[_scenario(item, brief=brief) for item in run.scenarios],
            shown=shown,
            left_out=left_out,
            single=len(run.scenarios) == 1,
        )
    )


def _scenario(scenario: ScenarioRecord, *, brief: bool) -> dict[str, Any]:
    return {
        "record": scenario,
        "declared": scenario.declared,
        "expected": expected(scenario),
        "diagram": draw([] if brief else scenario.trace),
        "events": scenario.events[:200] if brief else scenario.events,
        "sayings": sayings(scenario.events),
        "states": states(scenario),
        "took": _took(scenario.started_at, scenario.ended_at),
        "steps": [(step, _took(step.started_at, step.ended_at)) for step in scenario.steps],
    }


def _took(started_at: int | None, ended_at: int | None) -> str:
    return "" if started_at is None or ended_at is None else span((ended_at - started_at) * 1000)


def reason(run: RunRecord) -> str:
    """Return the sentence under the verdict of the run."""
    if run.state == "interrupted":
        return "The run was interrupted; what is below was journalled until then."
    if len(run.scenarios) == 1:
        text = run.scenarios[0].reason or "every check held"
        return f"{text[:1].upper()}{text[1:]}."
    worst = [item for item in run.scenarios if item.verdict is run.verdict]
    if run.verdict in {Verdict.PASS, Verdict.SKIPPED}:
        played = sum(item.verdict is Verdict.PASS for item in run.scenarios)
        return f"{played} of {len(run.scenarios)} scenarios ended as expected."
    first = worst[0]
    more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
    return f"{first.id}{more}: {first.reason}."


def expected(scenario: ScenarioRecord) -> str:
    """Return the expectation in words."""
    told = scenario.declared["expectation"]
    words = " or ".join(told["outcomes"])
    return {
        ExpectationKind.EXACT: words,
        ExpectationKind.ONE_OF: f"one of {words}",
        ExpectationKind.UNCERTAIN: "uncertain: recorded only",
        ExpectationKind.UNLIKELY: f"failure; {words} would be an unexpected success",
    }[ExpectationKind(told["kind"])]


def repeat(run: RunRecord) -> str:
    """Return the command line that plays the same run again, octet for octet."""
    options = run.options
    words = ["smetsbench", "run", *(scenario.id for scenario in run.scenarios)]
    words += ["--seed", str(options.seed)]
    for name, values in (
        ("--fault", options.faults),
        ("--defect", options.defects),
        ("--accept", sorted(options.accepted)),
    ):
        for value in values:
            words += [name, value]
    for folder in options.data:
        words += ["--data", str(folder)]
    for name in ("bench", "installation", "request", "image", "keystore"):
        path = getattr(options, name)
        if path is not None:
            words += [f"--{name}", str(path)]
    return shlex.join(words)


def states(scenario: ScenarioRecord) -> list[tuple[str, list[tuple[str, str, str, bool]]]]:
    """Return per device its rows (name, before, after, changed), changed rows first."""
    tables = []
    for device in dict.fromkeys((*scenario.before, *scenario.after)):
        before, after = scenario.before.get(device, {}), scenario.after.get(device, {})
        rows = []
        for name in dict.fromkeys((*before, *after)):
            old, new = before.get(name, ""), after.get(name, "")
            rows.append((name, old, new, bool(scenario.after) and old != new))
        tables.append((device, sorted(rows, key=lambda row: not row[3])))
    return tables


def clip(text: str, length: int = _CLIP) -> str:
    """Return a text that fits a cell; what is cut is counted."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text) - length} more)"


def clock(at_us: int, start_ms: int | None) -> str:
    """Return a moment relative to the start of its scenario."""
    rest_ms = at_us // 1000 - (start_ms or 0)
    sign, rest_ms = ("\N{MINUS SIGN}" if rest_ms < 0 else "+"), abs(rest_ms)
    seconds, ms = divmod(rest_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days} d " if days else ""
    return f"{sign}{day}{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"


def dump(item: TraceItem, limit: int = 2048) -> str:
    """Return octets as a dump: offset, hex, printable characters; XML as the text it is."""
    if is_xml(item.octets):
        text = item.octets.decode("utf-8", "replace")
        return clip(text, limit)
    lines = []
    for offset in range(0, min(len(item.octets), limit), 16):
        part = item.octets[offset : offset + 16]
        text = "".join(chr(octet) if 32 <= octet < 127 else "·" for octet in part)
        lines.append(f"{offset:04x}  {part.hex(' '):<47}  {text}")
    if len(item.octets) > limit:
        lines.append(f"… {counted(len(item.octets) - limit, 'octet')} more, in wire.pcapng")
    return "\n".join(lines)


def _mark(mark: str) -> str:
    kind, _, rest = mark.partition(":")
    return f"{kind}: {rest.strip()}" if rest else kind


def _value(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _symbol(verdict: Verdict | None) -> str:
    return "…" if verdict is None else _SYMBOLS[verdict]


def _word(verdict: Verdict | None) -> str:
    return "NONE" if verdict is None else verdict.name
