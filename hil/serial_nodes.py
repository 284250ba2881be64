"""Serial devices as the system's folders describe them: read without opening any port."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hil.discovery import PortRecord

_WRITE_READ: Final = (0o600, 0o060, 0o006)


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the system's folders lie; tests give copies.

    Attributes:
        proc: Processes.
        sys: Devices and their drivers.
        dev: Device files.
        etc: Names of groups.
    """

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    etc: Path = Path("/etc")


@dataclass(frozen=True, slots=True)
class Person:
    """Who wants to use the ports.

    Attributes:
        name: Name, for commands.
        uid: Number of the user; 0 may do everything.
        groups: Numbers of the groups.
    """

    name: str
    uid: int
    groups: frozenset[int]

    @classmethod
    def present(cls) -> "Person":
        """Return whoever runs this program."""
        name = os.environ.get("USER", "$USER")
        return cls(name, os.getuid(), frozenset({os.getgid(), *os.getgroups()}))


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a device open.

    Attributes:
        pid: Its number.
        name: Its name.
    """

    pid: int
    name: str


class SerialNodes:
    """The serial devices of one system."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots

    def names(self) -> list[str]:
        """Return the names of all serial devices with a USB adapter behind them."""
        found = (entry.name for entry in _entries(self._roots.sys / "class" / "tty"))
        return sorted(name for name in found if self.adapter(name) is not None)

    def at(self, path: str) -> Path:
        """Return where a device path lies below the roots."""
        in_dev = path.startswith("/dev/")
        return self._roots.dev / path.removeprefix("/dev/") if in_dev else Path(path)

    def resolved(self, path: str) -> Path | None:
        """Return the device a path leads to, through links; None where nothing is."""
        place = self.at(path)
        for _hop in range(8):
            if not place.is_symlink():
                return place if place.exists() else None
            target = str(place.readlink())
            further = self.at(target) if target.startswith("/") else place.parent / target
            place = Path(os.path.normpath(further))
        return None

    def links(self, name: str) -> list[str]:
        """Return the ``/dev/serial/by-id`` links that lead to a device."""
        folder = self._roots.dev / "serial" / "by-id"
        found = []
        for entry in _entries(folder):
            place = self.resolved(f"/dev/serial/by-id/{entry.name}")
            if place is not None and place.name == name:
                found.append(f"/dev/serial/by-id/{entry.name}")
        return sorted(found)

    def adapter(self, name: str) -> PortRecord | None:
        """Return the USB adapter of a device; None where there is none."""
        device = self._roots.sys / "class" / "tty" / name / "device"
        try:
            place = device.resolve(strict=True)
        except OSError:
            return None
        interface = ""
        for folder in (place, *place.parents):
            if (folder / "bInterfaceNumber").exists():
                interface = folder.name
            if (folder / "idVendor").exists():
                several = _text(folder / "bNumInterfaces") not in {"", "1"}
                return PortRecord(
                    device=f"/dev/{name}",
                    vid=_hex(folder / "idVendor"),
                    pid=_hex(folder / "idProduct"),
                    serial_number=_text(folder / "serial") or None,
                    location=interface if several and interface else folder.name,
                    manufacturer=_text(folder / "manufacturer") or None,
                    product=_text(folder / "product") or None,
                )
        return None

    def adapters(self) -> list[PortRecord]:
        """Return all USB adapters, by name of their device."""
        found = [self.adapter(name) for name in self.names()]
        return [adapter for adapter in found if adapter is not None]

    def latency_ms(self, name: str) -> int | None:
        """Return the latency timer of an FTDI adapter; None where there is none."""
        text = _text(self.latency_file(name))
        return int(text) if text.isdecimal() else None

    def latency_file(self, name: str) -> Path:
        """Return where the latency timer of a device stands."""
        return self._roots.sys / "class" / "tty" / name / "device" / "latency_timer"

    def may_use(self, path: Path, person: Person) -> bool:
        """Say whether a person may read and write a device file."""
        if person.uid == 0:
            return True
        state = path.stat()
        owner, group, others = _WRITE_READ
        if state.st_uid == person.uid:
            return state.st_mode & owner == owner
        if state.st_gid in person.groups:
            return state.st_mode & group == group
        return state.st_mode & others == others

    def group_of(self, path: Path) -> str:
        """Return the name of the group a file belongs to, or its number."""
        gid = str(path.stat().st_gid)
        for line in _text(self._roots.etc / "group").splitlines():
            name, _password, number, *_ = (*line.split(":"), "", "")
            if number == gid:
                return name
        return gid

    def holders(self, path: Path) -> list[Holder]:
        """Return the other processes that have a device open, as far as we may see them."""
        found = []
        for folder in self._processes():
            for entry in _entries(folder / "fd"):
                try:
                    target = str(entry.readlink())
                except OSError:
                    continue
                if self.at(target) == path and int(folder.name) != os.getpid():
                    found.append(Holder(int(folder.name), _text(folder / "comm")))
                    break
        return found

    def running(self, name: str) -> bool:
        """Say whether a process of that name runs."""
        return any(_text(folder / "comm") == name for folder in self._processes())

    def _processes(self) -> Iterator[Path]:
        yield from (entry for entry in _entries(self._roots.proc) if entry.name.isdecimal())


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _hex(path: Path) -> int | None:
    try:
        return int(_text(path), 16)
    except ValueError:
        return None
