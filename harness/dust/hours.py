"""The hours of a run's days."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from device_profiles.cohort import Cohort
from emulator.core.clock import UtcMs, from_datetime
from harness.dust.plan import Plan

#: When a migration day's work begins, and when it is over. Source: invented.
MORNING: Final = time(6)
EVENING: Final = time(22)
_DAY: Final = timedelta(days=1)
#: Days that a run waits beyond twice the time that its cohort gives a hub. Source: invented.
_LONGER_DAYS: Final = 7


def moment(day: date, at: time) -> UtcMs:
    """Return an hour of a day, UTC."""
    return from_datetime(datetime.combine(day, at, UTC))


def begins_at(plan: Plan) -> UtcMs:
    """Return the first moment of a run: the morning before its first migration day."""
    return moment(plan.days[0].day - _DAY, MORNING)


def waits_until(as_of: date, cohort: Cohort) -> date:
    """Return the last day on which a run waits for hubs: a home that goes on for ever is left."""
    return as_of + timedelta(days=2 * cohort.handover.chf_contact_timeout_days + _LONGER_DAYS)
