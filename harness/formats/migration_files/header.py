"""The Migration Header, which every migration file begins with."""

from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.words import FileType, ProcessingMode
from harness.formats.migration_files.xml_table import Column, Record, optional


@quick
@dataclass(frozen=True, slots=True)
class Header:
    """What a file is, of which set, and when it was made.

    Attributes:
        file_type: Which file.
        group_id: GroupID: data, never a reason for a step to differ.
        requesting_party: EUI-64 of the Requesting Party whose installations these are.
        counter: Migration counter of the set (5.9.5 to 5.9.7), 0 to 9 999 999 999.
        created_at: When it was made, whole seconds of UTC.
        migration_week: ISO week the set counts to, however long it takes, e.g. ``2021-W09``.
        in_reply_to: Name of the file that it answers; None where it answers none.
        mode: How it is to be processed; an MCF alone has one.

    Source:
        invented (reference 4.3).
    """

    file_type: FileType
    group_id: str
    requesting_party: Eui64
    counter: int
    created_at: UtcMs
    migration_week: str
    in_reply_to: str | None = None
    mode: ProcessingMode | None = None


HEADER: Final = Record(
    Header,
    (
        Column("FileType", "file_type", kinds.words(FileType)),
        Column("GroupID", "group_id", kinds.GROUP),
        Column("RequestingPartyID", "requesting_party", kinds.EUI64),
        Column("MigrationCounter", "counter", kinds.COUNTER),
        Column("CreatedAt", "created_at", kinds.MOMENT),
        Column("MigrationWeek", "migration_week", kinds.WEEK),
        optional("InReplyTo", "in_reply_to", kinds.FILE_NAME),
        optional("ProcessingMode", "mode", kinds.words(ProcessingMode)),
    ),
)
