"""Commands of the Prepayment cluster 0x0705: credit, debt, payment mode, top-ups, their logs."""

from dataclasses import dataclass
from typing import ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.fields import I32, OCTETS, U8, U16, U32, rows_to_end
from emulator.codecs.zcl.heads import (
    ISSUED,
    SNAPSHOT_ENTRY,
    Issued,
    SnapshotEntry,
    SnapshotRequest,
)
from emulator.codecs.zcl.prepayment import CLUSTER
from emulator.codecs.zigbee.blocks import Row

__all__ = ["CLUSTER", "COMMANDS", "decode", "encode"]


@dataclass(frozen=True, slots=True)
class SelectAvailableEmergencyCredit(Declared):
    """Client to server: let emergency credit be used.

    Attributes:
        issued_s: When it was asked for, seconds since 2000; 0: not said.
        origin: Who asked: 0 remotely, 2 an in-home device (RTDS GCS06, PCS02).
    """

    issued_s: int
    origin: int

    FORM: ClassVar[c.Construct] = c.Struct("issued_s" / U32, "origin" / U8)


@dataclass(frozen=True, slots=True)
class ChangeDebt(Declared):
    """Client to server: change a debt and how it is recovered.

    Attributes:
        issuer_event_id: Higher for newer information.
        label: Name of the debt.
        amount: Thousandths of a penny.
        method: 0: by time, 1: a share of each top-up.
        amount_type: 0/1 debt 1, 2/3 debt 2, 4/5 debt 3; odd ones add to the debt, even ones set it.
        start_s: When recovery begins, seconds since 2000; 0: now.
        collection_min: Minute of the day of recovery.
        frequency: 0 hour, 1 day, 2 week, 3 month, 4 quarter.
        recovery_amount: Thousandths of a penny each time.
        recovery_share: Hundredths of a per cent of each top-up.

    Source:
        RTDS GCS04; names known (Smart Energy 1.2).
    """

    issuer_event_id: int
    label: bytes
    amount: int
    method: int
    amount_type: int
    start_s: int
    collection_min: int
    frequency: int
    recovery_amount: int
    recovery_share: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32,
        "label" / OCTETS,
        "amount" / I32,
        "method" / U8,
        "amount_type" / U8,
        "start_s" / U32,
        "collection_min" / U16,
        "frequency" / U8,
        "recovery_amount" / I32,
        "recovery_share" / U16,
    )


@dataclass(frozen=True, slots=True)
class EmergencyCreditSetup(Declared):
    """Client to server: how much emergency credit, and from where on it is offered.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        limit: Thousandths of a penny.
        threshold: Thousandths of a penny.

    Source:
        known (Smart Energy 1.2); no message of GCS05 is at hand.
    """

    issuer_event_id: int
    start_s: int
    limit: int
    threshold: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "limit" / U32, "threshold" / U32
    )


@dataclass(frozen=True, slots=True)
class ConsumerTopUp(Declared):
    """Client to server: take a top-up.

    Attributes:
        origin: Who brought it: 0 remotely, 2 an in-home device.
        code: The digits of the token.
    """

    origin: int
    code: bytes

    FORM: ClassVar[c.Construct] = c.Struct("origin" / U8, "code" / OCTETS)


@dataclass(frozen=True, slots=True)
class ConsumerTopUpResponse(Declared):
    """Server to client: what became of a top-up.

    Attributes:
        result: 0 accepted, 1 rejected.
        value: Thousandths of a penny; -1 where rejected.
        origin: As in the command.
        credit_remaining: Thousandths of a penny; -1 where rejected.
    """

    result: int
    value: int
    origin: int
    credit_remaining: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "result" / U8, "value" / I32, "origin" / U8, "credit_remaining" / I32
    )


@dataclass(frozen=True, slots=True)
class CreditAdjustment(Declared):
    """Client to server: adjust or set a balance.

    Attributes:
        issuer_event_id: Higher for newer information.
        start_s: Seconds since 2000; 0: now.
        kind: 0 adds to the prepayment balance, 1 sets it, 2 is of the balance of credit mode.
        value: Thousandths of a penny.

    Source:
        RTDS GCS40a, GCS40b, GCS40d.
    """

    issuer_event_id: int
    start_s: int
    kind: int
    value: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "issuer_event_id" / U32, "start_s" / U32, "kind" / U8, "value" / I32
    )


@dataclass(frozen=True, slots=True)
class ChangePaymentMode(Issued):
    """Client to server: credit or prepayment.

    Attributes:
        start_s: Seconds since 2000; 0: now; all ones: not after all.
        control: Payment control configuration, as attribute 0x0000.
        cut_off: Balance at which supply ends; -1: as it is.
    """

    control: int
    cut_off: int

    FORM: ClassVar[c.Construct] = c.Struct(
        *ISSUED,
        "control" / U16,
        "cut_off" / I32,
    )


@dataclass(frozen=True, slots=True)
class ChangePaymentModeResponse(Declared):
    """Server to client: what the meter has for prepayment.

    Attributes:
        friendly_credit: Bit 0: there is friendly credit.
        friendly_credit_calendar: Its calendar.
        limit: Emergency credit, thousandths of a penny.
        threshold: Where it is offered, thousandths of a penny.
    """

    friendly_credit: int
    friendly_credit_calendar: int
    limit: int
    threshold: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "friendly_credit" / U8, "friendly_credit_calendar" / U32, "limit" / U32, "threshold" / U32
    )


@dataclass(frozen=True, slots=True)
class GetPrepaySnapshot(SnapshotRequest):
    """Client to server: publish one entry of a log of accounts."""


@dataclass(frozen=True, slots=True)
class PublishPrepaySnapshot(SnapshotEntry):
    """Server to client: one entry of a log of accounts.

    Attributes:
        accumulated_debt: Thousandths of a penny, as all that follow.
        debts: Debts 1 to 3.
        emergency_credit: Emergency credit left.
        credit: Credit left.

    Source:
        RTDS GCS15b, GCS15c, GCS16b; names known (Smart Energy 1.2).
    """

    accumulated_debt: int
    debts: tuple[int, ...]
    emergency_credit: int
    credit: int

    FORM: ClassVar[c.Construct] = c.Struct(
        *SNAPSHOT_ENTRY,
        c.Const(b"\x00"),  # payload type: debt and credit status
        "accumulated_debt" / I32,
        "debts" / Row(c.Array(3, U32)),
        "emergency_credit" / I32,
        "credit" / I32,
    )


@dataclass(frozen=True, slots=True)
class GetTopUpLog(Declared):
    """Client to server: publish top-ups, the latest first.

    Attributes:
        latest_s: Seconds since 2000.
        most: How many; 0: all.
    """

    latest_s: int
    most: int

    FORM: ClassVar[c.Construct] = c.Struct("latest_s" / U32, "most" / U8)


@dataclass(frozen=True, slots=True)
class PublishTopUpLog(Declared):
    """Server to client: top-ups.

    Attributes:
        index: Number of this command.
        commands: How many there are.
        top_ups: (digits, thousandths of a penny, seconds since 2000), the latest first.
    """

    index: int
    commands: int
    top_ups: tuple[tuple[bytes, int, int], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        "index" / U8, "commands" / U8, "top_ups" / rows_to_end(OCTETS, I32, U32)
    )


@dataclass(frozen=True, slots=True)
class SetLowCreditWarningLevel(Declared):
    """Client to server: balance at which the customer is warned, thousandths of a penny."""

    level: int

    FORM: ClassVar[c.Construct] = c.Struct("level" / U32)


@dataclass(frozen=True, slots=True)
class GetDebtRepaymentLog(Declared):
    """Client to server: publish payments of debt.

    Attributes:
        latest_s: Seconds since 2000.
        most: How many; 0: all.
        debt: Which debt: 0 to 2.
    """

    latest_s: int
    most: int
    debt: int

    FORM: ClassVar[c.Construct] = c.Struct("latest_s" / U32, "most" / U8, "debt" / U8)


@dataclass(frozen=True, slots=True)
class PublishDebtLog(Declared):
    """Server to client: payments of debt.

    Attributes:
        index: Number of this command.
        commands: How many there are.
        payments: (seconds since 2000, thousandths of a penny, which debt, what is left of it).
    """

    index: int
    commands: int
    payments: tuple[tuple[int, int, int, int], ...]

    FORM: ClassVar[c.Construct] = c.Struct(
        "index" / U8, "commands" / U8, "payments" / rows_to_end(U32, U32, U8, U32)
    )


@dataclass(frozen=True, slots=True)
class SetMaximumCreditLimit(Issued):
    """Client to server: the most credit, and the most of one top-up.

    Attributes:
        most_balance: Thousandths of a penny.
        most_top_up: Thousandths of a penny.

    Source:
        known (Smart Energy 1.2); no message of GCS05 is at hand.
    """

    most_balance: int
    most_top_up: int

    FORM: ClassVar[c.Construct] = c.Struct(
        *ISSUED,
        "most_balance" / U32,
        "most_top_up" / U32,
    )


@dataclass(frozen=True, slots=True)
class SetOverallDebtCap(Issued):
    """Client to server: the most debt recovered in a week.

    Attributes:
        cap: Thousandths of a penny.

    Source:
        known (Smart Energy 1.2); no message of GCS05 is at hand.
    """

    cap: int

    FORM: ClassVar[c.Construct] = c.Struct(*ISSUED, "cap" / I32)


#: The cluster's table.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "prepayment",
    to_server={
        0x00: (SelectAvailableEmergencyCredit,),
        0x02: (ChangeDebt,),
        0x03: (EmergencyCreditSetup,),
        0x04: (ConsumerTopUp,),
        0x05: (CreditAdjustment,),
        0x06: (ChangePaymentMode,),
        0x07: (GetPrepaySnapshot,),
        0x08: (GetTopUpLog,),
        0x09: (SetLowCreditWarningLevel,),
        0x0A: (GetDebtRepaymentLog,),
        0x0B: (SetMaximumCreditLimit,),
        0x0C: (SetOverallDebtCap,),
    },
    to_client={
        0x01: (PublishPrepaySnapshot,),
        0x02: (ChangePaymentModeResponse,),
        0x03: (ConsumerTopUpResponse,),
        0x05: (PublishTopUpLog,),
        0x06: (PublishDebtLog,),
    },
)
decode = COMMANDS.decode
encode = COMMANDS.encode
