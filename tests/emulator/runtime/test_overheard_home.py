"""What is heard beside a dongle that is the hub's radio: all of a home's joining, deciphered."""

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import JoinBits, PolicyId
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import Endpoint, PolicySetting
from emulator.codecs.ezsp.values_network import PermitJoining
from emulator.codecs.zcl import ota, time, tunneling
from emulator.core.chance import Stream
from emulator.core.effects import Note
from emulator.ncp.air_reading import AirReader
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity
from emulator.ncp.overheard import OverheardAir
from emulator.ncp.radio_bridge import HomeClock, RadioBridge
from emulator.ncp.radio_frames import (
    AssociationRequest,
    AssociationResponse,
    DataFrame,
    HeardPacket,
    TransportKey,
)
from emulator.runtime.dongle_home import home_of
from emulator.runtime.installation import build
from tests.emulator.ncp.home_given import import_key
from tests.emulator.ncp.ncp_given import FORM, SECURITY, Desk
from tests.emulator.runtime.hub_home_given import SEED, START, a_plan


def _unheard(_who: str, note: Note) -> None:
    assert note.kind


def test_every_packet_of_four_joins_is_read_by_who_has_the_install_codes() -> None:
    home = home_of(build(a_plan()), SEED, well_known=False)
    packets: list[HeardPacket] = []
    bridge = RadioBridge(home.plans, HomeClock(START), _unheard)
    air = OverheardAir(bridge, lambda packet, _now: packets.append(packet), bridge.eui64_of)
    dongle = Dongle(Ncp(Identity(home.hub, 13), air, Stream(SEED, "dongle")))
    dongle.power_on(0)
    desk = Desk(dongle).connect()
    lists = ClusterLists((time.CLUSTER, ota.CLUSTER, tunneling.CLUSTER), ())
    desk.ask(Frame.ADD_ENDPOINT, Endpoint(123, 0x0109, 0x0500, 0, lists))
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY)
    desk.ask(Frame.FORM_NETWORK, FORM)
    decision = int(JoinBits.ALLOW_JOINS | JoinBits.JOINS_USE_INSTALL_CODE_KEY)
    desk.ask(Frame.SET_POLICY, PolicySetting(int(PolicyId.TRUST_CENTER_POLICY), decision))
    for eui64, code in home.codes.items():
        assert import_key(desk, eui64, code.link_key()) is Status.OK
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(60))
    desk.wait(3_000)
    assert all(member.short is not None for member in bridge.members)
    reader = AirReader([], [code.link_key() for code in home.codes.values()])
    told = [reader.read(packet.octets) for packet in packets]
    assert {read.why for read in told} == {""}
    kinds = [type(read.frame) for read in told if read.frame is not None]
    joins = (AssociationRequest, AssociationResponse, TransportKey)
    assert [kinds.count(kind) for kind in joins] == [len(home.plans)] * len(joins)
    assert DataFrame in kinds
