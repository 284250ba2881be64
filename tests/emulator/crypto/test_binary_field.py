import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.crypto.binary_curve import SECT163K1, SECT283K1
from emulator.crypto.binary_field import BinaryField, NoInverseError
from tests.sampling import examples

FIELDS = (SECT163K1.field, SECT283K1.field)
SMALL = BinaryField(5, (2,))  # x^5 + x^2 + 1: every element can be tried


def field_and_elements(count: int) -> st.SearchStrategy[tuple[BinaryField, list[int]]]:
    return st.sampled_from(FIELDS).flatmap(
        lambda field: st.tuples(
            st.just(field),
            st.lists(st.integers(0, (1 << field.degree) - 1), min_size=count, max_size=count),
        )
    )


def slow_product(field: BinaryField, a: int, b: int) -> int:
    """Multiply bit by bit and divide bit by bit: nothing shared with the fast way."""
    product = 0
    for bit in range(b.bit_length()):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(product.bit_length(), field.degree - 1, -1):
        if product >> bit & 1:
            product ^= field.polynomial << (bit - field.degree)
    return product


@settings(max_examples=examples(200), deadline=None)
@given(field_and_elements(2))
def test_products_are_those_of_schoolbook_multiplication(
    case: tuple[BinaryField, list[int]],
) -> None:
    field, (a, b) = case
    assert field.multiply(a, b) == slow_product(field, a, b)
    assert field.square(a) == slow_product(field, a, a)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.degree))
def test_the_extremes_of_the_field_multiply_as_well(field: BinaryField) -> None:
    top, every = 1 << field.degree - 1, (1 << field.degree) - 1
    for a in (0, 1, 2, top, every):
        for b in (0, 1, 2, top, every):
            assert field.multiply(a, b) == slow_product(field, a, b)
        assert field.square(a) == slow_product(field, a, a)


def test_the_polynomials_are_those_of_sec_2() -> None:
    assert SECT163K1.field.polynomial == 1 << 163 | 1 << 7 | 1 << 6 | 1 << 3 | 1
    assert SECT283K1.field.polynomial == 1 << 283 | 1 << 12 | 1 << 7 | 1 << 5 | 1


@settings(max_examples=examples(100), deadline=None)
@given(field_and_elements(1))
def test_inverses_and_roots_undo_products_and_squares(case: tuple[BinaryField, list[int]]) -> None:
    field, (a,) = case
    assert field.square(field.root(a)) == a
    if a:
        assert field.multiply(a, field.invert(a)) == 1


@settings(max_examples=examples(50), deadline=None)
@given(field_and_elements(7))
def test_inverses_of_many_are_the_inverses_of_each(case: tuple[BinaryField, list[int]]) -> None:
    field, values = case
    present = [value for value in values if value]
    assert field.invert_all(present) == [field.invert(value) for value in present]


@settings(max_examples=examples(50), deadline=None)
@given(field_and_elements(1))
def test_a_half_trace_solves_its_equation_where_the_trace_is_zero(
    case: tuple[BinaryField, list[int]],
) -> None:
    field, (a,) = case
    assert field.trace(a) in {0, 1}
    if field.trace(a):
        a ^= 1  # the trace of 1 is 1, the degree being odd
    z = field.half_trace(a)
    assert field.square(z) ^ z == a


def test_every_element_of_a_small_field_behaves() -> None:
    for a in range(32):
        for b in range(32):
            assert SMALL.multiply(a, b) == slow_product(SMALL, a, b)
        assert a == 0 or SMALL.multiply(a, SMALL.invert(a)) == 1
        solvable = any(SMALL.square(z) ^ z == a for z in range(32))
        assert solvable == (SMALL.trace(a) == 0)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.degree))
def test_zero_has_no_inverse(field: BinaryField) -> None:
    with pytest.raises(NoInverseError):
        field.invert(0)
    with pytest.raises(NoInverseError):
        field.invert_all([1, 0, 3])
    assert field.invert_all([]) == []


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.degree))
def test_only_numbers_of_the_field_are_in_it(field: BinaryField) -> None:
    assert 0 in field
    assert (1 << field.degree) - 1 in field
    assert 1 << field.degree not in field
    assert -1 not in field


@pytest.mark.parametrize(("degree", "powers"), [(4, (1,)), (5, (5,)), (5, (0,))])
def test_a_field_that_cannot_be_is_our_own_error(degree: int, powers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="odd degree"):
        BinaryField(degree, powers)
