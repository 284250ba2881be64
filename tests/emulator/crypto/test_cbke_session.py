"""The machine of a key establishment: every state with every event, time-outs, memory."""

import itertools
from collections.abc import Callable

import pytest

from emulator.codecs.zcl.key_establishment import (
    ConfirmRequest,
    ConfirmResponse,
    EphemeralRequest,
    EphemeralResponse,
    InitiateRequest,
    InitiateResponse,
    KeySuite,
    Terminate,
    TerminateStatus,
)
from emulator.core.errors import IllegalEventError
from emulator.crypto.cbke_outputs import (
    Agree,
    CbkeIdentity,
    CbkeOutput,
    Ended,
    Ignored,
    MakeKey,
    Refusal,
    Send,
)
from emulator.crypto.cbke_session import BACK_OFF_S, MARGIN_S, CbkeSession
from emulator.crypto.cbke_table import (
    LATE_EVENTS,
    LIVE,
    PEER_EVENTS,
    TRANSITIONS,
    CbkeEvent,
    CbkeRole,
    CbkeState,
)
from tests.emulator.crypto.cbke_kit import HUB, METER, credentials

SUITE = KeySuite.CBKE_163
OURS, THEIRS = credentials(SUITE, METER), credentials(SUITE, HUB)
IDENTITY = CbkeIdentity(METER, {SUITE: OURS.certificate}, 4, 8)
KEY, MAC_U, MAC_V = bytes(22), b"U" * 16, b"V" * 16

PERFORM: dict[CbkeEvent, Callable[[CbkeSession], list[CbkeOutput]]] = {
    CbkeEvent.START: lambda s: s.start(),
    CbkeEvent.INITIATE_REQUEST: lambda s: s.receive(
        InitiateRequest(SUITE, 11, 22, THEIRS.certificate)
    ),
    CbkeEvent.INITIATE_RESPONSE: lambda s: s.receive(
        InitiateResponse(SUITE, 11, 22, THEIRS.certificate)
    ),
    CbkeEvent.EPHEMERAL_REQUEST: lambda s: s.receive(EphemeralRequest(KEY)),
    CbkeEvent.EPHEMERAL_RESPONSE: lambda s: s.receive(EphemeralResponse(KEY)),
    CbkeEvent.CONFIRM_REQUEST: lambda s: s.receive(ConfirmRequest(MAC_U)),
    CbkeEvent.CONFIRM_RESPONSE: lambda s: s.receive(ConfirmResponse(MAC_V)),
    CbkeEvent.TERMINATE: lambda s: s.receive(Terminate(TerminateStatus.NO_RESOURCES, 5, 2)),
    CbkeEvent.KEY_MADE: lambda s: s.key_made(KEY),
    CbkeEvent.AGREED: lambda s: s.agreed(MAC_U, MAC_V),
    CbkeEvent.CANNOT: lambda s: s.cannot(Refusal(TerminateStatus.BAD_MESSAGE, "a bad point")),
    CbkeEvent.TIMED_OUT: lambda s: s.time_out(),
}
PATHS = {
    CbkeRole.INITIATOR: [
        CbkeEvent.START,
        CbkeEvent.INITIATE_RESPONSE,
        CbkeEvent.KEY_MADE,
        CbkeEvent.EPHEMERAL_RESPONSE,
        CbkeEvent.AGREED,
        CbkeEvent.CONFIRM_RESPONSE,
    ],
    CbkeRole.RESPONDER: [
        CbkeEvent.INITIATE_REQUEST,
        CbkeEvent.EPHEMERAL_REQUEST,
        CbkeEvent.KEY_MADE,
        CbkeEvent.CONFIRM_REQUEST,
        CbkeEvent.AGREED,
    ],
}


def fresh(role: CbkeRole) -> CbkeSession:
    return CbkeSession(role, IDENTITY, HUB, SUITE if role is CbkeRole.INITIATOR else None)


def session_in(role: CbkeRole, state: CbkeState) -> CbkeSession | None:
    """A session that came to ``state`` by itself, or None where the role never gets there."""
    session = fresh(role)
    for event in PATHS[role]:
        if session.state is state:
            return session
        PERFORM[event](session)
    if state is CbkeState.ENDED:
        session = fresh(role)
        PERFORM[PATHS[role][0]](session)
        session.time_out()
    return session if session.state is state else None


def statuses(outputs: list[CbkeOutput]) -> list[TerminateStatus]:
    return [
        output.command.status
        for output in outputs
        if isinstance(output, Send) and isinstance(output.command, Terminate)
    ]


CASES = list(itertools.product(CbkeRole, CbkeState, CbkeEvent))


@pytest.mark.parametrize(("role", "state", "event"), CASES)
def test_every_state_takes_every_event_as_the_table_says(
    role: CbkeRole, state: CbkeState, event: CbkeEvent
) -> None:
    session = session_in(role, state)
    if session is None:
        assert role is CbkeRole.RESPONDER
        assert state is CbkeState.WAITS_CERTIFICATE
        return
    row = TRANSITIONS.get((role, state, event))
    over = state in {CbkeState.ESTABLISHED, CbkeState.ENDED}
    if row is not None:
        outputs = PERFORM[event](session)
        assert session.state is row[1]
        assert not any(isinstance(output, Ignored) for output in outputs)
    elif event in PEER_EVENTS and not over:
        assert statuses(PERFORM[event](session)) == [TerminateStatus.BAD_MESSAGE]
        assert session.state is CbkeState.ENDED
    elif event in PEER_EVENTS or (event in LATE_EVENTS and state is CbkeState.ENDED):
        assert PERFORM[event](session) == [Ignored(event)]
        assert session.state is state
    else:
        with pytest.raises(IllegalEventError, match=event):
            PERFORM[event](session)
        assert session.state is state


@pytest.mark.parametrize("role", CbkeRole)
def test_each_role_gets_to_the_end_by_its_path(role: CbkeRole) -> None:
    session = fresh(role)
    outputs = [output for event in PATHS[role] for output in PERFORM[event](session)]
    assert session.state is CbkeState.ESTABLISHED
    assert not session.live
    first = role is CbkeRole.INITIATOR
    assert MakeKey(SUITE) in outputs
    assert Agree(SUITE, THEIRS.certificate, KEY, first) in outputs
    shown = InitiateRequest if first else InitiateResponse
    assert Send(shown(SUITE, 4, 8, OURS.certificate)) in outputs
    assert Send(ConfirmRequest(MAC_U) if first else ConfirmResponse(MAC_V)) in outputs


@pytest.mark.parametrize("role", CbkeRole)
def test_a_wrong_proof_ends_it_with_the_status_for_it(role: CbkeRole) -> None:
    session = session_in(role, CbkeState.WAITS_MAC)
    assert session is not None
    if role is CbkeRole.INITIATOR:
        outputs = session.receive(ConfirmResponse(b"X" * 16))
    else:
        session.receive(ConfirmRequest(b"X" * 16))
        outputs = session.agreed(MAC_U, MAC_V)
    assert statuses(outputs) == [TerminateStatus.BAD_KEY_CONFIRM]
    assert not any(
        isinstance(output, Send) and isinstance(output.command, ConfirmResponse)
        for output in outputs
    ), "MAC(V) is not told to whom has not proved itself"


@pytest.mark.parametrize("role", CbkeRole)
def test_each_wait_is_as_long_as_the_partner_or_we_need(role: CbkeRole) -> None:
    needs = {
        CbkeState.WAITS_CERTIFICATE: 0,
        CbkeState.WAITS_KEY: 11,
        CbkeState.WAITS_MAC: 22,
        CbkeState.MAKES_KEY: 4,
        CbkeState.AGREES: 8,
    }
    for state in LIVE:
        session = session_in(role, state)
        assert session is None or session.wait_s == needs[state] + MARGIN_S
    for state in (CbkeState.IDLE, CbkeState.ESTABLISHED, CbkeState.ENDED):
        session = session_in(role, state)
        assert session is not None
        assert session.wait_s == 0


@pytest.mark.parametrize(("role", "state"), list(itertools.product(CbkeRole, LIVE)))
def test_silence_ends_it_and_nothing_is_sent_into_the_silence(
    role: CbkeRole, state: CbkeState
) -> None:
    session = session_in(role, state)
    if session is None:
        return
    (ended,) = session.time_out()
    assert isinstance(ended, Ended)
    assert (ended.status, ended.by_partner, ended.wait_s) == (None, False, BACK_OFF_S)


@pytest.mark.parametrize(("role", "state"), list(itertools.product(CbkeRole, CbkeState)))
def test_an_unreadable_frame_ends_only_what_is_under_way(role: CbkeRole, state: CbkeState) -> None:
    session = session_in(role, state)
    if session is None:
        return
    outputs = session.unreadable("rubbish")
    assert statuses(outputs) == ([TerminateStatus.BAD_MESSAGE] if state in LIVE else [])


@pytest.mark.parametrize("role", CbkeRole)
def test_a_restored_session_goes_on_where_it_stood(role: CbkeRole) -> None:
    session = fresh(role)
    for event in PATHS[role]:
        twin = CbkeSession.load(IDENTITY, session.dump())
        assert twin.dump() == session.dump()
        assert twin.work() == session.work()
        assert PERFORM[event](twin) == PERFORM[event](session)
        assert twin.state is session.state
    assert session.state is CbkeState.ESTABLISHED


@pytest.mark.parametrize("role", CbkeRole)
def test_the_arithmetic_waited_for_can_be_asked_again(role: CbkeRole) -> None:
    for state in CbkeState:
        session = session_in(role, state)
        if session is None:
            continue
        wanted = {CbkeState.MAKES_KEY: MakeKey, CbkeState.AGREES: Agree}.get(state)
        assert (session.work() is None) == (wanted is None)
        assert wanted is None or isinstance(session.work(), wanted)


def test_an_initiator_without_a_suite_of_its_own_is_our_own_error() -> None:
    for suite in (None, KeySuite.CBKE_283):
        with pytest.raises(IllegalEventError, match="suite"):
            CbkeSession(CbkeRole.INITIATOR, IDENTITY, HUB, suite)
