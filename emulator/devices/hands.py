"""What a person does at a device: presses a button, enters a code. Written as one order each.

An order is a word, or a word and what is entered: ``top-up=73947…``, ``emergency-credit``,
``boost=30``. Twenty digits alone are a top-up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from emulator.core.clock import UtcMs
from emulator.core.effects import Effect

TOP_UP: Final = "top-up"
EMERGENCY_CREDIT: Final = "emergency-credit"
ENABLE_SUPPLY: Final = "enable-supply"


class HandOrderError(ValueError):
    """A device has no such button."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What a person sees at once.

    Attributes:
        done: Whether the device did it; what it asks of another device shows later.
        why: Where not, why.
        effects: What follows.
    """

    done: bool
    why: str
    effects: list[Effect]


#: Order's word -> what it does with what is entered, at a moment.
Buttons = Mapping[str, Callable[[str, UtcMs], Handled]]


@runtime_checkable
class WithHands(Protocol):
    """A device with buttons."""

    @property
    def buttons(self) -> Buttons:
        """The words of its orders."""
        ...


def by_hand(device: WithHands, order: str, now: UtcMs) -> Handled:
    """Let a person do something at a device.

    Raises:
        HandOrderError: It has no such button.
    """
    word, _, entered = (f"{TOP_UP}={order}" if order.isdigit() else order).partition("=")
    button = device.buttons.get(word)
    if button is None:
        known = ", ".join(sorted(device.buttons))
        raise HandOrderError(f"{order!r} is no order for it; known: {known}")
    return button(entered, now)


def asked(effects: list[Effect]) -> Handled:
    """Return what a person sees who asked another device: nothing, where nothing was sent."""
    return Handled(bool(effects), "" if effects else "dark, or no such meter", effects)
