"""Images that reach a SMETS1 meter over its HAN: a whole one becomes its class 18 transfer's."""

from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.core.ids import Eui64
from emulator.devices.smets1.catalogue_device import CatalogueDevice
from emulator.devices.smets1.image import ImageState
from emulator.devices.smets1.image_client import HanImages

#: Word of a saboteur: a download goes on however little battery is left.
IGNORES_BATTERY = "ignores-battery"
#: States of the image transfer in which no image waits for its activation.
_NOTHING_WAITS = frozenset(
    {
        ImageState.NOT_INITIATED,
        ImageState.INITIATED,
        ImageState.VERIFY_INITIATED,
        ImageState.VERIFY_FAILED,
        ImageState.ACTIVATED,
        ImageState.ACTIVATE_FAILED,
    }
)


class MeterImages(HanImages):
    """The OTA side of one meter; its activation comes over its own association.

    Attributes:
        meter: The meter's server.
    """

    def __init__(self, meter: CatalogueDevice, hub: Eui64) -> None:
        """Take the meter and its hub."""
        super().__init__(meter.profile, hub, _number(meter))
        self.meter = meter

    def take(self, octets: bytes, now: UtcMs) -> str:
        """Make the image that of the meter's image transfer; return why it is not good."""
        name = b"" if self.ota.download is None else f"{self.ota.download.version:08X}".encode()
        good = self.meter.image.receive(name, octets)
        self.meter.log_image_events(now)
        return "" if good else (self.meter.image.why_not() or "image transfer is busy")

    def why_postpone(self) -> str:
        """Return why no download may begin or go on now."""
        return "" if IGNORES_BATTERY in self.meter.line_defects else super().why_postpone()

    def follow(self, now: UtcMs) -> list[Effect]:
        """Take notice of what an association has done to the image."""
        version = _number(self.meter)
        waits = self.ota.pending is not None
        gone = waits and self.meter.image.state in _NOTHING_WAITS
        return self.runs(version, now) if gone or version != self.ota.running_version else []


def _number(meter: CatalogueDevice) -> int:
    return int.from_bytes(meter.image.running, "big")
