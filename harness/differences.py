"""Where two devices told different things: by attribute and path, volatile fields apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Descriptor
from harness.dlms_view import names
from harness.dlms_view.readings import Reading, Rows

#: What one side has where the other has a row of its own.
ABSENT: Final = "(absent)"
#: Longest one-line text of a whole value, and most paths that are listed.
_LINE: Final = 120
_MAX_DETAILS: Final = 40
_COUNTER: Final = (1, bytes.fromhex("00002b0100ff"), 2)
_CLOCK: Final = (8, 2)
_REPLY_TO_HLS: Final = (15, 1)
#: Rows of associations and protected APDUs that differ from run to run.
_VOLATILE_ROWS: Final = {
    "challenge": "challenge",
    "invocation counter": "invocation counter",
    "expected invocation counter": "invocation counter",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One path inside a value that differs."""

    path: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute, method, association or link of which two devices told different things.

    Attributes:
        subject: What, by name.
        a: What the first told, in one line.
        b: What the second told.
        details: Paths inside it that differ; at most 40.
        target: Attribute or method; None where it is about something else.
        method: Whether ``target`` is a method.
        volatile: Why it is expected to differ; empty where it is not.
        where: Scenario and step, or the number of the exchange; of the first time.
        times: How often it was seen.
    """

    subject: str
    a: str
    b: str
    details: tuple[Detail, ...] = ()
    target: Descriptor | None = None
    method: bool = False
    volatile: str = ""
    where: str = ""
    times: int = 1

    @property
    def key(self) -> object:
        """What makes two differences one: the attribute or method, else the subject."""
        return self.subject if self.target is None else (self.target, self.method)

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON values."""
        target = self.target
        row: dict[str, Any] = {"subject": self.subject}
        if target is not None:
            row |= {
                "object": names.object_name(target.class_id, target.obis),
                "class_id": target.class_id,
                "obis": print_obis(target.obis),
                "method" if self.method else "attribute": target.index,
                "member": names.member_name(target, method=self.method),
            }
        row |= {"a": self.a, "b": self.b}
        row["details"] = [{"path": one.path, "a": one.a, "b": one.b} for one in self.details]
        if self.volatile:
            row["volatile"] = self.volatile
        return row | {"where": self.where, "times": self.times}


def volatile_of(target: Descriptor | None) -> str:
    """Say why an attribute differs whenever it is read; empty where it need not."""
    if target is None:
        return ""
    if (target.class_id, target.index) == _CLOCK:
        return "clock"
    if (target.class_id, target.obis, target.index) == _COUNTER:
        return "invocation counter"
    return ""


def difference(a: Reading, b: Reading, *, where: str = "") -> Difference | None:
    """Compare what two devices told of one thing.

    Returns:
        Where they differ; ``volatile`` is set where only volatile fields do. None: nowhere.
    """
    if a.rows == b.rows:
        return None
    details = _details(a.rows, b.rows)
    volatile = volatile_of(a.target)
    if not volatile and a.method and a.target is not None:
        target = a.target
        results = (dict(a.rows).get("result"), dict(b.rows).get("result"))
        if (target.class_id, target.index) == _REPLY_TO_HLS and results[0] == results[1]:
            volatile = "challenge"
    if not volatile:
        reasons = [_volatile_row(detail, details) for detail in details]
        firm = [one for one, why in zip(details, reasons, strict=True) if not why]
        volatile = "" if firm else reasons[0]
        details = firm or details
    return Difference(
        a.subject,
        _line(a.rows),
        _line(b.rows),
        tuple(details[:_MAX_DETAILS]),
        a.target,
        a.method,
        volatile,
        where,
    )


def _volatile_row(detail: Detail, among: Sequence[Detail]) -> str:
    path = detail.path.rpartition(".")[2]
    if path in _VOLATILE_ROWS:
        return _VOLATILE_ROWS[path]
    # What is protected under another counter differs in every octet.
    counters = any(one.path.endswith("invocation counter") for one in among)
    return "invocation counter" if counters and path.startswith("content under counter") else ""


def _details(a: Rows, b: Rows) -> list[Detail]:
    ours, theirs = dict(_numbered(a)), dict(_numbered(b))
    return [
        Detail(path, ours.get(path, ABSENT), theirs.get(path, ABSENT))
        for path in dict.fromkeys([*ours, *theirs])
        if ours.get(path, ABSENT) != theirs.get(path, ABSENT)
    ]


def _numbered(rows: Rows) -> Iterable[tuple[str, str]]:
    """Yield rows with a number behind every path that came before."""
    seen: dict[str, int] = {}
    for path, text in rows:
        seen[path] = seen.get(path, 0) + 1
        yield (path if seen[path] == 1 else f"{path} #{seen[path]}"), text


def _line(rows: Rows) -> str:
    text = ", ".join(f"{path.lstrip('.')}: {said}" if path else said for path, said in rows)
    return text if len(text) <= _LINE else f"{text[:_LINE]}… ({len(rows)} values)"


def merged(found: Iterable[Difference]) -> list[Difference]:
    """Return differences with the repeated ones counted; what is volatile once stays so."""
    kept: dict[object, Difference] = {}
    for one in found:
        before = kept.get(one.key)
        if before is None:
            kept[one.key] = one
        elif before.volatile and not one.volatile:
            kept[one.key] = replace(one, times=before.times + 1)
        else:
            kept[one.key] = replace(before, times=before.times + 1)
    return list(kept.values())


def pairs(a: Sequence[Reading], b: Sequence[Reading]) -> list[tuple[Reading, Reading]]:
    """Return the readings of two answers to one request side by side.

    Where one device answered less, an empty reading stands in its place.
    """
    size = max(len(a), len(b))
    out = []
    for number in range(size):
        one = a[number] if number < len(a) else None
        other = b[number] if number < len(b) else None
        model = one or other
        if model is not None:
            empty = replace(model, rows=(), data=None)
            out.append((one or empty, other or empty))
    return out
