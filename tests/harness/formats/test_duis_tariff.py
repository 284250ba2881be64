"""1.1.1: the body of the DUIS 5.4 shape, and what of its prices the equivalent steps can carry."""

import re

import pytest

from emulator.core.ids import Eui64
from harness.formats.duis.faults import DuisError
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import read_request, request, write_request
from harness.formats.duis.smets1_bodies import UpdateImportTariff
from harness.formats.duis.smets1_tariff import FlatPrice, flat_price, season_name
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid
from tests.harness.formats.tariff_given import BLOCKS, TOU, gas_tariff, tariff

ID = RequestId(Eui64.parse("02-53-42-00-00-01-00-00"), Eui64.parse("02-53-01-00-00-00-00-31"), 7)


def parts(body: UpdateImportTariff) -> tuple[bytes | None, ...]:
    return body.prices, body.electricity, body.gas


def _bare(octets: bytes | None) -> bytes:
    return re.sub(rb">\s+<", b"><", octets or b"")


@needs_duis
@pytest.mark.parametrize("body", [tariff(), tariff(TOU), tariff(BLOCKS), gas_tariff()])
def test_the_body_is_read_and_written_as_the_schema_has_it(body: UpdateImportTariff) -> None:
    octets = write_request(request(body, ID))
    assert is_valid(octets)
    read = read_request(octets).body
    assert isinstance(read, UpdateImportTariff)
    assert [_bare(one) for one in parts(read)] == [_bare(one) for one in parts(body)]
    assert b"UpdateImportTariffPrimaryElement" in octets


def test_one_price_for_all_times_is_read_with_its_scale_and_standing_charge() -> None:
    assert flat_price(tariff(standing=31).prices) == FlatPrice(2950, -4, 31)
    assert season_name(tariff().electricity) == "SUMMER"
    assert season_name(None) == ""


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (tariff(TOU), "prices by time of use"),
        (tariff(BLOCKS), "block prices"),
        (gas_tariff(), "prices of gas"),
    ],
)
def test_other_tariffs_are_named(body: UpdateImportTariff, held: str) -> None:
    assert flat_price(body.prices) == held


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">2950<", b">40000<"),
        (b">2950<", b">1e3<"),
        (b">-4<", b">-129<"),
        (b"PriceScale>-4", b"Other>-4"),
    ],
)
def test_numbers_out_of_their_ranges_are_refused(old: bytes, new: bytes) -> None:
    spoilt = tariff().prices.replace(old, new).replace(b"</sr:PriceScale>", b"</sr:PriceScale>")
    if b"Other" in new:
        spoilt = spoilt.replace(b"-4</sr:PriceScale>", b"-4</sr:Other>")
    with pytest.raises(DuisError):
        flat_price(spoilt)
