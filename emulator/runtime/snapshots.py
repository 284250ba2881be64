"""States of many worlds as octets, one behind the other: what stayed the same is packed once."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from emulator.runtime import snapshot
from emulator.runtime.marks import Mark

_LENGTH_BYTES: Final = 4
_NAME_BYTES: Final = 2

#: A name, what tells whether its state changed (None: it may have), and what makes the state.
Source = tuple[str, Callable[[], Mark | None], Callable[[], Any]]


class Snapshots:
    """Packs states by their names; remembers what each was packed to last, and its mark."""

    def __init__(self) -> None:
        self._packed: dict[str, tuple[Mark | None, bytes]] = {}

    def pack(self, sources: Iterable[Source]) -> bytes:
        """Write states one behind the other, so that no two of them have to be there at once.

        A state whose mark is the one of last time is not made: its octets are those of last time.

        Source:
            invented: length and name, length and what ``snapshot.pack`` makes of the state.
        """
        rows = []
        for name, mark, state in sources:
            packed = self._of(name, mark, state)
            called = name.encode()
            rows += [len(called).to_bytes(_NAME_BYTES, "big"), called]
            rows += [len(packed).to_bytes(_LENGTH_BYTES, "big"), packed]
        return b"".join(rows)

    def _of(self, name: str, mark: Callable[[], Mark | None], state: Callable[[], Any]) -> bytes:
        before, packed = self._packed.get(name, (None, b""))
        now = mark()
        if now is not None and now.is_of(before):
            return packed
        packed = snapshot.pack(state())
        self._packed[name] = (mark(), packed)  # dumping is what keeps the states of devices
        return packed

    def clear(self) -> None:
        """Forget everything: the worlds are in another state now, whatever their marks say."""
        self._packed.clear()


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
