"""An electricity tariff of one price for 1.1.1, as a supplier writes it in the DUIS 5.4 shape."""

from typing import Final

from harness.formats.duis.shape import NAMESPACE, canonical
from harness.formats.duis.smets1_bodies import UpdateImportTariff
from harness.formats.duis.xml_input import parse

_DATE: Final = (
    "<Year><NonSpecifiedYear/></Year><Month><SpecifiedMonth>4</SpecifiedMonth></Month>"
    "<DayOfMonth><SpecifiedDayOfMonth>1</SpecifiedDayOfMonth></DayOfMonth>"
    "<DayOfWeek><NonSpecifiedDayOfWeek/></DayOfWeek>"
)
#: Every day of the one week profile is day profile 1.
WEEK: Final = (
    "<WeekProfiles><WeekProfile><WeekName>1</WeekName>"
    + "".join(f'<ReferencedDayName index="{n}">1</ReferencedDayName>' for n in range(1, 8))
    + "</WeekProfile></WeekProfiles>"
)
_BLOCKS: Final = "".join(
    f'<Thresholds index="{n}"><BlockThreshold index="1">0</BlockThreshold></Thresholds>'
    for n in range(1, 9)
)
#: Switching table, special days and thresholds of a tariff that does not change.
UNCHANGING: Final = (
    "<CurrencyUnits>GBP</CurrencyUnits><SwitchingTable><DayProfiles><DayProfile>"
    "<DayName>1</DayName><ProfileSchedule><StartTime>00:00:00</StartTime>"
    "<TOUTariffAction>1</TOUTariffAction></ProfileSchedule></DayProfile></DayProfiles>"
    f"{WEEK}<Seasons><Season><SeasonName>SUMMER</SeasonName><SeasonStartDate>{_DATE}"
    "</SeasonStartDate><ReferencedWeekName>1</ReferencedWeekName></Season></Seasons>"
    f"</SwitchingTable><SpecialDays/><ThresholdMatrix>{_BLOCKS}</ThresholdMatrix>"
)


def element(name: str, content: str) -> bytes:
    """Return an element of the DUIS namespace with its content, canonical.

    Args:
        name: Its name.
        content: Elements without a prefix.
    """
    prefixed = content.replace("</", "\0").replace("<", "<sr:").replace("\0", "</sr:")
    text = f'<sr:{name} xmlns:sr="{NAMESPACE}">{prefixed}</sr:{name}>'
    return canonical(parse(text.encode()))


def one_price(price: int) -> str:
    """Return the prices of a tariff that has one, in 1/10,000 of the currency's unit a kWh."""
    return f'<TOUTariff><TOUPrice index="1">{price}</TOUPrice></TOUTariff>'


def tariff(prices: str, *, standing: int = 0) -> UpdateImportTariff:
    """Return the body of a 1.1.1 for electricity.

    Args:
        prices: The element that holds them.
        standing: Standing charge a day, in 1/10,000 of the currency's unit.
    """
    told = (
        f"<ElectricityPriceElements><StandingCharge>{standing}</StandingCharge>"
        f"<StandingChargeScale>-4</StandingChargeScale><PriceScale>-4</PriceScale>{prices}"
        "</ElectricityPriceElements>"
    )
    return UpdateImportTariff(
        element("PriceElements", told), element("ElecTariffElements", UNCHANGING)
    )
