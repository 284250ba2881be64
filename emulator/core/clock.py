"""Time as a value: milliseconds of UTC and the forms the protocols write it in."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType

#: Milliseconds since 1970-01-01T00:00:00Z.
UtcMs = NewType("UtcMs", int)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZIGBEE_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_ZIGBEE_EPOCH_S: Final = int((_ZIGBEE_EPOCH - _EPOCH).total_seconds())


def to_datetime(at: UtcMs) -> datetime:
    """Return ``at`` as an aware datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=at)


def from_datetime(moment: datetime) -> UtcMs:
    """Return an aware datetime as milliseconds since 1970.

    Raises:
        ValueError: ``moment`` is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place here")
    return UtcMs(round((moment - _EPOCH) / timedelta(milliseconds=1)))


def to_zigbee_seconds(at: UtcMs) -> int:
    """Seconds since 2000-01-01T00:00:00Z, as ZCL UTCTime counts them (rounded down)."""
    return at // 1000 - _ZIGBEE_EPOCH_S


def from_zigbee_seconds(seconds: int) -> UtcMs:
    """Return a ZCL UTCTime as milliseconds since 1970."""
    return UtcMs((seconds + _ZIGBEE_EPOCH_S) * 1000)


@lru_cache(maxsize=4096)  # a history names the same few moments again and again
def iso(at: UtcMs) -> str:
    """Print ``at`` as ISO 8601 with milliseconds and Z."""
    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
