"""How an end of an ASH link stands, and what it asks its owner to do."""

import enum
from dataclasses import dataclass
from typing import TypeAlias

from emulator.core.values import quick


class LinkState(enum.Enum):
    """How an end stands."""

    DOWN = "down"
    RESETTING = "resetting"
    CONNECTED = "connected"
    FAILED = "failed"


@quick
@dataclass(frozen=True, slots=True)
class Write:
    """Put octets on the line."""

    octets: bytes


@quick
@dataclass(frozen=True, slots=True)
class Deliver:
    """An EZSP frame has arrived, once and in order."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The link stands anew: numbers start at 0 and nothing sent before counts.

    Attributes:
        code: Why the NCP started: a `ResetCode` or a number that it does not list.
    """

    code: int


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """The link is broken until the host resets it.

    Attributes:
        code: A `ResetCode` or a number that it does not list.
        lost: Payloads that were handed over and never acknowledged.
    """

    code: int
    lost: int


Action: TypeAlias = Write | Deliver | LinkUp | LinkFailed
