"""Tariffs of 1.1.1 in the DUIS 5.4 shape, made up."""

from typing import Final

from harness.formats.duis.shape import NAMESPACE, canonical
from harness.formats.duis.smets1_bodies import UpdateImportTariff
from harness.formats.duis.xml_input import parse

FLAT: Final = '<TOUTariff><TOUPrice index="1">2950</TOUPrice></TOUTariff>'
TOU: Final = (
    '<TOUTariff><TOUPrice index="1">2950</TOUPrice><TOUPrice index="2">1200</TOUPrice></TOUTariff>'
)
BLOCKS: Final = (
    '<BlockTariff><BlockPrices index="1"><BlockPrice index="1">2950</BlockPrice></BlockPrices>'
    "</BlockTariff>"
)
_DATE: Final = (
    "<Year><NonSpecifiedYear/></Year><Month><SpecifiedMonth>4</SpecifiedMonth></Month>"
    "<DayOfMonth><SpecifiedDayOfMonth>1</SpecifiedDayOfMonth></DayOfMonth>"
    "<DayOfWeek><NonSpecifiedDayOfWeek/></DayOfWeek>"
)
_GAS_DATE: Final = (
    "<GasYearWithWildcards><NonSpecifiedYear/></GasYearWithWildcards>"
    "<GasMonthWithWildcards><SpecifiedMonth>4</SpecifiedMonth></GasMonthWithWildcards>"
    "<GasDayOfMonthWithWildcards><SpecifiedDayOfMonth>1</SpecifiedDayOfMonth>"
    "</GasDayOfMonthWithWildcards>"
    "<GasDayOfWeekWithWildcards><NonSpecifiedDayOfWeek/></GasDayOfWeekWithWildcards>"
)


def _weeks(days: str) -> str:
    return f"<WeekProfiles><WeekProfile><WeekName>1</WeekName>{days}</WeekProfile></WeekProfiles>"


_WEEK: Final = _weeks(
    "".join(f'<ReferencedDayName index="{n}">1</ReferencedDayName>' for n in range(1, 8))
)
_BLOCKS: Final = "".join(
    f'<Thresholds index="{n}"><BlockThreshold index="1">0</BlockThreshold></Thresholds>'
    for n in range(1, 9)
)
_ELECTRICITY: Final = (
    "<CurrencyUnits>GBP</CurrencyUnits><SwitchingTable><DayProfiles><DayProfile>"
    "<DayName>1</DayName><ProfileSchedule><StartTime>00:00:00</StartTime>"
    "<TOUTariffAction>1</TOUTariffAction></ProfileSchedule></DayProfile></DayProfiles>"
    f"{_WEEK}<Seasons><Season><SeasonName>SUMMER</SeasonName><SeasonStartDate>{_DATE}"
    "</SeasonStartDate><ReferencedWeekName>1</ReferencedWeekName></Season></Seasons>"
    f"</SwitchingTable><SpecialDays/><ThresholdMatrix>{_BLOCKS}</ThresholdMatrix>"
)
_GAS: Final = (
    "<SwitchingTable><DayProfiles><DayProfile><DayName>1</DayName>"
    "<TOUTariffAction>1</TOUTariffAction></DayProfile></DayProfiles>"
    f"{_WEEK}<Seasons><Season><SeasonStartDate>{_GAS_DATE}</SeasonStartDate>"
    "<ReferencedWeekName>1</ReferencedWeekName></Season></Seasons></SwitchingTable><SpecialDays/>"
    '<ThresholdMatrix><BlockThreshold index="1">1</BlockThreshold></ThresholdMatrix>'
)
_GAS_PRICES: Final = (
    "<GasPriceElements><CurrencyUnits>GBP</CurrencyUnits><StandingCharge>0</StandingCharge>"
    '<TOUTariff><TOUPrice index="1">900</TOUPrice></TOUTariff></GasPriceElements>'
)


def _element(name: str, content: str) -> bytes:
    prefixed = content.replace("</", "\0").replace("<", "<sr:").replace("\0", "</sr:")
    text = f'<sr:{name} xmlns:sr="{NAMESPACE}">{prefixed}</sr:{name}>'
    return canonical(parse(text.encode()))


def tariff(prices: str = FLAT, *, standing: int = 0) -> UpdateImportTariff:
    """A tariff for electricity: 29.50 p a kWh at all times, unless the prices say otherwise."""
    of_electricity = (
        f"<ElectricityPriceElements><StandingCharge>{standing}</StandingCharge>"
        f"<StandingChargeScale>-4</StandingChargeScale><PriceScale>-4</PriceScale>{prices}"
        "</ElectricityPriceElements>"
    )
    return UpdateImportTariff(
        _element("PriceElements", of_electricity), _element("ElecTariffElements", _ELECTRICITY)
    )


def gas_tariff() -> UpdateImportTariff:
    """A tariff for gas."""
    return UpdateImportTariff(
        _element("PriceElements", _GAS_PRICES), gas=_element("GasTariffElements", _GAS)
    )
