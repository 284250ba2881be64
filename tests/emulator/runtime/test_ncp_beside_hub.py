"""The dongle's firmware in reach of an emulated hub: it finds it, joins it, speaks, and listens."""

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import InitialSecurityBit, NodeType, OutgoingType
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame, InitialSecurityState, NetworkParameters
from emulator.codecs.ezsp.values import StatusOnly
from emulator.codecs.ezsp.values_messages import SendUnicast
from emulator.codecs.ezsp.values_network import JoinNetwork, Scan
from emulator.codecs.ezsp.values_security import InitialSecurity
from emulator.codecs.zigbee import zdo
from emulator.codecs.zigbee.zdo import ZdoCluster
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.install_code import draw
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity
from emulator.runtime.dongle_home import install_codes
from emulator.runtime.dongle_hub import CHANNEL
from tests.emulator.ncp.ncp_given import Desk
from tests.emulator.runtime.hub_home_given import SEED, Scene, a_scene, device_of

ESME = device_of(DeviceType.ESME)
CHF = device_of(DeviceType.CHF)
_BITS = InitialSecurityBit.HAVE_PRECONFIGURED_KEY | InitialSecurityBit.REQUIRE_ENCRYPTED_KEY


def _desk(version: int = 13, permit_s: int | None = None) -> tuple[Desk, Scene]:
    scene = a_scene(permit_s=permit_s, recorded=True)
    dongle = Dongle(Ncp(Identity(ESME, version), scene.hub, Stream(SEED, "dongle")))
    dongle.power_on(0)
    return Desk(dongle).connect(), scene


def _join(desk: Desk, key: bytes, kind: NodeType = NodeType.ROUTER) -> list[Status]:
    given = InitialSecurityState(int(_BITS), key, bytes(16), 0, Eui64(bytes(8)))
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, InitialSecurity(given))
    wanted = NetworkParameters(CHF, 0xFFFF, 8, CHANNEL)
    asked = desk.ask(Frame.JOIN_NETWORK, JoinNetwork(int(kind), wanted))
    assert asked == StatusOnly()
    desk.wait(15_000)
    told = [one for one in desk.callbacks if one.name is Frame.STACK_STATUS_HANDLER]
    return [one.values.status for one in told]


def _key() -> bytes:
    return install_codes(SEED, [ESME])[ESME].link_key()


def test_a_scan_finds_the_hub_by_its_extended_pan_id_and_says_whether_it_permits_joining() -> None:
    for permit_s, permits in ((None, True), (0, False)):
        desk, _scene = _desk(permit_s=permit_s)
        desk.ask(Frame.START_SCAN, Scan(1, 1 << CHANNEL, 3))
        desk.wait(2_000)
        found = [one for one in desk.callbacks if one.name is Frame.NETWORK_FOUND_HANDLER]
        networks = [one.values.network for one in found]
        assert [one.extended_pan_id for one in networks] == [CHF]
        assert [one.allowing_join for one in networks] == [permits]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [NodeType.ROUTER, NodeType.SLEEPY_END_DEVICE])
def test_the_dongle_joins_under_its_install_code(version: int, kind: NodeType) -> None:
    desk, scene = _desk(version)
    assert _join(desk, _key(), kind) == [Status.NETWORK_UP]
    assert scene.hub.hub.joined[ESME].authenticated


def test_a_wrong_code_and_a_closed_door_are_told_apart() -> None:
    desk, _scene = _desk()
    assert _join(desk, draw(Stream(7, "another")).link_key()) == [Status.NO_NETWORK_KEY_RECEIVED]
    desk, _scene = _desk(permit_s=0)
    assert _join(desk, _key()) == [Status.JOIN_FAILED]


def test_the_hub_answers_device_objects() -> None:
    desk, _scene = _desk()
    _join(desk, _key())
    payload = zdo.match_request(1, 0, 0x0109, (0x0800,))
    described = ApsFrame(0, ZdoCluster.MATCH_DESCRIPTOR, 0, 0, 0x40)
    desk.callbacks.clear()
    order = SendUnicast(int(OutgoingType.DIRECT), 0, described, 1, payload)
    desk.ask(Frame.SEND_UNICAST, order)
    desk.wait(2_000)
    heard = [one for one in desk.callbacks if one.name is Frame.INCOMING_MESSAGE_HANDLER]
    answers = [one.values for one in heard if one.values.aps.cluster == 0x8006]
    assert [zdo.read_match(one.message) for one in answers] == [(123,)]
