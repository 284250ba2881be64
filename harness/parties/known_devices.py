"""What transforms are told of devices: what the inventory holds, or what its answer to 8.2 says."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis.transforms.outcome import Context, Device
from harness.rules.inventory import Inventory

#: First major GBCS version with the later of two use cases (ECS08a, GCS25a). Source: stand-in.
_LATER: Final = 2
#: Letter of an ESME variant with a second tariff element. Source: DUIS (A, B, C, D; AD …), known.
_TWIN: Final = "B"
_SECOND_MS: Final = 1_000

CertificateOf = Callable[[Eui64], bytes | None]


def device(
    kind: DeviceType, variant: str | None, gbcs_version: str | None, certificate: bytes | None
) -> Device:
    """Return a device as transforms want to know it.

    Args:
        kind: Its type.
        variant: Its ESME variant, or None.
        gbcs_version: Version such as ``4.2``, or None or empty where it is not said.
        certificate: Its key-agreement certificate, DER, or None.
    """
    major = (gbcs_version or "").partition(".")[0]
    later = major.isdecimal() and int(major) >= _LATER
    return Device(kind, _TWIN in (variant or ""), later, certificate)


class _Listed(Mapping[Eui64, Device]):
    """The devices of an inventory, each made when it is asked for."""

    def __init__(self, inventory: Inventory, certificate_of: CertificateOf) -> None:
        self._inventory = inventory
        self._certificate_of = certificate_of

    def __getitem__(self, eui64: Eui64) -> Device:
        record = self._inventory.find(eui64)
        if record is None:
            raise KeyError(eui64)
        certificate = self._certificate_of(eui64)
        return device(record.device_type, record.esme_variant, record.gbcs_version, certificate)

    def __iter__(self) -> Iterator[Eui64]:
        return (record.device for record in self._inventory)

    def __len__(self) -> int:
        return sum(1 for _record in self._inventory)


def context(devices: Mapping[Eui64, Device], now: UtcMs) -> Context:
    """Return the context of a moment; gas commands are stamped in whole seconds."""
    return Context(devices, UtcMs(now - now % _SECOND_MS))


def listed(inventory: Inventory, certificate_of: CertificateOf, now: UtcMs) -> Context:
    """Return what the DSP knows: its inventory, and the certificates that it holds."""
    return context(_Listed(inventory, certificate_of), now)
