"""Replaces a real device's identifiers in a recorded conversation, lengths and checks kept."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from emulator.codecs.dlms import hdlc, wrapper
from emulator.codecs.dlms.apdu_ciphered import CIPHERED_TAGS
from emulator.codecs.dlms.hdlc import Frame
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.codecs.dlms.mode_e import bcc, with_even_parity, with_substitutes
from emulator.codecs.dlms.wrapper import WrapperFrame
from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.dlms_view.scan import Piece, pieces_of
from harness.errors import UsageError
from harness.line_secrets import joined
from harness.transcript import Chunk, Record, Transcript, read_line

#: Identifiers shorter than this are not replaced: any octets could be them.
_MIN_BYTES: Final = 6
#: First octets of a pseudonym for an EUI-64; no maker holds EE-EE-EE.
_EUI64_PREFIX: Final = b"\xee" * 7
_STX, _ETX = 0x02, 0x03
_MPAN_DIGITS: Final = 13
_DIGITS: Final = re.compile(rb"[0-9]+")
_MPAN_PRIMES: Final = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)


class IdentifierInCaptureError(UsageError):
    """An identifier stands where it cannot be replaced."""

    def __init__(self) -> None:
        super().__init__(
            "an identifier of the device is cut by a block border and cannot be replaced",
            cause="an answer that came in blocks, with the identifier in two of them",
            next_command="smetsbench capture … --with-identifiers (and keep the capture private)",
        )


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Identifiers and what stands for them, octets of equal length."""

    table: Mapping[bytes, bytes]

    @classmethod
    def of(
        cls, eui64s: Iterable[bytes], serials: Iterable[bytes], octets: bytes = b""
    ) -> "Pseudonyms":
        """Make pseudonyms.

        Args:
            eui64s: EUI-64s, most significant octet first.
            serials: Serial numbers and other texts that tell one device from another.
            octets: What is searched for MPANs besides: 13 digits with the right check digit.
        """
        table: dict[bytes, bytes] = {}
        for number, eui64 in enumerate(eui64s, 1):
            other = _EUI64_PREFIX + bytes([number & 0xFF])
            for way in (1, -1):
                table[eui64[::way]] = other[::way]
                for spelt in (str.upper, str.lower):
                    table[spelt(eui64[::way].hex()).encode()] = spelt(other[::way].hex()).encode()
        for serial in (*serials, *mpans_of(octets)):
            if len(serial) >= _MIN_BYTES:
                table.setdefault(serial, b"".join(map(_placeholder, serial)))
        return cls(table)

    def over(self, octets: bytes) -> bytes:
        """Return octets with every identifier replaced."""
        for old, new in self.table.items():
            octets = octets.replace(old, new)
        return octets


def _placeholder(octet: int) -> bytes:
    if 0x30 <= octet <= 0x39:
        return b"0"
    return b"X" if chr(octet).isalpha() and octet < 0x80 else bytes([octet])


def mpans_of(octets: bytes) -> list[bytes]:
    """Return every row of 13 digits whose last is the check digit of an MPAN.

    Source:
        MPAN core check digit (primes 3, 5, 7, 13 … 43, modulo 11, modulo 10), known.
    """
    rows = (found[0] for found in _DIGITS.finditer(octets))
    return [digits for digits in rows if len(digits) == _MPAN_DIGITS and _checks(digits)]


def _checks(digits: bytes) -> bool:
    values = [octet - 0x30 for octet in digits]
    total = sum(prime * value for prime, value in zip(_MPAN_PRIMES, values[:12], strict=True))
    return total % 11 % 10 == values[12]


def pseudonymised(
    transcript: Transcript, eui64s: Iterable[bytes], serials: Iterable[bytes]
) -> Transcript:
    """Return a transcript without the device's identifiers, in octets and in what is said of it.

    Raises:
        IdentifierInCaptureError: One of them stands where it cannot be replaced.
    """
    framing = transcript.about.framing
    said = b"\n".join(one.seen.message for one in read_line(transcript.records, framing))
    names = Pseudonyms.of(eui64s, serials, said)
    records = transcript.records
    for way in Way:
        records = tuple(_with(records, way, _rewritten(transcript.octets(way), framing, names)))
    left = b"".join(one.seen.message for one in read_line(records, framing))
    if any(old in left for old in names.table):
        raise IdentifierInCaptureError
    device = {
        key: names.over(value.replace("-", "").encode()).decode()
        for key, value in transcript.about.device.items()
        if key in {"eui64", "serial_number"}
    }
    about = transcript.about.model_copy(
        update={
            "device": {**transcript.about.device, **device},
            "pseudonyms": True,
            "protection_broken": _is_protected(transcript),
        }
    )
    return replace(transcript, about=about, records=records)


def _is_protected(transcript: Transcript) -> bool:
    """Whether protected APDUs crossed: their tags depend on the system titles."""
    return any(
        one.seen.message[:1]
        and one.seen.message[0] in CIPHERED_TAGS
        and one.seen.client is not None
        for one in read_line(transcript.records, transcript.about.framing)
    )


def _with(records: Iterable[Record], way: Way, octets: bytes) -> Iterator[Record]:
    at = 0
    for record in records:
        if isinstance(record, Chunk) and record.way is way:
            yield replace(record, octets=octets[at : at + len(record.octets)])
            at += len(record.octets)
        else:
            yield record


def _rewritten(octets: bytes, framing: Framing, names: Pseudonyms) -> bytes:
    """Return all that crossed one way with the identifiers in its messages replaced."""
    pieces = pieces_of(octets, framing)
    bodies = [_body(piece) for piece in pieces]
    changed = names.over(b"".join(bodies))
    out, at = [], 0
    for piece, body in zip(pieces, bodies, strict=True):
        out.append(_piece(piece, body, changed[at : at + len(body)]))
        at += len(body)
    return joined(out)


def _body(piece: Piece) -> bytes:
    """Return what of a piece may hold an identifier: information, APDU, or text of seven bits."""
    frame = piece.frame
    if isinstance(frame, WrapperFrame):
        return frame.apdu
    if isinstance(frame, Frame):
        return frame.information if frame.control.kind in {Kind.I, Kind.UI} else b""
    return with_substitutes(piece.octets)


def _piece(piece: Piece, body: bytes, other: bytes) -> Piece:
    if body == other:
        return piece
    frame = piece.frame
    if isinstance(frame, WrapperFrame):
        return replace(piece, octets=wrapper.encode(replace(frame, apdu=other)))
    if isinstance(frame, Frame):
        return replace(piece, octets=hdlc.encode(replace(frame, information=other)))
    checked = _with_check(body, other)
    text, fresh = bytearray(piece.octets), with_even_parity(checked)
    for at, octet in enumerate(body):
        if octet != checked[at]:  # all others stay as they came, wrong parity too
            text[at] = fresh[at]
    return replace(piece, octets=bytes(text))


def _with_check(before: bytes, after: bytes) -> bytes:
    """Return a text with the block check of a read-out made anew, where it was right before."""
    start, end = before.find(_STX), before.rfind(_ETX)
    if (
        not 0 <= start < end < len(before) - 1
        or bcc(before[start + 1 : end + 1]) != before[end + 1]
    ):
        return after
    check = bytes([bcc(after[start + 1 : end + 1])])
    return after[: end + 1] + check + after[end + 2 :]
