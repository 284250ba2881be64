"""What an OTA client needs to know of its device: identity, limits, pace and policies."""

from dataclasses import dataclass
from typing import Final, Self

from device_profiles.schema import DeviceProfile
from device_profiles.words import DowngradePolicy, ResumePolicy
from emulator.core.values import quick

#: Time a device takes to verify an image. Source: invented (it makes the state visible).
VERIFY_MS: Final = 2_000
#: Pause between power-on and the first query. Source: invented.
BOOT_QUERY_MS: Final = 5_000
#: Pause before asking again once all retries are used up. Source: invented.
REQUERY_MS: Final = 3_600_000


@quick
@dataclass(frozen=True, slots=True)
class OtaSettings:
    """The client's side of a device profile.

    Attributes:
        manufacturer_code: Zigbee manufacturer code of the device.
        image_type: Image type of its images.
        hardware_version: Its hardware version.
        max_image_bytes: Largest OTA file it takes.
        max_data_size: Octets it asks for in one block request.
        block_interval_ms: Pause between an answer and the next request.
        block_timeout_ms: How long it waits for any answer of the server.
        block_retries: Repeats of one request before it gives up.
        resume_policy: What it does with a half-received image after power returns.
        downgrade_policy: What it does with a lower version than the running one.
        asks_unbidden: Whether it queries after power-on and again after giving up; a sleepy
            device waits for the notification flag instead.
        obeys_upgrade_time: Whether Upgrade End Response may start the activation (a PPMID; a
            meter is activated by CS06 alone).
    """

    manufacturer_code: int
    image_type: int
    hardware_version: int
    max_image_bytes: int
    max_data_size: int
    block_interval_ms: int
    block_timeout_ms: int
    block_retries: int
    resume_policy: ResumePolicy
    downgrade_policy: DowngradePolicy
    asks_unbidden: bool
    obeys_upgrade_time: bool

    @classmethod
    def from_profile(cls, profile: DeviceProfile, *, obeys_upgrade_time: bool) -> Self:
        """Return the settings a device profile states."""
        identity, firmware = profile.identity, profile.firmware
        return cls(
            manufacturer_code=identity.manufacturer_code,
            image_type=firmware.image_type,
            hardware_version=identity.hardware_version,
            max_image_bytes=firmware.max_image_bytes,
            max_data_size=firmware.max_data_size,
            block_interval_ms=firmware.block_interval_ms,
            block_timeout_ms=firmware.block_timeout_ms,
            block_retries=firmware.block_retries,
            resume_policy=firmware.resume_policy,
            downgrade_policy=firmware.downgrade_policy,
            asks_unbidden=not profile.radio.sleepy,
            obeys_upgrade_time=obeys_upgrade_time,
        )
