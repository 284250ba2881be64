"""Objects of a meter that the serial scenarios read and write.

Logical names are those of the illustrative SMETS1 meter (serial-dlms.md 8.2); where they are the
standard's own the scenarios' rules are the standard's, too.
"""

from typing import Final

from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor

SERIAL_NUMBER: Final = "0-0:96.1.0.255"
EUI64: Final = "0-0:96.1.1.255"
ASSOCIATION: Final = "0-0:40.0.0.255"
SECURITY: Final = "0-0:43.0.0.255"
CLOCK: Final = "0-0:1.0.0.255"
IMPORT: Final = "1-0:1.8.0.255"
RATES: Final = tuple(f"1-0:1.8.{rate}.255" for rate in range(1, 5))
LOAD_PROFILE: Final = "1-0:99.1.0.255"
EVENT_LOG: Final = "0-0:99.98.0.255"
SWITCH: Final = "0-0:96.3.10.255"
BALANCE: Final = "0-0:19.10.0.255"
TOKENS: Final = "0-0:19.40.0.255"
IMAGE: Final = "0-0:44.0.0.255"
POWER: Final = "1-0:1.7.0.255"
#: A logical name no meter of ours has. Source: invented.
NOWHERE: Final = "1-0:250.250.250.250"

DATA, REGISTER, PROFILE, CLOCK_CLASS = 1, 3, 7, 8
ASSOCIATION_LN, IMAGE_TRANSFER, SECURITY_SETUP = 15, 18, 64
DISCONNECT, CREDIT, TOKEN_GATEWAY = 70, 112, 115


def attribute(class_id: int, obis: str, index: int = 2) -> Attribute:
    """Return an attribute by class, logical name as text, and index."""
    return Attribute(Descriptor(class_id, parse_obis(obis), index))


def method(class_id: int, obis: str, index: int) -> Descriptor:
    """Return a method by class, logical name as text, and index."""
    return Descriptor(class_id, parse_obis(obis), index)
