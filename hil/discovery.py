"""Which serial port is which: USB adapters by what they are, never by their number."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serial.tools import list_ports

from hil.errors import PortAmbiguousError, PortMissingError

#: Where the system keeps links that name an adapter by its serial number.
BY_ID: Final = Path("/dev/serial/by-id")
#: Serial numbers that whole production runs of bridge chips share.
#: Source: known (the value a blank CP2102 is delivered with, and what its clones copy).
_NO_NUMBERS: Final = frozenset({"", "0", "0001", "00000000", "000000", "1234567890"})
_INTERFACE: Final = re.compile(r":\d+\.(\d+)$")
_DOCTOR: Final = "smetsbench bench doctor FILE"


@dataclass(frozen=True, slots=True)
class PortRecord:
    """One serial port of this computer, as the system describes it.

    Attributes:
        device: Device path of the moment.
        description: What people see, or empty.
        vid: USB vendor id; None for a port that is not USB.
        pid: USB product id.
        serial_number: The adapter's serial number, or None.
        location: Path in the USB tree such as ``1-1.2``; with several interfaces ``1-1.2:1.0``.
        manufacturer: As the adapter says, or None.
        product: As the adapter says, or None.
        interface: Name of the interface as the adapter says, or None.
    """

    device: str
    description: str = ""
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    location: str | None = None
    manufacturer: str | None = None
    product: str | None = None
    interface: str | None = None

    @property
    def interface_number(self) -> int | None:
        """Number of the interface, where the adapter has several."""
        found = _INTERFACE.search(self.location or "")
        return None if found is None else int(found[1])

    @property
    def usb_path(self) -> str | None:
        """Where in the USB tree the adapter is, without its interface."""
        return None if self.location is None else self.location.partition(":")[0]

    @property
    def has_own_number(self) -> bool:
        """Whether it has a serial number, and none that every adapter of its make has."""
        return (self.serial_number or "").strip() not in _NO_NUMBERS

    def __str__(self) -> str:
        """Return the port for people, on one line."""
        if self.vid is None or self.pid is None:
            return f"{self.device} ({self.description or 'not USB'})"
        number = self.serial_number or "none"
        name = self.product or self.description or "USB"
        return (
            f"{self.device} ({name}, vid 0x{self.vid:04X}, pid 0x{self.pid:04X},"
            f" serial {number}, location {self.location or 'unknown'})"
        )


@dataclass(frozen=True, slots=True)
class PortSelector:
    """Which adapter a bench file means; what is None may be anything.

    Attributes:
        vid: USB vendor id.
        pid: USB product id.
        serial_number: The adapter's serial number.
        interface: Number of the interface, or its name, where an adapter has several ports.
        location: Path in the USB tree such as ``1-1.2`` (of an interface: ``1-1.2:1.0``).
    """

    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    interface: int | str | None = None
    location: str | None = None

    def __post_init__(self) -> None:
        if self.serial_number is None and self.location is None and self.vid is None:
            raise ValueError("a selector names a vendor and product, a serial number or a USB path")

    def fits(self, port: PortRecord) -> bool:
        """Say whether a port is one that is meant."""
        asked = (
            (self.vid, port.vid),
            (self.pid, port.pid),
            (self.serial_number, port.serial_number),
        )
        if any(wanted is not None and wanted != found for wanted, found in asked):
            return False
        if self.location is not None and self.location not in (port.location, port.usb_path):
            return False
        return self.interface is None or self.interface in self._interfaces(port)

    @staticmethod
    def _interfaces(port: PortRecord) -> tuple[int | str | None, ...]:
        # An adapter with one interface does not number it.
        number = 0 if port.interface_number is None else port.interface_number
        return (number, port.interface)

    def __str__(self) -> str:
        """Return the selector for people."""
        parts = (
            ("vid", None if self.vid is None else f"0x{self.vid:04X}"),
            ("pid", None if self.pid is None else f"0x{self.pid:04X}"),
            ("serial", self.serial_number),
            ("interface", self.interface),
            ("location", self.location),
        )
        return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


#: Something that lists the ports of a computer.
Lister = Callable[[], Sequence[PortRecord]]


def system_ports() -> Sequence[PortRecord]:
    """Return the serial ports of this computer, by device path. Opens none of them."""
    found = [
        PortRecord(
            device=port.device,
            description=port.description if port.description != "n/a" else "",
            vid=port.vid,
            pid=port.pid,
            serial_number=port.serial_number,
            location=port.location,
            manufacturer=port.manufacturer,
            product=port.product,
            interface=port.interface,
        )
        for port in list_ports.comports()
    ]
    return sorted(found, key=lambda port: port.device)


def find(selector: PortSelector, lister: Lister = system_ports) -> PortRecord:
    """Return the one port that is meant, where it is now.

    Raises:
        PortMissingError: None is; the ports there are are listed.
        PortAmbiguousError: Several are; they are listed.
    """
    ports = lister()
    fitting = [port for port in ports if selector.fits(port)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise PortAmbiguousError(
            f"{len(fitting)} ports are {selector}: {_listed(fitting)}",
            where=str(selector),
            cause="adapters of one make without serial numbers of their own, or one with several "
            "interfaces",
            next_command="write location (the USB path), or interface, into the usb table",
        )
    raise PortMissingError(
        f"no port is {selector}",
        where=str(selector),
        cause=f"not plugged in, or into another socket; present: {_listed(ports) or 'no port'}",
        next_command=_DOCTOR,
    )


def stable_path(port: PortRecord, folder: Path = BY_ID) -> str | None:
    """Return the link below ``/dev/serial/by-id`` that names this port, or None."""
    node = Path(port.device).resolve()
    try:
        links = sorted(folder.iterdir())
    except OSError:
        return None
    return next((str(link) for link in links if link.resolve() == node), None)


def remarks(port: PortRecord, ports: Iterable[PortRecord]) -> tuple[str, ...]:
    """Return what a person should know before naming this port in a bench file.

    Args:
        port: The port.
        ports: All ports, for a comparison.
    """
    if port.vid is None:
        return (f"{port.device} is not USB: its path is all that names it",)
    said = []
    twins = [
        other
        for other in ports
        if other.usb_path != port.usb_path
        and (other.vid, other.pid, other.serial_number) == (port.vid, port.pid, port.serial_number)
    ]
    place = f'location = "{port.usb_path}"' if port.usb_path else "the USB path"
    if not port.has_own_number:
        said.append(
            f"{port.device} has no serial number of its own: name it by its USB path ({place}),"
            " and keep it in that socket"
        )
    elif twins:
        said.append(
            f"{port.device} shares its serial number with {_listed(twins)}: name it by its USB"
            f" path ({place})"
        )
    if port.interface_number is not None:
        said.append(
            f"{port.device} is interface {port.interface_number} of its adapter: name the"
            " interface too"
        )
    return tuple(said)


def _listed(ports: Iterable[PortRecord]) -> str:
    return "; ".join(str(port) for port in ports)
