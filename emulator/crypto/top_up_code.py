"""Top-up codes of the illustrative SMETS1 meter: twenty digits with an authentication code.

A stand-in. Real SMETS1 top-up codes follow each maker's and payment provider's own rules, which
are not public.
"""

import enum
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from emulator.core.ids import Eui64

CODE_DIGITS: Final = 20
_AMOUNT_DIGITS: Final = 5
_NUMBER_DIGITS: Final = 5
_CHECK_DIGITS: Final = CODE_DIGITS - _AMOUNT_DIGITS - _NUMBER_DIGITS
MAX_PENCE: Final = 10**_AMOUNT_DIGITS - 1
MAX_NUMBER: Final = 10**_NUMBER_DIGITS - 1
KEY_BYTES: Final = 16


class CodeRefusal(enum.StrEnum):
    """Why twenty digits are no code of this meter."""

    WRONG_FORMAT = "wrong_format"
    NOT_AUTHENTIC = "not_authentic"


@dataclass(frozen=True, slots=True)
class TopUp:
    """What a code says.

    Attributes:
        pence: Credit, 1 to 99,999 pence.
        number: Running number of the meter's codes, 1 to 99,999.
    """

    pence: int
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.pence <= MAX_PENCE or not 1 <= self.number <= MAX_NUMBER:
            raise ValueError(f"a top-up has 1 to {MAX_PENCE} pence and number 1 to {MAX_NUMBER}")


def top_up_key(authentication_key: bytes, eui64: Eui64) -> bytes:
    """Derive a meter's top-up key from its owner's authentication key.

    Who owns the meter's keys can make codes for it; the meter takes them once its account was
    activated for that owner. A code of the owner before is none any more.

    Source:
        invented, stand-in.
    """
    return hmac.digest(authentication_key, b"top-up" + eui64.octets, "sha256")[:KEY_BYTES]


def encode(top_up: TopUp, key: bytes, eui64: Eui64) -> str:
    """Return the code: pence (5 digits), number (5), check (10), each with leading zeros.

    Source:
        invented, stand-in; the check is HMAC-SHA-256 over EUI-64 and the ten digits before it,
        modulo 10^10.
    """
    front = f"{top_up.pence:0{_AMOUNT_DIGITS}}{top_up.number:0{_NUMBER_DIGITS}}"
    return front + _check(front, key, eui64)


def decode(code: str, key: bytes, eui64: Eui64) -> TopUp | CodeRefusal:
    """Read a code; say why it is none of this meter."""
    if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
        return CodeRefusal.WRONG_FORMAT
    front = code[: _AMOUNT_DIGITS + _NUMBER_DIGITS]
    if not hmac.compare_digest(_check(front, key, eui64), code[len(front) :]):
        return CodeRefusal.NOT_AUTHENTIC
    pence, number = int(front[:_AMOUNT_DIGITS]), int(front[_AMOUNT_DIGITS:])
    return TopUp(pence, number) if pence and number else CodeRefusal.WRONG_FORMAT


def _check(front: str, key: bytes, eui64: Eui64) -> str:
    digest = hmac.new(key, eui64.octets + front.encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest, 'big') % 10**_CHECK_DIGITS:0{_CHECK_DIGITS}}"
