"""Use cases of a PPMID."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.devices.handlers import ACB, HandlerTable
from emulator.devices.version_read import read_firmware_version

if TYPE_CHECKING:
    from emulator.devices.ppmid.ppmid import Ppmid

PPMID_HANDLERS: Final["HandlerTable[Ppmid]"] = HandlerTable(DeviceType.PPMID)
PPMID_HANDLERS.handles(MessageCode.CS08, by=ACB)(read_firmware_version)
