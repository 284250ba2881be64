"""Single steps of both HDLC machines."""

from dataclasses import replace

import pytest

from emulator.codecs.dlms.hdlc import LLC_COMMAND, LLC_RESPONSE, Address, Frame
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_control import (
    Fault,
    FrameReject,
    Kind,
    control,
    i_control,
)
from emulator.codecs.dlms.hdlc_link import (
    ApduReceived,
    Connected,
    Disconnected,
    Drop,
    Dropped,
    LinkSettings,
    Output,
    Reason,
    Send,
)
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_server import ServerLink, ServerState
from tests.emulator.codecs.dlms.hdlc_given import (
    CLIENT,
    SERVER,
    SETTINGS,
    WIDE,
    command,
    deadline,
    kinds,
    reached_client,
    reached_server,
    request,
    response,
    sent,
)

S, C = ServerState, ClientState


def test_the_golden_opening_is_what_both_ends_say() -> None:
    client, server = ClientLink(SETTINGS, CLIENT, SERVER), ServerLink(SETTINGS, SERVER, CLIENT)
    snrm = client.connect(0)
    assert snrm == [Send(bytes.fromhex("7EA0070321930F017E"))]
    ua = server.receive(sent(snrm)[0], 0)
    golden = "7EA01E210373C37A818012050180060180070400000001080400000001533B7E"
    assert ua == [Send(bytes.fromhex(golden)), Connected(Parameters())]
    assert client.receive(sent(ua)[0], 0) == [Connected(Parameters())]


def test_a_server_with_large_limits_still_answers_a_bare_snrm_with_the_defaults() -> None:
    server = ServerLink(LinkSettings(Parameters(1024, 1024, 7, 7)), SERVER, CLIENT)
    server.receive(command(0x93), 0)
    assert server.agreed == Parameters(128, 128, 1, 1)


def test_a_ua_without_field_means_the_defaults() -> None:
    client = ClientLink(LinkSettings(Parameters(64, 512, 7, 7)), CLIENT, SERVER)
    client.connect(0)
    assert client.receive(response(0x73), 0) == [Connected(Parameters(64, 128, 1, 1))]


def test_a_repeated_question_gets_the_same_octets_and_is_not_delivered_again() -> None:
    server = reached_server(ServerState.READY)
    assert server.receive(request(0, 0, b"set"), 0) == [ApduReceived(b"set")]
    first = server.answer(b"done", 0)
    again = server.receive(request(0, 0, b"set"), 10)
    assert again == [Dropped(Drop.REPEATED), *first]


def test_a_repeated_segment_is_acknowledged_again_and_joined_once() -> None:
    server = reached_server(ServerState.READY)
    part = Frame(SERVER, CLIENT, i_control(0, 0, poll=True), LLC_COMMAND + b"a", segmented=True)
    assert kinds(server.receive(part, 0)) == [Kind.RR]
    repeated = server.receive(part, 1)
    assert sent(repeated)[0].control.receive == 1
    whole = server.receive(Frame(SERVER, CLIENT, i_control(1, 0, poll=True), b"b"), 2)
    assert whole == [ApduReceived(b"ab")]


def test_a_frame_beyond_a_lost_one_is_not_taken() -> None:
    server = reached_server(ServerState.READY, WIDE)
    outputs = server.receive(request(1, 0, b"x"), 0)
    assert outputs[0] == Dropped(Drop.OUT_OF_ORDER)
    assert sent(outputs)[0].control.receive == 0


def test_an_answer_is_cut_into_windows_and_taken_piece_by_piece() -> None:
    server = reached_server(ServerState.ANSWERING, WIDE)
    frames = sent(server.answer(bytes(range(16 * 4)), 0))
    assert [frame.control.poll for frame in frames] == [False, False, True]
    assert [frame.segmented for frame in frames] == [True, True, True]
    more = sent(server.receive(command(0x11 | 2 << 5), 1))  # took 0 and 1 only
    assert [frame.control.send for frame in more] == [2, 3, 4]
    assert [frame.segmented for frame in more] == [True, True, False]
    assert more[0].information == frames[2].information
    server.receive(command(0x11 | 5 << 5), 2)
    assert server.state is ServerState.READY


def test_a_poll_that_the_application_cannot_answer_in_time_gets_rr() -> None:
    server = reached_server(ServerState.ANSWERING)
    assert server.deadline_ms == SETTINGS.hold_ms
    assert server.expire(SETTINGS.hold_ms - 1) == []
    assert kinds(server.expire(SETTINGS.hold_ms)) == [Kind.RR]
    assert server.answer(b"late", 2000) == []
    assert kinds(server.receive(command(0x11), 2100)) == [Kind.I]


def test_a_new_question_before_the_answer_was_taken_is_refused_as_busy() -> None:
    server = reached_server(ServerState.ANSWERING)
    outputs = server.receive(request(1, 0, b"next"), 1)
    assert outputs[0] == Dropped(Drop.BUSY)
    assert kinds(outputs) == [Kind.RNR]
    server.answer(b"first", 2)
    outputs = server.receive(request(1, 0, b"next"), 3)
    assert kinds(outputs) == [Kind.I]  # takes the answer first
    assert server.receive(request(1, 1, b"next"), 4) == [ApduReceived(b"next")]


def test_a_message_without_answer_leaves_the_server_ready() -> None:
    server = reached_server(ServerState.ANSWERING)
    assert kinds(server.answer(None, 1)) == [Kind.RR]
    assert server.state is ServerState.READY
    assert server.answer(b"twice", 1) == [Dropped(Drop.NO_QUESTION)]


def test_a_busy_client_gets_no_i_frames_until_it_says_rr() -> None:
    server = reached_server(ServerState.SENDING)
    assert kinds(server.receive(command(0x15), 1)) == [Kind.RR]
    assert kinds(server.receive(command(0x11), 2)) == [Kind.I]


@pytest.mark.parametrize(
    ("frame", "faults"),
    [
        (command(0x19), Fault.UNDEFINED_CONTROL),
        (command(0x11, b"?"), Fault.UNDEFINED_CONTROL | Fault.INFORMATION_NOT_ALLOWED),
        (command(0x53, b"?"), Fault.UNDEFINED_CONTROL | Fault.INFORMATION_NOT_ALLOWED),
        (command(0x10, bytes(129)), Fault.INFORMATION_TOO_LONG),
        (command(0x10 | 3 << 5, b"?"), Fault.INVALID_RECEIVE_NUMBER),
        (command(0x11 | 3 << 5), Fault.INVALID_RECEIVE_NUMBER),
    ],
)
def test_what_repeating_cannot_cure_gets_a_frame_reject_until_snrm(
    frame: Frame, faults: Fault
) -> None:
    server = reached_server(ServerState.READY)
    outputs = server.receive(frame, 0)
    reject = FrameReject(frame.control.octet, 0, 0, faults)
    assert sent(outputs)[0].information == reject.encode()
    assert outputs[-1] == Disconnected(Reason.FRAME_REJECT)
    assert sent(server.receive(command(0x11), 1))[0].information == reject.encode()
    assert kinds(server.receive(command(0x93), 2)) == [Kind.UA]


def test_a_message_longer_than_the_limit_is_rejected_and_not_kept() -> None:
    server = ServerLink(replace(SETTINGS, max_apdu_bytes=200), SERVER, CLIENT)
    server.receive(command(0x93), 0)
    first = Frame(SERVER, CLIENT, i_control(0, 0, poll=True), bytes(128), segmented=True)
    server.receive(first, 0)
    second = Frame(SERVER, CLIENT, i_control(1, 0, poll=True), bytes(128), segmented=True)
    assert kinds(server.receive(second, 0)) == [Kind.FRMR]


def test_a_frame_without_poll_bit_gets_no_answer() -> None:
    for octet in (0x83, 0x43):
        assert reached_server(ServerState.READY).receive(command(octet), 0) == [
            Dropped(Drop.NOT_POLLED)
        ]
    assert reached_server(ServerState.READY).receive(command(0x01), 0) == []
    assert reached_server(ServerState.DISCONNECTED).receive(command(0x01), 0) == []
    silent = reached_server(ServerState.READY)
    assert silent.receive(command(0x09), 0) == [Disconnected(Reason.FRAME_REJECT)]


def test_a_new_connection_ends_the_old_one_first() -> None:
    outputs = reached_server(ServerState.SENDING).receive(command(0x93), 0)
    assert outputs[0] == Disconnected(Reason.NEW_CONNECTION)
    assert outputs[-1] == Connected(Parameters())


def test_an_snrm_that_cannot_be_read_changes_nothing() -> None:
    for state, answer in ((ServerState.DISCONNECTED, [Kind.DM]), (ServerState.READY, [])):
        server = reached_server(state)
        outputs = server.receive(command(0x93, b"\x81\x80\x05"), 0)
        assert outputs[0] == Dropped(Drop.BAD_PARAMETERS)
        assert (server.state, kinds(outputs)) == (state, answer)


@pytest.mark.parametrize("information", [LLC_RESPONSE + b"x", b"x", LLC_COMMAND, b""])
def test_a_message_without_command_header_is_not_delivered(information: bytes) -> None:
    for octet in (0x10, 0x13):
        outputs = reached_server(ServerState.READY).receive(command(octet, information), 0)
        assert outputs[0] == Dropped(Drop.BAD_LLC)


def test_ui_frames_are_heard_in_any_connection_and_sent_unasked() -> None:
    server = reached_server(ServerState.DISCONNECTED)
    assert server.receive(command(0x03, LLC_COMMAND + b"n"), 0) == [
        ApduReceived(b"n", numbered=False)
    ]
    client = reached_client(ClientState.DISCONNECTED)
    pushed = sent(server.notify(b"push"))[0]
    assert client.receive(pushed, 0) == [ApduReceived(b"push", numbered=False)]
    assert sent(client.send_unnumbered(b"n"))[0].information == LLC_COMMAND + b"n"
    assert client.receive(response(0x03, b"x"), 0) == [Dropped(Drop.BAD_LLC)]


def test_silence_ends_a_server_link_and_any_frame_puts_it_off() -> None:
    server = reached_server(ServerState.READY)
    server.receive(command(0x11), 60_000)
    assert server.expire(120_000) == []
    assert deadline(server) == 180_000
    assert server.expire(180_000) == [Disconnected(Reason.INACTIVITY)]
    assert deadline(server) is None
    rejected = reached_server(ServerState.REJECTED)
    assert rejected.expire(120_000) == []  # told already
    assert rejected.state is ServerState.DISCONNECTED


def test_a_server_that_left_answers_dm() -> None:
    server = reached_server(ServerState.ANSWERING)
    assert server.close() == [Disconnected(Reason.OWN)]
    assert kinds(server.receive(command(0x11), 1)) == [Kind.DM]


@pytest.mark.parametrize(
    ("state", "repeats"),
    [(C.CONNECTING, Kind.SNRM), (C.WAITING, Kind.I), (C.DISCONNECTING, Kind.DISC)],
)
def test_a_client_repeats_the_same_octets_and_then_gives_up(
    state: ClientState, repeats: Kind
) -> None:
    client = reached_client(state)
    for number in range(1, SETTINGS.retries + 1):
        assert client.deadline_ms == number * 1500
        assert client.expire(number * 1500 - 1) == []
        assert kinds(client.expire(number * 1500)) == [repeats]
    assert client.expire(6000) == [Disconnected(Reason.NO_ANSWER)]
    assert client.deadline_ms is None


def test_a_client_asks_again_after_a_pause_and_not_for_ever() -> None:
    client = reached_client(ClientState.PAUSED)
    now = 0
    outputs: list[Output] = []
    while not any(isinstance(output, Disconnected) for output in outputs):
        assert client.deadline_ms is not None
        now = client.deadline_ms
        outputs = client.expire(now)
        if kinds(outputs) == [Kind.RR]:
            outputs += client.receive(response(0x31), now)
    assert outputs == [Disconnected(Reason.NO_ANSWER)]
    assert now == SETTINGS.reply_timeout_ms


def test_an_idle_client_link_ends_by_inactivity_unless_it_polls() -> None:
    client = reached_client(ClientState.IDLE)
    assert kinds(client.poll(100_000)) == [Kind.RR]
    client.receive(response(0x11), 100_001)
    assert client.state is ClientState.IDLE
    assert client.expire(220_001) == [Disconnected(Reason.INACTIVITY)]


def test_a_stale_answer_is_not_taken_for_the_new_one() -> None:
    client = reached_client(ClientState.WAITING)
    reply = response(0x30, LLC_RESPONSE + b"one")
    assert client.receive(reply, 1) == [ApduReceived(b"one")]
    client.send(b"second", 2)
    assert client.receive(reply, 3) == [Dropped(Drop.REPEATED)]
    assert client.state is ClientState.WAITING


def test_a_client_asks_for_a_frame_it_missed() -> None:
    client = reached_client(ClientState.WAITING, WIDE)
    outputs = client.receive(response(0x30 | 1 << 1, LLC_RESPONSE + b"x"), 1)
    assert outputs[0] == Dropped(Drop.OUT_OF_ORDER)
    assert [frame.control.receive for frame in sent(outputs)] == [0]


@pytest.mark.parametrize(
    "frame",
    [
        response(0x30 | 5 << 5, b"?"),
        response(0x11 | 5 << 5),
        response(0x30, bytes(129)),
    ],
)
def test_a_server_that_breaks_the_rules_loses_the_link(frame: Frame) -> None:
    client = reached_client(ClientState.WAITING)
    assert client.receive(frame, 1) == [Disconnected(Reason.BROKEN_RULES)]


def test_frames_between_other_stations_are_not_for_us() -> None:
    client = reached_client(ClientState.IDLE)
    frame = Frame(CLIENT, Address(2), control(Kind.DM))
    assert client.receive(frame, 0) == [Dropped(Drop.NOT_FOR_US)]


def test_a_message_that_expects_no_reply_ends_with_its_acknowledgement() -> None:
    client = reached_client(ClientState.IDLE)
    client.send(b"unconfirmed", 0, expects_reply=False)
    client.receive(response(0x31), 1)
    assert client.state is ClientState.IDLE
