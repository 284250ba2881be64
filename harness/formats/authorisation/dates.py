"""Days as people write them, read day first."""

import re
from datetime import date, datetime, timedelta
from typing import Final

_ISO: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?"
)
_PACKED: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?")
_NAMED: Final = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})", re.IGNORECASE
)
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
#: Day numbers of a spreadsheet that may be meant, whether it counts from 1900 or from 1904.
_SERIALS: Final = range(35_000, 74_000)
_YEARS: Final = range(2000, 2101)


def read_day(text: str, date_format: str = "") -> date | None:
    """Read a day; None when it is not one.

    Args:
        text: What stands there, without blanks around it.
        date_format: ``strptime`` format that comes first; empty for none.

    Years have four digits and lie between 2000 and 2100. Numbers only are read day first.
    """
    if date_format and (found := _formatted(text, date_format)) is not None:
        return found
    for pattern in (_ISO, _PACKED):
        if match := pattern.fullmatch(text):
            return _day(match[1], match[2], match[3])
    if match := _DAY_FIRST.fullmatch(text):
        return _day(match[3], match[2], match[1])
    if match := _NAMED.fullmatch(text):
        month = match[2].casefold()
        number = next((n for n, name in enumerate(_MONTHS, 1) if _names(name, month)), 0)
        return _day(match[3], str(number), match[1])
    return None


def is_ambiguous(text: str) -> bool:
    """Say whether a day could be read month first as well, as another day."""
    match = _DAY_FIRST.fullmatch(text)
    return match is not None and int(match[1]) <= 12 and match[1].zfill(2) != match[2].zfill(2)


def read_serial(number: int, epoch: datetime) -> date | None:
    """Read a spreadsheet's day number; None when it lies outside 2000 to 2100."""
    if number not in _SERIALS:
        return None
    found = (epoch + timedelta(days=number)).date()
    return found if found.year in _YEARS else None


def _formatted(text: str, date_format: str) -> date | None:
    try:
        # A calendar day has no zone.
        found = datetime.strptime(text, date_format).date()  # noqa: DTZ007 - see above
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def _names(month: str, text: str) -> bool:
    return month == text or month[:3] == text or (month == "september" and text == "sept")


def _day(year: str, month: str, day: str) -> date | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return found if found.year in _YEARS else None
