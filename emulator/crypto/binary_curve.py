"""The Koblitz curves sect163k1 and sect283k1: points, their octets, their multiples.

For emulated devices only: nothing here runs in constant time.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emulator.core.chance import Stream
from emulator.core.errors import EmulatorError
from emulator.crypto.binary_field import BinaryField
from emulator.crypto.koblitz import TauDigits

_EVEN, _ODD = 2, 3  # first octet of a compressed point


class PointFault(enum.StrEnum):
    """What is wrong with octets that should be a public key."""

    WRONG_LENGTH = "wrong length"
    NOT_COMPRESSED = "not a compressed point"
    OUT_OF_FIELD = "x is no element of the field"
    NOT_ON_CURVE = "not on the curve"
    INFINITY = "the point at infinity"
    WRONG_SUBGROUP = "not in the subgroup of the base point"


class InvalidPointError(EmulatorError):
    """Octets of a peer are no public key of the curve: the peer's fault.

    Attributes:
        fault: Which rule they break.
    """

    def __init__(self, curve: str, fault: PointFault) -> None:
        super().__init__(f"{curve}: {fault}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Point:
    """A point that is not the point at infinity, in affine coordinates."""

    x: int
    y: int


#: A point, or None for the point at infinity.
AnyPoint = Point | None


@dataclass(frozen=True, slots=True)
class Domain:
    """The constants of a curve.

    Attributes:
        name: As SEC 2 names it.
        field: Its field.
        a: Coefficient of x², 0 or 1.
        base: Base point G.
        order: Order n of G, a prime.
        cofactor: Order of the curve divided by n.
    """

    name: str
    field: BinaryField
    a: int
    base: Point
    order: int
    cofactor: int


class KoblitzCurve:
    """y² + xy = x³ + ax² + 1 over GF(2^m), a being 0 or 1.

    Affine coordinates throughout: here an inversion costs about as much as five multiplications
    and is shared by many additions, so that no projective kind would be faster.

    Attributes:
        name, field, a, base, order, cofactor: As in its `Domain`.
        point_octets: Octets of a compressed point.
        scalar_octets: Octets of a private key, as Zigbee Smart Energy writes it.

    Source:
        SEC 2 version 2, 3.2.1 and 3.6.1 (constants); SEC 1 version 2, 2.3.3, 2.3.4 and 3.2.2.1
        (octets, validation); Solinas, Efficient arithmetic on Koblitz curves (multiples). Checked
        against OpenSSL 3.0.19 (public keys, ECDH, points) and against the numbers of Smart
        Energy Annex C.5 and C.6, see tests/emulator/crypto.
    """

    def __init__(self, domain: Domain) -> None:
        self.name = domain.name
        self.field = domain.field
        self.a = domain.a
        self.base = domain.base
        self.order = domain.order
        self.cofactor = domain.cofactor
        self.point_octets = domain.field.octets + 1
        self.scalar_octets = domain.field.octets
        self._tau = TauDigits(domain.field.degree, domain.a, domain.order)

    def __repr__(self) -> str:
        return f"KoblitzCurve({self.name})"

    # -- the group -----------------------------------------------------------------------------

    def holds(self, point: Point) -> bool:
        """Say whether the coordinates satisfy the curve's equation."""
        x, y, field = point.x, point.y, self.field
        if x not in field or y not in field:
            return False
        square = field.square(x)
        right = field.multiply(square, x ^ self.a) ^ 1
        return field.square(y) ^ field.multiply(x, y) == right

    def negate(self, point: AnyPoint) -> AnyPoint:
        """Return -P."""
        return None if point is None else Point(point.x, point.x ^ point.y)

    def double(self, point: AnyPoint) -> AnyPoint:
        """Return 2P."""
        if point is None or point.x == 0:
            return None
        field = self.field
        slope = point.x ^ field.multiply(point.y, field.invert(point.x))
        x = field.square(slope) ^ slope ^ self.a
        return Point(x, field.square(point.x) ^ field.multiply(slope ^ 1, x))

    def add(self, one: AnyPoint, other: AnyPoint) -> AnyPoint:
        """Return P + Q, whatever they are."""
        if one is None or other is None:
            return one or other
        if one.x == other.x:
            return self.double(one) if one.y == other.y else None
        return self._add_along(one, other, self.field.invert(one.x ^ other.x))

    def frobenius(self, point: AnyPoint, times: int = 1) -> AnyPoint:
        """Return the point with both coordinates squared, ``times`` times over."""
        if point is None:
            return None
        square_often = self.field.square_often
        return Point(square_often(point.x, times), square_often(point.y, times))

    def multiply(self, scalar: int, point: AnyPoint) -> AnyPoint:
        """Return k·P of a point of the subgroup of G, by the digits of k in base τ.

        τ is the Frobenius map, two squarings instead of a doubling. Outside the subgroup the
        result is another point of the curve: decoded points are inside.

        Args:
            scalar: Any whole number; it counts modulo the order.
            point: Point of the subgroup.
        """
        terms: list[AnyPoint] = []
        for digit in self._tau.digits(scalar % self.order):
            if digit:
                terms.append(point if digit > 0 else self.negate(point))
            point = self.frobenius(point)
        return self.total(terms)

    def total(self, points: Sequence[AnyPoint]) -> AnyPoint:
        """Return the sum of all points, neighbours first: each round shares one inversion."""
        row = list(points)
        while len(row) > 1:
            odd = row[-1:] if len(row) % 2 else []
            row = self._add_pairs(list(zip(row[::2], row[1::2], strict=False))) + odd
        return row[0] if row else None

    def _add_pairs(self, pairs: list[tuple[AnyPoint, AnyPoint]]) -> list[AnyPoint]:
        """Return the sum of each pair."""
        runs = [one.x ^ other.x if one and other else 0 for one, other in pairs]
        inverses = iter(self.field.invert_all([run for run in runs if run]))
        return [
            self._add_along(one, other, next(inverses))
            if one and other and run
            else self.add(one, other)
            for (one, other), run in zip(pairs, runs, strict=True)
        ]

    def _add_along(self, one: Point, other: Point, inverse_run: int) -> Point:
        """Return P + Q of different x, given the inverse of their distance in x."""
        field = self.field
        slope = field.multiply(one.y ^ other.y, inverse_run)
        x = field.square(slope) ^ slope ^ one.x ^ other.x ^ self.a
        return Point(x, field.multiply(slope, one.x ^ x) ^ x ^ one.y)

    def in_subgroup(self, point: AnyPoint) -> bool:
        """Say whether n·P is infinity.

        The subgroup of G is what 1 + τ + … + τ^(m-1) takes to infinity (its norm is n, and
        τ^m = 1 on the curve); that sum is built by doubling its length, bit by bit of m.
        """
        total, length = point, 1
        for bit in f"{self.field.degree:b}"[1:]:
            total = self.add(total, self.frobenius(total, length))
            length *= 2
            if bit == "1":
                total = self.add(point, self.frobenius(total))
                length += 1
        return total is None

    # -- octets --------------------------------------------------------------------------------

    def encode(self, point: Point) -> bytes:
        """Return the compressed form: 02 or 03 and x, big-endian (22 or 37 octets)."""
        ratio = 0
        if point.x:
            ratio = self.field.multiply(point.y, self.field.invert(point.x))
        return bytes([_ODD if ratio & 1 else _EVEN]) + point.x.to_bytes(self.field.octets, "big")

    def decode(self, octets: bytes) -> Point:
        """Read a compressed public key and check all that can be wrong with it.

        Raises:
            InvalidPointError: The octets are no point of the subgroup of G, or infinity.
        """
        if octets == b"\0":
            raise InvalidPointError(self.name, PointFault.INFINITY)
        if len(octets) != self.point_octets:
            raise InvalidPointError(self.name, PointFault.WRONG_LENGTH)
        if octets[0] not in {_EVEN, _ODD}:
            raise InvalidPointError(self.name, PointFault.NOT_COMPRESSED)
        x = int.from_bytes(octets[1:], "big")
        if x not in self.field:
            raise InvalidPointError(self.name, PointFault.OUT_OF_FIELD)
        point = self._lift(x, octets[0] & 1)
        if point is None:
            raise InvalidPointError(self.name, PointFault.NOT_ON_CURVE)
        if not self.in_subgroup(point):
            raise InvalidPointError(self.name, PointFault.WRONG_SUBGROUP)
        return point

    def _lift(self, x: int, parity: int) -> Point | None:
        """Return the point with this x whose y/x ends in ``parity``, or None.

        z = y/x solves z² + z = x + a + 1/x².
        """
        if x == 0:  # the point of order two has one form only
            return Point(0, 1) if parity == 0 else None
        field = self.field
        right = x ^ self.a ^ field.square(field.invert(x))
        z = field.half_trace(right)
        if field.square(z) ^ z != right:
            return None
        return Point(x, field.multiply(x, z ^ (z & 1 ^ parity)))

    # -- private keys --------------------------------------------------------------------------

    def public(self, scalar: int) -> Point:
        """Return k·G.

        Raises:
            ValueError: ``scalar`` is not between 1 and the order.
        """
        point = self.multiply(self.check_scalar(scalar), self.base)
        if point is None:
            raise ValueError(f"{self.name}: the base point is not of the order it should have")
        return point

    def check_scalar(self, scalar: int) -> int:
        """Return ``scalar`` if it can be a private key.

        Raises:
            ValueError: It is not between 1 and the order less 1 (the text does not say it).
        """
        if not 1 <= scalar < self.order:
            raise ValueError(f"{self.name}: a private key lies between 1 and the order")
        return scalar

    def draw_scalar(self, chance: Stream) -> int:
        """Draw a private key, 1 to the order less 1."""
        return 1 + chance.below(self.order - 1)


SECT163K1: Final = KoblitzCurve(
    Domain(
        "sect163k1",
        BinaryField(163, (7, 6, 3)),
        1,
        Point(
            0x2FE13C0537BBC11ACAA07D793DE4E6D5E5C94EEE8,
            0x289070FB05D38FF58321F2E800536D538CCDAA3D9,
        ),
        0x4000000000000000000020108A2E0CC0D99F8A5EF,
        2,
    )
)
SECT283K1: Final = KoblitzCurve(
    Domain(
        "sect283k1",
        BinaryField(283, (12, 7, 5)),
        0,
        Point(
            0x503213F78CA44883F1A3B8162F188E553CD265F23C1567A16876913B0C2AC2458492836,
            0x1CCDA380F1C9E318D90F95D07E5426FE87E45C0E8184698E45962364E34116177DD2259,
        ),
        0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE9AE2ED07577265DFF7F94451E061E163C61,
        4,
    )
)
