"""One cell put into industry format (MAM 7.3.2, 7.4.2), with what was done to it.

Source:
    S001 Table 2 rows 9 and 10: values arrive as suppliers gave them, not in industry format, and
    the DCC processes them. Which repairs are made: invented (migration.md 4.4). Check digits of
    MPANs: known.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from emulator.core.values import quick
from harness.formats.authorisation.columns import ColumnRow, Kind, Layout
from harness.formats.authorisation.dates import is_ambiguous, read_day, read_serial
from harness.formats.authorisation.grid import Raw, Unusable
from harness.new_installations import mpan_check_digit
from harness.rules.migration_certificates import canonical_serial

#: A spreadsheet keeps no more digits of a number.
_KEPT_DIGITS: Final = 15
_BLANKS: Final = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"), None)
_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{2,3}")
_HEX16: Final = re.compile(r"[0-9A-Fa-f]{16}")
#: 20 octets in decimal digits (RFC 5280).
_SERIAL: Final = re.compile(r"[0-9]{1,49}")
_COMMON_NAME: Final = re.compile(r"(?:^|,)\s*CN\s*=\s*([^,]+)", re.IGNORECASE)
_ENTRY: Final = re.compile(r"[\x21-\x7e]{1,40}")
_PRINTED_EUI64: Final = re.compile(r"[0-9A-F]{2}(?:-[0-9A-F]{2}){7}")
_NOT_DEVICES: Final = frozenset({"0" * 16, "F" * 16})
#: Cells of one kind whose result is kept: a column whose values repeat has far fewer.
_REMEMBERED: Final = 50_000

SUB_CODES: Final[Mapping[Kind, str]] = {
    Kind.REF: "13",
    Kind.EUI64: "02",
    Kind.MPAN: "03",
    Kind.MPRN: "04",
    Kind.DATE: "05",
    Kind.SERIAL: "06",
    Kind.ISSUER: "07",
    Kind.PAYMENT_MODE: "08",
    Kind.CPL_ENTRY: "15",
    Kind.CPL_ENTRIES: "15",
    Kind.EVIDENCE: "13",
}
_LOST_DIGITS: Final = "16"
_ERROR_VALUE: Final = "17"
_FORMULA: Final = "12"
_CHECK_DIGIT: Final = "11"


@quick
@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cell's value in industry format, or why there is none.

    Attributes:
        text: The value; empty where there is none.
        done: What was done to it; empty for nothing.
        sub_code: Sub-code of ``X-7.3.2``; empty unless repaired or refused.
        refused: Why it cannot be used; empty where it can.
        suggestion: What to do about it.
    """

    text: str
    done: str = ""
    sub_code: str = ""
    refused: str = ""
    suggestion: str = ""


_NOTHING: Final = Cleaned("")


def shown(raw: Raw) -> str:
    """Return what stands in a cell, as text."""
    if type(raw) is str:
        return raw
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, datetime) and raw.time() == time():
        return raw.date().isoformat()
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return str(int(raw))
    return str(raw)


class Cleaner:
    """Puts cells into industry format; one for a file, so that equal cells are worked out once."""

    def __init__(self, layout: Layout, epoch: datetime, *, repairs: bool = True) -> None:
        self._layout = layout
        self._epoch = epoch
        self._repairs = repairs
        self._texts: dict[Kind, dict[str, Cleaned]] = {kind: {} for kind in Kind}
        self._others: dict[tuple[Kind, type, Raw], Cleaned] = {}

    def met(self, kind: Kind) -> Mapping[str, Cleaned]:
        """Return what the texts of a kind came to that were met so far; it fills by itself."""
        return self._texts[kind]

    def clean(self, column: ColumnRow, raw: Raw) -> Cleaned:
        """Put one cell into the format of its column."""
        if raw is None:
            return _NOTHING
        kind = column.kind
        if type(raw) is str:  # nearly every cell, and a text is told from a number by its type
            texts = self._texts[kind]
            found = texts.get(raw)
            if found is None:
                found = texts[raw] = self._worked_out(kind, raw)
                if len(texts) > _REMEMBERED:
                    texts.clear()
            return found
        key = (kind, type(raw), raw)
        found = self._others.get(key)
        if found is None:
            found = self._worked_out(kind, raw)
            if len(self._others) > _REMEMBERED:
                self._others.clear()
            self._others[key] = found
        return found

    def _worked_out(self, kind: Kind, raw: Raw) -> Cleaned:
        if isinstance(raw, Unusable):
            return _unusable(raw)
        before = shown(raw)
        text = _tidied(before)
        if not self._repairs and kind not in {Kind.DATE, Kind.PAYMENT_MODE}:
            return Cleaned(before)
        word = self._layout.words[kind].get(text.casefold())
        if word is not None and kind is not Kind.PAYMENT_MODE:
            found = Cleaned(word)
        elif not text:
            found = Cleaned("")
        else:
            found = self._of_kind(kind, raw, text)
        return self._with_log(kind, before, raw, found)

    def _of_kind(self, kind: Kind, raw: Raw, text: str) -> Cleaned:
        if kind is Kind.DATE:
            return _day(raw, text, self._layout.column_map.date_format, self._epoch)
        if isinstance(raw, (bool, date, time)):
            why = f"a {type(raw).__name__} in the place of {kind.replace('_', ' ')}"
            return _refusal(kind, why, "format the column as text and enter the value again")
        if kind is Kind.PAYMENT_MODE:
            return _payment_mode(text, self._layout.words[kind])
        if kind in _DIGITS and (lost := _lost_digits(raw, text)) is not None:
            return lost
        return _BY_KIND[kind](text, isinstance(raw, (int, float)))

    def _with_log(self, kind: Kind, before: str, raw: Raw, found: Cleaned) -> Cleaned:
        if found.refused or found.done or found.text == before:
            return found
        if kind is Kind.DATE and isinstance(raw, date):
            return found
        return Cleaned(found.text, "written in industry format", SUB_CODES[kind])


def _unusable(raw: Unusable) -> Cleaned:
    if raw.is_formula:
        return Cleaned(
            "",
            sub_code=_FORMULA,
            refused="a formula, and the file does not hold its value",
            suggestion="replace the formula by its value",
        )
    return Cleaned(
        "",
        sub_code=_ERROR_VALUE,
        refused=f"the error value {raw}",
        suggestion="correct the formula or lookup that it comes from",
    )


def _tidied(text: str) -> str:
    """Return text without what cannot be seen, signs of quoting and blanks around it."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_BLANKS).translate(_DASHES)
    plain = " ".join(text.split())
    if plain.startswith("'"):
        plain = plain[1:].lstrip()
    if len(plain) > 1 and plain[0] == plain[-1] == '"':
        plain = plain[1:-1].strip()
    return plain


def _refusal(kind: Kind, why: str, suggestion: str = "") -> Cleaned:
    return Cleaned("", sub_code=SUB_CODES[kind], refused=why, suggestion=suggestion)


def _lost_digits(raw: Raw, text: str) -> Cleaned | None:
    """Refuse numbers of which a spreadsheet kept the first digits only."""
    number = isinstance(raw, (int, float))
    too_long = number and (len(text.lstrip("-")) > _KEPT_DIGITS or not text.isdecimal())
    if not too_long and not (isinstance(raw, str) and _SCIENTIFIC.fullmatch(text)):
        return None
    return Cleaned(
        "",
        sub_code=_LOST_DIGITS,
        refused=f"{text} is a number of which the spreadsheet kept {_KEPT_DIGITS} digits at most",
        suggestion="format the column as text, then enter the value again from its source",
    )


def _eui64(text: str, is_number: bool) -> Cleaned:
    if _PRINTED_EUI64.fullmatch(text) and text.replace("-", "") not in _NOT_DEVICES:
        return Cleaned(text)
    digits = re.sub(r"[-:. ]", "", text)
    digits = digits[2:] if digits[:2] in {"0x", "0X"} else digits
    done = ""
    if is_number and len(digits) < 16:
        digits, done = digits.zfill(16), "leading zeros put back"
    if _HEX16.fullmatch(digits) is None:
        return _refusal(
            Kind.EUI64, f"{text!r} is no EUI-64", "write it like 00-DB-12-34-56-78-90-A0"
        )
    digits = digits.upper()
    if digits in _NOT_DEVICES:
        return _refusal(Kind.EUI64, f"{text!r} names no device")
    printed = "-".join(digits[at : at + 2] for at in range(0, 16, 2))
    return Cleaned(printed, done, SUB_CODES[Kind.EUI64] if done else "")


def _mpan(text: str, _is_number: bool) -> Cleaned:
    digits = re.sub(r"[-. ]", "", text)
    done = ""
    if not digits.isascii() or not digits.isdecimal() or not 1 <= len(digits) <= 21:
        return _refusal(Kind.MPAN, f"{text!r} is no MPAN", "write its 13 digits")
    if len(digits) == 21:
        digits, done = digits[8:], "the lower line of the 21-digit number taken"
    elif len(digits) > 13:
        return _refusal(Kind.MPAN, f"{text!r} has {len(digits)} digits", "write its 13 digits")
    elif len(digits) < 13:
        digits, done = digits.zfill(13), "leading zeros put back"
    expected = mpan_check_digit(digits[:12])
    if str(expected) != digits[12]:
        return Cleaned(
            "",
            sub_code=_CHECK_DIGIT,
            refused=f"the check digit of {digits} should be {expected}",
            suggestion="compare the MPAN with its source: a digit is wrong, or two are swapped",
        )
    return Cleaned(digits, done, SUB_CODES[Kind.MPAN] if done else "")


def _mprn(text: str, _is_number: bool) -> Cleaned:
    digits = re.sub(r"[-. ]", "", text)
    if not digits.isascii() or not digits.isdecimal() or not digits.strip("0"):
        return _refusal(Kind.MPRN, f"{text!r} is no MPRN", "write its 1 to 10 digits")
    if len(digits) > 10:
        digits = digits.lstrip("0")
    if len(digits) > 10:
        return _refusal(Kind.MPRN, f"{text!r} has {len(digits)} digits", "an MPRN has 10 at most")
    return Cleaned(digits)


def _serial(text: str, _is_number: bool) -> Cleaned:
    serial = canonical_serial(text)
    if _SERIAL.fullmatch(serial) is None:
        return _refusal(
            Kind.SERIAL,
            f"{text!r} is no serial number",
            "write its digits; 0, and no issuer, is the Null Certificate ID",
        )
    if text.isdecimal():
        return Cleaned(serial)
    return Cleaned(serial, "written in decimal digits", SUB_CODES[Kind.SERIAL])


def _issuer(text: str, _is_number: bool) -> Cleaned:
    name = _COMMON_NAME.search(text)
    issuer = name[1].strip() if name else text
    if len(issuer) > 128 or not issuer.isprintable():
        return _refusal(Kind.ISSUER, f"{text[:40]!r} is no name of an issuer")
    return Cleaned(issuer)


def _ref(text: str, _is_number: bool) -> Cleaned:
    if len(text) > 60 or not text.isprintable():
        return _refusal(Kind.REF, f"{text[:40]!r} is no reference", "60 characters at most")
    return Cleaned(text)


def _entry(text: str, _is_number: bool) -> Cleaned:
    if _ENTRY.fullmatch(text) is None:
        return _refusal(Kind.CPL_ENTRY, f"{text[:40]!r} is no CPL entry identifier")
    return Cleaned(text)


def _entries(text: str, is_number: bool) -> Cleaned:
    found = [_entry(part.strip(), is_number) for part in text.split(";") if part.strip()]
    refused = next((one for one in found if one.refused), None)
    return refused or Cleaned(";".join(one.text for one in found))


def _payment_mode(text: str, words: Mapping[str, str]) -> Cleaned:
    mode = words.get(text.casefold())
    if mode is None:
        return _refusal(
            Kind.PAYMENT_MODE, f"{text!r} is no payment mode", "write Credit or Prepayment"
        )
    return Cleaned(mode)


def _day(raw: Raw, text: str, date_format: str, epoch: datetime) -> Cleaned:
    if isinstance(raw, date):
        return Cleaned(text[:10])
    sub_code = SUB_CODES[Kind.DATE]
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        found = read_serial(int(raw), epoch) if math.isfinite(raw) else None
        if found is not None:
            return Cleaned(found.isoformat(), "a day number read as a day", sub_code)
    else:
        found = read_day(text, date_format)
        if found is not None:
            done = "" if text == found.isoformat() else "text read as a day"
            if not date_format and is_ambiguous(text):
                done = "text read as a day, day first (it could be read month first)"
            return Cleaned(found.isoformat(), done, sub_code if done else "")
    return _refusal(Kind.DATE, f"{text!r} is no day", "write it like 2021-03-31")


_DIGITS: Final = frozenset({Kind.EUI64, Kind.MPAN, Kind.MPRN, Kind.SERIAL})
_BY_KIND: Final[Mapping[Kind, Callable[[str, bool], Cleaned]]] = {
    Kind.REF: _ref,
    Kind.EUI64: _eui64,
    Kind.MPAN: _mpan,
    Kind.MPRN: _mprn,
    Kind.SERIAL: _serial,
    Kind.ISSUER: _issuer,
    Kind.CPL_ENTRY: _entry,
    Kind.CPL_ENTRIES: _entries,
    Kind.EVIDENCE: _ref,
}
