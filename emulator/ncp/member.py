"""An emulated node beside the NCP: joins, agrees on a key, and lets its application talk."""

from collections.abc import Mapping
from typing import Any

from emulator.codecs.zcl import key_establishment
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.ids import Eui64
from emulator.han.outputs import Settled, StartTimer, StopTimer
from emulator.ncp import member_keys
from emulator.ncp.member_application import DEVICE, TUNNEL, MemberApplication
from emulator.ncp.member_habits import (
    ATTEMPTS,
    AWAKE_MS,
    BEGIN_MS,
    KEY_WAIT_MS,
    LEAST_POLL_MS,
    LINGER_MS,
    NO_KEY,
    NOT_PERMITTED,
    POLL_MS,
    REFUSED,
    RETRY_MS,
    WRONG_KEY,
)
from emulator.ncp.member_keys import MemberKeys
from emulator.ncp.member_plan import Clock, Directory, Log, MemberPlan, Stage
from emulator.ncp.member_stack import HUB, AskedToLeave, Heard, MemberStack, new_sender
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

_JOIN, _AIR, _POLL, _KEYS = "join", "air", "poll", "keys"


class Member:
    """One node; its frames gather in ``uplink``.

    Attributes:
        plan: What it is.
        stage: Where it stands with the network.
        uplink: Frames for the NCP (or for another node), in order.
        timers: When something of it is due.
        awake: Whether its receiver is on.
        keys: Its link key.
    """

    def __init__(self, plan: MemberPlan, clock: Clock, log: Log, directory: Directory) -> None:
        """Make a node that has no network and no power."""
        self.plan = plan
        self.stage = Stage.OUT
        self.uplink: list[FromNode] = []
        self.timers = Timers()
        self.awake = True
        self.keys = MemberKeys(plan)
        self._application = MemberApplication(plan, clock, log, self.timers, self)
        self._clock = clock
        self._log = log
        self._directory = directory
        self._network: Announcement | None = None
        self._stack: MemberStack | None = None
        self._kept: tuple[Eui64, bytes] | None = None
        self._sender = new_sender()
        self._short = 0
        self._attempts = 0
        self._why = NO_KEY
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
        if self._kept not in {None, (network.extended_pan_id, network.network_key)}:
            self._note("han_network_lost")
            self._leave(now)
        if self._kept is not None:
            self._return(now)
        elif opened and self.stage is Stage.OUT:
            self._attempts = 0
            self.timers.start(_JOIN, "try", now + self.plan.join_ms)

    def reset(self, now: int) -> None:
        """Lose network and keys without a word, as by a reset to what left the factory."""
        self._leave(now)
        self._note("factory_reset")
        self.see(self._network, now)

    def _return(self, now: int) -> None:
        """Be back on a network that was kept over a loss of power."""
        if self._application.powered or self._kept is None or self.stage is Stage.IN:
            return
        self._enter(self._kept[1], now)

    def _try(self, now: int) -> None:
        network = self._network
        self.stage = Stage.OUT
        if network is None or self._attempts >= ATTEMPTS:
            return
        if not network.permit:
            self._note("han_join_failed", ("why", NOT_PERMITTED), ("attempt", self._attempts))
            return
        self._attempts += 1
        self.stage, self._why = Stage.KEY_WAIT, NO_KEY
        self.uplink.append(AssociationRequest(self.plan.eui64, self.plan.capability))
        self.timers.start(_JOIN, "key", now + KEY_WAIT_MS)

    def _fail(self, why: str, now: int) -> None:
        self._note("han_join_failed", ("why", why), ("attempt", self._attempts))
        self.stage = Stage.OUT
        self.timers.stop(_JOIN, "key")
        self.timers.start(_JOIN, "try", now + RETRY_MS)

    def _enter(self, network_key: bytes, now: int) -> None:
        """Be on the network: say so, look for the hub's endpoints, and go on."""
        plan, network = self.plan, self._network
        if network is None:
            return
        self.stage = Stage.IN
        self._kept = (network.extended_pan_id, network_key)
        self.timers.stop_kind(_JOIN)
        stack = MemberStack.of(plan, self._short, network_key, self.keys, self._sender)
        self._stack = stack
        self._awake_until = now + AWAKE_MS
        self.uplink.append(stack.announce())
        self._note("han_joined", ("short", f"{self._short:#06x}"))
        if plan.asks_key:
            self.uplink.append(RequestKey(self._short, plan.eui64))
        if self.sleepy:
            self.timers.start(_POLL, "poll", now + POLL_MS)
        wanted = tuple(c for c in plan.endpoint.outputs if c != key_establishment.CLUSTER)
        if wanted:
            self.uplink.append(stack.find_hub(wanted))
        if plan.security is not None:
            self.uplink.append(stack.find_keys())
        if self.keys.due and plan.security is not None:
            self.timers.start(_JOIN, "agree", now + plan.security.agree_ms)
        else:
            self.timers.start(_JOIN, "begin", now + BEGIN_MS)

    def _leave(self, now: int) -> None:
        """Be on no network."""
        self._kept = None
        self.lose_power(now)
        self.keys.forget()

    def lose_power(self, now: int) -> None:
        """Be off; network and keys are kept, and ``see`` brings the node back."""
        self.stage, self._stack, self.awake = Stage.OUT, None, True
        self._sender.forget()
        for kind in (_JOIN, _AIR, _POLL, _KEYS):
            self.timers.stop_kind(kind)
        self._application.power(now, on=False)

    # -- the link key --------------------------------------------------------------------------

    def _agree(self, effects: list[Effect], now: int) -> None:
        """Do what the key establishment asks for, in order."""
        for effect in effects:
            if isinstance(effect, SendZcl):
                self.send(effect, now)
            elif isinstance(effect, SetTimer):
                self.timers.start(_KEYS, effect.name, max(now, effect.at))
            elif isinstance(effect, CancelTimer):
                self.timers.stop(_KEYS, effect.name)
            elif isinstance(effect, Note):
                self._log(self.plan.name, effect)
                self._told_of_key(effect.kind, now)

    def _told_of_key(self, kind: str, now: int) -> None:
        if kind == member_keys.ESTABLISHED:
            self.timers.start(_JOIN, "begin", now + BEGIN_MS)
        elif kind == member_keys.GIVEN_UP:
            further = self.keys.go_on(now)
            if further:
                self._agree(further, now)
            elif self.keys.due:
                self._attempts = ATTEMPTS  # not again before the next window of permission
                self._go("no link key was agreed on", now)

    # -- frames --------------------------------------------------------------------------------

    def hear(self, frame: ToNode, now: int) -> None:
        """Take a frame of the hub, or of another node."""
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
            self._fail(REFUSED.get(frame.status, "refused"), now)
        else:
            self._short = frame.short

    def _key(self, frame: TransportKey, now: int) -> None:
        if frame.sealed_under != self.keys.current:
            self._note("han_key_not_understood", ("in_clear", frame.sealed_under is None))
            self._why = WRONG_KEY if frame.sealed_under is not None else NO_KEY
        elif frame.kind == NETWORK_KEY and self.stage is Stage.KEY_WAIT:
            self._enter(frame.key, now)
        elif frame.kind == LINK_KEY and self.stage is Stage.IN:
            self.uplink.append(VerifyKey(self._short, self.plan.eui64, frame.key))

    def _told_to_leave(self, now: int, *, rejoin: bool) -> None:
        if self.stage is Stage.KEY_WAIT:
            self._fail("turned away", now)
        elif rejoin and self.stage is Stage.IN:
            self.uplink.append(Left(self._short, self.plan.eui64, rejoin=True))
            self._note("han_left", ("why", "told to, and to come back"))
        elif self.stage is Stage.IN:
            self._go("told to", now)

    def _go(self, why: str, now: int) -> None:
        """Leave, and say so."""
        self.uplink.append(Left(self._short, self.plan.eui64))
        self._note("han_left", ("why", why))
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
                self._application.settled(out, now)
            elif isinstance(out, AskedToLeave):
                self._told_to_leave(now, rejoin=out.rejoin)
            else:
                self._log(self.plan.name, out)

    def _arrived(self, heard: Heard, now: int) -> None:
        source = self._sender_of(heard)
        if source is None:
            return
        told = ZclIndication(source, self.plan.eui64, heard.cluster, heard.frame)
        if heard.cluster == key_establishment.CLUSTER:
            self._agree(self.keys.hear(told, now), now)
            return
        if not self._application.powered and not self.keys.due:
            self.timers.stop(_JOIN, "begin")
            self._application.power(now, on=True)
        self._application.arrived(told, now)

    def _sender_of(self, heard: Heard) -> Eui64 | None:
        gpf = self.plan.gpf
        if heard.source != HUB:
            return self._directory.eui64_of(heard.source)
        return gpf[0] if gpf is not None and heard.endpoint == gpf[1] else self.plan.hub

    # -- what the application does with the radio ----------------------------------------------

    def send(self, order: SendZcl, now: int, handle: int = 0) -> None:
        """Send a ZCL frame; with a handle its fate is told."""
        stack, gpf = self._stack, self.plan.gpf
        if stack is None:
            return
        place = (HUB, gpf[1] if gpf is not None and order.to == gpf[0] else 0)
        if order.to != self.plan.hub and not place[1]:
            found = self._directory.place_of(order.to)
            if found is None:
                self._note("han_frame_discarded", ("why", f"{order.to} is not on the network"))
                return
            place = found
        self._stacked(stack.send(order.cluster, order.frame, now * 1000, place, handle), now)

    def cancel(self, handle: int, now: int) -> None:
        """Give up the transfer with this handle, if it still runs."""
        if self._stack is not None:
            self._stacked(self._stack.cancel(handle, now * 1000), now)

    def switch(self, now: int, *, awake: bool) -> None:
        """Follow the application's wish; a node that has just joined stays awake for a while."""
        if not self.sleepy:
            return
        if awake:
            self.timers.stop(_POLL, "sleep")
            self._set_awake(now, awake=True)
            self._application.radio(now, awake=True)  # the receiver may have been on before it
        elif self.awake:
            self.timers.start(_POLL, "sleep", max(self._awake_until, now + LINGER_MS))

    def brown_out(self, off_s: float, now: int) -> None:
        """Lose the supply for so many seconds of the devices' clock; 0: for good."""
        self._directory.cut_power(self.plan.eui64, off_s, now)

    def _set_awake(self, now: int, *, awake: bool) -> None:
        if awake == self.awake:
            return
        self.awake = awake
        if awake:
            self.timers.start(_POLL, "poll", now)
        else:
            self.timers.stop(_POLL, "poll")
        self._application.radio(now, awake=awake)

    # -- time ----------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Do what is due."""
        for kind, name in self.timers.take(now):
            if kind == _JOIN:
                self._on_join_timer(name, now)
            elif kind == _POLL:
                self._on_poll_timer(name, now)
            elif kind == _KEYS:
                self._agree(self.keys.timer(name, now), now)
            elif kind == _AIR and self._stack is not None:
                self._stacked(self._stack.expire(name, now * 1000), now)
            elif kind in {DEVICE, TUNNEL}:
                self._application.expire(kind, name, now)

    def _on_join_timer(self, name: str, now: int) -> None:
        if name == "begin":
            self._application.power(now, on=True)
        elif name == "agree":
            self._agree(self.keys.begin(now), now)
        elif name == "try":
            self._try(now)
        else:
            self._fail(self._why, now)

    def _on_poll_timer(self, name: str, now: int) -> None:
        if name == "sleep":
            self._set_awake(now, awake=False)
            return
        self.uplink.append(Poll(self._short))
        again = self._clock.ncp_ms(UtcMs(self._clock.utc(now) + POLL_MS))
        self.timers.start(_POLL, "poll", max(again, now + LEAST_POLL_MS))

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
            "keys": self.keys.dump(),
            **self._application.dump(),
        }

    def load(self, state: Mapping[str, Any], now: int) -> None:
        """Take over a ``dump``: the node stands as if its power had been off."""
        self.keys.load(state["keys"])
        self._short = state["short"]
        kept = state["network"]
        self._kept = None
        if kept is not None:
            key = bytes.fromhex(kept["network_key"])
            self._kept = (Eui64.parse(kept["extended_pan_id"]), key)
        self._application.load(state, now)
