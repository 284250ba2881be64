"""Logical names as people write them, and the descriptors of objects that are often read.

Source:
    Which object is where: reference serial-dlms.md section 8.2, an illustrative profile; a real
    maker's meter may have them elsewhere.
"""

import re
from typing import Final

from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor

_OBIS: Final = re.compile(
    r"(?:(\d{1,3})-(\d{1,3}):)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[.*](\d{1,3}))?"
)
_DEFAULTS: Final = ("0", "0", "", "", "", "255")


def parse(text: str) -> bytes:
    """Read a logical name; a missing A-B is 0-0 and a missing F is 255.

    >>> parse("1-0:1.8.0").hex()
    '0100010800ff'

    Raises:
        ValueError: ``text`` is no logical name.
    """
    match = _OBIS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a logical name: {text!r} (write it like 1-0:1.8.0.255)")
    parts = [part or default for part, default in zip(match.groups(), _DEFAULTS, strict=True)]
    values = [int(part) for part in parts]
    if max(values) > 255:
        raise ValueError(f"a value of a logical name is above 255: {text!r}")
    return bytes(values)


def member(class_id: int, obis: str, index: int) -> Descriptor:
    """Return an attribute or method by its class, printed logical name and index.

    Raises:
        ValueError: ``obis`` is no logical name.
    """
    return Descriptor(class_id, parse(obis), index)


def attribute(
    class_id: int, obis: str, index: int, selection: Selection | None = None
) -> Attribute:
    """Return an attribute to read or write.

    Raises:
        ValueError: ``obis`` is no logical name.
    """
    return Attribute(member(class_id, obis, index), selection)


LOGICAL_DEVICE_NAME: Final = attribute(1, "0-0:42.0.0", 2)
SERIAL_NUMBER: Final = attribute(1, "0-0:96.1.0", 2)
DEVICE_EUI64: Final = attribute(1, "0-0:96.1.1", 2)
FIRMWARE_VERSION: Final = attribute(1, "1-0:0.2.0", 2)
INVOCATION_COUNTER: Final = attribute(1, "0-0:43.1.0", 2)
OBJECT_LIST: Final = attribute(15, "0-0:40.0.0", 2)
ASSOCIATION_SECRET: Final = attribute(15, "0-0:40.0.0", 7)
SAP_LIST: Final = attribute(17, "0-0:41.0.0", 2)
CLOCK_TIME: Final = attribute(8, "0-0:1.0.0", 2)
CLOCK_ZONE: Final = attribute(8, "0-0:1.0.0", 3)
CLOCK_STATUS: Final = attribute(8, "0-0:1.0.0", 4)
CLOCK_SHIFT: Final = member(8, "0-0:1.0.0", 6)
KEY_TRANSFER: Final = member(64, "0-0:43.0.0", 2)
SUPPLY_STATE: Final = attribute(70, "0-0:96.3.10", 3)
IMAGE_TRANSFER: Final = "0-0:44.0.0"
LOAD_PROFILE: Final = "1-0:99.1.0"
BILLING_LOG: Final = "1-0:98.1.0"
EVENT_LOG: Final = "0-0:99.98.0"
SECURITY_LOG: Final = "0-0:99.98.1"
IMPORT: Final = "1-0:1.8.0"
EXPORT: Final = "1-0:2.8.0"
