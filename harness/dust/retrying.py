"""Which homes are tried again, and when: the policy's rows, and the participant's word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from emulator.core.clock import to_datetime
from harness.dust.definition import Definition
from harness.dust.papers import Desk
from harness.dust.retry import Decision, Strategy, decide, load_strategy
from harness.migration.office import Office
from harness.migration.record import InstallationRecord
from harness.migration.states import State
from harness.migration.totals import resting_entry
from harness.rules.migration_rulebook import RuleBook
from harness.words import counted

#: Words of a retry list.
_LEAVE: Final = "leave"
_RETRY: Final = "retry"
#: Whose word the retry list is.
_PARTICIPANT: Final = "participant"
_AGAIN: Final = frozenset(
    {State.REJECTED, State.ROLLED_BACK, State.STRANDED, State.COMMISSIONING_FAILED}
)
#: Most days on which homes are tried again. Source: invented.
MOST_ROUNDS: Final = 30


@dataclass(frozen=True, slots=True)
class Retrying:
    """Decides on homes that failed.

    Attributes:
        office: Rules and cohort.
        desk: What the participant decided.
        strategy: The policy of the run.
    """

    office: Office = field(repr=False)
    desk: Desk = field(repr=False)
    strategy: Strategy = field(repr=False)

    @classmethod
    def of(cls, definition: Definition, office: Office, desk: Desk) -> "Retrying":
        """Take up a run's policy.

        Raises:
            DataError: There is no such policy.
        """
        book = office.book
        most = book.settings.attempts_until_excluded
        strategy = load_strategy(definition.retry.policy, book.codes, most, definition.overlays)
        return cls(office, desk, strategy)

    def pending(
        self, records: Mapping[str, InstallationRecord], *, asking: bool = False
    ) -> dict[str, date]:
        """Return the homes that may be tried again, and from which day on, in their order.

        Args:
            records: What is kept of each home.
            asking: Whether homes count that still need the participant's word.
        """
        found = {ref: self._on(record, asking=asking) for ref, record in records.items()}
        return {ref: on for ref, on in found.items() if on is not None}

    def due(self, records: Mapping[str, InstallationRecord], day: date) -> tuple[str, ...]:
        """Return the homes that are tried again on a day."""
        return tuple(ref for ref, on in self.pending(records).items() if on <= day)

    def take_silence_for_no(self, records: Mapping[str, InstallationRecord]) -> None:
        """Leave homes as they are that needed the participant's word and did not get it."""
        given = self.pending(records)
        for ref in self.pending(records, asking=True):
            if ref not in given:
                self.desk.retries[ref] = (_LEAVE, "")

    def _on(self, record: InstallationRecord, *, asking: bool) -> date | None:
        """Return the day from which a home may be tried again; None where it may not."""
        ended = resting_entry(record)
        if record.state not in _AGAIN or not record.failures or ended is None:
            return None
        if record.state is State.STRANDED and not self.office.cohort.cohort.resubmission_5_8a:
            return None
        told = decide(self.strategy, record.failures, to_datetime(ended.at).date())
        return self._agreed(record.ref, told, asking=asking)

    def _agreed(self, ref: str, told: Decision, *, asking: bool) -> date | None:
        """Return the day on which the policy and the participant agree; None for none."""
        word, on = self.desk.retries.get(ref, ("", ""))
        needs_word = told.decided_by == _PARTICIPANT and not asking
        if told.on is None or word == _LEAVE or (needs_word and word != _RETRY):
            return None
        return max(told.on, date.fromisoformat(on)) if on else told.on

    def judgement(self, refs: Sequence[str]) -> str:
        """Return what the MCC writes down for resubmitting homes."""
        return f"retry policy {self.strategy.policy}: {counted(len(refs), 'home')} may succeed now"


def with_attempts(book: RuleBook, most: int) -> RuleBook:
    """Return rules that exclude an installation after another number of failed attempts."""
    return replace(book, settings=replace(book.settings, attempts_until_excluded=most))
