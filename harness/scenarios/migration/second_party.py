"""A second Requesting Party, for rows in which two name the same installation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from device_profiles.installation import Installation
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.pki import TestPki
from harness.formats.migration_files.building import Keys
from harness.formats.migration_files.key_choice import made_keys
from harness.formats.migration_files.parties import TEST_PARTIES, Role, party_entries

#: Its User ID: beside the first one's.
PARTY: Final = Eui64(TEST_PARTIES[Role.REQUESTING_PARTY].octets[:-1] + b"\x01")
#: Its counters begin here, far from the first one's.
FIRST_COUNTER: Final = 501
_BEFORE_MS: Final = 30 * 86_400_000


def keys_of_two(seed: int, start: UtcMs, homes: Sequence[Installation]) -> KeyStore:
    """Return the keys of all parties and of the second Requesting Party."""
    at = UtcMs(start - _BEFORE_MS)
    pki = TestPki.new(Chance(seed).stream("second RP").octets, at)
    own = KeyStore(party_entries(pki, Role.REQUESTING_PARTY, PARTY))
    return made_keys(seed, at, homes).merged(own)


def keys_of(keys: Keys) -> Keys:
    """Return the same keys with the second Requesting Party in its role."""
    return replace(keys, parties={**keys.parties, Role.REQUESTING_PARTY: PARTY})
