"""Time cluster 0x000A: attribute identifiers, their types, and the status bits."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.zcl.values import ZclType

CLUSTER: Final = 0x000A


class TimeAttribute(enum.IntEnum):
    """Attribute identifiers.

    Source:
        Zigbee Cluster Library 075123, 3.12.
    """

    TIME = 0x0000
    TIME_STATUS = 0x0001
    TIME_ZONE = 0x0002
    DST_START = 0x0003
    DST_END = 0x0004
    DST_SHIFT = 0x0005
    STANDARD_TIME = 0x0006
    LOCAL_TIME = 0x0007
    LAST_SET_TIME = 0x0008
    VALID_UNTIL_TIME = 0x0009


class TimeStatus(enum.IntFlag):
    """Bits of attribute 0x0001."""

    MASTER = 0x01
    SYNCHRONIZED = 0x02
    MASTER_ZONE_DST = 0x04
    SUPERSEDING = 0x08


#: What a CHF shows: master and superseding.
#: Source: firmware.md 8.1, from a Communications Hub of 2019 that cites GBCS 9.1.3.
CHF_TIME_STATUS: Final = TimeStatus.MASTER | TimeStatus.SUPERSEDING
#: Time of a clock that has never been set.
INVALID_TIME: Final = 0xFFFFFFFF

TYPES: Final[Mapping[TimeAttribute, ZclType]] = MappingProxyType(
    {
        TimeAttribute.TIME: ZclType.UTC_TIME,
        TimeAttribute.TIME_STATUS: ZclType.BITMAP8,
        TimeAttribute.TIME_ZONE: ZclType.INT32,
        TimeAttribute.DST_START: ZclType.UINT32,
        TimeAttribute.DST_END: ZclType.UINT32,
        TimeAttribute.DST_SHIFT: ZclType.INT32,
        TimeAttribute.STANDARD_TIME: ZclType.UINT32,
        TimeAttribute.LOCAL_TIME: ZclType.UINT32,
        TimeAttribute.LAST_SET_TIME: ZclType.UTC_TIME,
        TimeAttribute.VALID_UNTIL_TIME: ZclType.UTC_TIME,
    }
)
