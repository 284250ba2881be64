"""What keeps a serial line from working, each with its remedy; looks, and opens nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hil.bench_file import LoadedBench
from hil.bench_sections import UsbSection
from hil.discovery import PortRecord, remarks
from hil.endpoints import BY_USB, Endpoint, EndpointKind
from hil.findings import Finding, Level
from hil.serial_nodes import Person, Roots, SerialNodes

#: Programs that open serial ports of their own accord -> what they are, how to keep them away.
GRABBERS: Final = {
    "ModemManager": (
        "modem-manager",
        "ModemManager runs; it talks to every new serial port as if it were a modem",
        "sudo systemctl disable --now ModemManager",
    ),
    "brltty": (
        "brltty",
        "brltty runs; it takes USB serial adapters for Braille displays",
        "sudo systemctl disable --now brltty.service brltty-udev.service",
    ),
}
#: Milliseconds an FTDI adapter may hold octets back; more dominates a half-duplex line.
_LATENCY_MS: Final = 1
#: Speeds that every adapter knows.
_SPEEDS: Final = frozenset(
    {300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}
)


@dataclass(frozen=True, slots=True)
class Port:
    """One serial port that is to be looked at.

    Attributes:
        where: Role or section, for people.
        path: Device path, or ``usb`` where the usb table alone says which.
        usb: Which adapter it should be; None: any.
        speeds: Speeds it will be asked for.
    """

    where: str
    path: str
    usb: UsbSection | None = None
    speeds: tuple[int, ...] = ()


class Doctor:
    """Looks at serial ports through the system's folders.

    Attributes:
        nodes: The serial devices.
        person: Who wants to use them.
    """

    def __init__(self, roots: Roots | None = None, person: Person | None = None) -> None:
        self._roots = roots or Roots()
        self.nodes = SerialNodes(self._roots)
        self.person = person or Person.present()

    def of_machine(self) -> list[Finding]:
        """Look at every USB serial device there is, and at what runs beside."""
        names = self.nodes.names()
        found = [*self._grabbers(bool(names)), *self._folder(names)]
        if not names:
            found.append(
                Finding(
                    "missing-device",
                    Level.WARNING,
                    "this computer",
                    "no USB serial adapter is plugged in",
                    "plug the optical head or the lead in, and look again",
                    "ls -l /dev/serial/by-id",
                )
            )
        for name in names:
            found += self.of_port(Port(f"/dev/{name}", f"/dev/{name}"))
        return found

    def of_bench(self, loaded: LoadedBench) -> list[Finding]:
        """Look at every serial port a bench file names, and at what runs beside."""
        ports = ports_of(loaded)
        found = [*self._grabbers(bool(ports)), *self._folder(self.nodes.names() if ports else [])]
        for port in ports:
            found += self.of_port(port)
        return [*found, *_flow_control(loaded)]

    def of_port(self, port: Port) -> list[Finding]:
        """Look at one port."""
        found = self._speeds(port)
        path = port.path
        if port.path == BY_USB:
            fitting = [one for one in self.nodes.adapters() if _is_meant(port, one)]
            if len(fitting) != 1:
                return [*found, self._not_one(port, fitting)]
            path = fitting[0].device
        place = self.nodes.resolved(path)
        if place is None:
            return [*found, self._missing(port, path)]
        found += self._access(port, place)
        found += self._adapter(port, place.name)
        return found

    # -- what may be wrong ---------------------------------------------------------------------

    def _grabbers(self, has_ports: bool) -> Iterator[Finding]:
        for program, (code, what, command) in GRABBERS.items():
            if has_ports and self.nodes.running(program):
                remedy = "stop it while the bench is in use, or tell it to leave this adapter alone"
                yield Finding(code, Level.WARNING, program, what, remedy, command)

    def _folder(self, names: list[str]) -> Iterator[Finding]:
        if names and not (self._roots.dev / "serial" / "by-id").is_dir():
            yield Finding(
                "no-by-id",
                Level.WARNING,
                "/dev/serial/by-id",
                "the system makes no names that stay the same over a re-plug",
                "have udev running (it is not, in a container), or name the port by its usb table",
                "systemctl status systemd-udevd",
            )

    def _not_one(self, port: Port, fitting: list[PortRecord]) -> Finding:
        if fitting:
            return Finding(
                "same-serial-number",
                Level.FAULT,
                port.where,
                f"the usb table fits more than one adapter: {_listed(fitting)}",
                "add location (the USB path) to the usb table; cheap adapters share one number",
                "smetsbench bench doctor",
            )
        return Finding(
            "missing-device",
            Level.FAULT,
            port.where,
            f"no adapter is {port.usb.selector if port.usb else 'meant'}",
            f"plug it in; here are: {_listed(self.nodes.adapters())}",
            "lsusb",
        )

    def _missing(self, port: Port, path: str) -> Finding:
        place = self.nodes.at(path)
        if place.is_symlink():
            what = f"{path} leads to nothing: the adapter is unplugged, or just being re-plugged"
            return Finding(
                "dangling-link", Level.FAULT, port.where, what, "plug it in", "dmesg | tail"
            )
        names = self.nodes.names()
        here = [link for name in names for link in self.nodes.links(name) or [f"/dev/{name}"]]
        return Finding(
            "missing-device",
            Level.FAULT,
            port.where,
            f"{path} is not there",
            f"plug it in, or name another port; here are: {', '.join(here) or 'none'}",
            "ls -l /dev/serial/by-id",
        )

    def _access(self, port: Port, place: Path) -> Iterator[Finding]:
        if not self.nodes.may_use(place, self.person):
            group = self.nodes.group_of(place)
            yield Finding(
                "no-permission",
                Level.FAULT,
                port.where,
                f"{self.person.name} may not open {place.name} (it belongs to the group {group})",
                "join that group, then log out and in again",
                f"sudo usermod -aG {group} {self.person.name}",
            )
        # The other end of a pty is a program, which has it open by right.
        holders = [] if place.parent.name == "pts" else self.nodes.holders(place)
        for holder in holders:
            code, command = "port-busy", f"kill {holder.pid}"
            if holder.name in GRABBERS:
                command = GRABBERS[holder.name][2]
            yield Finding(
                code,
                Level.FAULT,
                port.where,
                f"{place.name} is held by {holder.name or 'a process'} (process {holder.pid})",
                "end that program, or let it go first",
                command,
            )

    def _adapter(self, port: Port, name: str) -> Iterator[Finding]:
        adapter = self.nodes.adapter(name)
        if adapter is None:
            return
        if not _is_meant(port, adapter):
            yield Finding(
                "usb-mismatch",
                Level.FAULT,
                port.where,
                f"it is another adapter than the usb table says: {adapter}",
                "plug the right one in, or correct the usb table",
                "lsusb",
            )
        if port.usb is None or port.usb.location is None:
            yield from self._numbered(port, adapter)
        latency = self.nodes.latency_ms(name)
        if latency is not None and latency > _LATENCY_MS:
            yield Finding(
                "latency-timer",
                Level.WARNING,
                port.where,
                f"the FTDI adapter {name} holds octets back for {latency} ms",
                "set its latency timer to 1 ms, or every exchange waits that long",
                f"echo 1 | sudo tee {self.nodes.latency_file(name)}",
            )

    def _numbered(self, port: Port, adapter: PortRecord) -> Iterator[Finding]:
        code = "same-serial-number" if adapter.has_own_number else "no-serial-number"
        for remark in remarks(adapter, self.nodes.adapters()):
            if "serial number" not in remark:
                continue
            numbers = f"vid = 0x{adapter.vid or 0:04x}, pid = 0x{adapter.pid or 0:04x}"
            table = f'{{ {numbers}, location = "{adapter.usb_path}" }}'
            yield Finding(
                code,
                Level.WARNING,
                port.where,
                remark,
                "always use the same USB socket, and write it into the usb table of the role",
                f'in the bench file: endpoint = "serial:usb", usb = {table}',
            )

    def _speeds(self, port: Port) -> list[Finding]:
        return [
            Finding(
                "wrong-baud",
                Level.WARNING,
                port.where,
                f"{speed} is no speed that every adapter knows",
                "correct baud or start_baud: 300 for a sign-on, 9600 for HDLC, as a rule",
                "smetsbench bench check FILE",
            )
            for speed in port.speeds
            if speed not in _SPEEDS
        ]


def _is_meant(port: Port, adapter: PortRecord) -> bool:
    return port.usb is None or port.usb.selector.fits(adapter)


def _listed(adapters: list[PortRecord]) -> str:
    return "; ".join(str(adapter) for adapter in adapters) or "none"


def _flow_control(loaded: LoadedBench) -> Iterator[Finding]:
    """Look at dongles whose flow control is left to chance; nobody can read it off the line."""
    for name, dongle in loaded.content.dongles.items():
        if dongle.flow_control is None and dongle.where.target.startswith("/dev/serial/"):
            yield Finding(
                "flow-control",
                Level.WARNING,
                f"dongles.{name}",
                "nothing says how the dongle holds us back; software flow control is taken",
                "look it up: an image built for RTS/CTS loses octets without it",
                'flow_control = "hardware" or "software"',
            )


def ports_of(loaded: LoadedBench) -> list[Port]:
    """Return the ports of a bench file that are devices of this computer."""
    found = []
    for role, section in loaded.of(EndpointKind.SERIAL).items():
        target = section.where.target
        if section.where.device_path is not None or target == BY_USB:
            speeds = tuple(speed for speed in (section.start_baud, section.baud) if speed)
            found.append(Port(f"roles.{role}", target, section.usb, speeds))
    content = loaded.content
    for name, dongle in content.dongles.items():
        if dongle.is_real and dongle.where.target.startswith("/"):
            found.append(Port(f"dongles.{name}", dongle.where.target, None, (dongle.baud,)))
    for name, one in (("power", content.power), ("console", content.console)):
        path = None if one is None else Endpoint.parse(one.endpoint).device_path
        if one is not None and path is not None:
            found.append(Port(name, path, None, (one.baud,)))
    return found
