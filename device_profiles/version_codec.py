"""How a maker writes the four octets of a firmware version: in the device, and for people."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from device_profiles.sections import Section
from device_profiles.words import OctetCoding, VersionCodecKind

_LETTERS: Final = "abcd"
_BCD_TEMPLATE: Final = "{a}.{b}.{c}.{d}"
_NAME: Final = re.compile(r"\{([^{}]*)\}")
#: Octets of the native form ``octets-7`` behind the version itself.
_TAIL_OCTETS: Final = 3
_SEVEN: Final = 4 + _TAIL_OCTETS

Codings = tuple[OctetCoding, OctetCoding, OctetCoding, OctetCoding]
HexText = Annotated[str, Field(pattern=r"^[0-9A-F]{8}$")]


class VersionTextError(ValueError):
    """A text or octets are no version of a codec, or a version cannot be written by it."""


class VersionCodec(Section):
    """How the maker writes the four octets of a firmware version (F-008, F-073).

    Attributes:
        kind: ``hex``: eight digits as they are; ``bcd``: four BCD octets; ``mixed``: as the
            template and codings tell; ``text``: ASCII text of a template, in the device too;
            ``octets-7``: octet-string of seven, printed as major.minor.build.
        template: Text with ``{a}`` to ``{d}`` for octets 0 to 3: each once for ``mixed``, each
            at most once for ``text``.
        codings: Coding of octets 0 to 3; ``mixed`` and ``text`` only.
        rest: Version whose octets stand in for those a ``text`` leaves out: 8 hex digits.
    """

    kind: VersionCodecKind
    template: str | None = None
    codings: Codings | None = None
    rest: HexText | None = None

    @model_validator(mode="after")
    def _each_kind_has_what_it_needs(self) -> Self:
        templated = self.kind in {VersionCodecKind.MIXED, VersionCodecKind.TEXT}
        if templated != (self.template is not None) or templated != (self.codings is not None):
            raise ValueError('template and codings belong to kind = "mixed" or "text", only there')
        if (self.kind is VersionCodecKind.TEXT) != (self.rest is not None):
            raise ValueError('rest belongs to kind = "text", and only there')
        names = _NAME.findall(self.template or "")
        if self.kind is VersionCodecKind.MIXED and sorted(names) != list(_LETTERS):
            raise ValueError("template must hold {a}, {b}, {c} and {d} exactly once each")
        if self.kind is VersionCodecKind.TEXT:
            self._check_text(names)
        return self

    def _check_text(self, names: Sequence[str]) -> None:
        if not names or len(set(names)) != len(names) or not set(names) <= set(_LETTERS):
            raise ValueError("template must hold one of {a}, {b}, {c} and {d} or more, each once")
        if not (self.template or "").isascii():
            raise ValueError("template must be ASCII")

    def display(self, octets: bytes) -> str:
        """Return a version as the maker prints it.

        Args:
            octets: The four octets, most significant first.

        Raises:
            VersionTextError: An octet is not what the codec needs (BCD with a digit above 9), or
                the text leaves one out that is not that of ``rest``.
        """
        if self.kind is VersionCodecKind.HEX:
            return octets.hex().upper()
        if self.kind is VersionCodecKind.OCTETS_7:
            return f"{octets[0]}.{octets[1]}.{int.from_bytes(octets[2:], 'big')}"
        template, codings = self._shape()
        shown = {
            letter: _shown(octet, how)
            for letter, octet, how in zip(_LETTERS, octets, codings, strict=True)
        }
        self._refuse_left_out(octets)
        return template.format(**shown)

    def parse(self, text: str) -> bytes:
        """Return the four octets of a version as the maker prints it.

        Raises:
            VersionTextError: The text does not fit the codec.
        """
        if self.kind is VersionCodecKind.HEX:
            if re.fullmatch(r"[0-9A-Fa-f]{8}", text) is None:
                raise VersionTextError(f"not eight hex digits: {text!r}")
            return bytes.fromhex(text)
        if self.kind is VersionCodecKind.OCTETS_7:
            return _release(text)
        template, codings = self._shape()
        pattern = _NAME.sub(r"(?P<\1>[0-9]{1,3})", _escaped(template))
        found = re.fullmatch(pattern, text)
        if found is None:
            raise VersionTextError(f"{text!r} is not of the form {template!r}")
        given = found.groupdict()
        rest = bytes.fromhex(self.rest or "00000000")
        octets = zip(_LETTERS, codings, rest, strict=True)
        return bytes(
            _to_octet(int(given[letter]), how) if letter in given else left
            for letter, how, left in octets
        )

    def native(self, octets: bytes) -> bytes:
        """Return a version as the device itself holds and tells it.

        Args:
            octets: The four octets, most significant first.

        Raises:
            VersionTextError: The codec cannot write it.
        """
        if self.kind is VersionCodecKind.TEXT:
            return self.display(octets).encode("ascii")
        if self.kind is VersionCodecKind.OCTETS_7:
            return octets + bytes(_TAIL_OCTETS)
        return octets

    def held_text(self, octets: bytes) -> str:
        """Return a version as a firmware object that holds text has it.

        The maker's text where devices hold that and it can write the version; else eight hex
        digits.

        Args:
            octets: The four octets, most significant first.
        """
        if self.kind is not VersionCodecKind.TEXT:
            return octets.hex().upper()
        try:
            return self.display(octets)
        except VersionTextError:
            return octets.hex().upper()

    def from_native(self, native: bytes) -> bytes:
        """Return the four octets of what a device tells.

        Raises:
            VersionTextError: They are no version of this codec.
        """
        if self.kind is VersionCodecKind.TEXT:
            return self.parse(native.decode("ascii", "replace"))
        length = _SEVEN if self.kind is VersionCodecKind.OCTETS_7 else 4
        if len(native) != length:
            raise VersionTextError(f"{length} octets are wanted, not {len(native)}")
        return native[:4]

    def _shape(self) -> tuple[str, Codings]:
        if self.template is not None and self.codings is not None:
            return self.template, self.codings
        bcd = OctetCoding.BCD
        return _BCD_TEMPLATE, (bcd, bcd, bcd, bcd)

    def _refuse_left_out(self, octets: bytes) -> None:
        """Refuse a version whose text would be another's."""
        if self.rest is None:
            return
        names = set(_NAME.findall(self.template or ""))
        for letter, octet, left in zip(_LETTERS, octets, bytes.fromhex(self.rest), strict=True):
            if letter not in names and octet != left:
                raise VersionTextError(
                    f"{octets.hex().upper()} has no text: {self.template!r} stands for versions"
                    f" like {self.rest}"
                )


def _escaped(template: str) -> str:
    """Return a template as a pattern whose ``{a}`` to ``{d}`` are left as they are."""
    parts = re.split(r"(\{[^{}]*\})", template)
    return "".join(part if part.startswith("{") else re.escape(part) for part in parts)


_RELEASE: Final = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,5})")
_RELEASE_LIMITS: Final[Mapping[int, int]] = {1: 0xFF, 2: 0xFF, 3: 0xFFFF}


def _release(text: str) -> bytes:
    found = _RELEASE.fullmatch(text)
    if found is None:
        raise VersionTextError(f"{text!r} is not of the form major.minor.build")
    numbers = {group: int(found[group]) for group in _RELEASE_LIMITS}
    for group, limit in _RELEASE_LIMITS.items():
        if numbers[group] > limit:
            raise VersionTextError(f"{numbers[group]} is more than {limit}: {text!r}")
    return bytes((numbers[1], numbers[2])) + numbers[3].to_bytes(2, "big")


def _to_octet(number: int, coding: OctetCoding) -> int:
    limit = 99 if coding is OctetCoding.BCD else 255
    if number > limit:
        raise VersionTextError(f"{number} does not fit one octet as {coding} (at most {limit})")
    return number // 10 << 4 | number % 10 if coding is OctetCoding.BCD else number


def _shown(octet: int, coding: OctetCoding) -> str:
    if coding is OctetCoding.BINARY:
        return str(octet)
    high, low = octet >> 4, octet & 0x0F
    if high > 9 or low > 9:
        raise VersionTextError(f"{octet:02X} is no BCD octet")
    return f"{high}{low}"
