"""UTRNs: the tokens of the sources are made and read; spoilt ones are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.crypto.keystore import KeyStore
from emulator.crypto.prepayment_token import is_authentic, make_token, read_token
from emulator.crypto.protection import KeyRing
from tests.emulator.devices.kit import ESME, GSME, OTHER_SUPPLIER, SUPPLIER
from tests.given import RTDS_KEYS, needs_rtds

GIVEN_DIGITS = "73950067887105178605"


@needs_rtds
@pytest.mark.parametrize(
    ("target", "counter", "pence", "token"),
    [
        (ESME, 0x100000000, 10_000, "73943333457189043313"),
        (ESME, 0x400000000, 1_234, "73947252416745201637"),
        (GSME, 0x600000000, 1_250, GIVEN_DIGITS),
    ],
)
def test_tokens_of_the_sources_are_made_and_read(
    target: object, counter: int, pence: int, token: str
) -> None:
    assert target in (ESME, GSME)
    meter = ESME if target == ESME else GSME
    ring = KeyRing(KeyStore.load(RTDS_KEYS))
    assert make_token(counter, pence, SUPPLIER, meter, ring) == token
    bits = read_token(token)
    assert bits is not None
    assert bits.millipence == pence * 1000
    assert is_authentic(bits, counter, SUPPLIER, meter, ring)
    assert not is_authentic(bits, counter + (1 << 32), SUPPLIER, meter, ring)
    other = ESME if meter == GSME else GSME
    assert not is_authentic(bits, counter, SUPPLIER, other, ring)


def test_without_a_prepayment_key_there_is_no_token() -> None:
    assert make_token(1 << 32, 5, OTHER_SUPPLIER, GSME, KeyRing(KeyStore([]))) is None


def test_a_value_of_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match="fit no token"):
        make_token(1 << 32, 8_193, SUPPLIER, GSME, KeyRing(KeyStore([])))


@given(at=st.integers(0, 19), digit=st.integers(0, 9))
def test_one_wrong_digit_is_always_seen(at: int, digit: int) -> None:
    spoilt = GIVEN_DIGITS[:at] + str(digit) + GIVEN_DIGITS[at + 1 :]
    assert (read_token(spoilt) is None) == (spoilt != GIVEN_DIGITS)


@given(at=st.integers(0, 18))
def test_two_digits_exchanged_are_always_seen(at: int) -> None:
    spoilt = GIVEN_DIGITS[:at] + GIVEN_DIGITS[at + 1] + GIVEN_DIGITS[at] + GIVEN_DIGITS[at + 2 :]
    assert (read_token(spoilt) is None) == (spoilt != GIVEN_DIGITS)


@pytest.mark.parametrize("digits", ["", "7" * 19, GIVEN_DIGITS + "0", "7395006788710517860x"])
def test_other_digits_are_no_token(digits: str) -> None:
    assert read_token(digits) is None
