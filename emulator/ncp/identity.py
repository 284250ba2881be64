"""What a dongle is: its address, its firmware's versions and what its image carries."""

from dataclasses import dataclass, field
from typing import Final

from emulator.core.ids import Eui64

#: Stack version that goes with a version of EZSP (reference zigbee-dongle.md section 2.3).
STACK_VERSIONS: Final = {8: 0x6780, 13: 0x7450, 14: 0x8020, 18: 0x9000, 19: 0x9000}
#: Libraries of the stack that have to do with certificates; a stub answers for the rest.
CBKE_LIBRARIES: Final = frozenset({0x06, 0x07, 0x08, 0x09, 0x0D, 0x0E})


@dataclass(frozen=True, slots=True)
class Identity:
    """A dongle before anyone has used it.

    Attributes:
        eui64: Its own address.
        ezsp: Version of EZSP it speaks.
        build: Build number of the firmware.
        manufacturer: What its token says, at most 16 octets.
        board: What its token says, at most 16 octets.
        libraries: Libraries that are no stubs.

    Source:
        stand-in: made-up manufacturer and board, in the layout of section 2.8.
    """

    eui64: Eui64
    ezsp: int = 13
    build: int = 0
    manufacturer: str = "Bench"
    board: str = "Emulated dongle"
    libraries: frozenset[int] = field(default=frozenset())

    @property
    def stack_version(self) -> int:
        """Four digits in hexadecimal, e.g. 0x7450."""
        return STACK_VERSIONS[self.ezsp]

    @property
    def version_info(self) -> bytes:
        """VERSION_INFO: build, major, minor, patch, special, and 0xAA for a release."""
        digits = self.stack_version
        parts = (digits >> 12, digits >> 8 & 15, digits >> 4 & 15, digits & 15, 0xAA)
        return self.build.to_bytes(2, "little") + bytes(parts)
