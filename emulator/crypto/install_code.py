"""Install codes: what is printed on a Zigbee device, and the link key it stands for."""

import enum
import re
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms.hdlc import fcs
from emulator.core.chance import Stream
from emulator.crypto.aes_mmo import aes_mmo

#: Octets of a code, without its check, that Zigbee knows; GB devices have sixteen.
CODE_OCTETS: Final = (6, 8, 12, 16)
GB_CODE_OCTETS: Final = 16
CHECK_OCTETS: Final = 2
#: Link key of hosts that know no install codes ("ZigBeeAlliance09").
WELL_KNOWN_LINK_KEY: Final = b"ZigBeeAlliance09"
_SEPARATORS: Final = re.compile(r"[\s:-]")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*")


class InstallCodeFault(enum.StrEnum):
    """Why something is no install code."""

    NOT_HEX = "not hexadecimal"
    WRONG_LENGTH = "wrong length"
    WRONG_CHECK = "wrong check"


@dataclass(frozen=True, slots=True)
class InstallCode:
    """A device's install code.

    Attributes:
        code: 6, 8, 12 or 16 octets, without the check.
    """

    code: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.code) not in CODE_OCTETS:
            raise ValueError(f"an install code has 6, 8, 12 or 16 octets, not {len(self.code)}")

    @property
    def octets(self) -> bytes:
        """The code and its check, as printed: CRC-16/X.25, least significant octet first."""
        return self.code + fcs(self.code)

    def link_key(self) -> bytes:
        """Return the 16-octet link key: AES-MMO over code and check.

        Source:
            Zigbee Base Device Behavior 10.1; GBCS CCS01 carries the bare code of 16 octets.
            Checked on the two golden values of reference/firmware.md 8.1.
        """
        return aes_mmo(self.octets)


def decode(octets: bytes) -> InstallCode | InstallCodeFault:
    """Read a code with its check (8, 10, 14 or 18 octets); say why it is none."""
    code, check = octets[:-CHECK_OCTETS], octets[-CHECK_OCTETS:]
    if len(code) not in CODE_OCTETS:
        return InstallCodeFault.WRONG_LENGTH
    return InstallCode(code) if fcs(code) == check else InstallCodeFault.WRONG_CHECK


def parse(text: str) -> InstallCode | InstallCodeFault:
    """Read a code with its check as people write it: hex digits; spaces, ``-`` and ``:`` free."""
    digits = _SEPARATORS.sub("", text)
    if _HEX.fullmatch(digits) is None:
        return InstallCodeFault.NOT_HEX
    return decode(bytes.fromhex(digits))


def draw(chance: Stream) -> InstallCode:
    """Make up a code of sixteen octets."""
    return InstallCode(chance.octets(GB_CODE_OCTETS))
