"""The log of the devices that a device was joined with, beside the hub."""

from dataclasses import dataclass, field
from typing import Final

from device_profiles.schema import LimitsSection
from device_profiles.words import GBCS_DEVICE_NUMBER, DeviceType
from emulator.codecs.gbcs.joins import JoinCode, JoinMethod, LoggedDevice, UnjoinCode
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved
from emulator.devices.saved_row import SavedRow

#: Entries of a log whose device's profile says nothing of it. Source: invented.
_USUAL_ROOM: Final = 16
_TYPE_2: Final = GBCS_DEVICE_NUMBER[DeviceType.IHD]
_HCALCS: Final = GBCS_DEVICE_NUMBER[DeviceType.HCALCS]


@dataclass(frozen=True, slots=True)
class JoinedDevice(SavedRow):
    """One device of the log.

    Attributes:
        device: The device.
        device_type: Its type in GBCS numbers, 0 to 6.
        method: Letter of the method, ``A``, ``B`` or ``C``; empty where it was not joined by
            command.
        certificate: Its key-agreement certificate (method C), or None.
    """

    device: Eui64
    device_type: int
    method: str = ""
    certificate: bytes | None = field(default=None, repr=False)

    @property
    def logged(self) -> LoggedDevice:
        """The entry as messages carry it."""
        return LoggedDevice(self.device, self.device_type)


def letter_of(method: JoinMethod) -> str:
    """Return the letter of a method: both roles of method A are ``A``."""
    return method.name[0]


class JoinLog:
    """Which devices a device was joined with, in the order they came.

    Attributes:
        entries: Devices by EUI-64.
        checks_identity: Whether a certificate must be the one of the device it comes for. RTDS
            4.5.0 has one that is not (CS03C non-critical), and a success; elsewhere it must.
    """

    __slots__ = ("checks_identity", "entries")

    def __init__(self) -> None:
        self.entries: dict[Eui64, JoinedDevice] = {}
        self.checks_identity = True

    def __repr__(self) -> str:
        return f"JoinLog({len(self.entries)} devices)"

    def add(self, entry: JoinedDevice, limits: LimitsSection) -> JoinCode:
        """Enter a device; again with what it is already is a success.

        Source:
            Codes: reference gbcs.md section 9.2 (3 incompatible, 4 full). Limits by type: profile.
        """
        held = self.entries.get(entry.device)
        if held is not None:
            if held.device_type != entry.device_type:
                return JoinCode.INCOMPATIBLE_ENTRY
            if held.method and entry.method and held.method != entry.method:
                return JoinCode.INCOMPATIBLE_ENTRY
        elif not self._has_room(entry.device_type, limits):
            return JoinCode.LOG_FULL
        self.entries[entry.device] = entry
        return JoinCode.SUCCESS

    def _has_room(self, device_type: int, limits: LimitsSection) -> bool:
        types = [entry.device_type for entry in self.entries.values()]
        if limits.type1_devices is None and limits.type2_devices is None:
            return len(types) < _USUAL_ROOM
        if device_type == _TYPE_2:
            return types.count(_TYPE_2) < (limits.type2_devices or 0)
        if device_type == _HCALCS and limits.hcalcs_devices is not None:
            room = types.count(_HCALCS) < limits.hcalcs_devices
        else:
            room = True
        return room and len(types) - types.count(_TYPE_2) < (limits.type1_devices or 0)

    def remove(self, device: Eui64, letters: str) -> UnjoinCode:
        """Take a device out; one that was joined by another method stays (inferred)."""
        held = self.entries.get(device)
        if held is None:
            return UnjoinCode.NOT_IN_LOG
        if held.method and held.method not in letters:
            return UnjoinCode.OTHER
        del self.entries[device]
        return UnjoinCode.SUCCESS

    def listed(self) -> tuple[LoggedDevice, ...]:
        """Return the entries as messages carry them."""
        return tuple([entry.logged for entry in self.entries.values()])

    def dump(self) -> Json:
        """Return the log as JSON."""
        return {
            "entries": [entry.dump() for entry in self.entries.values()],
            "checks_identity": self.checks_identity,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped log."""
        entries = [JoinedDevice.restore(row) for row in saved.rows("entries")]
        self.entries = {entry.device: entry for entry in entries}
        self.checks_identity = saved.flag("checks_identity")
