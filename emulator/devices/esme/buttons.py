"""The keypad of an ESME: the orders a person can give at it."""

from functools import partial
from typing import TYPE_CHECKING, Final

from emulator.core.clock import UtcMs
from emulator.devices import hands
from emulator.devices.esme import life, privacy
from emulator.devices.esme.life import Button
from emulator.devices.esme.model.top_ups import TopUpOutcome
from emulator.devices.hands import Buttons, Handled

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

_NOT_DONE: Final = "not actioned"
_DARK: Final = Handled(False, "dark", [])


def buttons_of(device: "Esme") -> Buttons:
    """Return the orders of a meter's keypad; a meter without power does nothing."""
    if not device.hears or device.consumption is None:
        return dict.fromkeys(_WORDS, lambda _entered, _now: _DARK)
    return {
        hands.TOP_UP: partial(_top_up, device),
        hands.EMERGENCY_CREDIT: partial(_press, device, Button.ACTIVATE_EMERGENCY_CREDIT),
        hands.ENABLE_SUPPLY: partial(_press, device, Button.ENABLE_SUPPLY),
        _BOOST: partial(_boost, device),
        _SET_PIN: partial(_set_pin, device),
        _PIN: partial(_enter_pin, device),
    }


_BOOST: Final = "boost"
_SET_PIN: Final = "set-pin"
_PIN: Final = "pin"
_WORDS: Final = (hands.TOP_UP, hands.EMERGENCY_CREDIT, hands.ENABLE_SUPPLY, _BOOST, _SET_PIN, _PIN)


def _top_up(device: "Esme", digits: str, now: UtcMs) -> Handled:
    taken, effects = life.enter_code(device, digits, now)
    good = taken.outcome is TopUpOutcome.ACCEPTED
    return Handled(good, "" if good else taken.outcome.value, effects)


def _press(device: "Esme", button: Button, _entered: str, now: UtcMs) -> Handled:
    done, effects = life.press(device, button, now)
    return Handled(done, "" if done else _NOT_DONE, effects)


def _boost(device: "Esme", minutes: str, now: UtcMs) -> Handled:
    if not minutes.isdecimal():
        return Handled(False, "boost takes minutes", [])
    done, effects = life.press_boost(device, int(minutes), now)
    return Handled(done, "" if done else _NOT_DONE, effects)


def _set_pin(device: "Esme", digits: str, now: UtcMs) -> Handled:
    done = privacy.set_pin(device, digits, now)
    return Handled(done, "" if done else "four digits are due, and the old PIN first", [])


def _enter_pin(device: "Esme", digits: str, now: UtcMs) -> Handled:
    done = privacy.enter_pin(device, digits, now)
    return Handled(done, "" if done else "wrong PIN", [])
