"""The tagged fields that the association APDUs are made of, read in their order."""

from functools import lru_cache
from typing import Final

from emulator.codecs.common import MAX_LENGTH, Reader, encode_length

#: 2.16.756.5.8, the DLMS User Association, as content octets of an object identifier.
_DLMS: Final = bytes.fromhex("6085740508")
#: The same, and the arc below it.
_CONTEXT_ARC: Final = _DLMS + b"\x01"
_MECHANISM_ARC: Final = _DLMS + b"\x02"
_OBJECT_IDENTIFIER: Final = b"\x06"
_OCTET_STRING: Final = b"\x04"
_INTEGER: Final = b"\x02\x01"
_CHARSTRING: Final = b"\x80"
#: The one functional unit there is: seven unused bits, bit 0 (authentication) set.
_AUTHENTICATION_UNIT: Final = bytes.fromhex("0780")

Fields = dict[int, Reader]


def read_fields(layer: str, data: bytes, tag: int, order: tuple[int, ...]) -> Fields:
    """Split an APDU that fills ``data`` into its fields.

    Args:
        layer: Dotted name of the format, for error messages.
        data: The APDU, ``tag`` first.
        tag: Its first octet.
        order: Every tag it may hold, in the order in which they may stand.

    Returns:
        Tag of each field there to a reader of its content.

    Raises:
        MalformedFrameError: Another tag, a field not known, twice or out of order, a length that
            does not fit, truncation, trailing octets.
    """
    reader = Reader(layer, data)
    reader.expect(bytes((tag,)), "APDU tag")
    if reader.length() != reader.end - reader.at:
        reader.fail("length is not that of the APDU", 1)
    fields: Fields = {}
    due = 0
    end, start = reader.end, reader.at
    while start < end:
        found = data[start]
        try:
            due = order.index(found, due) + 1
        except ValueError:
            reader.fail(f"field {found:02x} is not known here, out of order or there twice", start)
        reader.at = start + 1
        length = reader.length()
        begins = reader.at
        start = begins + length
        if start > end:
            reader.take(length)
        fields[found] = Reader(layer, data, begins, start)
    return fields


def write_apdu(tag: int, fields: dict[int, bytes], order: tuple[int, ...]) -> bytes:
    """Return an APDU of ``fields``, written in ``order``.

    Raises:
        ValueError: A field is not in ``order``, or too long.
    """
    content = bytearray()
    written = 0
    for field in order:
        if field in fields:
            octets = fields[field]
            content.append(field)
            content += encode_length(len(octets))
            content += octets
            written += 1
    if written != len(fields):
        raise ValueError(f"fields {sorted(fields)} do not all belong to APDU {tag:02x}")
    return bytes((tag,)) + encode_length(len(content)) + bytes(content)


def read_context(content: Reader) -> int:
    """Read an application context name; return its last arc."""
    content.expect(_OBJECT_IDENTIFIER, "tag of the application context name")
    if content.length() != content.end - content.at:
        content.fail("length of the application context name does not fit")
    return read_name(content, _CONTEXT_ARC)


@lru_cache(maxsize=16)  # there are few, and each association names one
def context_octets(context: int) -> bytes:
    """Return the content of an application context name field.

    Raises:
        ValueError: The arc does not fit one octet.
    """
    name = name_octets(_CONTEXT_ARC, context)
    return _OBJECT_IDENTIFIER + encode_length(len(name)) + name


def read_mechanism(content: Reader) -> int:
    """Read an authentication mechanism name; return its last arc."""
    return read_name(content, _MECHANISM_ARC)


@lru_cache(maxsize=16)
def mechanism_octets(mechanism: int) -> bytes:
    """Return the content of a mechanism name field.

    Raises:
        ValueError: The arc does not fit one octet.
    """
    return name_octets(_MECHANISM_ARC, mechanism)


def read_name(content: Reader, arc: bytes) -> int:
    """Read the rest of ``content`` as a DLMS name under ``arc``; return its last arc."""
    content.expect(arc, "object identifier of a DLMS name")
    last = content.u8()
    if last > 0x7F:
        content.fail("last arc takes more than one octet", content.at - 1)
    content.finish()
    return last


def name_octets(arc: bytes, last: int) -> bytes:
    """Return the octets of a DLMS name.

    Raises:
        ValueError: ``last`` does not fit one octet of an object identifier (0 to 127).
    """
    if not 0 <= last < 0x80:
        raise ValueError(f"arc {last} does not fit one octet")
    return arc + bytes((last,))


def read_octets(content: Reader) -> bytes:
    """Read a field that holds one OCTET STRING."""
    content.expect(_OCTET_STRING, "tag of an octet string")
    octets = content.take(content.length())
    content.finish()
    return octets


def octets_field(octets: bytes) -> bytes:
    """Return the content of a field of one OCTET STRING."""
    return _OCTET_STRING + encode_length(len(octets)) + octets


def read_integer(content: Reader) -> int:
    """Read a field that holds one INTEGER of one octet, as an octet."""
    content.expect(_INTEGER, "tag and length of an integer of one octet")
    value = content.u8()
    content.finish()
    return value


def integer_field(value: int) -> bytes:
    """Return the content of a field of one INTEGER of one octet.

    Raises:
        ValueError: ``value`` does not fit an octet.
    """
    if not 0 <= value < 256:
        raise ValueError(f"{value} does not fit an octet")
    return _INTEGER + bytes((value,))


def read_unit(content: Reader) -> None:
    """Read the acse-requirements: they can only ask for authentication."""
    content.expect(_AUTHENTICATION_UNIT, "acse-requirements")
    content.finish()


def unit_octets() -> bytes:
    """Return the content of the acse-requirements that ask for authentication."""
    return _AUTHENTICATION_UNIT


def read_charstring(content: Reader) -> bytes:
    """Read an authentication value; of its four forms DLMS uses the charstring."""
    content.expect(_CHARSTRING, "form of the authentication value (charstring)")
    octets = content.take(content.length())
    content.finish()
    return octets


def charstring_octets(octets: bytes) -> bytes:
    """Return the content of an authentication value field.

    Raises:
        ValueError: It is longer than 65,535 octets.
    """
    if len(octets) > MAX_LENGTH:
        raise ValueError(f"{len(octets)} octets are no authentication value")
    return _CHARSTRING + encode_length(len(octets)) + octets
