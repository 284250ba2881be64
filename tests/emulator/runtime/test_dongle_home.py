"""The devices of an installation around a dongle: they join, stay awake, sleep, and speak."""

from collections import Counter

from device_profiles import installation as installations
from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import JoinBits, OutgoingType, PolicyId
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values import Endpoint, PolicySetting
from emulator.codecs.ezsp.values_messages import IncomingMessage, SendUnicast
from emulator.codecs.ezsp.values_network import PermitJoining
from emulator.codecs.zcl import basic, foundation, ota, time, tunneling
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import ReadAttributes, ReadAttributesResponse
from emulator.core.chance import Stream
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity
from emulator.ncp.member_plan import Stage
from emulator.ncp.radio_bridge import HomeClock, RadioBridge
from emulator.runtime.dongle_home import Home, home_of
from emulator.runtime.installation import Plan, build
from tests.emulator.ncp.home_given import START, import_key, told
from tests.emulator.ncp.ncp_given import FORM, SECURITY, Desk

CHF_ENDPOINT = 123
ROLES = ["esme", "gsme", "ppmid", "hcalcs"]


def _home(*, well_known: bool = False) -> Home:
    return home_of(build(Plan(installations.load("demo"), 1, START)), 1, well_known=well_known)


def _desk(home: Home, notes: list[tuple[str, Note]]) -> tuple[Desk, RadioBridge]:
    bridge = RadioBridge(home.plans, HomeClock(START), lambda who, note: notes.append((who, note)))
    dongle = Dongle(Ncp(Identity(home.hub, 13), bridge, Stream(1, "dongle")))
    dongle.power_on(0)
    desk = Desk(dongle).connect()
    lists = ClusterLists((time.CLUSTER, ota.CLUSTER, tunneling.CLUSTER), ())
    desk.ask(Frame.ADD_ENDPOINT, Endpoint(CHF_ENDPOINT, 0x0109, 0x0500, 0, lists))
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY)
    desk.ask(Frame.FORM_NETWORK, FORM)
    decision = int(JoinBits.ALLOW_JOINS | JoinBits.JOINS_USE_INSTALL_CODE_KEY)
    policy = PolicySetting(int(PolicyId.TRUST_CENTER_POLICY), decision)
    desk.ask(Frame.SET_POLICY, policy)
    return desk, bridge


def _joined(notes: list[tuple[str, Note]]) -> tuple[Desk, RadioBridge]:
    home = _home()
    desk, bridge = _desk(home, notes)
    for eui64, code in home.codes.items():
        assert import_key(desk, eui64, code.link_key()) is Status.OK
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(60))
    desk.wait(1_000)
    return desk, bridge


def _read(desk: Desk, short: int, cluster: int, attribute: int, wait_ms: int = 500) -> object:
    frame = foundation.encode(ReadAttributes((attribute,)), 0x21, server_to_client=False)
    aps = ApsFrame(0x0109, cluster, CHF_ENDPOINT, 1, 0x40)
    desk.callbacks.clear()
    desk.ask(Frame.SEND_UNICAST, SendUnicast(int(OutgoingType.DIRECT), short, aps, 1, frame))
    desk.wait(wait_ms)
    for one in told(desk, Frame.INCOMING_MESSAGE_HANDLER):
        heard = zcl_frame.decode(one.message)
        if one.aps.cluster == cluster and heard.sequence == 0x21 and not heard.cluster_specific:
            answer = foundation.decode(heard)
            if isinstance(answer, ReadAttributesResponse):
                return answer.value(attribute)
    return None


def _short(bridge: RadioBridge, role: str) -> int:
    member = next(one for one in bridge.members if one.plan.name.startswith(role))
    assert member.short is not None
    return member.short


def test_all_join_by_their_install_codes_within_a_second_and_say_who_they_are() -> None:
    desk, bridge = _joined([])
    assert [member.plan.name.split()[0] for member in bridge.members] == ROLES
    assert [member.stage for member in bridge.members] == [Stage.IN] * len(ROLES)
    models = [_read(desk, _short(bridge, role), basic.CLUSTER, 5) for role in ROLES[:3]]
    assert models == ["Lumen", "Ember", "Glance"]


def test_every_code_is_another_one_and_the_seed_decides() -> None:
    codes = _home().codes
    assert len({code.code for code in codes.values()}) == len(ROLES)
    assert _home().codes == codes
    keys = {plan.link_key for plan in _home(well_known=True).plans}
    assert keys == {b"ZigBeeAlliance09"}


def test_devices_find_the_hubs_endpoint_and_speak_to_it_unasked() -> None:
    desk, bridge = _joined([])
    desk.wait(5_000)
    spoken: Counter[tuple[int, int]] = Counter()
    for one in told(desk, Frame.INCOMING_MESSAGE_HANDLER):
        assert isinstance(one, IncomingMessage)
        if one.aps.profile == 0x0109:
            spoken[one.sender, one.aps.cluster] += 1
            assert one.aps.destination_endpoint == CHF_ENDPOINT
    esme = _short(bridge, "esme")
    assert spoken[esme, time.CLUSTER]
    assert spoken[esme, ota.CLUSTER]
    assert spoken[esme, tunneling.CLUSTER]


def test_a_gas_meter_is_awake_for_a_minute_then_sleeps_and_wakes_by_itself() -> None:
    notes: list[tuple[str, Note]] = []
    desk, bridge = _joined(notes)
    gsme = _short(bridge, "gsme")
    desk.wait(60_000)
    assert _read(desk, gsme, basic.CLUSTER, 5) == "Ember"
    desk.wait(120_000)
    assert not next(one for one in bridge.members if one.short == gsme).awake
    assert _read(desk, gsme, basic.CLUSTER, 5, 60_000) is None
    (failed,) = told(desk, Frame.MESSAGE_SENT_HANDLER)
    assert failed.status is Status.DELIVERY_FAILED
    answers = 0
    for _ in range(40):
        answers += _read(desk, gsme, basic.CLUSTER, 5, 60_000) == "Ember"
    assert 1 <= answers <= 30  # it wakes for what it wants to send, too


def test_a_code_of_another_device_lets_nobody_in() -> None:
    home = _home()
    desk, bridge = _desk(home, [])
    codes = list(home.codes.values())
    for place, eui64 in enumerate(home.codes):
        import_key(desk, eui64, codes[place - 1].link_key())
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(60))
    desk.wait(70_000)
    assert [member.stage for member in bridge.members] == [Stage.OUT] * len(ROLES)
    assert Eui64(bytes(8)) not in desk.dongle.ncp.state.nv.nodes
    assert desk.dongle.ncp.state.nv.nodes == {}
