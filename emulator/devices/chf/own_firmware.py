"""The hub's own firmware: an image of the WAN provider, staged like any other, run by itself."""

from device_profiles.schema import DeviceProfile
from emulator.codecs.gbcs.asn1 import ActivationCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.activation import Activation, Cause, Running
from emulator.devices.firmware_slots import FirmwareSlots
from emulator.devices.saved import Saved, State
from emulator.devices.verification import verify_image


class OwnFirmware:
    """Slots and activation of the hub itself.

    Attributes:
        slots: What firmware it holds.
        activation: Its activation side.

    Source:
        CS05a is the WAN provider's and no message of it is public: that the hub activates an image
        for itself once it is whole and verified is inferred.
    """

    def __init__(self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing) -> None:
        self._eui64 = eui64
        self._profile = profile
        self._ring = ring
        self.slots = FirmwareSlots(profile.identity.version_octets)
        self.activation = Activation(self.slots, profile)

    def take(self, octets: bytes, now: UtcMs) -> tuple[bool, list[Effect]]:
        """Verify an image and begin to run it, or keep it until a restart under way has ended.

        Returns:
            Whether it was good and will run; and effects.
        """
        verdict = verify_image(octets, self._profile, self._ring, self._eui64, None)
        if verdict.image is None:
            return False, [Note("image_discarded", (("why", verdict.why), ("own", True)))]
        self.slots.pending = verdict.image
        verified = Note("image_verified", (("hash", verdict.calculated_hash.hex()),))
        if self.activation.running is not None:
            return True, [verified]
        effects = self.begin(now)
        return self.activation.running is not None, [verified, *effects]

    def begin(self, now: UtcMs) -> list[Effect]:
        """Begin to run the image that waits, if there is one; one that may not run is dropped."""
        pending = self.slots.pending
        if pending is None:
            return []
        code, effects = self.activation.begin(None, Running(Cause.HUB), now)
        if code is not None:
            self.slots.drop(pending)
        return effects

    def finish(self) -> tuple[bool, list[Effect]]:
        """End the restart; say whether the new version runs."""
        _, code, effects = self.activation.finish()
        return code is ActivationCode.SUCCESS, effects

    def dump(self) -> State:
        """Return the state as JSON."""
        return {"slots": self.slots.dump(), "activation": self.activation.dump()}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.slots.load(saved.part("slots"))
        self.activation.load(saved.part("activation"))
