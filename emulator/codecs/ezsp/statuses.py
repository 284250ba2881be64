"""What an NCP answers, as one list of meanings, and the numbers three families write for them."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias


class Family(enum.Enum):
    """A family of status numbers."""

    EMBER = "EmberStatus, one octet"
    EZSP = "EzspStatus, one octet"
    SL = "sl_Status, four octets"

    @property
    def octets(self) -> int:
        """Length of a status on the wire."""
        return 4 if self is Family.SL else 1


class Status(enum.Enum):
    """A meaning: its number as sl_Status, as EmberStatus and as EzspStatus.

    Where a family has no number of its own, its general failure stands. Where a number has
    several meanings, the first in this list is the one that is read.

    Source:
        reference zigbee-dongle.md section 2.4; UG100 (EmberStatus, EzspStatus); the numbers are
        compared with bellows' names in the tests. EzspStatus names in v14 and later: inferred.
    """

    OK = (0x0000, 0x00, 0x00)
    FAIL = (0x0001, 0x01, None)
    INVALID_STATE = (0x0002, 0x70, 0x38)
    BUSY = (0x0004, 0xA1, None)
    IN_PROGRESS = (0x0005, 0xBA, None)
    NOT_AVAILABLE = (0x000E, None, None)
    NOT_SUPPORTED = (0x000F, 0x70, 0x38)
    NOT_INITIALISED = (0x0011, None, None)
    NETWORK_UP = (0x0015, 0x90, None)
    NETWORK_DOWN = (0x0016, 0x91, None)
    NOT_JOINED = (0x0017, 0x93, None)
    JOIN_FAILED = (0x0017, 0x94, None)
    NO_BEACONS = (0x0018, 0xAB, None)
    ALLOCATION_FAILED = (0x0019, 0x18, 0x35)
    FULL = (0x001C, 0xB4, None)
    INVALID_PARAMETER = (0x0021, 0x02, 0x36)
    INVALID_ID = (0x0021, 0x02, 0x37)
    SECURITY_CONFIGURATION_INVALID = (0x0023, 0xB7, None)
    INVALID_INDEX = (0x0027, 0xB1, None)
    INVALID_KEY = (0x0029, 0xB2, None)
    SECURITY_DATA_INVALID = (0x002A, 0xBD, None)
    INVALID_SIGNATURE = (0x002C, 0xB9, None)
    NOT_FOUND = (0x002D, 0x03, None)
    EMPTY = (0x001B, None, None)
    TABLE_ENTRY_ERASED = (0x002D, 0xB6, None)
    MESSAGE_TOO_LONG = (0x0038, 0x74, None)
    MAC_NO_DATA = (0x003F, 0x31, None)
    MAC_NO_ACK_RECEIVED = (0x0040, 0x40, None)
    MAC_INDIRECT_TIMEOUT = (0x0041, 0x42, None)
    MAC_SCANNING = (0x004D, 0x3D, None)
    MAC_INCORRECT_SCAN_TYPE = (0x004E, 0x34, None)
    INVALID_CHANNEL_MASK = (0x004F, 0x35, None)
    BAD_SCAN_DURATION = (0x0050, 0x33, None)
    TRANSMIT_INVALID_CHANNEL = (0x0055, 0x8A, None)
    TRANSMIT_INVALID_POWER = (0x0056, 0x8B, None)
    TRANSMIT_BLOCKED = (0x0058, 0x8E, None)
    DELIVERY_FAILED = (0x0C02, 0x66, None)
    MAX_MESSAGE_LIMIT_REACHED = (0x0C03, 0x72, None)
    INVALID_SECURITY_LEVEL = (0x0C08, 0x95, None)
    MOVE_FAILED = (0x0C06, 0x96, None)
    NODE_ID_CHANGED = (0x0C07, 0x99, None)
    APS_ENCRYPTION_ERROR = (0x0C0A, 0xA6, None)
    SECURITY_STATE_NOT_SET = (0x0C0B, 0xA8, None)
    KEY_NOT_AUTHORISED = (0x0C0E, 0xBB, None)
    SOURCE_ROUTE_FAILURE = (0x0C13, 0xA9, None)
    PAN_ID_CHANGED = (0x0C16, 0x9A, None)
    CHANNEL_CHANGED = (0x0C17, 0x9B, None)
    NETWORK_OPENED = (0x0C18, 0x9C, None)
    NETWORK_CLOSED = (0x0C19, 0x9D, None)
    RECEIVED_KEY_IN_THE_CLEAR = (0x0C1A, 0xAC, None)
    NO_NETWORK_KEY_RECEIVED = (0x0C1B, 0xAD, None)
    NO_LINK_KEY_RECEIVED = (0x0C1C, 0xAE, None)
    PRECONFIGURED_KEY_REQUIRED = (0x0C1D, 0xAF, None)
    LIBRARY_NOT_PRESENT = (0x000E, 0xB5, None)
    VERSION_NOT_SET = (0x0C1E, None, 0x30)
    INVALID_FRAME_ID = (0x0C1E, None, 0x31)
    WRONG_DIRECTION = (0x0C1E, None, 0x32)
    TRUNCATED = (0x0C1E, None, 0x33)
    OVERFLOW = (0x0C1E, None, 0x34)
    COMMAND_FILTERED = (0x0C1E, None, 0x42)
    UNSUPPORTED_CONTROL = (0x0C1E, None, 0x49)

    #: By identity, as members are compared: what `enum` hashes with is a function in Python.
    __hash__ = object.__hash__

    def number(self, family: Family) -> int:
        """Return what ``family`` writes for this meaning."""
        found = _OWN[family][self]
        return _GENERAL[family] if found is None else found


@dataclass(frozen=True, slots=True)
class RawStatus:
    """A number to which `Status` gives no meaning in the family it was read in.

    Attributes:
        value: The number as it stood on the wire.
    """

    value: int


AnyStatus: TypeAlias = Status | RawStatus

#: What a family writes for a meaning it has no number for: its general failure, or for EZSP that
#: the call is not valid now.
_GENERAL: Final = {Family.SL: 0x0001, Family.EMBER: 0x01, Family.EZSP: 0x38}
_PLACE: Final = {Family.SL: 0, Family.EMBER: 1, Family.EZSP: 2}
_OWN: Final[dict[Family, dict[Status, int | None]]] = {
    family: {status: status.value[place] for status in Status} for family, place in _PLACE.items()
}
_READ: Final[dict[Family, dict[int, Status]]] = {
    family: {number: status for status, number in reversed(numbers.items()) if number is not None}
    for family, numbers in _OWN.items()
}
_WRITTEN: Final = {
    family: {status: status.number(family) for status in Status} for family in Family
}


def read_status(family: Family, number: int) -> AnyStatus:
    """Return what a number on the wire means."""
    found = _READ[family].get(number)
    return RawStatus(number) if found is None else found


def status_reader(family: Family) -> Callable[[int], AnyStatus]:
    """Return ``read_status`` for one family, with its table at hand."""
    known = _READ[family].get

    def read(number: int) -> AnyStatus:
        return known(number) or RawStatus(number)

    return read


def status_number(family: Family, status: AnyStatus) -> int:
    """Return the number on the wire for a meaning."""
    return status.value if isinstance(status, RawStatus) else _WRITTEN[family][status]
