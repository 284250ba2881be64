"""Compares two run folders: every answer of a device, in order, by message and field."""

import difflib
import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.codecs.dlms import apdu_action, apdu_get, axdr
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.initiate import Conformance
from emulator.core.errors import MalformedFrameError
from harness.differences import Difference, difference, merged, pairs
from harness.dlms_view import names as dlms_names
from harness.dlms_view import readings
from harness.dlms_view.readings import Reading, Rows
from harness.errors import UsageError
from harness.gbcs_view.field import Field
from harness.gbcs_view.message import fields_of
from harness.journal import Journal
from harness.run_folder import RunFolder

#: Operations that tell nothing of a device.
_PASSED_OVER: Final = frozenset({"clock.sleep_until", "bench.describe", "bench.traffic"})
#: Values of outcomes that say when, not what.
_MOMENTS: Final = frozenset({"at", "settled"})


@dataclass(frozen=True, slots=True)
class Answered:
    """One operation of a run and what the device told.

    Attributes:
        key: Kind and request: what makes two operations of two runs the same.
        subject: What was asked, in one line.
        readings: What came.
        where: Scenario and step.
    """

    key: tuple[str, bytes]
    subject: str
    readings: tuple[Reading, ...]
    where: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        a: The first run, as people call it.
        b: The second.
        differences: What differs, each field once.
        volatile: What is expected to differ.
        unmatched: What was asked of one device alone, because the runs went different ways.
        verdicts: Scenarios whose verdicts differ: id, verdict of a, verdict of b.
        compared: Number of answers compared.
    """

    a: str
    b: str
    differences: tuple[Difference, ...]
    volatile: tuple[Difference, ...]
    unmatched: tuple[str, ...]
    verdicts: tuple[tuple[str, str, str], ...]
    compared: int

    @property
    def same(self) -> bool:
        """Whether nothing differs that is not volatile."""
        return not (self.differences or self.unmatched or self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "a": self.a,
            "b": self.b,
            "same": self.same,
            "compared": self.compared,
            "differences": [one.to_json() for one in self.differences],
            "volatile": [one.to_json() for one in self.volatile],
            "unmatched": list(self.unmatched),
            "verdicts": [
                {"scenario": name, "a": first, "b": second} for name, first, second in self.verdicts
            ],
        }


def compare_runs(a: RunFolder, b: RunFolder, names: tuple[str, str] = ("", "")) -> Comparison:
    """Compare two finished runs.

    Raises:
        UsageError: One of them is no run, is not finished, or they have no scenario in common.
    """
    first, second = _load(a), _load(b)
    common = [name for name in first if name in second]
    if not common:
        raise UsageError(
            "these runs have no scenario in common",
            where=f"{a.path} ({', '.join(first)}) and {b.path} ({', '.join(second)})",
            cause="runs of other scenarios; like is compared with like",
            next_command="smetsbench run ID --bench A --against B",
        )
    tally = _Tally()
    for name in common:
        tally.scenario(name, first[name], second[name])
    every = merged(tally.found)
    return Comparison(
        names[0] or str(a.path),
        names[1] or str(b.path),
        tuple(one for one in every if not one.volatile),
        tuple(one for one in every if one.volatile),
        tuple(tally.unmatched),
        tuple(tally.verdicts),
        tally.compared,
    )


_Played = tuple[list[Answered], str]
_Loaded = dict[str, _Played]


@dataclass(slots=True)
class _Tally:
    """What the scenarios of two runs came to so far."""

    found: list[Difference] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    verdicts: list[tuple[str, str, str]] = field(default_factory=list)
    compared: int = 0

    def scenario(self, name: str, a: _Played, b: _Played) -> None:
        """Compare one scenario of both runs."""
        if a[1] != b[1]:
            self.verdicts.append((name, a[1], b[1]))
        for one, other in _aligned(a[0], b[0]):
            if one is not None and other is not None:
                self._answer(one, other)
            elif one is not None:
                self.unmatched.append(f"{one.where}: only a: {one.subject}")
            elif other is not None:
                self.unmatched.append(f"{other.where}: only b: {other.subject}")

    def _answer(self, one: Answered, other: Answered) -> None:
        self.compared += 1
        for ours, theirs in pairs(one.readings, other.readings):
            told = difference(ours, theirs, where=one.where)
            self.found += [] if told is None else [told]


def _load(folder: RunFolder) -> _Loaded:
    journal = Journal.open(folder.file("journal"))
    try:
        if journal.rows("SELECT state FROM runs")[0][0] != "done":
            raise UsageError(
                "the run is not finished",
                where=str(folder.path),
                cause="it was killed or stopped, or is under way",
                next_command=f"smetsbench resume {folder.path}",
            )
        loaded: _Loaded = {}
        for row in journal.rows("SELECT n, id, result FROM scenarios ORDER BY n"):
            result = json.loads(row["result"] or "{}")
            loaded[row["id"]] = (
                list(_answers(journal, row["n"], row["id"])),
                str(result.get("verdict") or "none"),
            )
        return loaded
    finally:
        journal.close()


def _answers(journal: Journal, number: int, scenario: str) -> Iterator[Answered]:
    rows = journal.rows(
        "SELECT step, kind, request, outcome FROM operations"
        " WHERE scenario = ? AND outcome IS NOT NULL ORDER BY ordinal",
        number,
    )
    for row in rows:
        if row["kind"] not in _PASSED_OVER:
            yield answered(row, f"{scenario}, step {row['step'] + 1}")


def answered(row: sqlite3.Row | Mapping[str, Any], where: str) -> Answered:
    """Return an operation of a journal with what its outcome tells."""
    kind, request, outcome = row["kind"], row["request"], json.loads(row["outcome"])
    reader = _READERS.get(kind)
    if reader is not None:
        told, subject = reader(request, outcome), ""
    else:
        told, subject = [Reading(kind, _rows(outcome))], kind
    subject = subject or (told[0].subject if told else kind)
    return Answered((kind, _same(kind, request)), subject, tuple(told), where)


def _same(kind: str, request: bytes) -> bytes:
    """Return what of a request must be the same in both runs for them to be compared.

    Messages to hubs carry counters, times and signatures of their own.
    """
    return request if kind.startswith("meter.") else b""


def _aligned(
    a: Sequence[Answered], b: Sequence[Answered]
) -> Iterator[tuple[Answered | None, Answered | None]]:
    matcher = difflib.SequenceMatcher(
        None, [one.key for one in a], [one.key for one in b], autojunk=False
    )
    for tag, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(a[a_from:a_to], b[b_from:b_to], strict=True)
        else:
            yield from ((one, None) for one in a[a_from:a_to])
            yield from ((None, one) for one in b[b_from:b_to])


# What the journal's outcomes say.


def _rows(value: Any, path: str = "") -> Rows:
    if isinstance(value, dict):
        parts = [_rows(item, f"{path}.{key}") for key, item in value.items() if key not in _MOMENTS]
        return tuple(itertools.chain.from_iterable(parts))
    if isinstance(value, list):
        parts = [_rows(item, f"{path}[{n}]") for n, item in enumerate(value, 1)]
        return tuple(itertools.chain.from_iterable(parts))
    return ((path.lstrip("."), "none" if value is None else str(value)),)


def _silent(subject: str, outcome: dict[str, Any], target: Descriptor | None) -> list[Reading]:
    told = outcome.get("unanswered") or {"why": "timed out"}
    return [Reading(subject, (("", f"no answer: {told['why']}"),), target)]


def _got(request: bytes, outcome: dict[str, Any]) -> list[Reading]:
    wanted = [_attribute(row) for row in json.loads(request)["get"]]
    if "results" not in outcome:
        return [
            reading
            for one in wanted
            for reading in _silent(readings.subject_of_attribute(one), outcome, one.descriptor)
        ]
    results = apdu_get.decode_results(bytes.fromhex(outcome["results"]))
    return [readings.of_attribute(one, to) for one, to in zip(results, wanted, strict=True)]


def _wrote(request: bytes, outcome: dict[str, Any]) -> list[Reading]:
    wanted = tuple(_attribute(row) for row, _ in json.loads(request)["set"])
    if "results" not in outcome:
        target = wanted[0].descriptor
        return _silent(f"SET {dlms_names.target_text(target)}", outcome, target)
    results = tuple(DataAccessResult(one) for one in outcome["results"])
    return readings.of_writes(results, wanted)


def _did(request: bytes, outcome: dict[str, Any]) -> list[Reading]:
    class_id, obis, index, _ = json.loads(request)["action"]
    method = Descriptor(class_id, bytes.fromhex(obis), index)
    if "outcome" not in outcome:
        subject = f"ACTION {dlms_names.target_text(method, method=True)}"
        return _silent(subject, outcome, method)
    return [readings.of_method(_outcome(outcome["outcome"]), method)]


def _outcome(octets: str) -> MethodOutcome:
    return apdu_action.decode_outcome(bytes.fromhex(octets))


def _associated(request: bytes, outcome: dict[str, Any]) -> list[Reading]:
    name = json.loads(request).get("name", "")
    shown = dict(outcome)
    if "conformance" in shown:
        bits = Conformance(shown["conformance"])
        shown["services"] = " ".join(bit.name.lower() for bit in bits if bit.name)
        del shown["conformance"]
    return [Reading(f"association as {name}", _rows(shown))]


def _signed_on(_request: bytes, outcome: dict[str, Any]) -> list[Reading]:
    return [Reading("sign-on", _rows(outcome))]


def _exchanged(request: bytes, outcome: dict[str, Any]) -> list[Reading]:
    asked = readings.subject_of(bytes.fromhex(json.loads(request)["apdu"]))
    if "apdu" not in outcome:
        return _silent(asked, outcome, None)
    answer = bytes.fromhex(outcome["apdu"])
    return [Reading(asked, (("answer", readings.subject_of(answer)), ("octets", answer.hex())))]


def _message(_request: bytes, outcome: dict[str, Any]) -> list[Reading]:
    octets = outcome.get("message")
    if not octets:
        return [Reading("message of the hub", (("", "none"),))]
    try:
        fields = fields_of(bytes.fromhex(octets))
    except MalformedFrameError:
        return [Reading("message of the hub", (("octets", octets),))]
    return [Reading("message of the hub", tuple(_flat(fields)))]


def _flat(fields: Sequence[Field], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in fields:
        if isinstance(value, str):
            yield prefix + name, value
        else:
            yield from _flat(value, f"{prefix}{name}.")


def _attribute(row: Sequence[Any]) -> Attribute:
    descriptor = Descriptor(row[0], bytes.fromhex(row[1]), row[2])
    if len(row) == 3:
        return Attribute(descriptor)
    return Attribute(descriptor, Selection(row[3], axdr.decode(bytes.fromhex(row[4]))))


_READERS: Final[dict[str, Callable[[bytes, dict[str, Any]], list[Reading]]]] = {
    "meter.get": _got,
    "meter.set": _wrote,
    "meter.action": _did,
    "meter.associate": _associated,
    "meter.sign_on": _signed_on,
    "meter.exchange": _exchanged,
    "hub.received": _message,
}
