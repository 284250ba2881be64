"""Top-up codes: twenty digits of one meter, and no other."""

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.top_up_code import CodeRefusal, TopUp, decode, encode, top_up_key

EUI64 = Eui64.parse("00-DB-12-34-56-78-90-F0")
OTHER = Eui64.parse("00-DB-12-34-56-78-90-F1")
KEY = top_up_key(bytes(range(16)), EUI64)


@pytest.mark.parametrize("top_up", [TopUp(1, 1), TopUp(2000, 17), TopUp(99_999, 99_999)])
def test_a_code_says_what_was_put_into_it(top_up: TopUp) -> None:
    code = encode(top_up, KEY, EUI64)
    assert len(code) == 20
    assert code.isdigit()
    assert code.startswith(f"{top_up.pence:05}{top_up.number:05}")
    assert decode(code, KEY, EUI64) == top_up


def test_no_digit_can_be_changed() -> None:
    code = encode(TopUp(2000, 17), KEY, EUI64)
    for place in range(20):
        for digit in "0123456789":
            if digit != code[place]:
                wrong = code[:place] + digit + code[place + 1 :]
                assert decode(wrong, KEY, EUI64) is CodeRefusal.NOT_AUTHENTIC


@pytest.mark.parametrize("code", ["", "1" * 19, "1" * 21, "1" * 19 + "x", "²" * 20, "\u0661" * 20])
def test_what_is_not_twenty_digits_is_no_code(code: str) -> None:
    assert decode(code, KEY, EUI64) is CodeRefusal.WRONG_FORMAT


def test_a_code_is_one_meter_s_alone() -> None:
    code = encode(TopUp(2000, 17), KEY, EUI64)
    assert decode(code, KEY, OTHER) is CodeRefusal.NOT_AUTHENTIC
    assert decode(code, top_up_key(bytes(16), EUI64), EUI64) is CodeRefusal.NOT_AUTHENTIC
    assert top_up_key(bytes(range(16)), OTHER) != KEY


@pytest.mark.parametrize(("pence", "number"), [(0, 1), (1, 0), (100_000, 1), (1, 100_000)])
def test_a_top_up_has_an_amount_and_a_number(pence: int, number: int) -> None:
    with pytest.raises(ValueError, match="a top-up has"):
        TopUp(pence, number)
