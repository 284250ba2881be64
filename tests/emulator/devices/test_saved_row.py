"""Rows of a dump: what is written is read back, and what is wrong is named."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.clock import UtcMs
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.devices.saved import Saved, State
from emulator.devices.saved_row import SavedRow

OCTETS = st.binary(max_size=20)
MOMENT = st.integers(0, 1 << 42).map(UtcMs)
DEVICE = st.binary(min_size=8, max_size=8).map(Eui64)


@dataclass(frozen=True, slots=True)
class Sample(SavedRow):
    number: int
    at: UtcMs
    word: str
    is_so: bool
    octets: bytes
    device: Eui64
    number_or_none: int | None = None
    at_or_none: UtcMs | None = None
    octets_or_none: bytes | None = None
    device_or_none: Eui64 | None = None


SAMPLE = Sample(1, UtcMs(2), "three", True, b"\4", Eui64(bytes(range(0xA0, 0xA8))))


@given(
    st.builds(
        Sample,
        *(st.integers(), MOMENT, st.text(), st.booleans(), OCTETS, DEVICE),
        *map(st.none().__or__, (st.integers(), MOMENT, OCTETS, DEVICE)),
    )
)
def test_a_row_goes_through_json_and_comes_back_the_same(row: Sample) -> None:
    assert Sample.restore(Saved(json.loads(json.dumps(row.dump())))) == row


def test_octets_and_identifiers_are_written_as_hex() -> None:
    assert SAMPLE.dump()["device"] == "a0a1a2a3a4a5a6a7" == SAMPLE.device.hex
    assert SAMPLE.dump()["octets"] == "04"
    assert SAMPLE.dump()["device_or_none"] is None


@pytest.mark.parametrize("name", ["number", "at", "word", "is_so", "octets", "device"])
def test_a_value_that_is_missing_or_of_another_type_is_named(name: str) -> None:
    wrong: State = {name: [5]}
    for broken in ({}, wrong):
        kept = {one: value for one, value in SAMPLE.dump().items() if one != name}
        with pytest.raises(IllegalEventError, match=rf"state\.{name}"):
            Sample.restore(Saved({**kept, **broken}))
