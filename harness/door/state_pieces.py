"""A state's octets in pieces that are the same again where the state is: what changed is written.

Where a piece ends follows from the octets before that place alone. A home that grew moves what
stands behind it, and does not change it.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

#: Three digits of hex, which states are full of: one place in some thousands. Source: invented.
_ENDS: Final = re.compile(rb"5e7")
_SHORTEST: Final = 8 << 10
_LONGEST: Final = 256 << 10
_NAME_BYTES: Final = 16

TABLE: Final = "CREATE TABLE pieces (name BLOB PRIMARY KEY, octets BLOB NOT NULL);"


def pieces_of(octets: bytes) -> Iterator[memoryview]:
    """Yield the pieces of a state, in order; joined they are the state."""
    view, start = memoryview(octets), 0
    while start < len(octets):
        found = _ENDS.search(octets, start + _SHORTEST, start + _LONGEST)
        end = min(len(octets), start + _LONGEST) if found is None else found.end()
        yield view[start:end]
        start = end


def keep(db: sqlite3.Connection, state: bytes) -> bytes:
    """Write the pieces of a state that are not there yet, and take away all of no use any more.

    Returns:
        The names of its pieces, in order, for ``put_together``.
    """
    there = {bytes(row[0]) for row in db.execute("SELECT name FROM pieces")}
    names, fresh = [], dict[bytes, memoryview]()
    for piece in pieces_of(state):
        name = hashlib.blake2b(piece, digest_size=_NAME_BYTES).digest()
        names.append(name)
        if name not in there:
            fresh[name] = piece
    gone = there.difference(names)
    db.executemany("DELETE FROM pieces WHERE name = ?", [(name,) for name in gone])
    db.executemany("INSERT INTO pieces VALUES (?, ?)", fresh.items())
    return b"".join(names)


def put_together(db: sqlite3.Connection, names: bytes) -> bytes:
    """Return the state whose pieces have these names.

    Raises:
        LookupError: A piece of it is not there.
    """
    return b"".join(_octets(db, name) for name in _cut(names))


def _cut(names: bytes) -> Sequence[bytes]:
    return [names[at : at + _NAME_BYTES] for at in range(0, len(names), _NAME_BYTES)]


def _octets(db: sqlite3.Connection, name: bytes) -> bytes:
    row = db.execute("SELECT octets FROM pieces WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise LookupError(f"the piece {name.hex()} of the stored state is missing")
    return bytes(row[0])
