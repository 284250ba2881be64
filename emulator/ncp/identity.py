"""What a dongle is: its address, its firmware's versions and what its image carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Credentials

#: Stack version that goes with a version of EZSP (reference zigbee-dongle.md section 2.3).
STACK_VERSIONS: Final = {8: 0x6780, 13: 0x7450, 14: 0x8020, 18: 0x9000, 19: 0x9000}
#: Libraries of the stack that have to do with certificates, as Smart Energy images carry them and
#: stock images do not (there a stub answers): key establishment and signing on sect163k1, key
#: establishment on sect283k1, the arithmetic of both, and what they share.
#: Source: library.h (known).
CBKE_LIBRARIES: Final = frozenset({0x06, 0x07, 0x08, 0x09, 0x0D, 0x0E, 0x0F})
#: Those that key establishment of a suite needs.
NEEDED: Final[Mapping[KeySuite, frozenset[int]]] = MappingProxyType(
    {
        KeySuite.CBKE_163: frozenset({0x06, 0x08}),
        KeySuite.CBKE_283: frozenset({0x0D, 0x0E}),
    }
)
#: The one that signing needs.
SIGNING: Final = 0x07


def _none() -> Mapping[KeySuite, Credentials]:
    return MappingProxyType({})


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
        credentials: Certificates and keys in its manufacturing tokens, by suite. Without the
            libraries they cannot be used.
        cbke_ms: How long it computes an ephemeral key on sect283k1, in milliseconds; the proofs
            take twice that, and sect163k1 a third. A real one takes seconds: 1500 is like it.
        transmits: Whether the manufacturing library and raw messages may send: by default no.

    Source:
        stand-in: made-up manufacturer and board, in the layout of section 2.8.
    """

    eui64: Eui64
    ezsp: int = 13
    build: int = 0
    manufacturer: str = "Bench"
    board: str = "Emulated dongle"
    libraries: frozenset[int] = field(default=frozenset())
    credentials: Mapping[KeySuite, Credentials] = field(default_factory=_none, repr=False)
    cbke_ms: int = 30
    transmits: bool = False

    def computes(self, suite: KeySuite) -> bool:
        """Say whether its image can establish keys on a suite."""
        return NEEDED[suite] <= self.libraries

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
