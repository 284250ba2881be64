"""Firmware on the air: how steadily the blocks of an image come, and where it stalls.

Where the OTA commands can be read (nothing enciphered, or deciphered with keys), blocks are
counted by them. Else a transfer is only *inferred*: a long row of frames of one and the same large
size in one direction, each after a smaller frame of the other direction. That may be something
else, and it tells neither the image nor its length; ``Basis`` says which of the two it is.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from emulator.codecs.zcl import frame as zcl
from emulator.codecs.zcl import ota
from emulator.codecs.zigbee import aps
from emulator.core.errors import MalformedFrameError
from hil.zigbee_observation.sights import FIRST_BROADCAST, Address, Kind, Sight, named
from hil.zigbee_observation.spread import Spread, gaps

#: Least octets on the air of a frame that may hold a block.
#: Source: inferred from headers of 11 (MAC), 8 + 18 (NWK, secured), 8 (APS), 17 (ZCL) octets and
#: blocks of 8 and more.
LARGE_BYTES: Final = 70
#: Least number of frames of one size that are taken for a transfer. Source: stand-in; a GBCS
#: message of 1.2 kB is some 20 fragments, an image thousands of blocks.
LEAST_BLOCKS: Final = 32
#: The same frame heard again within this time is a repeat. Source: stand-in; sequence numbers
#: are one octet.
REPEAT_US: Final = 3_000_000
#: A gap longer than this many medians, and than the least, is a stall. Source: stand-in.
STALL_FACTOR: Final = 8
LEAST_STALL_US: Final = 1_000_000

_Pair: TypeAlias = tuple[Address, Address]


class Basis(enum.StrEnum):
    """What a transfer is known by."""

    READ = "OTA commands read"
    SIZES = "inferred from size and direction; nothing was deciphered"


@dataclass(frozen=True, slots=True)
class Stall:
    """A time without blocks in the midst of a transfer: from ``at_us``, so long."""

    at_us: int
    length_us: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """The blocks one node sent another.

    Attributes:
        sender: Who has the image.
        receiver: Who gets it.
        basis: How this is known.
        blocks: Blocks, repeats not counted.
        repeats: Blocks that were heard again: retries of the radio, or of the client.
        frame_bytes: Size of a block's frame on the air, the most frequent one.
        octets: Octets of the image in these blocks; None: not told without reading.
        image: Manufacturer, image type and version; empty: not told without reading.
        first_us: When the first block was heard.
        last_us: When the last was.
        cadence: From block to block; None for a single one.
        stalls: Where it stood still.
    """

    sender: Address
    receiver: Address
    basis: Basis
    blocks: int
    repeats: int
    frame_bytes: int
    octets: int | None
    image: str
    first_us: int
    last_us: int
    cadence: Spread | None
    stalls: tuple[Stall, ...]

    def row(self) -> dict[str, Any]:
        """Return it as JSON values; lengths of time in seconds."""
        return {
            "sender": named(self.sender),
            "receiver": named(self.receiver),
            "basis": self.basis.value,
            "blocks": self.blocks,
            "repeats": self.repeats,
            "frame_bytes": self.frame_bytes,
            "octets": self.octets,
            "image": self.image or None,
            "seconds": (self.last_us - self.first_us) / 1e6,
            "cadence": None if self.cadence is None else self.cadence.row(),
            "stalls": [
                {"after_s": (one.at_us - self.first_us) / 1e6, "seconds": one.length_us / 1e6}
                for one in self.stalls
            ],
        }


@dataclass(frozen=True, slots=True)
class _Block:
    sight: Sight
    image: str
    offset: int
    octets: int


def transfers_of(sights: Iterable[Sight]) -> list[Transfer]:
    """Return the transfers among frames in any order, the longest first."""
    ordered = sorted(sights, key=lambda sight: sight.at_us)
    pairs: dict[_Pair, list[Sight]] = {}
    for sight in ordered:
        if sight.kind is Kind.DATA and (pair := _unicast(sight)) is not None:
            pairs.setdefault(pair, []).append(sight)
    found: list[Transfer] = []
    for pair, rows in pairs.items():
        read = _read(pair, rows)
        answers = pairs.get((pair[1], pair[0]), [])
        inferred = None if read else _inferred(pair, rows, answers)
        found += read or ([inferred] if inferred is not None else [])
    return sorted(found, key=lambda one: (-one.blocks, one.first_us))


def stalls_of(moments_us: Sequence[int]) -> tuple[Stall, ...]:
    """Return the gaps of a sorted row of moments that are far longer than its usual ones."""
    spread = Spread.of(gaps(moments_us))
    if spread is None:
        return ()
    limit = max(STALL_FACTOR * spread.median_us, LEAST_STALL_US)
    return tuple(
        Stall(at, length)
        for at, length in zip(moments_us, gaps(moments_us), strict=False)
        if length > limit
    )


def block_of(sight: Sight) -> ota.ImageBlockResponse | None:
    """Return the block a readable frame carries; None for all others."""
    network = sight.network
    if network is None or network.secured or network.is_command:
        return None
    try:
        application = aps.decode(network.payload)
        if not isinstance(application, aps.ApsFrame) or application.cluster != ota.CLUSTER:
            return None
        frame = zcl.decode(application.payload)
        if application.fragment is not None or not ota.COMMANDS.knows(frame):
            return None
        command = ota.decode(frame)
    except MalformedFrameError:
        return None
    return command if isinstance(command, ota.ImageBlockResponse) else None


def _unicast(sight: Sight) -> _Pair | None:
    sender, receiver = sight.ends
    if sender is None or receiver is None:
        return None
    if isinstance(receiver, int) and receiver >= FIRST_BROADCAST:
        return None
    return sender, receiver


def _read(pair: _Pair, sights: Iterable[Sight]) -> list[Transfer]:
    images: dict[str, list[_Block]] = {}
    for sight in sights:
        command = block_of(sight)
        if command is not None:
            maker, kind = command.manufacturer_code, command.image_type
            image = f"{maker:04X}-{kind:04X}-{command.file_version:08X}"
            block = _Block(sight, image, command.offset, len(command.data))
            images.setdefault(image, []).append(block)
    return [_of_blocks(pair, image, blocks) for image, blocks in images.items()]


def _of_blocks(pair: _Pair, image: str, blocks: Sequence[_Block]) -> Transfer:
    first: dict[int, _Block] = {}
    for block in blocks:
        first.setdefault(block.offset, block)
    kept = list(first.values())
    octets = sum(block.octets for block in kept)
    told = Basis.READ, len(blocks) - len(kept), octets, image
    return _told(pair, [block.sight for block in kept], *told)


def _inferred(pair: _Pair, sights: Sequence[Sight], answers: Sequence[Sight]) -> Transfer | None:
    kept, repeats = without_repeats(sights)
    sizes = Counter(sight.size for sight in kept if sight.size >= LARGE_BYTES)
    if not sizes:
        return None
    size, count = max(sizes.items(), key=lambda item: (item[1], item[0]))
    asked = sum(answer.size < size for answer in without_repeats(answers)[0])
    if count < LEAST_BLOCKS or 2 * count < sizes.total() or 2 * asked < count:
        return None
    blocks = [sight for sight in kept if sight.size == size]
    again = sum(sight.size == size for sight in repeats)
    return _told(pair, blocks, Basis.SIZES, again, None, "")


def without_repeats(sights: Sequence[Sight]) -> tuple[list[Sight], list[Sight]]:
    """Split a sorted row of frames of one pair into those heard first and those heard again."""
    seen: dict[tuple[int, int], int] = {}
    kept: list[Sight] = []
    repeats: list[Sight] = []
    for sight in sights:
        number = sight.sequence if sight.network is None else sight.network.sequence
        last = seen.get((number, sight.size))
        seen[number, sight.size] = sight.at_us
        is_repeat = last is not None and sight.at_us - last <= REPEAT_US
        (repeats if is_repeat else kept).append(sight)
    return kept, repeats


def _told(  # noqa: PLR0913, PLR0917 -- parts of one value, put together in one place
    pair: _Pair,
    blocks: Sequence[Sight],
    basis: Basis,
    repeats: int,
    octets: int | None,
    image: str,
) -> Transfer:
    moments = [sight.at_us for sight in blocks]
    size = Counter(sight.size for sight in blocks).most_common(1)[0][0]
    return Transfer(
        *pair,
        basis,
        len(blocks),
        repeats,
        size,
        octets,
        image,
        moments[0],
        moments[-1],
        Spread.of(gaps(moments)),
        stalls_of(moments),
    )
