"""The PPMID: takes unsigned images, activates them when the hub says so, tells by CS09."""

from collections.abc import Mapping
from typing import Any, ClassVar

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivationCode, PpmidActivationAlert, ResultCode
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import Handling
from emulator.devices.ppmid.handlers import PPMID_HANDLERS


class Ppmid(FirmwareDevice):
    """A prepayment meter interface device.

    Source:
        RTDS CS09 and CS08; activation by the hub's upgrade time: inferred from SECMP0007 (11.4
        covers activation, and there is no CS06 for a PPMID). The receipt of an image is told by
        the hub's CCS08, not by the PPMID.
    """

    device_type: ClassVar[DeviceType] = DeviceType.PPMID
    obeys_upgrade_time: ClassVar[bool] = True

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return PPMID_HANDLERS.rows

    def tell_receipt(self, code: AlertCode, image_hash: bytes, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - others use it
        """Say nothing: the Upgrade End Request tells the hub, and the hub tells by CCS08."""
        return []

    def tell_critical(self, code: AlertCode, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - others use it
        """Say nothing: CS09 says it."""
        return []

    def tell_upgrade(self, code: ActivationCode, now: UtcMs) -> list[Effect]:
        """Send CS09 (8F8B) to the ACB: what came of the activation, and what runs now."""
        good = code is ActivationCode.SUCCESS
        body = PpmidActivationAlert(
            AlertCode.PPMID_FIRMWARE_ACTIVATION,
            self.local_time(now),
            self.reported_version(),
            ResultCode.SUCCESS if good else ResultCode.FAILURE,
        ).encode()
        return self.alert(MessageCode.CS09, self.network.acb, lambda _: body)
