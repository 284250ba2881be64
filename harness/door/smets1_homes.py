"""SMETS1 homes: migrated first, then reached through their S1SP's desk."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from device_profiles.announced import announced_in_smets1
from device_profiles.cohort import load_cohort
from device_profiles.installation import InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.codecs.dlms.hub_alert import HubAlert
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.benches import RUN_BENCHES
from harness.door.flood import Flood
from harness.door.gbcs_homes import emulated
from harness.door.homes import Homes
from harness.door.trust import Trust
from harness.errors import UsageError
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.smets1_bodies import LogChange, UpdateHanDeviceLog
from harness.formats.migration_files.building import Keys
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.migration.collaborators import Plans
from harness.migration.commissioning import Commissioning
from harness.migration.commissioning_world import CommissioningWorld
from harness.migration.course import Course
from harness.migration.custody import S1SP
from harness.migration.misconduct import Misconduct
from harness.migration.office import Office
from harness.migration.script import Script
from harness.migration.site import sites_of
from harness.migration.states import State
from harness.migration.terms import Terms
from harness.parties.s1sp_desk_records import DeskRecord
from harness.rules.migration_rulebook import load_rule_book
from harness.rules.roles import UserRole
from harness.run_options import RunOptions
from harness.setting import named

_WORLD: Final = "SMETS1"
#: Homes of a run that goes on for days: no two neighbours are switched on at one moment, so that
#: their gas meters do not wake at one moment either and the S1SP comes from one to the next without
#: waiting half an hour each time; and homes that nobody turns to cost nothing. Source: invented.
_MANY_DAYS: Final = {"gap_ms": 90_000, "doze": True}


class Smets1Homes:
    """SMETS1 homes of one cohort on one emulated bench, and everybody behind them.

    Attributes:
        bench: Their bench.
        course: The parties, with the memory of the migration.
    """

    def __init__(self, homes: Homes, trust: Trust) -> None:
        """Build the homes, still under their SMSO.

        Raises:
            UsageError: A home cannot be emulated.
        """
        self._homes = homes.smets1
        self._trust = trust
        self._overlays = homes.overlays
        self._seed = homes.seed
        self._wrong = Misconduct.of(homes.defects)
        self._switches = self._wrong.switches(homes.switches)
        cohort = load_cohort(homes.smets1[0].cohort or "", homes.overlays)
        self._cohort = self._wrong.cohort(cohort)
        settings = {
            "homes": homes.smets1,
            "start_at": homes.start_at,
            "defects": homes.defects,
            **({} if homes.migrated else _MANY_DAYS),
        }
        options = RunOptions(
            seed=homes.seed,
            data=homes.overlays,
            world=_WORLD,
            settings=settings,
            folder=homes.folder,
        )
        self.bench: Any = emulated().open_bench(options)
        self._on_lines = bool(homes.benches)
        if homes.benches:
            on_lines = named(RUN_BENCHES["open"])
            self.bench = on_lines(self.bench, homes.smets1, homes.benches, options)
        start = None if homes.migrated else self.bench.clock.now()
        self.course = self._parties(start)

    async def open(self) -> None:
        """Open what stands on lines: devices are there, and say who they are.

        Raises:
            BenchError: A port, a child or a device is not there.
        """
        if self._on_lines:
            await self.bench.open()

    async def close(self) -> None:
        """Let go of what stands on lines."""
        if self._on_lines:
            await self.bench.close()

    @property
    def world(self) -> CommissioningWorld:
        """DSP, Commissioning Party and the S1SP's desk.

        Raises:
            TypeError: Somebody else commissions.
        """
        if isinstance(self.course.commissioning, Commissioning):
            return self.course.commissioning.world
        raise TypeError(type(self.course.commissioning).__name__)

    def _parties(self, start: UtcMs | None) -> Course:
        """Seat everybody afresh; the DSP is the one in front of the other homes, too."""
        book = self._wrong.book(load_rule_book(self._overlays))
        terms = Terms(self._overlays, self._switches, start=start, keystore=self._trust.store)
        terms = replace(terms, book=book)
        chance = Chance(self._seed)
        office = Office.open(self.bench.clock, chance, self._cohort, self._homes, terms)
        office.keys = Keys(office.keys.store, {**TEST_PARTIES, Role.DSP: self._trust.dsp})
        course = Course(office, sites_of(self.bench, self._cohort, self._homes))
        self._wrong.put_wrong(course)
        return course

    async def migrate(self) -> None:
        """Migrate and commission the homes as on their cohort's first day, then come to today.

        Raises:
            UsageError: A home does not migrate; says why.
        """
        await self.course.migrate()
        for ref, record in self.course.records.items():
            if record.state is not State.MIGRATED:
                why = next((one.text for one in reversed(record.history) if one.text), "")
                raise UsageError(
                    f"the home cannot be migrated to its S1SP: {record.state.value}: {why}",
                    where=ref,
                    cause="a combination of models that is on no EPCL row of its cohort",
                    next_command=f"smetsbench installations new --cohort {self._cohort.key}",
                )
        self.load_parties(self.dump_parties())

    def seat_suppliers(self, suppliers: Mapping[Eui64, frozenset[UserRole]]) -> None:
        """Seat the homes' suppliers before any of them migrates: nobody takes their place later."""
        for supplier, roles in suppliers.items():
            self.world.seat(supplier, sorted(roles), f"supplier {supplier}")

    def batch(self, refs: Sequence[str], script: Script | None, planning: Plans | None) -> Course:
        """Return the course of some homes over the parties of all; see ``DoorWorld.batch``."""
        whole = self.course
        course = Course(
            whole.office,
            [whole.sites[ref] for ref in refs],
            script,
            files=whole.files,
            planning=planning or whole.planning,
            commissioning=whole.commissioning,
        )
        course.cases.update({ref: whole.cases[ref] for ref in refs})
        return course

    def add_home_device(self, body: RequestBody, hub: Eui64) -> None:
        """Bring a device of the installation within reach that is now added to its hub (8.11)."""
        if not isinstance(body, UpdateHanDeviceLog) or body.change is not LogChange.ADD:
            return
        desk, item = self.world.desk, self._named(body.device)
        known = self.world.dsp.inventory.find(hub)
        if item is None or known is None or body.device in desk.records:
            return
        profile = load_profile(item.profile, self._overlays)
        identity, (nominal, _smets) = profile.identity, announced_in_smets1(profile)
        self.world.reach.add_ppmid(body.device, hub, item.profile)
        desk.enrol(
            [
                DeskRecord(
                    body.device,
                    item.role,
                    hub,
                    declared=nominal,
                    own_make=identity.manufacturer_hex == known.manufacturer,
                )
            ]
        )

    def _named(self, device: Eui64) -> InstalledDevice | None:
        found = (one for home in self._homes for one in home.of(DeviceType.PPMID))
        return next((one for one in found if one.eui64 == str(device)), None)

    def flood(self, flood: Flood, now: UtcMs, refs: Collection[str] | None = None) -> UtcMs:
        """Have hubs tell of trouble with their network; returns when the last one does.

        Args:
            flood: How much.
            now: The present moment.
            refs: Which homes'; None: all of them.
        """
        meant = [home.ref for home in self._homes if refs is None or home.ref in refs]
        last = now
        for number, ref in enumerate(meant):
            for moment in flood.moments(now, number, len(meant)):
                self.bench.trouble(ref, moment)
                last = max(last, moment)
        return last

    def hear(self) -> int:
        """Have the S1SP pass on what hubs told it unasked; returns how much that was.

        What a hub that has not moved yet tells its SMSO stays there.
        """
        world, clock = self.world, self.course.office.clock
        passed_on = 0
        for network, notice in self.bench.take_alerts():
            alert = HubAlert.read(notice.octets) if network == S1SP else None
            if alert is None:
                continue
            document = world.desk.tell_of_trouble(alert, clock.shown(notice.at))
            if document is not None:
                world.dsp.take_from_s1sp(document, world.desk.party, world.desk.name)
                passed_on += 1
        return passed_on

    # -- memory --------------------------------------------------------------------------------

    def dump_parties(self) -> dict[str, Any]:
        """Return the memory of all parties as JSON values, letters between them left out."""
        state: dict[str, Any] = json.loads(json.dumps(self.course.dump()))
        state["office"]["post"] = []
        state["office"]["ahead_ms"] = 0
        state["chance"] = self.course.office.chance.dump()
        return state

    def load_parties(self, state: dict[str, Any]) -> None:
        """Seat everybody again with a memory; their calendar is the bench's clock."""
        self.course = self._parties(self.bench.clock.now())
        self.course.load(state)
        self.course.office.chance.load(state["chance"])

    def dump(self) -> dict[str, Any]:
        """Return the state of bench and parties."""
        parties = self.course.dump()
        parties["office"] |= {"post": [], "ahead_ms": 0}
        parties["chance"] = self.course.office.chance.dump()
        return {"bench": (self.bench.dump() or b"").hex(), "parties": parties}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped state.

        Raises:
            BenchError: It is of other homes.
        """
        self.bench.restore(bytes.fromhex(state["bench"]))
        self.load_parties(state["parties"])
