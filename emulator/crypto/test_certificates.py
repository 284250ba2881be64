"""Certificates of our own test authorities: the same in every process that has the same seed.

(No tests of anything: these certificates are for tests. Nothing real trusts them.)
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import TEST_ISSUER, Authority, Credentials

#: The authority that hubs and devices of a home trust unless told otherwise.
TEST: Final = "test"
#: Another authority, under a name of its own: refused by its name (UNKNOWN_ISSUER).
OTHER: Final = "other"
#: Another authority, under the first one's name: refused by the keyed hash (BAD_KEY_CONFIRM).
IMPOSTOR: Final = "impostor"
#: Every authority and the name it has in certificates.
ISSUERS: Final[Mapping[str, bytes]] = MappingProxyType(
    {TEST: TEST_ISSUER, OTHER: b"SMETSOTH", IMPOSTOR: TEST_ISSUER}
)
#: Suites in the order a device tries them.
SUITES_BY_RANK: Final = (KeySuite.CBKE_283, KeySuite.CBKE_163)


@lru_cache(maxsize=32)
def authority_of(seed: int, suite: KeySuite, name: str = TEST) -> Authority:
    """Return a test authority.

    Args:
        seed: Seed of the run.
        suite: Suite of its certificates.
        name: One of ``ISSUERS``.

    Raises:
        KeyError: There is no such authority.
    """
    stream = "cbke/ca" if name == TEST else f"cbke/ca/{name}"
    return Authority.draw(suite, Stream(seed, stream), ISSUERS[name])


@lru_cache(maxsize=256)
def credentials_of(
    seed: int, suite: KeySuite, eui64: Eui64, *, authority: str = TEST
) -> Credentials:
    """Return a device's key and certificate.

    Args:
        seed: Seed of the run.
        suite: Suite they are for.
        eui64: The device.
        authority: Who issues them, one of ``ISSUERS``; the device trusts that one alone.

    Raises:
        KeyError: There is no such authority.
    """
    stream = Stream(seed, f"cbke/{eui64.hex}")
    return authority_of(seed, suite, authority).issue(eui64, stream)


def all_credentials(
    seed: int, eui64: Eui64, *, authority: str = TEST
) -> Mapping[KeySuite, Credentials]:
    """Return a device's keys and certificates of both suites, suite 2 first."""
    return {
        suite: credentials_of(seed, suite, eui64, authority=authority) for suite in SUITES_BY_RANK
    }
