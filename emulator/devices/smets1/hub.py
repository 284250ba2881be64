"""A SMETS1 hub as the head end sees it: a gateway that passes DLMS on to the meters behind it.

Stand-in: how real SMETS1 hubs speak on their WAN is not public. Ours takes DLMS wrapper frames:
the destination port says which device is meant, the hub's own among them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from emulator.codecs.dlms import han_log, wrapper
from emulator.codecs.dlms.han_log import Join, LogRow
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
from emulator.devices.smets1 import attachment
from emulator.devices.smets1.attachment import Attachment
from emulator.devices.smets1.esme import Smets1HubServer

#: Name of the line that leads to the head end.
LINE: Final = "wan"
#: Client of a head end that takes what the hub says unasked. Source: stand-in.
HEAD_END: Final = 1
#: Word of a saboteur: the hub does not say that it has come onto a network.
TELLS_NOBODY: Final = "tells-nobody"


class Smets1Hub:
    """A gateway with a DLMS server of its own.

    What it cannot pass on it drops with a note, and a meter that sleeps gets its frames out of
    the tunnel at its next wake. A device that is not in its device log is none of its own.

    Attributes:
        eui64: EUI-64 of the hub.
        own: Its own DLMS server.
        routes: Wrapper port -> EUI-64 of the meter it leads to.
        attachment: On which mobile network it is.
    """

    def __init__(self, own: Smets1HubServer, routes: Mapping[int, Eui64], party: str = "") -> None:
        """Take the hub's own server, the meters behind it, and whose network it was installed on.

        Raises:
            ValueError: A meter has the hub's own port.
        """
        if own.settings.wan_port in routes:
            raise ValueError(f"wrapper port {own.settings.wan_port} is the hub's own")
        self.eui64 = own.eui64
        self.own = own
        self.routes = dict(routes)
        self.attachment = Attachment(own.settings.wan, party)

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
            return [*self.attachment.heard(), *self._from_head_end(payload, now)]
        if event is DeviceEvent.GBCS and isinstance(payload, bytes):
            return self._from_meter(payload)
        if event is DeviceEvent.NETWORK and isinstance(payload, str):
            return self._on_network(payload, now)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return [Note("zcl_ignored", (("cluster", f"{payload.cluster:04x}"),))]
        if event is DeviceEvent.TIMER and payload in attachment.TIMERS:
            return self._told(
                self.attachment.on_timer(str(payload), now, lambda: self._contact(now))
            )
        if event in {DeviceEvent.TIMER, DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            return [*self._acted(self.own.handle(event, payload, now)), *self._switched(event, now)]
        raise IllegalEventError(f"a SMETS1 hub has no {event.name}")

    def _switched(self, event: DeviceEvent, now: UtcMs) -> list[Effect]:
        if event is DeviceEvent.POWER_ON:
            return self.attachment.power_on(now)
        return self.attachment.power_off() if event is DeviceEvent.POWER_OFF else []

    def _on_network(self, party: str, now: UtcMs) -> list[Effect]:
        moved = bool(party) and party != self.attachment.party
        effects = self.attachment.network(party, now, lambda: self._contact(now))
        if moved:
            self.own.on_other_network()
        return self._told(effects)

    def _told(self, effects: list[Effect]) -> list[Effect]:
        if TELLS_NOBODY not in self.own.line_defects:
            return effects
        return [effect for effect in effects if not isinstance(effect, SendWan)]

    def _contact(self, now: UtcMs) -> Effect:
        """Return the frame that tells a head end who has come."""
        own = self.own
        apdu = attachment.first_contact(
            self.eui64,
            own.firmware_text(),
            self.attachment.sent,
            own.clock.octets(own.clock.shows(now)),
        )
        return SendWan(wrapper.encode(WrapperFrame(own.settings.wan_port, HEAD_END, apdu)))

    def _from_head_end(self, octets: bytes, now: UtcMs) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if frame.destination == self.own.settings.wan_port:
            channel = DlmsChannel(LINE, frame.source, self.own.settings.logical_device)
            indication = DlmsIndication(channel, frame.apdu)
            return self._acted(self.own.handle(DeviceEvent.DLMS, indication, now))
        meter = self._route(frame.destination)
        return [self._unknown(frame.destination)] if meter is None else [SendGbcs(octets, meter)]

    def _route(self, port: int) -> Eui64 | None:
        """Return the device that a wrapper port leads to, if it is in the device log."""
        meter = self.routes.get(port)
        return meter if meter in self.own.device_log.entries else None

    def _unknown(self, port: int) -> Effect:
        why = "not in the device log" if port in self.routes else "no such port"
        return Note("wan_message_refused", (("port", port), ("why", why)))

    def _from_meter(self, octets: bytes) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        log = self.own.device_log
        if frame.destination == han_log.JOIN_PORT:
            log.hello(frame.apdu)
            return self._ordered(log.take_orders())
        meter = self._route(frame.source)
        if meter is None:
            return [self._unknown(frame.source)]
        log.heard(meter)
        return [SendWan(octets)]

    def _acted(self, effects: list[Effect]) -> list[Effect]:
        """Put what the hub says itself on the WAN, and what its device log orders on the HAN."""
        outward = [self._outward(item) for item in effects if not isinstance(item, CloseDlms)]
        return [*outward, *self._ordered(self.own.device_log.take_orders())]

    @staticmethod
    def _ordered(orders: Sequence[Join | Note]) -> list[Effect]:
        return [item if isinstance(item, Note) else _tunnelled(item) for item in orders]

    def _outward(self, effect: Effect) -> Effect:
        if not isinstance(effect, SendDlms):
            return effect
        port = self.own.settings.wan_port
        return SendWan(wrapper.encode(WrapperFrame(port, effect.channel.client, effect.apdu)))

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {"own": self.own.dump(), "attachment": self.attachment.dump()}

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this hub.
        """
        saved = Saved(state)
        self.own.load(saved.table("own"))
        self.attachment.load(saved.part("attachment"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        behind = ", ".join(f"{port}: {eui64}" for port, eui64 in sorted(self.routes.items()))
        rows = self.own.device_log.entries.values()
        log = ", ".join(f"{row.device_type} {row.eui64}{_how(row)}" for row in rows)
        return {
            **self.own.rows(),
            "meters by wrapper port": behind or "none",
            "device log": log or "none",
            "network": self.attachment.party if self.attachment.attached else "none",
        }

    def inject(self, fault: str) -> None:
        """Put a fault inside the hub's own server.

        Raises:
            ValueError: It has no such fault.
        """
        self.own.inject(fault)


def _tunnelled(join: Join) -> Effect:
    frame = WrapperFrame(han_log.JOIN_PORT, han_log.JOIN_PORT, han_log.encode_join(join))
    return SendGbcs(wrapper.encode(frame), join.eui64)


def _how(row: LogRow) -> str:
    if not row.joined:
        return " (not joined)"
    return f" (firmware {row.firmware.decode(errors='replace')})" if row.firmware else ""
