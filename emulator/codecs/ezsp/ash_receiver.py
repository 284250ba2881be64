"""Finding ASH frames in a stream of octets that arrives in any pieces."""

from typing import Final, TypeAlias

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import SHORT_FRAMES, AshFrame, AshReason, MalformedAshError
from emulator.codecs.ezsp.ash_octets import CANCEL, FLAG, SUBSTITUTE, XOFF, XON, unstuff

#: Twice the longest frame: every octet of it may be escaped. No more is ever kept.
MAX_KEPT_BYTES: Final = 2 * ash.MAX_BODY_BYTES
#: A frame, or why the octets between two flags are none.
Received: TypeAlias = "AshFrame | MalformedAshError"

_FLOW: Final = bytes((XON, XOFF))
_END: Final = bytes((FLAG,))
_CANCEL: Final = bytes((CANCEL,))
_DUMPED: Final = frozenset({"kept", "dropping", "refused", "dropped_bytes"})


class AshReceiver:
    """Cuts a stream at its flags; what a CANCEL disowns is forgotten.

    Flow-control octets are no part of a frame wherever they stand. A frame that holds a
    SUBSTITUTE was spoilt on the line. Octets in front of the first flag of a stream are judged
    like a frame, as the protocol has no opening flag.

    Attributes:
        refused: How often the octets between two flags were no frame.
        dropped_bytes: Octets that belonged to none, a CANCEL's included.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.dropped_bytes = 0
        self._kept = bytearray()
        self._dropping = False

    @property
    def kept_bytes(self) -> int:
        """Octets that wait for the rest of their frame."""
        return len(self._kept)

    def feed(self, octets: bytes) -> list[Received]:
        """Take more octets of the line; return what they complete, in order."""
        found: list[Received] = []
        *ended, rest = octets.translate(None, _FLOW).split(_END)
        for piece in ended:
            if self._kept or self._dropping or CANCEL in piece or len(piece) > MAX_KEPT_BYTES:
                self._keep(piece)
                self._close(found)
                continue
            known = SHORT_FRAMES.get(piece)
            if known is not None:
                found.append(known)
            elif piece:  # else two flags in a row
                self._judge(piece, found)
        if rest:
            self._keep(rest)
        return found

    def clear(self) -> None:
        """Forget what waits: the line was opened anew."""
        self._kept.clear()
        self._dropping = False

    def dump(self) -> State:
        """Return the counters and what waits, as JSON-able data."""
        return {
            "kept": self._kept.hex(),
            "dropping": self._dropping,
            "refused": self.refused,
            "dropped_bytes": self.dropped_bytes,
        }

    def load(self, state: Json, path: str = "receiver") -> None:
        """Take over a ``dump``.

        Raises:
            DumpedStateError: A value is missing, mistyped or too long; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        kept, dropping = dumped.octets("kept", MAX_KEPT_BYTES), dumped.flag("dropping")
        refused, dropped = dumped.number("refused"), dumped.number("dropped_bytes")
        self._kept, self._dropping = bytearray(kept), dropping
        self.refused, self.dropped_bytes = refused, dropped

    def _keep(self, piece: bytes) -> None:
        """Take octets without a flag among them."""
        if CANCEL in piece:
            disowned, _, piece = piece.rpartition(_CANCEL)
            self.dropped_bytes += len(self._kept) + len(disowned) + 1
            self.clear()
        self._kept += piece
        if len(self._kept) > MAX_KEPT_BYTES:
            self.dropped_bytes += len(self._kept)
            self._kept.clear()
            self._dropping = True

    def _close(self, found: list[Received]) -> None:
        """Judge what waits, at a flag."""
        octets = bytes(self._kept)
        dropping = self._dropping
        self.clear()
        if octets or dropping:
            self._judge(octets, found, too_long=dropping)

    def _judge(self, octets: bytes, found: list[Received], *, too_long: bool = False) -> None:
        """Read what stood between two flags."""
        try:
            found.append(_read(octets, too_long=too_long))
        except MalformedAshError as error:
            self.refused += 1
            self.dropped_bytes += len(octets)
            found.append(error)


def _read(octets: bytes, *, too_long: bool) -> AshFrame:
    """Read one frame as it stood on the wire.

    Raises:
        MalformedAshError: It is none, or (``too_long``) more came than can be one.
    """
    if too_long:
        raise MalformedAshError(octets, AshReason.TOO_LONG)
    if SUBSTITUTE in octets:
        raise MalformedAshError(octets, AshReason.COMM_ERROR, octets.index(SUBSTITUTE))
    body = unstuff(octets)
    if body is None:
        raise MalformedAshError(octets, AshReason.BAD_ESCAPE, len(octets) - 1)
    return ash.decode(body)
