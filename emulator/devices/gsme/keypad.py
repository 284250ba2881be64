"""The keypad of a gas meter: a token, emergency credit, and opening an armed valve."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from emulator.codecs.gbcs.envelope import Cra, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.zcl import account
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import Effect
from emulator.devices import hands
from emulator.devices.gbz_engine import ComponentFailedError, GbzTurn
from emulator.devices.gsme.model import actions
from emulator.devices.hands import Buttons, Handled

if TYPE_CHECKING:
    from emulator.devices.gsme.gsme import Gsme

#: Who brought it: the meter's own keypad. Source: invented (RTDS PCS02 has 2, an in-home device).
_AT_THE_METER: Final = 0
Work = Callable[..., Any]
_DARK: Final = Handled(False, "dark", [])


def buttons_of(device: "Gsme") -> Buttons:
    """Return the orders of a meter's keypad."""
    return {
        hands.TOP_UP: partial(_top_up, device),
        hands.EMERGENCY_CREDIT: partial(_emergency_credit, device),
        hands.ENABLE_SUPPLY: partial(_open, device),
    }


def _act(device: "Gsme", work: Work, told: object, now: UtcMs) -> list[Effect] | None:
    """Carry out what a command would; None where it cannot be."""
    header = GroupingHeader(Cra.COMMAND, 0, device.eui64, device.eui64, OtherInformation(0))
    turn = GbzTurn("keypad", 0, header, now, bytes, frozenset(), frozenset())
    component = GbzComponent(account.CLUSTER, 0, 0, 0, b"")
    try:
        answers = work(device.model, component, told, turn)
    except ComponentFailedError:
        return None
    device.model.changed = True
    refused = any(getattr(one, "result", 0) for one in answers or ())
    return None if refused else turn.effects


def _top_up(device: "Gsme", digits: str, now: UtcMs) -> Handled:
    if not device.hears:
        return _DARK
    told = account.ConsumerTopUp(_AT_THE_METER, digits.encode("ascii", "replace"))
    effects = _act(device, actions.top_up, told, now)
    return Handled(effects is not None, "" if effects is not None else "rejected", effects or [])


def _emergency_credit(device: "Gsme", _entered: str, now: UtcMs) -> Handled:
    if not device.hears:
        return _DARK
    at_s = to_zigbee_seconds(device.local_time(now))
    told = account.SelectAvailableEmergencyCredit(at_s, _AT_THE_METER)
    effects = _act(device, actions.select_emergency_credit, told, now)
    done = effects is not None
    return Handled(done, "" if done else "not actioned", effects or [])


def _open(device: "Gsme", _entered: str, now: UtcMs) -> Handled:
    effects = device.open_by_hand(now) if device.hears else []
    return Handled(bool(effects), "" if effects else "the valve is not armed", effects)
