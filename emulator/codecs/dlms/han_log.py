"""A SMETS1 hub's device log, and how a display joins it, as DLMS data.

Stand-in: class 104 (ZigBee network control) is the standard's home for this, the shape of its rows
here, and all that crosses the HAN when a display joins, is ours.
"""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import axdr, data_notification
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.data_notification import Notification
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.core.values import quick

LAYER: Final = "dlms.han_log"
#: Wrapper port of whatever is said about joining. Source: stand-in.
JOIN_PORT: Final = 0x0063
#: Device type -> its number in a row. Source: stand-in.
TYPE_NUMBERS: Final = {"ESME": 1, "GSME": 2, "GPF": 3, "PPMID": 4, "IHD": 5, "HCALCS": 6, "CAD": 7}
_TYPE_WORDS: Final = {number: word for word, number in TYPE_NUMBERS.items()}
_EUI_BYTES: Final = 8
_ROW: Final = (Tag.OCTETS, Tag.UINT8, Tag.BOOLEAN, Tag.OCTETS)
_HEAD: Final = (Tag.ENUM, Tag.OCTETS, Tag.UINT16, Tag.OCTETS)


@quick
@dataclass(frozen=True, slots=True)
class LogRow:
    """One device in a hub's device log.

    Attributes:
        eui64: Which device.
        device_type: ``ESME``, ``PPMID`` …
        joined: Whether it has joined.
        firmware: Version it told the hub when it joined; empty where the hub does not know.
    """

    eui64: Eui64
    device_type: str
    joined: bool = False
    firmware: bytes = b""


class Word(enum.IntEnum):
    """What hub and display say to each other about joining."""

    HELLO = 1  # the display: here I am, this is my firmware
    INVITE = 2  # the hub: the HAN is open to you
    WELCOME = 3  # the hub: you have joined
    LEAVE = 4  # the hub: you are none of ours


@dataclass(frozen=True, slots=True)
class Join:
    """One message about joining.

    Attributes:
        word: What is said.
        eui64: Device it is about.
        maker: Manufacturer code of the device; 0 where the hub speaks.
        firmware: Version the device runs; empty where the hub speaks.
    """

    word: Word
    eui64: Eui64
    maker: int = 0
    firmware: bytes = b""


def _parts(data: Data, tags: tuple[Tag, ...], what: str) -> list[Data]:
    parts = data.value if data.tag is Tag.STRUCTURE and isinstance(data.value, tuple) else ()
    if tuple(item.tag for item in parts) != tags:
        raise MalformedFrameError(LAYER, axdr.encode(data), f"no {what}", 0)
    return [*parts]


def _octets(data: Data) -> bytes:
    return data.value if isinstance(data.value, bytes) else b""


def _eui64(data: Data) -> Eui64:
    octets = _octets(data)
    if len(octets) != _EUI_BYTES:
        raise MalformedFrameError(LAYER, octets, f"an EUI-64 has {_EUI_BYTES} octets", 0)
    return Eui64(octets)


def _number(data: Data) -> int:
    return data.value if isinstance(data.value, int) else 0


def _word_of(data: Data) -> str:
    word = _TYPE_WORDS.get(_number(data))
    if word is None:
        raise MalformedFrameError(LAYER, axdr.encode(data), "no device type has this number", 0)
    return word


def encode_row(row: LogRow) -> Data:
    """Return a row as data."""
    return axdr.structure(
        axdr.octets(row.eui64.octets),
        Data(Tag.UINT8, TYPE_NUMBERS[row.device_type]),
        Data(Tag.BOOLEAN, row.joined),
        axdr.octets(row.firmware),
    )


def encode_log(rows: list[LogRow]) -> Data:
    """Return a whole log as data."""
    return Data(Tag.ARRAY, tuple(encode_row(row) for row in rows))


def decode_log(data: Data) -> tuple[LogRow, ...]:
    """Return the rows of a log that a hub answered with.

    Raises:
        MalformedFrameError: Layer ``dlms.han_log``: it is no log.
    """
    rows = data.value if data.tag is Tag.ARRAY and isinstance(data.value, tuple) else None
    if rows is None:
        raise MalformedFrameError(LAYER, axdr.encode(data), "no array", 0)
    return tuple(_decoded_row(row) for row in rows)


def _decoded_row(data: Data) -> LogRow:
    eui64, kind, joined, firmware = _parts(data, _ROW, "row of a device log")
    return LogRow(_eui64(eui64), _word_of(kind), bool(joined.value), _octets(firmware))


def encode_entry(eui64: Eui64, device_type: str) -> Data:
    """Return what the hub is told when a device is to be put into its log.

    Raises:
        KeyError: No such device type in a log.
    """
    return axdr.structure(axdr.octets(eui64.octets), Data(Tag.UINT8, TYPE_NUMBERS[device_type]))


def decode_entry(data: Data) -> tuple[Eui64, str]:
    """Return device and type that are to be put into a log.

    Raises:
        MalformedFrameError: Layer ``dlms.han_log``: it says none.
    """
    eui64, kind = _parts(data, (Tag.OCTETS, Tag.UINT8), "entry of a device log")
    return _eui64(eui64), _word_of(kind)


def encode_join(join: Join) -> bytes:
    """Return a message about joining: a data notification."""
    body = axdr.structure(
        Data(Tag.ENUM, int(join.word)),
        axdr.octets(join.eui64.octets),
        axdr.uint16(join.maker),
        axdr.octets(join.firmware),
    )
    return data_notification.encode(Notification(0, body))


def decode_join(apdu: bytes) -> Join:
    """Return a message about joining.

    Raises:
        MalformedFrameError: It is no data notification, or says something else.
    """
    body = data_notification.decode(apdu).body
    word, eui64, maker, firmware = _parts(body, _HEAD, "message about joining")
    known = {int(each): each for each in Word}
    if _number(word) not in known:
        raise MalformedFrameError(LAYER, apdu, "no word about joining", 0)
    return Join(known[_number(word)], _eui64(eui64), _number(maker), _octets(firmware))
