"""Who joins the dongle's network, under which key, and who is turned away."""

import json
from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ConfigId,
    DeviceUpdate,
    JoinBits,
    JoinDecision,
    OutgoingType,
    PolicyId,
)
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values import (
    ByEui64,
    ByIndex,
    ByNodeId,
    ConfigSetting,
    Nothing,
    PolicySetting,
    StatusOnly,
)
from emulator.codecs.ezsp.values_messages import SendUnicast
from emulator.codecs.ezsp.values_network import Leave, NetworkInit, PermitJoining, RemoveDevice
from emulator.codecs.ezsp.values_security import NetworkKeyUnicast
from emulator.codecs.zigbee import zdo
from emulator.core.effects import DeviceEvent, Note
from emulator.core.ids import Eui64
from emulator.crypto.install_code import InstallCode
from emulator.ncp.member_plan import Stage
from emulator.ncp.radio_bridge import RadioBridge
from emulator.ncp.radio_frames import AssociationRequest
from emulator.ncp.trust_centre import MAX_TRANSIENT_KEYS, KeyStatus
from tests.emulator.ncp.home_given import (
    BATTERY,
    METER,
    SLEEPER,
    Talker,
    a_home,
    a_plan,
    import_key,
    joined,
    on_network,
    told,
)
from tests.emulator.ncp.ncp_given import DONGLE, FORM, SECURITY, Desk

CODE = InstallCode(bytes.fromhex("83FED3407A939723A5C639B26916D505"))
OTHER_CODE = InstallCode(bytes(range(16)))
WITH_CODES = int(JoinBits.ALLOW_JOINS | JoinBits.JOINS_USE_INSTALL_CODE_KEY)
ALLOWED = int(JoinBits.ALLOW_JOINS | JoinBits.ALLOW_UNSECURED_REJOINS)


def _policy(desk: Desk, decision: int, policy: PolicyId = PolicyId.TRUST_CENTER_POLICY) -> None:
    assert desk.ask(Frame.SET_POLICY, PolicySetting(int(policy), decision)) == StatusOnly()


def _permit(desk: Desk, seconds: int = 60) -> None:
    assert desk.ask(Frame.PERMIT_JOINING, PermitJoining(seconds)) == StatusOnly()
    desk.wait(1_000)


def _joins(desk: Desk) -> list[tuple[Eui64, int, int]]:
    rows = told(desk, Frame.TRUST_CENTER_JOIN_HANDLER)
    return [(row.eui64, row.update, row.decision) for row in rows]


def _announced(desk: Desk) -> list[Any]:
    incoming = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    return [one for one in incoming if one.aps.cluster == zdo.ZdoCluster.DEVICE_ANNOUNCE]


TAKEN = (
    METER,
    int(DeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN),
    int(JoinDecision.USE_PRECONFIGURED_KEY),
)
TURNED_AWAY = (
    METER,
    int(DeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN),
    int(JoinDecision.DENY_JOIN),
)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_node_with_an_install_code_joins_within_a_second_and_its_key_is_kept(
    version: int,
) -> None:
    dongle, bridge = a_home(a_plan(key=CODE.link_key()), version=version)
    desk = on_network(dongle)
    _policy(desk, WITH_CODES)
    assert import_key(desk, METER, CODE.link_key()) is Status.OK
    _permit(desk)
    assert _joins(desk) == [TAKEN]
    (announce,) = _announced(desk)
    assert announce.message[1:11] == announce.sender.to_bytes(2, "little") + METER.octets[::-1]
    assert bridge.members[0].stage is Stage.IN
    assert desk.ask(Frame.LOOKUP_NODE_ID_BY_EUI64, ByEui64(METER)).node_id == announce.sender
    assert desk.ask(Frame.LOOKUP_EUI64_BY_NODE_ID, ByNodeId(announce.sender)).eui64 == METER
    assert list(dongle.ncp.state.nv.link_keys.values()) == [(METER, CODE.link_key())]


def test_a_wrong_install_code_leaves_the_node_outside_and_its_place_is_free_again() -> None:
    notes: list[tuple[str, Note]] = []
    dongle, bridge = a_home(a_plan(key=OTHER_CODE.link_key()), notes=notes)
    desk = on_network(dongle)
    _policy(desk, WITH_CODES)
    import_key(desk, METER, CODE.link_key())
    _permit(desk)
    assert _joins(desk) == [TAKEN]
    assert _announced(desk) == []
    desk.wait(60_000)
    assert bridge.members[0].stage is Stage.OUT
    assert dongle.ncp.state.nv.nodes == {}
    assert _joins(desk)[-1][1] == DeviceUpdate.DEVICE_LEFT
    kinds = [note.kind for _name, note in notes]
    assert "han_key_not_understood" in kinds
    assert "han_joined" not in kinds


def test_without_a_key_of_its_own_a_node_is_denied_where_install_codes_are_wanted() -> None:
    dongle, bridge = a_home(a_plan())
    desk = on_network(dongle)
    _policy(desk, WITH_CODES)
    import_key(desk, Eui64(b"\xff" * 8), b"ZigBeeAlliance09")
    _permit(desk)
    assert _joins(desk)[0] == TURNED_AWAY
    assert bridge.members[0].stage is Stage.OUT
    assert dongle.ncp.state.nv.nodes == {}


@pytest.mark.parametrize("decision", [0, int(JoinBits.ALLOW_UNSECURED_REJOINS)])
def test_a_policy_that_allows_no_joins_denies_them(decision: int) -> None:
    dongle, _bridge = a_home(a_plan())
    desk = on_network(dongle)
    _policy(desk, decision)
    _permit(desk)
    assert _joins(desk)[0] == TURNED_AWAY


def test_nobody_joins_before_the_window_or_after_it() -> None:
    late = a_plan(application=Talker())
    dongle, bridge = a_home(late)
    desk = on_network(dongle)
    _policy(desk, ALLOWED)
    desk.wait(5_000)
    assert _joins(desk) == []
    bridge.members[0].timers.stop_kind("join")
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(2))
    bridge.members[0].timers.stop_kind("join")
    desk.wait(3_000)
    bridge.members[0].timers.start("join", "try", desk.now)
    desk.wait(1_000)
    assert _joins(desk) == []
    assert bridge.members[0].stage is Stage.OUT
    statuses = [one.status for one in told(desk, Frame.STACK_STATUS_HANDLER)]
    assert statuses == [Status.NETWORK_OPENED, Status.NETWORK_CLOSED]


def test_a_request_outside_the_window_is_refused_on_the_air() -> None:
    notes: list[tuple[str, Note]] = []
    dongle, bridge = a_home(a_plan(), notes=notes)
    desk = on_network(dongle)
    _policy(desk, ALLOWED)
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(1))
    member = bridge.members[0]
    member.timers.stop_kind("join")
    dongle.ncp.state.ram.permit = False  # it closes between the beacon and the request
    member.timers.start("join", "try", desk.now + 1)
    desk.wait(10)
    assert notes[-1][1].fields[0] == ("why", "access denied")
    assert _joins(desk) == []


def test_a_full_child_table_takes_no_further_end_device() -> None:
    notes: list[tuple[str, Note]] = []
    others = [a_plan(Eui64(bytes(7) + bytes((n,))), capability=int(BATTERY)) for n in (1, 2, 3)]
    dongle, bridge = a_home(*others, a_plan(), notes=notes)
    desk = on_network(dongle)
    limit = ConfigSetting(int(ConfigId.MAX_END_DEVICE_CHILDREN), 2)
    desk.ask(Frame.SET_CONFIGURATION_VALUE, limit)
    _policy(desk, ALLOWED)
    import_key(desk, Eui64(b"\xff" * 8), b"ZigBeeAlliance09")
    _permit(desk)
    stages = [member.stage for member in bridge.members]
    assert stages == [Stage.IN, Stage.IN, Stage.OUT, Stage.IN]  # the last one is a router
    assert [name for name, note in notes if ("why", "no room") in note.fields] == ["meter-03"]


def test_a_full_key_table_is_told_and_a_full_list_of_transient_keys_refuses() -> None:
    dongle, _bridge = a_home(a_plan(key=CODE.link_key()))
    desk = on_network(dongle)
    desk.ask(Frame.SET_CONFIGURATION_VALUE, ConfigSetting(int(ConfigId.KEY_TABLE_SIZE), 0))
    _policy(desk, WITH_CODES)
    import_key(desk, METER, CODE.link_key())
    _permit(desk)
    (established,) = told(desk, Frame.ZIGBEE_KEY_ESTABLISHMENT_HANDLER)
    assert (established.partner, established.key_status) == (METER, KeyStatus.KEY_TABLE_FULL)
    for number in range(MAX_TRANSIENT_KEYS - 1):
        assert import_key(desk, Eui64(bytes(6) + number.to_bytes(2, "big")), bytes(16)) is Status.OK
    assert import_key(desk, Eui64(b"\x01" * 8), bytes(16)) is Status.FULL


def test_a_transient_key_is_forgotten_after_its_time() -> None:
    dongle, _bridge = a_home(a_plan(key=CODE.link_key()))
    desk = on_network(dongle)
    desk.ask(
        Frame.SET_CONFIGURATION_VALUE, ConfigSetting(int(ConfigId.TRANSIENT_KEY_TIMEOUT_S), 20)
    )
    import_key(desk, METER, CODE.link_key())
    desk.wait(15_000)
    found = desk.ask(Frame.EXPORT_TRANSIENT_KEY_BY_EUI, ByEui64(METER))
    assert (found.key, found.metadata.time_to_live_s) == (CODE.link_key(), 5)
    desk.wait(6_000)
    found = desk.ask(Frame.EXPORT_TRANSIENT_KEY_BY_EUI, ByEui64(METER))
    assert found.status is Status.NOT_FOUND
    _policy(desk, WITH_CODES)
    _permit(desk)
    assert _joins(desk)[0] == TURNED_AWAY


def test_a_join_may_be_left_to_the_host() -> None:
    dongle, bridge = a_home(a_plan(key=CODE.link_key()))
    desk = on_network(dongle)
    _policy(desk, int(JoinBits.ALLOW_JOINS | JoinBits.DEFER_JOINS))
    import_key(desk, METER, CODE.link_key())
    _permit(desk)
    (asked,) = told(desk, Frame.TRUST_CENTER_JOIN_HANDLER)
    assert asked.decision == JoinDecision.NO_ACTION
    stages = [bridge.members[0].stage]
    stranger = NetworkKeyUnicast(asked.node_id, SLEEPER, 0)
    assert desk.ask(Frame.UNICAST_CURRENT_NETWORK_KEY, stranger).status is Status.INVALID_STATE
    order = NetworkKeyUnicast(asked.node_id, METER, 0)
    assert desk.ask(Frame.UNICAST_CURRENT_NETWORK_KEY, order) == StatusOnly()
    assert [*stages, bridge.members[0].stage] == [Stage.KEY_WAIT, Stage.IN]


def test_a_key_in_the_clear_is_not_taken_by_a_node_with_an_install_code() -> None:
    dongle, bridge = a_home(a_plan(key=CODE.link_key()))
    desk = on_network(dongle)
    _policy(desk, int(JoinBits.ALLOW_JOINS | JoinBits.SEND_KEY_IN_CLEAR))
    _permit(desk)
    assert _joins(desk)[0][2] == JoinDecision.SEND_KEY_IN_THE_CLEAR
    assert bridge.members[0].stage is Stage.KEY_WAIT


@pytest.mark.parametrize(
    ("policy", "reports"),
    [
        (
            0x51,
            [KeyStatus.TC_RESPONDED_TO_KEY_REQUEST, KeyStatus.TC_REQUESTER_VERIFY_KEY_SUCCESS],
        ),
        (0x50, [KeyStatus.TC_REJECTED_KEY_REQUEST]),
    ],
)
def test_a_node_that_asks_for_a_link_key_gets_it_or_not(
    policy: int, reports: list[KeyStatus]
) -> None:
    dongle, _bridge = a_home(a_plan(asks_key=True))
    desk = on_network(dongle)
    _policy(desk, ALLOWED)
    _policy(desk, policy, PolicyId.TC_KEY_REQUEST_POLICY)
    import_key(desk, Eui64(b"\xff" * 8), b"ZigBeeAlliance09")
    _permit(desk)
    told_of = told(desk, Frame.ZIGBEE_KEY_ESTABLISHMENT_HANDLER)
    assert [one.key_status for one in told_of] == reports
    kept = bool(policy & 1)
    assert (desk.ask(Frame.EXPORT_LINK_KEY_BY_INDEX, ByIndex(0)).status is Status.OK) == kept


# Going and coming back


def _leave(desk: Desk, bridge: RadioBridge) -> None:
    short = bridge.members[0].short
    assert short is not None
    aps = ApsFrame(0, int(zdo.ZdoCluster.MGMT_LEAVE), 0, 0, 0x40)
    message = b"\x07" + METER.octets[::-1] + b"\x00"
    asked = SendUnicast(int(OutgoingType.DIRECT), short, aps, 1, message)
    assert desk.ask(Frame.SEND_UNICAST, asked).status is Status.OK


def test_a_node_that_is_told_to_leave_leaves_and_may_join_again_with_another_address() -> None:
    desk, bridge = joined(a_plan(application=Talker()))
    before = bridge.members[0].short
    _leave(desk, bridge)
    assert _joins(desk) == [
        (METER, int(DeviceUpdate.DEVICE_LEFT), int(JoinDecision.NO_ACTION)),
    ]
    assert bridge.members[0].stage is Stage.OUT
    desk.callbacks.clear()
    _permit(desk)
    assert _joins(desk) == [TAKEN]
    assert bridge.members[0].short != before


def test_the_trust_centre_removes_a_device() -> None:
    desk, bridge = joined(a_plan())
    order = RemoveDevice(0, DONGLE, METER)
    assert desk.ask(Frame.REMOVE_DEVICE, order) == StatusOnly()
    assert bridge.members[0].stage is Stage.OUT
    assert desk.ask(Frame.REMOVE_DEVICE, order).status is Status.INVALID_STATE


def test_a_known_device_that_joins_a_second_time_keeps_its_address() -> None:
    desk, bridge = joined(a_plan())
    member = bridge.members[0]
    short = member.short
    member._leave(desk.now)  # it was reset at its side alone
    _permit(desk)
    assert _joins(desk) == [TAKEN]
    assert member.short == short


def test_a_reset_of_the_dongle_keeps_the_nodes_and_a_new_network_loses_them() -> None:
    talker = Talker()
    desk, bridge = joined(a_plan(application=talker))
    short = bridge.members[0].short
    desk.connect()
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(0)) == StatusOnly()
    assert (bridge.members[0].stage, bridge.members[0].short) == (Stage.IN, short)
    assert desk.ask(Frame.LOOKUP_NODE_ID_BY_EUI64, ByEui64(METER)).node_id == short
    assert desk.ask(Frame.LEAVE_NETWORK, Leave()) == StatusOnly()
    desk.connect()
    other = SECURITY.state.__class__(0x0300, b"ZigBeeAlliance09", bytes(16), 0, DONGLE)
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, type(SECURITY)(other))
    desk.ask(Frame.FORM_NETWORK, FORM)
    assert bridge.members[0].stage is Stage.OUT
    assert talker.events[-1] is DeviceEvent.POWER_OFF


def test_dongle_and_nodes_come_back_together_after_a_loss_of_power() -> None:
    desk, bridge = joined(a_plan(), a_plan(SLEEPER, capability=int(BATTERY)))
    state = json.loads(json.dumps([desk.dongle.dump(), bridge.dump()]))
    dongle, again = a_home(a_plan(), a_plan(SLEEPER, capability=int(BATTERY)))
    dongle.load(state[0])
    again.load(state[1], 0)
    later = Desk(dongle).connect()
    assert later.ask(Frame.NETWORK_INIT, NetworkInit(0)) == StatusOnly()
    later.wait(1_000)
    shorts = [member.short for member in bridge.members]
    assert [member.short for member in again.members] == shorts
    assert _joins(later) == []
    assert later.ask(Frame.GET_PARENT_CHILD_PARAMETERS, Nothing()).child_count == 1


@pytest.mark.parametrize(
    ("key", "policy", "update", "decision"),
    [
        (SECURITY.state.network_key, 0, 0, JoinDecision.NO_ACTION),
        (None, ALLOWED, 3, JoinDecision.USE_PRECONFIGURED_KEY),
        (None, int(JoinBits.ALLOW_JOINS), 3, JoinDecision.DENY_JOIN),
        (None, int(ALLOWED | JoinBits.IGNORE_UNSECURED_REJOINS), 3, JoinDecision.NO_ACTION),
    ],
)
def test_a_node_comes_back_with_the_network_key_or_as_the_policy_says(
    key: bytes | None, policy: int, update: int, decision: JoinDecision
) -> None:
    desk, bridge = joined(a_plan())
    _policy(desk, policy)
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(0))
    member = bridge.members[0]
    assert member.short is not None
    back = AssociationRequest(METER, member.plan.capability, member.short, key)
    member.uplink.append(back)
    desk.wait(10)
    assert _joins(desk)[0] == (METER, update, int(decision))


def test_a_stranger_and_a_node_with_an_old_key_do_not_come_back() -> None:
    desk, bridge = joined(a_plan())
    member = bridge.members[0]
    assert member.short is not None
    member.uplink.append(AssociationRequest(METER, 0, member.short, bytes(16)))
    member.uplink.append(AssociationRequest(SLEEPER, 0, 0x4321, SECURITY.state.network_key))
    desk.wait(10)
    assert _joins(desk) == []
