"""A home around the dongle: plain meters that join."""

from collections.abc import Sequence
from typing import Any

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import PolicyId
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import Endpoint, PolicySetting, StatusOnly
from emulator.codecs.ezsp.values_network import PermitJoining
from emulator.codecs.ezsp.values_security import TransientKey
from emulator.codecs.zcl import basic, metering
from emulator.codecs.zigbee.aps import PROFILE_SMART_ENERGY
from emulator.codecs.zigbee.zdo import Capability, SimpleDescriptor
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, Payload, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity
from emulator.ncp.member_plan import Application, MemberPlan, Stage
from emulator.ncp.plain_meter import PlainMeter
from emulator.ncp.radio_bridge import HomeClock, RadioBridge
from emulator.ncp.trust_centre import ANYBODY
from tests.emulator.ncp.ncp_given import DONGLE, FORM, SECURITY, Desk

METER = Eui64.parse("90-B3-D5-1F-00-00-00-11")
SLEEPER = Eui64.parse("90-B3-D5-1F-00-00-00-12")
START = UtcMs(1_800_000_000_000)
MAINS = Capability.FULL_FUNCTION | Capability.MAINS_POWER | Capability.RECEIVER_ON_WHEN_IDLE
BATTERY = Capability.ALLOCATE_ADDRESS
CHF_ENDPOINT = 123
#: The meters' endpoint, which is not the CHF's.
ENDPOINT = 7


def a_plan(
    eui64: Eui64 = METER,
    *,
    key: bytes = WELL_KNOWN_LINK_KEY,
    capability: int = int(MAINS),
    application: Application | None = None,
    asks_key: bool = False,
) -> MemberPlan:
    """Return a node with a plain meter behind it."""
    clusters = (basic.CLUSTER, metering.CLUSTER)
    return MemberPlan(
        eui64,
        f"meter-{eui64.hex[-2:]}",
        application or PlainMeter(),
        key,
        SimpleDescriptor(ENDPOINT, PROFILE_SMART_ENERGY, 0x0501, 0, clusters, (0x0A,)),
        capability,
        DONGLE,
        asks_key=asks_key,
    )


class Talker:
    """An application that keeps what it hears and answers every frame with the same octets."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.heard: list[ZclIndication] = []
        self.events: list[DeviceEvent] = []
        self.answer = answer

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        assert now >= START
        self.events.append(event)
        if not isinstance(payload, ZclIndication):
            return []
        self.heard.append(payload)
        if self.answer is None:
            return []
        return [SendZcl(payload.source, payload.cluster, self.answer)]

    def dump(self) -> dict[str, Any]:
        return {}

    def load(self, state: Any) -> None:
        assert state == {}
        self.heard.clear()


def joined(
    *plans: MemberPlan, version: int = 13, policies: Sequence[int] = (0x03,)
) -> tuple[Desk, RadioBridge]:
    """Return a host whose network these nodes have joined under the well-known key."""
    dongle, bridge = a_home(*plans, version=version)
    desk = on_network(dongle)
    for decision in policies:
        desk.ask(Frame.SET_POLICY, PolicySetting(int(PolicyId.TRUST_CENTER_POLICY), decision))
    import_key(desk, ANYBODY, WELL_KNOWN_LINK_KEY)
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(60))
    desk.wait(1_000)
    assert all(member.stage is Stage.IN for member in bridge.members)
    desk.callbacks.clear()
    return desk, bridge


def on_network(dongle: Dongle) -> Desk:
    """Return a host that has formed a network, with the CHF's endpoint on it."""
    desk = Desk(dongle).connect()
    chf = Endpoint(CHF_ENDPOINT, PROFILE_SMART_ENERGY, 0x0500, 0, ClusterLists((0x0A,), (0x0702,)))
    assert desk.ask(Frame.ADD_ENDPOINT, chf) == StatusOnly()
    assert desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY) == StatusOnly()
    assert desk.ask(Frame.FORM_NETWORK, FORM) == StatusOnly()
    desk.callbacks.clear()
    return desk


def import_key(desk: Desk, eui64: Eui64, key: bytes) -> Status:
    """Import a transient key in the way of the dongle's version; return the status."""
    old = desk.dongle.ncp.state.identity.ezsp < 13
    name = Frame.ADD_TRANSIENT_LINK_KEY if old else Frame.IMPORT_TRANSIENT_KEY
    status: Status = desk.ask(name, TransientKey(eui64, key)).status
    return status


def told(desk: Desk, name: Frame) -> list[Any]:
    """Return the callbacks of one name so far."""
    return [frame.values for frame in desk.callbacks if frame.name is name]


def a_home(
    *plans: MemberPlan, version: int = 13, notes: list[tuple[str, Note]] | None = None
) -> tuple[Dongle, RadioBridge]:
    """Return a dongle beside these nodes, switched on, and the air between them."""
    kept = [] if notes is None else notes
    bridge = bridge_of(plans, kept)
    dongle = Dongle(Ncp(Identity(DONGLE, version), bridge, Stream(1, "dongle")))
    dongle.power_on(0)
    return dongle, bridge


def bridge_of(plans: Sequence[MemberPlan], notes: list[tuple[str, Note]]) -> RadioBridge:
    """Return the air with these nodes on it."""
    return RadioBridge(plans, HomeClock(START), lambda name, note: notes.append((name, note)))
