from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.ids import Eui64
from emulator.crypto import prepayment_token, utrn
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from emulator.crypto.utrn import Authentic, TokenFault
from tests.given import RTDS_KEYS, needs_rtds
from tests.sampling import examples

pytestmark = needs_rtds
SUPPLIER = Eui64.parse("90B3D51F30010000")
OTHER_SUPPLIER = Eui64.parse("90B3D51F30030000")
ESME = Eui64.parse("00DB1234567890A0")
GSME = Eui64.parse("00DB1234567890A1")
#: Target, counter, pence, the twenty digits. Source: reference gbcs.md section 11.
GOLDEN = (
    (ESME, 0x1_0000_0000, 10_000, "73943333457189043313"),
    (ESME, 0x4_0000_0000, 1234, "73947252416745201637"),
    (GSME, 0x6_0000_0000, 1250, "73950067887105178605"),
)


@cache
def given_ring() -> KeyRing:
    return KeyRing(KeyStore.load(RTDS_KEYS))


@pytest.fixture
def ring() -> KeyRing:
    return given_ring()


@pytest.mark.parametrize(("meter", "counter", "pence", "digits"), GOLDEN)
def test_the_golden_tokens_are_made_and_judged(
    ring: KeyRing, meter: Eui64, counter: int, pence: int, digits: str
) -> None:
    assert prepayment_token.make_token(counter, pence, SUPPLIER, meter, ring) == digits
    grouped = " ".join(digits[at : at + 4] for at in range(0, 20, 4))
    for text in (digits, grouped, grouped.replace(" ", "-")):
        judged = utrn.judge(text, SUPPLIER, meter, ring)
        assert isinstance(judged, Authentic)
        assert judged.counter == counter
        assert judged.bits.millipence == pence * 1000


@pytest.mark.parametrize(
    ("digits", "fault"),
    [
        ("7395006788710517860", TokenFault.WRONG_LENGTH),
        ("739500678871051786055", TokenFault.WRONG_LENGTH),
        ("", TokenFault.NOT_DIGITS),
        ("7395006788710517860x", TokenFault.NOT_DIGITS),
        ("73950067887105178606", TokenFault.WRONG_CHECK_DIGIT),
        ("00000000000000000000", TokenFault.OUT_OF_RANGE),
        ("99999999999999999999", TokenFault.OUT_OF_RANGE),
    ],
)
def test_wrong_digits_are_told_apart(digits: str, fault: TokenFault) -> None:
    assert utrn.read(digits) is fault


def test_a_token_of_another_meter_supplier_or_counter_is_not_authentic(ring: KeyRing) -> None:
    digits = GOLDEN[2][3]
    assert utrn.judge(digits, SUPPLIER, ESME, ring) is TokenFault.NOT_AUTHENTIC
    assert utrn.judge(digits, OTHER_SUPPLIER, GSME, ring) is TokenFault.NOT_AUTHENTIC
    far = 100_000 << 32
    assert utrn.judge(digits, SUPPLIER, GSME, ring, near=far) is TokenFault.NOT_AUTHENTIC
    stranger = Eui64.parse("0102030405060708")
    assert utrn.judge(digits, stranger, GSME, ring) is TokenFault.NO_KEY


@settings(max_examples=examples(80), deadline=None)
@given(
    counter=st.integers(0, (1 << 32) - 1), pence=st.integers(0, 8191), off=st.integers(-500, 500)
)
def test_a_token_is_found_by_a_counter_near_its_own(counter: int, pence: int, off: int) -> None:
    ring = given_ring()
    digits = prepayment_token.make_token(counter << 32, pence, SUPPLIER, GSME, ring)
    assert digits is not None
    near = max(counter + off, 0) << 32
    judged = utrn.judge(digits, SUPPLIER, GSME, ring, near=near)
    assert isinstance(judged, Authentic)
    assert judged.counter == counter << 32
    assert judged.bits.millipence == pence * 1000


@given(digits=st.text("0123456789", min_size=20, max_size=20), at=st.integers(0, 19))
@settings(max_examples=examples(200), deadline=None)
def test_every_single_mistyped_digit_of_a_token_is_noticed(digits: str, at: int) -> None:
    golden = GOLDEN[2][3]
    typed = golden[:at] + digits[at] + golden[at + 1 :]
    read = utrn.read(typed)
    assert isinstance(read, TokenFault) is (typed != golden)


def test_two_digits_in_the_wrong_order_are_noticed() -> None:
    golden = GOLDEN[2][3]
    for at in range(19):
        typed = golden[:at] + golden[at + 1] + golden[at] + golden[at + 2 :]
        if typed != golden:
            assert isinstance(utrn.read(typed), TokenFault), typed
