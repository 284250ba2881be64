"""Whether a world is as it was: told without making its state, which takes a hundred times as long.

Boxes change through their devices and through entries of the agenda alone; what else there is is
little, and looked at. Of windows that are passed over nothing is left but when the next one is,
and that follows from any earlier one: a state that was stored before them goes on like one that
was stored behind them.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

from emulator.runtime.scene import Scene
from emulator.runtime.snapshot import Kept


class Dumped(Protocol):
    """A small part of a world."""

    def dump(self) -> Any:
        """Return its state as plain data."""
        ...


class Mark:
    """What tells whether a world is as it was when it was dumped last, time apart.

    Attributes:
        digest: Of a text of all that is small enough to be looked at.
        kept: The states of its devices, as they are kept: it is these very ones, or others.
    """

    __slots__ = ("digest", "kept")

    def __init__(self, rest: str, kept: tuple[Kept, ...]) -> None:
        self.digest = hashlib.blake2b(rest.encode(), digest_size=16).digest()
        self.kept = kept

    def with_more(self, more: str) -> "Mark":
        """Return a mark that is another where a further text is."""
        return Mark(f"{self.digest.hex()}{more}", self.kept)

    def is_of(self, other: "Mark | None") -> bool:
        """Say whether nothing has changed from one mark to the other."""
        if other is None or self.digest != other.digest or len(self.kept) != len(other.kept):
            return False
        return all(one is two for one, two in zip(self.kept, other.kept, strict=True))


def mark_of(scene: Scene, parts: Sequence[Dumped]) -> Mark | None:
    """Return the mark of a world; None where a device may have changed since it was dumped.

    Args:
        scene: What all its parts share.
        parts: What else there is beside the scene: it is little.
    """
    kept: list[Kept] = []
    for box in scene.boxes:
        if box.kept is None:
            return None
        kept.append(box.kept)
    looked_at: list[Dumped] = [scene.records, scene.schedule, *parts]
    rest = [scene.agenda.mark, *(part.dump() for part in looked_at)]
    return Mark(repr(rest), tuple(kept))
