"""Judging UTRNs: what twenty digits say, what is wrong with them, and whether a key made them.

The arithmetic of the token stands in ``prepayment_token``. Established by vector are the three
tokens of RTDS 4.5.0 CS01a and CS01b and two of another parser's tests (reference gbcs.md section
11); that a meter searches the counter of a keyed-in token near its highest one is [inferred].
"""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.core.ids import Eui64
from emulator.crypto import prepayment_token
from emulator.crypto.prepayment_token import COUNTER_MASK, DIGITS, TokenBits
from emulator.crypto.protection import KeyRing

_SHIFT: Final = 32
_SPAN: Final = COUNTER_MASK + 1
#: How many spans of counters around the hint are tried for a token without its command.
_SPANS_TRIED: Final = 4


class TokenFault(enum.StrEnum):
    """Why digits are no token, or none for this meter."""

    WRONG_LENGTH = "wrong_length"
    NOT_DIGITS = "not_digits"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    OUT_OF_RANGE = "out_of_range"
    NO_KEY = "no_key"
    NOT_AUTHENTIC = "not_authentic"


@dataclass(frozen=True, slots=True)
class Authentic:
    """A token that the supplier's key made for this meter.

    Attributes:
        bits: What it says.
        counter: Its originator counter, all 64 bits.
    """

    bits: TokenBits
    counter: int


def read(digits: str) -> TokenBits | TokenFault:
    """Read digits, which may stand in groups with spaces or hyphens; say what is wrong with them.

    Whether a key made them is not judged.
    """
    plain = digits.replace(" ", "").replace("-", "")
    if not (plain.isascii() and plain.isdigit()):
        return TokenFault.NOT_DIGITS
    if len(plain) != DIGITS:
        return TokenFault.WRONG_LENGTH
    bits = prepayment_token.read_token(plain)
    if bits is not None:
        return bits
    if any(prepayment_token.read_token(plain[:-1] + str(digit)) for digit in range(10)):
        return TokenFault.WRONG_CHECK_DIGIT
    return TokenFault.OUT_OF_RANGE


def counters_of(bits: TokenBits, near: int) -> tuple[int, ...]:
    """Return the originator counters a token may have, the nearest to ``near`` first.

    Args:
        bits: The token; it says ten bits of its counter.
        near: An originator counter known to be about right, e.g. the highest one accepted.
    """
    middle = near >> _SHIFT
    base = middle - middle % _SPAN + bits.counter_low
    around = (base + n * _SPAN for n in range(-_SPANS_TRIED, _SPANS_TRIED + 1))
    fitting = sorted((one for one in around if one >= 0), key=lambda one: abs(one - middle))
    return tuple(one << _SHIFT for one in fitting)


def judge(
    digits: str, originator: Eui64, target: Eui64, ring: KeyRing, *, near: int = 0
) -> Authentic | TokenFault:
    """Say whether twenty digits are a token of these parties.

    Args:
        digits: As keyed in.
        originator: The supplier.
        target: The meter.
        ring: Keys, with the private one of either.
        near: The originator counter of the command that brought it, or one about right.

    Source:
        reference gbcs.md section 11; checked on the tokens of RTDS 4.5.0 CS01b and the golden
        values there.
    """
    bits = read(digits)
    if isinstance(bits, TokenFault):
        return bits
    if ring.agreement.shared_secret(originator, target, prepayment=True) is None:
        return TokenFault.NO_KEY
    for counter in counters_of(bits, near):
        if prepayment_token.is_authentic(bits, counter, originator, target, ring):
            return Authentic(bits, counter)
    return TokenFault.NOT_AUTHENTIC
