"""The wrapper octets around GBCS messages inside a tunnel: GET, GET-RESPONSE, PUT."""

from dataclasses import dataclass
from typing import Final

from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

_LAYER: Final = "zcl.tunnel_wrapper"
_GET, _GET_RESPONSE, _PUT = 0x01, 0x02, 0x03
#: Octets before the message of a PUT, and of a GET-RESPONSE.
PUT_BYTES: Final = 1
GET_RESPONSE_BYTES: Final = 2


@quick
@dataclass(frozen=True, slots=True)
class TunnelGet:
    """A sleepy device asks the CHF for a message."""


@quick
@dataclass(frozen=True, slots=True)
class TunnelGetResponse:
    """The CHF's answer.

    Attributes:
        remaining: Messages that still wait behind this one, one octet.
        message: A GBCS message, or empty when there is none.
    """

    remaining: int
    message: bytes


@quick
@dataclass(frozen=True, slots=True)
class TunnelPut:
    """A device hands the CHF a message.

    Attributes:
        message: A GBCS message, at least one octet.
    """

    message: bytes


Wrapped = TunnelGet | TunnelGetResponse | TunnelPut


def decode(data: bytes) -> Wrapped:
    """Read the data of one Transfer Data command of a wrapping (GSME) tunnel.

    Raises:
        MalformedFrameError: Empty, an unknown first octet, octets behind a GET, a PUT of nothing,
            a response without its count, or one that has no message but some remaining.

    Source:
        GBCS (the ``gbcs_tunnel`` dissector of tshark 4.0.17 reads it so); message at most 1200
        octets and ``02 00`` for "none": GBCS 0.8.1 page 109. That a response of no message has
        nothing remaining is inferred: it would be a contradiction.
    """
    kind = data[:1]
    if kind == bytes([_GET]):
        if len(data) > 1:
            raise MalformedFrameError(_LAYER, data, "octets behind a GET", 1)
        return TunnelGet()
    if kind == bytes([_GET_RESPONSE]):
        if len(data) < 2:
            raise MalformedFrameError(_LAYER, data, "a GET-RESPONSE without its count", 1)
        if data[1] and len(data) == 2:
            raise MalformedFrameError(_LAYER, data, "messages remain but none is given", 2)
        return TunnelGetResponse(data[1], data[2:])
    if kind == bytes([_PUT]):
        if len(data) < 2:
            raise MalformedFrameError(_LAYER, data, "a PUT of nothing", 1)
        return TunnelPut(data[1:])
    raise MalformedFrameError(_LAYER, data, "neither GET, GET-RESPONSE nor PUT", 0)


def encode(wrapped: Wrapped) -> bytes:
    """Write a wrapper with what it holds.

    Raises:
        ValueError: An empty PUT, a count that does not fit, or a count without a message.
    """
    if isinstance(wrapped, TunnelGet):
        return bytes([_GET])
    if isinstance(wrapped, TunnelPut):
        if not wrapped.message:
            raise ValueError(f"{_LAYER}: a PUT needs a message")
        return bytes([_PUT]) + wrapped.message
    if not 0 <= wrapped.remaining <= 0xFF or (wrapped.remaining and not wrapped.message):
        raise ValueError(f"{_LAYER}: the count is one octet, and 0 without a message")
    return bytes([_GET_RESPONSE, wrapped.remaining]) + wrapped.message
