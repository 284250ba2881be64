"""What the message table says of a message code: payload kinds, categories and protections."""

import enum
from dataclasses import dataclass
from typing import Final


class PayloadKind(enum.StrEnum):
    """The three languages a GBCS payload is written in."""

    DLMS = "DLMS"
    GBZ = "GBZ"
    ASN1 = "ASN1"


class Protection(enum.Flag):
    """What guards a message; a pre-command (no signature field at all) is none of these."""

    NONE = 0
    SIGNATURE = enum.auto()
    MAC = enum.auto()


class Category(enum.StrEnum):
    """Message categories as GBCS writes them; VARIANT where GBCS states the protection itself."""

    CRITICAL = "SME.C.C"
    NON_CRITICAL = "SME.C.NC"
    CRITICAL_ALERT = "SME.A.C"
    NON_CRITICAL_ALERT = "SME.A.NC"
    BETWEEN_DEVICES = "SME.C.PPMID-GSME"
    VARIANT = "variant"


#: The protection sets that one direction of a message code may carry; empty: no such message.
Allowed = tuple[Protection, ...]

_NEVER: Final[Allowed] = ()
_MACED: Final[Allowed] = (Protection.MAC,)
_SIGNED: Final[Allowed] = (Protection.SIGNATURE,)
_BOTH: Final[Allowed] = (Protection.SIGNATURE | Protection.MAC,)

#: Category -> allowed protection of (command, response, alert). Source: the mapping table's
#: message types against all RTDS 4.5.0 vectors (reference gbcs.md section 5).
CATEGORY_RULE: Final[dict[Category, tuple[Allowed, Allowed, Allowed]]] = {
    Category.CRITICAL: (_BOTH, _SIGNED, _NEVER),
    Category.NON_CRITICAL: (_MACED, _MACED, _NEVER),
    Category.CRITICAL_ALERT: (_NEVER, _NEVER, _SIGNED),
    Category.NON_CRITICAL_ALERT: (_NEVER, _NEVER, _MACED),
    Category.BETWEEN_DEVICES: (_MACED, _MACED, _NEVER),
}


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What is known of one message code.

    Attributes:
        code: Message code, 0x0001 to 0x1001.
        use_case: Use case as GBCS writes it, e.g. ``CS06``; alerts of a use case say so.
        title: What the use case does, in a line.
        srvs: Service reference variants that lead to it; empty for alerts and HAN-only messages.
        category: Message category.
        payload: Languages its payload was seen in (two for the generic alerts).
        devices: Device types it was seen at or is titled for; not a limit.
        command: Protection sets a command may carry; empty when there is no such message.
        response: The same for a response.
        alert: The same for an alert.
        response_date_time: True when every response carries a date-time in its grouping header.
    """

    code: int
    use_case: str
    title: str
    srvs: tuple[str, ...]
    category: Category
    payload: tuple[PayloadKind, ...]
    devices: tuple[str, ...]
    command: Allowed
    response: Allowed
    alert: Allowed
    response_date_time: bool
