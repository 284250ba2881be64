from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hil import discovery
from hil.discovery import PortRecord, PortSelector, find, remarks, stable_path
from hil.errors import PortAmbiguousError, PortMissingError
from tests.hil.lines import Pty

HEAD = PortRecord(
    "/dev/ttyUSB0", "Optical head", 0x10C4, 0xEA60, "HEAD-7", "1-1.2", "Maker", "Optical head"
)
CLONE = PortRecord("/dev/ttyUSB1", "CP2102", 0x10C4, 0xEA60, "0001", "1-1.3")
CLONE_2 = replace(CLONE, device="/dev/ttyUSB2", location="1-1.4")
QUAD = [
    PortRecord(
        f"/dev/ttyUSB{3 + n}", "Quad", 0x0403, 0x6011, "FT1", f"1-2:1.{n}", interface=f"Port {n}"
    )
    for n in range(4)
]
BOARD = PortRecord("/dev/ttyS0", "ttyS0")
ALL = [HEAD, CLONE, CLONE_2, *QUAD, BOARD]


def all_ports() -> Sequence[PortRecord]:
    return ALL


@pytest.mark.parametrize(
    ("selector", "device"),
    [
        (PortSelector(serial_number="HEAD-7"), "/dev/ttyUSB0"),
        (PortSelector(0x10C4, 0xEA60, "HEAD-7"), "/dev/ttyUSB0"),
        (PortSelector(location="1-1.3"), "/dev/ttyUSB1"),
        (PortSelector(0x0403, 0x6011, "FT1", interface=2), "/dev/ttyUSB5"),
        (PortSelector(0x0403, 0x6011, "FT1", interface="Port 3"), "/dev/ttyUSB6"),
        (PortSelector(location="1-2:1.1"), "/dev/ttyUSB4"),
        (PortSelector(location="1-2", interface=0), "/dev/ttyUSB3"),
        (PortSelector(serial_number="HEAD-7", interface=0), "/dev/ttyUSB0"),
    ],
)
def test_a_port_is_found_by_what_it_is(selector: PortSelector, device: str) -> None:
    assert find(selector, all_ports).device == device


def test_a_replugged_adapter_is_found_under_its_new_number() -> None:
    moved = replace(HEAD, device="/dev/ttyUSB9")
    assert find(PortSelector(serial_number="HEAD-7"), lambda: [moved]).device == "/dev/ttyUSB9"


@pytest.mark.parametrize(
    "selector",
    [
        PortSelector(0x10C4, 0xEA60, "0001"),
        PortSelector(0x10C4, 0xEA60),
        PortSelector(serial_number="FT1"),
        PortSelector(location="1-2"),
    ],
)
def test_several_that_fit_are_listed_and_none_is_taken(selector: PortSelector) -> None:
    with pytest.raises(PortAmbiguousError) as refused:
        find(selector, all_ports)
    fitting = [port for port in ALL if selector.fits(port)]
    assert all(port.device in refused.value.what for port in fitting)
    assert len(fitting) > 1
    assert "location" in refused.value.next_command


@pytest.mark.parametrize(
    "selector",
    [
        PortSelector(serial_number="HEAD-8"),
        PortSelector(0x10C4, 0xEA61, "HEAD-7"),
        PortSelector(0x10C5, 0xEA60, "HEAD-7"),
        PortSelector(location="1-1"),
        PortSelector(location="1-2", interface=4),
        PortSelector(serial_number="HEAD-7", interface=1),
    ],
)
def test_one_that_is_missing_is_told_with_what_is_there(selector: PortSelector) -> None:
    with pytest.raises(PortMissingError) as refused:
        find(selector, all_ports)
    assert str(selector) in refused.value.what
    assert all(port.device in refused.value.cause for port in ALL)


def test_a_computer_without_ports_says_so() -> None:
    with pytest.raises(PortMissingError) as refused:
        find(PortSelector(serial_number="x"), list)
    assert "no port" in refused.value.cause


def test_a_selector_that_would_take_anything_is_no_selector() -> None:
    with pytest.raises(ValueError, match="serial number"):
        PortSelector(interface=1)


@pytest.mark.parametrize(
    ("port", "words"),
    [
        (HEAD, ()),
        (CLONE, ("no serial number of its own", 'location = "1-1.3"')),
        (replace(HEAD, serial_number=None), ("no serial number of its own", "1-1.2")),
        (QUAD[2], ("interface 2",)),
        (BOARD, ("not USB",)),
    ],
)
def test_remarks_say_how_to_name_a_port(port: PortRecord, words: tuple[str, ...]) -> None:
    said = remarks(port, ALL)
    assert len(said) == (1 if words else 0)
    assert all(word in said[0] for word in words)


def test_two_adapters_with_one_serial_number_are_told_apart_by_usb_path() -> None:
    twin = replace(HEAD, device="/dev/ttyUSB9", location="1-1.9")
    (said,) = remarks(HEAD, [HEAD, twin])
    assert "/dev/ttyUSB9" in said
    assert 'location = "1-1.2"' in said


def test_the_link_that_names_an_adapter_is_found(tmp_path: Path) -> None:
    pty = Pty()
    link = tmp_path / "usb-Maker_Optical_head_HEAD-7-if00-port0"
    link.symlink_to(pty.path)
    (tmp_path / "a-other").symlink_to("/dev/null")
    assert stable_path(PortRecord(pty.path), tmp_path) == str(link)
    assert stable_path(PortRecord("/dev/ttyS0"), tmp_path) is None
    assert stable_path(HEAD, tmp_path / "none") is None
    pty.close()


def test_the_ports_of_this_computer_can_be_listed_without_opening_any() -> None:
    found = discovery.system_ports()
    assert [port.device for port in found] == sorted(port.device for port in found)
    assert all(str(port).startswith(port.device) for port in found)
