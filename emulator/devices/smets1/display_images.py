"""Images that reach a display over its HAN, and how it starts one when the hub says when."""

import enum
from typing import ClassVar, Final

from device_profiles.schema import DeviceProfile
from emulator.codecs import ota_file
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.ota_client import UPGRADE_TIMER
from emulator.devices.ota_table import OtaEvent
from emulator.devices.saved import Saved, State
from emulator.devices.smets1.image import objection_to
from emulator.devices.smets1.image_client import HanImages

FINISH_TIMER: Final = "display.started"


class Started(enum.Enum):
    """How a restart ended."""

    NEW = "new"
    OLD = "old"


class DisplayImages(HanImages):
    """The OTA side of one display.

    Attributes:
        running: Version that executes, four octets.
        waiting: Version of the verified image that waits, or None.
        restarting: Whether it starts an image just now.
        self_test_fails: Whether the firmware started next fails its self-test.
        takes: Whether it takes images at all.
    """

    obeys_upgrade_time: ClassVar[bool] = True

    def __init__(self, eui64: Eui64, profile: DeviceProfile, hub: Eui64, *, takes: bool) -> None:
        """Take the display, its model, its hub, and whether it takes images."""
        super().__init__(profile, hub, profile.identity.version_number)
        self.eui64 = eui64
        self.running = profile.identity.version_octets
        self.waiting: bytes | None = None
        self.restarting = False
        self.self_test_fails = False
        self.takes = takes

    def take(self, octets: bytes, now: UtcMs) -> str:  # noqa: ARG002 - a meter enters the moment
        """Keep an image that is for this display; return why it is not."""
        self.waiting = None
        why = self.why_not(octets)
        if not why:
            self.waiting = ota_file.decode_header(octets).version_octets
        return why

    def why_not(self, octets: bytes) -> str:
        """Return why an image is not for this display; empty when it is."""
        return objection_to(octets, self.profile, self.eui64, self.running)

    def why_postpone(self) -> str:
        """Return why no download may begin or go on now."""
        return super().why_postpone() if self.takes else "it takes no images"

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of the client's: at the hub's upgrade time, start the image that waits."""
        return self.start(now) if name == UPGRADE_TIMER else super().on_timer(name, now)

    def start(self, now: UtcMs) -> list[Effect]:
        """Start the image that waits; until it runs the display is dark."""
        self.ota.upgrade_at = None
        if self.waiting is None:
            return [Note("activation_refused", (("why", "no image"),))]
        self.restarting = True
        at = UtcMs(now + 1000 * self.profile.firmware.activation_s)
        version = self.waiting.hex()
        return [Note("activation_started", (("to", version),)), SetTimer(FINISH_TIMER, at)]

    def finish(self, now: UtcMs) -> tuple[Started, list[Effect]]:
        """End the restart: the new version executes, or failed its self-test and the old does."""
        waiting, fails = self.waiting, self.self_test_fails
        self.restarting, self.self_test_fails, self.waiting = False, False, None
        if waiting is None or fails:
            note = Note("activation_failed", (("version", self.running.hex()),))
            dropped = self.ota.handle(OtaEvent.DROPPED, None, now)
            return Started.OLD, [note, *dropped]
        self.running = waiting
        note = Note("firmware_activated", (("to", waiting.hex()),))
        return Started.NEW, [note, *self.runs(int.from_bytes(waiting, "big"), now)]

    def power_on(self, now: UtcMs) -> list[Effect]:
        """Go on with what was under way when power went."""
        effects = super().power_on(now)
        if self.restarting:
            at = UtcMs(now + 1000 * self.profile.firmware.activation_s)
            effects.append(SetTimer(FINISH_TIMER, at))
        return effects

    def ask(self, now: UtcMs) -> list[Effect]:
        """Ask the hub for an image: what a display does that has just started."""
        return self.ota.handle(OtaEvent.QUERY_DUE, None, now)

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            **super().dump(),
            "running": self.running.hex(),
            "waiting": None if self.waiting is None else self.waiting.hex(),
            "restarting": self.restarting,
            "self_test_fails": self.self_test_fails,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        super().load(saved)
        self.running = saved.octets("running")
        self.waiting = saved.optional_octets("waiting")
        self.restarting = saved.flag("restarting")
        self.self_test_fails = saved.flag("self_test_fails")
