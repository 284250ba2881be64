"""States, events and transitions of a certificate-based key establishment, both roles."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class CbkeRole(enum.StrEnum):
    """Which side of the exchange."""

    INITIATOR = "initiator"
    RESPONDER = "responder"


class CbkeState(enum.StrEnum):
    """Where a side stands; it waits for its partner, or for its own arithmetic."""

    IDLE = "idle"
    WAITS_CERTIFICATE = "waits_certificate"
    WAITS_KEY = "waits_key"
    WAITS_MAC = "waits_mac"
    MAKES_KEY = "makes_key"
    AGREES = "agrees"
    ESTABLISHED = "established"
    ENDED = "ended"


class CbkeEvent(enum.StrEnum):
    """What can happen to a side."""

    START = "start"
    INITIATE_REQUEST = "initiate_request"
    INITIATE_RESPONSE = "initiate_response"
    EPHEMERAL_REQUEST = "ephemeral_request"
    EPHEMERAL_RESPONSE = "ephemeral_response"
    CONFIRM_REQUEST = "confirm_request"
    CONFIRM_RESPONSE = "confirm_response"
    TERMINATE = "terminate"
    KEY_MADE = "key_made"
    AGREED = "agreed"
    CANNOT = "cannot"
    TIMED_OUT = "timed_out"


#: Events that only the partner's frames cause: out of place they end the exchange.
PEER_EVENTS: Final = frozenset(
    {
        CbkeEvent.INITIATE_REQUEST,
        CbkeEvent.INITIATE_RESPONSE,
        CbkeEvent.EPHEMERAL_REQUEST,
        CbkeEvent.EPHEMERAL_RESPONSE,
        CbkeEvent.CONFIRM_REQUEST,
        CbkeEvent.CONFIRM_RESPONSE,
        CbkeEvent.TERMINATE,
    }
)
#: Events that come late when an exchange ended while its arithmetic was under way.
LATE_EVENTS: Final = frozenset({CbkeEvent.KEY_MADE, CbkeEvent.AGREED, CbkeEvent.CANNOT})
_U, _V = CbkeRole.INITIATOR, CbkeRole.RESPONDER
_S, _E = CbkeState, CbkeEvent
#: States in which an exchange is under way.
LIVE: Final = (_S.WAITS_CERTIFICATE, _S.WAITS_KEY, _S.WAITS_MAC, _S.MAKES_KEY, _S.AGREES)

_Row = tuple[CbkeRole, CbkeState, CbkeEvent]
_ROWS: Final[dict[_Row, tuple[str, CbkeState]]] = {
    (_U, _S.IDLE, _E.START): ("offer", _S.WAITS_CERTIFICATE),
    (_U, _S.WAITS_CERTIFICATE, _E.INITIATE_RESPONSE): ("take_answer", _S.MAKES_KEY),
    (_U, _S.MAKES_KEY, _E.KEY_MADE): ("send_key", _S.WAITS_KEY),
    (_U, _S.WAITS_KEY, _E.EPHEMERAL_RESPONSE): ("take_key_and_agree", _S.AGREES),
    (_U, _S.AGREES, _E.AGREED): ("prove", _S.WAITS_MAC),
    (_U, _S.WAITS_MAC, _E.CONFIRM_RESPONSE): ("check_last_proof", _S.ESTABLISHED),
    (_V, _S.IDLE, _E.INITIATE_REQUEST): ("answer", _S.WAITS_KEY),
    (_V, _S.WAITS_KEY, _E.EPHEMERAL_REQUEST): ("take_key", _S.MAKES_KEY),
    (_V, _S.MAKES_KEY, _E.KEY_MADE): ("send_key", _S.WAITS_MAC),
    (_V, _S.WAITS_MAC, _E.CONFIRM_REQUEST): ("take_proof", _S.AGREES),
    (_V, _S.AGREES, _E.AGREED): ("check_and_prove", _S.ESTABLISHED),
    **{
        (role, state, event): (action, _S.ENDED)
        for role in CbkeRole
        for state in LIVE
        for event, action in ((_E.TERMINATE, "terminated"), (_E.TIMED_OUT, "timed_out"))
    },
    **{
        (role, state, _E.CANNOT): ("cannot", _S.ENDED)
        for role in CbkeRole
        for state in (_S.MAKES_KEY, _S.AGREES)
    },
}

#: (role, state, event) -> (name of the session's action, next state unless the action refuses).
TRANSITIONS: Final[Mapping[_Row, tuple[str, CbkeState]]] = MappingProxyType(_ROWS)
