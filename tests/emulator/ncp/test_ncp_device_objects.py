"""Device objects: what the NCP answers itself, and what nodes answer."""

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ConfigId, OutgoingType
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values import ConfigSetting
from emulator.codecs.ezsp.values_messages import SendUnicast
from emulator.codecs.zigbee import zdo
from emulator.codecs.zigbee.zdo import ZdoCluster
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.ncp.radio_frames import DataFrame
from tests.emulator.ncp.home_given import (
    BATTERY,
    CHF_ENDPOINT,
    ENDPOINT,
    METER,
    SLEEPER,
    a_home,
    a_plan,
    joined,
    on_network,
    told,
)
from tests.emulator.ncp.ncp_given import DONGLE, Desk


def _ask(desk: Desk, to: int, cluster: int, rest: bytes, sequence: int = 0x55) -> bytes:
    """Ask a node; return what stands behind the sequence of its answer."""
    desk.callbacks.clear()
    aps = ApsFrame(0, int(cluster), 0, 0, 0x40)
    asked = SendUnicast(int(OutgoingType.DIRECT), to, aps, 1, bytes((sequence,)) + rest)
    assert desk.ask(Frame.SEND_UNICAST, asked).status is Status.OK
    desk.wait(200)
    names = [frame.name for frame in desk.callbacks]
    assert names == [Frame.MESSAGE_SENT_HANDLER, Frame.INCOMING_MESSAGE_HANDLER]
    (answer,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    assert (answer.sender, answer.aps.cluster) == (to, cluster | 0x8000)
    assert answer.message[0] == sequence
    told_octets: bytes = answer.message[1:]
    return told_octets


def test_the_ncp_describes_itself_with_the_hosts_endpoints() -> None:
    desk = on_network(a_home()[0])
    node = _ask(desk, 0, ZdoCluster.NODE_DESCRIPTOR, b"\x00\x00")
    assert (node[0], len(node), node[3] & 7) == (0, 16, 0)
    assert _ask(desk, 0, ZdoCluster.POWER_DESCRIPTOR, b"\x00\x00")[0] == 0
    active = _ask(desk, 0, ZdoCluster.ACTIVE_ENDPOINTS, b"\x00\x00")
    assert active == bytes((0, 0, 0, 1, CHF_ENDPOINT))
    simple = _ask(desk, 0, ZdoCluster.SIMPLE_DESCRIPTOR, bytes((0, 0, CHF_ENDPOINT)))
    assert simple == bytes.fromhex("000000 0C 7B 0901 0005 00 01 0A00 01 0207")
    none = _ask(desk, 0, ZdoCluster.SIMPLE_DESCRIPTOR, b"\x00\x00\x09")
    assert none == bytes((zdo.ZdoStatus.NOT_ACTIVE, 0, 0, 0))
    wanted = b"\x00\x00\x09\x01" + b"\x01\x0a\x00" + b"\x00"
    assert _ask(desk, 0, ZdoCluster.MATCH_DESCRIPTOR, wanted)[3:] == bytes((1, CHF_ENDPOINT))
    other = b"\x00\x00\x04\x01" + b"\x01\x0a\x00" + b"\x00"
    assert _ask(desk, 0, ZdoCluster.MATCH_DESCRIPTOR, other)[3:] == b"\x00"
    own = _ask(desk, 0, ZdoCluster.IEEE_ADDRESS, b"\x00\x00\x00\x00")
    assert own == b"\x00" + DONGLE.octets[::-1] + b"\x00\x00"


def test_the_ncp_tells_its_neighbours_three_at_a_time() -> None:
    plans = [a_plan(Eui64(bytes(7) + bytes((n,)))) for n in range(1, 5)]
    desk, _bridge = joined(*plans, a_plan(SLEEPER, capability=int(BATTERY)))
    first = _ask(desk, 0, ZdoCluster.MGMT_LQI, b"\x00")
    assert (first[:4], len(first)) == (bytes((0, 5, 0, 3)), 4 + 3 * 22)
    rest = _ask(desk, 0, ZdoCluster.MGMT_LQI, b"\x03")
    assert (rest[:4], len(rest)) == (bytes((0, 5, 3, 2)), 4 + 2 * 22)
    assert rest[4 + 22 + 8 : 4 + 22 + 16] == SLEEPER.octets[::-1]


def test_joining_opens_by_a_management_request_and_other_management_is_refused() -> None:
    desk = on_network(a_home()[0])
    assert _ask_status(desk, ZdoCluster.MGMT_PERMIT_JOINING, b"\x3c\x00") == 0
    statuses = [one.status for one in told(desk, Frame.STACK_STATUS_HANDLER)]
    assert statuses == [Status.NETWORK_OPENED]
    desk.ask(Frame.SET_CONFIGURATION_VALUE, ConfigSetting(int(ConfigId.APPLICATION_ZDO_FLAGS), 0))
    leave = DONGLE.octets[::-1] + b"\x00"
    assert _ask_status(desk, ZdoCluster.MGMT_LEAVE, leave) == zdo.ZdoStatus.NOT_PERMITTED
    assert _ask_status(desk, 0x0038, b"") == zdo.ZdoStatus.NOT_SUPPORTED


def _ask_status(desk: Desk, cluster: int, rest: bytes) -> int:
    desk.callbacks.clear()
    aps = ApsFrame(0, int(cluster), 0, 0, 0x40)
    desk.ask(Frame.SEND_UNICAST, SendUnicast(0, 0, aps, 1, b"\x01" + rest))
    (answer,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    status: int = answer.message[1]
    return status


def test_a_node_is_interviewed() -> None:
    desk, bridge = joined(a_plan())
    short = bridge.members[0].short
    assert short is not None
    octets = short.to_bytes(2, "little")
    node = _ask(desk, short, ZdoCluster.NODE_DESCRIPTOR, octets)
    assert (node[0], node[3] & 7) == (0, 1)
    assert _ask(desk, short, ZdoCluster.ACTIVE_ENDPOINTS, octets)[-2:] == bytes((1, ENDPOINT))
    simple = _ask(desk, short, ZdoCluster.SIMPLE_DESCRIPTOR, octets + bytes((ENDPOINT,)))
    assert simple[4:7] == bytes((ENDPOINT, 0x09, 0x01))
    assert b"\x02\x00\x00\x02\x07" in simple
    address = _ask(desk, short, ZdoCluster.IEEE_ADDRESS, octets + b"\x00\x00")
    assert address == b"\x00" + METER.octets[::-1] + octets
    wrong = _ask(desk, short, ZdoCluster.NODE_DESCRIPTOR, b"\x00\x00")
    assert wrong[0] == zdo.ZdoStatus.DEVICE_NOT_FOUND


@pytest.mark.parametrize(
    ("flags", "answered", "heard"), [(0, True, False), (1, True, True), (4, False, True)]
)
def test_the_host_says_whether_it_wants_to_hear_and_to_answer_requests(
    flags: int, answered: bool, heard: bool
) -> None:
    desk, bridge = joined(a_plan())
    desk.ask(
        Frame.SET_CONFIGURATION_VALUE, ConfigSetting(int(ConfigId.APPLICATION_ZDO_FLAGS), flags)
    )
    member = bridge.members[0]
    before = len(desk.callbacks)
    stack = member._stack
    assert stack is not None
    stack.hub_endpoint = 77
    asked = stack.find_hub((0x000A,))
    assert isinstance(asked, DataFrame)
    member.uplink.append(asked)
    desk.wait(100)
    assert (stack.hub_endpoint == CHF_ENDPOINT) == answered
    assert (len(desk.callbacks) > before) == heard


@pytest.mark.parametrize(
    "cluster", [int(one) for one in ZdoCluster if one not in {0x1F, 0x21, 0x22}]
)
def test_a_request_that_is_too_short_is_refused(cluster: int) -> None:
    with pytest.raises(MalformedFrameError):
        zdo.decode_request(cluster, b"\x01")
