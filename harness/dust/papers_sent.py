"""Papers the DCC sends a participant before a run's days: commitments and dormant schedules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from device_profiles.installation import Installation
from emulator.core.ids import Eui64
from harness.dust.definition import Definition
from harness.dust.papers_made import Paper, party_id
from harness.dust.plan import Plan
from harness.formats.authorisation.demand_file import (
    COMMITMENT,
    DemandLine,
    DemandName,
    render_demand,
)
from harness.formats.authorisation.dormant_schedule import FIRMWARE, SCHEDULE, render_workbook
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.migration_files.notifications import DormantFirmwareLine, DormantMeterLine
from harness.formats.migration_files.words import MeterStatus
from harness.rules.migration_planning import meters_of, status_of

#: Time of day in the names of these papers. Source: stand-in.
_SENT_AT: Final = time(5)
_WORKBOOK: Final = ".xlsx"


@dataclass(frozen=True, slots=True)
class PapersSent:
    """Writes what the DCC sends; the same run and day give the same octets.

    Attributes:
        definition: The run.
        plan: Its plan.
    """

    definition: Definition
    plan: Plan

    def commitment(self) -> Paper:
        """Return the demand commitment (DC): what the participant asks and gets on each day."""
        named = self.definition.participant
        lines = [
            DemandLine(day.day, share.demand, share.allocated)
            for day in self.plan.days
            for share in day.shares
            if share.who == named.name
        ]
        user = Eui64.parse(named.user_ids[0])
        tag, first = self.definition.cohort.cohort.smso_tag, self.plan.days[0].day
        name = DemandName(COMMITMENT, party_id(named.name), user, tag, first)
        return f"{name}.csv", render_demand(COMMITMENT, lines)

    def dormant_schedules(
        self, homes: Iterable[Installation], day: date
    ) -> tuple[tuple[str, str, bytes], ...]:
        """Return the dormant schedule notifications: supplier of dormant meters, name, octets.

        Args:
            homes: The homes; those without a day stand in none.
            day: The day on which they are sent.
        """
        due: dict[str, list[DormantMeterLine]] = {}
        planned = {one.ref: one for one in self.plan.homes}
        for home in homes:
            if home.ref not in planned:
                continue
            window = (planned[home.ref].day, planned[home.ref].ends_by)
            for meter in meters_of(home):
                if status_of(home, meter) is MeterStatus.DORMANT:
                    line = DormantMeterLine(home.ref, meter.mpxn or "", meter.supplier, *window)
                    due.setdefault(meter.supplier, []).append(line)
        return tuple(
            (
                supplier,
                self._name(SCHEDULE, supplier, day),
                render_workbook(DormantMeterLine, lines),
            )
            for supplier, lines in sorted(due.items())
        )

    def dormant_firmware(
        self, supplier: str, lines: Sequence[DormantFirmwareLine], day: date
    ) -> Paper:
        """Return a dormant firmware schedule notification for one supplier (4.26).

        Args:
            supplier: Its User ID.
            lines: Updates of dormant devices that the DCC instructs.
            day: The day on which it is sent.
        """
        return self._name(FIRMWARE, supplier, day), render_workbook(DormantFirmwareLine, lines)

    def _name(self, kind: str, supplier: str, day: date) -> str:
        tag = self.definition.cohort.cohort.smso_tag
        at = datetime.combine(day, _SENT_AT)
        return f"{AuthorisationName(kind, tag, Eui64.parse(supplier), at)}{_WORKBOOK}"
