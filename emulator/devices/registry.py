"""Which class emulates which type of device."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device_profiles.words import DeviceType
from emulator.devices.base import Device
from emulator.devices.chf.chf import Chf
from emulator.devices.esme.esme import Esme
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.hcalcs.hcalcs import Hcalcs
from emulator.devices.ppmid.ppmid import Ppmid

#: Device type -> class. A GPF comes with its CHF (``Chf.gpf``).
CLASSES: Final[Mapping[DeviceType, type[Device]]] = MappingProxyType(
    {
        DeviceType.ESME: Esme,
        DeviceType.GSME: Gsme,
        DeviceType.CHF: Chf,
        DeviceType.PPMID: Ppmid,
        DeviceType.HCALCS: Hcalcs,
    }
)
