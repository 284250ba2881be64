"""Values read and written without construct are those that the declared form gives."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import quick_values
from emulator.codecs.zcl.values import AttributeValue, Typed, ZclType
from tests.sampling import examples

_TYPED = Typed()
_NUMBERS = [kind for kind in ZclType if 0x08 <= kind <= 0x31 and kind is not ZclType.BOOLEAN]


def _declared(octets: bytes) -> AttributeValue:
    found: Any = _TYPED.parse(octets)
    return AttributeValue(found.type, found.value)


@settings(max_examples=examples(300))
@given(st.binary(max_size=12), st.sampled_from([*ZclType]))
def test_what_is_read_quickly_is_what_the_declared_form_reads(tail: bytes, kind: ZclType) -> None:
    octets = bytes((kind,)) + tail
    found = quick_values.read(octets, 0)
    if found is not None:
        value, end = found
        assert value == _declared(octets)
        assert type(value.type) is ZclType
        assert quick_values.write(value) == octets[:end] == _TYPED.build(value)


@settings(max_examples=examples(300))
@given(st.sampled_from(_NUMBERS), st.integers(-(2**64), 2**64))
def test_what_is_written_quickly_is_what_the_declared_form_writes(
    kind: ZclType, number: int
) -> None:
    written = quick_values.write(AttributeValue(kind, number))
    if written is not None:
        assert written == _TYPED.build(AttributeValue(kind, number))


@pytest.mark.parametrize("kind", _NUMBERS, ids=str)
def test_every_number_has_the_quick_way(kind: ZclType) -> None:
    assert quick_values.read(_TYPED.build(AttributeValue(kind, 1)), 0) is not None


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x21", b"\x21\x01", b"\x41", b"\x41\x02\x01", b"\x41\xff", b"\x10\x01", b"\x77\x01"],
)
def test_what_is_cut_short_without_value_or_of_another_type_is_left_to_the_declared_form(
    octets: bytes,
) -> None:
    assert quick_values.read(octets, 0) is None


@pytest.mark.parametrize(
    "value",
    [
        AttributeValue(ZclType.UINT8, 256),
        AttributeValue(ZclType.UINT8, -1),
        AttributeValue(ZclType.UINT8, None),
        AttributeValue(ZclType.UINT8, True),
        AttributeValue(ZclType.OCTETS, None),
        AttributeValue(ZclType.OCTETS, bytes(255)),
        AttributeValue(ZclType.TEXT, "a"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_left_to_the_declared_form(value: AttributeValue) -> None:
    assert quick_values.write(value) is None
