"""Seals of Zigbee frames: derived keys, and nothing opened that was altered or is another's."""

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee.security import CHECK_OCTETS, Auxiliary, KeyId
from emulator.core.ids import Eui64
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.crypto.zigbee_security import (
    key_load_key,
    key_transport_key,
    opened,
    seal,
    verify_hash,
)
from tests.sampling import examples

SENDER = Eui64.parse("02-AA-BB-CC-DD-EE-FF-01")
OTHER = Eui64.parse("02-AA-BB-CC-DD-EE-FF-02")
KEY = bytes(range(16))
NETWORK = Auxiliary(KeyId.NETWORK, 7, SENDER, 0)


def test_the_derived_key_of_the_well_known_link_key_is_the_one_the_field_knows() -> None:
    known = "4bab0f173e1434a2d572e1c1ef478782"
    assert key_transport_key(WELL_KNOWN_LINK_KEY).hex() == known


def test_each_purpose_has_a_key_of_its_own() -> None:
    made = {key_transport_key(KEY), key_load_key(KEY), verify_hash(KEY), KEY}
    assert len(made) == 4


@given(
    header=st.binary(max_size=30),
    payload=st.binary(max_size=80),
    key_id=st.sampled_from(KeyId),
    counter=st.integers(0, 0xFFFFFFFF),
)
@settings(max_examples=examples(100), derandomize=True)
def test_what_was_sealed_is_opened_with_the_same_key_alone(
    header: bytes, payload: bytes, key_id: KeyId, counter: int
) -> None:
    sequence = 3 if key_id is KeyId.NETWORK else None
    auxiliary = Auxiliary(key_id, counter, SENDER, sequence)
    octets = seal(header, auxiliary, payload, KEY, SENDER)
    enciphered = octets[-(len(payload) + CHECK_OCTETS) :]
    assert opened(header, auxiliary, enciphered, KEY, SENDER) == payload
    assert opened(header, auxiliary, enciphered, bytes(16), SENDER) is None
    assert opened(header, auxiliary, enciphered, KEY, OTHER) is None
    assert opened(header + b"\x00", auxiliary, enciphered, KEY, SENDER) is None
    again = Auxiliary(key_id, counter ^ 1, SENDER, sequence)
    assert opened(header, again, enciphered, KEY, SENDER) is None


def test_less_than_a_check_opens_nothing() -> None:
    for length in range(CHECK_OCTETS):
        assert opened(b"", NETWORK, bytes(length), KEY, SENDER) is None


def test_the_level_is_no_part_of_what_is_on_the_air() -> None:
    octets = seal(b"\x48", NETWORK, b"abc", KEY, SENDER)
    assert octets[1] == 0x28  # network key, extended nonce, level zero
