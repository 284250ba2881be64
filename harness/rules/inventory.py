"""What the DCC knows of installed devices: the Smart Metering Inventory as values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from device_profiles.words import (
    Connectivity,
    CspRegion,
    DeviceStatus,
    DeviceType,
    SmetsVersion,
)
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick


@quick
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
        mpxn: Import meter point of a meter; empty for others and before it is installed.
        csp_region: Region of its hub, or None.
        s1sp: Name of the S1SP that serves it; empty for every SMETS2+ device, always.
        connectivity: How its hub is connected, or None.
        coordinated: Whether, of a hub, the electricity import supplier alone coordinates firmware.
        history: Status by status, when it came to it; the last one is ``status``.
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
    mpxn: str = ""
    csp_region: CspRegion | None = None
    s1sp: str = ""
    connectivity: Connectivity | None = None
    coordinated: bool = True
    history: tuple[tuple[UtcMs, DeviceStatus], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a device that would be of both generations (R-093).

        Raises:
            ValueError: An S1SP for a SMETS2+ device.
        """
        if self.s1sp and self.smets is not SmetsVersion.SMETS1:
            raise ValueError(f"{self.device} is {self.smets} and has no S1SP")

    @property
    def commissioned_at(self) -> UtcMs | None:
        """When it was commissioned last, or None."""
        moments = [at for at, status in self.history if status is DeviceStatus.COMMISSIONED]
        return moments[-1] if moments else None

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
        region, connectivity = state.get("csp_region"), state.get("connectivity")
        more = {
            "csp_region": None if region is None else CspRegion(region),
            "connectivity": None if connectivity is None else Connectivity(connectivity),
            "history": tuple(
                (UtcMs(at), DeviceStatus(status)) for at, status in state.get("history", ())
            ),
        }
        return cls(**{**state, **words, **eui64s, **more})


_EUI64S = ("device", "hub", "supplier")


class Inventory:
    """The records by device."""

    def __init__(self, records: Iterable[InventoryRecord] = ()) -> None:
        self._records: dict[Eui64, InventoryRecord] = {}
        #: Hub -> its devices, and meter point -> its devices, each with its place in the order in
        #: which devices were added: a run has thousands of homes.
        self._of_hub: dict[Eui64, dict[Eui64, int]] = {}
        self._of_mpxn: dict[str, dict[Eui64, int]] = {}
        self._places: dict[Eui64, int] = {}
        self._added = 0
        for record in records:
            self.put(record)

    def __iter__(self) -> Iterator[InventoryRecord]:
        return iter(self._records.values())

    def find(self, device: Eui64) -> InventoryRecord | None:
        """Return the record of a device, or None."""
        return self._records.get(device)

    def put(self, record: InventoryRecord) -> None:
        """Add a record, or replace the one of its device."""
        self._forget(self._records.get(record.device))
        device = record.device
        if device not in self._records:
            self._added += 1
            self._places[device] = self._added
        self._records[device] = record
        if record.hub is not None:
            self._of_hub.setdefault(record.hub, {})[device] = self._places[device]
        if record.mpxn:
            self._of_mpxn.setdefault(record.mpxn, {})[device] = self._places[device]

    def _forget(self, record: InventoryRecord | None) -> None:
        """Take a record out of what finds it by hub and meter point."""
        if record is not None and record.hub is not None:
            self._of_hub[record.hub].pop(record.device, None)
        if record is not None and record.mpxn:
            self._of_mpxn[record.mpxn].pop(record.device, None)

    def _in_order(self, found: Mapping[Eui64, int]) -> tuple[InventoryRecord, ...]:
        return tuple(self._records[device] for device in sorted(found, key=found.__getitem__))

    def remove(self, device: Eui64) -> None:
        """Take a device out; nothing happens when it is not there."""
        self._forget(self._records.pop(device, None))
        self._places.pop(device, None)

    def set_version(self, device: Eui64, version: str) -> None:
        """Note which version a known device runs.

        Raises:
            KeyError: The device is not in the inventory.
        """
        self.put(replace(self._records[device], firmware_version=version))

    def move(self, device: Eui64, status: DeviceStatus, at: UtcMs) -> InventoryRecord:
        """Give a known device a status and write down when; returns its record.

        Raises:
            KeyError: The device is not in the inventory.
        """
        record = self._records[device]
        history = (*record.history, (at, status))
        self.put(replace(record, status=status, history=history))
        return self._records[device]

    def of_mpxn(self, mpxn: str) -> InventoryRecord | None:
        """Return the meter of a meter point, or None; one at a hub before one that was removed."""
        found = self._in_order(self._of_mpxn.get(mpxn, {}))
        return next((one for one in found if one.hub is not None), next(iter(found), None))

    def of_hub(self, hub: Eui64 | None) -> tuple[InventoryRecord, ...]:
        """Return the devices of one installation, in the order they were added."""
        return () if hub is None else self._in_order(self._of_hub.get(hub, {}))

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
