"""Tariffs and prices of ESMEs: 1.1.1, 1.1.2, 1.2.1, 1.2.2.

Source:
    RTDS 4.5.0 ECS01b, ECS01c; what ECS01a adds is read by RTDS ECS24. ECS01d: the use-case table.
"""

from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from harness.formats.duis.transforms.calendar_bodies import (
    Block,
    DayProfile,
    Season,
    SecondDayProfile,
    SpecialDays,
    Tou,
    WeekProfile,
    WeekProfiles,
)
from harness.formats.duis.transforms.dlms_data import (
    array,
    name,
    special_day_rows,
    structure,
    time,
    u8,
    u16,
)
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import Asked, Payload, written, wrong_device
from harness.formats.duis.transforms.payment import charge
from harness.formats.duis.transforms.tariff_bodies import (
    BlockTariff,
    ElectricityPrices,
    ElectricityTariff,
    SecondPrices,
    Thresholds,
    TouTariff,
)

_SCRIPTS: Final = parse_obis("0-0:10.0.100.255")
#: Selectors of a switching table. Source: RTDS ECS24 (1, 101, 102) and ECS01c (201 …).
_FIRST_TOU, _FIRST_BLOCK, _FIRST_SECOND = 1, 101, 201
_TOUS, _BLOCKS, _SETS, _SECOND_TOUS, _THRESHOLDS = 48, 4, 8, 4, 3
#: Prices are of a kWh: thousands of the register's Wh. Source: RTDS ECS01b, ECS01c.
_KILO: Final = 3
_IMPORT: Final = {"class": 3, "object": "1-0:1.8.0.255", "attribute": 2}
_SECOND_IMPORT: Final = {"class": 3, "object": "1-20:1.8.0.255", "attribute": 2}
#: A block that does not end. Source: RTDS ECS24.
_UNBOUNDED: Final = 0xFFFFFFFF
_UNSAID_TAIL: Final = encode_date_time(UtcMs(0))[5:]


def set_tariff(asked: Asked) -> Payload:
    """Return ECS01a."""
    tariff, prices = asked.body.tariff, asked.body.prices.prices
    if not isinstance(tariff, ElectricityTariff) or not isinstance(prices, ElectricityPrices):
        raise wrong_device(asked, DeviceType.GSME)
    values = {
        **_switching("tariff", tariff.table, _FIRST_TOU),
        "passive_tariff_special_days": _special_days(tariff.special_days),
        **_thresholds(tariff.thresholds.sets),
        "passive_currency_is_pound": tariff.currency == "GBP",
        **_prices(prices),
        **dict.fromkeys((*_PRICE_ACTIVATIONS, *_TARIFF_ACTIVATIONS), asked.activation),
    }
    return written(asked, MessageCode.ECS01A, values)


_PRICE_ACTIVATIONS: Final = ("standing_charge_activation", "price_matrix_activation")
_TARIFF_ACTIVATIONS: Final = (
    "tariff_activation",
    "tariff_special_days_activation",
    "currency_is_pound_activation",
    "tariff_thresholds_activation",
)


def set_prices(asked: Asked) -> Payload:
    """Return ECS01b."""
    prices = asked.body.prices.prices
    if not isinstance(prices, ElectricityPrices):
        raise wrong_device(asked, DeviceType.GSME)
    values = _prices(prices) | dict.fromkeys(_PRICE_ACTIVATIONS, asked.activation)
    return written(asked, MessageCode.ECS01B, values)


def set_second_tariff(asked: Asked) -> Payload:
    """Return ECS01c."""
    _needs_second(asked)
    body = asked.body
    activations = (
        "second_tariff_activation",
        "second_price_matrix_activation",
        "second_tariff_special_days_activation",
    )
    values = {
        "passive_second_price_matrix": _second_matrix(body.prices),
        **_switching("second_tariff", body.table, _FIRST_SECOND),
        "passive_second_tariff_special_days": _special_days(body.special_days),
        **dict.fromkeys(activations, asked.activation),
    }
    return written(asked, MessageCode.ECS01C, values)


def set_second_prices(asked: Asked) -> Payload:
    """Return ECS01d."""
    _needs_second(asked)
    values = {
        "passive_second_price_matrix": _second_matrix(asked.body.prices),
        "second_price_matrix_activation": asked.activation,
    }
    return written(asked, MessageCode.ECS01D, values)


def _needs_second(asked: Asked) -> None:
    if not asked.device.twin:
        raise TransformError(Refusal.DEVICE_TYPE, "the ESME has no second element")


# -- prices --------------------------------------------------------------------------------------


def _prices(prices: ElectricityPrices) -> dict[str, Any]:
    matrix = charge(_KILO, prices.scale, _matrix(prices)) | {"commodity": _IMPORT}
    return {
        "passive_standing_charge": charge(0, prices.standing_scale, prices.standing),
        "passive_price_matrix": matrix,
    }


def _matrix(prices: ElectricityPrices) -> list[int]:
    """Return all 80 prices: 48 by time of use, then each block of 8 sets; what is not said is 0."""
    found = [0] * (_TOUS + _BLOCKS * _SETS)
    tariff = prices.tariff
    for tier in () if isinstance(tariff, BlockTariff) else tariff.tiers:
        found[tier.index - 1] = tier.price
    for one in () if isinstance(tariff, TouTariff) else tariff.blocks:
        for block in one.prices:
            found[_TOUS + (block.index - 1) * _SETS + one.index - 1] = block.price
    return found


def _second_matrix(prices: SecondPrices) -> dict[str, Any]:
    found = [0] * _SECOND_TOUS
    for tier in prices.tiers:
        found[tier.index - 1] = tier.price
    return charge(_KILO, prices.scale, found) | {"commodity": _SECOND_IMPORT}


def _thresholds(sets: tuple[Thresholds, ...]) -> dict[str, list[int]]:
    if {one.index for one in sets} != set(range(1, _SETS + 1)):
        raise TransformError(Refusal.MALFORMED, "thresholds name each of the eight sets once")
    found: dict[str, list[int]] = {}
    for one in sorted(sets, key=lambda each: each.index):
        ends = [_UNBOUNDED] * _THRESHOLDS
        for block in one.blocks:
            ends[block.index - 1] = block.wh
        found[f"passive_tariff_thresholds_{one.index}_wh"] = ends
    return found


# -- switching tables ----------------------------------------------------------------------------


def _switching(prefix: str, table: Any, first: int) -> dict[str, Data]:
    return {
        f"passive_{prefix}_seasons": array(_season(one) for one in table.seasons.seasons),
        f"passive_{prefix}_weeks": _weeks(table.weeks),
        f"passive_{prefix}_days": array(_day(one, first) for one in table.days.days),
    }


def _season(season: Season) -> Data:
    start = season.start.octets + _UNSAID_TAIL
    return structure(
        Data(Tag.OCTETS, season.name.encode()), Data(Tag.OCTETS, start), name(season.week)
    )


def _weeks(weeks: WeekProfiles) -> Data:
    return array(structure(name(one.name), *map(u8, _whole_week(one))) for one in weeks.weeks)


def _whole_week(week: WeekProfile) -> list[int]:
    named = {one.index: one.day for one in week.days}
    if len(named) != len(week.days):
        raise TransformError(Refusal.MALFORMED, "a week names each of its seven days once")
    return [named[index] for index in sorted(named)]


def _day(day: DayProfile | SecondDayProfile, first: int) -> Data:
    switches = [
        structure(time(one.at), Data(Tag.OCTETS, _SCRIPTS), u16(_selector(one, first)))
        for one in day.switches
    ]
    return structure(u8(day.name), array(switches))


def _selector(switch: Any, first: int) -> int:
    if first == _FIRST_SECOND:
        return int(switch.tou) + first - 1
    action: Tou | Block = switch.action
    return action.number - 1 + (_FIRST_TOU if isinstance(action, Tou) else _FIRST_BLOCK)


def _special_days(days: SpecialDays) -> Data:
    return special_day_rows(
        [(index, one.date.octets, one.day) for index, one in enumerate(days.days, 1)]
    )
