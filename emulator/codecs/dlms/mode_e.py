"""IEC 62056-21: sign-on, identification, option select, mode C read-out, and parity in software.

The optical port opens at 300 baud, seven data bits, even parity (7E1). A pty and most network
serial servers know no parity, so the line is opened 8N1 and ``with_even_parity`` and
``without_parity`` make the eighth bit (reference serial-dlms.md section 6.2). The codecs below
take and give octets of seven bits.
"""

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from emulator.core.errors import MalformedFrameError

LAYER: Final = "iec62056-21"
#: Baud rate every sign-on begins at.
OPENING_BAUD: Final = 300
#: Speed characters of modes C and E, and of mode B.
BAUD_RATES: Final = {
    "0": 300,
    "1": 600,
    "2": 1200,
    "3": 2400,
    "4": 4800,
    "5": 9600,
    "6": 19200,
}
MODE_B_BAUD_RATES: Final = {
    "A": 600,
    "B": 1200,
    "C": 2400,
    "D": 4800,
    "E": 9600,
    "F": 19200,
}
ACK: Final = b"\x06"
NAK: Final = b"\x15"
#: What an octet with wrong parity is read as.
SUBSTITUTE: Final = 0x1A

_STX: Final = b"\x02"
_END: Final = b"!\r\n\x03"
_WITH_PARITY: Final = bytes(octet | (octet.bit_count() & 1) << 7 for octet in range(128))
_STRIPPED: Final = bytes(
    octet & 0x7F if octet.bit_count() % 2 == 0 else SUBSTITUTE for octet in range(256)
)
_PRINTABLE: Final = rb"[\x20-\x7e]"
_REQUEST: Final = re.compile(rb"/\?([0-9A-Za-z ]{0,32})!\r\n")
_IDENTIFICATION: Final = re.compile(
    rb"/([A-Za-z]{3})((?![/!\\])[\x21-\x7e])(?:\\([\x21-\x7e]))?((?:(?![/!\\])"
    + _PRINTABLE
    + rb"){0,16})\r\n"
)
_OPTION: Final = re.compile(rb"\x06([0-9A-Za-z])([0-9A-Za-z])([0-9A-Za-z])\r\n")
_READ_OUT: Final = re.compile(rb"[\x20\x22-\x7e\r\n]*")
_DATA_SET: Final = re.compile(r"([^()/!*]{0,16})\(([^()*/!]{0,32})(?:\*([^()/!]{0,16}))?\)")


def with_even_parity(octets: bytes) -> bytes:
    """Return seven-bit octets with their even parity bit on top.

    Raises:
        ValueError: An octet has eight bits.
    """
    if not octets.isascii():
        raise ValueError("even parity takes octets of seven bits")
    return octets.translate(_WITH_PARITY + bytes(128))


def without_parity(octets: bytes) -> bytes:
    """Return the seven bits of each octet.

    Raises:
        MalformedFrameError: A parity bit is wrong; says where.
    """
    for offset, octet in enumerate(octets):
        if octet.bit_count() % 2:
            raise MalformedFrameError(LAYER, octets, "parity wrong", offset)
    return bytes(octet & 0x7F for octet in octets)


def with_substitutes(octets: bytes) -> bytes:
    """Return the seven bits of each octet, and SUB (1A) where parity is wrong."""
    return octets.translate(_STRIPPED)


def bcc(octets: bytes) -> int:
    """Return the block check character: exclusive or of all octets.

    Source:
        IEC 62056-21 5.3.14 with ISO 1155: from after the first SOH or STX to ETX inclusive; known.
    """
    return reduce(xor, octets, 0)


@dataclass(frozen=True, slots=True)
class SignOn:
    """The request ``/?…!``; an empty address calls whoever is there."""

    address: str = ""

    def encode(self) -> bytes:
        """Return the octets.

        Raises:
            ValueError: The address is not of up to 32 digits, letters and spaces.
        """
        return _checked(f"/?{self.address}!\r\n", _REQUEST)

    @classmethod
    def decode(cls, data: bytes) -> "SignOn":
        """Read a request.

        Raises:
            MalformedFrameError: Not a request message.

        Source:
            IEC 62056-21 6.3.1, known.
        """
        return cls(_groups(data, _REQUEST, "request message")[0])


@dataclass(frozen=True, slots=True)
class Identification:
    r"""The meter's answer, ``/XXXZ\WIdent``.

    Attributes:
        manufacturer: Three FLAG letters; a small third one promises 20 ms reaction time.
        speed: Speed character Z.
        name: Maker's identification, at most 16 characters.
        enhanced: Character W behind a backslash; "2" offers HDLC (mode E). Empty: none.
    """

    manufacturer: str
    speed: str
    name: str
    enhanced: str = ""

    @property
    def baud(self) -> int | None:
        """Baud rate of the speed character, or None when it is none (mode A)."""
        return BAUD_RATES.get(self.speed) or MODE_B_BAUD_RATES.get(self.speed)

    @property
    def mode(self) -> str:
        """Protocol mode by the speed character: "A", "B", "C", or "E" where HDLC is offered."""
        if self.speed in BAUD_RATES:
            return "E" if self.enhanced == "2" else "C"
        return "B" if self.speed in MODE_B_BAUD_RATES else "A"

    @property
    def reaction_ms(self) -> int:
        """Shortest time before it answers: 20 ms with a small third letter, else 200 ms."""
        return 20 if self.manufacturer[2:].islower() else 200

    def encode(self) -> bytes:
        """Return the octets.

        Raises:
            ValueError: A part has a wrong length or a character that has another meaning.
        """
        extra = f"\\{self.enhanced}" if self.enhanced else ""
        octets = _checked(
            f"/{self.manufacturer}{self.speed}{extra}{self.name}\r\n", _IDENTIFICATION
        )
        if Identification.decode(octets) != self:
            raise ValueError(f"the parts run into each other: {self!r}")
        return octets

    @classmethod
    def decode(cls, data: bytes) -> "Identification":
        """Read an identification message.

        Raises:
            MalformedFrameError: Not an identification message.

        Source:
            IEC 62056-21 6.3.2 (W = 2: binary mode HDLC), known.
        """
        manufacturer, speed, enhanced, name = _groups(
            data, _IDENTIFICATION, "identification message"
        )
        return cls(manufacturer, speed, name, enhanced)


@dataclass(frozen=True, slots=True)
class OptionSelect:
    """The acknowledgement ``ACK V Z Y``: "050" reads out at 9600 baud, "252" opens mode E there.

    Attributes:
        protocol: V: "0" normal, "1" secondary, "2" HDLC.
        speed: Z: speed character.
        mode: Y: "0" data read-out, "1" programming, "2" binary mode (HDLC).
    """

    protocol: str
    speed: str
    mode: str

    @property
    def opens_hdlc(self) -> bool:
        """This is mode E."""
        return self.protocol == self.mode == "2"

    def encode(self) -> bytes:
        """Return the octets.

        Raises:
            ValueError: A part is not one digit or letter.
        """
        if [len(self.protocol), len(self.speed), len(self.mode)] != [1, 1, 1]:
            raise ValueError(f"each part is one character: {self!r}")
        return _checked(f"\x06{self.protocol}{self.speed}{self.mode}\r\n", _OPTION)

    @classmethod
    def decode(cls, data: bytes) -> "OptionSelect":
        """Read an acknowledgement with option select.

        Raises:
            MalformedFrameError: Not such a message.

        Source:
            IEC 62056-21 6.3.3 and Annex E, known.
        """
        protocol, speed, mode = _groups(data, _OPTION, "option select message")
        return cls(protocol, speed, mode)


@dataclass(frozen=True, slots=True)
class DataSet:
    """One value of a read-out: ``1.8.0(000123.4*kWh)``.

    Attributes:
        address: Identification code, at most 16 characters; may be empty.
        value: At most 32 characters.
        unit: At most 16 characters, or None when no asterisk stands there.
    """

    address: str
    value: str
    unit: str | None = None


def encode_read_out(text: str) -> bytes:
    """Frame the data block of a read-out: STX, block, ``!``, CR LF, ETX, BCC.

    Raises:
        ValueError: ``text`` has characters that end or frame a block.
    """
    octets = text.encode("ascii")
    if not _READ_OUT.fullmatch(octets):
        raise ValueError("a data block holds printable characters but '!', CR and LF")
    body = octets + _END
    return _STX + body + bytes((bcc(body),))


def decode_read_out(data: bytes) -> str:
    """Return the data block of a read-out.

    Raises:
        MalformedFrameError: Framing or BCC wrong, or a character that cannot stand in a block.

    Source:
        IEC 62056-21 6.3.4 (data message), known.
    """
    if data[:1] != _STX:
        raise MalformedFrameError(LAYER, data, "STX is missing", 0)
    if len(data) < len(_END) + 2 or data[-5:-1] != _END:
        raise MalformedFrameError(LAYER, data, "no '!' CR LF ETX at the end", max(len(data) - 5, 0))
    if bcc(data[1:-1]) != data[-1]:
        raise MalformedFrameError(LAYER, data, "block check character wrong", len(data) - 1)
    block = data[1:-5]
    if not _READ_OUT.fullmatch(block):
        raise MalformedFrameError(LAYER, data, "a character that cannot stand in a block", 1)
    return block.decode("ascii")


def data_sets(block: str) -> tuple[DataSet, ...]:
    """Take a data block apart.

    Raises:
        MalformedFrameError: What stands there is not ``address(value*unit)`` and line ends.
    """
    sets, at = [], 0
    while at < len(block):
        if block[at] in "\r\n":
            at += 1
            continue
        match = _DATA_SET.match(block, at)
        if match is None:
            raise MalformedFrameError(LAYER, block.encode(), "not a data set", at)
        sets.append(DataSet(match[1], match[2], match[3]))
        at = match.end()
    return tuple(sets)


def _checked(text: str, pattern: re.Pattern[bytes]) -> bytes:
    octets = text.encode("ascii", "replace")
    if not pattern.fullmatch(octets) or not text.isascii():
        raise ValueError(f"{LAYER}: {text!r} is not a message of that form")
    return octets


def _groups(data: bytes, pattern: re.Pattern[bytes], what: str) -> tuple[str, ...]:
    match = pattern.fullmatch(data)
    if match is None:
        raise MalformedFrameError(LAYER, data, f"not a {what}", 0)
    return tuple((group or b"").decode("ascii") for group in match.groups())
