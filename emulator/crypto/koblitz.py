"""Whole numbers in base τ: the short signed digits that multiples on Koblitz curves use."""

from typing import TypeAlias

from emulator.core.errors import IllegalEventError

#: The number p + q·τ.
TauInteger: TypeAlias = tuple[int, int]


class TauDigits:
    """Digits of scalars in base τ, τ being the Frobenius map of one curve.

    τ satisfies τ² + 2 = μτ, where μ is 1 for a = 1 and -1 for a = 0.

    Source:
        Solinas, Efficient arithmetic on Koblitz curves (2000), algorithms 1 and 5; the rounding
        here is to the nearest in each component, which costs at most a digit or two.
    """

    def __init__(self, degree: int, a: int, order: int) -> None:
        """Take the field's degree m, the curve's a (0 or 1) and the order n of its base point.

        Raises:
            IllegalEventError: 1 + τ + … + τ^(m-1) is not of norm ``order``: wrong constants.
        """
        self._mu = 1 if a else -1
        self._order = order
        self._neutral = self._ladder(degree)
        p, q = self._neutral
        if p * p + self._mu * p * q + 2 * q * q != order:
            raise IllegalEventError(f"degree {degree}, a = {a}: the order cannot be {order:#x}")

    def digits(self, scalar: int) -> list[int]:
        """Return digits -1, 0, 1 of ``scalar``, least significant first, no two neighbours set.

        As many as the field has bits (or one or two more), because the scalar is first reduced
        modulo the number that takes the whole subgroup to infinity.
        """
        p, q = self._reduced(scalar)
        digits = []
        while p or q:
            digit = 2 - (p - 2 * q) % 4 if p & 1 else 0
            p -= digit
            digits.append(digit)
            p, q = q + self._mu * (p // 2), -(p // 2)  # the same number divided by τ
        return digits

    def _ladder(self, degree: int) -> TauInteger:
        """Return 1 + τ + … + τ^(degree-1)."""
        total, power = (0, 0), (1, 0)
        for _ in range(degree):
            total = (total[0] + power[0], total[1] + power[1])
            power = (-2 * power[1], power[0] + self._mu * power[1])
        return total

    def _reduced(self, scalar: int) -> TauInteger:
        """Return a small number congruent to ``scalar`` modulo the neutral one."""
        s, t = self._neutral
        # scalar/(s + tτ) is scalar·(s + tτ')/n, where τ' = μ - τ is the conjugate of τ
        p = _nearest(scalar * (s + self._mu * t), self._order)
        q = _nearest(-scalar * t, self._order)
        return scalar - (p * s - 2 * q * t), -(p * t + q * s + self._mu * q * t)


def _nearest(numerator: int, denominator: int) -> int:
    """Return the whole number nearest to a fraction; halves go up."""
    return (2 * numerator + denominator) // (2 * denominator)
