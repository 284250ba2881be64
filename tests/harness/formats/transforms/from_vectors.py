"""Bodies of requests out of what a pre-command says; read here, not by the transforms."""

from datetime import UTC, datetime
from typing import Any

from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem
from emulator.codecs.dlms.axdr import BitString, Data
from emulator.codecs.gbcs import dates, envelope
from emulator.core.clock import UtcMs, from_datetime
from harness.formats.duis import date_time
from harness.formats.duis.transforms import account_bodies as account
from harness.formats.duis.transforms import calendar_bodies as calendar
from harness.formats.duis.transforms import partial_dates as partial
from harness.formats.duis.transforms import tariff_bodies as tariff
from harness.formats.duis.transforms.load_bodies import Weekdays


def items_of(octets: bytes) -> list[AccessItem]:
    """Return the items of a DLMS pre-command."""
    return list(access.decode_request(envelope.decode(octets).payload).items)


def _values(data: Data) -> Any:
    value = data.value
    return [_values(one) for one in value] if isinstance(value, tuple) else value


def _moment(octets: bytes) -> UtcMs | None:
    if octets == dates.NOW:
        return None
    if octets == dates.NEVER:
        return date_time.CANCEL
    return dates.decode_date_time(octets)[0]


def _date(octets: bytes) -> partial.PartialDate:
    year, month, day, weekday = int.from_bytes(octets[:2], "big"), octets[2], octets[3], octets[4]
    return partial.PartialDate(
        year=partial.Year(said=_said(year, 0xFFFF)),
        month=partial.Month(said=_said(month)),
        day=partial.Day(said=_said(day)),
        weekday=partial.DayOfWeek(said=_said(weekday)),
    )


def _said(number: int, unsaid: int = 0xFF) -> Any:
    return partial.Unsaid() if number == unsaid else number


def _time(octets: bytes) -> str:
    return ":".join(f"{part:02d}" for part in octets[:3])


def _on(bits: BitString) -> list[int]:
    return [n for n in range(bits.count) if bits.octets[n // 8] & 0x80 >> n % 8]


def second_tariff(octets: bytes) -> tariff.UpdateSecondTariff:
    """Read ECS01c."""
    matrix, seasons, weeks, days, special, activation, *_ = [
        _values(item.data) for item in items_of(octets)
    ]
    prices = [tariff.SecondPrice(index=index[0], price=price) for index, price in matrix[2]]
    return tariff.UpdateSecondTariff(
        execution_time=_moment(activation),
        table=calendar.SecondSwitchingTable(
            days=calendar.SecondDayProfiles(
                days=tuple(
                    calendar.SecondDayProfile(
                        name=name,
                        switches=tuple(
                            calendar.SecondSwitch(at=_time(at), tou=selector - 200)
                            for at, _script, selector in switches
                        ),
                    )
                    for name, switches in days
                )
            ),
            weeks=_weeks(weeks),
            seasons=calendar.Seasons(
                seasons=tuple(
                    calendar.Season(name=name.decode(), start=_date(start[:5]), week=week[0])
                    for name, start, week in seasons
                )
            ),
        ),
        special_days=calendar.SpecialDays(
            days=tuple(calendar.SpecialDay(date=_date(on), day=day) for _index, on, day in special)
        ),
        prices=tariff.SecondPrices(scale=matrix[0][1], tiers=tuple(prices)),
    )


def _weeks(weeks: Any) -> calendar.WeekProfiles:
    return calendar.WeekProfiles(
        weeks=tuple(
            calendar.WeekProfile(
                name=name[0],
                days=tuple(calendar.WeekDay(index=n, day=day) for n, day in enumerate(days, 1)),
            )
            for name, *days in weeks
        )
    )


def prices(octets: bytes) -> tariff.UpdatePrices:
    """Read ECS01b, by the indexes that its prices bear."""
    standing, matrix, activation, _again = [_values(item.data) for item in items_of(octets)]
    tiers: dict[int, int] = {}
    blocks: dict[int, dict[int, int]] = {}
    for index, price in matrix[2]:
        high, low = index[0] >> 4, index[0] & 0xF
        if index[0] <= 0x30:
            tiers[index[0]] = price
        else:
            blocks.setdefault(low, {})[high - 9] = price
    rows = tuple(
        tariff.BlockPrices(
            index=index,
            prices=tuple(tariff.BlockPrice(index=n, price=one) for n, one in said.items()),
        )
        for index, said in sorted(blocks.items())
    )
    said_tiers = tuple(tariff.TouPrice(index=n, price=one) for n, one in tiers.items())
    hybrid = tariff.HybridTariff(blocks=rows, tiers=said_tiers)
    return tariff.UpdatePrices(
        execution_time=_moment(activation),
        prices=tariff.PrimaryPrices(
            prices=tariff.ElectricityPrices(
                standing=standing[2][0][1],
                standing_scale=standing[0][1],
                scale=matrix[0][1],
                tariff=hybrid,
            )
        ),
    )


#: Year put where a vector leaves it open: DUIS 5.4 writes whole dates there.
YEAR = 2015


def closed(octets: bytes) -> bytes:
    """Return an ECS08 whose calendar rows leave no year open."""
    env = envelope.decode(octets)
    request = access.decode_request(env.payload)
    items = list(request.items)
    table = items[3].data.value
    assert isinstance(table, tuple)
    shut = tuple(_shut_row(row) for row in table)
    items[3] = AccessItem(
        items[3].operation,
        items[3].class_id,
        items[3].obis,
        items[3].index,
        Data(items[3].data.tag, shut),
    )
    payload = access.encode_request(access.AccessRequest(request.invoke_id, tuple(items)))
    return envelope.encode(envelope.Envelope(env.header, payload))


def _shut_row(row: Data) -> Data:
    cells = row.value
    assert isinstance(cells, tuple)
    return Data(row.tag, (*cells[:8], *map(_shut, cells[8:])))


def _shut(data: Data) -> Data:
    octets = data.value
    assert isinstance(octets, bytes)
    year = octets[:2] if octets[:2] != b"\xff\xff" else YEAR.to_bytes(2, "big")
    return Data(data.tag, year + octets[2:])


def prepayment(octets: bytes) -> account.UpdatePrepayment:
    """Read ECS08, none of whose years is open."""
    said = [_values(item.data) for item in items_of(octets)]
    special, most, credit, table, cap, _week, low, limit, activation, threshold, *_ = said
    return account.UpdatePrepayment(
        execution_time=_moment(activation),
        settings=account.ElectricitySettings(
            recovery_cap=cap,
            emergency_limit=limit,
            emergency_threshold=threshold,
            low_threshold=low,
            most_balance=most,
            most_credit=credit,
            calendar=account.NonDisablement(
                special_days=account.NumberedDays(
                    days=tuple(
                        account.NumberedDay(index=index, date=_date(on)) for index, on, _ in special
                    )
                ),
                rows=tuple(_row(row) for row in table),
            ),
        ),
    )


def _row(row: Any) -> account.NonDisablementRow:
    _index, _enabled, _script, selector, at, _validity, weekdays, special, begin, end = row
    return account.NonDisablementRow(
        script="START" if selector == 32 else "STOP",
        special_days=account.SpecialDayIds(
            days=tuple(account.SpecialDayId(number=n + 1) for n in _on(special))
        ),
        weekdays=Weekdays(
            days=tuple(partial.Weekday(name=partial.WEEKDAYS[n]) for n in _on(weekdays))
        ),
        span=account.WholeSpan(at=_time(at), begin=_whole(begin), end=_whole(end)),
    )


def _whole(octets: bytes) -> str:
    return f"{int.from_bytes(octets[:2], 'big'):04d}-{octets[2]:02d}-{octets[3]:02d}"


def utc(*parts: int) -> UtcMs:
    """Return a moment."""
    return from_datetime(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc] # year, month, day, …
