"""Who speaks to a device when a request is not critical, and who signs.

Source:
    RTDS 4.5.0 CS02a, CS02b, CS02f, GCS59 (reference gbcs.md section 3).
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class Speaker(enum.Enum):
    """Who sends the command of a request that is not critical."""

    USER = enum.auto()  # or the broker in the user's place, where the device demands it
    BROKER = enum.auto()  # in its own name
    TRANSITIONAL_COS = enum.auto()


_SPEAKERS: Final[Mapping[str, Speaker]] = MappingProxyType(
    {
        "6.21": Speaker.BROKER,
        "6.23": Speaker.TRANSITIONAL_COS,
        "6.24.1": Speaker.BROKER,
        "8.5": Speaker.BROKER,
        "8.12.2": Speaker.BROKER,
    }
)
#: Services whose command the speaker signs; it carries the execution time, so the device waits.
SIGNED: Final = frozenset({"6.21", "6.23"})


def speaker_of(service: str) -> Speaker:
    """Return who sends the command of a service reference variant."""
    return _SPEAKERS.get(service, Speaker.USER)
