"""Cells put into industry format: what is repaired, what is refused, and that it says so."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.formats.authorisation.cells import Cleaned, Cleaner
from harness.formats.authorisation.columns import ColumnMap, Kind, Layout, load_layout
from harness.formats.authorisation.dates import is_ambiguous, read_day
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import Raw, Unusable
from harness.new_installations import mpan_check_digit
from tests.harness.formats.authorisations_made import mpan

EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a calendar day has no zone
LAYOUT = load_layout()
BY_KIND = {row.kind: row for row in LAYOUT.columns.values()}
GOOD = "02-53-01-00-00-00-00-01"


def clean(kind: Kind, raw: Raw, layout: Layout = LAYOUT, *, repairs: bool = True) -> Cleaned:
    return Cleaner(layout, EPOCH, repairs=repairs).clean(BY_KIND[kind], raw)


@pytest.mark.parametrize(
    "text",
    [
        "02-53-01-00-00-00-00-0a",
        "025301000000000A",
        "02:53:01:00:00:00:00:0a",
        "0x025301000000000a",
        "02 53 01 00 00 00 00 0A",
        "  02-53-01-00-00-00-00-0A\u00a0",
        "\u200b02\u201353\u201301\u201300\u201300\u201300\u201300\u20130A",
        "'025301000000000A",
        '"02-53-01-00-00-00-00-0A"',
        "\uff10\uff12-53-01-00-00-00-00-0A",
    ],
)
def test_eui64s_are_written_one_way_and_the_change_is_told(text: str) -> None:
    found = clean(Kind.EUI64, text)
    assert found.text == "02-53-01-00-00-00-00-0A"
    assert found.done
    assert found.sub_code == "02"


def test_an_eui64_that_is_right_is_left_alone() -> None:
    assert clean(Kind.EUI64, GOOD) == Cleaned(GOOD)


@pytest.mark.parametrize(
    ("kind", "raw", "sub_code"),
    [
        (Kind.EUI64, "02-53-01-00-00-00-00", "02"),
        (Kind.EUI64, "02-53-01-00-00-00-00-0G", "02"),
        (Kind.EUI64, "00-00-00-00-00-00-00-00", "02"),
        (Kind.EUI64, "FF" * 8, "02"),
        (Kind.EUI64, date(2021, 3, 1), "02"),
        (Kind.EUI64, True, "02"),
        (Kind.EUI64, 5_302_000_000_000_031, "16"),
        (Kind.EUI64, 1.5, "16"),
        (Kind.EUI64, "5.302E+15", "16"),
        (Kind.MPAN, "12AB", "03"),
        (Kind.MPAN, "12345678901234", "03"),
        (Kind.MPAN, mpan(1)[:-1] + str((int(mpan(1)[-1]) + 1) % 10), "11"),
        (Kind.MPAN, "2.53E+12", "16"),
        (Kind.MPRN, "12345678901", "04"),
        (Kind.MPRN, "0", "04"),
        (Kind.MPRN, "12/3", "04"),
        (Kind.DATE, "31/02/2021", "05"),
        (Kind.DATE, "03/13/2021", "05"),
        (Kind.DATE, "1/3/21", "05"),
        (Kind.DATE, "soon", "05"),
        (Kind.DATE, 12, "05"),
        (Kind.DATE, float("inf"), "05"),
        (Kind.DATE, float("nan"), "05"),
        (Kind.DATE, True, "05"),
        (Kind.DATE, "1999-12-31", "05"),
        (Kind.DATE, time(1, 2), "05"),
        (Kind.SERIAL, "12x", "06"),
        (Kind.SERIAL, "12.5", "06"),
        (Kind.SERIAL, 12_345_678_901_234_567, "16"),
        (Kind.ISSUER, "x" * 129, "07"),
        (Kind.PAYMENT_MODE, "barter", "08"),
        (Kind.REF, "x" * 61, "13"),
        (Kind.CPL_ENTRY, "two words", "15"),
        (Kind.CPL_ENTRIES, "A;two words", "15"),
        (Kind.MPAN, Unusable("#N/A"), "17"),
        (Kind.MPAN, Unusable("a formula", is_formula=True), "12"),
    ],
)
def test_what_cannot_be_repaired_is_refused_under_its_own_sub_code(
    kind: Kind, raw: Raw, sub_code: str
) -> None:
    found = clean(kind, raw)
    assert found.refused
    assert (found.sub_code, found.text) == (sub_code, "")


@pytest.mark.parametrize(
    ("kind", "raw", "text", "is_told"),
    [
        (Kind.EUI64, 2_530_100_000_001, "00-02-53-01-00-00-00-01", True),
        (Kind.MPAN, int(mpan(7)), mpan(7), False),
        (Kind.MPAN, float(mpan(7)), mpan(7), False),
        (Kind.MPAN, f"{mpan(7)[:2]} {mpan(7)[2:6]} {mpan(7)[6:]}", mpan(7), True),
        (Kind.MPAN, f"01801100{mpan(7)}", mpan(7), True),
        (Kind.MPRN, "9900 0001", "99000001", True),
        (Kind.MPRN, 9_900_000_123, "9900000123", False),
        (Kind.MPRN, "000099000001", "99000001", True),
        (Kind.DATE, datetime(2021, 3, 31, 9, 30), "2021-03-31", False),  # noqa: DTZ001 - as above
        (Kind.DATE, date(2021, 3, 31), "2021-03-31", False),
        (Kind.DATE, "2021-03-31", "2021-03-31", False),
        (Kind.DATE, "31/03/2021", "2021-03-31", True),
        (Kind.DATE, "31.3.2021 00:00", "2021-03-31", True),
        (Kind.DATE, "20210331", "2021-03-31", True),
        (Kind.DATE, "31-Mar-2021", "2021-03-31", True),
        (Kind.DATE, "31st March 2021", "2021-03-31", True),
        (Kind.DATE, "2021-03-31T00:00:00Z", "2021-03-31", True),
        (Kind.DATE, 44_286, "2021-03-31", True),
        (Kind.SERIAL, "0017", "17", True),
        (Kind.SERIAL, "0x1F", "31", True),
        (Kind.SERIAL, "00:1f", "31", True),
        (Kind.SERIAL, 17, "17", False),
        (Kind.SERIAL, "NULL", "0", True),
        (Kind.ISSUER, "Null Certificate ID", "", True),
        (Kind.ISSUER, "CN=Made-up CA, OU=07", "Made-up CA", True),
        (Kind.ISSUER, "Made-up  CA", "Made-up CA", True),
        (Kind.PAYMENT_MODE, "Credit", "Credit", False),
        (Kind.PAYMENT_MODE, "PRE-PAYMENT", "Prepayment", True),
        (Kind.PAYMENT_MODE, "pp", "Prepayment", True),
        (Kind.REF, 17, "17", False),
        (Kind.EUI64, "N/A", "", True),
        (Kind.EUI64, None, "", False),
        (Kind.EUI64, " \u00a0", "", True),
    ],
)
def test_what_can_be_repaired_is_repaired_with_a_log(
    kind: Kind, raw: Raw, text: str, is_told: bool
) -> None:
    found = clean(kind, raw)
    assert not found.refused
    assert found.text == text
    assert bool(found.done) == is_told


@given(st.integers(0, 10**12 - 1))
def test_lost_leading_zeros_of_mpans_come_back(core: int) -> None:
    digits = f"{core:012d}"
    whole = digits + str(mpan_check_digit(digits))
    assert clean(Kind.MPAN, int(whole)).text == whole
    assert clean(Kind.MPAN, whole.lstrip("0") or "0").text == whole


@given(st.binary(min_size=8, max_size=8), st.sampled_from(["", "-", ":", " "]), st.booleans())
def test_any_eui64_in_any_dress_comes_out_the_same(raw: bytes, sign: str, upper: bool) -> None:
    text = raw.hex(sign) if sign else raw.hex()
    found = clean(Kind.EUI64, text.upper() if upper else text)
    if raw in {b"\0" * 8, b"\xff" * 8}:
        assert found.refused
    else:
        assert found.text == raw.hex("-").upper()


@given(st.sampled_from(list(Kind)), st.text(max_size=40) | st.integers() | st.floats())
def test_cleaning_never_breaks_and_what_it_makes_stays_as_it_is(
    kind: Kind, raw: str | float
) -> None:
    once = clean(kind, raw)
    assert not (once.refused and once.text)
    again = clean(kind, once.text)
    assert (again.text, again.refused, again.done) == (once.text, "", "")


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_days_are_read_back_from_every_form(day: date) -> None:
    forms = ("%d/%m/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d-%b-%Y", "%d %B %Y", "%Y%m%d")
    assert {read_day(day.strftime(form)) for form in forms} == {day}
    serial = (day - EPOCH.date()).days
    assert clean(Kind.DATE, serial).text == day.isoformat()


def test_a_day_that_could_be_read_month_first_is_told_apart() -> None:
    assert is_ambiguous("03/04/2021")
    assert not is_ambiguous("13/04/2021")
    assert not is_ambiguous("4/4/2021")
    assert "month first" in clean(Kind.DATE, "03/04/2021").done
    mapped = Layout(LAYOUT.columns, LAYOUT.words, ColumnMap(date_format="%m/%d/%Y"))
    assert clean(Kind.DATE, "03/04/2021", mapped).text == "2021-03-04"


def test_without_the_clean_up_values_stay_as_they_are() -> None:
    assert clean(Kind.EUI64, "ab", repairs=False) == Cleaned("ab")
    assert clean(Kind.DATE, "31/03/2021", repairs=False).text == "2021-03-31"


@pytest.mark.parametrize(
    "stem",
    [
        "MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503",
        "MAPASSWORD_CGI_70-B3-D5-1F-30-00-A0-08_20190407_182503",
    ],
)
def test_the_published_names_are_read_and_written_back(stem: str) -> None:
    name = AuthorisationName.parse(stem)
    assert name is not None
    assert str(name) == stem
    assert name.has_tag("CGI")
    assert name.day == date(2019, 4, 7)


@pytest.mark.parametrize(
    "stem",
    [
        "MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407",
        "MA_cgI_70-B3-D5-1F-30-00-A0_20190407_182503",
        "MA_cgI_70-B3-D5-1F-30-00-A0-08_20190431_182503",
        "XX_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503",
        "MA__70-B3-D5-1F-30-00-A0-08_20190407_182503",
    ],
)
def test_other_names_are_none(stem: str) -> None:
    assert AuthorisationName.parse(stem) is None
