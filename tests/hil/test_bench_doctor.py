"""The doctor on made-up systems: each thing in the way is found, named, and has its remedy."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.bench_file import load_bench
from hil.bench_sections import UsbSection
from hil.doctor import Doctor, Port, ports_of
from hil.findings import Finding, Level
from hil.serial_nodes import Person, Roots, SerialNodes
from tests.hil.bench_texts import HEAD, REAL, write_bench

LINK = "/dev/serial/by-id/usb-FTDI_A900-if00-port0"
FITTER = Person("fitter", 1000, frozenset({1000, 20}))
STRANGER = Person("stranger", 2000, frozenset({2000}))


@dataclass
class System:
    """Folders shaped like /proc, /sys, /dev and /etc."""

    root: Path

    def __post_init__(self) -> None:
        for name in ("proc", "sys/class/tty", "dev/serial/by-id", "etc"):
            (self.root / name).mkdir(parents=True)
        group = self.root / "etc" / "group"
        group.write_text("root:x:0:\ndialout:x:20:fitter\nplugdev:x:46:fitter\n")

    @property
    def roots(self) -> Roots:
        return Roots(*(self.root / name for name in ("proc", "sys", "dev", "etc")))

    def adapter(  # noqa: PLR0913 - a device has so many properties
        self,
        name: str,
        *,
        serial: str = "A900",
        location: str = "1-1.2",
        latency: int | None = 1,
        link: str = LINK,
        numbers: tuple[str, str] = ("0403", "6001"),
        interfaces: int = 1,
        interface: int = 0,
    ) -> Path:
        usb = self.root / "sys/devices/pci0/usb1" / location
        tty = usb / f"{location}:1.{interface}" / name
        tty.mkdir(parents=True)
        (usb / "idVendor").write_text(numbers[0] + "\n")
        (usb / "idProduct").write_text(numbers[1] + "\n")
        (usb / "bNumInterfaces").write_text(f" {interfaces}\n")
        if serial:
            (usb / "serial").write_text(serial + "\n")
        (tty.parent / "bInterfaceNumber").write_text(f"{interface:02x}\n")
        if latency is not None:
            (tty / "latency_timer").write_text(f"{latency}\n")
        folder = self.root / "sys/class/tty" / name
        folder.mkdir()
        (folder / "device").symlink_to(tty)
        node = self.root / "dev" / name
        node.touch()
        node.chmod(0o660)
        if link:
            (self.root / "dev" / link.removeprefix("/dev/")).symlink_to(f"../../{name}")
        return node

    def process(self, pid: int, name: str, *opened: str) -> None:
        folder = self.root / "proc" / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "comm").write_text(name + "\n")
        for number, path in enumerate(opened, start=3):
            (folder / "fd" / str(number)).symlink_to(path)

    def doctor(self, person: Person | None = None) -> Doctor:
        """Return a doctor; by default root, to whom every fake device file belongs."""
        return Doctor(self.roots, person or Person("root", 0, frozenset({0})))


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path / "system")


def only(found: list[Finding], code: str) -> Finding:
    """Check that exactly one thing was found, with remedy and next command; returns it."""
    assert [one.code for one in found] == [code], found
    (finding,) = found
    assert finding.where
    assert finding.remedy
    assert finding.next_command
    told = "\n".join(finding.lines())
    assert finding.what in told
    assert finding.next_command in told
    assert finding.row()["code"] == code
    return finding


HEAD_PORT = Port("roles.ESME", LINK)


def test_nothing_is_said_of_a_port_that_is_in_order(system: System) -> None:
    system.adapter("ttyUSB0")
    system.process(1, "systemd", "/dev/null")
    assert system.doctor().of_port(HEAD_PORT) == []


def test_a_port_that_is_not_there_is_missing_and_the_others_are_named(system: System) -> None:
    system.adapter("ttyUSB0", link="/dev/serial/by-id/usb-other")
    finding = only(system.doctor().of_port(HEAD_PORT), "missing-device")
    assert finding.level is Level.FAULT
    assert "/dev/serial/by-id/usb-other" in finding.remedy


def test_a_link_that_leads_to_nothing_is_an_unplugged_adapter(system: System) -> None:
    system.adapter("ttyUSB0").unlink()
    finding = only(system.doctor().of_port(HEAD_PORT), "dangling-link")
    assert "unplugged" in finding.what


def test_a_port_of_another_group_is_refused_with_the_group_to_join(system: System) -> None:
    node = system.adapter("ttyUSB0")
    nodes = SerialNodes(system.roots)
    assert not nodes.may_use(node, STRANGER)
    found = system.doctor(STRANGER).of_port(HEAD_PORT)
    finding = only(found, "no-permission")
    group = nodes.group_of(node)  # whoever runs the tests owns the fake file
    assert finding.next_command == f"sudo usermod -aG {group} stranger"
    assert group in finding.what


@pytest.mark.parametrize(
    ("mode", "person", "may"),
    [
        (0o660, Person("o", -1, frozenset()), True),
        (0o060, Person("o", -1, frozenset({-2})), False),
        (0o060, Person("g", 77, frozenset({-2})), True),
        (0o600, Person("g", 77, frozenset({-2})), False),
        (0o606, Person("x", 77, frozenset({78})), True),
        (0o660, Person("x", 77, frozenset({78})), False),
        (0o440, Person("g", 77, frozenset({-2})), False),
        (0o000, Person("root", 0, frozenset()), True),
    ],
)
def test_who_may_use_a_device_follows_from_its_mode(
    system: System, mode: int, person: Person, may: bool
) -> None:
    node = system.adapter("ttyUSB0")
    node.chmod(mode)
    if os.getuid() == 0:
        os.chown(node, 4242, 4243)  # root may do everything, so somebody else has to own it
    state = node.stat()
    uid = state.st_uid if person.uid == -1 else person.uid
    groups = frozenset(state.st_gid if gid == -2 else gid for gid in person.groups)
    assert SerialNodes(system.roots).may_use(node, Person(person.name, uid, groups)) is may


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("minicom", "kill 4711"),
        ("ModemManager", "sudo systemctl disable --now ModemManager"),
    ],
)
def test_a_port_somebody_holds_is_busy_and_says_by_whom(
    system: System, name: str, command: str
) -> None:
    system.adapter("ttyUSB0")
    system.process(4711, name, "/dev/null", "/dev/ttyUSB0")
    finding = only(system.doctor().of_port(HEAD_PORT), "port-busy")
    assert f"{name} (process 4711)" in finding.what
    assert finding.next_command == command


def test_a_pty_is_held_by_its_program_and_that_is_right(system: System) -> None:
    (system.root / "dev" / "pts").mkdir()
    (system.root / "dev" / "pts" / "3").touch()
    system.process(4711, "smetsbench", "/dev/pts/3")
    assert system.doctor().of_port(Port("roles.ESME", "/dev/pts/3")) == []


@pytest.mark.parametrize(
    ("program", "code"), [("ModemManager", "modem-manager"), ("brltty", "brltty")]
)
def test_programs_that_grab_ports_are_named_while_a_port_is_there(
    system: System, program: str, code: str
) -> None:
    system.process(99, program)
    assert [one.code for one in system.doctor().of_machine()] == ["missing-device"]
    system.adapter("ttyUSB0")
    finding = only(system.doctor().of_machine(), code)
    assert finding.level is Level.WARNING
    assert "systemctl" in finding.next_command


def test_a_slow_latency_timer_is_found_and_set(system: System) -> None:
    system.adapter("ttyUSB0", latency=16)
    finding = only(system.doctor().of_port(HEAD_PORT), "latency-timer")
    assert "16 ms" in finding.what
    assert finding.next_command.endswith("ttyUSB0/device/latency_timer")


def test_an_adapter_without_latency_timer_has_none_to_set(system: System) -> None:
    system.adapter("ttyACM0", latency=None)
    assert system.doctor().of_port(HEAD_PORT) == []


@pytest.mark.parametrize("serial", ["", "0001"])
def test_an_adapter_without_a_number_of_its_own_is_named_by_its_usb_path(
    system: System, serial: str
) -> None:
    system.adapter("ttyUSB0", serial=serial, latency=None, numbers=("10c4", "ea60"))
    finding = only(system.doctor().of_port(HEAD_PORT), "no-serial-number")
    assert 'vid = 0x10c4, pid = 0xea60, location = "1-1.2"' in finding.next_command
    placed = UsbSection(location="1-1.2")
    assert system.doctor().of_port(Port("roles.ESME", LINK, placed)) == []


def test_two_adapters_with_one_number_are_told_apart_by_their_usb_path(system: System) -> None:
    system.adapter("ttyUSB0")
    system.adapter("ttyUSB1", location="1-1.3", link="/dev/serial/by-id/usb-twin")
    finding = only(system.doctor().of_port(HEAD_PORT), "same-serial-number")
    assert "ttyUSB1" in finding.what
    by_usb = Port("roles.ESME", "usb", UsbSection(serial="A900"))
    assert only(system.doctor().of_port(by_usb), "same-serial-number").level is Level.FAULT
    placed = Port("roles.ESME", "usb", UsbSection(serial="A900", location="1-1.3"))
    assert system.doctor().of_port(placed) == []


def test_two_ports_of_one_adapter_are_told_apart_by_their_interface(system: System) -> None:
    system.adapter("ttyUSB0", interfaces=2, interface=0)
    usb = system.root / "sys/devices/pci0/usb1/1-1.2"
    second = usb / "1-1.2:1.1" / "ttyUSB1"
    second.mkdir(parents=True)
    (second.parent / "bInterfaceNumber").write_text("01\n")
    (system.root / "sys/class/tty/ttyUSB1").mkdir()
    (system.root / "sys/class/tty/ttyUSB1/device").symlink_to(second)
    (system.root / "dev/ttyUSB1").touch()
    both = Port("roles.ESME", "usb", UsbSection(serial="A900"))
    assert only(system.doctor().of_port(both), "same-serial-number").level is Level.FAULT
    one = Port("roles.ESME", "usb", UsbSection(serial="A900", interface=1))
    assert system.doctor().of_port(one) == []


def test_another_adapter_than_the_table_says_is_a_mismatch(system: System) -> None:
    system.adapter("ttyUSB0")
    port = Port("roles.ESME", LINK, UsbSection(vid=0x0403, pid=0x6001, serial="B111"))
    assert "serial A900" in only(system.doctor().of_port(port), "usb-mismatch").what


def test_an_adapter_that_no_table_fits_is_missing(system: System) -> None:
    system.adapter("ttyUSB0")
    port = Port("roles.ESME", "usb", UsbSection(serial="B111"))
    finding = only(system.doctor().of_port(port), "missing-device")
    assert "serial A900" in finding.remedy


def test_a_system_without_lasting_names_says_so(system: System) -> None:
    system.adapter("ttyUSB0", link="")
    (system.root / "dev/serial/by-id").rmdir()
    assert only(system.doctor().of_machine(), "no-by-id").level is Level.WARNING


@pytest.mark.parametrize("speed", [9601, 31250])
def test_a_speed_that_adapters_do_not_know_is_named(system: System, speed: int) -> None:
    system.adapter("ttyUSB0")
    found = system.doctor().of_port(Port("roles.ESME", LINK, None, (300, speed)))
    assert str(speed) in only(found, "wrong-baud").what


def test_everything_wrong_at_once_is_said_at_once(system: System) -> None:
    system.adapter("ttyUSB0", serial="", latency=16)
    system.process(4711, "minicom", "/dev/ttyUSB0")
    system.process(99, "brltty")
    codes = {one.code for one in system.doctor(STRANGER).of_machine()}
    assert codes == {"brltty", "no-permission", "port-busy", "no-serial-number", "latency-timer"}


def test_the_doctor_looks_at_the_ports_of_the_file_and_no_others(
    system: System, tmp_path: Path
) -> None:
    more = '\n[console]\nendpoint = "serial:/dev/ttyS7"\nprompt = ">"\nbaud = 115201\n'
    loaded = load_bench(write_bench(tmp_path, REAL + "start_baud = 300\nbaud = 9600\n" + more))
    assert [(port.where, port.path, port.speeds) for port in ports_of(loaded)] == [
        ("roles.ESME", "/dev/serial/by-id/usb-head-0", (300, 9600)),
        ("console", "/dev/ttyS7", (115201,)),
    ]
    system.adapter("ttyUSB0", latency=16)
    found = [(one.where, one.code) for one in system.doctor().of_bench(loaded)]
    assert found == [
        ("roles.ESME", "missing-device"),
        ("console", "wrong-baud"),
        ("console", "missing-device"),
    ]


def test_network_ports_are_nothing_for_the_doctor(system: System, tmp_path: Path) -> None:
    role = '[roles.ESME]\nendpoint = "serial:tcp://127.0.0.1:4059"\nprofile = "./model.toml"\n'
    loaded = load_bench(write_bench(tmp_path, HEAD + role))
    system.process(99, "brltty")
    assert system.doctor().of_bench(loaded) == []


def test_this_computer_can_be_looked_at_without_any_port_being_opened() -> None:
    for finding in Doctor().of_machine():
        assert finding.remedy
