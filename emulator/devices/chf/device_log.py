"""The CHF Device Log, and the Historic Log of devices that were in it."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

from device_profiles.words import DeviceType
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.core.clock import UtcMs, to_datetime
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved, State

#: Link figures of a device just heard: neither their meaning nor their range is public.
#: Source: invented, within what RTDS CCS05/04 shows.
_USUAL_FIGURES: Final = (-35, -50, -100, 2, 39, 247, 1, 0, 100, 1, 1)
_FIGURE_TAGS: Final = (Tag.INT8,) * 3 + (Tag.UINT8,) * 3 + (Tag.UINT8,) * 5
_FIGURES_BEFORE_TIME: Final = 6
_NEVER_HEARD: Final = UtcMs(0)
_JOINED: Final = BitString(8, b"\xc8")


@dataclass(frozen=True, slots=True)
class DeviceLogEntry:
    """One device of the HAN.

    Attributes:
        eui64: The device.
        device_type: What it is; None of one that the hub has not met.
        last_heard: When a frame of it last arrived.
        figures: The eleven figures that CCS05/04 shows beside it, in their order.
        hashed_key: Hash of its trust-centre link key, 16 octets, or empty where it is not known.
        joined: Whether it has joined; until then it only may.
    """

    eui64: Eui64
    device_type: DeviceType | None
    last_heard: UtcMs = _NEVER_HEARD
    figures: tuple[int, ...] = _USUAL_FIGURES
    hashed_key: bytes = field(default=b"", repr=False)
    joined: bool = True

    def data(self) -> Data:
        """Return the entry as class 104 attribute 4 carries it.

        Source:
            RTDS 8.9_CCS05CCS04: shape and types; the meanings of the figures were not found.
        """
        tagged = tuple(map(Data, _FIGURE_TAGS, self.figures))
        stamp = bytearray(encode_date_time(self.last_heard))
        stamp[4] = to_datetime(self.last_heard).isoweekday()
        return axdr.structure(
            axdr.octets(self.eui64.octets),
            Data(Tag.BIT_STRING, _JOINED),
            *tagged[:_FIGURES_BEFORE_TIME],
            axdr.octets(bytes(stamp)),
            *tagged[_FIGURES_BEFORE_TIME:],
        )

    def dump(self) -> State:
        """Return the entry as JSON."""
        return {
            "eui64": self.eui64.hex,
            "device_type": None if self.device_type is None else self.device_type.value,
            "last_heard": self.last_heard,
            "figures": list(self.figures),
            "hashed_key": self.hashed_key.hex(),
            "joined": self.joined,
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the entry a dump describes."""
        return cls(
            saved.eui64("eui64"),
            DeviceType(saved.text("device_type")) if saved.has("device_type") else None,
            saved.moment("last_heard"),
            tuple(saved.number_list("figures")),
            saved.optional_octets("hashed_key") or b"",
            saved.flag("joined") if saved.has("joined") else True,
        )

    def backed_up(self) -> Data:
        """Return the entry as a backup of the log carries it: device and hashed key.

        Source:
            RTDS 8.9_CCS07 and NA_CS14.
        """
        return axdr.structure(axdr.octets(self.eui64.octets), axdr.octets(self.hashed_key))


class DeviceLog:
    """Which devices the hub speaks with, and the latest ones it no longer does.

    Attributes:
        entries: Devices by EUI-64, in the order they joined.
        historic: Removed devices, oldest first (F-081).
    """

    def __init__(self, size: int, historic_size: int) -> None:
        self._size = size
        self._historic_size = historic_size
        self.entries: dict[Eui64, DeviceLogEntry] = {}
        self.historic: list[DeviceLogEntry] = []

    @property
    def sizes(self) -> tuple[int, int]:
        """Most entries of the log, and of the Historic Log."""
        return self._size, self._historic_size

    def add(self, entry: DeviceLogEntry) -> bool:
        """Enter a device; False when the log is full."""
        if entry.eui64 not in self.entries and len(self.entries) >= self._size:
            return False
        self.entries[entry.eui64] = entry
        self.historic = [old for old in self.historic if old.eui64 != entry.eui64]
        return True

    def remove(self, eui64: Eui64) -> bool:
        """Move a device to the Historic Log; False when it was not there."""
        entry = self.entries.pop(eui64, None)
        if entry is None:
            return False
        self.historic = [*self.historic, entry][-self._historic_size :]
        return True

    def heard(self, eui64: Eui64, now: UtcMs) -> None:
        """Note that a frame of a device arrived."""
        entry = self.entries.get(eui64)
        if entry is not None:
            self.entries[eui64] = replace(entry, last_heard=now)

    def type_of(self, eui64: Eui64) -> DeviceType | None:
        """Return what a device is, or None for a stranger."""
        entry = self.entries.get(eui64)
        return None if entry is None else entry.device_type

    def data(self) -> Data:
        """Return the devices that have joined as class 104 attribute 4 carries them."""
        joined = [entry.data() for entry in self.entries.values() if entry.joined]
        return Data(Tag.ARRAY, tuple(joined))

    def was_there(self, eui64: Eui64) -> DeviceLogEntry | None:
        """Return what the Historic Log has of a device."""
        return next((entry for entry in self.historic if entry.eui64 == eui64), None)

    def dump(self) -> State:
        """Return the log as JSON."""
        entries: list[Json] = [entry.dump() for entry in self.entries.values()]
        return {"entries": entries, "historic": [entry.dump() for entry in self.historic]}

    def load(self, saved: Saved) -> None:
        """Take over a dumped log."""
        entries = [DeviceLogEntry.restore(row) for row in saved.rows("entries")]
        self.entries = {entry.eui64: entry for entry in entries}
        self.historic = [DeviceLogEntry.restore(row) for row in saved.rows("historic")]
