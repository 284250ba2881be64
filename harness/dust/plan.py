"""The plan of a run: which home migrates on which day, capacity shared out as in the MSM."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from device_profiles.installation import Installation
from device_profiles.words import InstallationClass
from harness.dust.closing import RunDays
from harness.dust.definition import Definition
from harness.dust.definition_homes import changes
from harness.rules.migration_calendar import migration_week
from harness.rules.migration_capacity import Demand, allocate
from harness.rules.migration_rulebook import load_rule_book

#: Row of dormant demand, of whatever supplier; it comes first (TMAD 4.24).
DORMANT: Final = "dormant"


@dataclass(frozen=True, slots=True)
class Share:
    """What one asks on a day and gets.

    Attributes:
        who: Supplier, or ``dormant``.
        demand: What is asked: the day's own and what was left over, installations.
        allocated: What it gets, installations.
    """

    who: str
    demand: int
    allocated: int

    @property
    def carried(self) -> int:
        """What goes over to the next day."""
        return self.demand - self.allocated


@dataclass(frozen=True, slots=True)
class PlannedHome:
    """One home of the run.

    Attributes:
        ref: The home.
        day: Day on which its migration starts.
        week: Migration Week it counts to, whenever it ends (4.15).
        ends_by: Last day on which it may still be under way.
        dormant: Whether it has its place as a dormant one.
        changes_to: User ID of the supplier it changes to before commissioning; or empty.
    """

    ref: str
    day: date
    week: str
    ends_by: date
    dormant: bool
    changes_to: str = ""


@dataclass(frozen=True, slots=True)
class PlanDay:
    """One migration day.

    Attributes:
        number: From 1.
        day: The day, UTC.
        week: Its Migration Week.
        shares: Dormant first, then suppliers in SEC-party order: the participant, the others.
        starts: Homes of the run whose migration starts.
        under_way: How many homes of earlier days may still wait for their hub.
    """

    number: int
    day: date
    week: str
    shares: tuple[Share, ...]
    starts: tuple[str, ...]
    under_way: int

    @property
    def total(self) -> int:
        """All that is allocated, installations."""
        return sum(one.allocated for one in self.shares)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan.

    Attributes:
        run: Identifier of the run.
        cohort: Cohort key.
        participant: The participant's name.
        header: The line on the run's days.
        per_day: Capacity, installations a day.
        dmin: Flat allocation, installations a day.
        remainder: Rule for the rest.
        days: The days, in order.
        homes: Homes that have a day, in the order in which they start.
        unplanned: Homes for which the days do not suffice.
        remarks: What is to be known of it.
    """

    run: str
    cohort: str
    participant: str
    header: str
    per_day: int
    dmin: int
    remainder: str
    days: tuple[PlanDay, ...]
    homes: tuple[PlannedHome, ...] = field(repr=False)
    unplanned: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def day_of(self, ref: str) -> date | None:
        """Return the day on which a home starts; None where it has none."""
        return next((one.day for one in self.homes if one.ref == ref), None)

    def dump(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "run": self.run,
            "cohort": self.cohort,
            "participant": self.participant,
            "header": self.header,
            "capacity": {
                "per_day": self.per_day,
                "dmin": self.dmin,
                "remainder": self.remainder,
                "evidence": "source:DCC-msm (DMIN); remainder and Migration Week: stand-in",
            },
            "days": [_day_json(one) for one in self.days],
            "installations": [
                {
                    "ref": one.ref,
                    "day": one.day.isoformat(),
                    "week": one.week,
                    "ends_by": one.ends_by.isoformat(),
                    "dormant": one.dormant,
                    "changes_to": one.changes_to or None,
                }
                for one in self.homes
            ],
            "unplanned": list(self.unplanned),
            "remarks": list(self.remarks),
        }


def plan(
    definition: Definition,
    homes: Sequence[Installation],
    days: RunDays,
    remarks: Sequence[str] = (),
) -> Plan:
    """Plan a run.

    Every home is asked for on the first day; what a day cannot take is asked for again on the
    next. The others' demand comes anew every day, and is carried over likewise. A home that
    changes its supplier under way keeps its day: who supplies it is looked at when it is
    commissioned.

    Args:
        definition: The definition.
        homes: Its homes.
        days: Its days.
        remarks: What else is to be known of it.

    Source:
        S004 §4.1.1, DCC-msm (dormant first, DMIN); carrying over, and that a change of supplier
        costs no place: invented.
    """
    table = definition.capacity
    dmin = table.dmin
    if dmin is None:
        dmin = load_rule_book(definition.overlays).settings.dmin_installations_per_day
    queues = _Queues(definition, homes)
    rows = []
    for number, day in enumerate(days.migration, start=1):
        demand = queues.ask()
        given = allocate(demand, table.per_day, dmin, table.remainder)
        rows.append((number, day, demand, given, queues.take(day, given.dormant, given.active)))
    planned = queues.planned
    return Plan(
        run=definition.run.id,
        cohort=definition.cohort.key,
        participant=definition.participant.name,
        header=days.header(),
        per_day=table.per_day,
        dmin=dmin,
        remainder=table.remainder,
        days=tuple(
            PlanDay(
                number,
                day,
                migration_week(day),
                _shares(demand, given.dormant, given.active),
                starts,
                sum(one.day < day <= one.ends_by for one in planned),
            )
            for number, day, demand, given, starts in rows
        ),
        homes=tuple(planned),
        unplanned=queues.left,
        remarks=(*_remarks(definition, queues.left, days), *remarks),
    )


class _Queues:
    """Homes that wait for their day, and what the others ask for."""

    def __init__(self, definition: Definition, homes: Sequence[Installation]) -> None:
        cohort = definition.cohort
        self._wait = cohort.handover.chf_contact_timeout_days if cohort.cohort.multi_day else 0
        self._new = {one.ref: one.to for one in changes(definition)}
        self._me = definition.participant.name
        self._others = dict(definition.capacity.other_demand)
        self._dormant_daily = self._others.pop(DORMANT, 0)
        self._backlog = dict.fromkeys((DORMANT, *self._others), 0)
        # Homes with a dormant meter come first, as the rules of planning have it (TMAD 4.24).
        active = InstallationClass.ACTIVE
        self._dormant = [home.ref for home in homes if home.installation_class is not active]
        self._active = [home.ref for home in homes if home.installation_class is active]
        self.planned: list[PlannedHome] = []

    @property
    def left(self) -> tuple[str, ...]:
        """Homes that have no day."""
        return (*self._dormant, *self._active)

    def ask(self) -> Demand:
        """Return the demand of the next day; what others want anew joins what they did not get."""
        for who in self._others:
            self._backlog[who] += self._others[who]
        self._backlog[DORMANT] += self._dormant_daily
        others = {who: self._backlog[who] for who in self._others}
        return Demand(
            len(self._dormant) + self._backlog[DORMANT],
            {self._me: len(self._active), **others},
        )

    def take(self, day: date, dormant: int, active: Mapping[str, int]) -> tuple[str, ...]:
        """Give the day's places away; the run's own dormant homes come before others'."""
        mine = self._dormant[:dormant]
        self._backlog[DORMANT] -= dormant - len(mine)
        for who in self._others:
            self._backlog[who] -= active[who]
        places = active[self._me]
        starts = (*mine, *self._active[:places])
        self._dormant, self._active = self._dormant[dormant:], self._active[places:]
        for number, ref in enumerate(starts):
            self.planned.append(
                PlannedHome(
                    ref,
                    day,
                    migration_week(day),
                    day + timedelta(days=self._wait),
                    number < len(mine),
                    self._new.get(ref, ""),
                )
            )
        return starts


def _shares(demand: Demand, dormant: int, active: Mapping[str, int]) -> tuple[Share, ...]:
    rows = [Share(DORMANT, demand.dormant, dormant)]
    rows += [Share(who, wanted, active[who]) for who, wanted in demand.active.items()]
    return tuple(rows)


def _remarks(definition: Definition, left: Sequence[str], days: RunDays) -> Iterable[str]:
    yield from days.remarks
    if left:
        table = definition.capacity
        yield (
            f"{len(left)} homes have no day: {table.days} days of {table.per_day} installations do"
            " not suffice (capacity.per_day, capacity.days)"
        )
    if definition.cohort.cohort.multi_day:
        wait = definition.cohort.handover.chf_contact_timeout_days
        yield f"a migration may wait {wait} days for its hub, and counts to the week it started in"


def _day_json(one: PlanDay) -> dict[str, Any]:
    return {
        "number": one.number,
        "day": one.day.isoformat(),
        "week": one.week,
        "shares": [
            {
                "who": share.who,
                "demand": share.demand,
                "allocated": share.allocated,
                "carried": share.carried,
            }
            for share in one.shares
        ],
        "total": one.total,
        "starts": list(one.starts),
        "under_way": one.under_way,
    }
