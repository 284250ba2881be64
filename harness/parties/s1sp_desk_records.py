"""What an S1SP keeps of each device: counters, notified certificates, the hub's log, image hash.

Source:
    S1SR-d names what is kept (four Notified Certificate IDs, Execution Counter, CoS Execution
    Counter, SMETS1 CHF Device Log, Most Recently Verified Manufacturer Image Hash); that the
    Execution Counter is kept by asking party is a stand-in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.crypto.top_up_code import TopUp
from harness.rules.migration_certificates import NULL_CERTIFICATE_ID, CertificateId

CRITICAL_SUPPLIER: Final = "critical_supplier"
NON_CRITICAL_SUPPLIER: Final = "non_critical_supplier"
CRITICAL_NETWORK_OPERATOR: Final = "critical_network_operator"
NON_CRITICAL_NETWORK_OPERATOR: Final = "non_critical_network_operator"
#: Names of the four Notified Certificate IDs.
NOTIFIED: Final = (
    CRITICAL_SUPPLIER,
    NON_CRITICAL_SUPPLIER,
    CRITICAL_NETWORK_OPERATOR,
    NON_CRITICAL_NETWORK_OPERATOR,
)
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})
#: Number of the first top-up code an S1SP issues for a device. Source: invented.
FIRST_TOP_UP: Final = 50_001


@dataclass(slots=True)
class DeskRecord:
    """One device.

    Attributes:
        device: Its EUI-64.
        device_type: Its type.
        hub: EUI-64 of its hub.
        executions: Asking party -> counter of its last request that was taken up.
        cos_execution: Counter of the last change of supplier that was taken up.
        notified: Name -> Notified Certificate ID.
        image_hash: Most recently verified manufacturer image hash, or empty.
        image_version: Version of that image as its request said it, or empty.
        image_file_version: Version in that image's OTA header, or empty.
        declared: Firmware version by its CPL entry, or empty.
        log: Of a hub: its device log as last seen or changed.
        next_top_up: Number of the next top-up code.
        top_ups: Supplier, pence and number of an order -> number of the code for it.
        own_make: Of a PPMID: whether it is of the makes that the S1SP knows.
    """

    device: Eui64
    device_type: DeviceType
    hub: Eui64
    executions: dict[Eui64, int] = field(default_factory=dict)
    cos_execution: int = -1
    notified: dict[str, CertificateId] = field(
        default_factory=lambda: dict.fromkeys(NOTIFIED, NULL_CERTIFICATE_ID)
    )
    image_hash: str = ""
    image_version: str = ""
    image_file_version: str = ""
    declared: str = ""
    log: list[Eui64] = field(default_factory=list)
    next_top_up: int = FIRST_TOP_UP
    top_ups: dict[str, int] = field(default_factory=dict)
    own_make: bool = True

    def is_replay(self, party: Eui64, counter: int) -> bool:
        """Say whether a party's counter does not rise."""
        return counter <= self.executions.get(party, -1)

    def number_of(self, party: Eui64, order: TopUp) -> int:
        """Return the number of the code for a supplier's order: the same whenever it is asked.

        So an order that comes again is no second top-up: the device takes each number once. One
        that was not delivered gets the code that was told already.
        """
        key = f"{party.hex}:{order.pence}:{order.number}"
        if key not in self.top_ups:
            self.top_ups[key] = self.next_top_up
            self.next_top_up += 1
        return self.top_ups[key]

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "device": self.device.hex,
            "device_type": self.device_type.value,
            "hub": self.hub.hex,
            "executions": {party.hex: counter for party, counter in self.executions.items()},
            "cos_execution": self.cos_execution,
            "notified": {name: [one.serial, one.issuer] for name, one in self.notified.items()},
            "image_hash": self.image_hash,
            "image_version": self.image_version,
            "image_file_version": self.image_file_version,
            "declared": self.declared,
            "log": [one.hex for one in self.log],
            "next_top_up": self.next_top_up,
            "top_ups": dict(self.top_ups),
            "own_make": self.own_make,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return a dumped record."""
        words = {
            "device": Eui64.parse(state["device"]),
            "device_type": DeviceType(state["device_type"]),
            "hub": Eui64.parse(state["hub"]),
            "executions": {Eui64.parse(one): int(n) for one, n in state["executions"].items()},
            "notified": {name: CertificateId(*pair) for name, pair in state["notified"].items()},
            "log": [Eui64.parse(one) for one in state["log"]],
        }
        return cls(**{**state, **words})


def hub_of(records: Mapping[Eui64, DeskRecord], device: Eui64) -> Eui64:
    """Return the hub of a device; the device itself where it is a hub, or unknown."""
    record = records.get(device)
    return device if record is None else record.hub


def answerable(
    records: Mapping[Eui64, DeskRecord],
    record: DeskRecord,
    answers: Callable[[CertificateId], bool] | None = None,
) -> DeskRecord:
    """Return the record whose Notified Certificate IDs count for a device.

    Args:
        records: What is kept of all devices.
        record: What is kept of the device.
        answers: Where no supplier coordinates: whether a Certificate ID is the asker's; that of
            any meter of the home counts then. None: the electricity supplier coordinates.

    Source:
        stand-in: a meter has its own; for hub and displays those of the home's ESME count, as the
        electricity supplier coordinates them (S001 Table 2 rows 1-4; not in EA, EB, EC).
    """
    if record.device_type in _METERS:
        return record
    home = [one for one in records.values() if one.hub == record.hub]
    meters = [one for one in home if one.device_type in _METERS]
    if answers is not None:
        for one in meters:
            if answers(one.notified[CRITICAL_SUPPLIER]):
                return one
    return next((one for one in meters if one.device_type is DeviceType.ESME), record)
