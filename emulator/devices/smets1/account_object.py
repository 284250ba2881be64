"""Account, credit and token gateway (classes 111, 112, 115), bound to the account.

The row's value names the credit: ``token`` (the balance), ``emergency`` or ``debt``. Amounts are
10^-3 pence, 10^-5 pounds.
"""

import enum
from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.effects import Note
from emulator.crypto.top_up_code import CodeRefusal, TopUp, top_up_key
from emulator.devices.smets1.binding import Binding, bit_string, items_of, number_of, refused
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.object_model import Moment
from emulator.devices.smets1.prepayment import PaymentMode, TopUpRefusal
from emulator.devices.smets1.security_setup import security_of

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

_ACCOUNT_ACTIVE: Final = 2
#: 10^-5 of the currency. Source: invented (reference serial-dlms.md 8.2: pence times 10^-3).
CURRENCY_SCALE: Final = -5
_CURRENCY_UNIT: Final = 0  # of time
_CREDIT_TYPES: Final = {"token": 0, "emergency": 2, "debt": 0}
_PRIORITIES: Final = {"token": 1, "emergency": 2, "debt": 3}
_NUMBERS: Final = {"token": 1, "emergency": 2}


class CreditStatus(enum.IntEnum):
    """Credit status of class 112. Source: IEC 62056-6-2 Credit (known)."""

    ENABLED = 0
    SELECTABLE = 1
    SELECTED = 2
    IN_USE = 3
    EXHAUSTED = 4


class TokenStatus(enum.IntEnum):
    """Token status codes of class 115. Source: IEC 62056-6-2 Token gateway (known)."""

    FORMAT_OK = 0
    AUTHENTICATION_OK = 1
    VALIDATION_OK = 2
    EXECUTED = 3
    FORMAT_FAILURE = 4
    AUTHENTICATION_FAILURE = 5
    VALIDATION_FAILURE = 6
    EXECUTION_FAILURE = 7
    RECEIVED = 8


#: Why a code is refused -> token status, reason bit after it, and result of the method; one
#: result each, so that a client can tell them apart. Source: invented.
_REFUSALS: Final[dict[str, tuple[TokenStatus, int, ActionResult]]] = {
    CodeRefusal.WRONG_FORMAT: (TokenStatus.FORMAT_FAILURE, 0, ActionResult.TYPE_UNMATCHED),
    CodeRefusal.NOT_AUTHENTIC: (
        TokenStatus.AUTHENTICATION_FAILURE,
        0,
        ActionResult.READ_WRITE_DENIED,
    ),
    TopUpRefusal.DUPLICATE: (TokenStatus.VALIDATION_FAILURE, 1, ActionResult.OBJECT_UNAVAILABLE),
    TopUpRefusal.TOO_OLD: (
        TokenStatus.VALIDATION_FAILURE,
        2,
        ActionResult.SCOPE_OF_ACCESS_VIOLATED,
    ),
}
_SUCCESS: Final = MethodOutcome(ActionResult.SUCCESS)


# -- account -----------------------------------------------------------------------------------


def _mode(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    mode = Data(Tag.ENUM, int(meter.account.mode))
    return axdr.structure(mode, Data(Tag.ENUM, _ACCOUNT_ACTIVE))


def _set_mode(meter: "Meter", _row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    items = items_of(value, Tag.STRUCTURE, 2)
    mode = number_of(items[0], Tag.ENUM) if items else None
    status = number_of(items[1], Tag.ENUM) if items else None
    if mode is None or status is None:
        return DataAccessResult.TYPE_UNMATCHED
    if mode not in {1, 2} or status != _ACCOUNT_ACTIVE:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    meter.set_payment_mode(PaymentMode(mode), at)
    return DataAccessResult.SUCCESS


def _in_use(meter: "Meter", _row: CatalogueRow, at: Moment) -> int:
    used = meter.account.emergency_used(at.now)
    return _NUMBERS["emergency"] if used else _NUMBERS["token"]


def _current_status(meter: "Meter", _row: CatalogueRow, at: Moment) -> Data:
    account, now = meter.account, at.now
    balance = account.balance(now)
    flags = [
        balance > 0,
        balance <= account.low,
        account.emergency_selected,
        account.may_select_emergency(now),
        account.emergency_used(now) > 0,
        account.available(now) <= 0,
        account.debt(now) > 0,
        False,
    ]
    return bit_string(flags)


def _currency(_meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    return axdr.structure(
        Data(Tag.UTF8, b"GBP"), Data(Tag.INT8, CURRENCY_SCALE), Data(Tag.ENUM, _CURRENCY_UNIT)
    )


def _set_low(meter: "Meter", _row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    if not isinstance(value.value, int):
        return DataAccessResult.TYPE_UNMATCHED
    meter.account.low = value.value
    return DataAccessResult.SUCCESS


def _activate(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    """Take top-up codes of whoever owns the meter's keys now.

    Source:
        stand-in: IEC 62056-6-2 knows the method; that it settles whose codes count is ours.
    """
    meter.account.activate(_present_key(meter, at))
    at.outbox.put(Note("account_activated"))
    return _SUCCESS


def _present_key(meter: "Meter", at: Moment) -> bytes:
    return top_up_key(security_of(at).keys.authentication, meter.eui64)


# -- credits -----------------------------------------------------------------------------------


def _amount(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    account = meter.account
    if row.value == "emergency":
        return account.emergency_limit - account.emergency_used(at.now)
    return account.debt(at.now) if row.value == "debt" else account.balance(at.now)


def _credit_status(meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    account, now = meter.account, at.now
    if row.value != "emergency":
        return CreditStatus.IN_USE if _amount(meter, row, at) > 0 else CreditStatus.EXHAUSTED
    if not account.emergency_selected:
        return CreditStatus.SELECTABLE if account.may_select_emergency(now) else 0
    used = account.emergency_used(now)
    if used == account.emergency_limit:
        return CreditStatus.EXHAUSTED
    return CreditStatus.IN_USE if used else CreditStatus.SELECTED


def _limit(meter: "Meter", row: CatalogueRow, _at: Moment) -> int:
    return meter.account.emergency_limit if row.value == "emergency" else 0


def _set_limit(meter: "Meter", row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    if not isinstance(value.value, int) or value.value < 0 or row.value != "emergency":
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    if meter.account.emergency_selected:
        return DataAccessResult.TEMPORARY_FAILURE
    meter.account.emergency_limit = value.value
    meter.enforce_credit(at)
    return DataAccessResult.SUCCESS


def _threshold(meter: "Meter", row: CatalogueRow, _at: Moment) -> int:
    return meter.account.emergency_below if row.value == "emergency" else 0


def _set_threshold(meter: "Meter", row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    if not isinstance(value.value, int) or row.value != "emergency":
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    meter.account.emergency_below = value.value
    return DataAccessResult.SUCCESS


def _update(meter: "Meter", row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    amount = number_of(data, Tag.INT32)
    if amount is None or row.value != "token":
        return refused(ActionResult.TYPE_UNMATCHED)
    meter.account.adjust(amount)
    meter.enforce_credit(at)
    return _SUCCESS


def _set_amount(meter: "Meter", row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    amount = number_of(data, Tag.INT32)
    if amount is None or row.value != "token":
        return refused(ActionResult.TYPE_UNMATCHED)
    before = meter.account.balance(at.now)
    meter.account.adjust(amount - before)
    meter.enforce_credit(at)
    return MethodOutcome(ActionResult.SUCCESS, Data(Tag.INT32, before))


def _invoke_credit(
    meter: "Meter", row: CatalogueRow, _data: Data | None, at: Moment
) -> MethodOutcome:
    if row.value != "emergency":
        return refused(ActionResult.OTHER_REASON)
    if not meter.account.may_select_emergency(at.now):
        return refused(ActionResult.TEMPORARY_FAILURE)
    meter.account.emergency_selected = True
    meter.log(EventCode.EMERGENCY_CREDIT_SELECTED, at.now)
    meter.enforce_credit(at)
    return _SUCCESS


# -- token gateway -----------------------------------------------------------------------------


def _enter(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    if data is None or data.tag is not Tag.OCTETS or not isinstance(data.value, bytes):
        return refused(ActionResult.TYPE_UNMATCHED)
    return key_in(meter, data.value.decode("ascii", "replace"), at)


def key_in(meter: "Meter", code: str, at: Moment) -> MethodOutcome:
    """Take a top-up code, whether it came down a line or through the keypad."""
    taken = meter.account.enter(code, meter.eui64, at.now, _present_key(meter, at))
    if isinstance(taken, TopUp):
        meter.token = (at.now, int(TokenStatus.EXECUTED), 0)
        meter.log(EventCode.TOP_UP_ACCEPTED, at.now)
        at.outbox.put(Note("top_up", (("pence", taken.pence), ("number", taken.number))))
        meter.enforce_credit(at)
        return _SUCCESS
    status, reason, result = _REFUSALS[taken]
    meter.token = (at.now, int(status), reason)
    meter.log(EventCode.TOP_UP_REFUSED, at.now)
    at.outbox.put(Note("top_up_refused", (("why", taken.value),)))
    return refused(result)


def _token_time(meter: "Meter", _row: CatalogueRow, _at: Moment) -> bytes:
    return meter.clock.octets(meter.clock.shows(meter.token[0]))


def _token_status(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    _, status, reason = meter.token
    flags = bit_string([reason == 1, reason == 2])
    return axdr.structure(Data(Tag.ENUM, status), flags)


#: Binding word -> what it does.
BINDINGS: Final = {
    "account.mode": Binding(_mode, _set_mode),
    "account.activate": Binding(invoke=_activate),
    "account.in-use": Binding(_in_use),
    "account.status": Binding(_current_status),
    "account.available": Binding(lambda meter, _row, at: meter.account.available(at.now)),
    "account.debt": Binding(lambda meter, _row, at: meter.account.debt(at.now)),
    "account.currency": Binding(_currency),
    "account.low": Binding(lambda meter, _row, _at: meter.account.low, _set_low),
    "credit.amount": Binding(_amount),
    "credit.type": Binding(lambda _meter, row, _at: _CREDIT_TYPES[row.value]),
    "credit.priority": Binding(lambda _meter, row, _at: _PRIORITIES[row.value]),
    "credit.status": Binding(_credit_status),
    "credit.limit": Binding(_limit, _set_limit),
    "credit.threshold": Binding(_threshold, _set_threshold),
    "credit.update": Binding(invoke=_update),
    "credit.set": Binding(invoke=_set_amount),
    "credit.invoke": Binding(invoke=_invoke_credit),
    "token.enter": Binding(invoke=_enter),
    "token.time": Binding(_token_time),
    "token.status": Binding(_token_status),
}
