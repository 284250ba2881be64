"""The one source of chance of a run: octets derived from its seed."""

import hashlib
from collections.abc import Mapping
from typing import Self


class Stream:
    """An endless row of octets that only its seed and name determine.

    SHA-256 in counter mode; the position can be stored and restored, so a resumed run goes on
    with the very octet it would have drawn.

    Source:
        invented (any good hash in counter mode would do).
    """

    def __init__(self, seed: int, name: str, position: int = 0) -> None:
        self._prefix = f"smetsbench/{seed}/{name}/".encode()
        self.position = position

    def octets(self, count: int) -> bytes:
        """Draw ``count`` octets."""
        block, offset = divmod(self.position, 32)
        self.position += count
        out = self._block(block)[offset : offset + count]
        while len(out) < count:
            block += 1
            out += self._block(block)[: count - len(out)]
        return out

    def _block(self, number: int) -> bytes:
        return hashlib.sha256(self._prefix + str(number).encode()).digest()

    def below(self, limit: int) -> int:
        """Draw a whole number from 0 to ``limit`` - 1, without bias worth naming (2^-64).

        Raises:
            ValueError: ``limit`` is less than 1.
        """
        if limit < 1:
            raise ValueError("limit must be at least 1")
        size = (limit.bit_length() + 7) // 8 + 8
        return int.from_bytes(self.octets(size), "big") % limit

    def happens(self, probability: float) -> bool:
        """Say whether an event of this probability (0 to 1) happens now."""
        return self.below(1 << 53) < probability * (1 << 53)


class Chance:
    """All streams of one run, by name.

    Drawing from one stream never moves another, so adding a draw in one place leaves the octets
    of every other place as they were.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Stream] = {}

    def stream(self, name: str) -> Stream:
        """Return the stream of that name, made at its first use."""
        if name not in self._streams:
            self._streams[name] = Stream(self.seed, name)
        return self._streams[name]

    def dump(self) -> dict[str, int]:
        """Return the position of every stream used so far."""
        return {name: stream.position for name, stream in sorted(self._streams.items())}

    def load(self, positions: Mapping[str, int]) -> None:
        """Put every stream where it stood: whoever holds one draws on from there."""
        for name in {*self._streams, *positions}:
            stream = self._streams.setdefault(name, Stream(self.seed, name))
            stream.position = positions.get(name, 0)

    @classmethod
    def restore(cls, seed: int, positions: Mapping[str, int]) -> Self:
        """Return a source whose streams stand at ``positions``."""
        chance = cls(seed)
        chance.load(positions)
        return chance
