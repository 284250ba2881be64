"""Rollback, R1 to R3: the SMSO's keys back on each device, the SIM back, access proved."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from harness.migration.custody import S1SP, SMSO, Custody
from harness.migration.hand_over import note_owner
from harness.migration.office import Office
from harness.migration.states import Owner
from harness.migration.steps import Case, Steps, Told, fault, ok

_FIRST: Final = "first"


@dataclass(frozen=True, slots=True)
class Rollback:
    """Takes installations back to the SMSO, and stops at the first step that fails.

    Attributes:
        steps: Takes the steps.
    """

    steps: Steps

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    async def by_s1sp(self, case: Case) -> Told | None:
        """Undo a hand-over over the S1SP's network; returns the failure, or None.

        Order of devices and whether certificates and SIM go back are the cohort's data; whether
        the SIM goes first or last is the engine's.
        """
        rules = self.office.cohort.rollback
        moves: list[Callable[[], Awaitable[Told]]] = []
        if rules.certificates:
            here = [one for one in rules.order if one in self._concerned(case)]
            moves += [self._restoring(case, one) for one in here]
        if rules.sim:
            sim = self._returning(case)
            moves = [sim, *moves] if self.office.settings.sim_rollback == _FIRST else [*moves, sim]
        for move in moves:
            told = await move()
            if told.failed:
                return told
        return await self._prove_access(case, self._concerned(case)) if rules.sim else None

    def _concerned(self, case: Case) -> list[DeviceType]:
        """Return the holders that a rollback is about: all but what was given back before."""
        given = [
            one
            for one in case.site.holders()
            if case.site.eui64(one).hex in case.left_out and _is_smsos(case, one)
        ]
        return [one for one in case.site.holders() if one not in given]

    async def by_smso(self, case: Case) -> Told | None:
        """Undo an unfinished hand-over over the SMSO's own network; returns the failure, or None.

        Source:
            invented, stand-in: what follows a rotation that fails before the SIM moved is in no
            source; the SMSO, which still reaches its devices, undoes what it did.
        """
        changed = [one for one in case.site.holders() if not _is_smsos(case, one)]
        for device_type in reversed(changed):
            told = await self._restore(case, device_type, by=SMSO)
            if told.failed:
                return told
        await self.steps.pass_over(case, "R2", "the SIM has not moved")
        return await self._prove_access(case, changed, waits=False)

    def _restoring(self, case: Case, device_type: DeviceType) -> Callable[[], Awaitable[Told]]:
        async def move() -> Told:
            return await self._restore(case, device_type, by=S1SP)

        return move

    def _returning(self, case: Case) -> Callable[[], Awaitable[Told]]:
        async def move() -> Told:
            return await self._return_sim(case)

        return move

    async def _restore(self, case: Case, device_type: DeviceType, *, by: str) -> Told:
        async def act() -> Told:
            custody = Custody(self.office, case.site)
            goes_back = custody.take_back if by == SMSO else custody.restore
            change = await goes_back(device_type)
            note_owner(case, device_type, change, Owner.SMSO)
            if change.done:
                return ok(change.detail or "the SMSO's key opens it, the S1SP's is refused")
            return fault(
                self.office.judge(), "R1", change.how.value, change.says(), silent=change.silent
            )

        return await self.steps.take(case, "R1", act, device_type, actor=by)

    async def _return_sim(self, case: Case) -> Told:
        async def act() -> Told:
            self.office.post.hand_over(S1SP, SMSO, "order", b"", f"SIM of {case.ref} to the SMSO")
            answer = await case.site.hub().change_sim(SMSO)
            if not answer.done:
                return fault(self.office.judge(), "R2", "01", answer.why)
            case.record.sim_owner = Owner.SMSO
            case.since = self.office.clock.now()
            return ok("the SIM is on the SMSO's network")

        return await self.steps.take(case, "R2", act)

    async def _prove_access(
        self, case: Case, devices: Sequence[DeviceType], *, waits: bool = True
    ) -> Told | None:
        async def act() -> Told:
            if waits:
                await self._hub_is_back(case)
            for device_type in devices:
                door = Custody(self.office, case.site).door(device_type, SMSO)
                opened = await door.opens_to(case.site.credentials(device_type))
                if not opened:
                    how = "does not answer" if opened is None else "is refused"
                    case.access_unproved = True
                    why = f"{device_type.value}: the SMSO's head end {how}"
                    kind = "01" if opened is None else "02"
                    return fault(self.office.judge(), "R3", kind, why, silent=opened is None)
            self.office.smso.resume(case.ref)
            return ok("the SMSO's key opens every device over its own network")

        told = await self.steps.take(case, "R3", act)
        return told if told.failed else None

    async def _hub_is_back(self, case: Case) -> None:
        """Wait until the hub tells the SMSO's head end that it is back, or for so long."""
        clock = self.office.clock
        until = UtcMs(clock.now() + 1000 * self.office.settings.return_contact_s)
        while True:
            notice = await case.site.hub().notified(SMSO, clock.on_bench(until))
            if notice is None:
                return
            if case.since is None or clock.shown(notice.at) >= case.since:
                return


def _is_smsos(case: Case, device_type: DeviceType) -> bool:
    """Say whether a device was the SMSO's when it was last seen."""
    record = case.record.device(device_type)
    return record is not None and record.owner is Owner.SMSO
