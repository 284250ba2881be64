"""Every stage of the joiner with every event: what the table says, and otherwise nothing."""

from itertools import product
from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame, command
from emulator.codecs.ezsp.identifiers import NodeType
from emulator.codecs.ezsp.protocol import codec_of
from emulator.codecs.ezsp.statuses import Status
from emulator.core.chance import Stream
from emulator.ncp.join_table import MEMBER, TOLD, TRANSITIONS, JoinAct, JoinEvent, JoinStage
from emulator.ncp.joining import _ACTS, happen, return_attempt
from emulator.ncp.memory import StoredNetwork
from emulator.ncp.radio_frames import AssociationResponse
from emulator.ncp.state import NcpState
from emulator.ncp.undertakings import Attempt
from tests.emulator.codecs.ezsp.ezsp_given import value_of
from tests.emulator.ncp.hub_given import (
    CHANNEL,
    INSTALL_KEY,
    NETWORK_KEY_OCTETS,
    SHORT,
    HubAir,
    at_desk,
    join,
    joined_hub,
    parameters,
    security,
    statuses,
)
from tests.emulator.ncp.ncp_given import DONGLE, HUB, Desk


def _in(stage: JoinStage) -> tuple[Desk, HubAir]:
    if stage in MEMBER:
        desk, air = joined_hub(13, NodeType.END_DEVICE)
        state = desk.dongle.ncp.state
        stored = state.nv.network
        assert stored is not None
        if stage is JoinStage.ORPHAN:
            assert happen(state, JoinEvent.PARENT_LOST)
        elif stage is not JoinStage.UP:
            air.answers = False
            air.sends_key = False
            secured = stage is not JoinStage.RETURN_KEY_WAIT
            happen(state, JoinEvent.REJOIN, return_attempt(state, stored, secured=secured))
            if stage is not JoinStage.RETURN_SEEK:
                air.answers = stage is JoinStage.RETURN_KEY_WAIT
                desk.wait(200)
    else:
        early: dict[JoinStage, dict[str, Any]] = {
            JoinStage.ASK: {"answers": False},
            JoinStage.KEY_WAIT: {"sends_key": False},
        }
        desk, air = at_desk(**early.get(stage, {}))
        if stage is JoinStage.LINK_KEY_WAIT:
            air.confirms = False
            desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security(0x0D00))
        if stage is not JoinStage.OUT:
            assert join(desk, NodeType.END_DEVICE) is Status.OK
        if stage is not JoinStage.SEEK:
            desk.wait(200)
    assert desk.dongle.ncp.state.ram.stage is stage
    statuses(desk)
    air.sent.clear()
    return desk, air


def _detail(state: NcpState, event: JoinEvent, air: HubAir) -> Any:
    attempt = state.ram.attempt or Attempt(
        NodeType.END_DEVICE, parameters(), (CHANNEL,), network_key=NETWORK_KEY_OCTETS, short=SHORT
    )
    if event in {JoinEvent.ACCEPTED, JoinEvent.ACCEPTED_WITH_KEY}:
        return AssociationResponse(DONGLE, SHORT, 0)
    if event is JoinEvent.FOUND:
        return air.networks(CHANNEL)[0]
    if event in {JoinEvent.REJOIN, JoinEvent.TOLD_TO_RETURN, JoinEvent.RESUME_ASKING}:
        stored = state.nv.network or StoredNetwork(parameters(), NodeType.END_DEVICE, SHORT)
        return return_attempt(state, stored)
    return attempt


def test_every_stage_can_be_reached_and_every_act_is_somebodys() -> None:
    assert {stage for stage, _event in TRANSITIONS} == set(JoinStage)
    assert {event for _stage, event in TRANSITIONS} == set(JoinEvent)
    assert {act for _stage, act in TRANSITIONS.values()} == set(JoinAct) == set(_ACTS)
    assert set(TOLD) == set(JoinStage)
    reached = {JoinStage.OUT}
    while True:
        more = {to for (at, _event), (to, _act) in TRANSITIONS.items() if at in reached}
        if more <= reached:
            break
        reached |= more
    assert reached == set(JoinStage)


def _all_of(desk: Desk, air: HubAir) -> Any:
    """Return everything an event could change."""
    state = desk.dongle.ncp.state
    ram = state.ram
    kept = (desk.dongle.dump(), ram.stage, ram.attempt, ram.joined)
    return (*kept, state.next_due(), tuple(air.sent), len(desk.callbacks))


@pytest.mark.parametrize("stage", list(JoinStage))
def test_events_that_are_not_in_the_table_change_nothing_at_all(stage: JoinStage) -> None:
    desk, air = _in(stage)
    state = desk.dongle.ncp.state
    before = _all_of(desk, air)
    for event in JoinEvent:
        if (stage, event) not in TRANSITIONS:
            assert not happen(state, event, _detail(state, event, air)), event
            assert _all_of(desk, air) == before, event


@pytest.mark.parametrize(("stage", "event"), list(TRANSITIONS))
def test_events_of_the_table_lead_where_it_says_and_come_to_an_end(
    stage: JoinStage, event: JoinEvent
) -> None:
    desk, air = _in(stage)
    state = desk.dongle.ncp.state
    assert happen(state, event, _detail(state, event, air))
    assert state.ram.stage is TRANSITIONS[stage, event][0]
    assert state.ram.joined == (state.ram.stage in MEMBER)
    desk.wait(20_000)
    assert state.ram.stage in {JoinStage.OUT, JoinStage.UP, JoinStage.ORPHAN}
    assert desk.dongle.ncp.deadline is None


@pytest.mark.parametrize("stage", list(JoinStage))
def test_a_reset_in_any_stage_leaves_an_ncp_that_is_on_no_network_and_can_be_used(
    stage: JoinStage,
) -> None:
    desk, air = _in(stage)
    kept = desk.dongle.dump()
    desk.connect()
    assert desk.dongle.ncp.state.ram.stage is JoinStage.OUT
    assert desk.dongle.dump() == kept
    assert (air.place, desk.dongle.ncp.deadline) == (None, None)
    air.__init__()  # type: ignore[misc] # the hub is as good as new
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security(key=INSTALL_KEY))
    assert join(desk) is Status.OK
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert HUB in desk.dongle.ncp.state.nv.nodes


@pytest.mark.parametrize("stage", list(JoinStage))
def test_in_any_stage_every_command_with_any_values_has_its_answer(stage: JoinStage) -> None:
    codec, chance = codec_of(13), Stream(1, f"any/{stage}")
    desk, _air = _in(stage)
    answered = 0
    for name in sorted(codec.frames, key=lambda _frame: chance.below(1 << 32)):
        layout = codec.layout(name, answer=False)
        if layout is None or name is Frame.VERSION:
            continue
        octets = codec.encode(command(name, value_of(layout, chance), 0x55))
        answer = desk.exchange(octets)
        assert answer.name in {name, Frame.INVALID_COMMAND, Frame.NO_CALLBACKS}
        answered += 1
        desk.wait(20)
    assert answered > 100
    desk.wait(20_000)
    kept = desk.dongle.dump()
    desk.dongle.load(kept)
    assert desk.dongle.dump() == kept


def test_the_table_leads_nowhere_that_the_host_is_not_told_of() -> None:
    for (stage, _event), (to, act) in TRANSITIONS.items():
        if stage is not JoinStage.OUT and to is JoinStage.OUT:
            assert act.value.startswith(("fail", "leave"))
    assert len(TRANSITIONS) < len(list(product(JoinStage, JoinEvent))) / 3
