"""Balances, payment mode, debts and block counters: 1.5, 1.6, 1.7, 2.3.

Source:
    RTDS 4.5.0 ECS02, GCS02, ECS04b, GCS40a, GCS40b, GCS40d, GCS04. Prepayment: the links that RTDS
    ECS26a reads. The rest of ECS03, GCS03, ECS04a, ECS05, ECS07 and GCS40c: use-case tables.
"""

from collections.abc import Iterator
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import account
from emulator.codecs.zcl.account import ChangeDebt, ChangePaymentMode, CreditAdjustment
from harness.formats.duis.smets1_bodies import Prepayment
from harness.formats.duis.transforms.account_bodies import (
    CreditBalance,
    ElectricityRecovery,
    GasRecovery,
    Reset,
    UpdateDebt,
)
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import (
    Asked,
    Payload,
    commanded,
    written,
    wrong_device,
)

_CREDIT_MODE: Final = 1
_PREPAYMENT_MODE: Final = 2
_ACCOUNT_ACTIVE: Final = 1
_BALANCE: Final = "0-0:19.10.0.255"
_EMERGENCY: Final = "0-0:19.10.1.255"
_ACCUMULATED: Final = "0-0:19.10.2.255"
_TARIFF: Final = "0-0:19.20.0.255"
_STANDING: Final = "0-0:19.20.4.255"
_SECOND: Final = "0-0:19.20.5.255"
_DEBTS: Final = ("0-0:19.20.1.255", "0-0:19.20.2.255")
_PER_PAYMENT: Final = "0-0:19.20.3.255"
#: When a charge is collected: supply cut, load limited, supply kept for the calendar's sake.
_ALWAYS: Final = "111"
#: Debts by time of a customer who prepays. Source: RTDS ECS26a; bit 0 by the request, inferred.
_SUPPLIED: Final = "010"
_CUT_TOO: Final = "110"
#: Payment control of gas in credit mode. Source: RTDS GCS02.
_GAS_CREDIT: Final = 0x0C94
#: Bits of it. Source: names known (Smart Energy 1.2); prepayment inferred: no GCS03 is at hand.
_DISCONNECTS: Final = 1 << 0
_PREPAYS: Final = 1 << 1
_CREDIT_MANAGED: Final = 1 << 2
_DEBT_WHEN_CUT: Final = 1 << 10
_DEBT_IN_EMERGENCY: Final = 1 << 11
#: Cut-off that leaves it as it is. Source: RTDS GCS02.
_AS_IT_IS: Final = -1
_ADD, _SET, _CREDIT_MODE_ADD = 0, 1, 2
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
_PERIOD_S: Final = {"HOURLY": _HOUR_S, "DAILY": _DAY_S}
_GAS_PERIOD: Final = {"HOURLY": 0, "DAILY": 1}
_BY_TIME, _BY_SHARE = 0, 1


def set_mode(asked: Asked) -> Payload:
    """Return ECS02 or ECS03."""
    mode = asked.body.mode
    prepays = isinstance(mode, Prepayment)
    values: dict[str, Any] = {
        "passive_payment_mode": {
            "mode": _PREPAYMENT_MODE if prepays else _CREDIT_MODE,
            "status": _ACCOUNT_ACTIVE,
        },
        "passive_credit_charges": [
            {"credit": credit, "charge": charge, "collection": collected}
            for credit, charge, collected in _links(mode, twin=asked.device.twin)
        ],
        "account_activation": asked.activation,
    }
    if not prepays:
        return written(asked, MessageCode.ECS02, values)
    values["passive_disablement_threshold_millipence"] = mode.disablement_threshold_millipence
    values["disablement_threshold_millipence_activation"] = asked.activation
    return written(asked, MessageCode.ECS03, values)


def _links(mode: Any, *, twin: bool) -> Iterator[tuple[str, str, str]]:
    """Return which credit pays which charge, and when."""
    used = (_TARIFF, _STANDING, *((_SECOND,) if twin else ()))
    yield from ((_BALANCE, charge, _ALWAYS) for charge in used)
    if not isinstance(mode, Prepayment):
        return
    debts = _SUPPLIED if mode.suspend_debt_disabled else _CUT_TOO
    yield from ((_BALANCE, debt, debts) for debt in _DEBTS)
    yield _BALANCE, _PER_PAYMENT, _ALWAYS
    yield _EMERGENCY, _PER_PAYMENT, _ALWAYS
    yield from ((_EMERGENCY, charge, _ALWAYS) for charge in used)
    if not mode.suspend_debt_emergency:
        yield from ((_EMERGENCY, debt, debts) for debt in _DEBTS)
    yield _ACCUMULATED, _STANDING, _ALWAYS
    yield from ((_ACCUMULATED, debt, _ALWAYS) for debt in _DEBTS)


def set_gas_mode(asked: Asked) -> Payload:
    """Return GCS02 or GCS03."""
    mode = asked.body.mode
    control, cut_off, code = _GAS_CREDIT, _AS_IT_IS, MessageCode.GCS02
    if isinstance(mode, Prepayment):
        control = (control | _DISCONNECTS | _PREPAYS) & ~_CREDIT_MANAGED
        control &= ~(_DEBT_WHEN_CUT if mode.suspend_debt_disabled else 0)
        control &= ~(_DEBT_IN_EMERGENCY if mode.suspend_debt_emergency else 0)
        cut_off, code = mode.disablement_threshold_millipence, MessageCode.GCS03
    command = ChangePaymentMode(0, asked.issuer_event, asked.start_s, control, cut_off)
    return commanded(code, [(account.COMMANDS, command)])


def change_balance(asked: Asked) -> Payload:
    """Return ECS04a or ECS04b: an ESME has one balance, whatever its mode."""
    change = asked.body.balance.change
    if not isinstance(change, Reset):
        return written(asked, MessageCode.ECS04A, {"meter_balance_adjust": change})
    zero = dict.fromkeys(("meter_balance_set", "emergency_credit_set", "accumulated_debt_set"), 0)
    return written(asked, MessageCode.ECS04B, zero)


def change_gas_balance(asked: Asked) -> Payload:
    """Return GCS40a to GCS40d."""
    balance = asked.body.balance
    resets, credit = isinstance(balance.change, Reset), isinstance(balance, CreditBalance)
    code = {
        (False, False): MessageCode.GCS40A,
        (False, True): MessageCode.GCS40B,
        (True, False): MessageCode.GCS40C,
        (True, True): MessageCode.GCS40D,
    }[credit, resets]
    kind = _CREDIT_MODE_ADD if credit else (_SET if resets else _ADD)
    value = 0 if resets else balance.change
    command = CreditAdjustment(asked.issuer_event, 0, kind, value)
    return commanded(code, [(account.COMMANDS, command)])


def reset_blocks(asked: Asked) -> Payload:
    """Return ECS05; the script's number is a stand-in."""
    return written(asked, MessageCode.ECS05, {"block_counter_reset": 1})


def change_debts(asked: Asked) -> Payload:
    """Return ECS07."""
    body: UpdateDebt = asked.body
    if body.electricity_1 is None or body.electricity_2 is None:
        raise wrong_device(asked, DeviceType.GSME)
    values: dict[str, Any] = {
        "debt_per_payment": body.per_payment,
        "debt_1_adjust": body.time_debt_1,
        "debt_2_adjust": body.time_debt_2,
        "payment_debt_adjust": body.payment_debt,
    }
    for number, recovery in enumerate((body.electricity_1, body.electricity_2), 1):
        values |= _recovery(number, recovery)
    return written(asked, MessageCode.ECS07, values)


def _recovery(number: int, recovery: ElectricityRecovery) -> dict[str, Any]:
    return {
        f"passive_debt_rate_{number}": charge(0, recovery.scale, recovery.rate),
        f"debt_rate_{number}_period_s": _PERIOD_S[recovery.period],
        f"debt_rate_{number}_activate": 0,
    }


def charge(commodity: int, scale: int, prices: Any) -> dict[str, Any]:
    """Return a charge of no commodity, in its plain form."""
    nothing = {"class": 0, "object": "0-0:0.0.0.0", "attribute": 0}
    scales = {"commodity": commodity, "price": scale}
    return {"scales": scales, "commodity": nothing, "prices": prices}


def change_gas_debts(asked: Asked) -> Payload:
    """Return GCS04."""
    body: UpdateDebt = asked.body
    if body.gas_1 is None or body.gas_2 is None:
        raise wrong_device(asked, DeviceType.ESME)
    by_time = ((1, body.time_debt_1, body.gas_1), (3, body.time_debt_2, body.gas_2))
    commands = [_gas_debt(asked, kind, amount, recovery) for kind, amount, recovery in by_time]
    share = body.per_payment
    last = ChangeDebt(asked.issuer_event, b"", body.payment_debt, _BY_SHARE, 5, 0, 0, 1, 0, share)
    return commanded(
        MessageCode.GCS04, [(account.COMMANDS, command) for command in (*commands, last)]
    )


def _gas_debt(asked: Asked, kind: int, amount: int, recovery: GasRecovery) -> ChangeDebt:
    if recovery.rate < 0:
        raise TransformError(Refusal.OUT_OF_RANGE, "a debt is not recovered at a negative rate")
    frequency = _GAS_PERIOD[recovery.period]
    event = asked.issuer_event
    return ChangeDebt(event, b"", amount, _BY_TIME, kind, 0, 0, frequency, recovery.rate, 0)
