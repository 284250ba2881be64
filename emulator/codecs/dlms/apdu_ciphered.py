"""Ciphered APDUs: the frames around protected ones, service-specific and general."""

import enum
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from emulator.codecs.common import Reader, encode_length
from emulator.core.values import quick

_LAYER: Final = "dlms.ciphered"
TITLE_BYTES: Final = 8
_HEAD_BYTES: Final = 5
_LAST_COUNTER: Final = (1 << 32) - 1
_GENERAL_GLOBAL: Final = 0xDB
_GENERAL_DEDICATED: Final = 0xDC


class Form(enum.StrEnum):
    """How an APDU travels; an answer takes the form of its request.

    Attributes:
        dedicated: Whether the key of this association alone protects it.
        general: Whether the frame names the sender and takes any APDU.
    """

    dedicated: bool
    general: bool

    def __init__(self, word: str) -> None:  # told once a member: each APDU asks several times
        self.dedicated = word.endswith("ded")
        self.general = word.startswith("general")

    PLAIN = "plain"
    SERVICE_GLOBAL = "glo"
    SERVICE_DEDICATED = "ded"
    GENERAL_GLOBAL = "general_glo"
    GENERAL_DEDICATED = "general_ded"


#: Tag of a plain APDU -> tags of its global and dedicated ciphered forms. What is not here
#: (exception response, data notification) has a general form only.
#: Source: IEC 62056-5-3 xDLMS APDU tags; 21, 28, C8-CF as reference serial-dlms.md section 3.2.
SERVICE_TAGS: Final[dict[int, tuple[int, int]]] = {
    0x01: (0x21, 0x41),
    0x08: (0x28, 0x48),
    0x0E: (0x2E, 0x4E),
    0xC0: (0xC8, 0xD0),
    0xC1: (0xC9, 0xD1),
    0xC2: (0xCA, 0xD2),
    0xC3: (0xCB, 0xD3),
    0xC4: (0xCC, 0xD4),
    0xC5: (0xCD, 0xD5),
    0xC7: (0xCF, 0xD7),
}
_FORMS: Final[dict[int, tuple[Form, int | None]]] = {
    _GENERAL_GLOBAL: (Form.GENERAL_GLOBAL, None),
    _GENERAL_DEDICATED: (Form.GENERAL_DEDICATED, None),
    **{tags[0]: (Form.SERVICE_GLOBAL, plain) for plain, tags in SERVICE_TAGS.items()},
    **{tags[1]: (Form.SERVICE_DEDICATED, plain) for plain, tags in SERVICE_TAGS.items()},
}
_UNKNOWN: Final = (Form.PLAIN, None)
#: First octets of the forms that this module knows.
CIPHERED_TAGS: Final = frozenset(_FORMS)


class Protection(enum.IntFlag):
    """What a security control octet says is done to an APDU."""

    NONE = 0
    AUTHENTICATED = 0x10
    ENCRYPTED = 0x20


BOTH: Final = Protection.AUTHENTICATED | Protection.ENCRYPTED
#: Both bits as a number, and what each value of them means: flags are slow to reckon with.
_PROTECTED: Final = int(BOTH)
_PROTECTIONS: Final = {int(one): one for one in (Protection.NONE, *Protection, BOTH)}
_BROADCAST: Final = 0x40
_COMPRESSED: Final = 0x80


@dataclass(frozen=True, slots=True)
class SecurityControl:
    """The security control octet; those of ``of`` were made once, at import.

    Attributes:
        suite: Security suite, 0 to 15.
        protection: Authenticated, encrypted, both or neither.
        broadcast: The broadcast key is used, not the unicast one.
        compressed: The plaintext is compressed.
        octet: The octet on the wire.
        written: The same as a string of one octet.
        protected: ``protection`` as a number: flags are slow to reckon with.

    Source:
        IEC 62056-5-3 security control byte; 0x30 as reference serial-dlms.md section 3.2.
    """

    suite: int
    protection: Protection
    broadcast: bool = False
    compressed: bool = False
    octet: int = field(init=False, repr=False, compare=False)
    written: bytes = field(init=False, repr=False, compare=False)
    protected: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        flags = (self.broadcast and _BROADCAST) | (self.compressed and _COMPRESSED)
        protected = int(self.protection)
        octet = self.suite | protected | flags
        object.__setattr__(self, "octet", octet)
        object.__setattr__(self, "written", bytes((octet,)))
        object.__setattr__(self, "protected", protected)

    @staticmethod
    def of(octet: int) -> "SecurityControl":
        """Read the octet; every value has a meaning."""
        return _CONTROLS[octet]


def _control(octet: int) -> SecurityControl:
    protection = _PROTECTIONS[octet & _PROTECTED]
    broadcast, compressed = bool(octet & _BROADCAST), bool(octet & _COMPRESSED)
    return SecurityControl(octet & 0xF, protection, broadcast, compressed)


#: Tag, length of one octet, security control, invocation counter; the longest with such a length.
_SHORTEST_BYTES: Final = 7
_SHORT_BYTES: Final = 0x7F + 2
_SHORT: Final = Struct(">BBBI")
_CONTROLS: Final = tuple(_control(octet) for octet in range(256))


@quick
@dataclass(frozen=True, slots=True)
class CipheredApdu:
    """A protected APDU in its frame.

    Attributes:
        form: Which frame.
        service: Tag that the plain APDU must have; None in a general frame.
        title: System title of the sender in a general frame, up to 127 octets; else None.
        control: Security control.
        counter: Invocation counter, 32 bits.
        content: Ciphertext, or plaintext when not encrypted, and the tag when authenticated.
    """

    form: Form
    service: int | None
    title: bytes | None
    control: SecurityControl
    counter: int
    content: bytes


def decode(data: bytes) -> CipheredApdu:
    """Decode a ciphered APDU, its tag first.

    Raises:
        MalformedFrameError: Layer ``dlms.ciphered``; another tag, a length that is not that of
            the rest or not in its shortest form, truncation, trailing octets.

    Source:
        IEC 62056-5-3 ciphered APDUs; checked on the examples of the DLMS Green Book.
    """
    if _SHORTEST_BYTES <= len(data) <= _SHORT_BYTES:
        tag, length, octet, counter = _SHORT.unpack_from(data)
        form, service = _FORMS.get(tag, _UNKNOWN)
        if service is not None and length == len(data) - 2:
            return CipheredApdu(form, service, None, _CONTROLS[octet], counter, data[7:])
    return _decoded(data)


def _decoded(data: bytes) -> CipheredApdu:
    """Decode one of any length and form."""
    reader = Reader(_LAYER, data)
    form, service = _FORMS.get(reader.u8(), _UNKNOWN)
    if form is Form.PLAIN:
        reader.fail(f"tag {data[0]:02x} is not that of a ciphered APDU", 0)
    title = reader.take(reader.length()) if form.general else None
    if reader.length() != reader.end - reader.at:
        reader.fail("length is not that of the ciphered content")
    if reader.end - reader.at < _HEAD_BYTES:
        reader.fail("there is no room for security control and invocation counter")
    control = SecurityControl.of(reader.u8())
    counter = reader.unsigned(4)
    content = reader.take(reader.end - reader.at)
    return CipheredApdu(form, service, title, control, counter, content)


def encode(apdu: CipheredApdu) -> bytes:
    """Encode a ciphered APDU.

    Raises:
        ValueError: The form does not fit ``service`` and ``title``, or a field its width.
    """
    form, service, content = apdu.form, apdu.service, apdu.content
    if form.general is (apdu.title is None) or form.general is (service is not None):
        raise ValueError(f"form {form} does not fit title and service")
    if not 0 <= apdu.counter <= _LAST_COUNTER:
        raise ValueError(f"invocation counter {apdu.counter} does not fit 32 bits")
    size = _HEAD_BYTES + len(content)
    if size <= _SHORT_BYTES - 2 and service in SERVICE_TAGS:
        tag = SERVICE_TAGS[service][form.dedicated]
        return _SHORT.pack(tag, size, apdu.control.octet, apdu.counter) + content
    body = apdu.control.written + apdu.counter.to_bytes(4, "big") + content
    head = _head(form, service)
    if apdu.title is not None:
        head += encode_length(len(apdu.title)) + apdu.title
    return head + encode_length(len(body)) + body


def _head(form: Form, service: int | None) -> bytes:
    if service is None:
        return bytes((_GENERAL_DEDICATED if form.dedicated else _GENERAL_GLOBAL,))
    if service not in SERVICE_TAGS:
        raise ValueError(f"APDU {service:02x} has no service-specific ciphered form")
    return bytes((SERVICE_TAGS[service][form.dedicated],))
