"""A host that is a hub: it takes part in key establishment and stores what it agrees on."""

from dataclasses import dataclass, field

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import ApsOption, JoinBits, OutgoingType, PolicyId
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values import Endpoint, PolicySetting
from emulator.codecs.ezsp.values_messages import IncomingMessage, SendUnicast
from emulator.codecs.ezsp.values_network import PermitJoining
from emulator.codecs.zcl import foundation, key_establishment, ota, time, tunneling
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import AttributeReading, ReadAttributes, ReadAttributesResponse
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto import test_certificates
from emulator.crypto.cbke import SoftwareEngine
from emulator.devices.key_establishment import KeyEstablishment
from emulator.ncp import agreed_keys
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity
from emulator.ncp.member import Member
from emulator.ncp.radio_bridge import HomeClock, RadioBridge
from emulator.runtime.dongle_home import Home
from tests.emulator.ncp.home_given import START, import_key
from tests.emulator.ncp.ncp_given import FORM, SECURITY, Desk

CHF_ENDPOINT = 123
GPF_ENDPOINT = 124
SEED = 1
SEQUENCE = 0x21
BOTH = (KeySuite.CBKE_283, KeySuite.CBKE_163)


@dataclass
class HubHost:
    """A host without I/O that forms a network and answers key establishments.

    Attributes:
        desk: Its end of the line.
        eui64: The dongle's.
        suites: Suites it has certificates of.
        notes: What its key establishment says.
        heard: Messages of nodes on the other clusters.
    """

    desk: Desk
    eui64: Eui64
    suites: tuple[KeySuite, ...] = BOTH
    notes: list[Note] = field(default_factory=list)
    heard: list[IncomingMessage] = field(default_factory=list)
    _timers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        engines = {
            suite: SoftwareEngine(
                test_certificates.credentials_of(SEED, suite, self.eui64), Stream(9, "hub")
            )
            for suite in self.suites
        }
        self.keys = KeyEstablishment(
            self.eui64, engines, admit=lambda _device: None, next_sequence=lambda: 1
        )

    # -- time ----------------------------------------------------------------------------------

    def wait(self, ms: int) -> None:
        """Let time pass, and do what a hub does meanwhile."""
        end = self.desk.now + ms
        while self.desk.now < end:
            self.desk.wait(10)
            self._listen()
            for name in [name for name, at in self._timers.items() if at <= self.desk.now]:
                del self._timers[name]
                self._perform(self.keys.on_timer(name, UtcMs(self.desk.now)))

    def permit(self, seconds: int = 60) -> None:
        """Open joining."""
        self.desk.ask(Frame.PERMIT_JOINING, PermitJoining(seconds))

    def _listen(self) -> None:
        callbacks, self.desk.callbacks = self.desk.callbacks, []
        for told in callbacks:
            message = told.values
            if told.name is not Frame.INCOMING_MESSAGE_HANDLER or message.aps.profile != 0x0109:
                continue
            if message.aps.cluster != key_establishment.CLUSTER:
                self.heard.append(message)
                continue
            sender = self.eui64_of(message.sender)
            indication = ZclIndication(sender, self.eui64, message.aps.cluster, message.message)
            frame = zcl_frame.decode(message.message)
            if not frame.cluster_specific:
                self.heard.append(message)
                continue
            self._perform(self.keys.on_frame(indication, frame, UtcMs(self.desk.now)))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SendZcl):
                self.send(effect.to, effect.cluster, effect.frame)
            elif isinstance(effect, SetTimer):
                self._timers[effect.name] = effect.at
            elif isinstance(effect, CancelTimer):
                self._timers.pop(effect.name, None)
            elif isinstance(effect, Note):
                self.notes.append(effect)
                if effect.kind == "key_established":
                    self._store(Eui64.parse(str(dict(effect.fields)["partner"])))

    def _store(self, partner: Eui64) -> None:
        state = self.desk.dongle.ncp.state
        assert agreed_keys.keep_link_key(state, partner, self.keys.link_keys[partner])

    # -- frames --------------------------------------------------------------------------------

    def eui64_of(self, short: int) -> Eui64:
        """Return who has a short address."""
        node = self.desk.dongle.ncp.state.nv.by_short(short)
        assert node is not None
        return node.eui64

    def send(
        self,
        to: Eui64,
        cluster: int,
        frame: bytes,
        *,
        sealed: bool = False,
        source: int = CHF_ENDPOINT,
    ) -> None:
        """Send a frame to a node, acknowledged."""
        options = int(ApsOption.RETRY) | (int(ApsOption.ENCRYPTION) if sealed else 0)
        aps = ApsFrame(0x0109, cluster, source, 1, options)
        short = self.desk.dongle.ncp.state.nv.nodes[to].short
        wanted = SendUnicast(int(OutgoingType.DIRECT), short, aps, 1, frame)
        self.desk.ask(Frame.SEND_UNICAST, wanted)

    def read(
        self, eui64: Eui64, cluster: int, *attributes: int, sealed: bool, wait_ms: int = 200
    ) -> tuple[AttributeReading, ...] | None:
        """Read attributes; None: no answer came, or one that was not secured as the question."""
        frame = foundation.encode(ReadAttributes(attributes), SEQUENCE, server_to_client=False)
        self.heard.clear()
        self.send(eui64, cluster, frame, sealed=sealed)
        self.wait(wait_ms)
        for message in self.heard:
            heard = zcl_frame.decode(message.message)
            if message.aps.cluster != cluster or heard.sequence != SEQUENCE:
                continue
            answer = None if heard.cluster_specific else foundation.decode(heard)
            if isinstance(answer, ReadAttributesResponse):
                is_sealed = bool(message.aps.options & ApsOption.ENCRYPTION)
                return answer.readings if is_sealed is sealed else None
        return None


@dataclass
class Around:
    """A hub, its dongle's air, and what the nodes noted."""

    hub: HubHost
    bridge: RadioBridge
    notes: list[tuple[str, Note]]

    def member(self, role: str) -> Member:
        """Return the first node of a role."""
        return next(one for one in self.bridge.members if one.plan.name.startswith(role))

    def agree(self, further_ms: int = 1_000) -> "Around":
        """Let every node join and agree on a key, and a little time pass behind that."""
        self.hub.permit()
        for _ in range(200):
            if all(member.keys.agreed for member in self.bridge.members):
                break
            self.hub.wait(100)
        self.hub.wait(further_ms)
        return self

    def noted(self, kind: str, role: str = "") -> list[dict[str, object]]:
        """Return the fields of what nodes noted."""
        return [
            dict(note.fields)
            for who, note in self.notes
            if note.kind == kind and who.startswith(role)
        ]


def hub_beside(
    home: Home, *, suites: tuple[KeySuite, ...] = BOTH, factor: float = 1.0, codes: bool = True
) -> Around:
    """Return a hub that has formed its network and knows the install codes of a home."""
    notes: list[tuple[str, Note]] = []
    clock = HomeClock(START, 0, factor)
    bridge = RadioBridge(home.plans, clock, lambda who, note: notes.append((who, note)))
    dongle = Dongle(Ncp(Identity(home.hub, 13), bridge, Stream(1, "dongle")))
    dongle.power_on(0)
    desk = Desk(dongle).connect()
    served = (time.CLUSTER, ota.CLUSTER, tunneling.CLUSTER, key_establishment.CLUSTER)
    lists = ClusterLists(served, ())
    desk.ask(Frame.ADD_ENDPOINT, Endpoint(CHF_ENDPOINT, 0x0109, 0x0500, 0, lists))
    desk.ask(Frame.ADD_ENDPOINT, Endpoint(GPF_ENDPOINT, 0x0109, 0x0501, 0, ClusterLists((), ())))
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY)
    desk.ask(Frame.FORM_NETWORK, FORM)
    decision = int(JoinBits.ALLOW_JOINS | JoinBits.JOINS_USE_INSTALL_CODE_KEY)
    desk.ask(Frame.SET_POLICY, PolicySetting(int(PolicyId.TRUST_CENTER_POLICY), decision))
    if codes:
        for eui64, code in home.codes.items():
            import_key(desk, eui64, code.link_key())
    return Around(HubHost(desk, home.hub, suites), bridge, notes)
