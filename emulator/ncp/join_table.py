"""How an NCP joins, keeps and leaves somebody else's network: stages, events and transitions."""

import enum
from typing import Final

from emulator.codecs.ezsp.identifiers import NetworkState


class JoinStage(enum.StrEnum):
    """Where an NCP stands with somebody else's network."""

    OUT = "out"
    SEEK = "seek"
    ASK = "ask"
    KEY_WAIT = "key wait"
    LINK_KEY_WAIT = "link key wait"
    UP = "up"
    RETURN_SEEK = "return seek"
    RETURN_ASK = "return ask"
    RETURN_KEY_WAIT = "return key wait"
    ORPHAN = "orphan"


class JoinEvent(enum.StrEnum):
    """What happens to it: orders of the host, what the air brings, and time."""

    JOIN = "join"
    JOIN_AT = "join at a beacon"
    CONFIGURE = "configure"
    REJOIN = "rejoin"
    RESUME = "resume"
    RESUME_ASKING = "resume asking"
    LEAVE = "leave"
    FOUND = "found"
    NOT_FOUND = "not found"
    CLOSED = "closed"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_KEY = "accepted with key"
    REFUSED = "refused"
    KEY = "key"
    KEY_LINK_KEY_WANTED = "key, link key wanted"
    KEY_IN_CLEAR = "key in clear"
    KEY_SEALED_FOR_NOBODY = "key sealed for nobody"
    LINK_KEY = "link key"
    TIME_OUT = "time-out"
    TOLD_TO_LEAVE = "told to leave"
    TOLD_TO_RETURN = "told to return"
    PARENT_LOST = "parent lost"


class JoinAct(enum.StrEnum):
    """What is done on a transition; with a reason in it: what the host is told."""

    SEEK = "seek"
    ASK = "ask"
    AWAIT_KEY = "await key"
    REQUEST_LINK_KEY = "request link key"
    ENTER = "enter"
    RESUME = "resume"
    SEEK_AGAIN = "seek again"
    ASK_AGAIN = "ask again"
    RETURN = "return"
    LEAVE = "leave"
    LEAVE_AS_TOLD = "leave as told"
    STAY_ORPHAN = "stay orphan"
    FAIL_NO_BEACONS = "fail: no beacons"
    FAIL_JOIN = "fail: join failed"
    FAIL_NO_KEY = "fail: no network key received"
    FAIL_KEY_IN_CLEAR = "fail: received key in the clear"
    FAIL_KEY_REQUIRED = "fail: preconfigured key required"
    FAIL_NO_LINK_KEY = "fail: no link key received"
    FAIL_MOVE = "fail: move failed"
    FAIL_RETURN_KEY = "fail: return without key"


_S, _E, _A = JoinStage, JoinEvent, JoinAct
_ASKED_TO_RETURN: Final = {
    _E.REJOIN: (_S.RETURN_SEEK, _A.SEEK_AGAIN),
    _E.TOLD_TO_RETURN: (_S.RETURN_SEEK, _A.SEEK_AGAIN),
    _E.LEAVE: (_S.OUT, _A.LEAVE),
}
_ROWS: Final[dict[JoinStage, dict[JoinEvent, tuple[JoinStage, JoinAct]]]] = {
    _S.OUT: {
        _E.JOIN: (_S.SEEK, _A.SEEK),
        _E.JOIN_AT: (_S.ASK, _A.ASK),
        _E.CONFIGURE: (_S.UP, _A.ENTER),
        _E.RESUME: (_S.UP, _A.RESUME),
        _E.RESUME_ASKING: (_S.RETURN_SEEK, _A.SEEK_AGAIN),
    },
    _S.SEEK: {
        _E.FOUND: (_S.ASK, _A.ASK),
        _E.NOT_FOUND: (_S.OUT, _A.FAIL_NO_BEACONS),
        _E.CLOSED: (_S.OUT, _A.FAIL_JOIN),
    },
    _S.ASK: {
        _E.ACCEPTED: (_S.KEY_WAIT, _A.AWAIT_KEY),
        _E.ACCEPTED_WITH_KEY: (_S.UP, _A.ENTER),
        _E.REFUSED: (_S.OUT, _A.FAIL_JOIN),
        _E.TIME_OUT: (_S.OUT, _A.FAIL_JOIN),
    },
    _S.KEY_WAIT: {
        _E.KEY: (_S.UP, _A.ENTER),
        _E.KEY_LINK_KEY_WANTED: (_S.LINK_KEY_WAIT, _A.REQUEST_LINK_KEY),
        _E.KEY_IN_CLEAR: (_S.OUT, _A.FAIL_KEY_IN_CLEAR),
        _E.KEY_SEALED_FOR_NOBODY: (_S.OUT, _A.FAIL_KEY_REQUIRED),
        _E.TIME_OUT: (_S.OUT, _A.FAIL_NO_KEY),
        _E.TOLD_TO_LEAVE: (_S.OUT, _A.FAIL_NO_KEY),
    },
    _S.LINK_KEY_WAIT: {
        _E.LINK_KEY: (_S.UP, _A.ENTER),
        _E.TIME_OUT: (_S.OUT, _A.FAIL_NO_LINK_KEY),
        _E.TOLD_TO_LEAVE: (_S.OUT, _A.FAIL_NO_LINK_KEY),
    },
    _S.UP: {
        **_ASKED_TO_RETURN,
        _E.TOLD_TO_LEAVE: (_S.OUT, _A.LEAVE_AS_TOLD),
        _E.PARENT_LOST: (_S.ORPHAN, _A.STAY_ORPHAN),
    },
    _S.RETURN_SEEK: {
        _E.FOUND: (_S.RETURN_ASK, _A.ASK_AGAIN),
        _E.NOT_FOUND: (_S.ORPHAN, _A.FAIL_MOVE),
        _E.LEAVE: (_S.OUT, _A.LEAVE),
    },
    _S.RETURN_ASK: {
        _E.ACCEPTED: (_S.RETURN_KEY_WAIT, _A.AWAIT_KEY),
        _E.ACCEPTED_WITH_KEY: (_S.UP, _A.RETURN),
        _E.REFUSED: (_S.ORPHAN, _A.FAIL_MOVE),
        _E.TIME_OUT: (_S.ORPHAN, _A.FAIL_MOVE),
        _E.LEAVE: (_S.OUT, _A.LEAVE),
    },
    _S.RETURN_KEY_WAIT: {
        _E.KEY: (_S.UP, _A.RETURN),
        _E.KEY_LINK_KEY_WANTED: (_S.UP, _A.RETURN),
        _E.TIME_OUT: (_S.ORPHAN, _A.FAIL_RETURN_KEY),
        _E.TOLD_TO_LEAVE: (_S.OUT, _A.LEAVE_AS_TOLD),
        _E.LEAVE: (_S.OUT, _A.LEAVE),
    },
    _S.ORPHAN: _ASKED_TO_RETURN,
}
#: What an event leads to. A pair that is not here: an order is refused, all else is not heeded.
TRANSITIONS: Final[dict[tuple[JoinStage, JoinEvent], tuple[JoinStage, JoinAct]]] = {
    (stage, event): row for stage, rows in _ROWS.items() for event, row in rows.items()
}
#: Stages in which the NCP is on its way back.
RETURNING: Final = frozenset({_S.RETURN_SEEK, _S.RETURN_ASK, _S.RETURN_KEY_WAIT})
#: Stages in which there is a network the NCP belongs to.
MEMBER: Final = RETURNING | {_S.UP, _S.ORPHAN}
#: What ``networkState`` says of a stage.
TOLD: Final[dict[JoinStage, NetworkState]] = {
    **dict.fromkeys(_S, NetworkState.JOINING_NETWORK),
    **dict.fromkeys(MEMBER, NetworkState.JOINED_NETWORK_NO_PARENT),
    _S.OUT: NetworkState.NO_NETWORK,
    _S.UP: NetworkState.JOINED_NETWORK,
}
