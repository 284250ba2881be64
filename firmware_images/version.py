"""A firmware version: four octets, and how DUIS, the CPL and makers write them."""

import re
from dataclasses import dataclass
from typing import Final, Self

from device_profiles.version_codec import VersionCodec, VersionTextError

_HEX: Final = re.compile(r"[0-9A-Fa-f]{1,8}")


class VersionError(ValueError):
    """A text is no firmware version, or four octets cannot be written as asked."""


@dataclass(frozen=True, slots=True, order=True)
class FirmwareVersion:
    """Four octets that name a firmware version.

    Attributes:
        octets: Most significant first, as GBCS carries them; the OTA header holds the same number
            with the least significant octet first.

    Source:
        firmware.md 1.1 fact 10 (the OTA file version is the GBCS firmware version).
    """

    octets: bytes

    def __post_init__(self) -> None:
        if len(self.octets) != 4:
            raise VersionError(f"a firmware version has 4 octets, got {len(self.octets)}")

    @classmethod
    def from_duis(cls, text: str) -> Self:
        """Read a DUIS FirmwareVersion: 1 to 8 hex digits, filled with zeros in front.

        Raises:
            VersionError: It is longer, empty, or not hexadecimal.
        """
        if _HEX.fullmatch(text) is None:
            raise VersionError(f"not a firmware version of 1 to 8 hex digits: {text!r}")
        return cls(bytes.fromhex(text.zfill(8)))

    @classmethod
    def from_cpl(cls, text: str) -> Self:
        """Read a CPL firmware version: exactly 8 hex digits.

        Raises:
            VersionError: It is not.
        """
        if len(text) != 8:
            raise VersionError(f"a CPL firmware version has 8 hex digits: {text!r}")
        return cls.from_duis(text)

    @classmethod
    def from_number(cls, number: int) -> Self:
        """Return the version an OTA header carries as ``number`` (u32)."""
        return cls(number.to_bytes(4, "big"))

    @classmethod
    def from_display(cls, text: str, codec: VersionCodec) -> Self:
        """Read a version as the maker prints it.

        Raises:
            VersionError: The text does not fit the codec.
        """
        try:
            return cls(codec.parse(text))
        except VersionTextError as error:
            raise VersionError(str(error)) from error

    @property
    def number(self) -> int:
        """The version as an OTA header carries it (u32)."""
        return int.from_bytes(self.octets, "big")

    def duis(self) -> str:
        """Return the version as DUIS carries it: eight hex digits."""
        return self.octets.hex().upper()

    def cpl(self) -> str:
        """Return the version as the CPL lists it: eight hex digits."""
        return self.octets.hex().upper()

    def display(self, codec: VersionCodec) -> str:
        """Return the version as the maker prints it.

        Raises:
            VersionError: An octet is not what the codec needs (BCD with a digit above 9).
        """
        try:
            return codec.display(self.octets)
        except VersionTextError as error:
            raise VersionError(str(error)) from error

    def __str__(self) -> str:
        return self.cpl()
