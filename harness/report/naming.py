"""How reports name addresses and print decoded values."""

import enum
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, Self

from emulator.core.ids import Eui64

#: Octets of a field that are shown before the rest is only counted; the dump has them all.
_SHOWN_OCTETS: Final = 40
#: The short address every Zigbee coordinator has.
COORDINATOR: Final = 0x0000
#: The hub's lane: its CHF and its GPF share a radio and a line.
_HUB: Final = "CHF"
#: Parties whose names are abbreviations, whatever case a step writes them in.
_ABBREVIATIONS: Final = frozenset({"ACB", "CSP", "DCC", "DSP", "MCC", "S1SP", "SMSO"})
_SHORT: Final = re.compile(r"0x[0-9A-Fa-f]{4}")


@dataclass(frozen=True, slots=True)
class Directory:
    """Names of addresses.

    Attributes:
        eui64s: EUI-64 in hex -> device.
        shorts: Zigbee short address -> device.
        hub: The lane of the hub.
        wan: The lanes that send to and receive from the hub over the SM WAN.
    """

    eui64s: Mapping[str, str]
    shorts: Mapping[int, str]
    hub: str
    wan: tuple[str, str]

    @classmethod
    def of(
        cls, names: Mapping[str, str], rows: Mapping[str, Mapping[str, str]], parties: Iterable[str]
    ) -> Self:
        """Gather names from the journal: EUI-64s by role, short addresses from device rows."""
        shorts = {COORDINATOR: _HUB}
        for device, row in rows.items():
            for name, value in row.items():
                if "short" in name and _SHORT.fullmatch(str(value)):
                    shorts.setdefault(int(str(value), 16), device.split(" ", 1)[0])
        known = {name.upper() for name in parties}
        sender = next((name for name in ("ACB", "DSP") if name in known), "ACB")
        receiver = next((name for name in ("DSP", "ACB") if name in known), "ACB")
        return cls(dict(names), shorts, _HUB, (sender, receiver))

    def eui64(self, address: Eui64) -> str:
        """Return who an EUI-64 is, or the EUI-64."""
        return self.eui64s.get(address.hex, str(address))

    def party(self, name: str) -> str:
        """Return the one spelling of a party's name; ``hub`` is the lane of the hub."""
        if name.lower() in {"hub", self.hub.lower()}:
            return self.hub
        return name.upper() if name.upper() in _ABBREVIATIONS else name

    def with_name(self, text: str) -> str:
        """Return a printed EUI-64 with the device's name behind it; other texts unchanged."""
        known = self.eui64s.get(text.replace("-", "").lower())
        return text if known is None else f"{text} ({known})"

    def short(self, address: int) -> str:
        """Return who a short address is, or the address."""
        return "all nodes" if address >= 0xFFF8 else self.shorts.get(address, unnamed(address))


def unnamed(short: int) -> str:
    """Return what a node is called whose short address nobody named."""
    return f"node {short:#06x}"


def flat(
    value: Any, directory: Directory, left_out: tuple[str, ...] = (), prefix: str = ""
) -> Iterable[tuple[str, str]]:
    """Yield (name, text) of every field of a dataclass, nested ones dotted."""
    for entry in fields(value):
        if entry.name in left_out:
            continue
        yield from _row(f"{prefix}{entry.name}", getattr(value, entry.name), directory)


def _row(name: str, value: Any, directory: Directory) -> Iterable[tuple[str, str]]:
    if is_dataclass(value) and not isinstance(value, Eui64 | type):
        yield from flat(value, directory, (), f"{name}.")
    elif isinstance(value, tuple | list):
        for number, item in enumerate(value):
            yield from _row(f"{name}[{number}]", item, directory)
    elif value is not None:
        yield name.replace("_", " "), show(value, directory)


def show(value: Any, directory: Directory) -> str:
    """Return a field's value as a reader wants it: named, and in the base the clauses use."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, enum.Enum):
        number = f" ({value.value:#x})" if isinstance(value.value, int) else ""
        return f"{value.name}{number}"
    if isinstance(value, int):
        return f"{value} ({value:#x})" if value > 9 else str(value)
    if isinstance(value, Eui64):
        return directory.with_name(str(value))
    if isinstance(value, bytes):
        return _hex(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _hex(octets: bytes) -> str:
    if not octets:
        return "(empty)"
    more = f" … {len(octets) - _SHOWN_OCTETS} more" if len(octets) > _SHOWN_OCTETS else ""
    return octets[:_SHOWN_OCTETS].hex(" ") + more


def spaced(name: str) -> str:
    """Return a command's class name in words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
