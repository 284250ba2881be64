import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

from hil import channels, port_address
from hil.errors import (
    LineClosedError,
    NotSerialError,
    PortBusyError,
    PortError,
    PortLostError,
    PortMissingError,
    PortSettingError,
    PortStalledError,
    SchemeUnknownError,
    translated,
)
from hil.serial_port import SerialPort
from hil.tap import Taps
from tests.hil.lines import SOON_S, Notebook, Pty, TerminalServer, listening
from tests.sampling import examples


@pytest.fixture
def pty() -> Iterator[Pty]:
    line = Pty()
    yield line
    line.close()


def test_octets_cross_a_pty_both_ways_untouched(pty: Pty) -> None:
    every_octet = bytes(range(256))
    with SerialPort.open(pty.path) as port:
        port.write(every_octet)
        assert pty.heard(256) == every_octet
        pty.say(every_octet)
        assert port.read(SOON_S) == every_octet


def test_a_read_returns_what_is_there_without_waiting_for_more(pty: Pty) -> None:
    with SerialPort.open(pty.path) as port:
        pty.say(b"x")
        begun = time.monotonic()
        assert port.read(2 * SOON_S) == b"x"
        assert time.monotonic() - begun < SOON_S


@pytest.mark.parametrize("deadline_s", [0.0, 0.03, 0.3])
def test_a_read_of_a_silent_line_ends_at_its_deadline(pty: Pty, deadline_s: float) -> None:
    heard = Notebook()
    with SerialPort.open(pty.path, tap=heard) as port:
        begun = time.monotonic()
        assert port.read(deadline_s) == b""
        assert deadline_s - 0.002 <= time.monotonic() - begun < deadline_s + SOON_S
    assert heard.kinds == ["open", "timeout", "close"]


def test_opening_throws_away_what_came_before(pty: Pty) -> None:
    pty.say_there(b"before")
    with SerialPort.open(pty.path) as port:
        assert port.read(0.05) == b""


def test_the_speed_is_set_on_the_device_and_told_to_the_tap(pty: Pty) -> None:
    heard = Notebook()
    with SerialPort.open(pty.path, 300, tap=heard) as port:
        port.set_baud(9600)
        assert port.baud == 9600
    assert heard.events[0] == ("open", {"url": pty.path, "baud": 300})
    assert heard.events[1] == ("speed", {"baud": 9600})


def test_a_speed_that_no_device_has_is_an_error_of_its_own(pty: Pty) -> None:
    with SerialPort.open(pty.path) as port:
        with pytest.raises(PortSettingError):
            port.set_baud(-1)
        assert port.is_open
        assert port.baud == 9600
    with pytest.raises(PortSettingError):
        SerialPort.open(pty.path, -1)


def test_unplugging_ends_a_blocked_read_long_before_its_deadline(pty: Pty) -> None:
    heard = Notebook()
    port = SerialPort.open(pty.path, tap=heard)
    pty.let_go()
    unplug = threading.Timer(0.1, pty.unplug)
    unplug.start()
    begun = time.monotonic()
    with pytest.raises(PortLostError) as lost:
        port.read(2 * SOON_S)
    assert time.monotonic() - begun < SOON_S
    unplug.join()
    assert lost.value.exit_code == 3
    assert lost.value.where == pty.path
    assert lost.value.next_command
    assert heard.kinds == ["open", "error"]
    assert not port.is_open


@pytest.mark.parametrize("use", ["read", "write", "set_baud", "send_break"])
def test_every_use_of_an_unplugged_port_says_that_it_is_lost(pty: Pty, use: str) -> None:
    port = SerialPort.open(pty.path)
    pty.unplug()
    actions: dict[str, Callable[[], object]] = {
        "read": lambda: port.read(1.0),
        "write": lambda: port.write(b"x"),
        "set_baud": lambda: port.set_baud(300),
        "send_break": lambda: port.send_break(0.01),
    }
    with pytest.raises(PortLostError):
        actions[use]()
    with pytest.raises(PortLostError):  # and it stays lost
        actions[use]()
    port.close()


def test_a_device_node_that_vanishes_in_silence_is_seen_soon(pty: Pty) -> None:
    gone = threading.Event()
    device = serial.Serial(pty.path, timeout=0)
    channel = channels.DeviceChannel(device, pty.path, lambda: not gone.is_set())
    port = SerialPort(port_address.parse(pty.path), channel, 9600, Notebook())
    pull = threading.Timer(0.1, gone.set)
    pull.start()
    begun = time.monotonic()
    with pytest.raises(PortLostError, match="node is gone"):
        port.read(2 * SOON_S)
    assert time.monotonic() - begun < SOON_S
    pull.join()


def test_the_node_is_watched_and_not_the_link_to_it(pty: Pty, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(pty.path)
    present = channels.node_watch(str(link))
    assert present()
    link.unlink()
    assert present()
    pty.unplug()
    assert not present()


def test_a_port_opened_through_a_link_works(pty: Pty, tmp_path: Path) -> None:
    link = tmp_path / "optical-head"
    link.symlink_to(pty.path)
    with SerialPort.open(str(link)) as port:
        assert port.identity == str(link)
        pty.say(b"hello")
        assert port.read(SOON_S) == b"hello"


def test_a_second_opener_is_told_that_the_port_is_in_use(pty: Pty) -> None:
    heard = Notebook()
    with SerialPort.open(pty.path), pytest.raises(PortBusyError, match="in use"):
        SerialPort.open(pty.path, tap=heard)
    assert heard.events[0][1]["kind"] == "PortBusyError"
    SerialPort.open(pty.path).close()


def test_a_missing_device_is_told_as_missing(tmp_path: Path) -> None:
    with pytest.raises(PortMissingError, match="is not there"):
        SerialPort.open(str(tmp_path / "ttyUSB9"))


def test_a_pty_without_its_other_end_is_told_as_missing(pty: Pty) -> None:
    pty.unplug()
    with pytest.raises(PortMissingError):
        SerialPort.open(pty.path)


@pytest.mark.parametrize("make", ["file", "null", "folder"])
def test_what_is_no_serial_line_is_told_as_that(tmp_path: Path, make: str) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    path = {"file": str(plain), "null": "/dev/null", "folder": str(tmp_path)}[make]
    with pytest.raises(NotSerialError):
        SerialPort.open(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_without_permission_is_told_how_to_get_it(pty: Pty) -> None:
    os.chmod(pty.path, 0o600)  # noqa: PTH101 - the pty's path is text
    program = (
        "import os, sys; from hil.serial_port import SerialPort; "
        "from hil.errors import PortRefusedError\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: SerialPort.open(sys.argv[1])\n"
        "except PortRefusedError as error: print('\\n'.join(error.lines()))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program, pty.path],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert "may not be opened" in ended.stdout
    assert "dialout" in ended.stdout


def test_nobody_listening_at_a_tcp_port_is_told_as_missing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    for scheme in ("tcp", "wrapper", "rfc2217"):
        with pytest.raises(PortMissingError):
            SerialPort.open(f"{scheme}://127.0.0.1:{number}")


def test_a_host_that_no_one_knows_is_told_as_missing() -> None:
    with pytest.raises(PortMissingError):
        SerialPort.open("tcp://no-such-host.invalid:4059")


def test_an_unknown_scheme_opens_nothing() -> None:
    with pytest.raises(SchemeUnknownError):
        SerialPort.open("spy:///dev/ttyUSB0")


@pytest.mark.parametrize("scheme", ["tcp", "wrapper"])
def test_a_network_line_carries_octets_and_tells_when_its_peer_closes(scheme: str) -> None:
    heard = Notebook()

    def echo_once(connection: socket.socket) -> None:
        connection.sendall(connection.recv(100))

    with (
        listening(echo_once) as number,
        SerialPort.open(f"{scheme}://127.0.0.1:{number}", tap=heard) as port,
    ):
        port.set_baud(300)
        assert not port.send_break()
        port.write(b"\x7e\xff\x00")
        assert port.transmitting_s == 0
        assert port.read(SOON_S) == b"\x7e\xff\x00"
        with pytest.raises(LineClosedError):
            port.read(SOON_S)
    assert heard.chunks == [("in", b"\x7e\xff\x00"), ("out", b"\x7e\xff\x00")]
    assert heard.kinds == ["open", "speed", "break", "error"]


def _write_until_it_fails(port: SerialPort) -> None:
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:  # the reset takes its time to arrive
        port.write(b"x")
        time.sleep(0.01)


def test_a_network_peer_that_resets_has_closed_the_line() -> None:
    opened = threading.Event()

    def reset(connection: socket.socket) -> None:
        opened.wait(SOON_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with listening(reset) as number:
        port = SerialPort.open(f"tcp://127.0.0.1:{number}")
        opened.set()
        with pytest.raises(LineClosedError):
            port.read(SOON_S)
        opened.clear()
        port = SerialPort.open(f"tcp://127.0.0.1:{number}")
        opened.set()
        with pytest.raises(LineClosedError):
            _write_until_it_fails(port)


def test_a_line_that_takes_nothing_is_told_as_stalled(pty: Pty) -> None:
    with SerialPort.open(pty.path) as port:
        with pytest.raises(PortStalledError, match="octets left"):
            port.write(bytes(1 << 20), deadline_s=0.1)
        assert port.is_open


def test_a_long_message_crosses_while_its_reader_is_slow(pty: Pty) -> None:
    message = os.urandom(40_000)  # noqa: TID251 - any octets will do
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pty.heard(len(message))))
    with SerialPort.open(pty.path, 115_200) as port:
        reader.start()
        port.write(message)
        reader.join()
    assert got[0] == message


def test_the_loop_port_echoes() -> None:
    with SerialPort.open("loop://") as port:
        port.write(b"echo")
        assert port.read(SOON_S) == b"echo"
        assert port.read(0.06) == b""
        port.set_baud(300)
        assert port.baud == 300


def test_a_port_knows_how_long_its_line_needs_to_carry_what_was_written(pty: Pty) -> None:
    with SerialPort.open(pty.path, 300) as port:
        begun = time.monotonic()
        for lines in (1, 2):
            port.write(b"/?!\r\n")
            due, left = lines * 5 * 10 / 300, port.transmitting_s
            assert max(0.0, due - (time.monotonic() - begun)) <= left <= due


def test_several_taps_hear_the_same_in_order(pty: Pty) -> None:
    first, second = Notebook(), Notebook()
    with SerialPort.open(pty.path, tap=Taps((first, second))) as port:
        port.write(b"a")
        pty.say(b"b")
        port.read(1.0)
        assert port.send_break(0.01)
    assert first.chunks == second.chunks == [("in", b"a"), ("out", b"b")]
    assert first.events == second.events
    assert first.kinds == ["open", "break", "close"]
    assert first.times == sorted(first.times)


def test_closing_twice_tells_the_tap_once(pty: Pty) -> None:
    heard = Notebook()
    port = SerialPort.open(pty.path, tap=heard)
    port.close()
    port.close()
    assert heard.kinds == ["open", "close"]
    with pytest.raises(PortLostError, match="closed"):
        port.read(0.1)


def test_no_parity_and_eight_bits_are_set_on_the_device(pty: Pty) -> None:
    with SerialPort.open(pty.path) as port:
        settings_now = port._channel._port.get_settings()  # type: ignore[attr-defined] # pyserial's view
    assert (settings_now["bytesize"], settings_now["parity"], settings_now["stopbits"]) == (
        8,
        "N",
        1,
    )


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=64), min_size=1, max_size=8))
def test_the_tap_holds_every_octet_in_order(chunks: list[bytes]) -> None:
    heard = Notebook()
    line = Pty()
    with SerialPort.open(line.path, tap=heard) as port:
        for chunk in chunks:
            port.write(chunk)
            assert line.heard(len(chunk)) == chunk
            line.say(chunk)
            while b"".join(o for way, o in heard.chunks if way == "out") != b"".join(
                o for way, o in heard.chunks if way == "in"
            ):
                assert port.read(1.0)
    line.close()
    assert b"".join(octets for way, octets in heard.chunks if way == "in") == b"".join(chunks)


def test_what_pyserial_says_of_a_server_without_rfc2217_is_told_as_that() -> None:
    with pytest.raises(NotSerialError), translated("rfc2217://h:1", opening=True):
        raise serial.SerialException("Remote does not seem to support RFC2217 or BINARY mode")


@pytest.mark.parametrize(
    "error",
    [OSError(5, "gone"), serial.SerialException("device reports readiness"), OSError("no number")],
)
def test_foreign_errors_end_at_this_border(error: Exception) -> None:
    with pytest.raises(PortLostError), translated("/dev/x"):
        raise error
    with pytest.raises(PortError), translated("/dev/x", opening=True):
        raise error


def test_an_rfc2217_line_carries_octets_speeds_and_breaks() -> None:
    heard = Notebook()
    box = TerminalServer()
    with (
        listening(box.serve) as number,
        SerialPort.open(f"rfc2217://127.0.0.1:{number}", 300, tap=heard) as port,
    ):
        assert box.settings.baud == 300
        port.write(b"/?!\r\n\xff")
        assert port.read(SOON_S) == b"/?!\r\n\xff"
        assert port.transmitting_s > 0
        port.set_baud(9600)
        assert box.settings.baud == 9600
        assert (box.settings.data_bits, box.settings.parity.name) == (8, "NONE")
        assert port.send_break(0.01)
        assert port.read(0.06) == b""
    assert heard.kinds == ["open", "speed", "break", "timeout", "close"]


def test_the_speed_behind_a_terminal_server_changes_after_the_octets_have_left() -> None:
    with (
        listening(TerminalServer().serve) as number,
        SerialPort.open(f"rfc2217://127.0.0.1:{number}", 300) as port,
    ):
        begun = time.monotonic()
        port.write(bytes(6))
        port.set_baud(9600)
        assert time.monotonic() - begun >= 6 * 10 / 300


def test_a_terminal_server_that_goes_away_is_a_lost_port() -> None:
    box = TerminalServer(hang_up_on=b"bye")
    with listening(box.serve) as number:
        port = SerialPort.open(f"rfc2217://127.0.0.1:{number}")
        port.write(b"bye")
        begun = time.monotonic()
        with pytest.raises(PortLostError):
            port.read(2 * SOON_S)
        assert time.monotonic() - begun < SOON_S


def test_a_terminal_server_that_refuses_a_speed_says_so() -> None:
    box = TerminalServer(baud_rates=frozenset({9600}))
    with (
        listening(box.serve) as number,
        SerialPort.open(f"rfc2217://127.0.0.1:{number}") as port,
    ):
        with pytest.raises(PortSettingError):
            port.set_baud(300)
        assert port.is_open


@pytest.mark.soak
def test_a_server_without_rfc2217_is_told_as_that() -> None:
    """pyserial takes three seconds to give up."""

    def mute(connection: socket.socket) -> None:
        while connection.recv(1000):
            connection.sendall(b"SSH-2.0-something\r\n")

    with listening(mute) as number, pytest.raises(NotSerialError):
        SerialPort.open(f"rfc2217://127.0.0.1:{number}")
