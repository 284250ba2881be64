"""A device's end of its tunnel: every state with every event, and what it says."""

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
    TunnelStatus,
)
from emulator.core.effects import Note, ZclIndication
from emulator.core.ids import Eui64
from emulator.han.outputs import (
    CancelFrame,
    Hand,
    SendFrame,
    Settled,
    StartTimer,
    StopTimer,
    TunnelOutput,
)
from emulator.han.tunnel import LAST_PAUSE_US, QUEUE_MESSAGES, pause_us
from emulator.han.tunnel_client import TunnelClient, TunnelState

CHF, ESME = Eui64(b"\x00" * 7 + b"\x01"), Eui64(b"\x00" * 7 + b"\x03")
MESSAGE = b"a message of a device"
CLOSED, OPENING, OPEN = TunnelState.CLOSED, TunnelState.OPENING, TunnelState.OPEN
Outputs = list[TunnelOutput]


def from_chf(command: Command, sequence: int = 1) -> ZclIndication:
    frame = tunneling.encode(command, sequence, server_to_client=True)
    return ZclIndication(CHF, ESME, tunneling.CLUSTER, frame)


def said(outputs: Outputs) -> list[Command]:
    """The commands that the machine sends."""
    return [
        tunneling.decode(zcl_frame.decode(output.frame))
        for output in outputs
        if isinstance(output, SendFrame)
    ]


def noted(outputs: Outputs) -> list[str]:
    return [output.kind for output in outputs if isinstance(output, Note)]


def handed(outputs: Outputs) -> list[bytes]:
    return [output.message for output in outputs if isinstance(output, Hand)]


def client(state: TunnelState, *, polls: bool = False, sleepy: bool = False) -> TunnelClient:
    """A client brought to a state by events alone."""
    made = TunnelClient(CHF, polls=polls, sleepy=sleepy, max_message_bytes=200)
    made.power_on(0)
    if sleepy:
        made.radio(awake=True, now_us=0)
    if state is OPEN:
        made.arrived(from_chf(RequestTunnelResponse(5, TunnelStatus.SUCCESS)), 0)
    if state is CLOSED:
        made.expire("open", 0)
    assert made.state is state
    return made


#: Event -> (what happens, state after it by state before it).
EVENTS: dict[str, tuple[Callable[[TunnelClient], Outputs], dict[TunnelState, TunnelState]]] = {
    "submit": (lambda c: c.submit(MESSAGE), {}),
    "granted": (
        lambda c: c.arrived(from_chf(RequestTunnelResponse(9, TunnelStatus.SUCCESS)), 1),
        {OPENING: OPEN, CLOSED: OPEN},  # late, and nothing newer was asked
    ),
    "refused": (
        lambda c: c.arrived(from_chf(RequestTunnelResponse(0xFFFF, TunnelStatus.BUSY)), 1),
        {OPENING: CLOSED},
    ),
    "granted to another request": (
        lambda c: c.arrived(from_chf(RequestTunnelResponse(9, TunnelStatus.SUCCESS), 77), 1),
        {},
    ),
    "data": (lambda c: c.arrived(from_chf(TransferData(5, MESSAGE)), 1), {}),
    "data of another tunnel": (lambda c: c.arrived(from_chf(TransferData(6, MESSAGE)), 1), {}),
    "error": (
        lambda c: c.arrived(from_chf(TransferDataError(5, TransferStatus.NO_SUCH_TUNNEL)), 1),
        {OPEN: OPENING},
    ),
    "error of another tunnel": (
        lambda c: c.arrived(from_chf(TransferDataError(6, TransferStatus.NO_SUCH_TUNNEL)), 1),
        {},
    ),
    "closed by the CHF": (
        lambda c: c.arrived(from_chf(TunnelClosureNotification(5)), 1),
        {OPEN: OPENING, CLOSED: OPENING},
    ),
    "another one closed": (
        lambda c: c.arrived(from_chf(TunnelClosureNotification(6)), 1),
        {CLOSED: OPENING},
    ),
    "a command for servers": (
        lambda c: c.arrived(
            ZclIndication(CHF, ESME, 0x0704, tunneling.encode(RequestTunnel(), 1)), 1
        ),
        {},
    ),
    "garbage": (lambda c: c.arrived(ZclIndication(CHF, ESME, 0x0704, b"\xff"), 1), {}),
    "open timer": (lambda c: c.expire("open", 1), {OPENING: CLOSED, CLOSED: OPENING}),
    "get timer": (lambda c: c.expire("get", 1), {}),
    "resend timer": (lambda c: c.expire("resend", 1), {}),
    "a transfer settled": (lambda c: c.settled(Settled(1, True, 1), 1), {}),
    "asleep": (lambda c: c.radio(awake=False, now_us=1), {OPENING: CLOSED}),
    "awake again": (lambda c: c.radio(awake=True, now_us=1), {}),
    "power lost": (lambda c: c.power_off(), {OPENING: CLOSED, OPEN: CLOSED}),
}


@pytest.mark.parametrize("polls", [False, True])
@pytest.mark.parametrize(("state", "event"), list(itertools.product(TunnelState, EVENTS)))
def test_every_state_takes_every_event(state: TunnelState, event: str, *, polls: bool) -> None:
    act, after = EVENTS[event]
    machine = client(state, polls=polls)
    act(machine)
    assert machine.state is after.get(state, state)
    copy = TunnelClient(CHF, polls=polls, sleepy=False, max_message_bytes=200)
    copy.load(machine.dump())
    assert copy.dump() == machine.dump()


def test_power_opens_the_tunnel_and_an_answer_lets_messages_through() -> None:
    machine = TunnelClient(CHF, polls=False, sleepy=False, max_message_bytes=200)
    (request,) = said(machine.power_on(0))
    assert isinstance(request, RequestTunnel)
    assert (request.protocol, request.max_incoming_bytes) == (6, 1500)
    assert said(machine.submit(MESSAGE)) == []
    opened = machine.arrived(from_chf(RequestTunnelResponse(5, TunnelStatus.SUCCESS)), 1)
    assert said(opened) == [TransferData(5, MESSAGE)]
    assert noted(opened) == ["tunnel_opened"]


def test_messages_go_one_after_the_other() -> None:
    machine = client(OPEN)
    assert said(machine.submit(b"one")) == [TransferData(5, b"one")]
    assert said(machine.submit(b"two")) == []
    assert said(machine.settled(Settled(1, True, 1), 1)) == [TransferData(5, b"two")]
    assert said(machine.settled(Settled(2, True, 1), 1)) == []


def test_a_message_that_cannot_have_arrived_is_sent_again_after_a_pause() -> None:
    machine = client(OPEN)
    machine.submit(MESSAGE)
    outputs = machine.settled(Settled(1, False, 0), 1000)
    assert outputs == [StartTimer("resend", 1000 + pause_us(1))]
    assert said(machine.expire("resend", 2000)) == [TransferData(5, MESSAGE)]


def test_a_message_that_may_have_arrived_is_not_sent_again() -> None:
    machine = client(OPEN)
    machine.submit(MESSAGE)
    machine.submit(b"next")
    outputs = machine.settled(Settled(1, False, 4), 1000)
    assert noted(outputs) == ["tunnel_message_unsure"]
    assert said(outputs) == [TransferData(5, b"next")]


@pytest.mark.parametrize(("times", "again"), [(1, True), (2, False)])
def test_a_message_the_chf_refused_goes_through_the_next_tunnel_if_it_went_out_once(
    times: int, *, again: bool
) -> None:
    machine = client(OPEN)
    (order,) = [o for o in machine.submit(MESSAGE) if isinstance(o, SendFrame)]
    machine.settled(Settled(1, True, times), 1)
    sequence = zcl_frame.decode(order.frame).sequence
    error = from_chf(TransferDataError(5, TransferStatus.NO_SUCH_TUNNEL), sequence)
    refused = machine.arrived(error, 2)
    assert [type(command) for command in said(refused)] == [RequestTunnel]
    assert noted(refused) == ([] if again else ["tunnel_message_unsure"])
    number = zcl_frame.decode(next(o for o in refused if isinstance(o, SendFrame)).frame).sequence
    opened = machine.arrived(from_chf(RequestTunnelResponse(6, TunnelStatus.SUCCESS), number), 3)
    assert said(opened) == ([TransferData(6, MESSAGE)] if again else [])


def test_an_error_about_something_else_repeats_no_message() -> None:
    machine = client(OPEN, polls=True)
    machine.submit(MESSAGE)
    machine.settled(Settled(1, True, 1), 1)
    refused = machine.arrived(from_chf(TransferDataError(5, TransferStatus.NO_SUCH_TUNNEL), 200), 2)
    number = zcl_frame.decode(next(o for o in refused if isinstance(o, SendFrame)).frame).sequence
    opened = machine.arrived(from_chf(RequestTunnelResponse(6, TunnelStatus.SUCCESS), number), 3)
    assert said(opened) == [TransferData(6, b"\x01")]  # a GET, and no message


def test_a_message_too_large_for_the_chf_is_named() -> None:
    machine = client(OPEN)
    (order,) = [o for o in machine.submit(MESSAGE) if isinstance(o, SendFrame)]
    machine.settled(Settled(1, True, 1), 1)
    sequence = zcl_frame.decode(order.frame).sequence
    error = TransferDataError(5, TransferStatus.DATA_OVERFLOW)
    assert noted(machine.arrived(from_chf(error, sequence), 2)) == ["tunnel_message_refused"]
    assert machine.state is OPEN


def test_after_power_loss_the_old_tunnel_is_closed_before_a_new_one_is_asked_for() -> None:
    machine = client(OPEN)
    machine.submit(MESSAGE)
    assert noted(machine.power_off()) == ["tunnel_queue_lost"]
    commands = said(machine.power_on(10))
    assert commands[0] == CloseTunnel(5)
    assert isinstance(commands[1], RequestTunnel)


def test_requests_nobody_answers_come_in_ever_longer_pauses() -> None:
    machine = client(OPENING)
    pauses = []
    for _ in range(14):
        (timer,) = machine.expire("open", 0)
        assert isinstance(timer, StartTimer)
        pauses.append(timer.due_us)
        machine.expire("open", 0)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LAST_PAUSE_US


def test_too_long_and_too_many_messages_are_refused_by_name() -> None:
    machine = client(OPENING)
    (note,) = machine.submit(bytes(201))
    assert isinstance(note, Note)
    assert note.fields == (("reason", "too-long"), ("octets", 201), ("limit", 200))
    for _ in range(QUEUE_MESSAGES):
        assert machine.submit(MESSAGE) == []
    (note,) = machine.submit(MESSAGE)
    assert isinstance(note, Note)
    assert note.fields[0] == ("reason", "queue-full")


def test_a_message_longer_than_the_device_takes_is_answered_with_an_overflow() -> None:
    machine = client(OPEN)
    outputs = machine.arrived(from_chf(TransferData(5, bytes(201)), 33), 1)
    assert said(outputs) == [TransferDataError(5, TransferStatus.DATA_OVERFLOW)]
    assert handed(outputs) == []


def test_data_of_an_unknown_tunnel_is_not_handed_on() -> None:
    outputs = client(OPEN).arrived(from_chf(TransferData(6, MESSAGE)), 1)
    assert said(outputs) == [TransferDataError(6, TransferStatus.NO_SUCH_TUNNEL)]
    assert handed(outputs) == []


def wrapped(tunnel_id: int, what: tunnel_wrapper.Wrapped) -> TransferData:
    return TransferData(tunnel_id, tunnel_wrapper.encode(what))


def test_a_gsme_gets_until_nothing_remains_and_puts_its_own() -> None:
    machine = client(OPENING, polls=True, sleepy=True)
    opened = machine.arrived(from_chf(RequestTunnelResponse(5, TunnelStatus.SUCCESS)), 0)
    assert said(opened) == [wrapped(5, TunnelGet())]
    more = machine.arrived(from_chf(wrapped(5, TunnelGetResponse(1, b"first"))), 1)
    assert (handed(more), said(more)) == ([b"first"], [wrapped(5, TunnelGet())])
    last = machine.arrived(from_chf(wrapped(5, TunnelGetResponse(0, b"second"))), 2)
    assert (handed(last), said(last)) == ([b"second"], [])
    assert said(machine.submit(MESSAGE)) == [wrapped(5, TunnelPut(MESSAGE))]
    none = machine.arrived(from_chf(wrapped(5, TunnelGetResponse(0, b""))), 3)
    assert (handed(none), said(none)) == ([], [])


@pytest.mark.parametrize("data", [b"\x09x", b"\x01x", b"\x02", b"\x03x", b"\x01"])
def test_a_wrapper_that_means_nothing_to_a_gsme_is_noted(data: bytes) -> None:
    outputs = client(OPEN, polls=True).arrived(from_chf(TransferData(5, data)), 1)
    assert len(noted(outputs)) == 1
    assert handed(outputs) == []


def test_asleep_it_says_nothing_and_awake_it_makes_up_for_it() -> None:
    machine = client(OPEN, polls=True, sleepy=True)
    machine.submit(b"on its way")
    assert CancelFrame(1) in machine.radio(awake=False, now_us=1)
    assert machine.settled(Settled(1, False, 0), 1) == []
    assert said(machine.submit(MESSAGE)) == []
    assert machine.expire("get", 2) == []
    commands = said(machine.radio(awake=True, now_us=3))
    assert commands == [wrapped(5, TunnelPut(b"on its way")), wrapped(5, TunnelGet())]


def test_without_power_it_takes_nothing() -> None:
    machine = TunnelClient(CHF, polls=False, sleepy=False, max_message_bytes=200)
    assert machine.submit(MESSAGE) == []
    assert machine.expire("open", 1) == []
    assert machine.radio(awake=True, now_us=1) == []


def test_an_answer_after_its_time_out_is_taken_unless_something_newer_was_asked() -> None:
    late = from_chf(RequestTunnelResponse(9, TunnelStatus.SUCCESS))
    machine = client(CLOSED)
    outputs = machine.arrived(late, 1)
    assert machine.tunnel_id == 9
    assert StopTimer("open") in outputs  # it does not ask again
    machine = client(CLOSED)
    machine.expire("open", 1)
    machine.arrived(late, 2)
    assert machine.state is OPENING
    asleep = client(OPENING, sleepy=True)
    asleep.radio(awake=False, now_us=1)
    asleep.arrived(late, 2)
    assert asleep.state is CLOSED
