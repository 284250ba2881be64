"""STAND-IN: how an S1SP names an image to a SMETS1 hub, and how the hub says what became of it.

Nothing public says how a SMETS1 hub takes images for the devices behind it. Ours takes an *image
ticket* as the identifier of image transfer (class 18), metadata on a channel of its own, and keeps
a *distribution log* of what became of each image.
"""

import enum
from dataclasses import dataclass
from typing import Final

import construct as c

from emulator.codecs.dlms import axdr, data_notification
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.data_notification import Notification
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

LAYER: Final = "dlms.hub_image"
VERSION: Final = 1
#: Octets of a ticket.
TICKET_BYTES: Final = 14
#: Octets of the moment in a row: a COSEM date-time.
MOMENT_BYTES: Final = 12
#: Logical names of the hub's objects (class 1, attribute 2) and of its image transfer (class 18).
IMAGE_OBIS: Final = "0-0:44.0.0.255"
METADATA_OBIS: Final = "0-0:44.1.0.255"
ORDER_OBIS: Final = "0-0:44.2.0.255"
LOG_OBIS: Final = "0-0:44.3.0.255"
#: Wrapper port of what a hub tells a device that sleeps: an OTA command in its tunnel.
NOTICE_PORT: Final = 0x0064
#: Wrapper port of a text that a hub has the displays show.
MESSAGE_PORT: Final = 0x0065
#: Logical name of the hub's object (class 1, attribute 2) that takes such a text.
MESSAGE_OBIS: Final = "0-0:44.4.0.255"
_MAX_VERSION: Final = 0xFFFF_FFFF

_TICKET: Final = c.Struct(
    "version" / c.Const(VERSION, c.Int8ub),
    "flags" / c.BitStruct(c.Const(0, c.BitsInteger(6)), "cancel" / c.Flag, "force" / c.Flag),
    "target" / c.Bytes(8),
    "file_version" / c.Int32ub,
    c.Terminated,
)
_METADATA: Final = c.Struct(
    "ticket" / c.Bytes(TICKET_BYTES),
    "metadata" / c.GreedyBytes,
    c.Check(c.len_(c.this.metadata) > 0),
)
_ROW: Final = (Tag.OCTETS, Tag.ENUM, Tag.ENUM, Tag.UINT32, Tag.OCTETS)


@dataclass(frozen=True, slots=True)
class ImageTicket:
    """Which image is meant, in the 14 octets that stand wherever an image is named.

    Attributes:
        target: Device it is for; the hub itself for its own image.
        file_version: Version in its OTA header (u32).
        force_replace: Whether it takes the place of an image held for that device.
        cancel: In an order: give the image up instead of activating it.
    """

    target: Eui64
    file_version: int
    force_replace: bool = False
    cancel: bool = False

    @property
    def version_octets(self) -> bytes:
        """The version as four octets, most significant first."""
        return self.file_version.to_bytes(4, "big")

    def names_same(self, other: "ImageTicket") -> bool:
        """Say whether another ticket is about the same image, whatever the flags."""
        return (self.target, self.file_version) == (other.target, other.file_version)


@dataclass(frozen=True, slots=True)
class MetadataRecord:
    """Metadata that the S1SP hands over beside a bare image (enduring mode).

    Attributes:
        ticket: The image.
        metadata: The metadata, at least one octet.
    """

    ticket: ImageTicket
    metadata: bytes


class Stage(enum.IntEnum):
    """Where an image stands at the hub.

    ``DONE``: the target holds it, verified; a hub's own waits for its activation.
    """

    STAGING = 1
    STAGED = 2
    NOTIFIED = 3
    SERVING = 4
    DONE = 5
    ABORTED = 6
    DISCARDED = 7
    VERIFY_FAILED = 8
    ACTIVATED = 9
    ACTIVATION_FAILED = 10


#: Stages after which nothing more happens unless somebody orders it: these the hub tells unasked.
OUTCOMES: Final = frozenset(
    {
        Stage.DONE,
        Stage.ABORTED,
        Stage.DISCARDED,
        Stage.VERIFY_FAILED,
        Stage.ACTIVATED,
        Stage.ACTIVATION_FAILED,
    }
)


class Reason(enum.IntEnum):
    """Why an image stands where it stands; ``word`` is what reports say."""

    NONE = 0
    SIZE = 1  # more octets than the hub's image storage
    STORE_FULL = 2  # no slot, or no room beside the images it holds
    STORE_BLOCKED = 3  # an oversize image came before (a profile's fault)
    NOT_IN_DEVICE_LOG = 4
    NOT_SUPPORTED = 5  # the hub's firmware updates no device of this type
    HELD_ALREADY = 6  # another image is held for that device, and none may replace it
    MALFORMED = 7  # no OTA header, or its size is another
    OTHER_VERSION = 8  # ticket and OTA header name different versions
    OTHER_DEVICE = 9  # maker or image type of another device
    OTHER_HARDWARE = 10
    SAME_VERSION = 11
    TRANSFER_FAILED = 12  # the target ended it
    STALLED = 13  # the target stopped asking
    REPLACED = 14
    CANCELLED = 15
    POWER_LOST = 16  # the hub lost it half staged
    INVALID_IMAGE = 17  # the target found it not for itself, or damaged
    NOT_ACTIVATED = 18  # the target still runs another version
    DOWNGRADE = 19  # the hub's own policy refuses a lower version
    # Metadata: the hub's own check, in the words of ``chf_metadata_check.MetadataRefusal``.
    METADATA_TRUNCATED = 32
    CONST_MISMATCH = 33
    TLV_MISMATCH = 34
    BAD_TEXT = 35
    HEADER_MISMATCH = 36
    LENGTH_MISMATCH = 37
    DIGEST_MISMATCH = 38
    OEM_MISMATCH = 39
    TARGET_MISMATCH = 40
    SEGMENT_MISMATCH = 41
    EMPTY_IMAGE = 42
    METADATA_NOT_SUPPLIED = 43
    OCTETS_LEFT_OVER = 44

    @property
    def word(self) -> str:
        """The name in lower case with hyphens, e.g. ``store-full``."""
        return self.name.lower().replace("_", "-")

    @property
    def is_metadata(self) -> bool:
        """Whether the hub's check of metadata says so."""
        return self >= Reason.METADATA_TRUNCATED

    @property
    def kind(self) -> str:
        """``metadata`` for all reasons of that check, else ``word``."""
        return "metadata" if self.is_metadata else self.word

    @classmethod
    def of_word(cls, word: str) -> "Reason":
        """Return the reason of a word.

        Raises:
            KeyError: None has it.
        """
        return cls[word.upper().replace("-", "_")]


@dataclass(frozen=True, slots=True)
class DistributionRow:
    """What became of one image.

    Attributes:
        ticket: The image.
        stage: Where it stands.
        reason: Why, where it came to nothing.
        served: Octets given to the target.
        since: COSEM date-time of the hub's clock when it came to that stage, 12 octets.
    """

    ticket: ImageTicket
    stage: Stage
    reason: Reason
    served: int
    since: bytes

    @property
    def final(self) -> bool:
        """Whether the hub told it unasked."""
        return self.stage in OUTCOMES


def encode_ticket(ticket: ImageTicket) -> bytes:
    """Return a ticket's 14 octets.

    Raises:
        ValueError: The version does not fit 32 bits.
    """
    if not 0 <= ticket.file_version <= _MAX_VERSION:
        raise ValueError(f"{LAYER}: version {ticket.file_version} does not fit 32 bits")
    flags = {"cancel": ticket.cancel, "force": ticket.force_replace}
    octets: bytes = _TICKET.build(
        {"flags": flags, "target": ticket.target.octets, "file_version": ticket.file_version}
    )
    return octets


def decode_ticket(octets: bytes) -> ImageTicket:
    """Return the ticket in 14 octets.

    Raises:
        MalformedFrameError: Another length or version, or a flag that means nothing.
    """
    try:
        raw = _TICKET.parse(octets)
    except c.ConstructError as error:
        raise MalformedFrameError(LAYER, octets, _why(error), 0) from error
    return ImageTicket(Eui64(raw.target), raw.file_version, raw.flags.force, raw.flags.cancel)


def encode_metadata(record: MetadataRecord) -> bytes:
    """Return what goes over the metadata channel: the ticket, and the metadata behind it.

    Raises:
        ValueError: There are no metadata, or the ticket does not fit.
    """
    if not record.metadata:
        raise ValueError(f"{LAYER}: no metadata")
    ticket = encode_ticket(record.ticket)
    octets: bytes = _METADATA.build({"ticket": ticket, "metadata": record.metadata})
    return octets


def decode_metadata(octets: bytes) -> MetadataRecord:
    """Return what came over the metadata channel; only a layout tells where metadata end.

    Raises:
        MalformedFrameError: No ticket, or nothing behind it.
    """
    try:
        raw = _METADATA.parse(octets)
    except c.ConstructError as error:
        raise MalformedFrameError(LAYER, octets, _why(error), 0) from error
    return MetadataRecord(decode_ticket(raw.ticket), raw.metadata)


def _why(error: c.ConstructError) -> str:
    return " ".join(str(error).split())


def encode_row(row: DistributionRow) -> Data:
    """Return a row as data.

    Raises:
        ValueError: The moment has not 12 octets, or a value does not fit.
    """
    if len(row.since) != MOMENT_BYTES:
        raise ValueError(f"{LAYER}: a moment has {MOMENT_BYTES} octets")
    return axdr.structure(
        axdr.octets(encode_ticket(row.ticket)),
        Data(Tag.ENUM, int(row.stage)),
        Data(Tag.ENUM, int(row.reason)),
        Data(Tag.UINT32, row.served),
        axdr.octets(row.since),
    )


def decode_row(data: Data) -> DistributionRow:
    """Return one row.

    Raises:
        MalformedFrameError: It is none.
    """
    parts = data.value if data.tag is Tag.STRUCTURE and isinstance(data.value, tuple) else ()
    if tuple(item.tag for item in parts) != _ROW:
        raise MalformedFrameError(LAYER, axdr.encode(data), "no row of a distribution log", 0)
    ticket, stage, reason, served, since = (item.value for item in parts)
    if stage not in {int(each) for each in Stage} or reason not in {int(each) for each in Reason}:
        raise MalformedFrameError(LAYER, axdr.encode(data), "stage or reason not known", 0)
    if not isinstance(since, bytes) or len(since) != MOMENT_BYTES:
        why = f"a moment has {MOMENT_BYTES} octets"
        raise MalformedFrameError(LAYER, axdr.encode(data), why, 0)
    named = decode_ticket(ticket if isinstance(ticket, bytes) else b"")
    octets = served if isinstance(served, int) else 0
    return DistributionRow(named, Stage(stage), Reason(reason), octets, since)


def encode_log(rows: list[DistributionRow]) -> Data:
    """Return a distribution log, oldest row first."""
    return Data(Tag.ARRAY, tuple(encode_row(row) for row in rows))


def decode_log(data: Data) -> tuple[DistributionRow, ...]:
    """Return the rows of a distribution log.

    Raises:
        MalformedFrameError: It is none.
    """
    rows = data.value if data.tag is Tag.ARRAY and isinstance(data.value, tuple) else None
    if rows is None:
        raise MalformedFrameError(LAYER, axdr.encode(data), "no array", 0)
    return tuple(decode_row(row) for row in rows)


def encode_outcome(row: DistributionRow, number: int) -> bytes:
    """Return the notification of an outcome: a data notification that holds the row.

    Args:
        row: The row.
        number: Counts the hub's notifications, 24 bits.
    """
    return data_notification.encode(Notification(number, encode_row(row), row.since))


def decode_outcome(apdu: bytes) -> DistributionRow:
    """Return the row in a hub's notification.

    Raises:
        MalformedFrameError: It is no data notification, or one about something else.
    """
    return decode_row(data_notification.decode(apdu).body)
