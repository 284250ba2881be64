"""Commands that tell a gas device of prepayment settings, its valve's rules, people and messages.

A GSME is told; its GPF overhears what the GSME accepted and keeps the same.
"""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.zcl.account import (
    ChangePaymentMode,
    ChangePaymentModeResponse,
    SetLowCreditWarningLevel,
)
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.device_management import (
    SetEventConfiguration,
)
from emulator.codecs.zcl.foundation import Status
from emulator.codecs.zcl.prepayment import PREPAYMENT
from emulator.devices.gbz_engine import ComponentFailedError, GbzTurn
from emulator.devices.gsme.model.clusters import ClusterModel, Work
from emulator.devices.gsme.model.types import Value

#: Cut-off that leaves it as it is. Source: RTDS GCS02.
_AS_IT_IS: Final = -1
#: Use case -> whether it asks for prepayment.
_PREPAYS: Final = {"GCS02": False, "GCS03": True}


# -- prepayment settings -------------------------------------------------------------------------


def change_payment_mode(
    model: ClusterModel, component: GbzComponent, told: ChangePaymentMode, turn: GbzTurn
) -> list[Command]:
    """Change the payment mode, and say what the meter has for prepayment."""
    if bool(told.control & PREPAYMENT) is not _PREPAYS[turn.use_case]:
        raise ComponentFailedError(Status.INVALID_FIELD)
    values: dict[str, Value] = {"payment_control": told.control}
    if told.cut_off != _AS_IT_IS:
        values["cut_off_millipence"] = told.cut_off
    model.dated(component, turn, told.start_s, values)
    number = model.store.number
    has_friendly = bool(model.store.rows("friendly_days"))
    return [
        ChangePaymentModeResponse(
            int(has_friendly),
            number("friendly_calendar_id"),
            number("emergency_credit_limit_millipence"),
            number("emergency_credit_threshold_millipence"),
        )
    ]


def set_low_credit(
    model: ClusterModel, component: GbzComponent, told: SetLowCreditWarningLevel, turn: GbzTurn
) -> None:
    """Set the balance at which the customer is warned, together with the rest of the message.

    Source:
        inferred: it says no date, and a future-dated GCS05 is followed by one alert more than it
        has dates (6 of reference gbcs-usecases.tsv).
    """
    start_s = turn.dates[-1] if turn.dates else 0
    model.dated(component, turn, start_s, {"low_credit_warning_millipence": told.level})


def set_events(
    model: ClusterModel, _component: GbzComponent, told: SetEventConfiguration, _turn: GbzTurn
) -> None:
    """Set what events do: those listed, a group's, or all of a configuration."""
    rows: dict[int, int] = dict(model.store.rows("event_configuration"))
    for event in _events(told, rows):
        rows[event] = told.configuration
    model.set(event_configuration=tuple(sorted(rows.items())))


def _events(told: SetEventConfiguration, rows: dict[int, int]) -> list[int]:
    data = told.payload
    if told.control == 0 and data and len(data) == 1 + 2 * data[0]:
        return [int.from_bytes(data[at : at + 2], "little") for at in range(1, len(data), 2)]
    if told.control == 1 and len(data) == 2:
        return [event for event in rows if event >> 8 == data[1] or data[1] == 0xFF]
    if told.control == 2 and len(data) == 1:
        return list(rows)
    if told.control == 3 and len(data) == 1:
        return [event for event, bits in rows.items() if bits == data[0]]
    raise ComponentFailedError(Status.INVALID_FIELD)


#: Binding word -> what carries it out.
SETTINGS: Final[Mapping[str, Work]] = {
    "change-payment-mode": change_payment_mode,
    "set-low-credit": set_low_credit,
    "set-events": set_events,
}
