import itertools
from collections.abc import Callable
from typing import Any, cast

import pytest
from serial.rfc2217 import PortManager

from emulator.codecs import rfc2217, rfc2217_client, rfc2217_server
from emulator.codecs.rfc2217 import Command, ComPort, Ignored, LineState, TelnetSplitter
from emulator.codecs.rfc2217_client import (
    ClientState,
    Confirmed,
    FromPort,
    Notified,
    Paused,
    Ready,
    Refused,
    SerialClient,
    Unanswered,
)
from emulator.codecs.rfc2217_server import (
    ClientSignature,
    Configure,
    Parity,
    PortSettings,
    PurgePort,
    SerialServer,
    StopSize,
    ToPort,
)
from emulator.core.chance import Chance
from emulator.core.errors import IllegalEventError

BAUD_9600 = bytes.fromhex("00002580")


def ask(server: SerialServer, command: Command, value: bytes) -> tuple[list[Any], list[ComPort]]:
    """What one request does, and the subnegotiations it is answered with."""
    outputs = server.receive(rfc2217.encode(ComPort(command, value)))
    written = b"".join(o.octets for o in outputs if isinstance(o, rfc2217_server.Write))
    answers = [item for item in TelnetSplitter().feed(written) if isinstance(item, ComPort)]
    return [o for o in outputs if not isinstance(o, rfc2217_server.Write)], answers


REQUESTS = [
    (Command.BAUD_RATE, "000004b0", "000004b0", PortSettings(baud=1200)),
    (Command.BAUD_RATE, "00000000", "00002580", None),
    (Command.DATA_SIZE, "07", "07", PortSettings(data_bits=7)),
    (Command.DATA_SIZE, "00", "08", None),
    (Command.DATA_SIZE, "09", "08", None),
    (Command.PARITY, "03", "03", PortSettings(parity=Parity.EVEN)),
    (Command.PARITY, "00", "01", None),
    (Command.PARITY, "06", "01", None),
    (Command.STOP_SIZE, "02", "02", PortSettings(stop=StopSize.TWO)),
    (Command.STOP_SIZE, "00", "01", None),
    (Command.STOP_SIZE, "04", "01", None),
    (Command.LINE_STATE_MASK, "ff", "ff", None),
    (Command.MODEM_STATE_MASK, "00", "00", None),
    (Command.MODEM_STATE_MASK, "ff", "ff", None),
    (Command.CONTROL, "00", "01", None),
    (Command.CONTROL, "04", "06", None),
    (Command.CONTROL, "05", "05", PortSettings(break_on=True)),
    (Command.CONTROL, "07", "08", None),
    (Command.CONTROL, "09", "09", PortSettings(dtr=False)),
    (Command.CONTROL, "0a", "0b", None),
    (Command.CONTROL, "0c", "0c", PortSettings(rts=False)),
    (Command.CONTROL, "0d", "0e", None),
    (Command.CONTROL, "ff", "01", None),
]


@pytest.mark.parametrize(("command", "value", "answer", "configured"), REQUESTS)
def test_every_request_is_answered_with_what_holds_afterwards(
    command: Command, value: str, answer: str, configured: PortSettings | None
) -> None:
    effects, answers = ask(SerialServer(), command, bytes.fromhex(value))
    assert answers == [ComPort(command, bytes.fromhex(answer), from_server=True)]
    assert effects == ([] if configured is None else [Configure(configured)])


def test_every_control_value_is_answered_once() -> None:
    for value in range(256):
        _, answers = ask(SerialServer(), Command.CONTROL, bytes((value,)))
        assert len(answers) == 1
        if value in rfc2217_server._SWITCHES:
            assert answers[0].value == bytes((value,))


def test_every_command_is_in_the_table_and_only_pauses_have_no_answer() -> None:
    assert set(rfc2217_server.REQUESTS) == set(Command)
    silent = set()
    for command in Command:
        value = BAUD_9600 if command is Command.BAUD_RATE else b"\x01"
        if command in {Command.FLOW_SUSPEND, Command.FLOW_RESUME, Command.SIGNATURE}:
            value = b""
        if not ask(SerialServer(), command, value)[1]:
            silent.add(command)
    assert silent == {Command.FLOW_SUSPEND, Command.FLOW_RESUME}


def test_a_rate_the_port_cannot_do_leaves_the_present_one() -> None:
    server = SerialServer(baud_rates=frozenset({300, 9600}))
    assert ask(server, Command.BAUD_RATE, (1200).to_bytes(4, "big"))[1][0].value == BAUD_9600
    assert server.settings.baud == 9600


def test_signatures_go_both_ways() -> None:
    server = SerialServer(signature="bench")
    assert ask(server, Command.SIGNATURE, b"")[1][0].value == b"bench"
    assert ask(server, Command.SIGNATURE, b"me")[0] == [ClientSignature("me")]


@pytest.mark.parametrize(
    ("value", "effect"),
    [(1, PurgePort(True, False)), (2, PurgePort(False, True)), (3, PurgePort(True, True)),
     (0, Ignored("nothing to purge by 0"))],
)  # fmt: skip
def test_purging_is_carried_out_and_answered(value: int, effect: object) -> None:
    effects, answers = ask(SerialServer(), Command.PURGE, bytes((value,)))
    assert effects == [effect]
    assert answers[0].value == bytes((value,))


def states(outputs: list[rfc2217_server.Output]) -> list[int]:
    written = b"".join(o.octets for o in outputs if isinstance(o, rfc2217_server.Write))
    return [item.value[0] for item in TelnetSplitter().feed(written) if isinstance(item, ComPort)]


def test_modem_lines_are_told_with_what_changed_through_the_mask() -> None:
    server = SerialServer()
    assert states(server.tell_modem_state(0xB0)) == [0xBB]
    assert states(server.tell_modem_state(0xB0)) == []
    assert states(server.tell_modem_state(0xF0)) == [0xF0]  # ring begins: no bit for that
    assert states(server.tell_modem_state(0xB0)) == [0xB4]  # ring ended
    ask(server, Command.MODEM_STATE_MASK, b"\x10")
    assert states(server.tell_modem_state(0x30)) == []
    assert states(server.tell_modem_state(0x20)) == [0x00]
    assert [answer.value for answer in ask(server, Command.NOTIFY_MODEM_STATE, b"")[1]] == [b"\x20"]


def test_line_states_are_told_only_when_the_client_asked_for_them() -> None:
    server = SerialServer()
    assert server.tell_line_state(LineState.PARITY_ERROR) == []
    ask(server, Command.LINE_STATE_MASK, b"\x06")
    assert states(server.tell_line_state(LineState.PARITY_ERROR | LineState.BREAK)) == [4]
    assert ask(server, Command.NOTIFY_LINE_STATE, b"")[1][0].value == b"\x14"


def test_a_paused_client_gets_its_octets_later_and_losses_are_told() -> None:
    server = SerialServer()
    ask(server, Command.LINE_STATE_MASK, b"\xff")
    ask(server, Command.FLOW_SUSPEND, b"")
    assert server.from_port(b"\xffab") == []
    assert states(server.from_port(bytes(rfc2217_server.MAX_HELD_BYTES))) == [LineState.OVERRUN]
    resumed = server.receive(rfc2217.encode(ComPort(Command.FLOW_RESUME, b"")))
    assert isinstance(resumed[0], rfc2217_server.Write)
    assert resumed[0].octets[:4] == b"\xff\xffab"
    assert server.from_port(b"\xff") == [rfc2217_server.Write(b"\xff\xff")]


def test_a_purge_forgets_what_was_held_back() -> None:
    server = SerialServer()
    ask(server, Command.FLOW_SUSPEND, b"")
    server.from_port(b"old")
    ask(server, Command.PURGE, b"\x01")
    assert server.receive(rfc2217.encode(ComPort(Command.FLOW_RESUME, b""))) == []


def connected() -> tuple[SerialClient, SerialServer, list[Any], list[Any]]:
    client, server = SerialClient(), SerialServer()
    at_client, at_server = exchange(client, server, client.open(0), server.open())
    return client, server, at_client, at_server


def exchange(
    client: SerialClient, server: SerialServer, from_client: list[Any], from_server: list[Any]
) -> tuple[list[Any], list[Any]]:
    """Carry octets both ways until nobody has any; return what else came out of each."""
    at_client: list[Any] = []
    at_server: list[Any] = []
    for _ in range(20):
        there = b"".join(o.octets for o in from_client if isinstance(o, rfc2217_client.Write))
        back = b"".join(o.octets for o in from_server if isinstance(o, rfc2217_server.Write))
        at_client += [o for o in from_client if not isinstance(o, rfc2217_client.Write)]
        at_server += [o for o in from_server if not isinstance(o, rfc2217_server.Write)]
        if not there and not back:
            return at_client, at_server
        from_server, from_client = server.receive(there), client.receive(back, 0)
    raise AssertionError("the two ends never stop")


def test_client_and_server_agree_and_then_fall_silent() -> None:
    client, _, at_client, _ = connected()
    assert at_client == [Ready()]
    assert client.state is ClientState.READY


def test_mode_e_settings_go_over_one_after_the_other() -> None:
    client, server, _, _ = connected()
    wishes = client.set_baud(300, 0)
    for command, value in ((Command.DATA_SIZE, 7), (Command.PARITY, 3), (Command.STOP_SIZE, 1),
                           (Command.MODEM_STATE_MASK, 255), (Command.PURGE, 3)):  # fmt: skip
        assert client.ask(command, bytes((value,)), 0) == []  # lined up
    at_client, _ = exchange(client, server, wishes, [])
    assert [o.command for o in at_client if isinstance(o, Confirmed)] == [
        Command.BAUD_RATE, Command.DATA_SIZE, Command.PARITY, Command.STOP_SIZE,
        Command.MODEM_STATE_MASK, Command.PURGE,
    ]  # fmt: skip
    assert server.settings == PortSettings(300, 7, Parity.EVEN)


def test_data_with_every_octet_crosses_both_ways() -> None:
    client, server, _, _ = connected()
    octets = bytes(range(256)) * 2
    sent = exchange(client, server, client.to_port(octets), server.from_port(octets))
    assert sent == ([FromPort(octets)], [ToPort(octets)])


@pytest.mark.parametrize(
    ("state", "wish"), list(itertools.product(ClientState, ["open", "ask", "to_port"]))
)
def test_a_wish_out_of_turn_is_the_callers_mistake(state: ClientState, wish: str) -> None:
    client = SerialClient()
    if state is not ClientState.CLOSED:
        client.open(0)
    if state in {ClientState.READY, ClientState.ASKING}:
        client.receive(bytes.fromhex("fffd2c"), 0)
    if state is ClientState.ASKING:
        client.set_baud(0, 0)
    if state is ClientState.REFUSED:
        client.receive(bytes.fromhex("fffe2c"), 0)
    assert client.state is state
    wishes: dict[str, tuple[Callable[[], object], set[ClientState]]] = {
        "open": (lambda: client.open(0), {ClientState.CLOSED}),
        "ask": (
            lambda: client.set_baud(0, 0),
            {ClientState.NEGOTIATING, ClientState.READY, ClientState.ASKING},
        ),
        "to_port": (lambda: client.to_port(b"x"), set(ClientState) - {ClientState.CLOSED}),
    }
    act, allowed = wishes[wish]
    if state in allowed:
        act()
        return
    with pytest.raises(IllegalEventError, match=state.name):
        act()


def test_a_server_without_the_option_is_told_apart_from_a_silent_one() -> None:
    client = SerialClient()
    client.open(0)
    assert client.receive(bytes.fromhex("fffe2c"), 0) == [Refused()]
    client = SerialClient()
    client.open(0)
    assert client.expire(2999) == []
    assert client.expire(3000) == [Refused()]


def test_an_unanswered_request_makes_way_for_the_next() -> None:
    client, _, _, _ = connected()
    client.ask(Command.MODEM_STATE_MASK, b"\xff", 0)
    client.ask(Command.PARITY, b"\x00", 0)
    outputs = client.expire(3000)
    assert outputs[0] == Unanswered(Command.MODEM_STATE_MASK)
    assert client.state is ClientState.ASKING


def test_what_the_server_tells_unasked_is_told_on() -> None:
    client, server, _, _ = connected()
    at_client, _ = exchange(client, server, [], server.tell_modem_state(0x10))
    assert at_client == [Notified(Command.NOTIFY_MODEM_STATE, 0x11)]
    for command, paused in ((Command.FLOW_SUSPEND, True), (Command.FLOW_RESUME, False)):
        told = rfc2217.encode(ComPort(command, b"", from_server=True))
        assert client.receive(told, 0) == [Paused(paused)]
    stray = rfc2217.encode(ComPort(Command.PARITY, b"\x01", from_server=True))
    assert isinstance(client.receive(stray, 0)[0], Ignored)


def test_each_end_passes_over_one_that_speaks_with_its_own_numbers() -> None:
    wrong = rfc2217.encode(ComPort(Command.PARITY, b"\x03", from_server=True))
    assert isinstance(SerialServer().receive(wrong)[0], Ignored)
    client = SerialClient()
    assert isinstance(
        client.receive(rfc2217.encode(ComPort(Command.PARITY, b"\x03")), 0)[0], Ignored
    )


def test_noise_raises_nothing_in_either_end() -> None:
    draw = Chance(9).stream("noise")
    client, server, _, _ = connected()
    for now in range(300):
        octets = draw.octets(20)
        framed = b"\xff\xfa\x2c" + octets[:3] + b"\xff\xf0" + b"\xff" + octets[3:]
        server.receive(framed)
        client.receive(framed.replace(b"\x2c", b"\x2c\x65"), now)
        if client.state is ClientState.READY:
            client.set_baud(0, now)


class FakePort:
    """As much of pyserial's port as its own RFC 2217 server asks for."""

    baudrate, bytesize, parity, stopbits, timeout = 9600, 8, "N", 1, 1
    cts = dsr = ri = cd = False
    rtscts = xonxoff = dtr = rts = break_condition = False


class FakeConnection:
    def __init__(self) -> None:
        self.written = b""

    def write(self, octets: bytes) -> None:
        self.written += octets


def test_our_client_is_understood_by_the_server_of_pyserial() -> None:
    port, connection = FakePort(), FakeConnection()
    manager: Any = PortManager(cast("Any", port), cast("Any", connection))
    client = SerialClient()
    outputs: list[Any] = client.open(0)
    seen: list[Any] = []
    for wish in (b"", b"baud"):
        outputs += client.set_baud(300, 0) if wish else []
        for _ in range(10):
            for output in outputs:
                if isinstance(output, rfc2217_client.Write):
                    list(manager.filter(output.octets))
                else:
                    seen.append(output)
            back, connection.written = connection.written, b""
            outputs = client.receive(back, 0)
    assert Ready() in seen
    assert Confirmed(Command.BAUD_RATE, b"\x00\x00\x01\x2c", b"\x00\x00\x01\x2c") in seen
    assert port.baudrate == 300
