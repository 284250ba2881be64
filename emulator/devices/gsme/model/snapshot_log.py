"""The dated rows of a gas meter's registers and account, packed: a log costs little memory."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

from emulator.core.clock import UtcMs

TIERS: Final = 4
BLOCKS: Final = 4
#: Accumulated debt, three debts, emergency credit, credit.
_ACCOUNT: Final = 6
_HEAD: Final = 3
_TIERS_END: Final = _HEAD + TIERS
_BLOCKS_END: Final = _TIERS_END + BLOCKS
_WIDTH: Final = _BLOCKS_END + _ACCOUNT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Registers and account at a moment.

    Attributes:
        at: When.
        cause: Bits of its causes.
        register_dm3: The whole register.
        tiers: Registers of the tiers.
        blocks: Block counters.
        account: As ``Account.shown``.
    """

    at: UtcMs
    cause: int
    register_dm3: int
    tiers: tuple[int, ...]
    blocks: tuple[int, ...]
    account: tuple[int, ...]


class SnapshotLog(Sequence[Snapshot]):
    """The last rows, oldest first, 17 whole numbers of 64 bits each."""

    __slots__ = ("_most", "_numbers")

    def __init__(self, most: int, rows: Iterable[Snapshot] = ()) -> None:
        """Keep at most so many rows; begin with these."""
        self._most = most
        self._numbers = array("q")
        for row in rows:
            self.enter(row)

    def __len__(self) -> int:
        return len(self._numbers) // _WIDTH

    @overload
    def __getitem__(self, index: int) -> Snapshot: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Snapshot]: ...
    def __getitem__(self, index: int | slice) -> Snapshot | Sequence[Snapshot]:
        places = range(len(self))[index]
        return self._row(places) if isinstance(places, int) else [self._row(at) for at in places]

    def __iter__(self) -> Iterator[Snapshot]:
        return map(self._row, range(len(self)))

    def _row(self, place: int) -> Snapshot:
        at, cause, register, *parts = self._numbers[place * _WIDTH : (place + 1) * _WIDTH]
        numbers = tuple(parts)
        tiers_end, blocks_end = _TIERS_END - _HEAD, _BLOCKS_END - _HEAD
        tiers, blocks = numbers[:tiers_end], numbers[tiers_end:blocks_end]
        return Snapshot(UtcMs(at), cause, register, tiers, blocks, numbers[blocks_end:])

    def enter(self, row: Snapshot) -> None:
        """Enter a row; the oldest goes when there are too many.

        Raises:
            ValueError: It has not 4 tiers, 4 blocks and 6 parts of an account.
        """
        numbers = [row.at, row.cause, row.register_dm3, *row.tiers, *row.blocks, *row.account]
        if len(numbers) != _WIDTH:
            raise ValueError(f"a snapshot has {_WIDTH} numbers, not {len(numbers)}")
        self._numbers.extend(numbers)
        del self._numbers[: -self._most * _WIDTH]

    def take_last(self) -> Snapshot:
        """Take the last row out."""
        last = self[-1]
        del self._numbers[-_WIDTH:]
        return last
