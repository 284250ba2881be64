"""What an emulated node does above its radio: its application, its tunnel, their timers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from emulator.codecs.zcl import tunneling
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    BrownOut,
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
from emulator.han.outputs import (
    CancelFrame,
    Hand,
    SendFrame,
    Settled,
    StartTimer,
    StopTimer,
    TunnelOutput,
)
from emulator.ncp.member_plan import Clock, Log, MemberPlan
from emulator.ncp.timers import Timers

#: Kinds of its timers.
DEVICE: Final = "device"
TUNNEL: Final = "tunnel"


class MemberRadio(Protocol):
    """What an application may do with its node's radio."""

    def send(self, order: SendZcl, now: int, handle: int = 0) -> None:
        """Send a ZCL frame; with a handle its fate is told by ``settled``."""
        ...

    def cancel(self, handle: int, now: int) -> None:
        """Give up the transfer with this handle, if it still runs."""
        ...

    def switch(self, now: int, *, awake: bool) -> None:
        """Switch the receiver on or off."""
        ...

    def brown_out(self, off_s: float, now: int) -> None:
        """Lose the supply for so many seconds of the devices' clock; 0: for good."""
        ...


class MemberApplication:
    """One node's application; it lives while its node is on a network.

    Attributes:
        plan: What the node is.
        powered: Whether the application lives.
    """

    def __init__(
        self, plan: MemberPlan, clock: Clock, log: Log, timers: Timers, radio: MemberRadio
    ) -> None:
        """Take what it is made of; it does not live yet."""
        self.plan = plan
        self.powered = False
        self._clock = clock
        self._log = log
        self._timers = timers
        self._radio = radio

    def power(self, now: int, *, on: bool) -> None:
        """Let the application begin or end; it knows no life without its hub."""
        if on == self.powered:
            return
        self.powered = on
        tunnel = self.plan.tunnel
        if on and tunnel is not None:
            self._do(tunnel.power_on(self._us(now)), now)
        event = DeviceEvent.POWER_ON if on else DeviceEvent.POWER_OFF
        effects = self.plan.application.handle(event, None, self._clock.utc(now))
        if on:
            self._perform(effects, now)
            return
        if tunnel is not None:
            tunnel.power_off()
        self._timers.stop_kind(DEVICE)
        self._timers.stop_kind(TUNNEL)

    def arrived(self, told: ZclIndication, now: int) -> None:
        """Take a ZCL frame; one that comes before the application lives is lost."""
        tunnel = self.plan.tunnel
        from_hub = tunnel is not None and told.source == tunnel.server
        if told.cluster == tunneling.CLUSTER and tunnel is not None and from_hub:
            self._do(tunnel.arrived(told, self._us(now)), now)
        else:
            self._event(DeviceEvent.ZCL, told, now)

    def settled(self, out: Settled, now: int) -> None:
        """Learn the fate of an acknowledged transfer."""
        if self.plan.tunnel is not None:
            self._do(self.plan.tunnel.settled(out, self._us(now)), now)

    def expire(self, kind: str, name: str, now: int) -> None:
        """Take a timer of the kind ``DEVICE`` or ``TUNNEL``."""
        if kind == DEVICE:
            self._event(DeviceEvent.TIMER, name, now)
        elif self.plan.tunnel is not None:
            self._do(self.plan.tunnel.expire(name, self._us(now)), now)

    def radio(self, now: int, *, awake: bool) -> None:
        """Tell the tunnel that the receiver was switched."""
        if self.plan.tunnel is not None:
            self._do(self.plan.tunnel.radio(awake=awake, now_us=self._us(now)), now)

    def _event(self, event: DeviceEvent, payload: Payload, now: int) -> None:
        if self.powered:
            effects = self.plan.application.handle(event, payload, self._clock.utc(now))
            self._perform(effects, now)

    def _perform(self, effects: Sequence[Effect], now: int) -> None:
        for effect in effects:
            if isinstance(effect, SendZcl):
                self._radio.send(effect, now)
            elif isinstance(effect, SendGbcs):
                if self.plan.tunnel is not None:
                    self._do(self.plan.tunnel.submit(effect.message), now)
            elif isinstance(effect, SetTimer):
                at = max(now, self._clock.ncp_ms(effect.at))
                self._timers.start(DEVICE, effect.name, at)
            elif isinstance(effect, CancelTimer):
                self._timers.stop(DEVICE, effect.name)
            elif isinstance(effect, BrownOut):
                self._radio.brown_out(effect.off_s, now)
                return
            elif isinstance(effect, Radio):
                self._radio.switch(now, awake=effect.awake)
            elif isinstance(effect, Note):
                self._log(self.plan.name, effect)
            else:
                fields = (("effect", type(effect).__name__),)
                self._log(self.plan.name, Note("effect_without_place", fields))

    def _do(self, outputs: Sequence[TunnelOutput], now: int) -> None:
        """Do what the tunnel asks for, in order; its time is the devices'."""
        for out in outputs:
            if isinstance(out, SendFrame):
                order = SendZcl(out.to, tunneling.CLUSTER, out.frame)
                self._radio.send(order, now, out.handle)
            elif isinstance(out, CancelFrame):
                self._radio.cancel(out.handle, now)
            elif isinstance(out, Hand):
                self._event(DeviceEvent.GBCS, out.message, now)
            elif isinstance(out, StartTimer):
                at = self._clock.ncp_ms(UtcMs(-(-out.due_us // 1000)))
                self._timers.start(TUNNEL, out.name, max(now, at))
            elif isinstance(out, StopTimer):
                self._timers.stop(TUNNEL, out.name)
            else:
                self._log(self.plan.name, out)

    def _us(self, now: int) -> int:
        """Return the devices' time in microseconds."""
        return self._clock.utc(now) * 1000

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power, as JSON-able data."""
        return {"powered": self.powered, "application": self.plan.application.dump()}

    def load(self, state: Mapping[str, Any], now: int) -> None:
        """Take over a ``dump``, as if the power had been off."""
        self.plan.application.load(state["application"])
        if state["powered"]:
            self.powered = True
            self.power(now, on=False)
