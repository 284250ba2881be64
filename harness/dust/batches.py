"""Which homes begin on which day: the plan's, as far as they are authorised."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from device_profiles.installation import Installation
from emulator.core.ids import Eui64
from harness.door.ports import OutFile
from harness.dust.definition import Definition
from harness.dust.mrr import week_of
from harness.dust.papers import Desk
from harness.dust.plan import Plan, PlanDay
from harness.dust.record import Day
from harness.formats.authorisation.demand_file import (
    COMMITMENT,
    DemandLine,
    DemandName,
    render_demand,
)
from harness.migration.office import Office
from harness.migration.planning import Arrangements
from harness.rules.migration_planning import needed
from harness.rules.split_supply import party_of


@dataclass(frozen=True, slots=True)
class Batches:
    """Puts batches together.

    Attributes:
        definition: The definition.
        homes: Its homes.
        plan: Its plan.
        office: Rules and cohort.
        desk: What is authorised.
    """

    definition: Definition = field(repr=False)
    homes: Sequence[Installation] = field(repr=False)
    plan: Plan = field(repr=False)
    office: Office = field(repr=False)
    desk: Desk = field(repr=False)

    def lacking(self) -> tuple[str, ...]:
        """Return the homes that need the participant's authorisation and have none."""
        return tuple(ref for ref in self._mine() if ref not in self.desk.windows)

    def _mine(self) -> tuple[str, ...]:
        """Return the homes that migrate with the participant's leave alone."""
        settings, cohort = self.office.book.settings, self.office.cohort
        own = {party_of(one, settings) for one in self.definition.participant.user_ids}
        return tuple(
            home.ref for home in self.homes if needed(home, cohort, settings).authorises & own
        )

    def of_day(self, planned: PlanDay, waiting: Sequence[str]) -> tuple[str, ...]:
        """Return the homes that begin on a day: its own, and earlier ones authorised since.

        Args:
            planned: The day.
            waiting: Homes that did not begin yet.
        """
        due = [ref for day in self.plan.days[: planned.number] for ref in day.starts]
        return self._authorised(due, waiting)

    def late(self, waiting: Sequence[str]) -> tuple[str, ...]:
        """Return the homes that have a place, were authorised late, and did not begin yet."""
        return self._authorised([one.ref for one in self.plan.homes], waiting)

    def _authorised(self, due: Sequence[str], waiting: Sequence[str]) -> tuple[str, ...]:
        able = {*waiting}.difference(self.lacking())
        return tuple(ref for ref in due if ref in able)

    def arranged(self, refs: Sequence[str]) -> Arrangements:
        """Return what suppliers have arranged for homes: their windows."""
        windows = self.desk.windows
        told = {
            ref: (date.fromisoformat(windows[ref][0]), date.fromisoformat(windows[ref][1]))
            for ref in refs
            if ref in windows
        }
        return Arrangements(windows=told)

    def committed(self) -> tuple[OutFile, ...]:
        """Return the commitment to the demand that was handed in; none where none was."""
        named = self.definition.participant
        if not self.desk.demand or not self.plan.days:
            return ()
        shares = [
            (day.day, share)
            for day in self.plan.days
            for share in day.shares
            if share.who == named.name
        ]
        lines = [DemandLine(day, one.demand, one.allocated) for day, one in shares]
        name = DemandName(
            COMMITMENT,
            self.desk.party,
            Eui64.parse(named.user_ids[0]),
            self.definition.cohort.cohort.smso_tag,
            self.plan.days[0].day,
        )
        return (OutFile(f"{name}.csv", render_demand(COMMITMENT, lines)),)

    def row(self, planned: PlanDay, refs: Sequence[str], turn: int) -> Day:
        """Return the row of a migration day of the plan."""
        return Day(
            planned.day,
            planned.week,
            self.plan.per_day,
            {one.who: one.demand for one in planned.shares},
            {one.who: one.allocated for one in planned.shares},
            tuple(refs),
            turn,
        )

    def extra_row(self, day: date, refs: Sequence[str], turn: int) -> Day:
        """Return the row of a day behind the plan, on which homes are tried again."""
        return Day(day, week_of(day), self.plan.per_day, {}, {}, tuple(refs), turn)
