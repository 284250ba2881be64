"""Activation of a pending image: at once, at a set time, or when the hub says so."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DowngradePolicy, PathwayPolicy
from emulator.codecs.gbcs.asn1 import ActivationCode
from emulator.core.clock import UtcMs, iso
from emulator.core.effects import CancelTimer, Effect, Note, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.firmware_slots import FirmwareSlots, PendingImage
from emulator.devices.replies import ReplyTo
from emulator.devices.saved import Saved, State
from emulator.devices.saved_row import SavedRow

EXECUTE_TIMER: Final = "activation.execute"
FINISH_TIMER: Final = "activation.finish"


class Cause(enum.StrEnum):
    """What asked for an activation, and so who is told of its outcome."""

    COMMAND = "command"
    SCHEDULE = "schedule"
    UPGRADE_TIME = "upgrade_time"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Scheduled(SavedRow):
    """A future-dated CS06.

    Attributes:
        image_hash: Hash it names, 32 octets.
        counter: Its originator counter.
        originator: Who sent it and is told of the outcome.
        at: Execution time.
    """

    image_hash: bytes
    counter: int
    originator: Eui64
    at: UtcMs


@dataclass(frozen=True, slots=True)
class Running:
    """An activation under way; kept over a power loss, as a boot loader keeps it.

    Attributes:
        cause: What asked for it.
        reply_to: The command that waits for its response (cause COMMAND).
        schedule: The future-dated command (cause SCHEDULE).
        image: The image being started; a newer one may become pending meanwhile.
    """

    cause: Cause
    reply_to: ReplyTo | None = None
    schedule: Scheduled | None = None
    image: PendingImage | None = None


@dataclass(slots=True)
class Activation:
    """The activation side of a device's firmware.

    Attributes:
        slots: What firmware is held.
        profile: Duration and policies.
        scheduled: The future-dated command that waits, or None; a newer one replaces it.
        running: The activation under way, or None.
        self_test_fails: Whether the firmware started next fails its self-test (a fault to inject).
        stepping_stones: Version -> versions it may be installed over; a version that is not named
            may be installed over any.
        bricked: Whether the device started firmware that does not run on it.

    Source:
        Order of CS06: F-031 (GBCS v0.8.1 p140); policies F-044 and FM-65. A failed image is
        dropped: inferred (F-033 keeps one pending image, and this one cannot run).
    """

    slots: FirmwareSlots
    profile: DeviceProfile
    scheduled: Scheduled | None = None
    running: Running | None = None
    self_test_fails: bool = False
    stepping_stones: Mapping[bytes, frozenset[bytes]] = field(default_factory=dict)
    bricked: bool = False

    def schedule(self, command: Scheduled, offset_ms: int) -> list[Effect]:
        """Keep a future-dated command; ``offset_ms`` is what the device's clock is ahead."""
        self.scheduled = command
        at = UtcMs(command.at - offset_ms)
        note = Note("activation_scheduled", (("at", iso(command.at)), ("counter", command.counter)))
        return [SetTimer(EXECUTE_TIMER, at), note]

    def cancel(self) -> list[Effect]:
        """Forget the future-dated command; the pending image stays (F-035)."""
        held, self.scheduled = self.scheduled is not None, None
        return [CancelTimer(EXECUTE_TIMER), Note("activation_cancelled", (("held", held),))]

    def begin(
        self, image_hash: bytes | None, running: Running, now: UtcMs
    ) -> tuple[ActivationCode | None, list[Effect]]:
        """Begin to run the pending image, or say why not.

        Args:
            image_hash: Hash that was named; None where the hub asks for what is pending.
            running: What asked for it.
            now: The present moment.

        Returns:
            A code when it is decided already, None while the device restarts; and effects.
        """
        code = self.refusal(image_hash)
        if code is not None:
            return code, [Note("activation_refused", (("code", code.name),))]
        pending = self.slots.pending
        self.running = replace(running, image=pending)
        version = "" if pending is None else pending.version.hex()
        at = UtcMs(now + 1000 * self.profile.firmware.activation_s)
        note = Note("activation_started", (("version", version), ("cause", running.cause)))
        return None, [note, SetTimer(FINISH_TIMER, at)]

    def refusal(self, image_hash: bytes | None) -> ActivationCode | None:
        """Return why an activation cannot begin, in the order of F-031; None when it can."""
        pending = self.slots.pending
        if pending is None:
            return ActivationCode.NO_IMAGE_HELD
        if image_hash is not None and image_hash != pending.manufacturer_image_hash:
            return ActivationCode.HASH_MISMATCH
        if self.running is not None or self.refuses_version(pending.version):
            return ActivationCode.ACTIVATION_FAILURE
        return None

    def refuses_version(self, version: bytes) -> bool:
        """Say whether a policy of this device keeps it from running ``version``."""
        firmware = self.profile.firmware
        downgrade = version < self.slots.running
        if downgrade and firmware.downgrade_policy is DowngradePolicy.REFUSE_AT_ACTIVATION:
            return True
        return self.off_pathway(version) and firmware.pathway_policy is PathwayPolicy.REFUSE

    def off_pathway(self, version: bytes) -> bool:
        """Say whether the running version is no stepping stone to ``version``."""
        stones = self.stepping_stones.get(version)
        return stones is not None and self.slots.running not in stones

    def finish(self) -> tuple[Running | None, ActivationCode, list[Effect]]:
        """End the restart: the new version runs, or the old one does again.

        Returns:
            What had asked for it, the outcome, and notes.
        """
        running, self.running = self.running, None
        if running is None or running.image is None:
            return running, ActivationCode.NO_IMAGE_HELD, []
        image = running.image
        if self.off_pathway(image.version) and self._bricks:
            self.bricked = True
            fields = (("version", image.version.hex()), ("over", self.slots.running.hex()))
            return running, ActivationCode.ACTIVATION_FAILURE, [Note("bricked", fields)]
        if self.self_test_fails:
            return running, ActivationCode.ACTIVATION_FAILURE, [self.roll_back(image)]
        return running, ActivationCode.SUCCESS, [self.take_over(image)]

    @property
    def _bricks(self) -> bool:
        return self.profile.firmware.pathway_policy is PathwayPolicy.BRICK

    def take_over(self, image: PendingImage) -> Effect:
        """Run ``image`` from now on."""
        before = self.slots.running
        self.slots.promote(image)
        fields = (("from", before.hex()), ("to", self.slots.running.hex()))
        return Note("firmware_activated", fields)

    def roll_back(self, image: PendingImage) -> Effect:
        """Go back to the old version and drop ``image``, which failed its self-test."""
        self.slots.drop(image)
        self.self_test_fails = False
        return Note("firmware_rolled_back", (("failed", image.version.hex()),))

    def power_on(self, now: UtcMs, offset_ms: int) -> list[Effect]:
        """Take up again what a power loss interrupted."""
        effects: list[Effect] = []
        if self.running is not None:
            at = UtcMs(now + 1000 * self.profile.firmware.activation_s)
            effects.append(SetTimer(FINISH_TIMER, at))
        return [*effects, *self.wait_for_schedule(now, offset_ms)]

    def wait_for_schedule(self, now: UtcMs, offset_ms: int) -> list[Effect]:
        """Wait for the time of the future-dated command, if there is one; past is now."""
        if self.scheduled is None:
            return []
        return [SetTimer(EXECUTE_TIMER, UtcMs(max(self.scheduled.at - offset_ms, now)))]

    def dump(self) -> State:
        """Return the state as JSON."""
        running = self.running
        reply = None if running is None or running.reply_to is None else running.reply_to.dump()
        schedule = None if running is None or running.schedule is None else running.schedule.dump()
        return {
            "scheduled": None if self.scheduled is None else self.scheduled.dump(),
            "running": None
            if running is None
            else {
                "cause": running.cause.value,
                "reply_to": reply,
                "schedule": schedule,
                "image": None if running.image is None else running.image.dump(),
            },
            "self_test_fails": self.self_test_fails,
            "bricked": self.bricked,
            "stepping_stones": [
                {"to": to.hex(), "over": [version.hex() for version in sorted(over)]}
                for to, over in sorted(self.stepping_stones.items())
            ],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        scheduled, running = saved.optional_part("scheduled"), saved.optional_part("running")
        self.scheduled = None if scheduled is None else Scheduled.restore(scheduled)
        self.running = None
        if running is not None:
            reply, schedule = running.optional_part("reply_to"), running.optional_part("schedule")
            image = running.optional_part("image")
            self.running = Running(
                Cause(running.text("cause")),
                None if reply is None else ReplyTo.restore(reply),
                None if schedule is None else Scheduled.restore(schedule),
                None if image is None else PendingImage.restore(image),
            )
        self.self_test_fails = saved.flag("self_test_fails")
        self.bricked = saved.flag("bricked")
        self.stepping_stones = {
            row.octets("to"): frozenset(bytes.fromhex(text) for text in row.texts("over"))
            for row in saved.rows("stepping_stones")
        }
