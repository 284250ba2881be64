"""Beginnings that payloads of several commands share, field for field."""

from dataclasses import dataclass
from typing import ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import Declared
from emulator.codecs.zcl.fields import U8, U32

#: Wire form of what `Issued` holds; further fields follow.
ISSUED: Final = ("provider_id" / U32, "issuer_event_id" / U32, "start_s" / U32)
#: Wire form of what `TariffPart` holds; further fields follow.
TARIFF_PART: Final = (*ISSUED, "tariff_id" / U32, "index" / U8, "commands" / U8, "control" / U8)
#: Wire form of what `SnapshotEntry` holds; further fields follow.
SNAPSHOT_ENTRY: Final = (
    "snapshot_id" / U32,
    "at_s" / U32,
    "total" / U8,
    "index" / U8,
    "commands" / U8,
    "cause" / U32,
)


@dataclass(frozen=True, slots=True)
class Issued(Declared):
    """What somebody issues for a moment to come.

    Attributes:
        provider_id: 32 bits.
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
    """

    provider_id: int
    issuer_event_id: int
    start_s: int


@dataclass(frozen=True, slots=True)
class TariffPart(Issued):
    """Part of a tariff that begins; it may take several commands.

    Attributes:
        tariff_id: Identifier of the tariff.
        index: Number of this command.
        commands: How many there are.
        control: Bits that say what the part is of.
    """

    tariff_id: int
    index: int
    commands: int
    control: int


@dataclass(frozen=True, slots=True)
class IssuedRequest(Declared):
    """A client asks for what was issued.

    Attributes:
        earliest_s: Seconds since 2000.
        least_issuer_event_id: Oldest information wanted; all ones: any.
        most: How many; 0: all.
        tariff_type: Low nibble.
    """

    earliest_s: int
    least_issuer_event_id: int
    most: int
    tariff_type: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "earliest_s" / U32, "least_issuer_event_id" / U32, "most" / U8, "tariff_type" / U8
    )


@dataclass(frozen=True, slots=True)
class SnapshotRequest(Declared):
    """A client asks for one entry of a log of snapshots.

    Attributes:
        earliest_s: Seconds since 2000.
        latest_s: Seconds since 2000.
        offset: Which of those that fit, from 0.
        cause: Bits of causes wanted.
    """

    earliest_s: int
    latest_s: int
    offset: int
    cause: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "earliest_s" / U32, "latest_s" / U32, "offset" / U8, "cause" / U32
    )


@dataclass(frozen=True, slots=True)
class SnapshotEntry(Declared):
    """One entry of a log of snapshots, without what was written down.

    Attributes:
        snapshot_id: Identifier.
        at_s: Seconds since 2000.
        total: How many were found.
        index: Number of this command.
        commands: How many there are.
        cause: Bits of its causes.
    """

    snapshot_id: int
    at_s: int
    total: int
    index: int
    commands: int
    cause: int
