"""The HCALCS, as far as its firmware goes: OTA client, CS06 and CS08."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.devices.cs06 import activate_firmware
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import ACB, SUPPLIER, HandlerTable, Handling
from emulator.devices.version_read import read_firmware_version

HCALCS_HANDLERS: Final["HandlerTable[Hcalcs]"] = HandlerTable(DeviceType.HCALCS)
HCALCS_HANDLERS.handles(MessageCode.CS06, by=SUPPLIER)(activate_firmware)
HCALCS_HANDLERS.handles(MessageCode.CS08, by=ACB)(read_firmware_version)


class Hcalcs(FirmwareDevice):
    """A HAN connected auxiliary load control switch.

    Source:
        Use cases: reference gbcs.md section 17 (CS08) and SECMP0007. That its receipts and
        critical alerts are DLMS as an ESME's: inferred (no vector shows one).
    """

    device_type: ClassVar[DeviceType] = DeviceType.HCALCS

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return HCALCS_HANDLERS.rows
