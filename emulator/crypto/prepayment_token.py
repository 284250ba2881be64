"""UTRNs: the twenty digits by which a prepayment customer's top-up reaches a SMETS2 meter."""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from emulator.core.ids import Eui64
from emulator.crypto.key_agreement import derive_key
from emulator.crypto.mac import MAC_PREFIX
from emulator.crypto.protection import KeyRing

DIGITS: Final = 20
#: Added to the 64 bits of a token before they are written in 19 digits.
_OFFSET: Final = 7_394_156_990_786_306_048
_COMMAND: Final = 0x01
_COUNTER_SHIFT: Final = 32
COUNTER_MASK: Final = 0x3FF
_CLASS_SHIFT: Final = 13
_CLASSES: Final = 2
MOST_VALUE: Final = (1 << _CLASS_SHIFT) - 1
#: Pence of one unit of each class.
_PENCE: Final = (1, 100)
_TAG_OCTETS: Final = 4
#: Verhoeff's permutation; row n is the n-th power of the first.
_FIRST_PERMUTATION: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
#: What the product of all digits becomes as twentieth digit.
_INVERSE: Final = (1, 2, 6, 7, 5, 8, 3, 0, 9, 4)
_FIRST_POSITION: Final = 4
_ROWS: Final = 8
_PENTAGON: Final = 5


@dataclass(frozen=True, slots=True)
class TokenBits:
    """What a token says, before anybody judged its check.

    Attributes:
        counter_low: The lowest ten bits of the top 32 of the originator counter.
        value_class: 0: pence, 1: pounds.
        value: 0 to 8191.
        tag: Four octets of the check.
    """

    counter_low: int
    value_class: int
    value: int
    tag: bytes

    @property
    def millipence(self) -> int:
        """The value in thousandths of a penny."""
        return self.value * _PENCE[self.value_class] * 1000

    @property
    def head(self) -> int:
        """The 32 bits that are checked."""
        return self.counter_low << 15 | self.value_class << _CLASS_SHIFT | self.value


def read_token(digits: str) -> TokenBits | None:
    """Read twenty digits; None where they are none of a UTRN.

    Source:
        reference gbcs.md section 11; checked on the tokens of RTDS 4.5.0 CS01b.
    """
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    if _check_digit(digits[:-1]) != int(digits[-1]):
        return None
    bits = int(digits[:-1]) - _OFFSET
    head, tag = bits >> 32, bits & 0xFFFFFFFF
    value_class = head >> _CLASS_SHIFT & 3
    if bits < 0 or head >> 25 or value_class >= _CLASSES:
        return None
    return TokenBits(head >> 15, value_class, head & MOST_VALUE, tag.to_bytes(4, "big"))


def make_token(
    counter: int, pence: int, originator: Eui64, target: Eui64, ring: KeyRing
) -> str | None:
    """Return the UTRN of a top-up; None where the keys are not held.

    Args:
        counter: Originator counter; its low 32 bits are 0.
        pence: Value; from 8,192 pence on whole pounds alone.
        originator: Supplier.
        target: Meter.
        ring: Keys, with the private one of either.

    Raises:
        ValueError: The value fits no class.
    """
    value_class = 0 if 0 <= pence <= MOST_VALUE else 1
    value, rest = divmod(pence, _PENCE[value_class])
    if rest or not 0 <= value <= MOST_VALUE:
        raise ValueError(f"{pence} pence fit no token")
    plain = TokenBits(counter >> _COUNTER_SHIFT & COUNTER_MASK, value_class, value, b"")
    tag = _tag(plain, counter, originator, target, ring)
    if tag is None:
        return None
    digits = str(_OFFSET + (plain.head << 32 | int.from_bytes(tag, "big")))
    return digits + str(_check_digit(digits))


def is_authentic(
    bits: TokenBits, counter: int, originator: Eui64, target: Eui64, ring: KeyRing
) -> bool:
    """Say whether a token is of this counter and these parties."""
    return _tag(bits, counter, originator, target, ring) == bits.tag


def _tag(
    bits: TokenBits, counter: int, originator: Eui64, target: Eui64, ring: KeyRing
) -> bytes | None:
    z = ring.agreement.shared_secret(originator, target, prepayment=True)
    if z is None:
        return None
    key = derive_key(z, originator, target, counter, _COMMAND)
    aad = b"%b%b%b\x01%b%b" % (
        MAC_PREFIX,
        originator.octets,
        target.octets,
        counter.to_bytes(8, "big"),
        bits.head.to_bytes(4, "big"),
    )
    return AESGCM(key).encrypt(originator.octets + bytes(4), b"", aad)[-_TAG_OCTETS:]


def _check_digit(digits: str) -> int:
    """Return the twentieth digit: Verhoeff's scheme with a start and an inverse of its own."""
    product = 0
    for position, digit in enumerate(digits, _FIRST_POSITION):
        product = _times(product, _permuted(int(digit), position % _ROWS))
    return _INVERSE[product]


def _permuted(digit: int, times: int) -> int:
    for _ in range(times):
        digit = _FIRST_PERMUTATION[digit]
    return digit


def _times(one: int, other: int) -> int:
    """Multiply in the dihedral group of the pentagon: 0 to 4 turn, 5 to 9 mirror."""
    if one < _PENTAGON:
        turned = (one + other) % _PENTAGON
        return turned if other < _PENTAGON else _PENTAGON + turned
    turned = (one - other) % _PENTAGON
    return _PENTAGON + turned if other < _PENTAGON else turned
