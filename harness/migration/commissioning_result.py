"""What a commissioning came to, device by device."""

from dataclasses import dataclass
from typing import Any, Self

from emulator.core.ids import Eui64
from emulator.core.values import quick


@quick
@dataclass(frozen=True, slots=True)
class DeviceResult:
    """What became of one device.

    Attributes:
        device: Its EUI-64.
        commissioned: Whether its inventory status is Commissioned.
        step: Step at which it failed; empty where it did not.
        code: Code of the failure; empty likewise.
        sub_code: Its sub-code; empty likewise.
        text: One sentence; empty likewise.
    """

    device: Eui64
    commissioned: bool
    step: str = ""
    code: str = ""
    sub_code: str = ""
    text: str = ""


@quick
@dataclass(frozen=True, slots=True)
class CommissioningResult:
    """What became of one installation.

    Attributes:
        ref: The installation.
        devices: Its devices, in the order they were tried.
        associated: Names of the Certificate IDs that were associated; empty where all stay Null.
        why_null: Why they stay Null; empty where they were associated.
        told: Names of the parties told of commissioning, with the meters they were told of.
        outcome: The Commissioning Outcome File as it was sent; empty where none was.
    """

    ref: str
    devices: tuple[DeviceResult, ...]
    associated: tuple[str, ...] = ()
    why_null: str = ""
    told: tuple[tuple[str, Eui64], ...] = ()
    outcome: bytes = b""

    @property
    def failure(self) -> DeviceResult | None:
        """The first device that failed, or None."""
        return next((one for one in self.devices if not one.commissioned), None)

    @property
    def commissioned(self) -> bool:
        """Whether every device is commissioned."""
        return bool(self.devices) and self.failure is None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        rows = [{**_fields(one), "device": str(one.device)} for one in self.devices]
        return {
            "ref": self.ref,
            "devices": rows,
            "associated": list(self.associated),
            "why_null": self.why_null,
            "told": [[name, str(meter)] for name, meter in self.told],
            "outcome": self.outcome.hex(),
        }

    @classmethod
    def of_json(cls, state: dict[str, Any]) -> Self:
        """Return a dumped result."""
        rows = tuple(
            DeviceResult(**{**one, "device": Eui64.parse(one["device"])})
            for one in state["devices"]
        )
        told = tuple((name, Eui64.parse(meter)) for name, meter in state["told"])
        outcome = bytes.fromhex(state["outcome"])
        return cls(state["ref"], rows, tuple(state["associated"]), state["why_null"], told, outcome)


def _fields(value: DeviceResult) -> dict[str, Any]:
    return {name: getattr(value, name) for name in DeviceResult.__slots__}
