"""How often an installation was tried: failures by class, and the exclusion that follows."""

from dataclasses import dataclass
from typing import Final

from harness.migration.office import Office
from harness.migration.states import State
from harness.migration.steps import FAILED, Case, Steps, Told

#: Category of TMAD clause 18 of an installation that failed too often.
TOO_OFTEN: Final = "failed_attempts"


@dataclass(frozen=True, slots=True)
class Attempts:
    """Counts attempts as the failure classes say, and excludes after so many.

    Attributes:
        steps: Takes the steps.
    """

    steps: Steps

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    def begin(self, case: Case) -> None:
        """Begin another attempt; it counts unless it fails in a way that does not."""
        case.begin_attempt()
        case.record.attempts = self._counted(case) + 1

    def failed(self, case: Case, told: Told) -> None:
        """Note how the present attempt failed, once."""
        if case.counts:
            return
        case.counts = True
        case.record.failures.append((told.code, told.sub_code))
        case.record.attempts = self._counted(case)

    async def exclude_where_due(self, case: Case) -> None:
        """Exclude an installation that failed as often as the settings allow."""
        limit = self.office.book.settings.attempts_until_excluded
        if case.record.attempts < limit or not case.counts:
            return
        category = next(row for row in self.office.book.exclusions if row.category == TOO_OFTEN)
        case.record.exclusion = TOO_OFTEN
        told = Told(FAILED, category.says, "X-18", category.sub_code)
        await self.steps.move(case, State.EXCLUDED, "M1", category.says, told=told)

    def _counted(self, case: Case) -> int:
        return self.office.book.codes.counted_attempts(case.record.failures)
