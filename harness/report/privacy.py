"""Pseudonyms for the identifiers of user data."""

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, Final

from harness.report.model import RunRecord

#: Eight pairs of digits with dashes, or with colons. Colons also join the parts of a request id
#: (``A:B:n``), so one beside dashes ends nothing; beside colons it makes a longer string.
_EUI64: Final = re.compile(
    r"(?<![0-9A-Fa-f-])[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7}(?![0-9A-Fa-f-])"
    r"|(?<![0-9A-Fa-f:-])[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7}(?![0-9A-Fa-f:-])"
)
_MPXN: Final = re.compile(r"(?i)mpxn\W{1,12}(?P<number>\d{6,13})\b")
_NOTE: Final = (
    "Identifiers of your data are replaced by pseudonyms (EE-EE-…); run again with"
    " --with-identifiers to see them."
)
#: First seven octets of every pseudonym; no maker holds EE-EE-EE.
_PREFIX: Final = b"\xee" * 7


class Veil:
    """Replaces EUI-64s and MPxNs, the same one always by the same pseudonym.

    Octets are replaced by octets of equal length, in either order of octets, so that a dump and
    its decoded fields still agree.
    """

    def __init__(self) -> None:
        self._eui64s: dict[bytes, bytes] = {}
        self._mpxns: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None

    def learn_text(self, text: str) -> None:
        """Take note of every identifier in a text."""
        for match in _EUI64.finditer(text):
            self.learn_eui64(bytes.fromhex(_digits(match[0])))
        for match in _MPXN.finditer(text):
            self._learn_mpxn(match["number"])

    def learn_table(self, text: str) -> None:
        """Take note of every identifier in an installation file of rows (CSV)."""
        self.learn_text(text)
        for row in csv.DictReader(text.splitlines()):
            number = row.get("mpxn") or ""
            if number.isdecimal():
                self._learn_mpxn(number)

    def learn_eui64(self, octets: bytes) -> None:
        """Take note of an EUI-64, most significant octet first."""
        if octets not in self._eui64s:
            self._eui64s[octets] = _PREFIX + bytes([(len(self._eui64s) + 1) & 0xFF])
            self._known = None

    def _learn_mpxn(self, number: str) -> None:
        pseudonym = str(len(self._mpxns) + 1).rjust(len(number), "0")
        self._mpxns.setdefault(number, pseudonym)

    def text(self, text: str) -> str:
        """Return a text without the identifiers known."""
        self.learn_text(text)
        veiled = text
        if self._eui64s:
            self._known = self._known or _spellings(self._eui64s)
            veiled = self._known.sub(self._pseudonym, text)
        for number, other_number in self._mpxns.items():
            veiled = re.sub(rf"(?<!\d){number}(?!\d)", other_number, veiled)
        return veiled

    def octets(self, octets: bytes) -> bytes:
        """Return octets without the identifiers known."""
        for old, new in self._eui64s.items():
            octets = octets.replace(old, new).replace(old[::-1], new[::-1])
        # Latin-1 keeps every octet, so what is printed inside is veiled like any text.
        return self.text(octets.decode("latin-1")).encode("latin-1")

    def over(self, value: Any) -> Any:
        """Return a value of the report with every text and all octets in it veiled."""
        veiled = value
        if isinstance(value, str) and type(value) is str:
            veiled = self.text(value)
        elif isinstance(value, bytes):
            veiled = self.octets(value)
        elif isinstance(value, list | tuple):
            veiled = type(value)(self.over(item) for item in value)
        elif isinstance(value, dict):
            veiled = {self.over(key): self.over(item) for key, item in value.items()}
        elif callable(value) and not isinstance(value, type):
            veiled = partial(self._asked, value)
        elif is_dataclass(value) and not isinstance(value, type):
            changes = {entry.name: self.over(getattr(value, entry.name)) for entry in fields(value)}
            veiled = replace(value, **changes)
        return veiled

    def _asked(self, tell: Callable[[], Any]) -> Any:
        """What is told only when asked for is veiled then."""
        return self.over(tell())

    def _pseudonym(self, match: re.Match[str]) -> str:
        octets, told = bytes.fromhex(_digits(match[0])), match[0]
        forwards = self._eui64s.get(octets)
        other = self._eui64s[octets[::-1]][::-1] if forwards is None else forwards
        separator = "" if told[2].isalnum() else told[2]
        spelt = other.hex(separator) if separator else other.hex()
        return spelt.upper() if separator == "-" or told != told.lower() else spelt


def _digits(text: str) -> str:
    return re.sub("[-: ]", "", text)


def _spellings(known: Iterable[bytes]) -> re.Pattern[str]:
    """Return what finds identifiers in either order of octets, spelt with or without separators."""
    ways = [
        re.escape(order.hex(separator) if separator else order.hex())
        for octets in known
        for order in (octets, octets[::-1])
        for separator in ("-", ":", " ", "")
    ]
    return re.compile("|".join(ways), re.IGNORECASE)


def veiled(run: RunRecord) -> RunRecord:
    """Return the record with pseudonyms for the identifiers of the user's data.

    Unchanged where the run was on no user data, or was asked for ``--with-identifiers``.
    """
    options = run.options
    if not options.on_user_data or options.with_identifiers:
        return run
    veil = Veil()
    for path in (options.bench, options.installation, options.request):
        if path is not None and path.is_file():
            learn = veil.learn_table if path.suffix.lower() == ".csv" else veil.learn_text
            learn(path.read_text("utf-8", errors="replace"))
    for scenario in run.scenarios:
        for octets in _known(scenario.names):
            veil.learn_eui64(octets)
    return replace(run, scenarios=veil.over(run.scenarios), remarks=(*run.remarks, _NOTE))


def _known(names: Iterable[str]) -> Iterable[bytes]:
    return (bytes.fromhex(name) for name in names if re.fullmatch("[0-9a-f]{16}", name))
