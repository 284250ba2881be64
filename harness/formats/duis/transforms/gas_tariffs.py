"""Tariffs and prices of GSMEs: 1.1.1, 1.2.1.

Source:
    Commands and their order: reference gbcs-usecases.tsv (GCS01a, GCS01b); fields: known (Smart
    Energy 1.2), values such as units and places as RTDS 4.5.0 GCS21f reads them. No message of
    either use case is at hand: inferred.
"""

from collections.abc import Iterator
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import price
from emulator.codecs.zcl.calendar import CalendarType
from emulator.codecs.zcl.cluster import ClusterCommands, Command
from emulator.codecs.zcl.price import (
    PublishBlockThresholds,
    PublishPriceMatrix,
    PublishTariffInformation,
)
from harness.formats.duis.transforms.calendar_bodies import GasDayProfile
from harness.formats.duis.transforms.gas_calendar import GasCalendar
from harness.formats.duis.transforms.payloads import Asked, Payload, commanded, wrong_device
from harness.formats.duis.transforms.tariff_bodies import (
    GasBlockTariff,
    GasPrices,
    GasTariff,
    GasTouTariff,
)

#: ISO 4217 numbers; ECB: the euro.
_CURRENCIES: Final = {"GBP": 826, "ECB": 978}
_TOU_SCHEME, _BLOCK_SCHEME = 0x00, 0x10
#: Prices have five places of a pound. Source: RTDS GCS21f.
_FIVE_PLACES: Final = 0x50
_KWH: Final = 0
_MULTIPLIER, _DIVISOR = 1, 1_000
_TIER_PRICES: Final = 1
_ALL_TIERS: Final = 1
#: What a day of block prices switches to.
_NO_TIER: Final = 0

_Parts = Iterator[tuple[ClusterCommands, Command]]


def set_tariff(asked: Asked) -> Payload:
    """Return GCS01a."""
    tariff, prices = asked.body.tariff, asked.body.prices.prices
    if not isinstance(tariff, GasTariff) or not isinstance(prices, GasPrices):
        raise wrong_device(asked, DeviceType.ESME)
    event, start = asked.issuer_event, asked.start_s
    calendar = GasCalendar(CalendarType.DELIVERED, event, start).parts(
        days={one.name: ((0, _tier(one)),) for one in tariff.table.days.days},
        weeks={
            week.name: {one.index: one.day for one in week.days}
            for week in tariff.table.weeks.weeks
        },
        seasons=tariff.table.seasons.seasons,
        special_days=tariff.special_days.days,
    )
    ends = tuple([one.value for one in sorted(tariff.thresholds.blocks, key=lambda b: b.index)])
    thresholds = PublishBlockThresholds(0, event, start, event, 0, 1, _ALL_TIERS, 0, ends)
    information, matrix = _priced(asked, prices, len(ends))
    return commanded(
        MessageCode.GCS01A, (*calendar, information, (price.COMMANDS, thresholds), matrix)
    )


def _tier(day: GasDayProfile) -> int:
    return day.action if isinstance(day.action, int) else _NO_TIER


def set_prices(asked: Asked) -> Payload:
    """Return GCS01b."""
    prices = asked.body.prices.prices
    if not isinstance(prices, GasPrices):
        raise wrong_device(asked, DeviceType.ESME)
    tariff = prices.tariff
    thresholds = tariff.thresholds if isinstance(tariff, GasBlockTariff) else 0
    return commanded(MessageCode.GCS01B, _priced(asked, prices, thresholds))


def _priced(
    asked: Asked, prices: GasPrices, thresholds: int
) -> tuple[tuple[ClusterCommands, Command], tuple[ClusterCommands, Command]]:
    """Return what the tariff is, and its prices."""
    event, start = asked.issuer_event, asked.start_s
    by_time = isinstance(prices.tariff, GasTouTariff)
    rows = prices.tariff.tiers if isinstance(prices.tariff, GasTouTariff) else prices.tariff.blocks
    information = PublishTariffInformation(
        provider_id=0,
        issuer_event_id=event,
        tariff_id=event,
        start_s=start,
        scheme=_TOU_SCHEME if by_time else _BLOCK_SCHEME,
        label=b"",
        tiers_in_use=len(rows) if by_time else 0,
        thresholds_in_use=0 if by_time else thresholds,
        unit_of_measure=_KWH,
        currency=_CURRENCIES[prices.currency],
        trailing_digit=_FIVE_PLACES,
        standing_charge=prices.standing,
        tier_block_mode=0,
        threshold_multiplier=_MULTIPLIER,
        threshold_divisor=_DIVISOR,
    )
    said = tuple([(one.index, one.price) for one in sorted(rows, key=lambda row: row.index)])
    matrix = PublishPriceMatrix(0, event, start, event, 0, 1, _TIER_PRICES if by_time else 0, said)
    return (price.COMMANDS, information), (price.COMMANDS, matrix)
