import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.crypto.token_memory import TokenAge, TokenMemory
from tests.sampling import examples


def test_a_token_taken_twice_is_a_duplicate() -> None:
    memory = TokenMemory()
    assert memory.take(7 << 32) is TokenAge.NEW
    assert memory.take(7 << 32) is TokenAge.DUPLICATE
    assert memory.kept == (7 << 32,)


def test_an_older_token_is_fine_until_the_memory_is_full() -> None:
    memory = TokenMemory(limit=3)
    assert [memory.take(n) for n in (30, 10, 20)] == [TokenAge.NEW] * 3
    assert memory.take(5) is TokenAge.OUT_OF_DATE
    assert memory.take(15) is TokenAge.NEW
    assert memory.kept == (15, 20, 30)
    assert memory.age(10) is TokenAge.OUT_OF_DATE


@settings(max_examples=examples(200), deadline=None)
@given(counters=st.lists(st.integers(0, 60)), limit=st.integers(1, 12))
def test_no_token_is_ever_taken_twice_whatever_the_order_and_the_power_cuts(
    counters: list[int], limit: int
) -> None:
    memory, taken = TokenMemory(limit=limit), []
    for counter in counters:
        memory = TokenMemory.load(json.loads(json.dumps(memory.dump())))
        if memory.take(counter) is TokenAge.NEW:
            taken.append(counter)
        assert len(memory.kept) <= limit
        assert list(memory.kept) == sorted(taken)[-limit:]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize(
    "state",
    [{}, {"limit": 1, "kept": [1, 2]}, {"limit": 3, "kept": ["1"]}, {"limit": 0, "kept": []}],
)
def test_a_state_that_is_none_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"memory|meter"):
        TokenMemory.load(state)
