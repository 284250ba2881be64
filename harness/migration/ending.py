"""What follows a failure: rejection, rollback, stranding; by what was done on site before it."""

from dataclasses import dataclass
from typing import Final

from harness.formats.migration_files.checks import Level
from harness.migration.attempts import Attempts
from harness.migration.office import Office
from harness.migration.rollback import Rollback
from harness.migration.states import Owner, State, StrandedCause
from harness.migration.steps import Case, Steps, Told
from harness.migration.verdicts import InstallationVerdict

_FILE: Final = "file"


@dataclass(frozen=True, slots=True)
class Ending:
    """Brings installations that failed to rest.

    Attributes:
        steps: Takes the steps.
    """

    steps: Steps

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    async def reject(self, case: Case, step: str, told: Told) -> None:
        """Refuse an installation of which nothing was changed on site."""
        await self._end(case, State.REJECTED, step, told)

    async def strand(self, case: Case, step: str, told: Told, cause: StrandedCause) -> None:
        """Leave an installation stranded."""
        Attempts(self.steps).failed(case, told)
        await self.steps.move(case, State.STRANDED, step, told.text, cause=cause, told=told)
        await Attempts(self.steps).exclude_where_due(case)

    async def of_files(self, case: Case, verdict: InstallationVerdict, told: Told) -> None:
        """End what data validation refused.

        Before anything changed hands that is a rejection. After it, an error of files strands;
        what is wrong with the installation alone is taken back as soon as its hub answers.

        Source:
            S000 §5 for the errors of files; for the rest it is silent (migration.md 5.5, T-B):
            stand-in.
        """
        step = verdict.step or "V4"
        if not changed_hands(case):
            await self.reject(case, step, told)
        elif verdict.level is Level.FILE or self._is_file_error(told):
            await self.strand(case, step, told, StrandedCause.FILE_ERROR)
        elif not self.office.cohort.rollback.enabled:
            await self.strand(case, step, told, StrandedCause.TESTING_FAILED)
        else:
            case.take_back = (step, told.code, told.sub_code, told.text)
            Attempts(self.steps).failed(case, told)

    async def of_lost(self, case: Case, step: str, told: Told) -> None:
        """End an installation that no file of its set names any more."""
        if changed_hands(case):
            await self.strand(case, step, told, StrandedCause.FILE_ERROR)
        else:
            await self.reject(case, step, told)

    def _is_file_error(self, told: Told) -> bool:
        row = self.office.book.codes.find(told.code, told.sub_code)
        return row is not None and row.failure_class == _FILE

    async def of_hand_over(self, case: Case, step: str, told: Told) -> None:
        """End a hand-over that failed before the SIM moved: the SMSO undoes what it did."""
        Attempts(self.steps).failed(case, told)
        await self.steps.move(case, State.ROLLING_BACK, step, told.text, told=told)
        await self._rest(case, await Rollback(self.steps).by_smso(case))

    async def of_contact(self, case: Case, told: Told) -> None:
        """End a wait in which the hub was not heard: nothing can be rolled back."""
        await self.strand(case, "H4", told, StrandedCause.NO_CHF_COMMS)

    async def of_testing(self, case: Case, step: str, told: Told) -> None:
        """End a test that failed: rolled back where the cohort does and the hub answers."""
        if not case.reached:
            await self.strand(case, step, told, StrandedCause.NO_CHF_COMMS)
        elif not self.office.cohort.rollback.enabled:
            await self.strand(case, step, told, StrandedCause.TESTING_FAILED)
        else:
            await self.roll_back(case, step, told)

    async def roll_back(self, case: Case, step: str, told: Told) -> None:
        """Take an installation back to the SMSO over the S1SP's network."""
        Attempts(self.steps).failed(case, told)
        await self.steps.move(case, State.ROLLING_BACK, step, told.text, told=told)
        await self._rest(case, await Rollback(self.steps).by_s1sp(case))

    async def _rest(self, case: Case, failure: Told | None) -> None:
        if failure is not None:
            step = case.record.history[-1].step
            cause = StrandedCause.ROLLBACK_FAILED
            await self.steps.move(
                case, State.STRANDED, step, failure.text, cause=cause, told=failure
            )
        else:
            case.record.skips_hand_over = False
            text = "every device and the SIM are the SMSO's again"
            await self.steps.move(case, State.ROLLED_BACK, "R3", text)
        await Attempts(self.steps).exclude_where_due(case)

    async def _end(self, case: Case, to: State, step: str, told: Told) -> None:
        Attempts(self.steps).failed(case, told)
        await self.steps.move(case, to, step, told.text, told=told)
        await Attempts(self.steps).exclude_where_due(case)


def changed_hands(case: Case) -> bool:
    """Say whether any key or the SIM is no longer the SMSO's, as far as was seen."""
    if case.record.sim_owner is not Owner.SMSO:
        return True
    return any(one.owner is not Owner.SMSO for one in case.record.holders())
