"""Every state of both HDLC machines with every event."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import hdlc_client, hdlc_server
from emulator.codecs.dlms.hdlc import LLC_COMMAND, LLC_RESPONSE, Frame
from emulator.codecs.dlms.hdlc_client import ClientState
from emulator.codecs.dlms.hdlc_control import (
    Kind,
    i_control,
)
from emulator.codecs.dlms.hdlc_link import (
    ApduReceived,
    Arrival,
    Numbering,
)
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_server import ServerState
from emulator.core.errors import IllegalEventError
from tests.emulator.codecs.dlms.hdlc_given import (
    CLIENT,
    SERVER,
    WIDE,
    command,
    kinds,
    reached_client,
    reached_server,
    response,
    sent,
)
from tests.sampling import examples

S, C = ServerState, ClientState

SAMPLES = {
    Kind.I: 0x10,
    Kind.RR: 0x11,
    Kind.RNR: 0x15,
    Kind.SNRM: 0x93,
    Kind.DISC: 0x53,
    Kind.UA: 0x73,
    Kind.DM: 0x1F,
    Kind.FRMR: 0x97,
    Kind.UI: 0x13,
    Kind.UNKNOWN: 0x19,
}

LINKED = [state for state in S if state is not S.DISCONNECTED]
UNHEARD = (Kind.UA, Kind.DM, Kind.FRMR, Kind.UI)

#: What a polled frame of each kind (numbers 0, an LLC command inside I and UI) makes of a server.
SERVER_TABLE: dict[tuple[ServerState, Kind], tuple[ServerState, list[Kind]]] = {
    **{(S.DISCONNECTED, kind): (S.DISCONNECTED, [Kind.DM]) for kind in
       (Kind.I, Kind.RR, Kind.RNR, Kind.DISC, Kind.UNKNOWN)},
    **{(state, Kind.SNRM): (S.READY, [Kind.UA]) for state in S},
    **{(state, Kind.DISC): (S.DISCONNECTED, [Kind.UA]) for state in LINKED},
    **{(state, kind): (state, []) for state in S for kind in UNHEARD},
    **{(state, Kind.UNKNOWN): (S.REJECTED, [Kind.FRMR]) for state in LINKED},
    **{(S.REJECTED, kind): (S.REJECTED, [Kind.FRMR]) for kind in (Kind.I, Kind.RR, Kind.RNR)},
    (S.READY, Kind.I): (S.ANSWERING, []),
    (S.READY, Kind.RR): (S.READY, [Kind.RR]),
    (S.READY, Kind.RNR): (S.READY, [Kind.RR]),
    (S.ANSWERING, Kind.I): (S.ANSWERING, [Kind.RR]),  # the repeated question
    (S.ANSWERING, Kind.RR): (S.ANSWERING, [Kind.RR]),
    (S.ANSWERING, Kind.RNR): (S.ANSWERING, [Kind.RR]),
    (S.SENDING, Kind.I): (S.SENDING, [Kind.I]),  # the stored window
    (S.SENDING, Kind.RR): (S.SENDING, [Kind.I]),
    (S.SENDING, Kind.RNR): (S.SENDING, [Kind.RR]),
}  # fmt: skip


@pytest.mark.parametrize(("state", "kind"), list(itertools.product(ServerState, Kind)))
def test_a_server_does_with_each_frame_in_each_state_what_the_table_says(
    state: ServerState, kind: Kind
) -> None:
    link = reached_server(state)
    content = LLC_COMMAND + b"more" if kind in {Kind.I, Kind.UI} else b""
    outputs = link.receive(command(SAMPLES[kind], content), 5)
    assert (link.state, kinds(outputs)) == SERVER_TABLE[state, kind]
    assert all(frame.control.poll for frame in sent(outputs))


#: The same for a client; the I frame carries a whole reply.
CLIENT_TABLE: dict[tuple[ClientState, Kind], tuple[ClientState, list[Kind]]] = {
    **{(state, kind): (state, []) for state in C for kind in Kind},
    **{(state, Kind.DM): (C.DISCONNECTED, []) for state in C},
    **{(state, Kind.FRMR): (C.DISCONNECTED, []) for state in C},
    (C.CONNECTING, Kind.UA): (C.IDLE, []),
    (C.DISCONNECTING, Kind.UA): (C.DISCONNECTED, []),
    (C.WAITING, Kind.I): (C.IDLE, []),
    (C.WAITING, Kind.RR): (C.PAUSED, []),
    (C.WAITING, Kind.RNR): (C.PAUSED, []),
}


@pytest.mark.parametrize(("state", "kind"), list(itertools.product(ClientState, Kind)))
def test_a_client_does_with_each_frame_in_each_state_what_the_table_says(
    state: ClientState, kind: Kind
) -> None:
    link = reached_client(state)
    octet = SAMPLES[kind] | (0x20 if kind in {Kind.I, Kind.RR, Kind.RNR} else 0)  # N(R) = 1
    content = LLC_RESPONSE + b"reply" if kind in {Kind.I, Kind.UI} else b""
    outputs = link.receive(response(octet, content), 5)
    assert (link.state, kinds(outputs)) == CLIENT_TABLE[state, kind]


def test_both_tables_are_complete() -> None:
    assert set(hdlc_server.TRANSITIONS) == set(itertools.product(ServerState, Kind))
    assert set(hdlc_client.TRANSITIONS) == set(itertools.product(ClientState, Kind))


@pytest.mark.parametrize(
    ("wish", "allowed"),
    [
        ("connect", {C.DISCONNECTED}),
        ("send", {C.IDLE}),
        ("poll", {C.IDLE}),
        ("disconnect", {C.CONNECTING, C.IDLE, C.WAITING, C.PAUSED}),
    ],
)
@pytest.mark.parametrize("state", list(ClientState))
def test_a_wish_out_of_turn_is_the_callers_mistake_and_changes_nothing(
    state: ClientState, wish: str, allowed: set[ClientState]
) -> None:
    link = reached_client(state)
    arguments = (b"x", 9) if wish == "send" else (9,)
    if state in allowed:
        assert kinds(getattr(link, wish)(*arguments)) != []
        return
    with pytest.raises(IllegalEventError, match=state.name):
        getattr(link, wish)(*arguments)
    assert link.state is state


@given(st.lists(st.tuples(st.sampled_from(range(256)), st.binary(max_size=40), st.booleans()),
                max_size=30))  # fmt: skip
@settings(max_examples=examples(80), derandomize=True)
def test_no_row_of_frames_raises_or_grows_memory(rows: list[tuple[int, bytes, bool]]) -> None:
    limited = replace(WIDE, max_apdu_bytes=64)
    server, client = reached_server(S.READY, limited), reached_client(C.IDLE, limited)
    for now, (octet, content, segmented) in enumerate(rows):
        outputs = server.receive(command(octet, LLC_COMMAND + content, segmented=segmented), now)
        if any(isinstance(output, ApduReceived) and output.numbered for output in outputs):
            outputs += server.answer(content * 4, now)
        if client.state is C.DISCONNECTED:
            client.connect(now)
        elif client.state is C.IDLE:
            client.send(content + b"?", now)
        client.receive(response(octet, LLC_RESPONSE + content, segmented=segmented), now)
        for link in (server, client):
            assert len(link._numbers._assembly) <= 67
            assert len(link._numbers._stored) <= 7


@pytest.mark.parametrize("window", range(1, 8))
def test_only_what_the_window_allows_ahead_is_a_gap_and_all_else_was_taken_before(
    window: int,
) -> None:
    numbers = Numbering(Parameters(receive_window=window), 100)
    arrivals = [
        numbers.arrival(Frame(SERVER, CLIENT, i_control(ahead, 0, poll=True))) for ahead in range(8)
    ]
    behind = [Arrival.REPEATED] * (8 - window)
    assert arrivals == [Arrival.PART] + [Arrival.GAP] * (window - 1) + behind
