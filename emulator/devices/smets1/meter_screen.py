"""What a SMETS1 meter shows to displays on its HAN: balance and credit, as ZCL attributes.

Amounts are millipence, as in the account's objects. A display needs a link with the meter; the hub
vouches for it when it joins, and a meter that starts again has forgotten its links (stand-in).
"""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.zcl import foundation, metering, prepayment
from emulator.codecs.zcl.foundation import (
    AttributeValue,
    DefaultResponse,
    ReadAttributesResponse,
    Status,
)
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.codecs.zcl.prepayment import PREPAYMENT, CreditFlag, PrepaymentAttribute
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.devices.attribute_reads import read_in, readings_of
from emulator.devices.smets1.meter import Meter
from emulator.devices.smets1.prepayment import Account, PaymentMode

#: Clusters a display may read.
CLUSTERS: Final = frozenset({metering.CLUSTER, prepayment.CLUSTER})


def answer(
    meter: Meter, partners: frozenset[Eui64], indication: ZclIndication, now: UtcMs
) -> list[Effect]:
    """Answer what a display asks.

    Args:
        meter: The meter.
        partners: Displays it has a link with.
        indication: The frame.
        now: The present moment.
    """
    read = read_in(indication)
    if isinstance(read, Note):
        return [read]
    frame, asked = read
    told: DefaultResponse | ReadAttributesResponse = DefaultResponse(
        frame.command, Status.NOT_AUTHORIZED
    )
    if indication.source in partners:
        told = readings_of(asked, _served(meter, indication.cluster, now))
    octets = foundation.encode(told, frame.sequence, server_to_client=True)
    return [SendZcl(indication.source, indication.cluster, octets)]


def _served(meter: Meter, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
    if cluster == metering.CLUSTER:
        total = MeteringAttribute.CURRENT_SUMMATION_DELIVERED
        energy_wh = meter.consumption.energy_wh(meter.metered, now)
        return {total: AttributeValue(metering.TYPES[total], energy_wh)}
    account = meter.account
    prepays = account.mode is PaymentMode.PREPAYMENT
    emergency = account.emergency_limit - account.emergency_used(now)
    values = {
        PrepaymentAttribute.PAYMENT_CONTROL: PREPAYMENT if prepays else 0,
        PrepaymentAttribute.CREDIT_REMAINING: account.balance(now),
        PrepaymentAttribute.EMERGENCY_CREDIT_REMAINING: emergency,
        PrepaymentAttribute.CREDIT_STATUS: int(credit_flags(account, now)),
    }
    return {key: AttributeValue(prepayment.TYPES[key], value) for key, value in values.items()}


def credit_flags(account: Account, now: UtcMs) -> CreditFlag:
    """Return the state of credit and emergency credit, as the cluster tells it."""
    flags = CreditFlag(0)
    balance, used = account.balance(now), account.emergency_used(now)
    if balance > 0:
        flags |= CreditFlag.CREDIT_OK
    if balance <= account.low:
        flags |= CreditFlag.LOW_CREDIT
    if account.emergency_limit > 0:
        flags |= CreditFlag.EMERGENCY_ENABLED
    if account.may_select_emergency(now):
        flags |= CreditFlag.EMERGENCY_AVAILABLE
    if account.emergency_selected:
        flags |= CreditFlag.EMERGENCY_IN_USE if used else CreditFlag.EMERGENCY_SELECTED
    if account.exhausted(now) or (account.emergency_selected and used == account.emergency_limit):
        flags |= CreditFlag.EXHAUSTED
    return flags
