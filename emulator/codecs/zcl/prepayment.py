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


class AccountAttribute(enum.IntEnum):
    """Attributes of a meter's account beside those a SMETS1 display reads.

    Source:
        The identifiers that RTDS commands read of a GSME (GCS14, GCS21b).
    """

    ACCUMULATED_DEBT = 0x0005
    DEBT_CAP = 0x0006
    EMERGENCY_CREDIT_LIMIT = 0x0010
    EMERGENCY_CREDIT_THRESHOLD = 0x0011
    MOST_CREDIT = 0x0021
    MOST_TOP_UP = 0x0022
    LOW_CREDIT_WARNING = 0x0031
    CUT_OFF = 0x0040
    DEBT_1 = 0x0211
    DEBT_2 = 0x0221
    DEBT_3 = 0x0231


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

ACCOUNT_TYPES: Final[Mapping[AccountAttribute, ZclType]] = MappingProxyType(
    {
        AccountAttribute.ACCUMULATED_DEBT: ZclType.INT32,
        AccountAttribute.DEBT_CAP: ZclType.INT32,
        AccountAttribute.EMERGENCY_CREDIT_LIMIT: ZclType.UINT32,
        AccountAttribute.EMERGENCY_CREDIT_THRESHOLD: ZclType.UINT32,
        AccountAttribute.MOST_CREDIT: ZclType.UINT32,
        AccountAttribute.MOST_TOP_UP: ZclType.UINT32,
        AccountAttribute.LOW_CREDIT_WARNING: ZclType.UINT32,
        AccountAttribute.CUT_OFF: ZclType.INT32,
        AccountAttribute.DEBT_1: ZclType.UINT32,
        AccountAttribute.DEBT_2: ZclType.UINT32,
        AccountAttribute.DEBT_3: ZclType.UINT32,
    }
)
