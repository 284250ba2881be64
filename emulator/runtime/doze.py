"""Homes that doze: a sleeping meter that nobody has anything for does not wake in vain.

In a home at rest every meter that sleeps wakes all half hour long, asks its hub, hears that there
is nothing, and sleeps again. Where many homes stand beside each other and nobody listens, these
windows are passed over: the home costs nothing until somebody turns to it, and is then as far in
its last window, or between two, as it would have been. Numbers that only windows use up (of frames
and transactions) stay behind, and frames that nobody would have read are not there.
"""

from typing import Any, Final

from emulator.devices.gsme.wake import WAKE_TIMER, WakeWindow
from emulator.han.tunnel_client import TunnelClient
from emulator.han.tunnel_server import TunnelServer
from emulator.runtime.agenda import Entry, Micros
from emulator.runtime.box import Box
from emulator.runtime.scene import Scene

#: Frames of a window that is over have arrived so long after its end. Source: invented.
_TAIL_US: Final = 1_000_000


class SharedMoment:
    """The present moment of homes that move together: each comes to it when it is turned to.

    Attributes:
        us: Microseconds since 1970; everything due before has happened.
    """

    __slots__ = ("us",)

    def __init__(self, us: int = 0) -> None:
        self.us = us


def is_dozing(scene: Scene) -> bool:
    """Say whether the next thing in a home is a window in which nothing will come of anything.

    It follows from the home's state alone, so that a home that was put back dozes as before.
    """
    if not scene.agenda.next_is(WAKE_TIMER) or scene.schedule.is_at_work:
        return False
    return all(_has_nothing_to_do(box) for box in scene.boxes)


def _has_nothing_to_do(box: Box) -> bool:
    if not box.powered:
        return False
    tunnel = box.tunnel
    if isinstance(tunnel, TunnelServer):
        return not tunnel.has_messages
    if not box.sleepy:
        return not tunnel.has_messages
    at_ease: bool = getattr(box.inside, "at_ease", False)
    return at_ease and not box.awake and _answers_nobody(tunnel)


def _answers_nobody(tunnel: TunnelClient) -> bool:
    return tunnel.is_open and not tunnel.has_messages


def next_waking(scene: Scene) -> Micros | None:
    """Return when the next thing happens in a home that dozes; None when nothing will."""
    return scene.agenda.next_but(WAKE_TIMER)


def pass_over(scene: Scene, at_us: Micros) -> bool:
    """Put windows off that lie before a moment; says whether there were any.

    A window that is open at that moment is not put off: it is to be lived through.
    """
    due_us = scene.agenda.next_due()
    if due_us is None or due_us > at_us or not is_dozing(scene):
        return False

    def later(entry: Entry) -> Micros:
        window: Any = getattr(scene.boxes[entry[3]].inside, "window", None)
        if not isinstance(window, WakeWindow) or entry[0] > at_us:
            return entry[0]
        period_us = window.period_s * 1_000_000
        last_us = entry[0] + (at_us - entry[0]) // period_us * period_us
        is_open = at_us - last_us <= window.window_s * 1_000_000 + _TAIL_US
        return last_us if is_open else last_us + period_us

    scene.agenda.put_off(later)
    return True
