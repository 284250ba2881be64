"""The table of a run definition about firmware of dormant homes."""

from typing import Annotated

from pydantic import Field

from device_profiles.words import DeviceType
from harness.dust.definition_models import About


class EarlyFirmware(About):
    """``[[early_firmware]]``: what the DCC has updated in dormant homes before they migrate (4.26).

    Attributes:
        device: Which device.
        to: Version it is to run, eight hex digits.
    """

    device: DeviceType = DeviceType.ESME
    to: Annotated[str, Field(pattern="^[0-9A-Fa-f]{8}$")]
