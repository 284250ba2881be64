"""Prepayment cluster 0x0705: the attributes that a display reads, with their types."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.zcl.values import ZclType

CLUSTER: Final = 0x0705


class PrepaymentAttribute(enum.IntEnum):
    """Attributes of a meter.

    Source:
        The identifiers RTDS commands touch (firmware.md 8.2); CREDIT_STATUS is known, not seen.
    """

    PAYMENT_CONTROL = 0x0000
    CREDIT_REMAINING = 0x0001
    EMERGENCY_CREDIT_REMAINING = 0x0002
    CREDIT_STATUS = 0x0003


class CreditFlag(enum.IntFlag):
    """Bits of CREDIT_STATUS. Source: known (ZSE 1.2)."""

    CREDIT_OK = 1 << 0
    LOW_CREDIT = 1 << 1
    EMERGENCY_ENABLED = 1 << 2
    EMERGENCY_AVAILABLE = 1 << 3
    EMERGENCY_SELECTED = 1 << 4
    EMERGENCY_IN_USE = 1 << 5
    EXHAUSTED = 1 << 6


#: Bit of PAYMENT_CONTROL that is set in prepayment mode. Source: known (ZSE 1.2).
PREPAYMENT: Final = 1 << 1

TYPES: Final[Mapping[PrepaymentAttribute, ZclType]] = MappingProxyType(
    {
        PrepaymentAttribute.PAYMENT_CONTROL: ZclType.BITMAP16,
        PrepaymentAttribute.CREDIT_REMAINING: ZclType.INT32,
        PrepaymentAttribute.EMERGENCY_CREDIT_REMAINING: ZclType.INT32,
        PrepaymentAttribute.CREDIT_STATUS: ZclType.BITMAP8,
    }
)
