"""Tariffs and prices: 1.1.1, 1.1.2, 1.2.1, 1.2.2."""

from dataclasses import dataclass
from typing import Annotated, Final

from emulator.core.clock import UtcMs
from harness.formats.duis import kinds
from harness.formats.duis.transforms.calendar_bodies import (
    GasSpecialDays,
    GasSwitchingTable,
    SecondSwitchingTable,
    SpecialDays,
    SwitchingTable,
)
from harness.formats.duis.transforms.declared import (
    SCALE,
    SHORT,
    UNSIGNED_INT,
    Body,
    element,
    mark,
    one_of,
    text,
)

_CURRENCY: Final = kinds.one_of("CurrencyUnits", frozenset({"GBP", "ECB"}))
_BLOCK: Final = kinds.whole_number(1, 4)
_TOU_SET: Final = kinds.whole_number(1, 8)
_THRESHOLD: Final = kinds.whole_number(1, 3)
_WIDE: Final = kinds.whole_number(0, 2**48 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPrice(Body):
    """The price of one block."""

    index: Annotated[int, mark("index", _BLOCK)]
    price: Annotated[int, text(SHORT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPrices(Body):
    """The prices of the blocks of one set."""

    index: Annotated[int, mark("index", _TOU_SET)]
    prices: Annotated[tuple[BlockPrice, ...], element("BlockPrice", BlockPrice, most=4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TouPrice(Body):
    """The price of one tier by time of use."""

    index: Annotated[int, mark("index", kinds.whole_number(1, 48))]
    price: Annotated[int, text(SHORT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTariff(Body):
    """Prices by blocks."""

    blocks: Annotated[tuple[BlockPrices, ...], element("BlockPrices", BlockPrices, most=8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TouTariff(Body):
    """Prices by time of use."""

    tiers: Annotated[tuple[TouPrice, ...], element("TOUPrice", TouPrice, most=48)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridTariff(Body):
    """Prices by both."""

    blocks: Annotated[tuple[BlockPrices, ...], element("BlockPrices", BlockPrices, most=8)]
    tiers: Annotated[tuple[TouPrice, ...], element("TOUPrice", TouPrice, most=48)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityPrices(Body):
    """Prices of electricity, times ten to their scale in pounds."""

    standing: Annotated[int, element("StandingCharge", SHORT)]
    standing_scale: Annotated[int, element("StandingChargeScale", SCALE)]
    scale: Annotated[int, element("PriceScale", SCALE)]
    tariff: Annotated[
        BlockTariff | TouTariff | HybridTariff,
        one_of(
            ("BlockTariff", BlockTariff), ("TOUTariff", TouTariff), ("HybridTariff", HybridTariff)
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasBlockPrice(Body):
    """The price of one block of gas, thousandths of a penny."""

    index: Annotated[int, mark("index", _BLOCK)]
    price: Annotated[int, text(UNSIGNED_INT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasBlockTariff(Body):
    """Prices of gas by blocks."""

    blocks: Annotated[tuple[GasBlockPrice, ...], element("BlockPrice", GasBlockPrice, most=4)]
    thresholds: Annotated[int, element("NumberOfThresholds", _THRESHOLD)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasTouTariff(Body):
    """Prices of gas by time of use."""

    tiers: Annotated[tuple[GasBlockPrice, ...], element("TOUPrice", GasBlockPrice, most=4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasPrices(Body):
    """Prices of gas, thousandths of a penny."""

    currency: Annotated[str, element("CurrencyUnits", _CURRENCY)]
    standing: Annotated[int, element("StandingCharge", UNSIGNED_INT)]
    tariff: Annotated[
        GasBlockTariff | GasTouTariff,
        one_of(("BlockTariff", GasBlockTariff), ("TOUTariff", GasTouTariff)),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryPrices(Body):
    """Prices of an ESME's first element, or of a GSME."""

    prices: Annotated[
        ElectricityPrices | GasPrices,
        one_of(("ElectricityPriceElements", ElectricityPrices), ("GasPriceElements", GasPrices)),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPrice(Body):
    """The price of one tier of the second element."""

    index: Annotated[int, mark("index", _BLOCK)]
    price: Annotated[int, text(SHORT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPrices(Body):
    """Prices of an ESME's second element."""

    scale: Annotated[int, element("PriceScale", SCALE)]
    tiers: Annotated[
        tuple[SecondPrice, ...], element("ElectricityPriceElement", SecondPrice, most=4)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Body):
    """Where a block ends, Wh."""

    index: Annotated[int, mark("index", _THRESHOLD)]
    wh: Annotated[int, text(UNSIGNED_INT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds(Body):
    """Where the blocks of one set end."""

    index: Annotated[int, mark("index", _TOU_SET)]
    blocks: Annotated[tuple[Threshold, ...], element("BlockThreshold", Threshold, most=3)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdMatrix(Body):
    """Where blocks end."""

    sets: Annotated[tuple[Thresholds, ...], element("Thresholds", Thresholds, least=8, most=8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityTariff(Body):
    """The tariff of an ESME's first element, without its prices."""

    currency: Annotated[str, element("CurrencyUnits", _CURRENCY)]
    table: Annotated[SwitchingTable, element("SwitchingTable", SwitchingTable)]
    special_days: Annotated[SpecialDays, element("SpecialDays", SpecialDays)]
    thresholds: Annotated[ThresholdMatrix, element("ThresholdMatrix", ThresholdMatrix)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasThreshold(Body):
    """Where a block of gas ends, kWh times 1000."""

    index: Annotated[int, mark("index", _THRESHOLD)]
    value: Annotated[int, text(_WIDE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasThresholds(Body):
    """Where blocks of gas end."""

    blocks: Annotated[tuple[GasThreshold, ...], element("BlockThreshold", GasThreshold, most=3)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasTariff(Body):
    """The tariff of a GSME, without its prices."""

    table: Annotated[GasSwitchingTable, element("SwitchingTable", GasSwitchingTable)]
    special_days: Annotated[GasSpecialDays, element("SpecialDays", GasSpecialDays)]
    thresholds: Annotated[GasThresholds, element("ThresholdMatrix", GasThresholds)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTariff(Body):
    """1.1.1."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    tariff: Annotated[
        ElectricityTariff | GasTariff,
        one_of(("ElecTariffElements", ElectricityTariff), ("GasTariffElements", GasTariff)),
    ]
    prices: Annotated[PrimaryPrices, element("PriceElements", PrimaryPrices)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSecondTariff(Body):
    """1.1.2."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    table: Annotated[SecondSwitchingTable, element("SwitchingTable", SecondSwitchingTable)]
    special_days: Annotated[SpecialDays, element("SpecialDays", SpecialDays)]
    prices: Annotated[SecondPrices, element("PriceElements", SecondPrices)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePrices(Body):
    """1.2.1."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    prices: Annotated[PrimaryPrices, element("PriceElements", PrimaryPrices)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSecondPrices(Body):
    """1.2.2."""

    execution_time: Annotated[
        UtcMs | None, element("ExecutionDateTime", kinds.DATE_TIME, optional=True)
    ] = None
    prices: Annotated[SecondPrices, element("PriceElements", SecondPrices)]
