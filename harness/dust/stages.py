"""The migration of a run: batch after batch over the days, in the one world behind its doors.

A day's batch goes through its files on that day; hubs that are waited for are waited for across
days, while later batches begin. Whatever a party does is told as it happens.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.ports import OutFile
from harness.door.world import DoorWorld
from harness.dust.chronicle import Chronicle
from harness.dust.declared import Meters, declared
from harness.dust.definition import Definition
from harness.dust.definition_faults import defects_of, trouble_of
from harness.dust.definition_homes import Change, changes
from harness.dust.definition_words import ChangeMoment
from harness.dust.device_looks import DeviceLooks, wanted_of
from harness.dust.events import Level, Phase
from harness.dust.letters import Letters
from harness.dust.told_looks import ToldLooks
from harness.dust.told_looks import wanted_of as answers_wanted
from harness.dust.wire import Wire
from harness.migration.course import Course
from harness.migration.file_work import FileWork
from harness.migration.lanes import Lanes
from harness.migration.planning import Arrangements, Planning
from harness.migration.record import Entry, InstallationRecord
from harness.migration.script import Script, When
from harness.migration.states import State
from harness.migration.steps import FAILED, MOVED, WARNED
from harness.rules.migration_planning import needed

_LEG_MS: Final = 3_600_000
_PHASES: Final = {
    "P": Phase.PLANNING,
    "V": Phase.VALIDATION,
    "M": Phase.VALIDATION,
    "H": Phase.TESTING,
    "T": Phase.TESTING,
    "R": Phase.TESTING,
    "C": Phase.COMMISSIONING,
}
_METERS: Final = (DeviceType.ESME, DeviceType.GSME)


@dataclass(slots=True)
class Memory:
    """What the migration of a run remembers beside the world's own memory.

    Attributes:
        told: Ref -> how many lines of its history are told.
        days: Migration day, from 1 -> the homes it began with.
        on_links: Orders that are in force.
        changed: Homes whose supplier has changed.
        looked: Homes whose devices were looked at.
    """

    told: dict[str, int] = field(default_factory=dict)
    days: dict[int, tuple[str, ...]] = field(default_factory=dict)
    on_links: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "told": self.told,
            "days": [[day, list(refs)] for day, refs in self.days.items()],
            "on_links": self.on_links,
            "changed": self.changed,
            "looked": self.looked,
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> "Memory":
        """Return a dumped one."""
        days = {int(day): tuple(refs) for day, refs in state["days"]}
        lists = (list(state[name]) for name in ("on_links", "changed", "looked"))
        return cls(dict(state["told"]), days, *lists)


class Migration:
    """Drives the one course of all homes.

    Attributes:
        memory: What it remembers.
        letters: The messages between parties.
    """

    def __init__(
        self,
        definition: Definition,
        world: DoorWorld,
        chronicle: Chronicle,
        wire: Wire,
        memory: Memory | None = None,
    ) -> None:
        """Take the world's course over.

        Args:
            definition: The run's definition.
            world: The world, begun or resumed.
            chronicle: Where everything is told.
            wire: The capture.
            memory: What ``memory.dump`` returned, loaded; None at the beginning.
        """
        self._definition = definition
        self._world = world
        self._chronicle = chronicle
        self._wire = wire
        self.memory = memory or Memory()
        self.letters = Letters(chronicle, definition.participant.user_ids)
        self._course.watch = self._look
        self._course.script = self._script(0, ())

    @property
    def _course(self) -> Course:
        return self._world.smets1.course

    @property
    def records(self) -> dict[str, InstallationRecord]:
        """What is kept of each home."""
        return self._course.records

    def in_states(self, *states: State) -> tuple[str, ...]:
        """Return the homes in some states, in their order."""
        return tuple(ref for ref, one in self.records.items() if one.state in states)

    # -- authorisation -------------------------------------------------------------------------

    async def leave_out(self, refs: Sequence[str], *, has_place: bool = True) -> None:
        """Judge homes that did not begin: without a place (P4), or not authorised (P5).

        Args:
            refs: Which; those that began are left alone.
            has_place: Whether the plan has a day for them.
        """
        due = [ref for ref in refs if self.records[ref].state is State.PLANNED]
        if due and not has_place:
            await self._authorise(due, Arrangements(capacity=0))
        elif due:
            office, homes = self._course.office, self._course.sites
            cohort, settings = office.cohort, office.book.settings
            parties = [needed(homes[ref].installation, cohort, settings) for ref in due]
            withheld = frozenset(party for one in parties for party in one.authorises)
            untold = frozenset(party for one in parties for party in one.notified)
            await self._authorise(due, Arrangements(withheld=withheld, unnotified=untold))

    async def _authorise(self, refs: Sequence[str], arranged: Arrangements) -> None:
        planning = self._course.planning
        if isinstance(planning, Planning):
            planning.arrangements = arranged
        self._course.scope = frozenset(refs)
        await self._course.plan()
        await self._course.authorise()
        self._flush()

    # -- days ----------------------------------------------------------------------------------

    async def begin_day(
        self,
        number: int,
        refs: Sequence[str],
        arranged: Arrangements | None = None,
        meters: Mapping[str, Meters] | None = None,
    ) -> None:
        """Let the migration of a day's batch begin: planning to the end of its files.

        Args:
            number: The migration day, from 1.
            refs: The batch.
            arranged: What suppliers and the MCC have arranged.
            meters: Ref -> what its supplier declared of its meters.
        """
        self.memory.days[number] = (*self.memory.days.get(number, ()), *refs)
        planning = self._course.planning
        if isinstance(planning, Planning):
            planning.arrangements = arranged or Arrangements()
        self._course.scope = frozenset(refs)
        self._course.script = self._script(number, refs)
        self._declare(meters or {})
        await self._disturb(number, refs)
        await self._change_suppliers(refs, ChangeMoment.AUTHORISATION)
        await self._course.begin()
        await self._settle_script(refs)

    def _declare(self, meters: Mapping[str, Meters]) -> None:
        """Let the Requesting Party's files say of homes what their suppliers authorised."""
        files = self._course.files
        if isinstance(files, FileWork):
            files.declared = {ref: partial(declared, meters=told) for ref, told in meters.items()}

    async def again(
        self,
        number: int,
        refs: Sequence[str],
        judgement: str,
        meters: Mapping[str, Meters] | None = None,
    ) -> dict[str, str]:
        """Try homes again that failed: as a normal migration, by 5.8A, or commissioning anew.

        Args:
            number: The migration day, from 1.
            refs: Which.
            judgement: Why the MCC expects success.
            meters: Ref -> what its supplier declared of its meters.

        Returns:
            Ref -> why it was not tried again, for those that were not.
        """
        self.memory.days[number] = tuple(refs)
        self._declare(meters or {})
        course, records = self._course, self.records
        course.scope = frozenset(refs)
        course.script = self._script(number, refs, files=False)
        anew = [r for r in refs if records[r].state in {State.REJECTED, State.ROLLED_BACK}]
        stranded = [r for r in refs if records[r].state is State.STRANDED]
        failed = [r for r in refs if records[r].state is State.COMMISSIONING_FAILED]
        refused: dict[str, str] = {}
        if anew:
            course.scope = frozenset(anew)
            await course.retry(anew)
            await course.begin()
        if stranded:
            course.scope = frozenset(stranded)
            refused |= await course.begin_resubmission(stranded, judgement)
        if failed:
            course.scope = frozenset(failed)
            await course.commission()
        await self._settle_script(refs)
        return refused

    async def _settle_script(self, refs: Sequence[str]) -> None:
        """End what concerns a batch alone: what goes on is everybody's."""
        await self._change_suppliers(refs, ChangeMoment.HANDOVER)
        self._course.scope = None
        self._course.script = replace(self._course.script, files={})
        self._flush()

    async def work_until(self, moment: UtcMs) -> None:
        """Wait for hubs, test and commission until a moment, then let the homes be.

        What has begun at a home by then is brought to its end: at most as late as one home takes.
        """
        self._course.scope = None
        if self._world.clock.now() < moment:
            work = asyncio.ensure_future(self._on_site(moment))
            try:
                await self._pass_time(moment, work)
                await work
            finally:
                work.cancel()
            self._flush()
        await self._look_at_devices()

    async def _on_site(self, moment: UtcMs) -> None:
        if self.in_states(State.AWAITING_CHF, State.IN_VALIDATION, State.VIABLE):
            await self._course.on_site(moment)

    async def _pass_time(self, moment: UtcMs, work: asyncio.Task[None]) -> None:
        """Let time pass until a moment, and take from where it piles up what work leaves there."""
        clock = self._world.clock
        while clock.now() < moment and not (work.done() and work.exception()):
            before = self._chronicle.last
            await clock.sleep_until(min(moment, UtcMs(clock.now() + _LEG_MS)))
            at_work = self._chronicle.last > before or self._course.lanes.busy > 0
            self._flush(at_work=at_work)

    async def _look_at_devices(self) -> None:
        """Look at what cases ask of homes that have migrated since the last time."""
        wanted, looked = wanted_of(self._definition), {*self.memory.looked}
        migrated = self.in_states(State.MIGRATED)
        due = [ref for ref in migrated if ref in wanted and ref not in looked]
        self.memory.looked += due

        async def look(ref: str) -> None:
            await DeviceLooks(self._course, self._chronicle, wanted).look(ref)
            self._flush()

        await Lanes(self._course.office.settings.lanes).each(due, look)

    async def look_behind_answers(self) -> None:
        """Compare the answers of this turn with what their devices show, where cases ask for it."""
        wanted = answers_wanted(self._definition)
        if wanted:
            await ToldLooks(self._course, self._chronicle, wanted).look()
            self._flush()

    # -- what goes wrong -----------------------------------------------------------------------

    def _script(self, number: int, refs: Sequence[str], *, files: bool = True) -> Script:
        """Return what goes wrong: orders of all days so far, files of this one."""
        orders: dict[When, tuple[str, ...]] = {}
        for day, those in self.memory.days.items():
            orders |= trouble_of(self._definition, day, those).trouble.script.orders
        today = trouble_of(self._definition, number, tuple(refs)).trouble.script
        return Script(orders, today.files if files else {}, omits=today.omits)

    async def _disturb(self, number: int, refs: Sequence[str]) -> None:
        if number == 1:
            for name in defects_of(self._definition):
                self._chronicle.tell("fault", f"built in: {name}", level=Level.WARNING)
        for order in trouble_of(self._definition, number, tuple(refs)).trouble.on_links:
            if order not in self.memory.on_links:
                self.memory.on_links.append(order)
                await self._world.smets1.bench.disturb(order)
                self._chronicle.tell("fault", f"injected: {order}", level=Level.WARNING)

    async def _change_suppliers(self, refs: Sequence[str], moment: ChangeMoment) -> None:
        for one in changes(self._definition):
            due = one.ref in refs and one.after is moment and one.ref not in self.memory.changed
            if due:
                self.memory.changed.append(one.ref)
                self._change(one)

    def _change(self, one: Change) -> None:
        """Register another supplier for the meters that the home's own supplier has."""
        home = self._course.sites[one.ref].installation
        old = next(item.supplier for item in home.devices if item.role is DeviceType.ESME)
        parties, new = self._world.smets1.world, Eui64.parse(one.to)
        for kind in _METERS:
            for meter in home.of(kind):
                if meter.supplier == old and meter.mpxn is not None:
                    parties.change_supply(meter.mpxn, new, kind, f"supplier {one.to}")
                    self._chronicle.tell(
                        "change-of-supplier",
                        f"{kind.value} of {one.ref} is supplied by {one.to} now",
                        ref=one.ref,
                        device=str(meter.eui64),
                        party=one.to,
                        told={"from": old, "to": one.to},
                    )

    # -- telling -------------------------------------------------------------------------------

    async def _look(self, _step: str, record: InstallationRecord) -> None:
        self._tell_history(record)

    def _tell_history(self, record: InstallationRecord) -> None:
        seen = self.memory.told.get(record.ref, 0)
        for entry in record.history[seen:]:
            self._tell_entry(record, entry)
        self.memory.told[record.ref] = len(record.history)

    def _tell_entry(self, record: InstallationRecord, entry: Entry) -> None:
        bad = entry.result in {FAILED, WARNED} or (entry.result == MOVED and bool(entry.code))
        self._chronicle.tell(
            "state" if entry.result == MOVED else "step",
            entry.text,
            at=entry.at,
            level=Level.WARNING if bad else Level.INFO,
            phase=_PHASES.get(entry.step[:1], Phase.AFTER),
            party=entry.actor,
            ref=record.ref,
            device=entry.device,
            step=entry.step,
            state=entry.state,
            code=_with_sub(entry),
            told={"result": entry.result},
        )

    def _flush(self, *, at_work: bool = True) -> None:
        """Tell what is not told yet, and take letters and frames from where they pile up."""
        told = self.memory.told
        for ref, record in self.records.items():  # of all homes, after each look at one of them
            if len(record.history) != told.get(ref):
                self._tell_history(record)
        self.letters.take(self._course)
        bench = self._world.smets1.bench
        self._wire.take(bench.take_frames(), at_work=at_work)
        bench.take_observations()

    def out_files(self) -> tuple[OutFile, ...]:
        """Return what parties wrote to the participant since this was asked last."""
        return self.letters.handed_out()


def _with_sub(entry: Entry) -> str:
    return f"{entry.code}-{entry.sub_code}" if entry.code and entry.sub_code else entry.code
