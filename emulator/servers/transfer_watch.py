"""How far a meter's image transfer has come, for faults that wait for it."""

from emulator.core.effects import Note
from emulator.devices.smets1.meter import Meter


class TransferWatch:
    """Sees how far a meter's image transfer has come, for faults that wait for it."""

    def __init__(self) -> None:
        self._percent = -1

    def moved(self, device: object) -> Note | None:
        """Return a note, for faults alone, when another whole percent of the image is there."""
        if not isinstance(device, Meter) or device.image.transfer is None:
            self._percent = -1
            return None
        arrived = device.image.transfer.arrived
        percent = 100 * arrived.count(1) // max(len(arrived), 1)
        if percent == self._percent:
            return None
        self._percent = percent
        state = device.image.state.name.lower()
        return Note("image_transfer", (("state", state), ("percent", percent)))
