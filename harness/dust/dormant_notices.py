"""What the DCC tells suppliers of dormant meters before a run's first day, and orders of the SMSO.

Schedules follow from the plan (4.24); firmware updates before migration (4.26) from the
definition's ``[[early_firmware]]``: the rule is asked, the order goes to the SMSO, and the supplier
is notified. What the participant is told goes out to it with the first turn.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.door.ports import OutFile
from harness.dust.chronicle import MIGRATION, Chronicle, plain_name
from harness.dust.definition import Definition
from harness.dust.early_updates import row_at
from harness.dust.events import Level, Phase
from harness.dust.papers_sent import PapersSent
from harness.dust.plan import Plan
from harness.formats.migration_files.notifications import DormantFirmwareLine
from harness.migration.course import Course
from harness.migration.planning import FirmwareOrder, Planning, combination_of
from harness.rules.in_hand import in_hand

_DCC, _SMSO = "DCC", "SMSO"
SCHEDULE: str = "dormant schedule notification"
FIRMWARE: str = "dormant firmware notification"


@dataclass(frozen=True, slots=True)
class DormantNotices:
    """Writes the notices of a run, once.

    Attributes:
        definition: The run.
        homes: Its homes.
        plan: Its plan.
        course: The course of all homes.
        chronicle: Where everything is told.
    """

    definition: Definition = field(repr=False)
    homes: Sequence[Installation] = field(repr=False)
    plan: Plan = field(repr=False)
    course: Course = field(repr=False)
    chronicle: Chronicle = field(repr=False)

    def send(self, day: date) -> tuple[OutFile, ...]:
        """Send all notices of a day; returns those for the participant.

        Args:
            day: The day on which they are sent.
        """
        sent = PapersSent(self.definition, self.plan)
        papers = [(SCHEDULE, *one) for one in sent.dormant_schedules(self.homes, day)]
        for supplier, lines in sorted(self._updates(day).items()):
            papers.append((FIRMWARE, supplier, *sent.dormant_firmware(supplier, lines, day)))
        users = self.definition.participant.user_ids
        for kind, supplier, name, octets in papers:
            self._tell(kind, supplier, name, octets)
        return tuple(OutFile(name, octets) for _, who, name, octets in papers if who in users)

    def _tell(self, kind: str, supplier: str, name: str, octets: bytes) -> None:
        path = f"{MIGRATION}/{plain_name(name)}"
        kept = self.chronicle.keep(path, octets, kind, sender=_DCC, receiver=supplier)
        self.chronicle.tell(
            "notice",
            f"{kind} for {supplier}",
            phase=Phase.PLANNING,
            party=_DCC,
            receiver=supplier,
            file=kept.path,
        )

    def _updates(self, day: date) -> dict[str, list[DormantFirmwareLine]]:
        """Order what is to be updated; returns what is allowed, supplier by supplier."""
        found: dict[str, list[DormantFirmwareLine]] = defaultdict(list)
        for home, device, to in self._asked_for():
            running = load_profile(device.profile, self.definition.overlays).identity
            versions = running.firmware_version, to
            order = self._order(home, device, versions)
            if not order.outcome.rejected:
                line = DormantFirmwareLine(home.ref, device.eui64, *versions, day)
                found[device.supplier].append(line)
        return found

    def _is_listed(self, device: InstalledDevice, version: str) -> bool:
        """Say whether the combination that the papers name is the one after the update."""
        return device.cpl_entry is not None and device.cpl_entry == row_at(
            self.definition, device, version
        )

    def _asked_for(self) -> Iterator[tuple[Installation, InstalledDevice, str]]:
        for table in self.definition.early_firmware:
            refs = set(self.definition.refs_of(table))
            for home in self.homes:
                for device in home.devices if home.ref in refs else ():
                    if device.role is DeviceType(table.device):
                        yield home, device, table.to

    def _order(
        self, home: Installation, device: InstalledDevice, versions: tuple[str, str]
    ) -> FirmwareOrder:
        office = self.course.office
        combination = combination_of(home, office)
        rows = office.lists.dmcs.entries.values() if self._is_listed(device, versions[1]) else ()
        dmc = next((one for one in rows if one.combination == combination), None)
        record = self.course.records[home.ref]
        order = Planning(office).early_update(record, device.eui64, dmc, versions=versions)
        outcome = order.outcome
        if not outcome.rejected:
            with in_hand(home.ref):
                office.smso.take_update(Eui64.parse(device.eui64), versions[1])
        said = f"refused: {outcome.code}" if outcome.rejected else "ordered"
        self.chronicle.tell(
            "early-firmware",
            f"{device.role} {versions[0]} to {versions[1]}: {said}",
            level=Level.WARNING if outcome.rejected else Level.INFO,
            phase=Phase.PLANNING,
            party=order.instructed_by,
            receiver=_SMSO,
            ref=home.ref,
            code=outcome.code if outcome.rejected else "",
        )
        return order
