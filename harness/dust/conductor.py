"""Leads a run: turn by turn from authorisation to close, day by day, in the door's own world."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from device_profiles.installation import Installation
from emulator.core.clock import UtcMs, iso, to_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.door.kept import Refused, Taken
from harness.door.ports import OutFile, Paper, PaperOutcome, TurnDone, TurnSheet
from harness.door.world import DoorWorld
from harness.dust import mrr, traffic
from harness.dust.batches import Batches
from harness.dust.bench_homes import BenchHomes
from harness.dust.chronicle import OUT, Chronicle, OnEvent, plain_name
from harness.dust.closing import RunDays
from harness.dust.definition import Definition
from harness.dust.definition_faults import defects_of, floods_of
from harness.dust.dormant_notices import DormantNotices
from harness.dust.early_updates import EarlyUpdates
from harness.dust.entry import Entry, answered, not_met
from harness.dust.events import Level, Phase
from harness.dust.hours import EVENING, MORNING, moment, waits_until
from harness.dust.papers import Desk, PaperOffice
from harness.dust.plan import Plan
from harness.dust.record import DustRecord
from harness.dust.recording import Recorder, header_of, write_record
from harness.dust.retrying import MOST_ROUNDS, Retrying, with_attempts
from harness.dust.stages import Memory, Migration
from harness.dust.turns import Progress, TurnKind, outcomes, sheet
from harness.dust.wire import Wire
from harness.migration.misconduct import Misconduct
from harness.migration.states import State
from harness.words import counted

_DAY_MS: Final = 86_400_000
#: Turn with which the DCC commits to what was asked for.
_COMMITS: Final = 2
_UNDER_WAY: Final = (State.AWAITING_CHF, State.IN_VALIDATION, State.VIABLE, State.HANDED_OVER)


class DustConductor:
    """Leads one run; a conductor of a door.

    Attributes:
        record: The record as it stood at the end of the last turn; None before the first.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- what a run is made of
        self,
        folder: Path,
        definition: Definition,
        homes: Sequence[Installation],
        days: RunDays,
        plan: Plan,
        participants: KeyStore,
        on_event: OnEvent | None = None,
        on_benches: BenchHomes | None = None,
    ) -> None:
        """Make a conductor.

        Args:
            folder: The run folder.
            definition: The definition.
            homes: Its homes.
            days: Its days.
            plan: Its plan.
            participants: The participant's keys.
            on_event: Called with every event.
            on_benches: Which homes stand on benches; None: none does.
        """
        self.record: DustRecord | None = None
        self._folder = folder
        self._definition = definition
        self._homes = homes
        self._days = days
        self._plan = plan
        self._participants = participants
        self._on_event = on_event
        self._on_benches = on_benches or BenchHomes()
        self._header = header_of(definition, days, homes, self._on_benches)
        self._progress = Progress()
        self._nexts: Mapping[TurnKind, Callable[[], Any]] = {
            TurnKind.AUTHORISE: self._after_authorisation,
            TurnKind.CORRECT: self._after_correction,
            TurnKind.DAY: self._after_day,
            TurnKind.CLOSE: self._after_close,
        }

    # -- beginning and going on ----------------------------------------------------------------

    async def begin(self, world: DoorWorld) -> TurnSheet | None:
        """Judge the entry criteria and open the first turn; None where the run cannot begin."""
        self._attach(world, {})
        self._progress.started_at = iso(self._now())
        self._chronicle.tell(
            "run",
            f"{self._header.label} {self._header.run_id}: {self._days.header()}",
            party=self._header.participant,
        )
        course = world.smets1.course
        there = self._on_benches.found(world.smets1.bench)
        entry = Entry(self._definition, course, self._participants, self._now(), there)
        for one in (judged := entry.judge()):
            level = Level.WARNING if one.verdict >= 2 else Level.INFO
            text = f"{one.id} {one.check}: {one.verdict.name}: {one.reason}"
            self._chronicle.tell("entry", text, level=level)
        self._progress.entry = list(judged)
        if not_met(judged):
            await self._migration.leave_out([home.ref for home in self._homes])
            self._finish()
            return None
        notices = DormantNotices(self._definition, self._homes, self._plan, course, self._chronicle)
        told = notices.send(self._today())
        await EarlyUpdates(course, self._chronicle).carry_out()
        return self._open(TurnKind.AUTHORISE, told)

    def load(self, world: DoorWorld, state: Mapping[str, Any]) -> None:
        """Go on where a checkpoint was."""
        self._attach(world, state)
        self._settle()

    def _attach(self, world: DoorWorld, state: Mapping[str, Any]) -> None:
        self._world = world
        has = bool(state)
        office = world.smets1.course.office
        if self._definition.retry.max_attempts is not None:
            office.book = with_attempts(office.book, self._definition.retry.max_attempts)
            office.book = Misconduct.of(defects_of(self._definition)).book(office.book)
        self._progress = Progress.load(state["progress"]) if has else Progress()
        self._chronicle = Chronicle(self._folder, self._now, self._on_event, state.get("chronicle"))
        self._wire = Wire(self._folder, state.get("wire"))
        world.on_frames = partial(self._wire.take, at_work=True)
        self._on_benches.watch(world.smets1.bench, self._chronicle)
        self._migration = Migration(
            self._definition,
            world,
            self._chronicle,
            self._wire,
            Memory.load(state["migration"]) if has else None,
        )
        self._papers = PaperOffice(
            self._definition,
            self._homes,
            office,
            world.trust.store,
            self._chronicle,
            self._today,
            desk=Desk.load(state["desk"]) if has else None,
        )
        self._traffic = traffic.Traffic(
            self._chronicle,
            self._homes,
            traffic.Memory.load(state["traffic"]) if has else None,
        )
        self._recorder = Recorder(self._definition, self._header, office.book, self._folder)
        self._retrying = Retrying.of(self._definition, office, self._papers.desk)
        self._batches = Batches(
            self._definition, self._homes, self._plan, office, self._papers.desk
        )

    def dump(self) -> Mapping[str, Any]:
        """Return the memory as JSON values."""
        return {
            "progress": self._progress.dump(),
            "chronicle": self._chronicle.dump(),
            "wire": self._wire.settle(),
            "migration": self._migration.memory.dump(),
            "desk": self._papers.desk.dump(),
            "traffic": self._traffic.memory.dump(),
        }

    def close(self) -> None:
        """Close the files of the run."""
        self._chronicle.close()
        self._wire.close()

    # -- while a turn is open ------------------------------------------------------------------

    def take(self, paper: Paper) -> PaperOutcome:
        """Take one paper."""
        self._progress.answered = True
        return self._papers.take(paper)

    def asked(self, taken: Taken, answer: bytes) -> None:
        """See a request and what the DSP answered at once."""
        self._progress.answered = True
        self._traffic.asked(taken, answer)

    def refused(self, refused: Refused) -> None:
        """See what a door refused."""
        self._traffic.refused(refused)

    def told(self, user: Eui64, document: bytes, at: UtcMs) -> None:
        """See a response or alert on its way to a service user."""
        self._traffic.told(user, document, self._world.smets1.course.office.clock.shown(at))

    async def turn(self, world: DoorWorld, done: TurnDone) -> TurnSheet | None:
        """Do the work that follows a turn."""
        self._world = world
        kind, silent = self._progress.kind, done.by_silence
        self._chronicle.tell(
            "turn-done",
            f"turn {done.turn} ({kind}) is over{': the participant was silent' if silent else ''}",
            level=Level.WARNING if silent else Level.INFO,
            party=self._header.participant,
        )
        if done.turn == 1:
            silent = silent and not self._progress.answered
            self._progress.entry = list(answered(self._progress.entry, by_silence=silent))
        await self._migration.look_behind_answers()
        found: TurnSheet | None = await self._nexts[kind]()
        return found

    # -- turns ---------------------------------------------------------------------------------

    async def _after_authorisation(self) -> TurnSheet | None:
        if self._batches.lacking():
            return self._open(TurnKind.CORRECT)
        return await self._play_day()

    async def _after_correction(self) -> TurnSheet | None:
        if self._progress.day < len(self._plan.days):
            return await self._play_day()
        return await self._retry()

    async def _after_day(self) -> TurnSheet | None:
        """Go on: the next day, another try, waiting hubs, or the end."""
        if self._progress.day < len(self._plan.days):
            return await self._play_day()
        if self._retry_day(asking=True) is not None:
            return self._open(TurnKind.CORRECT)
        last = waits_until(self._days.as_of, self._definition.cohort)
        if self._migration.in_states(*_UNDER_WAY) and self._today() <= last:
            return await self._wait()
        await self._migration.leave_out(self._plan.unplanned, has_place=False)
        await self._migration.leave_out([home.ref for home in self._homes])
        return self._open(TurnKind.CLOSE)

    async def _after_close(self) -> None:
        self._finish()

    # -- days ----------------------------------------------------------------------------------

    async def _play_day(self) -> TurnSheet | None:
        """Play the next migration day of the plan."""
        planned = self._plan.days[self._progress.day]
        self._progress.day += 1
        await self._migration.work_until(moment(planned.day, MORNING))
        batch = self._batches.of_day(planned, self._migration.in_states(State.PLANNED))
        self._chronicle.phase = Phase.VALIDATION
        begins = counted(len(batch), "home begins", "homes begin")
        text = f"migration day {planned.number}, {planned.day}: {begins}"
        told = {"refs": list(batch), "week": planned.week}
        self._chronicle.tell("day", text, phase=Phase.PLANNING, told=told)
        meters = self._papers.desk.meters
        await self._migration.begin_day(
            planned.number, batch, self._batches.arranged(batch), meters
        )
        await self._migration.work_until(moment(planned.day, EVENING))
        row = self._batches.row(planned, batch, self._progress.number + 1)
        self._progress.days.append(row)
        found = self._open(TurnKind.DAY)
        self._flood(planned.number)
        return found

    def _flood(self, day: int) -> None:
        """Let hubs tell of trouble while the turn behind a migration day is open."""
        for order, refs in floods_of(self._definition, day):
            self._world.disturb(order, refs)
            text = f"injected: {order} at {counted(len(refs), 'home')}"
            self._chronicle.tell("fault", text, level=Level.WARNING, told={"refs": list(refs)})

    def _retry_day(self, *, asking: bool = False) -> date | None:
        """Return the next day on which homes may be tried again; None where none is left.

        Args:
            asking: Whether the participant may still be asked for its word, where one is needed.
        """
        days = [*self._retrying.pending(self._triable, asking=asking).values()]
        if self._batches.late(self._migration.in_states(State.PLANNED)):
            days.append(self._today())
        found = max(min(days), self._today() + timedelta(days=1)) if days else None
        if found is None or found > self._days.as_of or self._progress.rounds >= MOST_ROUNDS:
            return None
        return found

    async def _retry(self) -> TurnSheet | None:
        """Play a day on which homes that failed are tried again."""
        day = self._retry_day()
        self._retrying.take_silence_for_no(self._migration.records)
        if day is None:
            return await self._after_day()
        self._progress.rounds += 1
        number = len(self._plan.days) + self._progress.rounds
        await self._migration.work_until(moment(day, MORNING))
        again = self._retrying.due(self._triable, day)
        fresh = self._batches.late(self._migration.in_states(State.PLANNED))
        self._chronicle.phase = Phase.VALIDATION
        text = f"{counted(len(again), 'home is', 'homes are')} tried again, {len(fresh)} begin"
        self._chronicle.tell("retry", text, told={"refs": [*again, *fresh]})
        meters, why = self._papers.desk.meters, self._retrying.judgement(again)
        refused = await self._migration.again(number, again, why, meters)
        for ref, why in refused.items():
            self._chronicle.tell("not-resubmitted", why, level=Level.WARNING, ref=ref)
        if fresh:
            await self._migration.begin_day(number, fresh, self._batches.arranged(fresh), meters)
        await self._migration.work_until(moment(self._today(), EVENING))
        row = self._batches.extra_row(day, (*again, *fresh), self._progress.number + 1)
        self._progress.days.append(row)
        return self._open(TurnKind.DAY)

    async def _wait(self) -> TurnSheet | None:
        """Let days pass until no hub is waited for any more."""
        before = self._migration.in_states(*_UNDER_WAY)
        for _day in range(self._definition.cohort.handover.chf_contact_timeout_days + 1):
            await self._migration.work_until(UtcMs(self._now() + _DAY_MS))
            if self._migration.in_states(*_UNDER_WAY) != before:
                break
        return self._open(TurnKind.DAY)

    @property
    def _triable(self) -> Mapping[str, Any]:
        return self._on_benches.triable(self._migration.records, self._world.smets1.bench)

    # -- time ----------------------------------------------------------------------------------

    def _now(self) -> UtcMs:
        return self._world.smets1.course.office.clock.now()

    def _today(self) -> date:
        return to_datetime(self._now()).date()

    # -- sheets and records --------------------------------------------------------------------

    def _open(self, kind: TurnKind, notices: tuple[OutFile, ...] = ()) -> TurnSheet:
        """Open a turn: what goes out is kept, the record is written."""
        progress = self._progress
        progress.number += 1
        progress.kind = kind
        self._migration.letters.settle(progress.number)
        self._chronicle.turn = progress.number
        self._chronicle.phase = Phase.PLANNING if not progress.day else Phase.AFTER
        if kind is TurnKind.CLOSE:
            self._chronicle.phase = Phase.CLOSE
        files = (*notices, *self._out_files(self._made(over=False)))
        found = sheet(progress, self._today(), files, self._batches.lacking())
        for file in found.files:
            self._chronicle.keep(
                f"{OUT}/{plain_name(file.name)}",
                file.octets,
                "turn file",
                sender="DCC",
                receiver=self._header.participant,
            )
        self._chronicle.tell(
            "turn", f"turn {found.number}: {kind}", receiver=self._header.participant
        )
        self._settle()
        return found

    def _out_files(self, record: DustRecord) -> tuple[OutFile, ...]:
        committed = self._batches.committed() if self._progress.number == _COMMITS else ()
        if not self._progress.day:
            return committed
        number = self._progress.number
        told = [*committed, *self._migration.out_files(), outcomes(number, record)]
        if (found := mrr.daily(record, self._today())) is not None:
            told.append(OutFile(f"mrr-{number:03d}-{self._today()}.csv", found))
        return tuple(told)

    def _settle(self) -> None:
        """Write the record as it stands."""
        self.record = self._made(over=self._progress.is_over)
        write_record(self._folder, self.record)

    def _made(self, *, over: bool) -> DustRecord:
        return self._recorder.record(
            self._chronicle,
            self._migration.records,
            criteria=self._progress.entry,
            days=self._progress.days,
            moments=(self._progress.started_at, iso(self._now()) if over else ""),
            today=self._days.as_of,
            over=over,
            skipped=self._on_benches.not_played(self._world.smets1.bench),
        )

    def _finish(self) -> None:
        self._migration.letters.settle(self._progress.number + 1)
        self._chronicle.phase = Phase.CLOSE
        self._chronicle.tell("run", "the run is over")
        self._wire.settle()
        self._progress.is_over = True
        self._settle()
