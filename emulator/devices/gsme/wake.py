"""The wake windows of a sleepy device: when its receiver is on."""

from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, Radio, SetTimer
from emulator.devices.saved import Saved, State

WAKE_TIMER: Final = "wake.open"
SLEEP_TIMER: Final = "wake.close"


@dataclass(slots=True)
class WakeWindow:
    """Opens every ``period_s`` seconds for ``window_s`` seconds, and whenever the device sends.

    Attributes:
        period_s: Seconds from one window to the next.
        window_s: Length of a window in seconds.
        awake: Whether the receiver is on.

    Source:
        F-084; 30 minutes known. A window that opens because the device has something to send:
        inferred (a device can always transmit, and must hear what comes back).
    """

    period_s: int
    window_s: int
    awake: bool = False

    def open_regular(self, now: UtcMs) -> list[Effect]:
        """Open the regular window and plan the next one."""
        return [SetTimer(WAKE_TIMER, UtcMs(now + 1000 * self.period_s)), *self.open(now)]

    def open(self, now: UtcMs) -> list[Effect]:
        """Open a window, or keep an open one open for a whole window more."""
        effects: list[Effect] = [SetTimer(SLEEP_TIMER, UtcMs(now + 1000 * self.window_s))]
        if self.awake:
            return effects
        self.awake = True
        return [Radio(awake=True), Note("wake_window", (("open", True),)), *effects]

    def close(self) -> list[Effect]:
        """Switch the receiver off."""
        self.awake = False
        return [Radio(awake=False), Note("wake_window", (("open", False),))]

    def dump(self) -> State:
        """Return the state as JSON."""
        return {"awake": self.awake}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.awake = saved.flag("awake")
