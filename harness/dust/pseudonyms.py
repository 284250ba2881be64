"""Pseudonyms for the identifiers of user data, in texts, octets and workbooks, by the thousand.

What is made up cannot be live and stays: EUI-64s of the locally administered range, MPxNs that
begin with 99. ``harness.report.privacy.Veil`` does the same for one scenario's few devices.
"""

import base64
import binascii
import enum
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Final

from harness.new_installations import EUI64_PREFIX
from harness.transcript_pseudonyms import mpans_of

_SEPARATORS: Final = ("", "-", ":", " ")
#: All of an EUI-64 but its first octet, which is looked at afterwards: files are long and full of
#: hex digits, separators are rare.
_EUI64: Final = re.compile(
    rb"-[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){6}(?![0-9A-Fa-f-])"
    rb"|:[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){6}(?![0-9A-Fa-f:-])"
)
_ROW: Final = re.compile(rb"[0-9]+")
_MPAN_DIGITS: Final = 13
_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_HEX_DIGITS: Final = frozenset(b"0123456789ABCDEFabcdef")
#: A number beside a word that says whose it is: ``MPAN: 12…``, ``<ImportMPxN>12…``.
_LABELLED: Final = re.compile(r"[Mm][Pp][XxAaRr][Nn]\w{0,24}\W{1,12}(\d{6,13})\b")
_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z])\d{6,20}(?![0-9A-Za-z])")
_UTRN_DIGITS: Final = 20
_MADE_UP_MPXN: Final = "99"
_NOBODY: Final = frozenset({bytes(8), b"\xff" * 8})
#: Base64 of some length; lines behind the first belong to it.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{16,}(?:\r?\n[ \t]*[A-Za-z0-9+/]{4,})*={0,2}")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_ZIP: Final = b"PK\3\4"
_MOST_UNPACKED_BYTES: Final = 64 << 20
_PAST_READING: Final = b"left out: an archive whose identifiers could not be replaced\n"


class Shown(enum.StrEnum):
    """What a reader sees of identifiers."""

    PLAIN = "plain"  # --with-identifiers
    PSEUDONYMS = "pseudonyms"
    MADE_UP = "made-up"  # there was nothing to replace


class Pseudonyms:
    """Replaces identifiers, the same one always by the same pseudonym, lengths kept.

    Pseudonyms are numbered in the order in which identifiers were learnt.
    """

    def __init__(self) -> None:
        self._eui64s: dict[bytes, bytes] = {}
        self._numbers: dict[str, str] = {}
        self._finders: list[_Finder] | None = None

    @property
    def shown(self) -> Shown:
        """Whether anything is replaced."""
        return Shown.PSEUDONYMS if self._eui64s or self._numbers else Shown.MADE_UP

    def learn_eui64(self, octets: bytes) -> None:
        """Take note of an EUI-64, most significant octet first, unless it is made up."""
        if octets.startswith(EUI64_PREFIX) or octets in _NOBODY or octets[:2] == b"\xee\xee":
            return
        if octets not in self._eui64s:
            self._eui64s[octets] = b"\xee\xee" + (len(self._eui64s) + 1).to_bytes(6, "big")
            self._finders = None

    def learn(self, octets: bytes, *, ours: bool = False) -> None:
        """Take note of every identifier in a file's octets.

        Args:
            octets: The file.
            ours: Whether we wrote it: what looks like an MPAN there is a moment in milliseconds.
        """
        for inner in _unpacked(octets):
            for eui64 in _eui64s(inner):
                self.learn_eui64(eui64)
            text = inner.decode("latin-1")
            for number in _LABELLED.findall(text):
                self._learn_number(number)
            for mpan in () if ours else mpans_of(_rows_of_digits(inner)):
                self._learn_number(mpan.decode())

    def _learn_number(self, number: str) -> None:
        if not number.startswith(_MADE_UP_MPXN) and number.strip("0"):
            new = str(len(self._numbers) + 1).rjust(len(number), "0")
            self._numbers.setdefault(number, new)

    def over(self, octets: bytes, *, json: bool = False) -> bytes:
        """Return a file's octets without the identifiers known; equal where there are none.

        Args:
            octets: The file.
            json: Whether it is JSON: numbers outside of strings stay.
        """
        if self.shown is Shown.MADE_UP:
            return octets
        if octets.startswith(_ZIP):
            return self._over_archive(octets)
        text = _BASE64.sub(self._encoded, self._plain(octets).decode("latin-1"))
        if not self._has_digits(text):
            return text.encode("latin-1")
        if json:
            text = _STRING.sub(lambda found: self._digits(found[0]), text)
        else:
            text = self._digits(text)
        return text.encode("latin-1")

    def text(self, text: str) -> str:
        """Return a text without the identifiers known."""
        return self.over(text.encode()).decode()

    def _plain(self, octets: bytes) -> bytes:
        for finder in self._all_finders():
            octets = finder.over(octets)
        return octets

    def _all_finders(self) -> "list[_Finder]":
        known = self._eui64s
        if self._finders is None and known:
            backwards = {old[::-1]: new[::-1] for old, new in known.items()}
            self._finders = [_Finder(known, None), _Finder(backwards, None)]
            for separator in _SEPARATORS:
                self._finders += [_Finder(known, separator), _Finder(backwards, separator)]
        return self._finders or []

    def _has_digits(self, text: str) -> bool:
        """Say whether a number stands in a text that is to be replaced."""
        found = set(_DIGITS.findall(text))
        return not found.isdisjoint(self._numbers) or any(
            len(number) == _UTRN_DIGITS for number in found
        )

    def _digits(self, text: str) -> str:
        def replaced(found: re.Match[str]) -> str:
            number = found[0]
            if len(number) == _UTRN_DIGITS:
                return "0" * _UTRN_DIGITS
            return self._numbers.get(number, number)

        return _DIGITS.sub(replaced, text)

    def _encoded(self, found: re.Match[str]) -> str:
        """Return base64 without the identifiers inside, its lines broken where they were."""
        told = found[0]
        for shown in (told, told.splitlines()[0]):
            bare = re.sub(r"\s", "", shown)
            try:
                inner = base64.b64decode(bare, validate=True)
            except binascii.Error:
                continue
            other = self._plain(inner)
            fresh = iter(base64.b64encode(other).decode())
            if other == inner:
                return told
            return (
                "".join(one if one.isspace() else next(fresh) for one in shown) + told[len(shown) :]
            )
        return told

    def _over_archive(self, octets: bytes) -> bytes:
        """Return a workbook with every part replaced and stored, or words in its stead.

        One that holds no identifier stays as it is, to the octet.
        """
        out, changed = io.BytesIO(), False
        try:
            with zipfile.ZipFile(io.BytesIO(octets)) as old, zipfile.ZipFile(out, "w") as new:
                for name, content in _members(old):
                    shown, told = self.text(name), self.over(content)
                    changed |= (shown, told) != (name, content)
                    new.writestr(zipfile.ZipInfo(shown), told)
        except (zipfile.BadZipFile, ValueError, RuntimeError, OSError, EOFError, KeyError):
            return _PAST_READING
        return out.getvalue() if changed else octets


class _Finder:
    """Finds identifiers in one spelling: raw, or as hex digits with a separator."""

    def __init__(self, table: dict[bytes, bytes], separator: str | None) -> None:
        self._separator = separator
        spelt: Callable[[bytes], bytes] = bytes
        if separator is not None:
            spelt = lambda octets: _hex(octets, separator)  # noqa: E731 -- a spelling is a value
        self._table = {spelt(old): new for old, new in table.items()}
        self._width = len(next(iter(self._table)))
        # Identifiers share their makers' three octets: few beginnings (or ends, backwards).
        heads, tails = {old[:3] for old in table}, {old[-3:] for old in table}
        self._skip = 0 if len(heads) <= len(tails) else self._width - len(spelt(b"abc"))
        marks = heads if not self._skip else tails
        parts = b"|".join(re.escape(spelt(one)) for one in sorted(marks))
        self._marks = re.compile(
            b"(?=" + parts + b")", re.IGNORECASE if separator is not None else 0
        )

    def over(self, octets: bytes) -> bytes:
        """Return octets with every identifier of this spelling replaced."""
        out: list[bytes] = []
        done = 0
        for found in self._marks.finditer(octets):
            start = found.start() - self._skip
            told = octets[start : start + self._width] if start >= done else b""
            new = self._table.get(told if self._separator is None else told.lower())
            if new is not None:
                out += [octets[done:start], self._spelt(new, told)]
                done = start + self._width
        return b"".join([*out, octets[done:]]) if done else octets

    def _spelt(self, new: bytes, told: bytes) -> bytes:
        if self._separator is None:
            return new
        fresh = _hex(new, self._separator)
        return fresh if told == told.lower() and self._separator != "-" else fresh.upper()


def _eui64s(octets: bytes) -> Iterator[bytes]:
    """Yield the EUI-64s that are written in octets with hyphens or colons, in order."""
    for found in _EUI64.finditer(octets):
        start, separator = found.start() - 2, found[0][:1]
        first, before = octets[max(start, 0) : start + 2], octets[max(start - 1, 0) : max(start, 0)]
        is_whole = len(first) == 2 and _HEX_DIGITS.issuperset(first)
        if is_whole and _HEX_DIGITS.isdisjoint(before) and before not in {b"-", separator}:
            yield bytes.fromhex((first + found[0].replace(separator, b"")).decode())


def _rows_of_digits(octets: bytes) -> bytes:
    """Return the numbers that ``over`` would replace, a line each.

    In digits of hex and base64 one in eleven rows of 13 has the check digit of an MPAN by chance.
    """
    rows = []
    for found in _ROW.finditer(octets):
        start, end = found.span()
        if end - start == _MPAN_DIGITS:
            around = octets[max(start - 1, 0) : start] + octets[end : end + 1]
            if not any(one in _LETTERS for one in around):
                rows.append(found[0])
    return b"\n".join(rows)


def _hex(octets: bytes, separator: str) -> bytes:
    return (octets.hex(separator) if separator else octets.hex()).encode()


def _unpacked(octets: bytes) -> Iterator[bytes]:
    """Yield the parts of a workbook, or the octets themselves; nothing of what cannot be read."""
    if not octets.startswith(_ZIP):
        yield octets
        return
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            yield from (content for _, content in _members(archive))
    except (zipfile.BadZipFile, ValueError, RuntimeError, OSError, EOFError, KeyError):
        return


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents, no more than a workbook may hold.

    Raises:
        ValueError: They are more.
    """
    left = _MOST_UNPACKED_BYTES
    for info in archive.infolist():
        with archive.open(info) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ValueError(f"an archive unpacks to more than {_MOST_UNPACKED_BYTES} octets")
        yield info.filename, content
