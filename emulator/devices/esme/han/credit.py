"""The Prepayment cluster of an ESME: its account, top-ups, emergency credit, and their logs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from emulator.codecs.zcl import account
from emulator.codecs.zcl.foundation import AttributeValue, Status
from emulator.codecs.zcl.prepayment import (
    ACCOUNT_TYPES,
    PREPAYMENT,
    TYPES,
    AccountAttribute,
    CreditFlag,
    PrepaymentAttribute,
)
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import Effect
from emulator.devices.esme import life, privacy
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.han.answers import Request
from emulator.devices.esme.life import Button
from emulator.devices.esme.model import top_ups
from emulator.devices.esme.model.account import PREPAYMENT_MODE, disablement_threshold, mode_of
from emulator.devices.esme.model.credit import is_offered
from emulator.devices.esme.model.top_ups import TopUpOutcome

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel

_CREDIT_BIT: Final = 1 << 0
_REJECTED: Final = 1
#: Entries of one command; more take further ones. Source: invented.
_AT_ONCE: Final = 2
_ALL_ONES: Final = (1 << 32) - 1
A, P = AccountAttribute, PrepaymentAttribute


def attributes(model: "EsmeModel", now: UtcMs) -> Mapping[int, AttributeValue]:
    """Return the attributes."""
    model.ledger.settle(now)
    parts, store = model.ledger.account.parts, model.store
    prepays = mode_of(store) == PREPAYMENT_MODE
    plain: dict[PrepaymentAttribute, int] = {
        P.PAYMENT_CONTROL: PREPAYMENT if prepays else _CREDIT_BIT,
        P.CREDIT_REMAINING: parts["balance"],
        P.EMERGENCY_CREDIT_REMAINING: parts["emergency_credit"],
        P.CREDIT_STATUS: int(credit_status(model, now)),
    }
    more: dict[AccountAttribute, int] = {
        A.ACCUMULATED_DEBT: parts["accumulated_debt"],
        A.DEBT_CAP: store.number("debt_recovery_cap") * 1000,
        A.EMERGENCY_CREDIT_LIMIT: store.number("emergency_credit_limit_millipence"),
        A.EMERGENCY_CREDIT_THRESHOLD: store.number("emergency_credit_threshold_millipence"),
        A.MOST_CREDIT: store.number("max_balance_millipence"),
        A.MOST_TOP_UP: store.number("max_credit_millipence"),
        A.LOW_CREDIT_WARNING: store.number("low_credit_threshold_millipence"),
        A.CUT_OFF: disablement_threshold(store),
        A.DEBT_1: parts["debt1"],
        A.DEBT_2: parts["debt2"],
        A.DEBT_3: parts["payment_debt"],
    }
    signed = {A.ACCUMULATED_DEBT, A.DEBT_CAP, A.CUT_OFF}
    served: dict[int, AttributeValue] = {
        key: AttributeValue(TYPES[key], value) for key, value in plain.items()
    }
    for one, value in more.items():
        fitting = value if one in signed else max(value, 0)
        served[one] = AttributeValue(ACCOUNT_TYPES[one], fitting)
    return served


def credit_status(model: "EsmeModel", now: UtcMs) -> CreditFlag:
    """Return the state of credit and emergency credit; nothing holds in credit mode."""
    store, held = model.store, model.ledger.account
    flags = CreditFlag(0)
    if mode_of(store) != PREPAYMENT_MODE:
        return CreditFlag.CREDIT_OK
    below = held.parts["balance"] <= disablement_threshold(store)
    low = held.credit < store.number("low_credit_threshold_millipence")
    conditions = (
        (CreditFlag.CREDIT_OK, not below),
        (CreditFlag.LOW_CREDIT, low),
        (CreditFlag.EMERGENCY_ENABLED, store.number("emergency_credit_limit_millipence") > 0),
        (CreditFlag.EMERGENCY_AVAILABLE, is_offered(model, now)),
        (CreditFlag.EMERGENCY_SELECTED, held.granted > 0),
        (CreditFlag.EMERGENCY_IN_USE, held.owed_emergency > 0),
        (CreditFlag.EXHAUSTED, below and held.parts["emergency_credit"] <= 0),
    )
    for flag, holds in conditions:
        flags |= flag if holds else CreditFlag(0)
    return flags


def take(device: "Esme", request: Request, command: Any) -> list[Effect]:
    """Take a command."""
    if isinstance(command, account.SelectAvailableEmergencyCredit):
        return act(device, request, Button.ACTIVATE_EMERGENCY_CREDIT)
    if isinstance(command, account.ConsumerTopUp):
        return _top_up(device, request, command)
    if isinstance(command, account.GetTopUpLog):
        return _publish_top_ups(device.model, request, command)
    if isinstance(command, account.GetDebtRepaymentLog):
        return _publish_payments(device.model, request, command)
    if isinstance(command, account.GetPrepaySnapshot):
        return _publish_snapshot(device.model, request, command)
    return [request.default(Status.UNSUP_CLUSTER_COMMAND)]


def act(device: "Esme", request: Request, button: Button) -> list[Effect]:
    """PECS: do what a person asks for at a PPMID, and say whether it was done.

    Source:
        That a meter behind a privacy PIN answers "not authorized": inferred.
    """
    is_open = privacy.is_open(device, request.now)
    done, effects = life.act(device, button, request.now)
    code = EventCode.HAN_COMMAND_ACTIONED if done else EventCode.HAN_COMMAND_NOT_ACTIONED
    told = happened(device, code, button.value, request.now)
    answer = request.outcome(done=done) if is_open else request.default(Status.NOT_AUTHORIZED)
    return [answer, *effects, *told]


def _top_up(device: "Esme", request: Request, command: account.ConsumerTopUp) -> list[Effect]:
    """PECS01: take a token that a person entered at a PPMID.

    Source:
        Answer as in RTDS CS01b: value and credit, or -1 and -1 where it is rejected.
    """
    digits = command.code.decode("ascii", "replace")
    top_up, effects = top_ups.take(device, digits, request.now)
    if top_up.outcome is not TopUpOutcome.ACCEPTED:
        rejected = account.ConsumerTopUpResponse(_REJECTED, -1, command.origin, -1)
        return [request.answer(rejected), *effects]
    balance = device.model.ledger.account.parts["balance"]
    taken = account.ConsumerTopUpResponse(0, top_up.amount, command.origin, balance)
    return [request.answer(taken), *effects]


# -- logs ----------------------------------------------------------------------------------------


def _publish_top_ups(
    model: "EsmeModel", request: Request, asked: account.GetTopUpLog
) -> list[Effect]:
    rows = [
        (code.encode(), amount, to_zigbee_seconds(UtcMs(at)))
        for at, code, amount in reversed(model.top_ups.codes)
    ]
    found = [row for row in rows if row[2] <= asked.latest_s][: asked.most or None]
    return _in_parts(request, found, account.PublishTopUpLog)


def _in_parts(
    request: Request,
    rows: list[Any],
    publish: type[account.PublishTopUpLog] | type[account.PublishDebtLog],
) -> list[Effect]:
    """Publish the rows of a log, so many in one command; not found where there is none."""
    parts = [rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE)]
    if not parts:
        return [request.default(Status.NOT_FOUND)]
    return [
        request.answer(publish(index, len(parts), tuple(part))) for index, part in enumerate(parts)
    ]


def _publish_payments(
    model: "EsmeModel", request: Request, asked: account.GetDebtRepaymentLog
) -> list[Effect]:
    """Publish recoveries of the payment-based debt; what was left of it then is not kept."""
    model.ledger.settle(request.now)
    held = model.ledger.account
    left = max(held.parts["payment_debt"], 0)
    rows = []
    for at, amount in reversed(held.payments):
        rows.append((to_zigbee_seconds(UtcMs(at)), amount, 2, left))
        left += amount
    found = [row for row in rows if row[0] <= asked.latest_s][: asked.most or None]
    return _in_parts(request, found if asked.debt in {2, 0xFF} else [], account.PublishDebtLog)


def _publish_snapshot(
    model: "EsmeModel", request: Request, asked: account.GetPrepaySnapshot
) -> list[Effect]:
    """Publish one midnight's account."""
    model.ledger.settle(request.now)
    found = [
        (number, one)
        for number, one in enumerate(model.ledger.daily)
        if asked.earliest_s <= to_zigbee_seconds(one.at) <= asked.latest_s
    ]
    if asked.offset >= len(found):
        return [request.default(Status.NOT_FOUND)]
    number, one = found[asked.offset]
    balance, emergency, debt1, debt2, debt3, owed = one.account
    debts = tuple([max(debt, 0) for debt in (debt1, debt2, debt3)])
    return [
        request.answer(
            account.PublishPrepaySnapshot(
                number, to_zigbee_seconds(one.at), min(len(found), 0xFF), 0, 1,
                asked.cause & _ALL_ONES, owed, debts, emergency, balance,
            )
        )
    ]  # fmt: skip
