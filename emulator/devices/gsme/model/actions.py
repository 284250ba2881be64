"""Commands that only the gas meter itself carries out: money, valve, sampling, logs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.gbcs.metering import SupplyStatus
from emulator.codecs.zcl.account import (
    ChangeDebt,
    ConsumerTopUp,
    ConsumerTopUpResponse,
    CreditAdjustment,
    SelectAvailableEmergencyCredit,
)
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.device_management import (
    ClearEventLog,
    ClearEventLogResponse,
    RequestNewPasswordResponse,
)
from emulator.codecs.zcl.events import LogId
from emulator.codecs.zcl.foundation import Status
from emulator.codecs.zcl.metering import ChangeSupply, SupplyStatusResponse
from emulator.codecs.zcl.price import GetCurrentPrice
from emulator.codecs.zcl.snapshots import StartSampling, StartSamplingResponse
from emulator.core.clock import to_zigbee_seconds
from emulator.core.effects import Note
from emulator.devices.checks import CommandRefusedError, Complaint
from emulator.devices.gbz_engine import ComponentFailedError, GbzTurn, NotThereError
from emulator.devices.gsme.model import top_ups
from emulator.devices.gsme.model.account import DEBTS, PARTS, is_prepayment
from emulator.devices.gsme.model.clusters import Work
from emulator.devices.gsme.model.reads import price_told
from emulator.devices.gsme.model.types import Value

if TYPE_CHECKING:
    from emulator.devices.gsme.model.model import GasModel

#: Use case -> status that a Change Supply of it proposes; a gas valve never opens remotely.
_PROPOSED: Final = {"GCS32": SupplyStatus.OFF, "GCS39": SupplyStatus.OFF_ARMED}
_BY_SHARE: Final = 1
_REJECTED: Final = -1
#: Sample identifier of the network data log. Source: RTDS GCS18.
_NETWORK: Final = 2


def get_price(
    model: "GasModel", _component: GbzComponent, _asked: GetCurrentPrice, turn: GbzTurn
) -> list[Command]:
    """Publish the price that counts now."""
    shown = model.device.local_time(turn.now)
    found = model.price_now(shown)
    if found is None:
        raise NotThereError
    number = model.store.number
    return [
        price_told(model, found, shown, number("unit_of_measure"), number("tiers_in_use")),
    ]


def adjust_credit(
    model: "GasModel", _component: GbzComponent, told: CreditAdjustment, turn: GbzTurn
) -> None:
    """Adjust or set the balance of prepayment (GCS40a, b) or of credit mode (GCS40c, d)."""
    part = "credit" if turn.use_case in {"GCS40a", "GCS40b"} else "bill"
    sets = turn.use_case in {"GCS40b", "GCS40d"}
    model.check(PARTS[part])
    model.ledger.settle(turn.now)
    if sets:
        model.ledger.account.put(part, told.value)
    else:
        model.ledger.account.add(part, told.value)
    model.credit_changed(turn)


def change_debt(
    model: "GasModel", _component: GbzComponent, told: ChangeDebt, turn: GbzTurn
) -> None:
    """Change a debt and how it is recovered."""
    index, adds = divmod(told.amount_type, 2)
    if index >= len(DEBTS):
        raise ComponentFailedError(Status.INVALID_FIELD)
    values: dict[str, Value] = {}
    if index < 2:
        values[f"debt_{index + 1}_frequency"] = told.frequency
        values[f"debt_{index + 1}_recovery_millipence"] = told.recovery_amount
        values[f"debt_{index + 1}_collection_min"] = told.collection_min
    elif told.method == _BY_SHARE:
        values["debt_3_share"] = told.recovery_share
    model.check(*values, PARTS[DEBTS[index]])
    model.ledger.settle(turn.now)
    model.set(**values)
    if adds:
        model.ledger.account.add(DEBTS[index], told.amount)
    else:
        model.ledger.account.put(DEBTS[index], told.amount)


def select_emergency_credit(
    model: "GasModel",
    _component: GbzComponent,
    _told: SelectAvailableEmergencyCredit,
    turn: GbzTurn,
) -> None:
    """Grant emergency credit: in prepayment mode, when none is left, and not above its threshold.

    Source:
        RTDS GCS06: granted although there is accumulated debt.
    """
    model.ledger.settle(turn.now)
    account, store = model.ledger.account, model.store
    allowed = (
        is_prepayment(store)
        and account.parts["emergency"] == 0
        and account.parts["credit"] <= store.number("emergency_credit_threshold_millipence")
    )
    if not allowed:
        raise ComponentFailedError
    account.put("emergency", store.number("emergency_credit_limit_millipence"))
    model.credit_changed(turn)


def top_up(
    model: "GasModel", _component: GbzComponent, told: ConsumerTopUp, turn: GbzTurn
) -> list[Command]:
    """Take a top-up, or say that it is rejected."""
    value = top_ups.take(model, told.code.decode("latin-1"), turn)
    if value is None:
        return [ConsumerTopUpResponse(1, _REJECTED, told.origin, _REJECTED)]
    model.credit_changed(turn)
    return [ConsumerTopUpResponse(0, value, told.origin, model.ledger.account.parts["credit"])]


def change_supply(
    model: "GasModel", _component: GbzComponent, told: ChangeSupply, turn: GbzTurn
) -> list[Command]:
    """Close or arm the valve; one that does not move fails.

    Raises:
        CommandRefusedError: Another status than this use case's is proposed.

    Source:
        RTDS GCS32 (success, error); GCS39 by the same layout [inferred: no vector at hand].
    """
    if told.proposed_status is not _PROPOSED[turn.use_case]:
        why = "not the Change Supply of this use case"
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, why)
    if not model.device.move_valve(told.proposed_status):
        turn.effects.append(Note("valve_stuck"))
        raise ComponentFailedError
    turn.effects.append(Note("valve", (("state", model.device.valve.value),)))
    return [
        SupplyStatusResponse(
            told.provider_id,
            told.issuer_event_id,
            told.implementation_time_s,
            model.device.status,
        )
    ]


def start_sampling(
    model: "GasModel", _component: GbzComponent, told: StartSampling, turn: GbzTurn
) -> list[Command]:
    """Begin the network data log anew."""
    if not told.interval_s or not told.most:
        raise ComponentFailedError(Status.INVALID_FIELD)
    shown = to_zigbee_seconds(model.device.local_time(turn.now))
    start_s = told.start_s or shown
    model.set(
        network_sampling_from=start_s,
        network_interval_s=told.interval_s,
        network_samples_most=told.most,
        network_samples_dm3=(),
    )
    return [StartSamplingResponse(_NETWORK)]


def new_password(
    model: "GasModel",
    _component: GbzComponent,
    told: RequestNewPasswordResponse,
    _turn: GbzTurn,
) -> None:
    """Keep the customer's privacy PIN, or none: protection ends."""
    model.set(privacy_pin=told.password)


def clear_event_log(
    model: "GasModel", component: GbzComponent, told: ClearEventLog, _turn: GbzTurn
) -> list[Command]:
    """Empty the event log; the security log is never emptied."""
    where = f"{component.cluster:04x}/c{component.command:02x}"
    if told.log != LogId.GENERAL or where in model.broken:
        return [ClearEventLogResponse(0)]
    model.device.event_log.clear()
    model.set(events=())
    return [ClearEventLogResponse(1 << told.log)]


#: Binding word -> what carries it out.
ACTIONS: Final[Mapping[str, Work]] = {
    "get-price": get_price,
    "adjust-credit": adjust_credit,
    "change-debt": change_debt,
    "select-emergency-credit": select_emergency_credit,
    "top-up": top_up,
    "change-supply": change_supply,
    "start-sampling": start_sampling,
    "new-password": new_password,
    "clear-event-log": clear_event_log,
}
