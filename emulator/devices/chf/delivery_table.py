"""One target's delivery by the hub: states, events and the transition table (F-041)."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class DeliveryState(enum.StrEnum):
    """Where the delivery to one device stands."""

    EMPTY = "EMPTY"
    STAGING = "STAGING"
    STAGED = "STAGED"
    NOTIFIED = "NOTIFIED"
    SERVING = "SERVING"
    DONE = "DONE"
    ABORTED = "ABORTED"
    DISCARDED = "DISCARDED"


class DeliveryEvent(enum.StrEnum):
    """What can happen to a delivery, after the octets have been judged."""

    OFFERED = "offered"
    HELD = "held"
    LOST = "lost"
    DISCARDED = "discarded"
    ANNOUNCED = "announced"
    MATCHED = "matched"
    MISMATCHED = "mismatched"
    ASKED = "asked"
    ENDED_WELL = "ended_well"
    ENDED_BADLY = "ended_badly"
    STALLED = "stalled"
    REPLACED = "replaced"


_S, _E = DeliveryState, DeliveryEvent
#: States of a delivery that has an image to give.
OPEN: Final = (_S.STAGED, _S.NOTIFIED, _S.SERVING)
#: States in which nothing is under way; a new offer begins afresh.
FREE: Final = (_S.EMPTY, _S.DONE, _S.ABORTED, _S.DISCARDED)

#: (state, event) -> (name of the server's action, next state). What is not here does not happen.
TRANSITIONS: Final[Mapping[tuple[DeliveryState, DeliveryEvent], tuple[str, DeliveryState]]] = (
    MappingProxyType(
        {
            **{(state, _E.OFFERED): ("stage", _S.STAGING) for state in FREE},
            (_S.STAGING, _E.HELD): ("hold", _S.STAGED),
            (_S.STAGING, _E.LOST): ("lose", _S.ABORTED),
            (_S.STAGING, _E.DISCARDED): ("discard", _S.DISCARDED),
            (_S.STAGED, _E.ANNOUNCED): ("announce", _S.NOTIFIED),
            (_S.NOTIFIED, _E.ANNOUNCED): ("announce", _S.NOTIFIED),
            **{(state, _E.MATCHED): ("offer", _S.SERVING) for state in OPEN},
            **{(state, _E.MISMATCHED): ("mismatch", _S.DISCARDED) for state in OPEN},
            **{(state, _E.ASKED): ("serve", _S.SERVING) for state in OPEN},
            **{(state, _E.REPLACED): ("hold", _S.STAGED) for state in OPEN},
            (_S.SERVING, _E.ENDED_WELL): ("finish", _S.DONE),
            (_S.SERVING, _E.ENDED_BADLY): ("fail", _S.ABORTED),
            (_S.SERVING, _E.STALLED): ("stall", _S.ABORTED),
            (_S.DONE, _E.ENDED_WELL): ("end_well", _S.DONE),
            (_S.ABORTED, _E.ENDED_BADLY): ("end_badly", _S.ABORTED),
        }
    )
)
