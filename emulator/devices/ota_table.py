"""The OTA client's states, events and transition table: the table is the documentation."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class OtaState(enum.StrEnum):
    """Where a client stands (F-042); PAUSED is a sleepy device between two wake windows."""

    IDLE = "IDLE"
    QUERIED = "QUERIED"
    DOWNLOADING = "DOWNLOADING"
    WAITING = "WAITING"
    PAUSED = "PAUSED"
    COMPLETE_UNVERIFIED = "COMPLETE_UNVERIFIED"
    VERIFIED_PENDING = "VERIFIED_PENDING"
    REJECTED = "REJECTED"
    ACTIVE = "ACTIVE"


class OtaEvent(enum.StrEnum):
    """What can happen to a client, after the octets have been judged."""

    NOTIFIED = "notified"
    QUERY_DUE = "query_due"
    OFFERED = "offered"
    NOT_OFFERED = "not_offered"
    BLOCK = "block"
    LAST_BLOCK = "last_block"
    BAD_BLOCK = "bad_block"
    WAIT = "wait"
    ABORTED = "aborted"
    NEXT_DUE = "next_due"
    RETRY_DUE = "retry_due"
    GAVE_UP = "gave_up"
    VERIFIED = "verified"
    FAILED = "failed"
    END_ANSWERED = "end_answered"
    END_DUE = "end_due"
    SLEEP = "sleep"
    WAKE = "wake"
    WAKE_EARLY = "wake_early"
    ACTIVATED = "activated"
    DROPPED = "dropped"
    POWER_OFF = "power_off"
    POWER_ON = "power_on"


#: Events a peer's frame can cause: out of place they are noted and change nothing.
PEER_EVENTS: Final = frozenset(
    {
        OtaEvent.NOTIFIED,
        OtaEvent.OFFERED,
        OtaEvent.NOT_OFFERED,
        OtaEvent.BLOCK,
        OtaEvent.LAST_BLOCK,
        OtaEvent.BAD_BLOCK,
        OtaEvent.WAIT,
        OtaEvent.ABORTED,
        OtaEvent.END_ANSWERED,
    }
)
_S, _E = OtaState, OtaEvent
#: States between two downloads; the machine returns to the one it came from.
RESTING: Final = (_S.IDLE, _S.VERIFIED_PENDING, _S.REJECTED, _S.ACTIVE)
#: States in which a download is under way.
BUSY: Final = (_S.QUERIED, _S.DOWNLOADING, _S.WAITING, _S.PAUSED, _S.COMPLETE_UNVERIFIED)
#: Target of a transition that goes back to the resting state the download began in.
REST: Final = None
_ROWS: Final[dict[tuple[OtaState, OtaEvent], tuple[str, OtaState | None]]] = {
    **{(rest, _E.NOTIFIED): ("query", _S.QUERIED) for rest in RESTING},
    **{(rest, _E.QUERY_DUE): ("query", _S.QUERIED) for rest in RESTING},
    **{(rest, _E.END_ANSWERED): ("end_answered", REST) for rest in RESTING},
    **{(rest, _E.END_DUE): ("end_again", REST) for rest in RESTING},
    **{(rest, _E.SLEEP): ("pause", REST) for rest in RESTING},
    **{(rest, _E.WAKE): ("end_resume", REST) for rest in RESTING},
    **{(rest, _E.POWER_OFF): ("lose_power", REST) for rest in RESTING},
    **{(rest, _E.POWER_ON): ("boot", REST) for rest in RESTING},
    **{(rest, _E.ACTIVATED): ("released", _S.ACTIVE) for rest in RESTING},
    **{(rest, _E.DROPPED): ("released", _S.IDLE) for rest in RESTING},
    (_S.QUERIED, _E.OFFERED): ("begin", _S.DOWNLOADING),
    (_S.QUERIED, _E.NOT_OFFERED): ("not_offered", REST),
    (_S.QUERIED, _E.RETRY_DUE): ("query_again", _S.QUERIED),
    (_S.QUERIED, _E.GAVE_UP): ("give_up", REST),
    (_S.QUERIED, _E.SLEEP): ("pause", REST),
    (_S.QUERIED, _E.WAKE): ("nothing", _S.QUERIED),
    (_S.QUERIED, _E.POWER_OFF): ("lose_power", REST),
    (_S.DOWNLOADING, _E.BLOCK): ("take", _S.DOWNLOADING),
    (_S.DOWNLOADING, _E.LAST_BLOCK): ("complete", _S.COMPLETE_UNVERIFIED),
    (_S.DOWNLOADING, _E.BAD_BLOCK): ("bad_block", _S.DOWNLOADING),
    (_S.DOWNLOADING, _E.NEXT_DUE): ("request", _S.DOWNLOADING),
    (_S.DOWNLOADING, _E.RETRY_DUE): ("request_again", _S.DOWNLOADING),
    (_S.DOWNLOADING, _E.GAVE_UP): ("give_up", REST),
    (_S.DOWNLOADING, _E.WAIT): ("wait", _S.WAITING),
    (_S.DOWNLOADING, _E.ABORTED): ("abort", REST),
    (_S.DOWNLOADING, _E.SLEEP): ("pause", _S.PAUSED),
    (_S.DOWNLOADING, _E.WAKE): ("nothing", _S.DOWNLOADING),
    (_S.DOWNLOADING, _E.POWER_OFF): ("lose_power", REST),
    (_S.WAITING, _E.NEXT_DUE): ("request", _S.DOWNLOADING),
    (_S.WAITING, _E.ABORTED): ("abort", REST),
    (_S.WAITING, _E.SLEEP): ("pause", _S.PAUSED),
    (_S.WAITING, _E.WAKE): ("nothing", _S.WAITING),
    (_S.WAITING, _E.POWER_OFF): ("lose_power", REST),
    (_S.PAUSED, _E.WAKE): ("request", _S.DOWNLOADING),
    (_S.PAUSED, _E.WAKE_EARLY): ("wait_on", _S.WAITING),
    (_S.PAUSED, _E.SLEEP): ("nothing", _S.PAUSED),
    (_S.PAUSED, _E.ABORTED): ("abort", REST),
    (_S.PAUSED, _E.POWER_OFF): ("lose_power", REST),
    (_S.COMPLETE_UNVERIFIED, _E.VERIFIED): ("verified", _S.VERIFIED_PENDING),
    (_S.COMPLETE_UNVERIFIED, _E.FAILED): ("failed", _S.REJECTED),
    (_S.COMPLETE_UNVERIFIED, _E.SLEEP): ("nothing", _S.COMPLETE_UNVERIFIED),
    (_S.COMPLETE_UNVERIFIED, _E.WAKE): ("nothing", _S.COMPLETE_UNVERIFIED),
    (_S.COMPLETE_UNVERIFIED, _E.POWER_OFF): ("nothing", _S.COMPLETE_UNVERIFIED),
    (_S.COMPLETE_UNVERIFIED, _E.POWER_ON): ("boot_complete", _S.COMPLETE_UNVERIFIED),
    **{
        (state, event): (action, state)
        for state in BUSY
        for event, action in (
            (_E.NOTIFIED, "nothing"),
            (_E.END_ANSWERED, "end_answered"),
            (_E.END_DUE, "end_again"),
            (_E.ACTIVATED, "activated_under_way"),
            (_E.DROPPED, "released_under_way"),
        )
    },
}

#: (state, event) -> (name of the client's action, next state). What is not here is refused.
TRANSITIONS: Final[Mapping[tuple[OtaState, OtaEvent], tuple[str, OtaState | None]]] = (
    MappingProxyType(_ROWS)
)
