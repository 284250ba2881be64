"""Drives a batch of installations through their migration, phase by phase, to a resting state."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from device_profiles.cohort import HandoverOrder
from emulator.core.clock import UtcMs
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.words import FileType, ProcessingMode
from harness.migration import phases
from harness.migration.attempts import Attempts
from harness.migration.collaborators import Commissions, Files, Plans
from harness.migration.commissioning import Commissioning
from harness.migration.device_phases import DevicePhases
from harness.migration.ending import Ending
from harness.migration.file_phases import FilePhases
from harness.migration.file_work import FileWork
from harness.migration.hand_over import HandOver
from harness.migration.lanes import Lanes
from harness.migration.office import Office
from harness.migration.opening_records import record_of
from harness.migration.plan_phases import PlanPhases
from harness.migration.planning import Planning
from harness.migration.record import InstallationRecord
from harness.migration.resubmission import Resubmission
from harness.migration.script import Script, Watch
from harness.migration.site import Site
from harness.migration.states import RESTING, State
from harness.migration.steps import Case, Steps

Phase = Callable[[], Awaitable[None]]


class Course:
    """Drives a batch of sites; a participant with a memory.

    Every phase takes all installations that are due for it; ``phases`` gives them in the order of
    the cohort's data.

    Args:
        office: What the parties share.
        sites: Where the installations stand.
        script: What goes wrong, and when.
        files: Makes and checks the files; None: ``FileWork`` over the office.
        planning: Plans and authorises; None: ``Planning`` over the office.
        commissioning: Commissions; None: ``Commissioning`` over the office.

    Attributes:
        cases: Ref -> the installation in hand.
        sites: Ref -> where it stands.
        files: Makes and checks the files.
        planning: Plans and authorises.
        commissioning: Commissions.
        scope: Refs of the batch that the phases take; None: every installation.
        lanes: What the phase in hand takes up of them.
    """

    def __init__(  # noqa: PLR0913 -- sites, script, and those that do the work
        self,
        office: Office,
        sites: Sequence[Site],
        script: Script | None = None,
        *,
        files: Files | None = None,
        planning: Plans | None = None,
        commissioning: Commissions | None = None,
    ) -> None:
        self.office = office
        self.steps = Steps(office, script or Script())
        self.files: Files = files or FileWork(office)
        self.planning: Plans = planning or Planning(office)
        self.commissioning: Commissions = commissioning or Commissioning(office, self.files)
        self.cases = {site.ref: Case(site, record_of(office, site)) for site in sites}
        self.sites = {site.ref: site for site in sites}
        self.scope: frozenset[str] | None = None
        self.lanes = Lanes(office.settings.lanes)
        for site in sites:
            self._enrol(site)
        self._plan_phases = PlanPhases(self.steps, self.planning)
        self._file_phases = FilePhases(self.steps, self.files)
        self._device_phases = DevicePhases(self.steps, self.files, self.commissioning, self.detail)

    def _enrol(self, site: Site) -> None:
        devices = []
        for device_type in site.holders():
            keys = site.credentials(device_type).keys
            if keys is not None:
                devices.append((site.eui64(device_type), keys))
        self.office.smso.enrol(site.ref, devices)

    # -- what is known -------------------------------------------------------------------------

    @property
    def records(self) -> dict[str, InstallationRecord]:
        """What is kept of each installation, by ref."""
        return {ref: case.record for ref, case in self.cases.items()}

    @property
    def script(self) -> Script:
        """What goes wrong, and when; may be changed between phases."""
        return self.steps.script

    @script.setter
    def script(self, script: Script) -> None:
        self.steps.script = script

    @property
    def watch(self) -> Watch | None:
        """Called after every step of every installation."""
        return self.steps.watch

    @watch.setter
    def watch(self, watch: Watch | None) -> None:
        self.steps.watch = watch

    def detail(self, ref: str) -> CommonInstallation:
        """Return what the MCF in hand says of an installation.

        Raises:
            KeyError: No MCF names it yet.
        """
        return self.files.hands[self.cases[ref].hand].installations[ref]

    @property
    def at_rest(self) -> bool:
        """Whether no installation goes on by itself."""
        return all(case.state in RESTING for case in self.cases.values())

    # -- phases --------------------------------------------------------------------------------

    def phases(self) -> tuple[tuple[str, Phase], ...]:
        """Return the phases of a full migration, by name, in the order of the cohort's data."""
        return tuple((name, getattr(self, name)) for name in phases.ORDERS[self.office.order])

    async def plan(self) -> None:
        """Plan the installations that are Planned: inventory to capacity (P1 to P4)."""
        await self._plan_phases.plan(self._in(State.PLANNED, lacking=phases.PLAN))

    async def authorise(self) -> None:
        """Authorise what is planned, or notify its suppliers (P5 and P6)."""
        await self._plan_phases.authorise(self._in(State.PLANNED))

    async def send_common(self) -> None:
        """Let the Requesting Party send a Migration Common File of all Authorised ones (V1)."""
        cases = self._in(State.AUTHORISED)
        if cases:
            await self._send(cases, ProcessingMode.FULL)

    async def _send(self, cases: Sequence[Case], mode: ProcessingMode) -> None:
        for case in cases:
            Attempts(self.steps).begin(case)
        self._tamper()
        await self._file_phases.send_common(cases, mode)

    async def hand_over(self) -> None:
        """Let keys and SIM change hands where no file was refused so far (H1 to H3)."""
        due = (
            State.AUTHORISED
            if self.office.order is HandoverOrder.BEFORE_FILE_PROCESSING
            else State.IN_VALIDATION
        )
        cases = self._in(due, lacking=phases.HAND_OVER)
        those = [case for case in cases if case.done and not case.record.skips_hand_over]
        await self._new_lanes().each(those, self._hand_over_one)

    async def _hand_over_one(self, case: Case) -> None:
        steps = HandOver(self.steps)
        case.done.append(phases.HAND_OVER)
        told = await steps.quiesce(case)
        if told.failed:
            await Ending(self.steps).reject(case, "H1", told)
            return
        await self.steps.move(case, State.HANDED_OVER, "H1", "the SMSO has let go")
        failure = await steps.rotate(case)
        step = "H2"
        if failure is None:
            told = await steps.move_sim(case)
            failure, step = (told, "H3") if told.failed else (None, "")
        if failure is not None:
            await Ending(self.steps).of_hand_over(case, step, failure)
            self.files.ended([case.ref])

    async def validate(self) -> None:
        """Let the MCC validate the MCF and answer with an MVF (V2)."""
        for case in self._in(State.HANDED_OVER, lacking=phases.VALIDATE):
            await self.steps.move(case, State.IN_VALIDATION, "V2", "the files are looked at")
        self._tamper()
        await self._file_phases.validate(self._in(State.IN_VALIDATION, lacking=phases.VALIDATE))

    async def send_group(self) -> None:
        """Let the Requesting Party send the group files of the valid ones (V3)."""
        for case in self._in(State.HANDED_OVER, lacking=phases.SEND_GROUP):
            await self.steps.move(case, State.IN_VALIDATION, "V3", "the group files are due")
        self._tamper()
        await self._file_phases.send_group(self._in(State.IN_VALIDATION, lacking=phases.SEND_GROUP))

    async def check_group(self) -> None:
        """Let the S1SP check the file set (V4 to V6)."""
        await self._file_phases.check(self._in(State.IN_VALIDATION, lacking=phases.CHECK_GROUP))

    async def await_contact(self, *, first: bool = False, until: UtcMs | None = None) -> None:
        """Let the S1SP wait for the hubs (H4).

        Args:
            first: Stop when at least one installation can go on.
            until: Stop at this moment of the calendar; None: when the last is heard or too late.
        """
        await self._begin_waiting()
        cases, lanes = self._in(State.AWAITING_CHF), self._new_lanes()
        await self._device_phases.wait(cases, lanes, first=first, until=until)

    async def _begin_waiting(self) -> None:
        for case in self._in(State.IN_VALIDATION):
            if case.take_back is not None or phases.CHECK_GROUP in case.done:
                await self._device_phases.begin_waiting(case)

    async def test(self) -> None:
        """Test the devices of installations whose hub was heard (T1 to T7)."""
        heard = [case for case in self._in(State.AWAITING_CHF) if case.heard is not None]
        await self._device_phases.test(heard, self._new_lanes())

    async def commission(self) -> None:
        """Commission the viable installations (C1 to C7)."""
        due = self._in(State.VIABLE, State.COMMISSIONING_FAILED)
        await self._device_phases.commission(due, self._new_lanes())

    # -- whole migrations ----------------------------------------------------------------------

    async def migrate(self) -> None:
        """Take every installation from where it stands through all phases to a resting state."""
        await self.begin()
        await self.on_site()

    async def begin(self) -> None:
        """Take every installation from planning through its files; ``on_site`` does the rest."""
        await self._files(phases.ORDERS[self.office.order])

    async def _files(self, names: Sequence[str]) -> None:
        """Go through the phases before those on site."""
        for name in names[: names.index(phases.AWAIT_CONTACT)]:
            await getattr(self, name)()

    async def on_site(self, until: UtcMs | None = None) -> None:
        """Wait, test and commission, each installation as soon as its hub was heard.

        Where there are several lanes, no home waits for what goes on at another.

        Args:
            until: Wait no longer than to this moment of the calendar, e.g. the end of a day; what
                is awaited still then is taken up by the next call. None: to the last.
        """
        if self.office.settings.lanes == 1:
            await self._one_after_the_other(until)
            return
        await self._begin_waiting()
        cases, lanes = self._in(State.AWAITING_CHF, State.VIABLE), self._new_lanes()
        await self._device_phases.work_side_by_side(cases, lanes, until)

    def _new_lanes(self) -> Lanes:
        """Return free lanes for a phase: nothing of one is left to the next."""
        self.lanes = Lanes(self.office.settings.lanes)
        return self.lanes

    async def _one_after_the_other(self, until: UtcMs | None) -> None:
        """Work at one home after the other: a journal, for one, knows calls by their order."""
        sessions, clock = self.office.s1sp.sessions, self.office.clock
        while True:
            await self.await_contact(first=True, until=until)
            sessions.begin()
            await self.test()
            await self._device_phases.commission(self._in(State.VIABLE), self._new_lanes())
            await sessions.end()
            is_over = until is not None and clock.now() >= until
            if is_over or not self._in(State.AWAITING_CHF, State.VIABLE):
                return

    async def retry(self, refs: Sequence[str] = ()) -> None:
        """Plan rejected or rolled-back installations anew, for a normal migration.

        Args:
            refs: Which; none: all that may.
        """
        for case in self._in(State.REJECTED, State.ROLLED_BACK):
            if not refs or case.ref in refs:
                case.done = []
                await self._plan_phases.plan([case])
                await self._plan_phases.authorise([case])

    async def resubmit(
        self, refs: Sequence[str], judgement: str, *, roll_forward: bool = False
    ) -> Mapping[str, str]:
        """Resubmit stranded installations under 5.8A, and take them to a resting state.

        Args:
            refs: Which.
            judgement: Why the MCC expects success.
            roll_forward: Whether restored devices are taken over again first.

        Returns:
            Ref -> why it was not resubmitted, for those that were not.
        """
        refused = await self.begin_resubmission(refs, judgement, roll_forward=roll_forward)
        if len(refused) < len(refs):
            await self.on_site()
        return refused

    async def begin_resubmission(
        self, refs: Sequence[str], judgement: str, *, roll_forward: bool = False
    ) -> Mapping[str, str]:
        """Resubmit stranded installations as far as their files go; ``on_site`` does the rest.

        Args:
            refs: Which.
            judgement: Why the MCC expects success.
            roll_forward: Whether restored devices are taken over again first.

        Returns:
            Ref -> why it was not resubmitted, for those that were not.
        """
        refused = await self.list_resubmission(refs, judgement, roll_forward=roll_forward)
        taken = [self.cases[ref] for ref in refs if ref not in refused]
        if taken:
            await self._send(taken, ProcessingMode.COMPLETE)
            await self._files(phases.RESUBMISSION[1:])
        return refused

    async def list_resubmission(
        self, refs: Sequence[str], judgement: str, *, roll_forward: bool = False
    ) -> Mapping[str, str]:
        """Take the steps before the new MCF: list, judgement, roll forward (M1 to M3)."""
        desk = Resubmission(self.steps, self.files.mcc)
        refused: dict[str, str] = {}
        for ref in refs:
            why = await desk.admit(self.cases[ref], judgement, roll_forward=roll_forward)
            if why:
                refused[ref] = why
        return refused

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return cases, parties and files as JSON values; keys of parties are in it."""
        return {
            "cases": {ref: case.dump() for ref, case in self.cases.items()},
            "office": self.office.dump(),
            "files": self.files.dump(),
            "planning": self.planning.dump(),
            "commissioning": self.commissioning.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.office.load(state["office"])
        self.files.load(state["files"])
        self.planning.load(state["planning"])
        self.commissioning.load(state["commissioning"])
        for ref, row in state["cases"].items():
            self.cases[ref] = Case.restore(self.sites[ref], row)
        for site in self.sites.values():
            self.commissioning.take_up(site)

    # -- inside --------------------------------------------------------------------------------

    def _in(self, *states: State, lacking: str = "") -> list[Case]:
        """Return the installations in one of the states that lack a phase in this attempt."""
        return [
            case
            for case in self.cases.values()
            if case.state in states
            and (not lacking or lacking not in case.done)
            and (self.scope is None or case.ref in self.scope)
        ]

    def _tamper(self) -> None:
        """Hand the script's tampering to who sends the files."""
        self.files.tamper = {FileType(kind): spoil for kind, spoil in self.script.files.items()}
