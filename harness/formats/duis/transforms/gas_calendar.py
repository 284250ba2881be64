"""The parts of a gas calendar as one after the other is published.

Source:
    Their order: reference gbcs-usecases.tsv (GCS01a, GCS05); fields: RTDS 4.5.0 GCS21b and GCS21f
    read them so. That a calendar is named by the time it is published at: inferred of these.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emulator.codecs.zcl import calendar
from emulator.codecs.zcl.calendar import (
    CalendarType,
    PublishCalendar,
    PublishDayProfile,
    PublishSeasons,
    PublishSpecialDays,
    PublishWeekProfile,
)
from emulator.codecs.zcl.cluster import ClusterCommands, Command
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.transforms.calendar_bodies import GasSeason, GasSpecialDay

_WEEKDAYS = range(1, 8)


@dataclass(frozen=True, slots=True)
class GasCalendar:
    """A calendar that begins.

    Attributes:
        kind: What it switches.
        event: Issuer event identifier, and the identifier of the calendar.
        start_s: When it begins, seconds since 2000; 0: now.
    """

    kind: CalendarType
    event: int
    start_s: int

    def parts(
        self,
        *,
        days: Mapping[int, tuple[tuple[int, int], ...]],
        weeks: Mapping[int, Mapping[int, int]],
        seasons: tuple[GasSeason, ...],
        special_days: tuple[GasSpecialDay, ...],
    ) -> Iterator[tuple[ClusterCommands, Command]]:
        """Yield its commands.

        Args:
            days: Name of a day -> (minute, what counts from then on).
            weeks: Name of a week -> day of the week, 1 to 7 -> name of a day.
            seasons: Seasons.
            special_days: Days with profiles of their own.

        Raises:
            DuisError: A week lacks a day.
        """
        head = 0, self.event, self.event
        sizes = len(seasons), len(weeks), len(days)
        yield calendar.COMMANDS, PublishCalendar(*head, self.start_s, self.kind, 0, b"", *sizes)
        for day, entries in sorted(days.items()):
            told = PublishDayProfile(*head, day, len(entries), 0, 1, self.kind, entries)
            yield calendar.COMMANDS, told
        for week, named in sorted(weeks.items()):
            yield calendar.COMMANDS, PublishWeekProfile(*head, week, _whole_week(named))
        begun = tuple([(season.start.zcl, season.week) for season in seasons])
        yield calendar.COMMANDS, PublishSeasons(*head, 0, 1, begun)
        apart = tuple([(one.date.zcl, one.day) for one in special_days])
        yield (
            calendar.COMMANDS,
            PublishSpecialDays(*head, self.start_s, self.kind, len(apart), 0, 1, apart),
        )


def _whole_week(named: Mapping[int, int]) -> tuple[int, ...]:
    if set(named) != set(_WEEKDAYS):
        raise DuisError(DuisFault.BAD_NUMBER, "a week names each of its seven days once")
    return tuple([named[day] for day in _WEEKDAYS])
