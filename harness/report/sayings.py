"""Clause, data, observation: three things that a page shows side by side and never mixes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from harness.report.model import Event

_CLAUSE: Final = "clause-says"
_DATA: Final = frozenset({"data-imply", "table-says"})
_OBSERVED: Final = frozenset({"observed", "read"})
_SCENARIO: Final = "scenario"
_HEAD: Final = frozenset({"of", "outcome"})


@dataclass(slots=True)
class Saying:
    """What is known of one subject of a scenario.

    Attributes:
        of: The subject, e.g. a device; empty where there is one.
        clause: What clauses say.
        data: What the loaded data imply.
        observed: What devices and parties were seen to do.
    """

    of: str
    clause: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)


def sayings(events: Iterable[Event]) -> list[Saying]:
    """Return the three things, subject by subject; none for a scenario that states none.

    Observations of what a bench saw inside devices are left out: these are a scenario's own words.
    """
    found: dict[str, Saying] = {}
    for event in events:
        if event.source != _SCENARIO:
            continue
        fields = {str(name): str(value) for name, value in event.fields}
        told = _told(event.word, fields)
        if told is None:
            continue
        column, text = told
        one = found.setdefault(fields.get("of", ""), Saying(fields.get("of", "")))
        getattr(one, column).append(text)
    rows = list(found.values())
    return rows if any(one.clause or one.data for one in rows) else []


def _told(word: str, fields: dict[str, str]) -> tuple[str, str] | None:
    """Return the column and the text of an event; None for one that is none of the three."""
    if word == _CLAUSE:
        return "clause", fields.get("says", "")
    if word in _DATA:
        words = [fields.get("outcome", ""), fields.get("why", "")]
        basis = fields.get("basis", "")
        text = ": ".join(one for one in words if one and one != "none")
        return "data", f"{text} (basis: {basis})" if basis else text
    if word in _OBSERVED:
        rest = [
            f"{name} {value}" for name, value in fields.items() if name not in {"of", "outcome"}
        ]
        return "observed", "; ".join([fields.get("outcome", "read"), *rest])
    return None
