"""The phases before any file, P1 to P6: planned or not, authorised or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.migration import phases
from harness.migration.collaborators import Plans
from harness.migration.office import Office
from harness.migration.states import State
from harness.migration.steps import FAILED, WARNED, Case, Steps, Told, ok
from harness.migration.verdicts import InstallationVerdict

_PLANS: Final = ("P1", "P2", "P3", "P4")
_AUTHORISES: Final = ("P5", "P6")


@dataclass(frozen=True, slots=True)
class PlanPhases:
    """Plans and authorises a batch.

    Attributes:
        steps: Takes the steps.
        planning: Judges.
    """

    steps: Steps
    planning: Plans

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    async def plan(self, cases: Sequence[Case]) -> None:
        """Plan installations (P1 to P4)."""
        verdicts = self.planning.plan([case.record for case in cases])
        for case in cases:
            case.done.append(phases.PLAN)
            await self._judged(case, verdicts[case.ref], _PLANS)

    async def authorise(self, cases: Sequence[Case]) -> None:
        """Authorise installations, or notify their suppliers (P5 and P6)."""
        due = [case for case in cases if phases.PLAN in case.done]
        verdicts = self.planning.authorise([case.record for case in due])
        for case in due:
            verdict = verdicts[case.ref]
            await self._judged(case, verdict, _AUTHORISES)
            if verdict.accepted:
                await self.steps.move(case, State.AUTHORISED, _AUTHORISES[-1], "authorised")

    async def _judged(self, case: Case, verdict: InstallationVerdict, steps: Sequence[str]) -> None:
        for step in steps:
            if not verdict.accepted and verdict.step <= step:
                break
            await self._note(case, step, self._passed(verdict, step))
        if not verdict.accepted:
            told = Told(
                FAILED, self._says(verdict.code, verdict.sub_code), verdict.code, verdict.sub_code
            )
            step = verdict.step or steps[0]
            await self._note(case, step, told)
            await self.steps.move(case, State.NOT_PLANNED, step, told.text, told=told)

    def _passed(self, verdict: InstallationVerdict, step: str) -> Told:
        for one in verdict.warnings:
            if one.step == step:
                text = self._says(one.code, one.sub_code)
                return Told(WARNED, text, one.code, one.sub_code)
        return ok(self.office.steps[step].title)

    def _says(self, code: str, sub_code: str) -> str:
        row = self.office.book.codes.find(code, sub_code)
        return "refused" if row is None else row.says

    async def _note(self, case: Case, step: str, told: Told) -> None:
        async def act() -> Told:
            return told

        await self.steps.take(case, step, act)
