"""The phases on files, V1 to V6, of a batch: sent, judged, and what that means for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.formats.migration_files.words import ProcessingMode
from harness.migration import phases
from harness.migration.collaborators import Files
from harness.migration.ending import Ending
from harness.migration.file_set import SetInHand
from harness.migration.office import Office
from harness.migration.states import State
from harness.migration.steps import FAILED, WARNED, Case, Steps, Told, ok
from harness.migration.verdicts import InstallationVerdict

#: Steps of the S1SP's check of a set, in order.
_CHECKS: Final = ("V4", "V5", "V6")
_VALIDATION: Final = "V2"


@dataclass(frozen=True, slots=True)
class FilePhases:
    """Takes a batch through data validation.

    Attributes:
        steps: Takes the steps.
        files: Makes and checks the files.
    """

    steps: Steps
    files: Files

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    async def send_common(self, cases: Sequence[Case], mode: ProcessingMode) -> None:
        """Send an MCF of these installations (V1)."""
        for case in cases:
            await self.steps.begin(case, "V1")
        hand = self.files.send_common([case.record for case in cases], mode)
        number = len(self.files.hands) - 1
        evidence = next(iter(hand.files.values())).sha256
        for case in cases:
            case.hand = number
            case.done.append(phases.SEND_COMMON)
            told = ok(f"the MCF names it, mode {mode}", evidence)
            await self._taken(case, "V1", told)
            if self._is_validated_next(case):
                text = "the file is sent"
                await self.steps.move(case, State.IN_VALIDATION, "V1", text)

    def _is_validated_next(self, case: Case) -> bool:
        if case.state is not State.AUTHORISED:
            return False
        order = phases.ORDERS[self.office.order]
        return order[order.index(phases.SEND_COMMON) + 1] == phases.VALIDATE

    async def validate(self, cases: Sequence[Case]) -> None:
        """Let the MCC judge the MCF (V2)."""
        for hand, here in self._by_hand(cases):
            for case in here:
                await self.steps.begin(case, _VALIDATION)
            verdicts = self.files.validate(hand, self._stranded(here))
            for case in here:
                case.done.append(phases.VALIDATE)
                await self._judged(case, verdicts.get(case.ref), (_VALIDATION,))

    def _stranded(self, cases: Sequence[Case]) -> frozenset[str]:
        """Return the installations that 5.8A may complete: they were stranded when listed."""
        return frozenset(case.ref for case in cases if case.record.skips_hand_over)

    async def send_group(self, cases: Sequence[Case]) -> None:
        """Send MGF, MEF and manifest of the valid ones (V3)."""
        for hand, here in self._by_hand(cases):
            due = [case for case in here if case.take_back is None]
            for case in due:
                await self.steps.begin(case, "V3")
            if due:
                self.files.send_group(hand)
            for case in due:
                case.done.append(phases.SEND_GROUP)
                await self._taken(case, "V3", ok("MGF and MEF name it"))

    async def check(self, cases: Sequence[Case]) -> None:
        """Let the S1SP judge the set (V4 to V6); it keeps what it opens."""
        for hand, here in self._by_hand(cases):
            due = [case for case in here if case.take_back is None]
            for case in due:
                await self.steps.begin(case, _CHECKS[0])
            verdicts = self.files.check(hand) if due else {}
            for case in due:
                case.done.append(phases.CHECK_GROUP)
                verdict = verdicts.get(case.ref)
                if verdict is not None and verdict.opened is not None and verdict.accepted:
                    self.office.s1sp.take(verdict.opened)
                    case.opened = True
                await self._judged(case, verdict, _CHECKS)

    async def _judged(
        self, case: Case, verdict: InstallationVerdict | None, steps: Sequence[str]
    ) -> None:
        """Note a verdict at its steps, and end the attempt where it is refused."""
        if verdict is None:
            text = "no file of the set names it any more"
            await self._refused(case, None, Told(FAILED, text, "X-V3", "01"), steps[0])
            return
        for step in steps:
            if not verdict.accepted and verdict.step <= step:
                break
            await self._taken(case, step, self._passed(verdict, step))
        if not verdict.accepted:
            told = Told(FAILED, self._text(verdict), verdict.code, verdict.sub_code)
            await self._refused(case, verdict, told, verdict.step or steps[0])

    async def _refused(
        self, case: Case, verdict: InstallationVerdict | None, told: Told, step: str
    ) -> None:
        await self._taken(case, step, told)
        ending = Ending(self.steps)
        if verdict is None:
            await ending.of_lost(case, step, told)
        else:
            await ending.of_files(case, verdict, told)
        if case.state is State.REJECTED:
            self.files.ended([case.ref])

    def _passed(self, verdict: InstallationVerdict, step: str) -> Told:
        warned = [one for one in verdict.warnings if one.step == step]
        if not warned:
            return ok(self.office.steps[step].title)
        first = warned[0]
        return Told(WARNED, self._says(first.code, first.sub_code), first.code, first.sub_code)

    def _text(self, verdict: InstallationVerdict) -> str:
        """Return why it is refused, in the words of the code: findings may hold counters."""
        return self._says(verdict.code, verdict.sub_code)

    def _says(self, code: str, sub_code: str) -> str:
        row = self.office.book.codes.find(code, sub_code)
        return "refused" if row is None else row.says

    async def _taken(self, case: Case, step: str, told: Told) -> None:
        async def act() -> Told:
            return told

        await self.steps.take(case, step, act, begun=True)

    def _by_hand(self, cases: Sequence[Case]) -> list[tuple[SetInHand, list[Case]]]:
        """Return the installations by the file set that names them, oldest set first."""
        numbers = sorted({case.hand for case in cases if case.hand >= 0})
        return [
            (self.files.hands[number], [case for case in cases if case.hand == number])
            for number in numbers
        ]
