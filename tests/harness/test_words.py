"""Numbers and their nouns."""

import pytest

from harness.words import counted


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (1, ("file",), "1 file"),
        (0, ("file",), "0 files"),
        (2, ("file",), "2 files"),
        (12_000, ("row",), "12,000 rows"),
        (1, ("home is", "homes are"), "1 home is"),
        (3, ("home is", "homes are"), "3 homes are"),
    ],
)
def test_one_of_a_thing_is_told_as_one(number: int, words: tuple[str, ...], said: str) -> None:
    assert counted(number, *words) == said
