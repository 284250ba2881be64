"""What an S1SP's desk needs to reach devices."""

from typing import Protocol

from device_profiles.schema import DeviceProfile
from emulator.core.ids import Eui64
from harness.parties.s1sp import Errand
from harness.smets1.arguments import Arguments


class Reach(Protocol):
    """The way from an S1SP to devices."""

    def errand(self, device: Eui64, service: str, given: Arguments) -> Errand | None:
        """Return a request at a device (or at its hub, for one without head-end credentials).

        None: there is no way to that device.
        """
        ...

    def block_bytes(self, device: Eui64) -> int:
        """Return the image block size of a device; 0 for one that takes no images."""
        ...

    def profile(self, device: Eui64) -> DeviceProfile | None:
        """Return the model of a device; None: there is no way to it."""
        ...

    def authentication_key(self, device: Eui64) -> bytes | None:
        """Return the S1SP's authentication key of a meter, for its top-up codes; None: none."""
        ...
