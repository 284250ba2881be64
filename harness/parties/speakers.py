"""Who speaks to a device when a request is not critical, and who signs.

Source:
    RTDS 4.5.0 CS02a, CS02b, CS02f, GCS59 (reference gbcs.md section 3).
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.gbcs.envelope import Envelope
from emulator.codecs.gbcs.use_cases import MESSAGES, Protection


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
#: Services whose command carries the execution time, so the device waits; the speaker signs it.
SIGNED: Final = frozenset({"6.21", "6.23"})


def is_signed(service: str, env: Envelope) -> bool:
    """Say whether the speaker signs a command: always, or because its use case has no other.

    Source:
        RTDS 4.5.0 CS03A2, CS03C and CS04AC at a PPMID: not critical, and signed by the broker.
    """
    allowed = MESSAGES[env.header.other.message_code].command
    return service in SIGNED or all(Protection.SIGNATURE in one for one in allowed)


def speaker_of(service: str) -> Speaker:
    """Return who sends the command of a service reference variant."""
    return _SPEAKERS.get(service, Speaker.USER)
