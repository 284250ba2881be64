"""What firmware a device holds: the running version and at most one pending image."""

from dataclasses import dataclass

from emulator.devices.saved import Saved, State
from emulator.devices.saved_row import SavedRow


@dataclass(frozen=True, slots=True)
class PendingImage(SavedRow):
    """A verified image that waits for its activation.

    The octets are let go once they are verified: nothing reads them afterwards, only these facts.

    Attributes:
        version: Firmware version, four octets.
        manufacturer_image_hash: SHA-256 over the Manufacturer Image, 32 octets, as calculated.
        size_bytes: Octets of the OTA file.
        image_type: Of the OTA header.
        hardware_min: Lowest hardware version the image is for, or None where it names none.
        hardware_max: Highest hardware version, or None.
    """

    version: bytes
    manufacturer_image_hash: bytes
    size_bytes: int
    image_type: int
    hardware_min: int | None = None
    hardware_max: int | None = None


@dataclass(slots=True)
class FirmwareSlots:
    """One active and at most one pending image (F-033).

    Attributes:
        running: Version that runs, four octets.
        pending: Verified image waiting for its activation, or None.
        previous: Version that ran before the last activation, or None.

    Source:
        AS302P 22.3.4: one active and one pending image; a new one replaces the pending one.
    """

    running: bytes
    pending: PendingImage | None = None
    previous: bytes | None = None

    def promote(self, image: PendingImage) -> None:
        """Make ``image`` the running one and empty its slot (F-032); a newer one stays in it."""
        self.previous, self.running = self.running, image.version
        self.drop(image)

    def drop(self, image: PendingImage) -> None:
        """Empty the slot if ``image`` is in it."""
        if self.pending == image:
            self.pending = None

    def dump(self) -> State:
        """Return what is held."""
        return {
            "running": self.running.hex(),
            "pending": None if self.pending is None else self.pending.dump(),
            "previous": None if self.previous is None else self.previous.hex(),
        }

    def load(self, saved: Saved) -> None:
        """Take over what a dump describes."""
        part = saved.optional_part("pending")
        self.running = saved.octets("running")
        self.pending = None if part is None else PendingImage.restore(part)
        self.previous = saved.optional_octets("previous")
