"""A line's pieces as exchanges: what was asked, and all that came of it, blocks put together."""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.dlms.apdu_action import ActionBlockRequest, ActionNextRequest
from emulator.codecs.dlms.apdu_get import GetNextRequest
from emulator.codecs.dlms.apdu_set import SetBlockRequest
from emulator.core.errors import MalformedFrameError
from harness.dlms_view.line import Seen, SeenKind, Way
from harness.dlms_view.told import value_of


class ExchangeKind(enum.StrEnum):
    """What an exchange is."""

    TEXT = "text"  # sign-on, option select, read-out
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    SERVICE = "service"
    UNASKED = "unasked"  # the meter spoke by itself


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked, and what came.

    Attributes:
        kind: What it is.
        at_ns: When it began, nanoseconds since 1970.
        client: Service access point of the client; None for texts.
        server: Service access point of the logical device; None for texts.
        requests: What went to the meter: texts as on the line, information fields of SNRM, APDUs;
            more than one where a service went in blocks.
        answers: What the meter sent, likewise; empty where nothing came.
        refused: Whether the meter answered with DM or FRMR.
    """

    kind: ExchangeKind
    at_ns: int
    client: int | None = None
    server: int | None = None
    requests: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()
    refused: bool = False

    @property
    def request(self) -> bytes:
        """The first request; empty where the meter spoke by itself."""
        return self.requests[0] if self.requests else b""


_BEGINS: Final = {
    SeenKind.TEXT: ExchangeKind.TEXT,
    SeenKind.CONNECT: ExchangeKind.CONNECT,
    SeenKind.DISCONNECT: ExchangeKind.DISCONNECT,
    SeenKind.APDU: ExchangeKind.SERVICE,
}
_ANSWERS: Final = frozenset({SeenKind.TEXT, SeenKind.CONNECTED, SeenKind.REFUSED, SeenKind.APDU})
_CONTINUED: Final = (GetNextRequest, SetBlockRequest, ActionBlockRequest, ActionNextRequest)


@dataclass(slots=True)
class _Open:
    """An exchange that goes on."""

    kind: ExchangeKind
    at_ns: int
    client: int | None
    server: int | None
    requests: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    refused: bool = False

    def closed(self) -> Exchange:
        return Exchange(
            self.kind,
            self.at_ns,
            self.client,
            self.server,
            tuple(self.requests),
            tuple(self.answers),
            self.refused,
        )


def exchanges_of(pieces: Iterable[tuple[int, Seen]]) -> list[Exchange]:
    """Return the exchanges of one line, in the order they began.

    Repeated requests that got no answer are one exchange; what is no message (flow control,
    segments, noise, frames sent twice) belongs to none.

    Args:
        pieces: Moments in nanoseconds and what was seen.
    """
    return [one.closed() for one in _open_exchanges(pieces)]


def _open_exchanges(pieces: Iterable[tuple[int, Seen]]) -> Iterator[_Open]:
    last: _Open | None = None
    for at_ns, seen in pieces:
        if seen.way is Way.IN and seen.kind in _BEGINS:
            kind = _BEGINS[seen.kind]
            if last is not None and _goes_on(last, kind, seen):
                if last.answers:
                    last.requests.append(seen.message)
                continue
            if last is not None:
                yield last
            last = _Open(kind, at_ns, seen.client, seen.server, [seen.message])
        elif seen.way is Way.OUT and seen.kind in _ANSWERS:
            if last is None or not _belongs(last, seen):
                yield from () if last is None else (last,)
                last = _Open(ExchangeKind.UNASKED, at_ns, seen.client, seen.server)
            last.answers.append(seen.message)
            last.refused = last.refused or seen.kind is SeenKind.REFUSED
    if last is not None:
        yield last


def _goes_on(last: _Open, kind: ExchangeKind, seen: Seen) -> bool:
    """Whether a request is the last one said again, or its next block."""
    if (last.kind, last.client) != (kind, seen.client):
        return False
    if not last.answers and last.requests[-1:] == [seen.message]:
        return True
    return kind is ExchangeKind.SERVICE and bool(last.answers) and is_next_block(seen.message)


def is_next_block(apdu: bytes) -> bool:
    """Say whether a request only goes on with the one before: the next block of it."""
    try:
        return isinstance(value_of(apdu), _CONTINUED)
    except MalformedFrameError:
        return False


def _belongs(last: _Open, seen: Seen) -> bool:
    """Whether an answer may belong to the exchange that goes on."""
    text = seen.kind is SeenKind.TEXT
    if last.kind is ExchangeKind.TEXT or text:
        return last.kind is ExchangeKind.TEXT and text
    if last.client != seen.client or last.kind is ExchangeKind.UNASKED:
        return False
    return last.kind is not ExchangeKind.SERVICE or len(last.answers) < len(last.requests)
