"""A state is kept in pieces: what changed is written, what is of no use any more goes."""

import json
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.chance import Chance
from harness.door import state_pieces
from harness.door.state_pieces import keep, pieces_of, put_together
from tests.sampling import examples


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(state_pieces.TABLE)
    yield connection
    connection.close()


def homes(count: int) -> list[str]:
    """States of homes: rows of hex digits, each home's its own."""
    return [Chance(number).stream("home").octets(15_000).hex() for number in range(count)]


def state(those: list[str]) -> bytes:
    return json.dumps(those).encode()


def pieces(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT COUNT(*) FROM pieces").fetchone()[0])


@given(st.binary(max_size=60_000), st.integers(0, 30))
@settings(max_examples=examples(60))
def test_pieces_are_the_state_whatever_stands_in_it(some: bytes, times: int) -> None:
    whole = some * times
    assert b"".join(pieces_of(whole)) == whole


def test_a_state_that_is_kept_comes_back_and_the_one_before_it_is_gone(
    db: sqlite3.Connection,
) -> None:
    first, second = state(homes(20)), state(homes(3))
    keep(db, first)
    names = keep(db, second)
    assert put_together(db, names) == second
    assert pieces(db) == len(list(pieces_of(second)))


def test_a_state_that_did_not_change_writes_nothing(db: sqlite3.Connection) -> None:
    keep(db, state(homes(20)))
    before = db.total_changes
    keep(db, state(homes(20)))
    assert db.total_changes == before


@pytest.mark.parametrize("longer", [0, 1, 777])
def test_one_home_that_changed_is_written_and_not_its_neighbours(
    db: sqlite3.Connection, longer: int
) -> None:
    those = homes(60)
    keep(db, state(those))
    all_of_it, before = pieces(db), db.total_changes
    those[20] = "changed" + those[20][: len(those[20]) // 2] + "0" * longer
    names = keep(db, state(those))
    written = db.total_changes - before
    assert all_of_it > 60
    assert written <= 16  # a home's own pieces and those at its ends, put in and taken out
    assert put_together(db, names) == state(those)


def test_octets_that_stand_twice_are_kept_once(db: sqlite3.Connection) -> None:
    twice = bytes(600_000)
    names = keep(db, twice)
    assert pieces(db) < 4
    assert put_together(db, names) == twice


def test_a_piece_that_is_missing_is_told(db: sqlite3.Connection) -> None:
    names = keep(db, state(homes(2)))
    db.execute("DELETE FROM pieces WHERE name = ?", (names[:16],))
    with pytest.raises(LookupError, match=names[:16].hex()):
        put_together(db, names)
