"""Frames of a meter's line as faults and captures see them: where each ends, and what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import hdlc, mode_e, wrapper
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.core.errors import MalformedFrameError
from emulator.servers.line_parts import Framing

#: What stands in a label for the first octet of an APDU.
#: Source: IEC 62056-5-3 (tags), known; the words are ours.
APDU_WORDS: Final = {
    0x01: "initiate-request",
    0x08: "initiate-response",
    0x0E: "confirmed-service-error",
    0x0F: "data-notification",
    0x60: "aarq",
    0x61: "aare",
    0x62: "rlrq",
    0x63: "rlre",
    0xC0: "get-request",
    0xC1: "set-request",
    0xC3: "action-request",
    0xC4: "get-response",
    0xC5: "set-response",
    0xC7: "action-response",
    0xC8: "glo-get-request",
    0xC9: "glo-set-request",
    0xCB: "glo-action-request",
    0xCC: "glo-get-response",
    0xCD: "glo-set-response",
    0xCF: "glo-action-response",
    0xD8: "exception-response",
    0xD9: "access-request",
    0xDA: "access-response",
    0xDB: "general-glo-ciphering",
    0xDD: "general-ciphering",
}
#: Octets that belong to no frame.
NOISE: Final = "noise"
#: Closing flag and frame check sequence.
_HDLC_CHECK_BYTES: Final = 3
_LLC: Final = (hdlc.LLC_COMMAND, hdlc.LLC_RESPONSE)
_LINE_FEED: Final = 0x0A  # its parity bit is 0
_SIGN_ON: Final = ((b"/?", "request"), (b"/", "identification"), (b"\x06", "option"))


@dataclass(frozen=True, slots=True)
class Seal:
    """How a frame is closed again after its content was changed.

    Attributes:
        check_bytes: Octets at the tail that close it.
        put: Returns a body with the right octets behind (and, for HDLC, header check inside).
    """

    check_bytes: int
    put: Callable[[bytes], bytes]


class FrameCutter:
    """Cuts what a client sends into whole frames, so that faults can touch one at a time.

    Nothing is lost or changed: the pieces put together are what came in. A tail that may become a
    frame is kept until it does, or until ``flush``.
    """

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._kept = b""

    @property
    def kept_bytes(self) -> int:
        """Octets that wait for the rest of their frame."""
        return len(self._kept)

    def feed(self, octets: bytes) -> list[bytes]:
        """Take octets; return the pieces they complete, in order."""
        pieces: list[bytes] = []
        rest = self._kept + octets
        while rest:
            size = self._size(rest)
            if size == 0 or size > len(rest):
                break
            pieces.append(rest[:size])
            rest = rest[size:]
        self._kept = rest
        return pieces

    def flush(self) -> list[bytes]:
        """Give up the tail: nothing more of it will come."""
        rest, self._kept = self._kept, b""
        return [rest] if rest else []

    def clear(self) -> None:
        """Forget the tail."""
        self._kept = b""

    def _size(self, rest: bytes) -> int:
        """Return how many octets the first piece has; 0 when that is not known yet."""
        if self._framing is Framing.WRAPPER:
            return _wrapper_size(rest)
        if rest[0] == hdlc.FLAG:
            return _hdlc_size(rest)
        return _text_size(rest)


def label_of(framing: Framing, piece: bytes) -> str:
    """Return what a piece is, e.g. ``hdlc.i.get-request``, ``wrapper.aarq``, ``sign-on.option``."""
    try:
        if framing is Framing.WRAPPER:
            return f"wrapper.{_apdu_word(wrapper.decode(piece).apdu)}"
        if piece[:1] == b"\x7e":
            return _hdlc_label(piece)
    except MalformedFrameError:
        return NOISE
    text = mode_e.with_substitutes(piece)
    if text[:1] == b"\x02":
        return "sign-on.read-out"
    return next((f"sign-on.{word}" for start, word in _SIGN_ON if text.startswith(start)), NOISE)


def seal_of(framing: Framing, piece: bytes) -> Seal:
    """Return how a piece is closed again after a fault changed its content."""
    if framing is Framing.WRAPPER:
        return Seal(0, bytes)
    if piece[:1] == b"\x7e" and piece[-1:] == b"\x7e" and len(piece) > _HDLC_CHECK_BYTES:
        return Seal(_HDLC_CHECK_BYTES, _hdlc_sealed)
    return Seal(0, _with_parity)


def _hdlc_label(piece: bytes) -> str:
    frame = hdlc.decode(piece)
    kind = frame.control.kind
    if kind not in {Kind.I, Kind.UI}:
        return f"hdlc.{kind.value.lower()}"
    begins = frame.information[:3] in _LLC
    word = _apdu_word(frame.information[3:]) if begins else "part"
    return f"hdlc.{kind.value.lower()}.{word}"


def _apdu_word(apdu: bytes) -> str:
    return APDU_WORDS.get(apdu[0], "unknown") if apdu else "empty"


def _hdlc_size(rest: bytes) -> int:
    if len(rest) < 3:
        return 0 if len(rest) == 1 or rest[1] & 0xF0 == 0xA0 else 1
    if rest[1] & 0xF0 != 0xA0:
        return 1
    return max(((rest[1] & 0x07) << 8 | rest[2]) + 2, 3)


def _text_size(rest: bytes) -> int:
    """Return the length of a sign-on message, or of noise before the next flag."""
    ends = [rest.find(_LINE_FEED) + 1, rest.find(hdlc.FLAG)]
    found = [end for end in ends if end > 0]
    return min(found, default=0)


def _wrapper_size(rest: bytes) -> int:
    if len(rest) < wrapper.HEADER_BYTES:
        return 0
    if int.from_bytes(rest[:2], "big") != wrapper.VERSION:
        return len(rest)
    return wrapper.HEADER_BYTES + int.from_bytes(rest[6:8], "big")


def _hdlc_sealed(body: bytes) -> bytes:
    """Return opening flag, header and information with right check sequences and closing flag."""
    inner = body[1:]
    at = 2
    for _address in range(2):
        at += max(hdlc.address_size(inner, at), 1)
    header_bytes = at + 1
    if len(inner) > header_bytes + 2:
        header = inner[:header_bytes]
        inner = header + hdlc.fcs(header) + inner[header_bytes + 2 :]
    return body[:1] + inner + hdlc.fcs(inner) + b"\x7e"


def _with_parity(body: bytes) -> bytes:
    return mode_e.with_even_parity(bytes(octet & 0x7F for octet in body))
