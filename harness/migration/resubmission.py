"""Resubmission under 5.8A, M1 to M3: who may, mixed ownership, judgement, roll forward."""

from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from harness.migration.custody import S1SP, SMSO, Custody
from harness.migration.hand_over import HandOver, note_owner
from harness.migration.office import Office
from harness.migration.ownership import Mixed, mixed
from harness.migration.states import Owner, State
from harness.migration.steps import FAILED, OK, WARNED, Case, Steps, Told, fault, ok
from harness.parties.mcc import Mcc

_RULE: Final = "5.8A"
_MIXED: Final = "5.8A-MIXED"


@dataclass(frozen=True, slots=True)
class Resubmission:
    """Admits stranded installations to a new Migration Common File that skips the hand-over.

    Attributes:
        steps: Takes the steps.
        mcc: Keeps the judgements.
    """

    steps: Steps
    mcc: Mcc

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    async def admit(self, case: Case, judgement: str, *, roll_forward: bool) -> str:
        """Take M1 to M3 for one installation; returns why it is refused, or nothing.

        Args:
            case: The installation.
            judgement: Why the MCC expects success.
            roll_forward: Whether restored devices are taken over again first.
        """
        listed = await self._list(case)
        if listed.failed:
            return listed.text
        found = await self._mixed(case)
        told = await self._judge(case, judgement, found)
        if told.failed:
            return told.text
        if roll_forward and found is not None:
            failure = await self._roll_forward(case, found)
            if failure is not None:
                return failure.text
        await self._renew(case, judgement)
        return ""

    async def _list(self, case: Case) -> Told:
        async def act() -> Told:
            judge = self.office.judge()
            if not self.office.cohort.cohort.resubmission_5_8a:
                return fault(judge, _RULE, "01", f"cohort {self.office.cohort.key}")
            if case.state is not State.STRANDED:
                return fault(judge, _RULE, "02", f"it stands in {case.state}")
            return ok(f"stranded: {case.record.stranded_cause}")

        told = await self.steps.take(case, "M1", act)
        if not told.failed and case.state is not State.STRANDED:
            return Told(FAILED, f"it stands in {case.state}, which nothing may follow so")
        return told

    async def _mixed(self, case: Case) -> Mixed | None:
        known = {one.device_type: one.owner for one in case.record.holders()}
        here = {one: known[one] for one in case.holders() if one in known}
        found = await mixed(case.site, self.office, here)
        if found is None:
            return None

        async def act() -> Told:
            detail = f"{found.says()}; a run without hand-over is predicted to fail at {found.step}"
            told = fault(self.office.judge(), _MIXED, "01", detail)
            result = WARNED if told.code else OK
            return Told(result, told.text, told.code, told.sub_code)

        await self.steps.take(case, "M1", act)
        return found

    async def _judge(self, case: Case, judgement: str, found: Mixed | None) -> Told:
        async def act() -> Told:
            said = " ".join(judgement.split())
            if not said:
                return fault(self.office.judge(), _RULE, "04", "the MCC wrote none")
            self.mcc.judge(case.ref, said)
            case.record.judgement = said
            self.office.post.hand_over("MCC", "RP", "notice", said.encode(), f"{case.ref}: 5.8A")
            against = "" if found is None else f" (although {found.says()})"
            return ok(f"success is likely: {said}{against}")

        return await self.steps.take(case, "M2", act)

    # -- roll forward --------------------------------------------------------------------------

    async def _roll_forward(self, case: Case, found: Mixed) -> Told | None:
        """Take restored devices over again; returns the failure, or None.

        What is possible depends on where the SIM is: on the S1SP's network the S1SP takes them
        over with the keys it put back, the DCO's part included; on the SMSO's the SMSO rotates
        them as at the first hand-over, and the SIM moves after them.
        """
        for device_type in (*found.restored, *found.lost):
            told = await self._take_over(case, device_type, found.sim)
            if told.failed:
                return told
        if found.sim is not Owner.SMSO:
            return None
        told = await HandOver(self.steps).move_sim(case, "M2")
        return told if told.failed else None

    async def _take_over(self, case: Case, device_type: DeviceType, sim: Owner) -> Told:
        async def act() -> Told:
            custody = Custody(self.office, case.site)
            takes = custody.rotate if sim is Owner.SMSO else custody.secure
            change = await takes(device_type)
            note_owner(case, device_type, change, Owner.S1SP)
            if change.done:
                return ok("rolled forward: the S1SP's key opens it, the SMSO's is refused")
            return fault(self.office.judge(), _RULE, "05", change.says(), silent=change.silent)

        actor = SMSO if sim is Owner.SMSO else S1SP
        return await self.steps.take(case, "M2", act, device_type, actor=actor)

    async def _renew(self, case: Case, judgement: str) -> None:
        case.record.skips_hand_over = True
        text = f"a new MCF completes it: {' '.join(judgement.split())}"
        await self.steps.move(case, State.IN_VALIDATION, "M3", text)
