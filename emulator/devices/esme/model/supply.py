"""Why supply is on, armed or off: credit that runs out, load limits, tampering, and people."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import SupplyState
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SetTimer
from emulator.devices.consumption import HALF_HOUR_MS
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.model.account import (
    PREPAYMENT_MODE,
    disablement_threshold,
    mode_of,
)
from emulator.devices.esme.model.schedules import Schedule
from emulator.devices.saved import Saved, State

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel

#: Timer of the next look at credit and load.
WATCH_TIMER: Final = "model.watch"
#: Causes for which supply is not on.
CREDIT, LOAD_LIMIT, COMMAND, TAMPER = "credit", "load limit", "command", "tamper"
#: No household of ours draws more, so a limit above is not watched. Source: invented.
MOST_POWER_W: Final = 10_000
#: Script of the non-disablement calendar that begins a period. Source: inferred from RTDS ECS26a
#: (32 on Friday at 18:00 and on Saturday and Sunday, 33 on weekday mornings).
_NON_DISABLEMENT: Final = 32
#: Event of a debt that was paid off.
_PAID_OFF: Final = {
    "debt1": EventCode.DEBT_1_COLLECTED,
    "debt2": EventCode.DEBT_2_COLLECTED,
    "payment_debt": EventCode.PAYMENT_DEBT_COLLECTED,
}
_WORK_PER_WH: Final = 3_600_000
_WRAP: Final = 1 << 32


class Supply:
    """The watch over one meter's supply.

    Attributes:
        cause: Why the supply is off or armed; empty where it is on or just armed by command.
        shown: Conditions that were told of and still hold.
        over_since: When the load went above its limit; None while it is below.
        restore_at: When supply comes back after a load limit, or None.
    """

    __slots__ = ("cause", "over_since", "restore_at", "shown")

    def __init__(self) -> None:
        self.cause = ""
        self.shown: set[str] = set()
        self.over_since: UtcMs | None = None
        self.restore_at: UtcMs | None = None

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "cause": self.cause,
            "shown": [*sorted(self.shown)],
            "over_since": self.over_since,
            "restore_at": self.restore_at,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.cause = saved.text("cause")
        self.shown = set(saved.texts("shown"))
        self.over_since = saved.optional_moment("over_since")
        self.restore_at = saved.optional_moment("restore_at")


# -- watching --------------------------------------------------------------------------------------


def watch(device: "Esme", now: UtcMs) -> list[Effect]:
    """Look at credit and load, act on them, and plan the next look; idle meters plan none."""
    model, supply = device.model, device.model.supply
    prepays = mode_of(model.store) == PREPAYMENT_MODE
    limited = model.store.number("load_limit_threshold_w") < MOST_POWER_W
    if not (prepays or limited or supply.restore_at or supply.cause == CREDIT):
        supply.shown.clear()
        planned = WATCH_TIMER in device.timers
        return [CancelTimer(WATCH_TIMER)] if planned else []
    effects: list[Effect] = []
    times = [UtcMs(now - now % HALF_HOUR_MS + HALF_HOUR_MS)]
    if prepays or supply.cause == CREDIT:
        effects += _watch_credit(device, now, prepays=prepays)
        times += [] if supply.cause else _crossing(model, now)
    if limited or supply.restore_at is not None:
        effects += _watch_load(device, now)
        times += _load_times(model)
    at = UtcMs(max(min(times), now + 1000))
    return (
        effects if device.timers.get(WATCH_TIMER) == at else [*effects, SetTimer(WATCH_TIMER, at)]
    )


def _watch_credit(device: "Esme", now: UtcMs, *, prepays: bool) -> list[Effect]:
    model, supply = device.model, device.model.supply
    model.ledger.settle(now)
    if not prepays:
        return _arm(device, now)
    account, store = model.ledger.account, model.store
    balance, emergency = account.parts["balance"], account.parts["emergency_credit"]
    below = balance <= disablement_threshold(store) and emergency <= 0
    offered = balance <= store.number("emergency_credit_threshold_millipence")
    effects: list[Effect] = []
    for debt in model.ledger.paid_off:
        effects += happened(device, _PAID_OFF[debt], "", now)
    model.ledger.paid_off.clear()
    for code, holds in (
        (EventCode.LOW_CREDIT, account.credit < store.number("low_credit_threshold_millipence")),
        (EventCode.EMERGENCY_CREDIT_AVAILABLE, offered and not account.granted),
        (EventCode.EMERGENCY_CREDIT_EXHAUSTED, below and account.granted > 0),
    ):
        effects += _once(device, code, now, holds=holds)
    if not below:
        supply.shown.discard(EventCode.DISABLEMENT_SUSPENDED.name)
        return [*effects, *(_arm(device, now) if supply.cause == CREDIT else [])]
    if device.switch is not SupplyState.ON:
        return effects
    suspended = in_non_disablement(model, now)
    effects += _once(device, EventCode.DISABLEMENT_SUSPENDED, now, holds=suspended)
    if suspended:
        return effects
    effects += move(device, SupplyState.OFF, CREDIT)
    return [*effects, *happened(device, EventCode.CREDIT_BELOW_DISABLEMENT, "", now)]


def _once(device: "Esme", code: EventCode, now: UtcMs, *, holds: bool) -> list[Effect]:
    """Tell of a condition when it begins to hold."""
    shown = device.model.supply.shown
    if not holds:
        shown.discard(code.name)
        return []
    if code.name in shown:
        return []
    shown.add(code.name)
    return happened(device, code, "", now)


def _arm(device: "Esme", now: UtcMs) -> list[Effect]:
    """Arm a supply that ended for want of credit; a person switches it on."""
    effects = move(device, SupplyState.ARMED)
    return [*effects, *happened(device, EventCode.SUPPLY_ARMED, "", now)]


def in_non_disablement(model: "EsmeModel", now: UtcMs) -> bool:
    """Say whether supply goes on without credit now, by the calendar and the meter's clock."""
    schedule = Schedule(model.store, "non_disablement_calendar", "non_disablement_special_days")
    return bool(schedule) and schedule.last(model.device.local_time(now)) == _NON_DISABLEMENT


def _crossing(model: "EsmeModel", now: UtcMs) -> list[UtcMs]:
    """Return when credit runs out at the power that flows, where that is foreseeable."""
    power, price = model.consumption.power_w(now), model.ledger.price(now)
    account = model.ledger.account
    left = account.credit - disablement_threshold(model.store)
    if power <= 0 or price <= 0 or left < 0:
        return []
    tariff = model.ledger.tariff
    scale = 10 ** max(tariff.commodity_scale - 5 - tariff.price_scale, 0)
    return [UtcMs(now + left * scale * _WORK_PER_WH // (power * price) + 1000)]


# -- load limit ------------------------------------------------------------------------------------


def _watch_load(device: "Esme", now: UtcMs) -> list[Effect]:
    """Count a load that stays above its limit, and switch it off where the meter is to.

    Source:
        SMETS2 in outline (known); alerts 8F01, 8F33, 8F34 by their names (NP).
    """
    model, supply = device.model, device.model.supply
    if supply.restore_at is not None and now >= supply.restore_at:
        supply.restore_at = None
        if supply.cause == LOAD_LIMIT and device.switch is SupplyState.ARMED:
            effects = move(device, SupplyState.ON)
            return [*effects, *happened(device, EventCode.ENABLED_AFTER_LOAD_LIMIT, "", now)]
    if model.consumption.power_w(now) <= model.store.number("load_limit_threshold_w"):
        supply.over_since = None
        supply.shown.discard(LOAD_LIMIT)
        return []
    supply.over_since = now if supply.over_since is None else supply.over_since
    if LOAD_LIMIT in supply.shown or now < supply.over_since + _load_period_ms(model):
        return []
    supply.shown.add(LOAD_LIMIT)
    counter = (model.store.number("load_limit_counter") + 1) % _WRAP
    model.store.put("load_limit_counter", Data(Tag.UINT32, counter))
    effects = happened(device, EventCode.LOAD_LIMIT_EXCEEDED, "", now)
    if not model.store.number("load_limit_supply_state"):
        return effects
    supply.restore_at = UtcMs(now + 1000 * model.store.number("load_limit_restoration_s"))
    effects += move(device, SupplyState.ARMED, LOAD_LIMIT)
    return [*effects, *happened(device, EventCode.ARMED_FOR_LOAD_LIMIT, "", now)]


def _load_times(model: "EsmeModel") -> list[UtcMs]:
    supply = model.supply
    times = [] if supply.restore_at is None else [supply.restore_at]
    if supply.over_since is not None and LOAD_LIMIT not in supply.shown:
        times.append(UtcMs(supply.over_since + _load_period_ms(model)))
    return times


def _load_period_ms(model: "EsmeModel") -> int:
    return 1000 * model.store.number("load_limit_period_s")


# -- moving the switch -----------------------------------------------------------------------------


def move(device: "Esme", target: SupplyState, cause: str = "") -> list[Effect]:
    """Move the load switch, and keep why."""
    device.model.supply.cause = cause
    if target is SupplyState.ON:
        device.model.supply.restore_at = None
    device.switch = target
    return [Note("switch", (("state", target.value), ("cause", cause)))]


def enable(device: "Esme") -> list[Effect] | None:
    """Switch an armed supply on, as a person does; None where it is not armed."""
    if device.switch is not SupplyState.ARMED:
        return None
    return move(device, SupplyState.ON)
