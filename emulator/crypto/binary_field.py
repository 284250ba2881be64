"""Arithmetic in GF(2^m): polynomials over two elements, held as whole numbers.

Bit i of an element is the coefficient of x^i. For emulated devices only: nothing here runs in
constant time.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

from emulator.core.errors import EmulatorError

_NIBBLES: Final = "0123456789abcdef"


class NoInverseError(EmulatorError):
    """Zero was to be inverted: our own fault, formulas treat it apart."""


class BinaryField:
    """GF(2^m) modulo x^m plus a few low powers and 1.

    Attributes:
        degree: m, odd.
        octets: Octets of an element, ⌈m/8⌉.
        polynomial: The modulus as a number, x^m included.

    Source:
        textbook arithmetic (Hankerson, Menezes, Vanstone: Guide to Elliptic Curve Cryptography,
        chapter 2.3); checked through the curves against OpenSSL 3.0.19, see `binary_curve`.
    """

    def __init__(self, degree: int, powers: tuple[int, ...]) -> None:
        """Take m and the powers between m and 0 whose coefficients are 1.

        Raises:
            ValueError: m is even (half-traces need an odd degree) or a power is out of range.
        """
        if degree % 2 == 0 or not all(0 < power < degree for power in powers):
            raise ValueError(f"GF(2^{degree}): odd degree and powers between it and 0 wanted")
        self.degree = degree
        self.octets = (degree + 7) // 8
        self.polynomial = 1 << degree | sum(1 << power for power in powers) | 1
        self._powers = powers
        self._mask = (1 << degree) - 1

    def __contains__(self, value: int) -> bool:
        return 0 <= value <= self._mask

    def reduce(self, value: int) -> int:
        """Return ``value`` modulo the polynomial."""
        high = value >> self.degree
        while high:
            value = value & self._mask ^ high
            for power in self._powers:
                value ^= high << power
            high = value >> self.degree
        return value

    def multiply(self, a: int, b: int) -> int:
        """Return a·b, four bits of ``b`` at a time."""
        multiples = _multiples(a)
        product = 0
        for nibble in f"{b:x}":
            product = product << 4 ^ multiples[nibble]
        return self.reduce(product)

    def square(self, a: int) -> int:
        """Return a²: the same bits with a zero between each two.

        Read in base 4, the binary digits stand two places apart.
        """
        return self.reduce(int(f"{a:b}", 4))

    def square_often(self, a: int, times: int) -> int:
        """Return a^(2^times)."""
        for _ in range(times):
            a = self.square(a)
        return a

    def invert(self, a: int) -> int:
        """Return 1/a, by Euclid's algorithm for polynomials.

        Raises:
            NoInverseError: ``a`` is zero.
        """
        if a == 0:
            raise NoInverseError("zero has no inverse")
        u, v = a, self.polynomial
        factor_u, factor_v = 1, 0  # u = factor_u·a, v = factor_v·a, modulo the polynomial
        while u != 1:
            shift = u.bit_length() - v.bit_length()
            if shift < 0:
                u, v, factor_u, factor_v, shift = v, u, factor_v, factor_u, -shift
            u ^= v << shift
            factor_u ^= factor_v << shift
        return self.reduce(factor_u)

    def invert_all(self, values: Sequence[int]) -> list[int]:
        """Return the inverse of each value, for the price of one and three products a value.

        Raises:
            NoInverseError: One of them is zero.
        """
        products = list(accumulate(values, self.multiply))
        if not products:
            return []
        rest = self.invert(products[-1])  # of the product of all values not yet dealt with
        inverses = []
        for before, value in zip(reversed(products[:-1]), reversed(values[1:]), strict=True):
            inverses.append(self.multiply(rest, before))
            rest = self.multiply(rest, value)
        return [rest, *reversed(inverses)]

    def root(self, a: int) -> int:
        """Return the square root (each element has one)."""
        return self.square_often(a, self.degree - 1)

    def trace(self, a: int) -> int:
        """Return a + a² + a⁴ + … (m terms): 0 or 1."""
        total = term = a
        for _ in range(self.degree - 1):
            term = self.square(term)
            total ^= term
        return total

    def half_trace(self, a: int) -> int:
        """Return z with z² + z = a, where the trace of ``a`` is 0; the other solution is z + 1."""
        total = term = a
        for _ in range(self.degree // 2):
            term = self.square(self.square(term))
            total ^= term
        return total


def _multiples(a: int) -> Mapping[str, int]:
    """Return a·b for every b of four bits, by the hexadecimal digit of b."""
    a2, a4, a8 = a << 1, a << 2, a << 3
    a3, a6, a12 = a ^ a2, a2 ^ a4, a4 ^ a8
    low = (0, a, a2, a3, a4, a4 ^ a, a6, a6 ^ a)
    high = (a8, a8 ^ a, a8 ^ a2, a8 ^ a3, a12, a12 ^ a, a12 ^ a2, a12 ^ a3)
    return dict(zip(_NIBBLES, low + high, strict=True))
