"""What an ESME lives through: timers of its model, outages, tampering, and people at its keypad."""

import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from device_profiles.words import SupplyState
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, SetTimer
from emulator.devices.esme import privacy
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.model import boost, limits, reports, supply, top_ups, voltage
from emulator.devices.esme.model.credit import grant_emergency_credit
from emulator.devices.esme.model.reports import BILLING_TIMER, OUTAGE_TIMER, OUTAGE_TOLD_MS
from emulator.devices.esme.model.supply import TAMPER, WATCH_TIMER
from emulator.devices.esme.model.top_ups import TopUp

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme


class Button(enum.StrEnum):
    """What a person may do at a meter, or at a PPMID for it."""

    ACTIVATE_EMERGENCY_CREDIT = "activate emergency credit"
    ENABLE_SUPPLY = "enable supply"


class Tamper(enum.StrEnum):
    """Physical access that a meter notices."""

    METER_COVER = "meter cover"
    TERMINAL_COVER = "terminal cover"
    MAGNETIC_FIELD = "magnetic field"
    OTHER = "other"


_MOST_U16: Final = 0xFFFF
#: Tampering -> its event, and that of its end; other tampering has no end.
_TAMPERING: Final = {
    Tamper.METER_COVER: (EventCode.METER_COVER_REMOVED, EventCode.METER_COVER_CLOSED),
    Tamper.TERMINAL_COVER: (EventCode.TERMINAL_COVER_REMOVED, EventCode.TERMINAL_COVER_CLOSED),
    Tamper.MAGNETIC_FIELD: (EventCode.MAGNETIC_FIELD, EventCode.MAGNETIC_FIELD_REMOVED),
    Tamper.OTHER: (EventCode.TAMPER_DETECTED, None),
}


def _watch_reached(device: "Esme", now: UtcMs) -> list[Effect]:
    """Do nothing here: credit and load are looked at after every event."""
    del device, now
    return []


def _outage_reached(device: "Esme", now: UtcMs) -> list[Effect]:
    outage, device.model.outage = device.model.outage, None
    return [] if outage is None else reports.tell_outage(device, *outage, now)


#: Timer -> what it does.
TIMERS: Final[Mapping[str, Callable[["Esme", UtcMs], list[Effect]]]] = {
    WATCH_TIMER: _watch_reached,
    BILLING_TIMER: reports.billing_date,
    OUTAGE_TIMER: _outage_reached,
    limits.LIMIT_TIMER: limits.reached,
    voltage.VOLTAGE_TIMER: voltage.look,
    boost.BOOST_TIMER: boost.reached,
}


def wait(device: "Esme", now: UtcMs) -> list[Effect]:
    """Set the timers of what the model waits for."""
    effects = [*reports.wait_for_billing(device, now), *limits.wait(device, now)]
    effects += boost.wait(device, now)
    if device.consumption is not None:
        effects += voltage.wait(device, now)
    if device.model.outage is not None:
        effects.append(SetTimer(OUTAGE_TIMER, UtcMs(now + OUTAGE_TOLD_MS)))
    return effects


def power_returned(device: "Esme", now: UtcMs) -> list[Effect]:
    """Log an outage that ended; a long one is told of after a while."""
    began, device.model.lost_at = device.model.lost_at, None
    if began is None:
        return []
    ended = device.local_time(now)
    long = ended - began >= reports.LONG_OUTAGE_MS
    code = EventCode.LONG_OUTAGE_RESTORED if long else EventCode.OUTAGE_RESTORED
    device.model.note_power(began, EventCode.SUPPLY_INTERRUPTED)
    device.model.note_power(ended, code)
    device.model.outage = (began, ended) if long else None
    return [] if long or OUTAGE_TIMER not in device.timers else [CancelTimer(OUTAGE_TIMER)]


# -- people and things at the meter ----------------------------------------------------------------


def enter_code(device: "Esme", digits: str, now: UtcMs) -> tuple[TopUp, list[Effect]]:
    """Take a token from the keypad."""
    top_up, effects = top_ups.take(device, digits, now)
    return top_up, [*effects, *device.follow_up(now)]


def press(device: "Esme", button: Button, now: UtcMs) -> tuple[bool, list[Effect]]:
    """Take a button of the meter; say whether it did anything."""
    done, effects = act(device, button, now)
    return done, [*effects, *_pressed(device, button.value, now, done=done)]


def press_boost(device: "Esme", minutes: int, now: UtcMs) -> tuple[bool, list[Effect]]:
    """Take the boost button, pressed until it shows a period; 0 ends a boost."""
    effects = boost.press(device, minutes, now)
    done = effects is not None
    effects = [*(effects or []), *_pressed(device, f"boost {minutes}", now, done=done)]
    device.keep_timers(effects)
    return done, effects


def _pressed(device: "Esme", what: str, now: UtcMs, *, done: bool) -> list[Effect]:
    """Log and tell what came of a button."""
    code = EventCode.USER_COMMAND_ACTIONED if done else EventCode.USER_COMMAND_NOT_ACTIONED
    return [*happened(device, code, what, now), *device.follow_up(now)]


def act(device: "Esme", button: Button, now: UtcMs) -> tuple[bool, list[Effect]]:
    """Do what a person asks for, at the meter or from a PPMID; not behind a privacy PIN.

    Source:
        inferred: a PIN keeps strangers from credit and supply as from the screen; ZSE has no
        command by which a PPMID could bring it, so it is entered at the meter.
    """
    if not privacy.is_open(device, now):
        return False, []
    if button is Button.ENABLE_SUPPLY:
        effects = supply.enable(device)
    else:
        effects = grant_emergency_credit(device, now)
    return effects is not None, effects or []


def tamper(device: "Esme", kind: Tamper, now: UtcMs, *, ended: bool = False) -> list[Effect]:
    """Notice physical access, or its end; the supply is locked where the meter is told to.

    Source:
        Events by their names (NP); the lock by ECS81 and 81BE: inferred.
    """
    effects = _noticed(device, kind, now, ended=ended)
    return [*effects, *device.follow_up(now)]


def _noticed(device: "Esme", kind: Tamper, now: UtcMs, *, ended: bool) -> list[Effect]:
    begun, end = _TAMPERING[kind]
    code = end if ended else begun
    if code is None:
        return []
    effects = happened(device, code, kind.value, now)
    locks = not ended and device.model.store.number("supply_tamper_state")
    if locks and device.switch is not SupplyState.OFF:
        effects += supply.move(device, SupplyState.OFF, TAMPER)
        effects += happened(device, EventCode.LOCKED_FOR_TAMPER, kind.value, now)
    return effects


def disturb_voltage(device: "Esme", volts: int, now: UtcMs) -> list[Effect]:
    """Let the supply have another voltage from now on; 0: as usual again."""
    effects = voltage.disturb(device, volts, now)
    device.keep_timers(effects)
    return effects


# -- faults that a bench orders --------------------------------------------------------------------

#: Kinds of what a bench lets happen at the next event: ``tamper:meter cover``, ``voltage:180``,
#: ``integrity:0007``.
HAPPENINGS: Final = frozenset({"tamper", "voltage", "integrity"})


def check_happening(fault: str) -> None:
    """Refuse what cannot happen.

    Raises:
        ValueError: No such tampering, or no number.
    """
    kind, _, what = fault.partition(":")
    if kind == "tamper":
        Tamper(what)
    elif not 0 <= int(what, 16 if kind == "integrity" else 10) <= _MOST_U16:
        raise ValueError(f"{fault}: out of range")


def happen(device: "Esme", now: UtcMs) -> list[Effect]:
    """Let happen what a bench ordered."""
    effects: list[Effect] = []
    ordered, device.happening = device.happening, []
    for fault in ordered:
        kind, _, what = fault.partition(":")
        if kind == "tamper":
            effects += _noticed(device, Tamper(what), now, ended=False)
        elif kind == "voltage":
            effects += disturb_voltage(device, int(what), now)
        else:
            effects += reports.tell_integrity(device, int(what, 16), now)
    return effects
