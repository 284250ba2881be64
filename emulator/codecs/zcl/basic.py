"""Basic cluster 0x0000: attribute identifiers and their types."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.zcl.values import ZclType

CLUSTER: Final = 0x0000


class BasicAttribute(enum.IntEnum):
    """Attribute identifiers.

    Source:
        Zigbee Cluster Library 075123, 3.2; those that GBCS reads: 0003, 0004, 0005 [RTDS].
    """

    ZCL_VERSION = 0x0000
    APPLICATION_VERSION = 0x0001
    STACK_VERSION = 0x0002
    HARDWARE_VERSION = 0x0003
    MANUFACTURER_NAME = 0x0004
    MODEL_IDENTIFIER = 0x0005
    DATE_CODE = 0x0006
    POWER_SOURCE = 0x0007
    PHYSICAL_ENVIRONMENT = 0x0011


class PowerSource(enum.IntEnum):
    """Values of attribute 0x0007. Source: Zigbee Cluster Library 075123, 3.2 (known)."""

    MAINS_SINGLE_PHASE = 0x01
    BATTERY = 0x03


#: PhysicalEnvironment of a device that a GBCS message may be tunnelled to.
TUNNELLING_SUPPORTED: Final = 0x01

TYPES: Final[Mapping[BasicAttribute, ZclType]] = MappingProxyType(
    {
        BasicAttribute.ZCL_VERSION: ZclType.UINT8,
        BasicAttribute.APPLICATION_VERSION: ZclType.UINT8,
        BasicAttribute.STACK_VERSION: ZclType.UINT8,
        BasicAttribute.HARDWARE_VERSION: ZclType.UINT8,
        BasicAttribute.MANUFACTURER_NAME: ZclType.TEXT,
        BasicAttribute.MODEL_IDENTIFIER: ZclType.TEXT,
        BasicAttribute.DATE_CODE: ZclType.TEXT,
        BasicAttribute.POWER_SOURCE: ZclType.ENUM8,
        BasicAttribute.PHYSICAL_ENVIRONMENT: ZclType.ENUM8,
    }
)
