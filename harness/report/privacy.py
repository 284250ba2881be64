"""Pseudonyms for the identifiers of user data."""

import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, Final

from harness.report.model import RunRecord

_EUI64: Final = re.compile(
    r"(?<![0-9A-Fa-f:-])[0-9A-Fa-f]{2}(?P<sep>[-:])(?:[0-9A-Fa-f]{2}(?P=sep)){6}[0-9A-Fa-f]{2}"
    r"(?![0-9A-Fa-f:-])"
)
_MPXN: Final = re.compile(r"(?i)mpxn\W{1,12}(?P<number>\d{6,13})\b")
#: First seven octets of every pseudonym; no maker holds EE-EE-EE.
_NOTE: Final = (
    "Identifiers of your data are replaced by pseudonyms (EE-EE-…); run again with"
    " --with-identifiers to see them."
)
_PREFIX: Final = b"\xee" * 7


class Veil:
    """Replaces EUI-64s and MPxNs, the same one always by the same pseudonym.

    Octets are replaced by octets of equal length, in either order of octets, so that a dump and
    its decoded fields still agree.
    """

    def __init__(self) -> None:
        self._eui64s: dict[bytes, bytes] = {}
        self._mpxns: dict[str, str] = {}

    def learn_text(self, text: str) -> None:
        """Take note of every identifier in a text."""
        for match in _EUI64.finditer(text):
            self.learn_eui64(bytes.fromhex(re.sub("[-:]", "", match[0])))
        for match in _MPXN.finditer(text):
            number = match["number"]
            pseudonym = str(len(self._mpxns) + 1).rjust(len(number), "0")
            self._mpxns.setdefault(number, pseudonym)

    def learn_eui64(self, octets: bytes) -> None:
        """Take note of an EUI-64, most significant octet first."""
        if octets not in self._eui64s:
            self._eui64s[octets] = _PREFIX + bytes([(len(self._eui64s) + 1) & 0xFF])

    def text(self, text: str) -> str:
        """Return a text without the identifiers known."""
        veiled = _EUI64.sub(self._pseudonym, text)
        for octets, other in self._eui64s.items():
            for old, new in ((octets, other), (octets[::-1], other[::-1])):
                for separator in ("", " ", ":"):
                    veiled = veiled.replace(_hex(old, separator), _hex(new, separator)).replace(
                        _hex(old, separator).upper(), _hex(new, separator).upper()
                    )
        for number, other_number in self._mpxns.items():
            veiled = re.sub(rf"(?<!\d){number}(?!\d)", other_number, veiled)
        return veiled

    def octets(self, octets: bytes) -> bytes:
        """Return octets without the identifiers known."""
        for old, new in self._eui64s.items():
            octets = octets.replace(old, new).replace(old[::-1], new[::-1])
            octets = octets.replace(_printed(old), _printed(new))
        for number, other in self._mpxns.items():
            octets = octets.replace(number.encode(), other.encode())
        return octets

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
        octets = bytes.fromhex(re.sub("[-:]", "", match[0]))
        self.learn_eui64(octets)
        return _hex(self._eui64s[octets], match["sep"]).upper()


def _hex(octets: bytes, separator: str) -> str:
    return octets.hex(separator) if separator else octets.hex()


def _printed(octets: bytes) -> bytes:
    return octets.hex("-").upper().encode()


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
            veil.learn_text(path.read_text("utf-8", errors="replace"))
    for scenario in run.scenarios:
        for octets in _known(scenario.names):
            veil.learn_eui64(octets)
    return replace(run, scenarios=veil.over(run.scenarios), notes=(*run.notes, _NOTE))


def _known(names: Iterable[str]) -> Iterable[bytes]:
    return (bytes.fromhex(name) for name in names if re.fullmatch("[0-9a-f]{16}", name))
