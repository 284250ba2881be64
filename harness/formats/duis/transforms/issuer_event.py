"""The time that a gas command was stamped with, as it stands in the message."""

from typing import Final

from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.metering import frame_of
from emulator.codecs.zcl import account, calendar, metering, price, snapshots
from emulator.core.errors import MalformedFrameError

_TABLES: Final = (
    account.COMMANDS,
    calendar.COMMANDS,
    price.COMMANDS,
    metering.COMMANDS,
    snapshots.COMMANDS,
)


def issuer_event_of(payload: bytes) -> int | None:
    """Return the issuer event identifier of a GBZ payload, seconds since 2000.

    None where it is no GBZ payload, or its first command has no such field.
    """
    try:
        first = gbz.decode(payload).components[0]
        frame = frame_of(first)
        for table in _TABLES:
            if table.cluster == first.cluster and table.knows(frame):
                found = getattr(table.decode(frame), "issuer_event_id", None)
                return found if isinstance(found, int) else None
    except MalformedFrameError:
        return None
    return None
