"""Keypads of emulated meters and buttons of displays, as their customer uses them."""

from typing import Final, Protocol, runtime_checkable

from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.devices.hands import HandOrderError, WithHands, by_hand
from emulator.devices.smets1.device import Smets1Device
from emulator.runtime.box import Box
from emulator.runtime.world import World
from harness.benches.refusals import no_keypad
from harness.ports import KeypadAnswer

_TAKEN: Final = "top_up"
_REFUSED: Final = "top_up_refused"
#: Answer of a meter that shows nothing.
DARK: Final = "dark"


@runtime_checkable
class WithKeypad(Protocol):
    """A device with keys for digits."""

    def key_in(self, code: str, now: UtcMs) -> list[Effect]:
        """Enter the digits of a code."""
        ...


def entered(world: World, box: Box, device: Smets1Device, digits: str) -> KeypadAnswer:
    """Enter a code and let happen what follows from it.

    Args:
        world: Where the meter stands.
        box: The meter's box there.
        device: Its server.
        digits: The code.

    Raises:
        BenchError: The device has no keypad.
    """
    if not isinstance(device, WithKeypad):
        raise no_keypad(box.role.upper(), "it has no keypad")
    effects = device.key_in(digits, UtcMs(world.now_us // 1000))
    world.perform(box, effects)
    for effect in effects:
        if isinstance(effect, Note) and effect.kind == _TAKEN:
            return KeypadAnswer(True)
        if isinstance(effect, Note) and effect.kind == _REFUSED:
            return KeypadAnswer(False, str(dict(effect.fields)["why"]))
    return KeypadAnswer(False, DARK)


def pressed(world: World, box: Box, order: str) -> KeypadAnswer:
    """Let a person do something at a device of a SMETS2+ home; see ``emulator.devices.hands``.

    Args:
        world: Where the device stands.
        box: Its box there.
        order: What the person does: a button's word, ``top-up=CODE``, or a code's digits alone.

    Raises:
        BenchError: The device has no such button.
    """
    device = box.device
    if not isinstance(device, WithHands):
        raise no_keypad(box.role.upper(), "it has no buttons")
    if not box.powered:
        return KeypadAnswer(False, DARK)
    try:
        handled = by_hand(device, order, UtcMs(world.now_us // 1000))
    except HandOrderError as error:
        raise no_keypad(box.role.upper(), str(error)) from error
    world.perform(box, handled.effects)
    return KeypadAnswer(handled.done, handled.why)
