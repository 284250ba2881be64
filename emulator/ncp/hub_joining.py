"""Who joins an emulated hub in the air: permission, device log, keys, and the way down to nodes."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from emulator.codecs.zigbee.zdo import Capability
from emulator.core.chance import Stream
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.ncp.hub_keys import HubKeys, HubSecurity
from emulator.ncp.hub_node import HomeNode
from emulator.ncp.radio_frames import (
    LINK_KEY,
    NETWORK_KEY,
    NO_SHORT,
    Announcement,
    AssociationRequest,
    AssociationResponse,
    ConfirmKey,
    LeaveOrder,
    Left,
    Poll,
    RequestKey,
    ToNode,
    TransportKey,
    VerifyKey,
)
from emulator.ncp.timers import Timers

#: Until a node that was sent the network key must have spoken. Source: invented.
KEY_WAIT_MS: Final = 10_000
#: How long a frame waits for a sleeping child. Source: reference zigbee-dongle.md section 2.6.
INDIRECT_MS: Final = 7_680
#: Frames that wait for one sleeping child. Source: invented.
MAX_WAITING: Final = 16
#: Notes that whoever serves the hub acts upon.
JOINED: Final = "han_joined"
LEFT: Final = "han_left"
_SHORT_LIMIT: Final = 0xFFF8
_ALLOWED, _DENIED = 0, 2
#: Status of a Confirm Key with a wrong proof. Source: known (Zigbee, SECURITY_FAIL).
_WRONG_PROOF: Final = 0xAD
_JOIN, _PERMIT, _WAITING = "join", "permit", "waiting"


@dataclass(frozen=True, slots=True)
class HubRadio:
    """A hub in the air.

    Attributes:
        eui64: EUI-64 of the CHF; also its network's extended PAN identifier.
        pan_id: Short form.
        channel: 11 to 26.
        network_key: Key of the network.
        security: Its device log, certificates and rule.
        nodes: Its own radio (short address 0) and those of the home's other devices.
        endpoints: Where a joining device's application is expected before it has spoken.
        chance: Where short addresses and keys come from.
    """

    eui64: Eui64
    pan_id: int
    channel: int
    network_key: bytes = field(repr=False)
    security: HubSecurity
    nodes: Sequence[HomeNode]
    endpoints: Mapping[Eui64, int]
    chance: Stream = field(repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """A node that has joined the hub, or is about to.

    Attributes:
        eui64: The node.
        short: Its short address.
        capability: `zdo.Capability`.
        endpoint: Where its application is.
        keys_endpoint: Where it agrees on keys.
        authenticated: It has shown that it has the network key.
    """

    eui64: Eui64
    short: int
    capability: int
    endpoint: int
    keys_endpoint: int
    authenticated: bool = False

    @property
    def sleepy(self) -> bool:
        """Frames wait for it until it asks."""
        return not self.capability & Capability.RECEIVER_ON_WHEN_IDLE


Tell = Callable[[Note], None]


class HubDoor:
    """The hub as coordinator and trust centre.

    Attributes:
        plan: What the hub is.
        downlink: Frames that go out now, in order.
        timers: When something of it is due, in milliseconds.
        permits: Whether nodes may join.
        joined: Nodes by EUI-64.
        keys: Its link keys.
    """

    def __init__(self, plan: HubRadio, tell: Tell) -> None:
        """Take what the hub is, and who is told of what it notes."""
        self.plan = plan
        self.downlink: list[ToNode] = []
        self.timers = Timers()
        self.permits = self._ends = False
        self.joined: dict[Eui64, Joined] = {}
        self.keys = HubKeys(plan.eui64, plan.security, lambda eui64: eui64 in self.joined)
        self._tell = tell
        self._taken = {node.short for node in plan.nodes}
        self._waiting: dict[Eui64, deque[tuple[int, ToNode]]] = {}
        self._waited = 0

    @property
    def network(self) -> Announcement:
        """The network as its beacons show it."""
        plan = self.plan
        return Announcement(
            plan.eui64, plan.pan_id, plan.channel, self.permits, plan.eui64, plan.network_key
        )

    @property
    def permits_for_good(self) -> bool:
        """Whether joining is permitted until told otherwise."""
        return self.permits and not self._ends

    def permit(self, seconds: int | None, now: int) -> None:
        """Let nodes join for a while; 0: no more, None: until told otherwise."""
        self.timers.stop(_PERMIT, "end")
        self.permits, self._ends = seconds != 0, bool(seconds)
        self._note("han_permit", ("open", self.permits), ("seconds", seconds))
        if seconds:
            self.timers.start(_PERMIT, "end", now + 1000 * seconds)

    # -- frames of nodes -----------------------------------------------------------------------

    def enter(self, frame: AssociationRequest, now: int) -> bool:
        """Take a request to join or to come back; False: it was made elsewhere."""
        plan = self.plan
        if frame.channel not in {None, plan.channel} or frame.pan_id not in {None, plan.pan_id}:
            return False
        known = self.joined.get(frame.eui64)
        if frame.short != NO_SHORT:
            self._rejoin(frame, known, now)
        elif not self.permits:
            self._refuse(frame.eui64, "joining is not permitted")
        else:
            self._let_in(frame, now)
        return True

    def _refuse(self, eui64: Eui64, why: str) -> None:
        self._note("han_join_refused", ("device", str(eui64)), ("why", why))
        self.downlink.append(AssociationResponse(eui64, NO_SHORT, _DENIED))

    def _let_in(self, asked: AssociationRequest, now: int) -> None:
        eui64 = asked.eui64
        self._forget(eui64, "han_joins_again")
        endpoint = self.plan.endpoints.get(eui64, 1)
        node = Joined(eui64, self._draw_short(), asked.capability, endpoint, endpoint)
        self.joined[eui64] = node
        self.downlink.append(AssociationResponse(eui64, node.short, _ALLOWED))
        key = self.keys.joining(eui64)
        if key is None:
            self._note("han_join_refused", ("device", str(eui64)), ("why", "not in the device log"))
            self.downlink.append(LeaveOrder(eui64))
            del self.joined[eui64]
            return
        self._send_network_key(node, key, now)

    def _send_network_key(self, node: Joined, key: bytes | None, now: int) -> None:
        plan = self.plan
        frame = TransportKey(node.eui64, plan.network_key, NETWORK_KEY, 0, plan.eui64, key)
        self.timers.start(_JOIN, node.eui64.hex, now + KEY_WAIT_MS)
        self._down(node, frame, now)

    def _rejoin(self, asked: AssociationRequest, known: Joined | None, now: int) -> None:
        secured = asked.network_key is not None
        if known is None or (secured and asked.network_key != self.plan.network_key):
            self._refuse(asked.eui64, "it is not known here, or has another network key")
            return
        whole = known.authenticated and secured
        node = replace(known, capability=asked.capability, authenticated=whole)
        self.joined[node.eui64] = node
        self._note("han_rejoined", ("device", str(node.eui64)), ("secured", secured))
        self.downlink.append(AssociationResponse(node.eui64, node.short, _ALLOWED))
        if not secured:
            self._send_network_key(node, self.keys.current(node.eui64), now)

    def _draw_short(self) -> int:
        taken = {*self._taken, *(node.short for node in self.joined.values())}
        while True:
            short = 1 + self.plan.chance.below(_SHORT_LIMIT - 1)
            if short not in taken:
                return short

    def request(self, asked: RequestKey, now: int) -> None:
        """Send a node a link key of its own, under the one it joined with."""
        node, key = self.joined.get(asked.eui64), self.keys.current(asked.eui64)
        if node is not None and key is not None:
            center = self.plan.eui64
            self._down(node, TransportKey(asked.eui64, key, LINK_KEY, 0, center, key), now)

    def verify(self, asked: VerifyKey, now: int) -> None:
        """Compare the key a node holds with the one it was sent."""
        node = self.joined.get(asked.eui64)
        if node is not None:
            right = asked.key == self.keys.current(asked.eui64)
            if right:
                self.keys.verified(asked.eui64, asked.key)
            self._down(node, ConfirmKey(asked.eui64, 0 if right else _WRONG_PROOF), now)

    def poll(self, frame: Poll) -> None:
        """Send a sleeping node what waits for it."""
        node = self._by_short(frame.source)
        if node is not None:
            for number, waiting in self._waiting.pop(node.eui64, ()):
                self.timers.stop(_WAITING, f"{node.eui64.hex}/{number}")
                self.downlink.append(waiting)

    def _by_short(self, short: int) -> Joined | None:
        return next((node for node in self.joined.values() if node.short == short), None)

    def spoken(self, node: Joined) -> Joined:
        """A node has shown that it has the network key."""
        self.timers.stop(_JOIN, node.eui64.hex)
        node = replace(node, authenticated=True)
        self.joined[node.eui64] = node
        self._note(JOINED, ("device", str(node.eui64)), ("short", f"{node.short:#06x}"))
        return node

    def left(self, frame: Left) -> None:
        """A node says that it goes."""
        self._forget(frame.eui64, LEFT)

    def _forget(self, eui64: Eui64, kind: str) -> None:
        self.keys.forget(eui64)
        self._waiting.pop(eui64, None)
        self.timers.stop(_JOIN, eui64.hex)
        if self.joined.pop(eui64, None) is not None:
            self._note(kind, ("device", str(eui64)))

    # -- the way down --------------------------------------------------------------------------

    def _down(self, node: Joined, frame: ToNode, now: int) -> None:
        """Send a frame now, or keep it until a sleeping node asks."""
        if not node.sleepy:
            self.downlink.append(frame)
            return
        queue = self._waiting.setdefault(node.eui64, deque(maxlen=MAX_WAITING))
        self._waited += 1
        queue.append((self._waited, frame))
        self.timers.start(_WAITING, f"{node.eui64.hex}/{self._waited}", now + INDIRECT_MS)

    # -- time ----------------------------------------------------------------------------------

    def due(self, kind: str, name: str, now: int) -> None:
        """Do what one of this part's timers demands."""
        if kind == _PERMIT:
            self.permit(0, now)
        elif kind == _JOIN:
            self._forget(Eui64.parse(name), "han_join_given_up")
        elif kind == _WAITING:
            self._expire(name)

    def _expire(self, name: str) -> None:
        eui64, _, number = name.partition("/")
        queue = self._waiting.get(Eui64.parse(eui64), deque())
        for waiting in list(queue):
            if waiting[0] == int(number):
                queue.remove(waiting)

    def _note(self, kind: str, *fields: tuple[str, str | int | bool | None]) -> None:
        self._tell(Note(kind, fields))
