"""The phases on devices, H4 to C7, of a batch: waiting, testing, commissioning."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from device_profiles.cohort import HandoverOrder
from emulator.core.clock import UtcMs
from harness.formats.migration_files.common_file import CommonInstallation, ExcludedGsme
from harness.formats.migration_files.faults import Finding
from harness.migration.attempts import Attempts
from harness.migration.collaborators import Commissions, Files
from harness.migration.ending import Ending
from harness.migration.hand_over import HandOver
from harness.migration.lanes import Lanes, abreast
from harness.migration.office import Office
from harness.migration.script import AFTER, BEFORE
from harness.migration.states import Owner, State
from harness.migration.steps import FAILED, FOLDED_STEPS, Case, Steps, Told, ok
from harness.migration.testing import Testing
from harness.rules.in_hand import in_hand

_COMMISSIONING: Final = ("C1", "C2", "C3", "C4", "C5", "C6", "C7")
_RESTED: Final = frozenset({State.ROLLED_BACK, State.EXCLUDED})


@dataclass(frozen=True, slots=True)
class DevicePhases:
    """Takes installations from the wait for their hub to the end.

    Attributes:
        steps: Takes the steps.
        files: Makes the answers.
        commissioning: Commissions.
        detail: What the MCF in hand says of an installation, by ref.
    """

    steps: Steps
    files: Files
    commissioning: Commissions
    detail: Callable[[str], CommonInstallation]

    @property
    def office(self) -> Office:
        """What the parties share."""
        return self.steps.office

    # -- H4 ------------------------------------------------------------------------------------

    async def begin_waiting(self, case: Case) -> None:
        """Let the S1SP begin to wait for the hub of an installation."""
        if case.record.skips_hand_over:
            for step in FOLDED_STEPS:
                await self.steps.pass_over(case, step, "skipped: 5.8A")
        elif self.office.order is HandoverOrder.FOLDED and not await self._fold(case):
            return
        if case.record.skips_hand_over:
            case.since = self.office.clock.now()
        await self.steps.move(case, State.AWAITING_CHF, "H4", "the hub is awaited")

    async def _fold(self, case: Case) -> bool:
        """Move the SIM where hand-over has no steps of its own; say whether that was done."""
        for step in FOLDED_STEPS:
            await self.steps.pass_over(case, step, "skipped: part of device testing")
        self.office.smso.quiesce(case.ref)
        told = await HandOver(self.steps).move_sim(case, "T1")
        if told.failed:
            await Ending(self.steps).reject(case, "T1", told)
            self.files.ended([case.ref])
        return not told.failed

    async def wait(
        self,
        cases: Sequence[Case],
        lanes: Lanes,
        *,
        first: bool = False,
        until: UtcMs | None = None,
    ) -> None:
        """Wait for hubs until all were heard or are too late.

        Args:
            cases: The installations.
            lanes: Where one is given back that was heard and is refused.
            first: Stop when one can go on.
            until: Stop at this moment of the calendar, whoever is awaited still; None: never.
        """
        waiting = [case for case in cases if case.heard is None]
        if len(waiting) == 1 and len(cases) == 1 and until is None:
            await self._end_wait(waiting[0], lanes, begun=False)
            return
        for case in waiting:
            if "H4" not in case.done:
                case.done.append("H4")
                await self.steps.begin(case, "H4")
        clock = self.office.clock
        while waiting and (until is None or clock.now() < until):
            for case in list(waiting):
                if await self._look(case, waiting, lanes, until):
                    waiting.remove(case)
            if first and len(waiting) < len(cases):
                return

    async def _look(
        self, case: Case, waiting: Sequence[Case], lanes: Lanes, end: UtcMs | None
    ) -> bool:
        """Look at one hub of several for a while; say whether its wait is over.

        The while ends with the first time limit of all of them, so that none is noted late.
        """
        hand_over, clock = HandOver(self.steps), self.office.clock
        limits = [hand_over.deadline(one) for one in waiting]
        if end is not None:
            limits.append(end)
        if len(waiting) > 1:
            limits.append(UtcMs(clock.now() + 1000 * self.office.settings.poll_s))
        until = min(limits)
        if await hand_over.look(case, until) or clock.now() >= hand_over.deadline(case):
            await self._end_wait(case, lanes, begun=True)
            return True
        return False

    async def _end_wait(self, case: Case, lanes: Lanes, *, begun: bool) -> None:
        told = await HandOver(self.steps).wait(case, begun=begun)
        if told.failed:
            await Ending(self.steps).of_contact(case, told)
            self._release(case)
        elif case.take_back is not None:
            step, code, sub_code, text = case.take_back
            refused = Told(FAILED, text, code, sub_code)
            async with lanes:
                await Ending(self.steps).roll_back(case, step, refused)
            self._release(case)

    # -- H4 to C7, side by side ----------------------------------------------------------------

    async def work_side_by_side(
        self, cases: Sequence[Case], lanes: Lanes, until: UtcMs | None = None
    ) -> None:
        """Wait for each hub, then test and commission its home, whatever the others do.

        Args:
            cases: The installations.
            lanes: How many are worked at at a time.
            until: Begin nothing after this moment of the calendar; None: go on to the end.
        """

        async def work(case: Case) -> None:
            if case.state is State.AWAITING_CHF and case.heard is None:
                await self.wait([case], lanes, until=until)
            awaited = case.state is State.AWAITING_CHF and case.heard is None
            if awaited or case.state not in {State.AWAITING_CHF, State.VIABLE}:
                return
            async with lanes:
                if until is None or self.office.clock.now() < until:
                    await self._on_site(case)

        await abreast(cases, work)

    async def _on_site(self, case: Case) -> None:
        """Test and commission one home; what stands with its devices is kept meanwhile."""
        sessions, devices = self.office.s1sp.sessions, case.site.eui64s()
        sessions.begin(devices)
        if case.state is State.AWAITING_CHF:
            await self._say_viable([case], {case.ref: await self._test_one(case)})
        if case.state is State.VIABLE:
            await self._commission(case)
        await sessions.end(devices)

    # -- T1 to T7 ------------------------------------------------------------------------------

    async def test(self, cases: Sequence[Case], lanes: Lanes) -> None:
        """Test the devices of installations, then name the viable ones."""
        failures: dict[str, Told | None] = {}

        async def test_one(case: Case) -> None:
            failures[case.ref] = await self._test_one(case)

        await lanes.each(cases, test_one)
        await self._say_viable(cases, failures)

    async def _say_viable(self, cases: Sequence[Case], failures: Mapping[str, Told | None]) -> None:
        """Write of each file set which of the tested ones are viable."""
        results: dict[int, dict[str, list[Finding]]] = {}
        for case in cases:
            told = failures[case.ref]
            found = [] if told is None else [self._finding(case, told)]
            results.setdefault(case.hand, {})[case.ref] = found
        for number, rows in results.items():
            vif = self.files.viable(self.files.hands[number], rows)
            for case in cases:
                if case.hand == number and case.state is State.TESTING:
                    await self._name_viable(case, vif.sha256)

    async def _test_one(self, case: Case) -> Told | None:
        await self.steps.move(case, State.TESTING, "T1", "its hub was heard")
        testing = Testing(self.steps, self.detail)
        told = None
        if self.office.order is HandoverOrder.FOLDED and not case.record.skips_hand_over:
            told = await testing.secure(case)
        if told is None:
            sessions, devices = self.office.s1sp.sessions, case.site.eui64s()
            sessions.begin(devices)
            told = await testing.run(case)
            await sessions.end(devices)
            if told is not None:
                await sessions.release(devices)
        if told is not None:
            await Ending(self.steps).of_testing(case, case.record.history[-1].step, told)
            self._release(case)
        return told

    def _finding(self, case: Case, told: Told) -> Finding:
        steps = [one.step for one in case.record.history if one.code == told.code]
        return Finding(steps[0] if steps else "T1", told.code, told.sub_code, told.text)

    async def _name_viable(self, case: Case, evidence: str) -> None:
        async def act() -> Told:
            return ok("viable", evidence)

        await self.steps.take(case, "T7", act)
        await self.steps.move(case, State.VIABLE, "T7", "every check was met")

    # -- C1 to C7 ------------------------------------------------------------------------------

    async def commission(self, cases: Sequence[Case], lanes: Lanes) -> None:
        """Commission viable installations; what failed before is tried again."""
        await lanes.each(cases, self._commission)

    async def _commission(self, case: Case) -> None:
        with in_hand(case.ref):
            await self._commission_one(case)

    async def _commission_one(self, case: Case) -> None:
        await self.steps.move(case, State.COMMISSIONING, "C1", "commissioning begins")
        hand = self.files.hands[case.hand]
        part = without(hand.installations[case.ref], case.left_out)
        hand.installations = {**hand.installations, case.ref: part}
        verdict = hand.results.get(case.ref)
        opened = None if verdict is None else verdict.opened
        await self._play(case, BEFORE)
        sessions, all_of_it = self.office.s1sp.sessions, case.site.eui64s()
        sessions.begin(all_of_it)
        result = await self.commissioning.commission(case.site, case.record, opened)
        await sessions.end(all_of_it)
        await self._play(case, AFTER)
        failure = result.failure
        if failure is None and result.commissioned:
            devices = [one.eui64 for one in case.record.holders() if one.owner is Owner.S1SP]
            self.office.smso.drop(case.ref, devices)
            case.record.skips_hand_over = False
            await self.steps.move(case, State.MIGRATED, "C7", "migrated")
            return
        text = "no device was commissioned" if failure is None else failure.text
        step = "C5" if failure is None else failure.step or "C5"
        code, sub_code = ("", "") if failure is None else (failure.code, failure.sub_code)
        told = Told(FAILED, text, code, sub_code)
        case.counts = False
        Attempts(self.steps).failed(case, told)
        await self.steps.move(case, State.COMMISSIONING_FAILED, step, text, told=told)
        await Attempts(self.steps).exclude_where_due(case)

    async def _play(self, case: Case, moment: str) -> None:
        """Do what is scripted around commissioning, which is one piece for the course."""
        for step in _COMMISSIONING:
            for device in ("", *(one.value for one in case.site.holders())):
                play = self.steps.script.play_exactly
                await play(moment, step, device, case.site, case.attempt)

    def _release(self, case: Case) -> None:
        """Let an installation that is the SMSO's again stand in another MCF."""
        if case.state in _RESTED:
            self.files.ended([case.ref])


def without(part: CommonInstallation, left_out: Mapping[str, str]) -> CommonInstallation:
    """Return what the MCF says of an installation, without what testing left out.

    Args:
        part: What the MCF says.
        left_out: EUI-64 (hex) of a device -> why.
    """
    gas = part.gsme
    if gas is not None and gas.device.hex in left_out:
        stays = ExcludedGsme(gas.device, left_out[gas.device.hex])
        part = replace(part, gsme=None, excluded_gsme=stays)
    ppmids = tuple(one for one in part.ppmids if one.device.hex not in left_out)
    return replace(part, ppmids=ppmids)
