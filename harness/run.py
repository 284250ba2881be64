"""What a step sees of the run it is part of: bench, participants, and ways to state findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, TypeVar

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import Value
from emulator.core.ids import Eui64
from harness.measurement import Measurement
from harness.ports import Observation
from harness.run_options import RunOptions
from harness.verdict import Verdict, failed

if TYPE_CHECKING:
    from harness.journalled import JournalledBench
    from harness.scenario import Scenario, Step

_Kind = TypeVar("_Kind")

#: Fact in which a scenario's ``setup`` keeps what the run leaves open: rows of kind and sentence.
NOT_PROVEN: Final = "not_proven"


class Participant(Protocol):
    """A party of the harness whose memory must survive a kill."""

    def dump(self) -> Any:
        """Return the memory as JSON values."""
        ...

    def load(self, state: Any) -> None:
        """Take over a dumped memory."""
        ...


class StepSkippedError(Exception):
    """A step says that it cannot be carried out here; raised by ``Run.skip``."""


class StepEndedError(Exception):
    """A requirement did not hold; the step's verdict already says so."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing a step stated, for the journal.

    Attributes:
        kind: ``check``, ``measure``, ``event``, ``outcome``, ``message`` or ``attachment``.
        at: Moment of the bench.
        after: Ordinal of the last operation begun before it; -1 when there was none.
        body: JSON values.
        octets: Octets that belong to it; may be empty.
    """

    kind: str
    at: UtcMs
    after: int
    body: dict[str, Any]
    octets: bytes = b""


def plain(value: Any) -> Any:
    """Return ``value`` as JSON values: octets as hex, other types as their text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(plain(item)) for item in value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value)


@dataclass(slots=True)
class Run:
    """The run as a step sees it.

    Attributes:
        scenario: The scenario.
        options: What the person at the bench chose.
        bench: The bench; every operation on it is journalled.
        chance: The parties' chance; use stream names of your own, e.g. ``supplier/counter``.
        facts: JSON values that steps hand to later steps; kept over a kill.
        participants: Parties by name; filled by the scenario's ``setup``.
        records: What the current step stated so far (for the runner).
        verdicts: The verdicts of these statements (for the runner).
        words: All event words of the scenario so far (for the runner).
        ended_in: The outcome word, or empty (for the runner).
        step: The current step; None during ``setup``.
    """

    scenario: "Scenario"
    options: RunOptions
    bench: "JournalledBench"
    chance: Chance
    facts: dict[str, Any] = field(default_factory=dict)
    participants: dict[str, Participant] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    verdicts: list[tuple[Verdict, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    ended_in: str = ""
    step: "Step | None" = None

    def participant(self, name: str, kind: type[_Kind]) -> _Kind:
        """Return the participant of that name, checked to be of ``kind``.

        Raises:
            LookupError: There is none of that name and kind.
        """
        found = self.participants.get(name)
        if isinstance(found, kind):
            return found
        raise LookupError(f"no participant {name!r} of kind {kind.__name__}")

    def check(
        self, name: str, expected: object, actual: object, *, clause: str = "", evidence: str = ""
    ) -> bool:
        """State that ``actual`` was to equal ``expected``; returns whether it does.

        Args:
            name: What is compared, in words.
            expected: What the clause demands.
            actual: What was found.
            clause: One of the scenario's clauses; the step's first one when left out.
            evidence: Evidence mark of the rule; the clause's own when left out.

        Raises:
            LookupError: The clause is none of the scenario's and no evidence is given.
        """
        clause, evidence = self._basis(clause, evidence)
        holds = expected == actual
        verdict = Verdict.PASS if holds else failed(evidence, accepted=self._accepts(clause))
        why = "" if holds else f"{name}: expected {plain(expected)}, found {plain(actual)}"
        self._state(verdict, self._with_basis(verdict, why, clause, evidence))
        body = {"name": name, "expected": plain(expected), "actual": plain(actual)}
        self._note("check", {**body, "clause": clause, "evidence": evidence, **_as(verdict)})
        return holds

    def require(
        self, name: str, expected: object, actual: object, *, clause: str = "", evidence: str = ""
    ) -> None:
        """Check, and end the step when the check does not hold: what follows rests on it."""
        if not self.check(name, expected, actual, clause=clause, evidence=evidence):
            raise StepEndedError(name)

    def measure(  # noqa: PLR0913 - a measurement is a name, a value, a unit, two limits, a basis
        self,
        name: str,
        value: float | None,
        unit: str = "",
        low: float | None = None,
        high: float | None = None,
        *,
        clause: str = "",
        evidence: str = "",
    ) -> bool:
        """Take a measurement; returns whether it lies within its limits.

        Unit and limits are those the step declared for this name, where it did. A value of None
        says that it could not be measured, which is INCONCLUSIVE.

        Raises:
            LookupError: As for ``check``.
        """
        declared = {item.name: item for item in self.step.measures} if self.step else {}
        item = declared.get(name) or Measurement(name, unit, low, high)
        clause, evidence = self._basis(clause, evidence)
        verdict = item.judge(value, evidence, accepted=self._accepts(clause))
        why = (
            ""
            if verdict is Verdict.PASS
            else f"{name}: {value:g} {item.unit}"
            if (value is not None)
            else f"{name} was not measured"
        )
        if value is not None and why:
            why = self._with_basis(verdict, f"{why}, not within {item.limits}", clause, evidence)
        self._state(verdict, why)
        body = {"name": name, "value": value, "unit": item.unit, "low": item.low, "high": item.high}
        self._note(
            "measure",
            {**body, "limits": item.limits, "clause": clause, "evidence": evidence, **_as(verdict)},
        )
        return verdict is Verdict.PASS

    def outcome(self, word: str) -> None:
        """State the outcome word of the scenario; the last one stated counts."""
        self.ended_in = word
        self._note("outcome", {"word": word})

    def event(self, word: str, **fields: Value) -> None:
        """State an event; their order is compared with the scenario's expected events."""
        self.words.append(word)
        self._note("event", {"word": word, "fields": plain(fields)})

    def message(
        self, sender: str, receiver: str, kind: str, octets: bytes = b"", summary: str = ""
    ) -> None:
        """Trace a message between parties, for the sequence diagram.

        Args:
            sender: Name of the sending party, e.g. ``supplier``.
            receiver: Name of the receiving party.
            kind: What it is, e.g. ``duis``, ``gbcs``, ``dcc-alert``.
            octets: The message itself; may be empty.
            summary: One line for the arrow.
        """
        body = {"sender": sender, "receiver": receiver, "kind": kind, "summary": summary}
        self._note("message", body, octets)

    def attach(self, name: str, octets: bytes) -> None:
        """Keep a file-like thing with the run, such as an image or an XML document."""
        self._note("attachment", {"name": name}, octets)

    def skip(self, reason: str) -> NoReturn:
        """End the step as SKIPPED.

        Raises:
            StepSkippedError: Always.
        """
        raise StepSkippedError(reason)

    def observations(self, kind: str = "") -> Sequence[Observation]:
        """Return what the bench saw inside devices so far; empty where it cannot look inside."""
        seen = self.bench.observed
        return [item for item in seen if not kind or item.kind == kind]

    def sees(self, device: Eui64) -> bool:
        """Say whether the bench can look inside a device, where it looks inside any."""
        return device not in getattr(self.bench.inner, "hidden", ())

    def _basis(self, clause: str, evidence: str) -> tuple[str, str]:
        if not clause and self.step is not None and self.step.clauses:
            clause = self.step.clauses[0]
        mark = evidence or self.scenario.evidence_of(clause)
        if mark is None:
            raise LookupError(
                f"{clause!r} is no clause of {self.scenario.id} and no evidence is given"
            )
        return clause, mark

    def _accepts(self, clause: str) -> bool:
        return not self.options.accepted.isdisjoint({self.scenario.id, clause})

    def _with_basis(self, verdict: Verdict, why: str, clause: str, evidence: str) -> str:
        if verdict is not Verdict.INCONCLUSIVE:
            return why
        rule = f"rule {clause}" if clause else "rule"
        accept = clause or self.scenario.id
        return f'{why}; the {rule} is {evidence} (accept it with --accept "{accept}")'

    def _state(self, verdict: Verdict, why: str) -> None:
        self.verdicts.append((verdict, why))

    def _note(self, kind: str, body: dict[str, Any], octets: bytes = b"") -> None:
        moment = self.bench.clock.now()
        self.records.append(Record(kind, moment, self.bench.last_ordinal, body, octets))


def _as(verdict: Verdict) -> dict[str, str]:
    return {"verdict": verdict.name}
