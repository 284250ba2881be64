"""What the price elements of 1.1.1 say, as far as the equivalent steps can carry it.

Source:
    DUIS 5.4 XSD, PricePrimary. That prices and scales count in pounds a kWh: inferred.
"""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.shape import tag
from harness.formats.duis.xml_input import parse

#: Values of PriceType (xs:short) and of PriceScale.
_SHORT: Final = (-(2**15), 2**15 - 1)
_SCALE: Final = (-128, 127)


@dataclass(frozen=True, slots=True)
class FlatPrice:
    """One price for all times, and a standing charge.

    Attributes:
        price: Price of a kWh.
        scale: Power of ten that it is multiplied with, for pounds.
        standing: Standing charge of a day.
    """

    price: int
    scale: int
    standing: int


def flat_price(prices: bytes) -> FlatPrice | str:
    """Return the one price of an electricity tariff; else what it holds instead, in words.

    Args:
        prices: The element ``PriceElements``.

    Raises:
        DuisError: It is no such element, or a number in it is out of its range.
    """
    root = parse(prices)
    electricity = root.find(tag("ElectricityPriceElements"))
    if electricity is None:
        return "prices of gas"
    values = [_number(one, _SHORT) for one in electricity.iterfind(f"{tag('TOUTariff')}/*")]
    if not values:
        return "block prices"
    if electricity.find(tag("HybridTariff")) is not None or len(set(values)) > 1:
        return "prices by time of use"
    scale = _number(_only(electricity, "PriceScale"), _SCALE)
    return FlatPrice(values[0], scale, _number(_only(electricity, "StandingCharge"), _SHORT))


def season_name(electricity: bytes | None) -> str:
    """Return the name of the first season of a switching table; empty where it has none.

    Args:
        electricity: The element ``ElecTariffElements``, or None.

    Raises:
        DuisError: It is no such element.
    """
    found = None if electricity is None else parse(electricity).find(f".//{tag('SeasonName')}")
    return "" if found is None else (found.text or "").strip()


def _only(parent: etree._Element, name: str) -> etree._Element:
    found = parent.find(tag(name))
    if found is None:
        raise DuisError(DuisFault.MISSING_ELEMENT, f"there is no {name}")
    return found


def _number(element: etree._Element, limits: tuple[int, int]) -> int:
    text = (element.text or "").strip()
    if not text.lstrip("+-").isdecimal() or not limits[0] <= int(text) <= limits[1]:
        raise DuisError(DuisFault.BAD_NUMBER, f"not a number from {limits[0]} to {limits[1]}")
    return int(text)
