"""The CHF's ends of the tunnels: every line state with every event, queues, refusals."""

import itertools
from collections.abc import Callable

import pytest

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import tunnel_wrapper, tunneling
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.tunnel_wrapper import TunnelGet, TunnelGetResponse, TunnelPut
from emulator.codecs.zcl.tunneling import (
    CloseTunnel,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelClosureNotification,
    TunnelProtocol,
    TunnelStatus,
)
from emulator.core.effects import Note, ZclIndication
from emulator.core.ids import Eui64
from emulator.han.outputs import CancelFrame, Hand, SendFrame, Settled, StartTimer, TunnelOutput
from emulator.han.tunnel import MAX_ATTEMPTS, QUEUE_MESSAGES
from emulator.han.tunnel_line import Line
from emulator.han.tunnel_server import TunnelServer

CHF = Eui64(b"\x00" * 7 + b"\x01")
ESME, GSME, STRANGER = (Eui64(b"\x00" * 7 + bytes([n])) for n in (3, 4, 9))
MESSAGE = b"a message for a device"
Outputs = list[TunnelOutput]


def sent_by(device: Eui64, command: Command, sequence: int = 40) -> ZclIndication:
    frame = tunneling.encode(command, sequence, server_to_client=False)
    return ZclIndication(device, CHF, tunneling.CLUSTER, frame)


def said(outputs: Outputs) -> list[Command]:
    return [
        tunneling.decode(zcl_frame.decode(output.frame))
        for output in outputs
        if isinstance(output, SendFrame)
    ]


def noted(outputs: Outputs) -> list[str]:
    return [str(output.fields[0][1]) for output in outputs if isinstance(output, Note)]


def handle_of(outputs: Outputs) -> int:
    return next(output.handle for output in outputs if isinstance(output, SendFrame))


def fresh() -> TunnelServer:
    return TunnelServer([Line(ESME, False, 200), Line(GSME, True, 200)])


STATES = ("no tunnel", "open", "sending", "no power")


def server(state: str) -> TunnelServer:
    made = fresh()
    made.power_on(0)
    if state in {"open", "sending"}:
        for device in (ESME, GSME):
            made.arrived(sent_by(device, RequestTunnel()), 0)
    if state == "sending":
        made.submit(ESME, MESSAGE, 0)
        made.submit(GSME, MESSAGE, 0)
        made.arrived(sent_by(GSME, wrapped(2, TunnelGet())), 0)
    if state == "no power":
        made.power_off()
    return made


def wrapped(tunnel_id: int, what: tunnel_wrapper.Wrapped) -> TransferData:
    return TransferData(tunnel_id, tunnel_wrapper.encode(what))


def error(tunnel_id: int, status: TransferStatus = TransferStatus.NO_SUCH_TUNNEL) -> Command:
    return TransferDataError(tunnel_id, status)


EVENTS: dict[str, Callable[[TunnelServer], Outputs]] = {
    "submit": lambda s: s.submit(ESME, MESSAGE, 1),
    "submit to a sleeper": lambda s: s.submit(GSME, MESSAGE, 1),
    "submit to a stranger": lambda s: s.submit(STRANGER, MESSAGE, 1),
    "request": lambda s: s.arrived(sent_by(ESME, RequestTunnel()), 1),
    "close": lambda s: s.arrived(sent_by(ESME, CloseTunnel(1)), 1),
    "close another": lambda s: s.arrived(sent_by(ESME, CloseTunnel(2)), 1),
    "data": lambda s: s.arrived(sent_by(ESME, TransferData(1, MESSAGE)), 1),
    "put": lambda s: s.arrived(sent_by(GSME, wrapped(2, TunnelPut(MESSAGE))), 1),
    "get": lambda s: s.arrived(sent_by(GSME, wrapped(2, TunnelGet())), 1),
    "get-response": lambda s: s.arrived(sent_by(GSME, wrapped(2, TunnelGetResponse(0, b""))), 1),
    "bad wrapper": lambda s: s.arrived(sent_by(GSME, TransferData(2, b"\x09")), 1),
    "error": lambda s: s.arrived(sent_by(ESME, error(1)), 1),
    "error of another": lambda s: s.arrived(sent_by(ESME, error(9)), 1),
    "a stranger's request": lambda s: s.arrived(sent_by(STRANGER, RequestTunnel()), 1),
    "garbage": lambda s: s.arrived(ZclIndication(ESME, CHF, 0x0704, b"\xff\x00"), 1),
    "a command for clients": lambda s: s.arrived(
        ZclIndication(ESME, CHF, 0x0704, tunneling.encode(TunnelClosureNotification(1), 1)), 1
    ),
    "delivered": lambda s: s.settled(Settled(1, True, 1), 1),
    "not delivered": lambda s: s.settled(Settled(1, False, 0), 1),
    "maybe delivered": lambda s: s.settled(Settled(1, False, 4), 1),
    "settled, not mine": lambda s: s.settled(Settled(99, True, 1), 1),
    "retry timer": lambda s: s.expire(f"retry/{ESME.hex}", 1),
    "power lost": lambda s: s.power_off(),
    "power back": lambda s: s.power_on(1),
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(STATES, EVENTS)))
def test_every_state_takes_every_event(state: str, event: str) -> None:
    machine = server(state)
    EVENTS[event](machine)
    copy = fresh()
    copy.load(machine.dump())
    assert copy.dump() == machine.dump()
    for line in machine.lines.values():
        waiting = len(line.queue) + (line.sending is not None)
        assert waiting <= 2


def test_a_tunnel_is_opened_and_its_messages_go_through_one_after_the_other() -> None:
    machine = server("no tunnel")
    machine.submit(ESME, b"one", 0)
    machine.submit(ESME, b"two", 0)
    opened = machine.arrived(sent_by(ESME, RequestTunnel(), 17), 1)
    assert said(opened) == [
        RequestTunnelResponse(1, TunnelStatus.SUCCESS, 1500),
        TransferData(1, b"one"),
    ]
    answer = next(output for output in opened if isinstance(output, SendFrame))
    assert zcl_frame.decode(answer.frame).sequence == 17
    assert said(machine.settled(Settled(1, True, 1), 2)) == [TransferData(1, b"two")]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (RequestTunnel(TunnelProtocol.DLMS_COSEM), TunnelStatus.PROTOCOL_NOT_SUPPORTED),
        (RequestTunnel(flow_control=True), TunnelStatus.FLOW_CONTROL_NOT_SUPPORTED),
    ],
)
def test_a_tunnel_that_cannot_be_is_refused_by_name(
    request_: RequestTunnel, status: TunnelStatus
) -> None:
    (answer,) = said(server("no tunnel").arrived(sent_by(ESME, request_), 1))
    assert isinstance(answer, RequestTunnelResponse)
    assert (answer.tunnel_id, answer.status) == (0xFFFF, status)


def test_refusals_have_names() -> None:
    machine = server("no tunnel")
    assert noted(machine.submit(ESME, bytes(201), 0)) == ["too-long"]
    assert noted(machine.submit(STRANGER, MESSAGE, 0)) == ["unknown-device"]
    for _ in range(QUEUE_MESSAGES):
        assert machine.submit(GSME, MESSAGE, 0) == []
    assert noted(machine.submit(GSME, MESSAGE, 0)) == ["queue-full"]


def test_a_get_is_answered_with_one_message_and_how_many_remain() -> None:
    machine = server("open")
    assert said(machine.arrived(sent_by(GSME, wrapped(2, TunnelGet())), 1)) == [
        wrapped(2, TunnelGetResponse(0, b""))
    ]
    for message in (b"one", b"two", b"three"):
        assert machine.submit(GSME, message, 1) == []
    for message, remaining in ((b"one", 2), (b"two", 1), (b"three", 0)):
        outputs = machine.arrived(sent_by(GSME, wrapped(2, TunnelGet())), 2)
        assert said(outputs) == [wrapped(2, TunnelGetResponse(remaining, message))]
        assert machine.arrived(sent_by(GSME, wrapped(2, TunnelGet())), 2) == []
        machine.settled(Settled(handle_of(outputs), True, 1), 3)


def test_a_message_that_cannot_have_reached_a_sleeper_waits_for_its_next_get() -> None:
    machine = server("open")
    machine.submit(GSME, MESSAGE, 1)
    first = machine.arrived(sent_by(GSME, wrapped(2, TunnelGet())), 1)
    assert machine.settled(Settled(handle_of(first), False, 0), 2) == []
    again = machine.arrived(sent_by(GSME, wrapped(2, TunnelGet())), 3)
    assert said(again) == said(first)


def test_put_and_data_are_handed_on() -> None:
    machine = server("open")
    assert machine.arrived(sent_by(GSME, wrapped(2, TunnelPut(b"gas"))), 1) == [Hand(GSME, b"gas")]
    assert machine.arrived(sent_by(ESME, TransferData(1, b"power")), 1) == [Hand(ESME, b"power")]


def test_data_of_an_unknown_tunnel_is_refused() -> None:
    outputs = server("open").arrived(sent_by(ESME, TransferData(2, MESSAGE)), 1)
    assert said(outputs) == [error(2)]


@pytest.mark.parametrize(("times", "again"), [(1, True), (3, False)])
def test_a_message_the_device_refused_goes_through_its_next_tunnel_if_it_went_out_once(
    times: int, *, again: bool
) -> None:
    machine = server("open")
    outputs = machine.submit(ESME, MESSAGE, 1)
    (order,) = [output for output in outputs if isinstance(output, SendFrame)]
    machine.settled(Settled(order.handle, True, times), 2)
    refusal = sent_by(ESME, error(1), zcl_frame.decode(order.frame).sequence)
    after = machine.arrived(refusal, 3)
    assert machine.lines[ESME].tunnel_id is None
    assert said(after) == ([TunnelClosureNotification(1)] if again else [])
    opened = machine.arrived(sent_by(ESME, RequestTunnel()), 4)
    assert TransferData(3, MESSAGE) in said(opened) or not again


def test_an_overflow_is_named_and_nothing_is_repeated() -> None:
    machine = server("open")
    (order,) = [o for o in machine.submit(ESME, MESSAGE, 1) if isinstance(o, SendFrame)]
    machine.settled(Settled(order.handle, True, 1), 2)
    refusal = error(1, TransferStatus.DATA_OVERFLOW)
    sequence = zcl_frame.decode(order.frame).sequence
    assert noted(machine.arrived(sent_by(ESME, refusal, sequence), 3)) == ["data-overflow"]


def test_a_device_that_asks_again_gets_the_message_that_was_on_its_way() -> None:
    machine = server("sending")
    outputs = machine.arrived(sent_by(ESME, RequestTunnel()), 1)
    assert said(outputs) == [RequestTunnelResponse(3, TunnelStatus.SUCCESS, 1500)]
    (cancel,) = [output for output in outputs if isinstance(output, CancelFrame)]
    resent = machine.settled(Settled(cancel.handle, False, 0), 1)
    assert said(resent) == [TransferData(3, MESSAGE)]


def test_a_device_without_a_tunnel_is_asked_for_one_a_few_times_and_then_waited_for() -> None:
    machine = server("no tunnel")
    outputs = machine.submit(ESME, MESSAGE, 0)
    asked = 0
    while any(isinstance(output, StartTimer) for output in outputs):
        asked += len(said(outputs))
        outputs = machine.expire(f"retry/{ESME.hex}", 0)
    assert asked + len(said(outputs)) == MAX_ATTEMPTS + 1
    opened = machine.arrived(sent_by(ESME, RequestTunnel()), 1)
    assert TransferData(1, MESSAGE) in said(opened)


def test_one_pause_is_enough_for_many_messages() -> None:
    machine = server("no tunnel")
    assert len(said(machine.submit(ESME, b"one", 0))) == 1
    assert said(machine.submit(ESME, b"two", 0)) == []


def test_after_its_own_power_loss_the_hub_tells_listening_devices() -> None:
    machine = server("sending")
    assert noted(machine.power_off()) == ["2"]
    assert said(machine.power_on(5)) == [TunnelClosureNotification(1)]


@pytest.mark.parametrize(("device", "longest"), [(ESME, 1500), (GSME, 1498)])
def test_no_transfer_is_longer_than_what_was_announced(device: Eui64, longest: int) -> None:
    server = TunnelServer([Line(ESME, False, 0xFFFF), Line(GSME, True, 0xFFFF)])
    server.power_on(0)
    assert noted(server.submit(device, bytes(longest), 0)) == []
    assert noted(server.submit(device, bytes(longest + 1), 0)) == ["too-long"]
    [opened] = said(server.arrived(sent_by(device, RequestTunnel()), 0))[:1]
    assert isinstance(opened, RequestTunnelResponse)
    put = b"\x03" if device == GSME else b""
    whole = TransferData(opened.tunnel_id, put.ljust(opened.max_incoming_bytes, b"m"))
    assert any(isinstance(out, Hand) for out in server.arrived(sent_by(device, whole), 0))
    longer = TransferData(opened.tunnel_id, whole.data + b"m")
    outputs = server.arrived(sent_by(device, longer), 0)
    assert not any(isinstance(out, Hand) for out in outputs)
    refusal = TransferDataError(opened.tunnel_id, TransferStatus.DATA_OVERFLOW)
    assert (said(outputs), noted(outputs)) == ([refusal], ["data-overflow"])


def sleepy_server(limit_us: int | None) -> TunnelServer:
    machine = TunnelServer([Line(GSME, True, 200, limit_us)])
    machine.power_on(0)
    machine.arrived(sent_by(GSME, RequestTunnel(TunnelProtocol.GB_HRGP, 0, False, 200)), 0)
    return machine


def fetched(machine: TunnelServer, now_us: int) -> tuple[list[bytes], list[str]]:
    """Let the GSME fetch; the messages it gets, and what is noted."""
    get = TransferData(machine.lines[GSME].tunnel_id or 0, tunnel_wrapper.encode(TunnelGet()))
    outputs = machine.arrived(sent_by(GSME, get), now_us)
    given = [
        tunnel_wrapper.decode(command.data)
        for command in said(outputs)
        if isinstance(command, TransferData)
    ]
    kinds = [output.kind for output in outputs if isinstance(output, Note)]
    return [item.message for item in given if isinstance(item, TunnelGetResponse)], kinds


@pytest.mark.parametrize(("waited_us", "given"), [(1_000_000, MESSAGE), (1_000_001, b"")])
def test_a_message_that_outlives_the_limit_of_its_queue_expires(
    waited_us: int, given: bytes
) -> None:
    machine = sleepy_server(1_000_000)
    machine.submit(GSME, MESSAGE, 5)
    messages, kinds = fetched(machine, 5 + waited_us)
    assert messages == [given]
    assert kinds == ([] if given else ["tunnel_message_expired"])


def test_a_message_without_a_limit_waits_as_long_as_it_takes() -> None:
    machine = sleepy_server(None)
    machine.submit(GSME, MESSAGE, 0)
    assert fetched(machine, 10**15) == ([MESSAGE], [])


def test_a_message_that_did_not_arrive_has_waited_since_it_came() -> None:
    machine = sleepy_server(1_000_000)
    machine.submit(GSME, MESSAGE, 0)
    get = TransferData(machine.lines[GSME].tunnel_id or 0, tunnel_wrapper.encode(TunnelGet()))
    outputs = machine.arrived(sent_by(GSME, get), 900_000)
    machine.settled(Settled(handle_of(outputs), False, 0), 950_000)
    assert machine.lines[GSME].queue
    assert fetched(machine, 1_000_001)[1] == ["tunnel_message_expired"]


def test_expired_messages_make_room_for_others() -> None:
    machine = sleepy_server(1_000_000)
    for _number in range(QUEUE_MESSAGES):
        machine.submit(GSME, MESSAGE, 0)
    assert [n.kind for n in machine.submit(GSME, b"x", 9) if isinstance(n, Note)] == [
        "tunnel_message_refused"
    ]
    noted_ = [n.kind for n in machine.submit(GSME, b"x", 2_000_000) if isinstance(n, Note)]
    assert noted_ == ["tunnel_message_expired"] * QUEUE_MESSAGES
    assert fetched(machine, 2_000_001) == ([b"x"], [])


def test_a_queue_with_a_limit_is_dumped_with_the_moments_its_messages_came() -> None:
    machine, other = sleepy_server(1_000_000), sleepy_server(1_000_000)
    machine.submit(GSME, MESSAGE, 7)
    other.load(machine.dump())
    assert other.dump() == machine.dump()
    assert fetched(other, 1_000_008)[1] == ["tunnel_message_expired"]
