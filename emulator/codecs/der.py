"""DER as GBCS uses it: a tree of tagged values that remembers how its lengths were written."""

import enum
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.common import MAX_DEPTH, MAX_LENGTH, Reader, encode_length
from emulator.core.values import quick

LAYER: Final = "der"
_CONSTRUCTED: Final = 0x20
_MULTI_OCTET_TAG: Final = 0x1F


class Tag(enum.IntEnum):
    """Universal tags in use; SEQUENCE with its constructed bit."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    NULL = 0x05
    OBJECT_IDENTIFIER = 0x06
    ENUMERATED = 0x0A
    UTF8_STRING = 0x0C
    PRINTABLE_STRING = 0x13
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31


#: Tags whose values DER restricts.
_JUDGED: Final = frozenset(
    {int(Tag.INTEGER), int(Tag.ENUMERATED), int(Tag.NULL), int(Tag.BIT_STRING)}
)


class LengthForm(enum.Enum):
    """How a length from 128 to 255 is written; others have one form here."""

    SHORTEST = "81 xx"
    RTDS = "82 00 xx"  # not DER, but what the RTDS writes in its own sequences


@quick
@dataclass(frozen=True, slots=True)
class Node:
    """One tag-length-value.

    Attributes:
        tag: Identifier octet (class, constructed bit and number below 31).
        content: Octets of a primitive value; the parts of a constructed one.
        length_form: As it was read; None leaves it to ``encode``. Plays no part in comparison.
    """

    tag: int
    content: "bytes | tuple[Node, ...]"
    length_form: LengthForm | None = field(default=None, compare=False)


NULL: Final = Node(Tag.NULL, b"")


def integer(value: int) -> Node:
    """Return an INTEGER in its shortest form."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return Node(Tag.INTEGER, value.to_bytes(size, "big", signed=True))


def octet_string(value: bytes) -> Node:
    """Return an OCTET STRING."""
    return Node(Tag.OCTET_STRING, value)


def sequence(*parts: Node) -> Node:
    """Return a SEQUENCE."""
    return Node(Tag.SEQUENCE, parts)


def decode(data: bytes) -> Node:
    """Decode one value that fills ``data``.

    Lengths from 128 to 255 are taken in the form ``82 00 xx`` too.

    Raises:
        MalformedFrameError: Layer ``der``: a tag number above 30, an indefinite or otherwise
            over-long length, a value of a universal type that DER forbids (an INTEGER that is not
            minimal, a NULL with content, a BIT STRING without its count of unused bits), nesting
            deeper than ``MAX_DEPTH``, truncation, trailing octets.

    Source:
        ITU-T X.690; the habit of the RTDS from 18 of its 178 ASN.1 payloads (reference gbcs.md
        section 9.1); checked on the 97 at hand.
    """
    reader = Reader(LAYER, data)
    node, reader.at = _read_at(reader, 0, len(data), 0)
    reader.finish()
    return node


def decode_slowly(data: bytes) -> Node:
    """Decode one value as ``decode`` does, part by part: the reference for its fast path.

    Raises:
        MalformedFrameError: As ``decode``.
    """
    reader = Reader(LAYER, data)
    node = _read(reader, 0)
    reader.finish()
    return node


def _read_at(reader: Reader, at: int, end: int, depth: int) -> tuple[Node, int]:
    """Read the value at ``at``, which ends before ``end``; return it and the offset behind it.

    What is wrong is left to ``_read`` to say.
    """
    data = reader.data
    reader.at, reader.end = at, end
    if at + 2 > end or data[at] & _MULTI_OCTET_TAG == _MULTI_OCTET_TAG or depth >= MAX_DEPTH:
        return _read(reader, depth), reader.at
    tag, length, start, form = data[at], data[at + 1], at + 2, LengthForm.SHORTEST
    if length >= 0x80:
        reader.at = at + 1
        length, form = _read_length(reader)
        start = reader.at
    after = start + length
    if after > end:
        reader.at = at
        return _read(reader, depth), reader.at
    if not tag & _CONSTRUCTED:
        content = data[start:after]
        if tag in _JUDGED:
            reader.at = after
            _check_primitive(reader, tag, content)
        return Node(tag, content, form), after
    parts = []
    while start < after:
        part, start = _read_at(reader, start, after, depth + 1)
        parts.append(part)
    reader.end = end
    return Node(tag, tuple(parts), form), after


def _read(reader: Reader, depth: int) -> Node:
    start = reader.at
    tag = reader.u8()
    if tag & _MULTI_OCTET_TAG == _MULTI_OCTET_TAG:
        reader.fail("tag number above 30", start)
    length, form = _read_length(reader)
    if not tag & _CONSTRUCTED:
        content = reader.take(length)
        _check_primitive(reader, tag, content)
        return Node(tag, content, form)
    if depth >= MAX_DEPTH:
        reader.fail("nested too deep", start)
    if reader.at + length > reader.end:
        reader.fail(f"{length} octets wanted, {reader.end - reader.at} left")
    inner = Reader(reader.layer, reader.data, reader.at, reader.at + length)
    parts = []
    while inner.at < inner.end:
        parts.append(_read(inner, depth + 1))
    reader.at = inner.end
    return Node(tag, tuple(parts), form)


def _read_length(reader: Reader) -> tuple[int, LengthForm]:
    at = reader.at
    if reader.data[at : at + 2] == b"\x82\x00" and at + 3 <= reader.end:
        length = reader.data[at + 2]
        if length >= 0x80:
            reader.at = at + 3
            return length, LengthForm.RTDS
    return reader.length(), LengthForm.SHORTEST


def _check_primitive(reader: Reader, tag: int, content: bytes) -> None:
    start = reader.at - len(content)
    if tag in {Tag.INTEGER, Tag.ENUMERATED}:
        if not _is_minimal(content):
            reader.fail("an integer is not in its shortest form", start)
    elif tag == Tag.NULL and content:
        reader.fail("a NULL has no content", start)
    elif tag == Tag.BIT_STRING and not (content and content[0] < 8):
        reader.fail("a BIT STRING begins with its count of unused bits", start)


def _is_minimal(content: bytes) -> bool:
    if len(content) < 2:
        return len(content) == 1
    padded = content[0] == 0 and content[1] < 0x80
    return not padded and not (content[0] == 0xFF and content[1] >= 0x80)


def encode(node: Node, form: LengthForm = LengthForm.SHORTEST) -> bytes:
    """Encode one value.

    Args:
        node: The value; lengths that were read are written as they were read.
        form: For lengths from 128 to 255 of constructed values that do not say; primitive ones
            are always written in the shortest form.

    Raises:
        ValueError: A tag or a length does not fit.
    """
    if node.tag & _MULTI_OCTET_TAG == _MULTI_OCTET_TAG or not 0 <= node.tag <= 0xFF:
        raise ValueError(f"tag {node.tag:#x} does not fit one octet")
    if isinstance(node.content, bytes):
        content = node.content
        wanted = node.length_form or LengthForm.SHORTEST
    else:
        content = b"".join([encode(part, form) for part in node.content])
        wanted = node.length_form or form
    if isinstance(node.content, bytes) is bool(node.tag & _CONSTRUCTED):
        raise ValueError(f"tag {node.tag:#04x} and its content disagree on being constructed")
    length = len(content)
    if wanted is LengthForm.RTDS and 0x80 <= length <= 0xFF:
        return bytes((node.tag, 0x82, 0, length)) + content
    if length > MAX_LENGTH:
        raise ValueError(f"{length} octets do not fit one message")
    return bytes((node.tag,)) + encode_length(length) + content
