"""Tariffs of 1.1.1 in the DUIS 5.4 shape, made up."""

from typing import Final

from harness.dust.flat_tariff import WEEK, element, one_price
from harness.dust.flat_tariff import tariff as of_prices
from harness.formats.duis.smets1_bodies import UpdateImportTariff

FLAT: Final = one_price(2950)
TOU: Final = (
    '<TOUTariff><TOUPrice index="1">2950</TOUPrice><TOUPrice index="2">1200</TOUPrice></TOUTariff>'
)
BLOCKS: Final = (
    '<BlockTariff><BlockPrices index="1"><BlockPrice index="1">2950</BlockPrice></BlockPrices>'
    "</BlockTariff>"
)
_GAS_DATE: Final = (
    "<GasYearWithWildcards><NonSpecifiedYear/></GasYearWithWildcards>"
    "<GasMonthWithWildcards><SpecifiedMonth>4</SpecifiedMonth></GasMonthWithWildcards>"
    "<GasDayOfMonthWithWildcards><SpecifiedDayOfMonth>1</SpecifiedDayOfMonth>"
    "</GasDayOfMonthWithWildcards>"
    "<GasDayOfWeekWithWildcards><NonSpecifiedDayOfWeek/></GasDayOfWeekWithWildcards>"
)
_GAS: Final = (
    "<SwitchingTable><DayProfiles><DayProfile><DayName>1</DayName>"
    "<TOUTariffAction>1</TOUTariffAction></DayProfile></DayProfiles>"
    f"{WEEK}<Seasons><Season><SeasonStartDate>{_GAS_DATE}</SeasonStartDate>"
    "<ReferencedWeekName>1</ReferencedWeekName></Season></Seasons></SwitchingTable><SpecialDays/>"
    '<ThresholdMatrix><BlockThreshold index="1">1</BlockThreshold></ThresholdMatrix>'
)
_GAS_PRICES: Final = (
    "<GasPriceElements><CurrencyUnits>GBP</CurrencyUnits><StandingCharge>0</StandingCharge>"
    '<TOUTariff><TOUPrice index="1">900</TOUPrice></TOUTariff></GasPriceElements>'
)


def tariff(prices: str = FLAT, *, standing: int = 0) -> UpdateImportTariff:
    """A tariff for electricity: 29.50 p a kWh at all times, unless the prices say otherwise."""
    return of_prices(prices, standing=standing)


def gas_tariff() -> UpdateImportTariff:
    """A tariff for gas."""
    return UpdateImportTariff(
        element("PriceElements", _GAS_PRICES), gas=element("GasTariffElements", _GAS)
    )
