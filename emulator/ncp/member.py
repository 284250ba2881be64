"""An emulated node beside the NCP: joins, stays, and lets its application talk to the hub."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zcl import tunneling
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CancelTimer,
    DeviceEvent,
    Effect,
    Note,
    Payload,
    Radio,
    SendGbcs,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.ids import Eui64
from emulator.han.outputs import CancelFrame, Hand, SendFrame, Settled, StartTimer, StopTimer
from emulator.ncp.member_plan import Clock, Log, MemberPlan, Stage
from emulator.ncp.member_stack import AskedToLeave, Heard, MemberStack
from emulator.ncp.radio_frames import (
    LINK_KEY,
    NETWORK_KEY,
    Announcement,
    AssociationRequest,
    AssociationResponse,
    DataFrame,
    FromNode,
    LeaveOrder,
    Left,
    Poll,
    RequestKey,
    ToNode,
    TransportKey,
    VerifyKey,
)
from emulator.ncp.timers import Timers

#: Until a node that has asked for the network key gives up. Source: invented.
KEY_WAIT_MS: Final = 3_000
#: Pause before it tries again while joining is permitted. Source: invented.
RETRY_MS: Final = 2_000
#: Attempts in one window of permission. Source: invented.
ATTEMPTS: Final = 5
#: How long a sleepy node stays awake after it has joined.
AWAKE_MS: Final = 75_000
#: How often a sleepy node asks its parent while it is awake. Source: invented.
POLL_MS: Final = 100
#: From the network key to the first word of the application, in which the hub's endpoint is
#: looked for. Source: invented.
BEGIN_MS: Final = 250
_JOIN, _AIR, _DEVICE, _TUNNEL, _POLL = "join", "air", "device", "tunnel", "poll"


class Member:
    """One node; its frames to the hub gather in ``uplink``.

    Attributes:
        plan: What it is.
        stage: Where it stands with the network.
        uplink: Frames for the NCP, in order.
        timers: When something of it is due.
        awake: Whether its receiver is on.
    """

    def __init__(self, plan: MemberPlan, clock: Clock, log: Log) -> None:
        """Make a node that has no network and no power."""
        self.plan = plan
        self.stage = Stage.OUT
        self.uplink: list[FromNode] = []
        self.timers = Timers()
        self.awake = True
        self._clock = clock
        self._log = log
        self._network: Announcement | None = None
        self._stack: MemberStack | None = None
        self._kept: tuple[Eui64, bytes] | None = None
        self._short = 0
        self._attempts = 0
        self._powered = False
        self._awake_until = 0

    @property
    def sleepy(self) -> bool:
        """Frames for it wait at its parent."""
        return not self.plan.capability & Capability.RECEIVER_ON_WHEN_IDLE

    @property
    def short(self) -> int | None:
        """Its short address while it is on the network."""
        return self._short if self.stage is Stage.IN else None

    # -- the network ---------------------------------------------------------------------------

    def see(self, network: Announcement | None, now: int) -> None:
        """See the hub's network, or that it is gone from the air."""
        opened = network is not None and network.permit
        self._network = network
        if network is None:
            self.timers.stop(_JOIN, "try")
            return
        if self._kept is not None and self._kept != (network.extended_pan_id, network.network_key):
            self._note("han_network_lost")
            self._leave(now)
        if self._kept is not None:
            self._return(now)
        elif opened and self.stage is Stage.OUT:
            self._attempts = 0
            self.timers.start(_JOIN, "try", now + self.plan.join_ms)

    def _return(self, now: int) -> None:
        """Be back on a network that was kept over a loss of power."""
        if self._powered or self._kept is None or self.stage is Stage.IN:
            return
        self._enter(self._kept[1], now)

    def _try(self, now: int) -> None:
        network = self._network
        if network is None or not network.permit or self._attempts >= ATTEMPTS:
            self.stage = Stage.OUT
            return
        self._attempts += 1
        self.stage = Stage.KEY_WAIT
        self.uplink.append(AssociationRequest(self.plan.eui64, self.plan.capability))
        self.timers.start(_JOIN, "key", now + KEY_WAIT_MS)

    def _fail(self, why: str, now: int) -> None:
        self._note("han_join_failed", ("why", why), ("attempt", self._attempts))
        self.stage = Stage.OUT
        self.timers.stop(_JOIN, "key")
        self.timers.start(_JOIN, "try", now + RETRY_MS)

    def _enter(self, network_key: bytes, now: int) -> None:
        """Be on the network: say so, and let the application begin."""
        plan, network = self.plan, self._network
        if network is None:
            return
        self.stage = Stage.IN
        self._kept = (network.extended_pan_id, network_key)
        self.timers.stop_kind(_JOIN)
        self._stack = MemberStack(
            plan.eui64,
            plan.capability,
            plan.endpoint,
            plan.manufacturer,
            self._short,
            network_key,
            plan.hub_endpoint,
        )
        self._awake_until = now + AWAKE_MS
        self.uplink.append(self._stack.announce())
        self._note("han_joined", ("short", f"{self._short:#06x}"))
        if plan.asks_key:
            self.uplink.append(RequestKey(self._short, plan.eui64))
        if self.sleepy:
            self.timers.start(_POLL, "poll", now + POLL_MS)
        if plan.endpoint.outputs:
            self.uplink.append(self._stack.find_hub(plan.endpoint.outputs))
        self.timers.start(_JOIN, "begin", now + BEGIN_MS)

    def _leave(self, now: int) -> None:
        """Be on no network."""
        self.stage = Stage.OUT
        self._kept = self._stack = None
        for kind in (_JOIN, _AIR, _POLL):
            self.timers.stop_kind(kind)
        self._power(now, on=False)

    def _power(self, now: int, *, on: bool) -> None:
        """Let the application begin or end; it knows no life without its hub."""
        if on == self._powered:
            return
        self._powered = on
        tunnel = self.plan.tunnel
        if on and tunnel is not None:
            self._tunnel(tunnel.power_on(self._us(now)), now)
        event = DeviceEvent.POWER_ON if on else DeviceEvent.POWER_OFF
        effects = self.plan.application.handle(event, None, self._clock.utc(now))
        if on:
            self._perform(effects, now)
            return
        if tunnel is not None:
            tunnel.power_off()
        self.timers.stop_kind(_DEVICE)
        self.timers.stop_kind(_TUNNEL)

    # -- frames --------------------------------------------------------------------------------

    def hear(self, frame: ToNode, now: int) -> None:
        """Take a frame of the hub."""
        if isinstance(frame, DataFrame):
            if self._stack is not None:
                self._stacked(self._stack.receive(frame, now * 1000), now)
        elif isinstance(frame, AssociationResponse):
            self._associated(frame, now)
        elif isinstance(frame, TransportKey):
            self._key(frame, now)
        elif isinstance(frame, LeaveOrder):
            self._told_to_leave(now, rejoin=frame.rejoin)

    def _associated(self, frame: AssociationResponse, now: int) -> None:
        if self.stage is not Stage.KEY_WAIT:
            return
        if frame.status:
            reasons = {1: "no room", 2: "access denied"}
            self._fail(reasons.get(frame.status, "refused"), now)
        else:
            self._short = frame.short

    def _key(self, frame: TransportKey, now: int) -> None:
        if frame.sealed_under != self.plan.link_key:
            self._note("han_key_not_understood", ("in_clear", frame.sealed_under is None))
        elif frame.kind == NETWORK_KEY and self.stage is Stage.KEY_WAIT:
            self._enter(frame.key, now)
        elif frame.kind == LINK_KEY and self.stage is Stage.IN:
            self.uplink.append(VerifyKey(self._short, self.plan.eui64, frame.key))

    def _told_to_leave(self, now: int, *, rejoin: bool) -> None:
        if self.stage is Stage.KEY_WAIT:
            self._fail("turned away", now)
        elif self.stage is Stage.IN:
            self.uplink.append(Left(self._short, self.plan.eui64, rejoin))
            self._note("han_left")
            if not rejoin:
                self._leave(now)

    def _stacked(self, outputs: list[Any], now: int) -> None:
        """Do what the stack asks for, in order."""
        for out in outputs:
            if isinstance(out, DataFrame):
                self.uplink.append(out)
            elif isinstance(out, Heard):
                self._arrived(out, now)
            elif isinstance(out, StartTimer):
                self.timers.start(_AIR, out.name, -(-out.due_us // 1000))
            elif isinstance(out, StopTimer):
                self.timers.stop(_AIR, out.name)
            elif isinstance(out, Settled):
                if self.plan.tunnel is not None:
                    self._tunnel(self.plan.tunnel.settled(out, self._us(now)), now)
            elif isinstance(out, AskedToLeave):
                self._told_to_leave(now, rejoin=out.rejoin)
            else:
                self._log(self.plan.name, out)

    def _arrived(self, heard: Heard, now: int) -> None:
        plan, source = self.plan, self.plan.hub
        if plan.gpf is not None and heard.endpoint == plan.gpf[1]:
            source = plan.gpf[0]
        told = ZclIndication(source, plan.eui64, heard.cluster, heard.frame)
        if heard.cluster == tunneling.CLUSTER and plan.tunnel is not None:
            self._tunnel(plan.tunnel.arrived(told, self._us(now)), now)
        else:
            self._event(DeviceEvent.ZCL, told, now)

    # -- the application -----------------------------------------------------------------------

    def _event(self, event: DeviceEvent, payload: Payload, now: int) -> None:
        if not self._powered and self.stage is Stage.IN:
            self.timers.stop(_JOIN, "begin")
            self._power(now, on=True)
        if self._powered:
            effects = self.plan.application.handle(event, payload, self._clock.utc(now))
            self._perform(effects, now)

    def _perform(self, effects: list[Effect], now: int) -> None:
        for effect in effects:
            if isinstance(effect, SendZcl):
                self._send(effect, now)
            elif isinstance(effect, SendGbcs):
                if self.plan.tunnel is not None:
                    self._tunnel(self.plan.tunnel.submit(effect.message), now)
            elif isinstance(effect, SetTimer):
                at = max(now, self._clock.ncp_ms(effect.at))
                self.timers.start(_DEVICE, effect.name, at)
            elif isinstance(effect, CancelTimer):
                self.timers.stop(_DEVICE, effect.name)
            elif isinstance(effect, Radio):
                self._switch_radio(now, awake=effect.awake)
            elif isinstance(effect, Note):
                self._log(self.plan.name, effect)
            else:
                self._note("effect_without_place", ("effect", type(effect).__name__))

    def _send(self, order: SendZcl, now: int, handle: int = 0) -> None:
        stack = self._stack
        if stack is None:
            return
        gpf = self.plan.gpf
        endpoint = gpf[1] if gpf is not None and order.to == gpf[0] else 0
        self._stacked(stack.send(order.cluster, order.frame, now * 1000, endpoint, handle), now)

    def _tunnel(self, outputs: Any, now: int) -> None:
        """Do what the tunnel asks for, in order; its time is the devices'."""
        for out in outputs:
            if isinstance(out, SendFrame):
                self._send(SendZcl(out.to, tunneling.CLUSTER, out.frame), now, out.handle)
            elif isinstance(out, CancelFrame):
                if self._stack is not None:
                    self._stacked(self._stack.cancel(out.handle, now * 1000), now)
            elif isinstance(out, Hand):
                self._event(DeviceEvent.GBCS, out.message, now)
            elif isinstance(out, StartTimer):
                at = self._clock.ncp_ms(UtcMs(-(-out.due_us // 1000)))
                self.timers.start(_TUNNEL, out.name, max(now, at))
            elif isinstance(out, StopTimer):
                self.timers.stop(_TUNNEL, out.name)
            else:
                self._log(self.plan.name, out)

    def _switch_radio(self, now: int, *, awake: bool) -> None:
        """Follow the application's wish; a node that has just joined stays awake for a while."""
        if not self.sleepy:
            return
        if awake or now >= self._awake_until:
            self._set_awake(now, awake=awake)
        else:
            self.timers.start(_POLL, "sleep", self._awake_until)

    def _set_awake(self, now: int, *, awake: bool) -> None:
        if awake == self.awake:
            return
        self.awake = awake
        if awake:
            self.timers.stop(_POLL, "sleep")
            self.timers.start(_POLL, "poll", now)
        else:
            self.timers.stop(_POLL, "poll")
        if self.plan.tunnel is not None:
            outputs = self.plan.tunnel.radio(awake=awake, now_us=self._us(now))
            self._tunnel(outputs, now)

    # -- time ----------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Do what is due."""
        for kind, name in self.timers.take(now):
            if kind == _JOIN:
                self._on_join_timer(name, now)
            elif kind == _POLL:
                self._on_poll_timer(name, now)
            elif kind == _AIR and self._stack is not None:
                self._stacked(self._stack.expire(name, now * 1000), now)
            elif kind == _DEVICE:
                self._event(DeviceEvent.TIMER, name, now)
            elif kind == _TUNNEL and self.plan.tunnel is not None:
                self._tunnel(self.plan.tunnel.expire(name, self._us(now)), now)

    def _on_join_timer(self, name: str, now: int) -> None:
        if name == "begin":
            self._power(now, on=True)
        elif name == "try":
            self._try(now)
        else:
            self._fail("no key, or one that could not be read", now)

    def _on_poll_timer(self, name: str, now: int) -> None:
        if name == "sleep":
            self._set_awake(now, awake=False)
            return
        self.uplink.append(Poll(self._short))
        self.timers.start(_POLL, "poll", now + POLL_MS)

    def _us(self, now: int) -> int:
        """Return the devices' time in microseconds."""
        return self._clock.utc(now) * 1000

    def _note(self, kind: str, *fields: tuple[str, str | int | bool]) -> None:
        self._log(self.plan.name, Note(kind, fields))

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power, as JSON-able data; keys are in the clear."""
        kept = None
        if self._kept is not None:
            kept = {"extended_pan_id": self._kept[0].hex, "network_key": self._kept[1].hex()}
        return {
            "short": self._short,
            "network": kept,
            "powered": self._powered,
            "application": self.plan.application.dump(),
        }

    def load(self, state: Mapping[str, Any], now: int) -> None:
        """Take over a ``dump``: the node stands as if its power had been off."""
        self.plan.application.load(state["application"])
        self._short = state["short"]
        kept = state["network"]
        self._kept = None
        if kept is not None:
            key = bytes.fromhex(kept["network_key"])
            self._kept = (Eui64.parse(kept["extended_pan_id"]), key)
        if state["powered"]:
            self._powered = True
            self._power(now, on=False)
