"""Identifiers: EUI-64 as a value."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

from emulator.core.values import quick

_TEXT = re.compile(r"[0-9A-Fa-f]{2}(?:(?P<sep>[-:]?)[0-9A-Fa-f]{2})(?:(?P=sep)[0-9A-Fa-f]{2}){6}")


@quick
@dataclass(frozen=True, slots=True, order=True)
class Eui64:
    """An 8-octet extended unique identifier.

    Attributes:
        octets: Eight octets, most significant first (the order GBCS uses; Zigbee frames
            carry them least significant first).

    Source:
        IEEE EUI-64; printed form of DUIS (``00-DB-12-34-56-78-90-A0``).
    """

    octets: bytes

    def __post_init__(self) -> None:
        if len(self.octets) != 8:
            raise ValueError(f"an EUI-64 has 8 octets, got {len(self.octets)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an EUI-64 written with ``-``, ``:`` or nothing between its octets.

        Raises:
            ValueError: ``text`` is not an EUI-64.
        """
        parsed: Self = _parsed(cls, text)
        return parsed

    @property
    def hex(self) -> str:
        """Sixteen lower-case hex digits, as key stores use."""
        return self.octets.hex()

    def __hash__(self) -> int:
        return hash(self.octets)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is self.__class__:
            return self.octets == other.octets
        return NotImplemented

    def __str__(self) -> str:
        return self.octets.hex("-").upper()


def _octets_of(text: str) -> bytes:
    stripped = text.strip()
    if _TEXT.fullmatch(stripped) is None:
        raise ValueError(f"not an EUI-64: {text!r} (write it like 00-DB-12-34-56-78-90-A0)")
    return bytes.fromhex(stripped.replace("-", "").replace(":", ""))


#: The value of a text: identifiers are read again and again, and the same text is the same value.
_parsed: Final[Any] = lru_cache(maxsize=4096)(lambda made, text: made(_octets_of(text)))
