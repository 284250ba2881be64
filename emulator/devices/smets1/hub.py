"""A SMETS1 hub as the head end sees it: a gateway that passes DLMS on to the meters behind it.

Stand-in: how real SMETS1 hubs speak on their WAN is not public. Ours takes DLMS wrapper frames:
the destination port says which device is meant, the hub's own among them.
"""

from collections.abc import Mapping
from typing import Final

from emulator.codecs.dlms import wrapper
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CloseDlms,
    DeviceEvent,
    DlmsChannel,
    DlmsIndication,
    Effect,
    Note,
    Payload,
    SendDlms,
    SendGbcs,
    SendWan,
    ZclIndication,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1.device import Smets1Device

#: Name of the line that leads to the head end.
LINE: Final = "wan"


class Smets1Hub:
    """A gateway with a DLMS server of its own.

    It keeps nothing: what it cannot pass on it drops with a note, and a meter that sleeps gets
    its frames out of the tunnel at its next wake.

    Attributes:
        eui64: EUI-64 of the hub.
        own: Its own DLMS server.
        routes: Wrapper port -> EUI-64 of the meter it leads to.
    """

    def __init__(self, own: Smets1Device, routes: Mapping[int, Eui64]) -> None:
        """Take the hub's own server and the meters behind it.

        Raises:
            ValueError: A meter has the hub's own port.
        """
        if own.settings.wan_port in routes:
            raise ValueError(f"wrapper port {own.settings.wan_port} is the hub's own")
        self.eui64 = own.eui64
        self.own = own
        self.routes = dict(routes)

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order.

        Args:
            event: WAN (a wrapper frame), GBCS (one out of a meter's tunnel), ZCL, TIMER, power.
            payload: What belongs to it.
            now: The present moment.

        Raises:
            IllegalEventError: An event a hub cannot have.
        """
        if event is DeviceEvent.WAN and isinstance(payload, bytes):
            return self._from_head_end(payload, now)
        if event is DeviceEvent.GBCS and isinstance(payload, bytes):
            return self._from_meter(payload)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return [Note("zcl_ignored", (("cluster", f"{payload.cluster:04x}"),))]
        if event in {DeviceEvent.TIMER, DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            return self._on_the_wan(self.own.handle(event, payload, now))
        raise IllegalEventError(f"a SMETS1 hub has no {event.name}")

    def _from_head_end(self, octets: bytes, now: UtcMs) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if frame.destination == self.own.settings.wan_port:
            channel = DlmsChannel(LINE, frame.source, self.own.settings.logical_device)
            indication = DlmsIndication(channel, frame.apdu)
            return self._on_the_wan(self.own.handle(DeviceEvent.DLMS, indication, now))
        meter = self.routes.get(frame.destination)
        if meter is None:
            return [Note("wan_message_refused", (("port", frame.destination),))]
        return [SendGbcs(octets, meter)]

    def _from_meter(self, octets: bytes) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if frame.source not in self.routes:
            return [Note("wan_message_refused", (("port", frame.source),))]
        return [SendWan(octets)]

    def _on_the_wan(self, effects: list[Effect]) -> list[Effect]:
        return [self._outward(item) for item in effects if not isinstance(item, CloseDlms)]

    def _outward(self, effect: Effect) -> Effect:
        if not isinstance(effect, SendDlms):
            return effect
        port = self.own.settings.wan_port
        return SendWan(wrapper.encode(WrapperFrame(port, effect.channel.client, effect.apdu)))

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {"own": self.own.dump()}

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this hub.
        """
        self.own.load(Saved(state).table("own"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        behind = ", ".join(f"{port}: {eui64}" for port, eui64 in sorted(self.routes.items()))
        return {**self.own.rows(), "meters by wrapper port": behind or "none"}
