"""How a SMETS1 hub comes onto a mobile network, and tells the head end there that it has come.

Stand-in: how real hubs did it is not public. Ours looks for a network whenever it has none, and
tells a head end that is new to it who it is and what it runs, again and again until that head end
speaks to it.
"""

from collections.abc import Callable
from typing import Final

from device_profiles.dlms import WanSection
from emulator.codecs.dlms import axdr, data_notification
from emulator.codecs.dlms.data_notification import Notification
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SeekNetwork, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.saved import Saved, State

SEEK_TIMER: Final = "sim.seek"
CONTACT_TIMER: Final = "sim.contact"
TIMERS: Final = frozenset({SEEK_TIMER, CONTACT_TIMER})
_INVOKE_IDS: Final = 1 << 24


def first_contact(eui64: Eui64, firmware: str, number: int, moment: bytes) -> bytes:
    """Return the data notification of a hub that has come onto a network.

    Args:
        eui64: The hub's.
        firmware: Version it runs, as its firmware object holds it.
        number: Counts its notifications.
        moment: COSEM date-time of its clock, 12 octets.

    Source:
        stand-in: a structure of EUI-64 and firmware version.
    """
    body = axdr.structure(axdr.octets(eui64.octets), axdr.octets(firmware.encode()))
    return data_notification.encode(Notification(number % _INVOKE_IDS, body, moment))


class Attachment:
    """On which network a hub is, and whether the head end there knows of it.

    Attributes:
        settings: What the hub's profile says; None for a hub whose SIM never moves.
        party: Party whose network it was on last; empty before any.
        attached: Whether it is on that network.
        known: Whether the head end there has spoken to it since it came.
        sent: Notifications sent so far.
    """

    def __init__(self, settings: WanSection | None, party: str) -> None:
        """Take the profile's values, and the party whose network it was installed on."""
        self.settings = settings
        self.party = party
        self.attached = False
        self.known = True
        self.sent = 0

    def power_on(self, now: UtcMs) -> list[Effect]:
        """Look for a network."""
        return self._seek(now)

    def power_off(self) -> list[Effect]:
        """Be on no network."""
        self.attached = False
        return []

    def network(self, party: str, now: UtcMs, tell: Callable[[], Effect]) -> list[Effect]:
        """Take the network's word: whose it is, or that there is none any more (empty).

        Args:
            party: The party, or empty.
            now: The present moment.
            tell: Makes the notification for the head end.
        """
        if not party:
            if not self.attached:
                return []
            self.attached = False
            return [
                Note("wan_attached", (("network", ""),)),
                CancelTimer(CONTACT_TIMER),
                *self._seek(now),
            ]
        if party != self.party:
            self.party, self.known = party, False
        elif self.attached:
            return []
        self.attached = True
        effects: list[Effect] = [CancelTimer(SEEK_TIMER)]
        if not self.known:
            effects += [Note("wan_attached", (("network", party),)), *self._contact(now, tell)]
        return effects

    def on_timer(self, name: str, now: UtcMs, tell: Callable[[], Effect]) -> list[Effect]:
        """Look for a network again, or tell the head end again."""
        if name == SEEK_TIMER:
            return [] if self.attached else self._seek(now)
        return self._contact(now, tell) if self.attached and not self.known else []

    def heard(self) -> list[Effect]:
        """The head end has spoken: it knows."""
        if self.known:
            return []
        self.known = True
        return [CancelTimer(CONTACT_TIMER)]

    def _seek(self, now: UtcMs) -> list[Effect]:
        if self.settings is None:
            return [SeekNetwork()]
        again = UtcMs(now + 1000 * self.settings.retry_s)
        return [SetTimer(SEEK_TIMER, again), SeekNetwork()]

    def _contact(self, now: UtcMs, tell: Callable[[], Effect]) -> list[Effect]:
        self.sent += 1
        effects: list[Effect] = [tell(), Note("first_contact", (("network", self.party),))]
        if self.settings is not None:
            again = UtcMs(now + 1000 * self.settings.contact_repeat_s)
            effects.append(SetTimer(CONTACT_TIMER, again))
        return effects

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "party": self.party,
            "attached": self.attached,
            "known": self.known,
            "sent": self.sent,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.party = saved.text("party")
        self.attached = saved.flag("attached")
        self.known = saved.flag("known")
        self.sent = saved.number("sent")
