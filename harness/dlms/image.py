"""Image transfer (class 18): what to invoke, block by block, and what the meter says of it."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data, Tag
from harness.dlms import obis
from harness.dlms.values import enumerated_of, integer_of, items_of, octets_of

CLASS_ID: Final = 18
#: The parameter of a method that has none to speak of.
_NOTHING: Final = Data(Tag.INT8, 0)
#: Longest data of a block: what an octet-string can say.
_MAX_BLOCK_BYTES: Final = 0xFFFF


class TransferStatus(enum.IntEnum):
    """Where a transfer stands (attribute 6). Source: IEC 62056-6-2 Image transfer (known)."""

    NOT_INITIATED = 0
    INITIATED = 1
    VERIFY_INITIATED = 2
    VERIFIED = 3
    VERIFY_FAILED = 4
    ACTIVATE_INITIATED = 5
    ACTIVATED = 6
    ACTIVATE_FAILED = 7


@dataclass(frozen=True, slots=True)
class Call:
    """One method to invoke.

    Attributes:
        method: Which.
        parameters: Its parameters.
    """

    method: Descriptor
    parameters: Data


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """All that has to be invoked to bring an image into a meter.

    Attributes:
        identifier: What the meter shall call it.
        octets: The image.
        block_bytes: Block size that the meter demands (attribute 2).
        name: Logical name of the image transfer object.
    """

    identifier: bytes
    octets: bytes = field(repr=False)
    block_bytes: int
    name: str = obis.IMAGE_TRANSFER

    def __post_init__(self) -> None:
        if not 1 <= self.block_bytes <= _MAX_BLOCK_BYTES:
            raise ValueError(f"a block has 1 to {_MAX_BLOCK_BYTES} octets, not {self.block_bytes}")
        if not self.octets:
            raise ValueError("an image has at least one octet")

    @property
    def count(self) -> int:
        """Number of blocks."""
        return -(-len(self.octets) // self.block_bytes)

    def initiate(self) -> Call:
        """Return the call that announces name and size."""
        size = Data(Tag.UINT32, len(self.octets))
        return self._call(1, axdr.structure(axdr.octets(self.identifier), size))

    def block(self, number: int) -> Call:
        """Return the call that brings one block, counted from 0; only the last may be short.

        Raises:
            IndexError: There is no such block.
        """
        if not 0 <= number < self.count:
            raise IndexError(f"block {number} of {self.count}")
        start = number * self.block_bytes
        piece = self.octets[start : start + self.block_bytes]
        return self._call(2, axdr.structure(Data(Tag.UINT32, number), axdr.octets(piece)))

    def blocks(self, first: int = 0) -> Iterator[Call]:
        """Return the calls of the blocks from ``first`` on: all, or what a meter lacks."""
        return (self.block(number) for number in range(first, self.count))

    def verify(self) -> Call:
        """Return the call that has the image verified; a meter may answer "temporary failure"."""
        return self._call(3, _NOTHING)

    def activate(self) -> Call:
        """Return the call that has the image run; it may drop the association."""
        return self._call(4, _NOTHING)

    def _call(self, method: int, parameters: Data) -> Call:
        return Call(obis.member(CLASS_ID, self.name, method), parameters)


def attribute(index: int, name: str = obis.IMAGE_TRANSFER) -> Attribute:
    """Return an attribute: 2 block size, 3 blocks, 4 first missing, 5 enabled, 6 status, 7 info."""
    return obis.attribute(CLASS_ID, name, index)


def status_of(data: Data) -> TransferStatus | int:
    """Read attribute 6; a number the standard has no word for stays one.

    Raises:
        MalformedFrameError: It is no enumeration.
    """
    number = enumerated_of(data)
    return TransferStatus(number) if number in {int(one) for one in TransferStatus} else number


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image that is ready to be activated (one of attribute 7).

    Attributes:
        size_bytes: Its length.
        identifier: What the meter calls it.
        signature: Its signature, or empty.
    """

    size_bytes: int
    identifier: bytes
    signature: bytes


def images_of(data: Data) -> tuple[ImageInfo, ...]:
    """Read attribute 7: the images ready to be activated.

    Raises:
        MalformedFrameError: It is no such list.
    """
    found = []
    for item in items_of(data, Tag.ARRAY):
        size, identifier, signature = items_of(item, Tag.STRUCTURE, 3)
        found.append(ImageInfo(integer_of(size), octets_of(identifier), octets_of(signature)))
    return tuple(found)
