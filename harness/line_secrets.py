"""Finds secrets that DLMS sends in clear, and masks them in frames that still check afterwards."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from emulator.codecs.dlms import hdlc, wrapper
from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.hdlc import Frame
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.codecs.dlms.wrapper import WrapperFrame
from harness.dlms.settings import Framing
from harness.dlms_view.scan import Piece, Scanner

#: What each octet of a secret is replaced by.
MASK: Final = ord("*")
Secret = Literal["lls-secret", "new-secret", "dedicated-key"]

_AARQ: Final = 0x60
_MECHANISM: Final = 0x8B
_CALLING_VALUE: Final = 0xAC
_USER_INFORMATION: Final = 0xBE
_INITIATE: Final = 0x01
#: Openings, behind tag and choice and before class, instance and index, of what sets a secret:
#: SET and ACTION, and the attribute and method of class 15 that hold one.
_SETTERS: Final = {b"\xc1\x01": (15, 7), b"\xc3\x01": (15, 2)}
_OCTETS: Final = 0x09
#: First octets of a wrapper frame.
_WRAPPER: Final = b"\x00\x01"


@dataclass(frozen=True, slots=True)
class Span:
    """Octets of an APDU that are a secret.

    Attributes:
        start: Offset of the first.
        end: Offset behind the last; may lie beyond what of the APDU has come so far.
        what: Which kind of secret.
    """

    start: int
    end: int
    what: Secret


def spans_of(apdu: bytes) -> list[Span]:
    """Return where an APDU, or the beginning of one, holds secrets in clear.

    Known: the low-level secret and the dedicated key of an AARQ, the octet string that SET writes
    to the secret of an association, and the one that changes the HLS secret. Octets that follow
    no format have no spans: what is sent as a secret by a broken program is not known to be one.

    Source:
        IEC 62056-5-3 ACSE APDUs and initiate request, tags as in ``emulator.codecs.dlms.acse``.
    """
    if apdu[:1] == bytes([_AARQ]):
        return _in_request(apdu)
    place = _SETTERS.get(apdu[:2])
    if place is None or (int.from_bytes(apdu[3:5], "big"), *apdu[11:12]) != place:
        return []
    at = 13  # behind invoke id, class, instance, index, and the flag of selection or parameters
    if apdu[at : at + 1] != bytes([_OCTETS]):
        return []
    start, size = _length(apdu, at + 1)
    return [Span(start, start + size, "new-secret")] if size else []


def _in_request(apdu: bytes) -> list[Span]:
    spans: list[Span] = []
    at, _ = _length(apdu, 1)
    mechanism = -1
    while at < len(apdu):
        tag = apdu[at]
        start, size = _length(apdu, at + 1)
        if tag == _MECHANISM and size:
            mechanism = int.from_bytes(apdu[start + size - 1 : start + size], "big")
        elif tag == _CALLING_VALUE and mechanism == Mechanism.LLS:
            inner, inner_size = _length(apdu, start + 1)
            spans.append(Span(inner, inner + inner_size, "lls-secret"))
        elif tag == _USER_INFORMATION:
            inner, _ = _length(apdu, start + 1)
            if apdu[inner : inner + 2] == bytes([_INITIATE, 1]):  # dedicated key present
                key, key_size = _length(apdu, inner + 2)
                spans.append(Span(key, key + key_size, "dedicated-key"))
        at = start + size
    return [span for span in spans if span.start < span.end]


def _length(octets: bytes, at: int) -> tuple[int, int]:
    """Return where the content begins and how long it is; nothing where the octets end."""
    first = octets[at] if at < len(octets) else 0
    if first < 0x80:
        return at + 1, first
    count = first & 0x7F
    return at + 1 + count, int.from_bytes(octets[at + 1 : at + 1 + count], "big")


def masked(apdu: bytes) -> bytes:
    """Return an APDU with its secrets masked."""
    out = bytearray(apdu)
    for span in spans_of(apdu):
        end = min(span.end, len(out))
        out[span.start : end] = bytes([MASK]) * (end - span.start)
    return bytes(out)


def unmasked(apdu: bytes, secret: bytes) -> bytes:
    """Return an APDU with its masked low-level secret put back; unchanged where lengths differ."""
    out = bytearray(apdu)
    for span in spans_of(apdu):
        if span.what == "lls-secret" and span.end - span.start == len(secret):
            out[span.start : span.end] = secret
    return bytes(out)


class SecretMask:
    """Masks secrets in what crosses towards the meter, frame by frame, segments included.

    Lengths stay, and check sequences are those of what is written. A frame that comes in several
    goes is masked only if all of it is handed in at once.

    Attributes:
        found: Kinds of secrets masked so far, with the client that sent each.
    """

    def __init__(self, framing: Framing | None = None) -> None:
        self.found: list[tuple[Secret, int]] = []
        self._framing = framing
        self._begun: dict[int, bytes] = {}  # client -> what of its present APDU has come

    def mask(self, octets: bytes) -> bytes:
        """Return octets that crossed in one go with all secrets in them masked."""
        wrapped = octets[:2] == _WRAPPER
        if not wrapped and hdlc.FLAG not in octets:
            return octets
        if wrapped and self._is_clean(octets):
            return octets
        scanner = Scanner(self._framing)
        return joined([self.piece(piece) for piece in scanner.feed(octets) + scanner.end()])

    def _is_clean(self, octets: bytes) -> bool:
        """Say whether octets are one whole wrapper frame without a secret, as nearly all are."""
        head = wrapper.HEADER_BYTES
        return (
            self._framing in {None, Framing.WRAPPER}
            and len(octets) == head + int.from_bytes(octets[6:8], "big")
            and not spans_of(octets[head:])
        )

    def piece(self, piece: Piece) -> Piece:
        """Return one piece with all secrets in it masked."""
        frame = piece.frame
        if isinstance(frame, WrapperFrame):
            apdu = self._apdu(frame.source, frame.apdu, 0)
            if apdu != frame.apdu:
                return replace(piece, octets=wrapper.encode(replace(frame, apdu=apdu)))
        elif isinstance(frame, Frame) and frame.control.kind in {Kind.I, Kind.UI}:
            other = self._hdlc(frame)
            if other != frame:
                return replace(piece, octets=hdlc.encode(other), frame=other)
        return piece

    def _hdlc(self, frame: Frame) -> Frame:
        client = frame.source.upper
        begun = self._begun.get(client, b"")
        whole = begun + frame.information
        if not whole.startswith(hdlc.LLC_COMMAND):
            return frame
        head = len(hdlc.LLC_COMMAND)
        content = self._apdu(client, whole[head:], len(begun) - head)
        self._begun[client] = whole if frame.segmented else b""
        return replace(frame, information=(whole[:head] + content)[len(begun) :])

    def _apdu(self, client: int, apdu: bytes, fresh_from: int) -> bytes:
        for span in spans_of(apdu):
            if fresh_from <= span.start < len(apdu):
                self.found.append((span.what, client))
        return masked(apdu)


def joined(pieces: list[Piece]) -> bytes:
    """Return the octets of pieces that follow each other; a flag two frames share counts once."""
    out, end = bytearray(), pieces[0].start if pieces else 0
    for piece in pieces:
        out += piece.octets[end - piece.start :]
        end = piece.end
    return bytes(out)
