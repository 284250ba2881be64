"""States of many worlds as octets, one behind the other: what stayed the same is packed once."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from emulator.runtime import snapshot

_LENGTH_BYTES: Final = 4
_NAME_BYTES: Final = 2


class Snapshots:
    """Packs states by their names; remembers what each was packed to last."""

    def __init__(self) -> None:
        self._packed: dict[str, tuple[bytes, bytes]] = {}

    def pack(self, states: Iterable[tuple[str, Any]]) -> bytes:
        """Write states one behind the other, so that no two of them have to be there at once.

        Source:
            invented: length and name, length and what ``snapshot.pack`` makes of the state.
        """
        rows = []
        for name, state in states:
            text = snapshot.text_of(state)
            digest = hashlib.blake2b(text, digest_size=16).digest()
            before, packed = self._packed.get(name, (b"", b""))
            if before != digest:
                packed = snapshot.packed(text)
                self._packed[name] = (digest, packed)
            called = name.encode()
            rows += [len(called).to_bytes(_NAME_BYTES, "big"), called]
            rows += [len(packed).to_bytes(_LENGTH_BYTES, "big"), packed]
        return b"".join(rows)


def unpack(octets: bytes) -> dict[str, Any]:
    """Read what ``Snapshots.pack`` has written.

    Raises:
        SnapshotError: Not written by it, or damaged.
    """
    found: dict[str, Any] = {}
    at = 0
    while at < len(octets):
        called, at = _row(octets, at, _NAME_BYTES)
        packed, at = _row(octets, at, _LENGTH_BYTES)
        found[called.decode("utf-8", "replace")] = snapshot.unpack(packed)
    return found


def _row(octets: bytes, at: int, length_bytes: int) -> tuple[bytes, int]:
    begins = at + length_bytes
    ends = begins + int.from_bytes(octets[at:begins], "big")
    if begins > len(octets) or ends > len(octets):
        raise snapshot.SnapshotError("the stored states of the emulated bench break off")
    return octets[begins:ends], ends
