"""What the DCC knows of installed devices: the Smart Metering Inventory as values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from device_profiles.words import DeviceStatus, DeviceType, SmetsVersion
from emulator.core.ids import Eui64


@dataclass(frozen=True, slots=True)
class InventoryRecord:
    """One device of the inventory.

    Attributes:
        device: Its EUI-64.
        device_type: What it is.
        status: Inventory status.
        manufacturer: Four hex digits.
        model: Model id and hardware version, eight hex digits.
        firmware_version: Eight hex digits.
        smets: Generation.
        hub: EUI-64 of the CHF of its installation; None before it is installed.
        supplier: The responsible supplier: the gas supplier of a GSME or GPF, else the
            electricity import supplier.
        gbcs_version: GBCS version it was certified to, or empty.
        smets_chts_version: For example ``SMETS V1.58``, or None.
        esme_variant: For ESMEs, or None.
        ppmid_ota: Whether a hub's firmware can update PPMIDs and HCALCS (SECMP0007); False for
            any other device.
    """

    device: Eui64
    device_type: DeviceType
    status: DeviceStatus
    manufacturer: str
    model: str
    firmware_version: str
    smets: SmetsVersion
    hub: Eui64 | None
    supplier: Eui64
    gbcs_version: str = ""
    smets_chts_version: str | None = None
    esme_variant: str | None = None
    ppmid_ota: bool = False

    def dump(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: str(value) if isinstance(value, Eui64) else value
            for name, value in values.items()
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return the record of dumped values."""
        words = {
            "device_type": DeviceType(state["device_type"]),
            "status": DeviceStatus(state["status"]),
            "smets": SmetsVersion(state["smets"]),
        }
        eui64s = {name: Eui64.parse(state[name]) for name in _EUI64S if state[name] is not None}
        return cls(**{**state, **words, **eui64s})


_EUI64S = ("device", "hub", "supplier")


class Inventory:
    """The records by device."""

    def __init__(self, records: Iterable[InventoryRecord] = ()) -> None:
        self._records = {record.device: record for record in records}

    def __iter__(self) -> Iterator[InventoryRecord]:
        return iter(self._records.values())

    def find(self, device: Eui64) -> InventoryRecord | None:
        """Return the record of a device, or None."""
        return self._records.get(device)

    def put(self, record: InventoryRecord) -> None:
        """Add a record, or replace the one of its device."""
        self._records[record.device] = record

    def remove(self, device: Eui64) -> None:
        """Take a device out; nothing happens when it is not there."""
        self._records.pop(device, None)

    def set_version(self, device: Eui64, version: str) -> None:
        """Note which version a known device runs.

        Raises:
            KeyError: The device is not in the inventory.
        """
        self._records[device] = replace(self._records[device], firmware_version=version)

    def of_hub(self, hub: Eui64 | None) -> tuple[InventoryRecord, ...]:
        """Return the devices of one installation, in the order they were added."""
        return tuple(record for record in self if hub is not None and record.hub == hub)

    def suppliers_of(self, hub: Eui64 | None) -> tuple[Eui64, ...]:
        """Return the responsible suppliers of an installation, each once."""
        return tuple(dict.fromkeys(record.supplier for record in self.of_hub(hub)))

    def dump(self) -> list[dict[str, Any]]:
        """Return all records as JSON values."""
        return [record.dump() for record in self]

    @classmethod
    def restore(cls, state: list[dict[str, Any]]) -> Self:
        """Return the inventory of dumped values."""
        return cls(InventoryRecord.restore(one) for one in state)
