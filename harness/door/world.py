"""What stands behind the door: homes, the DSP in front of them, and the S1SP."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from device_profiles.cpl import load_cpl
from device_profiles.words import SmetsVersion
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.door.flood import Flood
from harness.door.gbcs_homes import GbcsHomes
from harness.door.hand_out import HandOut, Participant
from harness.door.homes import Homes
from harness.door.looking_in import is_due, moment_of, read_or_none
from harness.door.settling import Agenda, Patience
from harness.door.smets1_homes import Smets1Homes
from harness.door.trust import Trust, trust_of
from harness.formats.duis.bodies import UpdateFirmware
from harness.formats.duis.dcc_bodies import CreateSchedule
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.responses import ACKNOWLEDGED, read_response
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.migration.collaborators import Plans
from harness.migration.course import Course
from harness.migration.lanes import Lanes
from harness.migration.record import InstallationRecord
from harness.migration.script import Script
from harness.parties.acb import Acb
from harness.parties.dsp import Dsp
from harness.parties.dsp_work import SendCommand
from harness.parties.post import Post
from harness.parties.s1sp_desk import S1spDesk
from harness.parties.s1sp_desk_records import hub_of
from harness.ports import CapturedFrame, Clock, Hub
from harness.rules.inventory import Inventory

#: Where an ear at a hub stops listening for a while. Source: invented.
_LISTEN_MS: Final = 30 * 86_400_000
#: By then every device is switched on and has begun. Source: invented.
_SWITCHED_ON_MS: Final = 120_000


class DoorWorld:
    """Homes, DSP and S1SP on one virtual time line; belongs in one event loop.

    Attributes:
        trust: Keys of everybody.
        agenda: What is still waited for.
        handed_out: Documents for service users that nobody wrote down yet.
        on_frames: Takes the frames that crossed while the homes moved; None: nobody reads them.
    """

    def __init__(self, homes: Homes, participants: KeyStore, patience: Patience | None = None):
        """Build the homes; nothing moves yet.

        Raises:
            UsageError: A home cannot be emulated.
        """
        self._homes = homes
        self._keys = participants
        self._gbcs = self._open_gbcs(None)
        dsp = self._gbcs.acb or TEST_PARTIES[Role.DSP]
        self.trust: Trust = trust_of(participants, homes.suppliers, dsp, homes.seed)
        self._smets1 = Smets1Homes(homes, self.trust) if homes.smets1 else None
        self.agenda = Agenda(patience or Patience())
        self.handed_out = HandOut()
        self.on_frames: Callable[[Sequence[CapturedFrame]], None] | None = None
        self._start_at: UtcMs | None = None
        self._dsp: Dsp | None = None
        #: Homes at which the S1SP does what users ask for, at a time.
        self._lanes = Lanes(1)
        self._tasks: dict[str, asyncio.Task[object]] = {}

    def _open_gbcs(self, start_at: UtcMs | None) -> GbcsHomes:
        homes = self._homes
        return GbcsHomes.open(
            homes.smets2,
            seed=homes.seed,
            overlays=homes.overlays,
            keys=self._keys,
            start_at=start_at,
        )

    # -- beginning -----------------------------------------------------------------------------

    async def begin(self) -> None:
        """Migrate the SMETS1 homes, where they are to stand migrated, and put everybody in place.

        Raises:
            UsageError: A home does not migrate.
        """
        if self._smets1 is not None:
            await self._smets1.open()
            if self._homes.migrated:
                await self._smets1.migrate()
            else:
                self._smets1.seat_suppliers(self._homes.suppliers)
            self._start_at = self._smets1.bench.clock.now()
            self._gbcs = self._open_gbcs(self._start_at)
        self._seat()
        self._gbcs.enrol(self.dsp, self._homes.overlays)
        if self._homes.disturbances:
            await self.advance(UtcMs(self.clock.now() + _SWITCHED_ON_MS))
        for order in self._homes.disturbances:
            self.disturb(order)

    async def resume(self, state: bytes) -> None:
        """Put everybody back to a dumped state.

        Raises:
            BenchError: It is of other homes.
        """
        await self.restore(json.loads(state))

    async def restore(self, stored: Mapping[str, Any]) -> None:
        """Put everybody back to a state, as the JSON values that ``dump`` writes.

        Raises:
            BenchError: It is of other homes.
        """
        self._start_at = stored["start_at"]
        if self._start_at is not None:
            self._gbcs = self._open_gbcs(self._start_at)
        self._gbcs.load(stored["gbcs"])
        if self._smets1 is not None:
            self._smets1.load(stored["smets1"])
            await self._smets1.open()
        self._seat()
        if stored["dsp"] is not None:
            self.dsp.load(stored["dsp"])
        self._register()
        self.agenda.load(stored["agenda"])
        self.handed_out.load(stored["handed_out"])

    def _seat(self) -> None:
        broker = self._gbcs.broker(self.trust.store)
        if self._smets1 is not None:
            self._lanes = Lanes(self._smets1.course.office.settings.lanes)
            self._dsp = self._smets1.world.dsp
            if broker is not None:
                broker.load(self._dsp.acb.dump())
                self._dsp.acb = broker
        else:
            self._dsp = self._plain_dsp(broker)
        self._register()

    def _plain_dsp(self, broker: Acb | None) -> Dsp:
        if broker is None:
            raise TypeError("neither kind of home")
        clock = self._gbcs.benches[0].clock
        return Dsp(
            broker,
            Inventory(),
            load_cpl(self._homes.overlays),
            Post(clock),
            xml_key=self.trust.dsp_key,
            signatories=self.trust.signatories(clock.now()),
        )

    def _register(self) -> None:
        roles = self._homes.suppliers
        for user in self.trust.users:
            told = roles.get(user, frozenset())
            self.dsp.register(Participant(user, told, f"user {user}", self._hand_out))

    def _hand_out(self, user: Eui64, document: bytes) -> None:
        self.handed_out.put(user, self.clock.now(), document)

    # -- looking -------------------------------------------------------------------------------

    @property
    def dsp(self) -> Dsp:
        """The DSP.

        Raises:
            RuntimeError: Nobody is in place yet.
        """
        if self._dsp is None:
            raise RuntimeError("the world has not begun")
        return self._dsp

    @property
    def clock(self) -> Clock:
        """The clock of the benches, which show one time."""
        found: Clock = self._benches()[0].clock
        return found

    def _benches(self) -> tuple[Any, ...]:
        own = () if self._smets1 is None else (self._smets1.bench,)
        return (*self._gbcs.benches, *own)

    def is_smets1(self, device: Eui64) -> bool:
        """Say whether a device is reached through an S1SP."""
        record = None if self._dsp is None else self._dsp.inventory.find(device)
        return record is not None and record.smets is SmetsVersion.SMETS1

    def public_keys(self) -> KeyStore:
        """Return the public keys of parties and devices."""
        return self.trust.store.public().merged(self._gbcs.public_keys())

    def at_rest(self) -> bool:
        """Say whether nothing more is to be waited for."""
        dsp, now = self.dsp, self.clock.now()
        if any(not task.done() for name, task in self._tasks.items() if name.startswith("do ")):
            return False
        if dsp.to_s1sps or any(is_due(work, now) for work in dsp.outbox):
            return False
        under_way = {str(transfer.request_id) for transfer in dsp.transfers.values()}
        return self.agenda.at_rest(now, under_way)

    # -- doing ---------------------------------------------------------------------------------

    def submit(self, document: bytes, user: Eui64) -> bytes:
        """Hand a request to the DSP; returns its signed response."""
        self._add_device(document)
        answer = self.dsp.submit(document, user)
        self._expect(document, read_response(answer).header.code)
        return answer

    def _add_device(self, document: bytes) -> None:
        asked = read_or_none(document)
        if self._smets1 is not None and asked is not None:
            self._smets1.add_home_device(asked.body, asked.request_id.target)

    def _expect(self, document: bytes, code: str) -> None:
        asked, now = read_or_none(document), self.clock.now()
        if asked is None or code.startswith("E"):
            return
        identity = str(asked.request_id)
        due = self.dsp.next_schedule_at() if isinstance(asked.body, CreateSchedule) else None
        if due is not None:
            self.agenda.look_forward_to(due, now)
        if isinstance(asked.body, UpdateFirmware):
            self.agenda.heard_at = now
            self.agenda.expect_image(identity, now)
        elif code == ACKNOWLEDGED and asked.request_id.target != self.dsp.acb.eui64:
            self.agenda.heard_at = now
            self.agenda.expect(identity, now, moment_of(asked))

    async def move(self, until: UtcMs) -> None:
        """Let homes and parties go on until a moment, or the next one at which work is due."""
        self._start_work()
        now = self.clock.now()
        due = [one.not_before for one in self.dsp.outbox if isinstance(one, SendCommand)]
        due.append(self.dsp.next_schedule_at())
        later = [moment for moment in due if moment is not None and now < moment < until]
        await self.clock.sleep_until(min([until, *later]))
        for identity in self.agenda.overdue(self.clock.now()):
            self.dsp.give_up(RequestId.parse(identity))
        if self._smets1 is not None:
            self._smets1.hear()
        self.dsp.post.letters.clear()
        for bench in self._benches():
            frames = bench.take_frames()  # taken in any case: they must not pile up
            if self.on_frames is not None:
                self.on_frames(frames)
            bench.take_observations()
        for name, task in [*self._tasks.items()]:
            if task.done():
                del self._tasks[name]
                task.result()

    def _start_work(self) -> None:
        now = self.clock.now()
        self.dsp.run_schedules()
        for hub in self._gbcs.hubs:
            self._keep(f"hear {hub.eui64}", partial(self._hear, hub))
            if any(work.hub == hub.eui64 and is_due(work, now) for work in self.dsp.outbox):
                self._keep(f"do {hub.eui64}", partial(self.dsp.carry_out, hub))
        if self._smets1 is not None and self.dsp.to_s1sps:
            desk = self._smets1.world.desk
            for home in dict.fromkeys(
                hub_of(desk.records, work.device) for work in self.dsp.to_s1sps
            ):
                self._keep(f"do S1SP {home}", partial(self._relay, desk, home))

    async def _relay(self, desk: S1spDesk, hub: Eui64) -> None:
        """Have the S1SP do what is asked at one home; a silent one holds up no other."""
        async with self._lanes:
            await self.dsp.relay(desk, lambda device: hub_of(desk.records, device) == hub)

    def _keep(self, name: str, make: Callable[[], Awaitable[object]]) -> None:
        """Have a piece of work under way, once."""
        if name not in self._tasks:
            self._tasks[name] = asyncio.ensure_future(make())

    async def _hear(self, hub: Hub) -> None:
        while True:
            await self.dsp.route(hub, UtcMs(self.clock.now() + _LISTEN_MS))

    async def stop(self) -> None:
        """End what is under way; the state that was dumped last holds it."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        if self._smets1 is not None:
            await self._smets1.close()

    # -- being conducted -----------------------------------------------------------------------

    @property
    def smets1(self) -> Smets1Homes:
        """The SMETS1 homes with everybody behind them.

        Raises:
            LookupError: There are none.
        """
        if self._smets1 is None:
            raise LookupError("no SMETS1 home stands behind this door")
        return self._smets1

    def batch(
        self, refs: Sequence[str], script: Script | None = None, planning: Plans | None = None
    ) -> Course:
        """Return the course of some homes; DSP, desk, files and memory are those of all homes.

        What it takes on is kept when the world is dumped; it may be driven phase by phase, and
        another course may be made of the same homes on a later day (``retry``, ``resubmit``).

        Args:
            refs: The homes.
            script: What goes wrong, and when.
            planning: Who plans and authorises; None: the office's own.

        Raises:
            KeyError: There is no such home.
        """
        return self.smets1.batch(refs, script, planning)

    async def migrate(
        self, refs: Sequence[str], script: Script | None = None, planning: Plans | None = None
    ) -> Mapping[str, InstallationRecord]:
        """Migrate some homes to a resting state, from today on; returns what is kept of each.

        Args:
            refs: The homes.
            script: What goes wrong, and when.
            planning: Who plans and authorises; None: the office's own.

        Raises:
            KeyError: There is no such home.
        """
        course = self.batch(refs, script, planning)
        await course.migrate()
        return course.records

    def disturb(self, order: str, refs: Collection[str] | None = None) -> None:
        """Put a disturbance into force: ``flood:alerts=10,over_s=600``.

        Args:
            order: What happens.
            refs: SMETS1 homes that it happens to; None: to the whole world.

        Raises:
            UsageError: The order means nothing.
        """
        now, flood = self.clock.now(), Flood.parse(order)
        self.agenda.heard_at = now  # short legs: alerts are signed and written down in parts
        if refs is None:
            self.agenda.look_forward_to(self._gbcs.flood(flood, now), now)
        if self._smets1 is not None:
            self.agenda.look_forward_to(self._smets1.flood(flood, now, refs), now)

    async def advance(self, until: UtcMs) -> None:
        """Let homes and parties go on until a moment, e.g. the next migration day."""
        while (now := self.clock.now()) < until:
            await self.move(min(until, self.agenda.next_look(now)))

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return the state of homes and parties; keys of emulated devices are in it."""
        state = {
            "start_at": self._start_at,
            "gbcs": self._gbcs.dump(),
            "smets1": None if self._smets1 is None else self._smets1.dump(),  # its DSP among them
            "dsp": self.dsp.dump() if self._smets1 is None else None,
            "agenda": self.agenda.dump(),
            "handed_out": self.handed_out.dump(),
        }
        return json.dumps(state, separators=(",", ":")).encode()
