"""Judges the numbered cases of a run: pure functions over records, files and events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from device_profiles.words import DeviceType
from harness.dust.borne_out import LetterRow, missing
from harness.dust.chronicle import (
    ALERT,
    ANSWER,
    BEARS,
    CONTENT,
    DEVICE,
    FILE_RESULT,
    PAPER_RESULT,
    STATE,
)
from harness.dust.definition import Definition
from harness.dust.definition_expect import Expect
from harness.dust.definition_models import Case, Waiver
from harness.dust.definition_words import Shown
from harness.dust.events import DustEvent
from harness.dust.record import CaseResult, Expected, KeptFile
from harness.migration.record import InstallationRecord
from harness.migration.states import RESTING, State
from harness.migration.steps import FAILED, WARNED
from harness.migration.totals import resting_code, resting_entry
from harness.rules.migration_rulebook import RuleBook
from harness.verdict import Verdict, combine, failed, is_firm

_NO_CODE = "none"
#: What the comparison of an answer with its device is called, before service, device and home.
TELLING = "contents of "
STEPS = "steps borne out of "


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run has shown so far.

    Attributes:
        records: Ref -> what is kept of the installation.
        files: Files of the run.
        events: Events that show results: papers, files, answers, alerts.
        book: The rules, for the marks behind codes.
        accepted: Ids of unproven rules that the definition accepts.
        played: Whether the run is over: before that, nothing is missing for good.
        letters: Letters that bear out what parties say they did.
    """

    records: Mapping[str, InstallationRecord] = field(repr=False)
    files: Sequence[KeptFile] = field(repr=False)
    events: Sequence[DustEvent] = field(repr=False)
    book: RuleBook = field(repr=False)
    accepted: frozenset[str] = frozenset()
    played: bool = True
    letters: Sequence[LetterRow] = ()
    _by_ref: dict[str, list[DustEvent]] = field(default_factory=dict, init=False, repr=False)

    def about(self, ref: str) -> list[DustEvent]:
        """Return the events about one home, in order; those about none for an empty ref."""
        if not self._by_ref:
            for event in self.events:
                self._by_ref.setdefault(event.ref, []).append(event)
        return self._by_ref.get(ref, [])


def judge_cases(
    definition: Definition, facts: Facts, skipped: Mapping[str, str], today: date
) -> tuple[CaseResult, ...]:
    """Judge every case of a definition.

    Args:
        definition: The definition.
        facts: What the run has shown.
        skipped: Ref -> why the bench could not play it.
        today: Day on which waivers are looked at.
    """
    waivers = {one.case: one for one in definition.waivers}
    return tuple(
        _case(definition, case, facts, skipped, _holding(waivers.get(case.id), today))
        for case in definition.cases
    )


def _case(
    definition: Definition,
    case: Case,
    facts: Facts,
    skipped: Mapping[str, str],
    waived_by: str,
) -> CaseResult:
    refs = definition.refs_of(case)
    here = tuple(ref for ref in refs if ref not in skipped)
    if not here:
        why = next((skipped[ref] for ref in refs), "it is about no home")
        return CaseResult(
            case.id, case.title, case.family, case.mandatory, refs, (), Verdict.SKIPPED, why
        )
    rows = tuple(row for one in case.expect for row in _expected(one, case, here, facts))
    verdict = combine(row.verdict for row in rows)
    bad = next((row for row in rows if row.verdict is verdict), None)
    reason = "as expected" if bad is None or verdict <= Verdict.PASS else _says(bad)
    reason += "".join(f"; {ref} was not played: {skipped[ref]}" for ref in refs if ref in skipped)
    step = "" if verdict <= Verdict.PASS else _first_failing(here, rows, facts)
    return CaseResult(
        case.id,
        case.title,
        case.family,
        case.mandatory,
        refs,
        rows,
        verdict,
        reason,
        waived_by if verdict > Verdict.PASS else "",
        step,
    )


def _says(row: Expected) -> str:
    return f"{row.what}: {row.expected} expected, {row.actual or 'nothing'} found"


def _holding(waiver: Waiver | None, today: date) -> str:
    """Return who waives a case; a waiver whose review is overdue does not."""
    if waiver is None or waiver.review < today:
        return ""
    return f"{waiver.owner}, {waiver.review}: {waiver.why}"


def overdue(definition: Definition, today: date) -> tuple[str, ...]:
    """Return the cases whose waiver is to be looked at again before it waives anything."""
    return tuple(one.case for one in definition.waivers if one.review < today)


def _expected(one: Expect, case: Case, refs: Sequence[str], facts: Facts) -> Iterator[Expected]:
    """Yield what one expectation came to, home by home."""
    for ref in refs:
        yield from (_of_record(ref, *asked, case, facts) for asked in _asked_of_record(one))
        if one.steps is not None:
            yield _of_steps(ref, case, facts)
        if one.file:
            yield _of_file(ref, one, case, facts)
        if one.request:
            yield _of_request(ref, one, case, facts)
        if one.told is not None:
            yield _of_contents(ref, one, case, facts)
        if one.alert:
            yield _of_alert(ref, one, case, facts)
        if one.device is not None and one.shows is not None:
            yield _of_device(ref, one.device, one.shows, case, facts)


def _asked_of_record(one: Expect) -> Iterator[tuple[str, str]]:
    """Yield what is asked of a home's own record, and the answer that is wanted."""
    asked = (
        ("state", one.state.value if one.state is not None else ""),
        ("code", one.code),
        ("step", one.step),
        ("attempts", str(one.attempts or "")),
        ("way", one.through.value if one.through is not None else ""),
    )
    yield from ((what, wanted) for what, wanted in asked if wanted)


# -- what a record shows ---------------------------------------------------------------------------


def _of_record(ref: str, what: str, wanted: str, case: Case, facts: Facts) -> Expected:
    record = facts.records.get(ref)
    found = () if record is None else _actual(record, what, wanted)
    actual = next((one for one in found if _is(one, wanted, what)), "")
    ok = bool(actual) or (not wanted and not found)
    actual = actual or next(iter(found), "")
    verdict = Verdict.PASS if ok else _failed(record, facts)
    shown = tuple(
        one.number
        for one in facts.about(ref)
        if one.kind == STATE and (what != "state" or one.state == actual)
    )
    evidence = "user" if verdict is not Verdict.INCONCLUSIVE else _mark(record, facts)
    name = f"{what} of {ref}"
    return Expected(name, wanted, actual, verdict, case.clause, evidence, shown[-1:])


def _actual(record: InstallationRecord, what: str, wanted: str) -> tuple[str, ...]:
    """Return what a record shows, the weightiest first; of codes there may be several."""
    if what == "state":
        return (record.state.value,)
    if what == "code":
        return _codes(record, _latest_attempt(record) if wanted == _NO_CODE else 0) or (_NO_CODE,)
    if what == "attempts":
        return (str(_attempts(record)),)
    if what == "way":
        return tuple(dict.fromkeys(entry.state for entry in record.history if entry.state))
    ended = resting_entry(record)
    return () if ended is None else (ended.step,)


def _attempts(record: InstallationRecord) -> int:
    """Return how many attempts a history tells of."""
    begun, state = 0, State.PLANNED
    for entry in record.history:
        if entry.state:
            begun += not begun or state in RESTING
            state = State(entry.state)
    return begun


def _codes(record: InstallationRecord, since: int) -> tuple[str, ...]:
    """Return the code a home rests on, then those it met since a line of its history."""
    told = (one.code for one in record.history[since:] if one.result in {FAILED, WARNED})
    return tuple(dict.fromkeys(filter(None, (resting_code(record), *told))))


def _latest_attempt(record: InstallationRecord) -> int:
    """Return the line of a history with which its latest attempt begins."""
    begun, state = 0, State.PLANNED
    for number, entry in enumerate(record.history):
        if entry.state:
            begun = number if state in RESTING else begun
            state = State(entry.state)
    return begun


def _is(actual: str, wanted: str, what: str) -> bool:
    """Say whether something found is what is wanted; a code without a sub-code means each."""
    return actual == wanted or (what == "code" and actual.partition("-0")[0] == wanted)


def _failed(record: InstallationRecord | None, facts: Facts) -> Verdict:
    """Return what a deviation counts: one that rests on an unproven rule is inconclusive."""
    if record is None or record.state is State.MIGRATED:
        return Verdict.FAIL
    code = resting_code(record)
    if not code:
        return Verdict.FAIL
    named = {rule.rule for rule in facts.book.rules.values() if rule.code == code}
    taken = bool(({code} | named) & facts.accepted)
    return failed(_mark(record, facts), accepted=taken)


def _mark(record: InstallationRecord | None, facts: Facts) -> str:
    """Return the mark of the rule behind the code that an installation rests on."""
    code = "" if record is None else resting_code(record)
    rules = [rule.evidence for rule in facts.book.rules.values() if rule.code == code]
    firm = next((mark for mark in rules if is_firm(mark)), None)
    return firm or next(iter(rules), "stand-in")


# -- what files, answers and alerts show -----------------------------------------------------------


def _of_steps(ref: str, case: Case, facts: Facts) -> Expected:
    """Return whether each step that a party says it took has left its letter."""
    record = facts.records.get(ref)
    lacking = () if record is None else missing(record, facts.letters, facts.about(ref))
    about = [event for event in facts.about(ref) if BEARS in event.told]
    actual = "; ".join(lacking) or "by letters"
    hit = about[-1] if about and not lacking else None
    return _row(f"{STEPS}{ref}", "by letters", (actual, hit), case, about, facts)


def _of_file(ref: str, one: Expect, case: Case, facts: Facts) -> Expected:
    rows = [
        event
        for event in (*facts.about(ref), *facts.about(""))
        if event.kind in {PAPER_RESULT, FILE_RESULT}
        and event.told.get("file") == one.file
        and ref in event.told.get("refs", (ref,))
    ]
    about = [event for event in rows if event.ref == ref] or rows
    found = _any(about, "result", one.result)
    return _row(f"{one.file} of {ref}", one.result, found, case, about, facts)


def _of_request(ref: str, one: Expect, case: Case, facts: Facts) -> Expected:
    about = [
        event
        for event in facts.about(ref)
        if event.kind == ANSWER
        and event.told.get("service") == one.request
        and one.device in {None, event.told.get("type")}
    ]
    hit = next((event for event in about if event.code.startswith(one.answer)), None)
    actual = hit.code if hit else ", ".join(dict.fromkeys(event.code for event in about))
    of = f"{one.device} of {ref}" if one.device is not None else ref
    found = (actual, hit)
    return _row(f"answer to {one.request} of {of}", one.answer, found, case, about, facts)


def _of_contents(ref: str, one: Expect, case: Case, facts: Facts) -> Expected:
    """Return whether every answer told what its device showed when it was looked at."""
    about = [
        event
        for event in facts.about(ref)
        if event.kind == CONTENT
        and event.told["service"] == one.request
        and one.device in {None, event.told["type"]}
    ]
    bad = [event for event in about if not event.told["right"]]
    worst = next((event for event in bad if event.told["looked"]), None) or next(iter(bad), None)
    shown = worst or next(iter(about), None)
    actual = "" if shown is None else str(shown.told["found"])
    found = (actual, shown if worst is None else None)
    of = f"{one.device} of {ref}" if one.device is not None else ref
    what, wanted = f"{TELLING}{one.request} of {of}", "as the device shows"
    row = _row(what, wanted, found, case, [shown] if shown else [], facts)
    unseen = worst is not None and not worst.told["looked"]
    return replace(row, verdict=Verdict.INCONCLUSIVE) if unseen else row


def _of_alert(ref: str, one: Expect, case: Case, facts: Facts) -> Expected:
    about = [e for e in (*facts.about(ref), *facts.about("")) if e.kind == ALERT]
    hit = next((e for e in about if one.alert in {e.code, e.told.get("s1sp")}), None)
    actual = one.alert if hit else ", ".join(sorted({event.code for event in about}))
    return _row(f"alert of {ref}", one.alert, (actual, hit), case, about, facts)


def _of_device(ref: str, device: DeviceType, shows: Shown, case: Case, facts: Facts) -> Expected:
    """Return what a device showed when it was looked at last."""
    about = [
        event
        for event in facts.about(ref)
        if event.kind == DEVICE and (event.told["type"], event.told["shows"]) == (device, shows)
    ]
    last = about[-1] if about else None
    wanted = "as the papers say" if last is None else str(last.told["expected"])
    actual = "" if last is None else str(last.told["found"])
    hit = last if last is not None and last.told["right"] else None
    return _row(f"{DEVICE} {device} {shows} of {ref}", wanted, (actual, hit), case, about, facts)


def _any(events: Sequence[DustEvent], name: str, wanted: str) -> tuple[str, DustEvent | None]:
    """Return what was found and the event that shows the wanted value, where one does."""
    hit = next((event for event in events if event.told.get(name) == wanted), None)
    if hit is not None:
        return wanted, hit
    return ", ".join(dict.fromkeys(str(event.told.get(name, "")) for event in events)), None


def _row(  # noqa: PLR0913, PLR0917 -- what was asked, what was found, and where it shows
    what: str,
    wanted: str,
    found: tuple[str, DustEvent | None],
    case: Case,
    about: Sequence[DustEvent],
    facts: Facts,
) -> Expected:
    actual, hit = found
    shown = about[-1:] if hit is None else [hit]
    verdict = Verdict.FAIL if hit is None and facts.played else Verdict.PASS
    if hit is None and not facts.played:
        verdict = Verdict.INCONCLUSIVE
    files = tuple(dict.fromkeys(event.file for event in shown if event.file))
    numbers = tuple(event.number for event in shown)
    return Expected(what, wanted, actual, verdict, case.clause, "user", numbers, files)


def _first_failing(refs: Sequence[str], rows: Sequence[Expected], facts: Facts) -> str:
    """Return the first step that failed at a home whose expectation is not met."""
    failing = [row.what for row in rows if row.verdict > Verdict.PASS]
    bad = [ref for ref in refs if any(what.endswith(f" {ref}") for what in failing)]
    return next((step for ref in bad if (step := first_failing_step(facts.records.get(ref)))), "")


def first_failing_step(record: InstallationRecord | None) -> str:
    """Return the first step of an installation that failed; empty where none did."""
    history = () if record is None else record.history
    return next((entry.step for entry in history if entry.result == FAILED), "")
