from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.chance import Stream
from emulator.core.errors import IllegalEventError
from emulator.crypto.binary_curve import (
    SECT163K1,
    SECT283K1,
    AnyPoint,
    InvalidPointError,
    KoblitzCurve,
    Point,
    PointFault,
)
from emulator.crypto.koblitz import TauDigits
from tests.sampling import examples

CURVES = (SECT163K1, SECT283K1)
BY_NAME = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
curves = st.sampled_from(CURVES)
scalars = st.one_of(st.integers(0, 40), st.integers(0, 1 << 290))

# x of 2G of K-163, from the well-known table of multiples of the NIST curves' base points
TWICE_G_163 = "0200cb5ca2738fe300aacfb00b42a77b828d8a5c41eb"


def slow_multiple(curve: KoblitzCurve, scalar: int, point: AnyPoint) -> AnyPoint:
    """Double and add, the way of the textbook."""
    total: AnyPoint = None
    for bit in f"{scalar:b}":
        total = curve.double(total)
        if bit == "1":
            total = curve.add(total, point)
    return total


@BY_NAME
def test_the_base_point_is_on_the_curve_and_of_its_order(curve: KoblitzCurve) -> None:
    assert curve.holds(curve.base)
    assert slow_multiple(curve, curve.order, curve.base) is None
    assert slow_multiple(curve, curve.order - 1, curve.base) == curve.negate(curve.base)


@BY_NAME
def test_the_orders_fit_the_bound_of_hasse(curve: KoblitzCurve) -> None:
    points = curve.order * curve.cofactor
    assert (points - (1 << curve.field.degree) - 1) ** 2 <= 4 << curve.field.degree


@settings(max_examples=examples(30), deadline=None)
@given(curves, scalars)
def test_multiples_by_tau_are_those_of_doubling(curve: KoblitzCurve, scalar: int) -> None:
    wanted = slow_multiple(curve, scalar % curve.order, curve.base)
    assert curve.multiply(scalar, curve.base) == wanted
    assert wanted is None or curve.holds(wanted)


@BY_NAME
def test_multiples_near_the_order_are_right(curve: KoblitzCurve) -> None:
    base, order = curve.base, curve.order
    assert curve.multiply(0, base) is None
    assert curve.multiply(order, base) is None
    assert curve.multiply(1, base) == base == curve.multiply(order + 1, base)
    assert curve.multiply(order - 1, base) == curve.negate(base)
    assert curve.multiply(2, base) == curve.double(base) == curve.add(base, base)
    assert curve.multiply(5, None) is None


@settings(max_examples=examples(20), deadline=None)
@given(curves, scalars, scalars)
def test_multiples_add_up(curve: KoblitzCurve, one: int, other: int) -> None:
    left = curve.add(curve.multiply(one, curve.base), curve.multiply(other, curve.base))
    assert left == curve.multiply(one + other, curve.base)


@settings(max_examples=examples(20), deadline=None)
@given(curves, st.lists(st.integers(0, 6), max_size=9))
def test_a_sum_of_many_is_the_sum_one_by_one(curve: KoblitzCurve, scalars: list[int]) -> None:
    points = [slow_multiple(curve, scalar, curve.base) for scalar in scalars]
    points += [curve.negate(point) for point in points[:2]]
    total: AnyPoint = None
    for point in points:
        total = curve.add(total, point)
    assert curve.total(points) == total


@BY_NAME
def test_adding_knows_infinity_opposites_and_doubles(curve: KoblitzCurve) -> None:
    base, opposite = curve.base, curve.negate(curve.base)
    order_two = Point(0, 1)
    assert curve.holds(order_two)
    assert curve.add(None, base) == base == curve.add(base, None)
    assert curve.add(None, None) is None
    assert curve.add(base, opposite) is None
    assert curve.double(None) is None
    assert curve.double(order_two) is None
    assert curve.add(order_two, order_two) is None
    assert curve.negate(None) is None
    assert curve.frobenius(None) is None


@BY_NAME
def test_the_frobenius_map_satisfies_its_equation(curve: KoblitzCurve) -> None:
    once, twice = curve.frobenius(curve.base), curve.frobenius(curve.base, 2)
    mu_times = once if curve.a else curve.negate(once)
    assert curve.add(twice, curve.double(curve.base)) == mu_times
    assert curve.frobenius(curve.base, curve.field.degree) == curve.base


@BY_NAME
def test_points_of_small_order_are_outside_the_subgroup(curve: KoblitzCurve) -> None:
    outside = curve.add(curve.base, Point(0, 1))
    assert outside is not None
    assert curve.holds(outside)
    assert not curve.in_subgroup(outside)
    assert not curve.in_subgroup(Point(0, 1))
    assert slow_multiple(curve, curve.order, outside) is not None
    with pytest.raises(InvalidPointError) as refused:
        curve.decode(curve.encode(outside))
    assert refused.value.fault is PointFault.WRONG_SUBGROUP


def test_points_of_order_four_are_outside_the_subgroup_of_sect283k1() -> None:
    quarter = SECT283K1._lift(1, 0)  # (1, y) doubles to (0, 1)
    assert quarter is not None
    assert SECT283K1.double(quarter) == Point(0, 1)
    for point in (quarter, SECT283K1.add(SECT283K1.base, quarter)):
        assert point is not None
        assert not SECT283K1.in_subgroup(point)


@settings(max_examples=examples(20), deadline=None)
@given(curves, st.integers(1, 1 << 300))
def test_a_compressed_point_reads_back(curve: KoblitzCurve, scalar: int) -> None:
    point = curve.public(1 + scalar % (curve.order - 1))
    octets = curve.encode(point)
    assert len(octets) == curve.point_octets
    assert curve.decode(octets) == point
    negative = bytes([octets[0] ^ 1]) + octets[1:]
    assert curve.decode(negative) == curve.negate(point)


def test_a_known_multiple_has_its_octets() -> None:
    double = SECT163K1.double(SECT163K1.base)
    assert double is not None
    assert SECT163K1.encode(double) == bytes.fromhex(TWICE_G_163)


def spoilt(curve: KoblitzCurve) -> dict[PointFault, list[bytes]]:
    good = curve.encode(curve.base)
    high = bytes([0x02, 0xFF]) + good[2:]
    uncompressed = b"\x04" + good[1:]
    return {
        PointFault.INFINITY: [b"\0"],
        PointFault.WRONG_LENGTH: [b"", good[:-1], good + b"\0", b"\0\0", uncompressed + good[1:]],
        PointFault.NOT_COMPRESSED: [bytes([first]) + good[1:] for first in (0, 1, 4, 5, 6, 7, 255)],
        PointFault.OUT_OF_FIELD: [high],
        PointFault.WRONG_SUBGROUP: [b"\x02" + bytes(curve.field.octets)],
        PointFault.NOT_ON_CURVE: [b"\x03" + bytes(curve.field.octets)],
    }


@BY_NAME
def test_octets_that_are_no_public_key_are_refused_by_name(curve: KoblitzCurve) -> None:
    for fault, cases in spoilt(curve).items():
        for octets in cases:
            with pytest.raises(InvalidPointError, match=fault) as refused:
                curve.decode(octets)
            assert refused.value.fault is fault


@BY_NAME
def test_about_half_of_all_x_are_on_no_point_and_are_refused(curve: KoblitzCurve) -> None:
    chance = Stream(1, "x")
    faults = []
    for _ in range(40):
        x = chance.below(1 << curve.field.degree)
        try:
            curve.decode(b"\x02" + x.to_bytes(curve.field.octets, "big"))
        except InvalidPointError as refused:
            faults.append(refused.fault)
    assert 8 <= faults.count(PointFault.NOT_ON_CURVE) <= 32
    assert PointFault.WRONG_SUBGROUP in faults


@BY_NAME
def test_a_point_off_the_curve_is_not_held(curve: KoblitzCurve) -> None:
    for x, y in product((0, 1), repeat=2):
        changed = Point(curve.base.x ^ x, curve.base.y ^ y)
        assert curve.holds(changed) == (changed == curve.base)
    assert not curve.holds(Point(curve.base.x | 1 << curve.field.degree, curve.base.y))
    assert not curve.holds(Point(curve.base.x, -1))


@BY_NAME
def test_private_keys_lie_between_one_and_the_order(curve: KoblitzCurve) -> None:
    for wrong in (0, -1, curve.order, curve.order + 1):
        with pytest.raises(ValueError, match="private key"):
            curve.public(wrong)
    chance = Stream(3, "scalars")
    drawn = [curve.draw_scalar(chance) for _ in range(50)]
    assert len(set(drawn)) == 50
    assert all(1 <= scalar < curve.order for scalar in drawn)


@BY_NAME
def test_no_text_of_an_error_holds_a_private_key(curve: KoblitzCurve) -> None:
    secret = curve.order + 0x1234567
    with pytest.raises(ValueError, match="private key") as refused:
        curve.check_scalar(secret)
    assert f"{secret:x}" not in str(refused.value)
    assert str(secret) not in str(refused.value)
    assert repr(curve) == f"KoblitzCurve({curve.name})"


@settings(max_examples=examples(100), deadline=None)
@given(curves, st.integers(0, 1 << 283))
def test_tau_digits_are_short_and_have_no_two_neighbours_set(
    curve: KoblitzCurve, scalar: int
) -> None:
    digits = curve._tau.digits(scalar % curve.order)
    assert len(digits) <= curve.field.degree + 4
    assert set(digits) <= {-1, 0, 1}
    assert not any(one and other for one, other in pairwise(digits))


def test_digits_for_a_wrong_order_are_our_own_error() -> None:
    with pytest.raises(IllegalEventError, match="order"):
        TauDigits(163, 0, SECT163K1.order)
