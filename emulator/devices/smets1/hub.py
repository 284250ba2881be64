"""A SMETS1 hub as the head end sees it: a gateway that passes DLMS on to the meters behind it.

Stand-in: how real SMETS1 hubs speak on their WAN is not public. Ours takes DLMS wrapper frames:
the destination port says which device is meant, the hub's own among them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from emulator.codecs.dlms import han_log, wrapper
from emulator.codecs.dlms.han_log import Join, LogRow, Word
from emulator.codecs.dlms.hub_alert import HubAlert
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import ota
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
from emulator.devices.chf import ota_server
from emulator.devices.chf.block_server import PAGE_TIMER
from emulator.devices.chf.trouble import TROUBLE_TIMER
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1 import attachment, hub_orders, hub_tunnel
from emulator.devices.smets1.attachment import Attachment
from emulator.devices.smets1.device_log import DISPLAYS
from emulator.devices.smets1.esme import Smets1HubServer
from emulator.devices.smets1.logs import EventCode

#: Name of the line that leads to the head end.
LINE: Final = "wan"
#: What it hears all the time: an enum class takes long to find its members.
_WAN: Final = DeviceEvent.WAN
_GBCS: Final = DeviceEvent.GBCS
_DLMS: Final = DeviceEvent.DLMS
#: Client of a head end that takes what the hub says unasked.
HEAD_END: Final = hub_tunnel.HEAD_END
_IMAGE_TIMERS: Final = (
    ota_server.STALL_TIMER,
    ota_server.NOTIFY_TIMER,
    PAGE_TIMER,
    hub_orders.ORDER_TIMER,
    hub_orders.OUTCOME_TIMER,
)
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
        troubles: How often it told of trouble with that network.
    """

    def __init__(
        self,
        own: Smets1HubServer,
        routes: Mapping[int, Eui64],
        party: str = "",
        sleepers: Collection[Eui64] = (),
    ) -> None:
        """Take the hub's own server, and what is around it.

        Args:
            own: The server.
            routes: Wrapper port -> the meter it leads to.
            party: Whose network it was installed on.
            sleepers: Devices behind it whose receivers are off at times.

        Raises:
            ValueError: A meter has the hub's own port.
        """
        if own.settings.wan_port in routes:
            raise ValueError(f"wrapper port {own.settings.wan_port} is the hub's own")
        self.eui64 = own.eui64
        self.own = own
        self.routes = dict(routes)
        self.attachment = Attachment(own.settings.wan, party)
        self.troubles = 0
        own.images.sleepers = frozenset(sleepers)

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order.

        Args:
            event: WAN (a wrapper frame), GBCS (one out of a meter's tunnel), ZCL, TIMER, power.
            payload: What belongs to it.
            now: The present moment.

        Raises:
            IllegalEventError: An event a hub cannot have.
        """
        if event is _WAN and isinstance(payload, bytes):
            return [*self.attachment.heard(), *self._from_head_end(payload, now)]
        if event is _GBCS and isinstance(payload, bytes):
            return self._from_meter(payload, now)
        if event is DeviceEvent.NETWORK and isinstance(payload, str):
            return self._on_network(payload, now)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return self._from_han(payload, now)
        if event is DeviceEvent.TIMER and isinstance(payload, str):
            return self._on_timer(payload, now)
        if event in {DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            return [*self._acted(self.own.handle(event, payload, now)), *self._switched(event, now)]
        raise IllegalEventError(f"a SMETS1 hub has no {event.name}")

    def _on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        if name.startswith(_IMAGE_TIMERS):
            self.own.images.now = now
            return self._entered(self.own.images.timer(name), now)
        if name in attachment.TIMERS:
            return self._told(self.attachment.on_timer(name, now, lambda: self._contact(now)))
        if name.startswith(TROUBLE_TIMER):
            return self._told(self._trouble(now))
        return self._acted(self.own.handle(DeviceEvent.TIMER, name, now))

    # -- images on the HAN ---------------------------------------------------------------------

    def _from_han(self, indication: ZclIndication, now: UtcMs) -> list[Effect]:
        """Take a ZCL frame of a device of the log; a display needs a session with the hub."""
        source, log = indication.source, self.own.device_log
        row = log.entries.get(source)
        stays_out = row is not None and row.device_type in DISPLAYS and source not in log.sessions
        if row is None or stays_out:
            why = "not in the device log" if row is None else "no session"
            return [_frame_refused(indication, why)]
        if indication.cluster != ota.CLUSTER:
            return [Note("zcl_ignored", (("cluster", f"{indication.cluster:04x}"),))]
        try:
            frame = zcl_frame.decode(indication.frame)
            if frame.server_to_client or not frame.cluster_specific:
                return [_frame_refused(indication, "not for an OTA server")]
            command = ota.decode(frame)
        except MalformedFrameError as error:
            return [_frame_refused(indication, f"{error.layer}: {error.why}")]
        self.own.images.now = now
        return self._entered(self.own.images.request(command, source, frame.sequence), now)

    def _entered(self, effects: list[Effect], now: UtcMs) -> list[Effect]:
        self.own.log_image_events(now)
        return effects

    # -- power and networks --------------------------------------------------------------------

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

    def _trouble(self, now: UtcMs) -> list[Effect]:
        """Log trouble with the network, and tell the head end of it as soon as it can be told.

        Source:
            stand-in (migration.md 4.4: hubs that were cut off sent failure messages).
        """
        own = self.own
        own.log(EventCode.NETWORK_TROUBLE, now)
        self.troubles += 1
        alert = HubAlert(self.eui64, int(EventCode.NETWORK_TROUBLE), self.troubles)
        apdu = alert.encode(own.clock.octets(own.clock.shows(now)))
        return [SendWan(wrapper.encode(WrapperFrame(own.settings.wan_port, HEAD_END, apdu)))]

    def _from_head_end(self, octets: bytes, now: UtcMs) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if frame.destination == self.own.settings.wan_port:
            channel = DlmsChannel(LINE, frame.source, self.own.settings.logical_device)
            indication = DlmsIndication(channel, frame.apdu)
            return self._acted(self.own.handle(_DLMS, indication, now))
        meter = self._route(frame.destination)
        return [self._unknown(frame.destination)] if meter is None else [SendGbcs(octets, meter)]

    def _route(self, port: int) -> Eui64 | None:
        """Return the device that a wrapper port leads to, if it is in the device log."""
        meter = self.routes.get(port)
        return meter if meter in self.own.device_log.entries else None

    def _unknown(self, port: int) -> Effect:
        why = "not in the device log" if port in self.routes else "no such port"
        return Note("wan_message_refused", (("port", port), ("why", why)))

    def _hello(self, apdu: bytes, now: UtcMs) -> list[Effect]:
        """Let a display join; the version it tells may be the one it was ordered to run."""
        log, images = self.own.device_log, self.own.images
        log.hello(apdu)
        said = log.take_welcomed()
        if said is None:
            return self._ordered(log.take_orders())
        images.now = now
        images.orders.seen(said.eui64, _version(said.firmware), now, asks=False)
        meters = [row.eui64 for row in log.entries.values() if row.device_type == "ESME"]
        vouched = [_tunnelled(Join(Word.WELCOME, said.eui64), meter) for meter in meters]
        return [*self._ordered(log.take_orders()), *vouched, *images.take_effects()]

    def _from_meter(self, octets: bytes, now: UtcMs) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        log = self.own.device_log
        if frame.destination == han_log.JOIN_PORT:
            return self._hello(frame.apdu, now)
        meter = self._route(frame.source)
        if meter is None:
            return [self._unknown(frame.source)]
        log.heard(meter)
        return [SendWan(octets)]

    def _acted(self, effects: list[Effect]) -> list[Effect]:
        """Put what the hub says itself on the WAN, and what its device log orders on the HAN."""
        outward = [self._outward(item) for item in effects if not isinstance(item, CloseDlms)]
        ordered = self._ordered(self.own.device_log.take_orders())
        return [*outward, *ordered, *self.own.images.take_effects()]

    @staticmethod
    def _ordered(orders: Sequence[Join | Note]) -> list[Effect]:
        return [item if isinstance(item, Note) else _tunnelled(item, item.eui64) for item in orders]

    def _outward(self, effect: Effect) -> Effect:
        if not isinstance(effect, SendDlms):
            return effect
        port = self.own.settings.wan_port
        return SendWan(wrapper.encode(WrapperFrame(port, effect.channel.client, effect.apdu)))

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {
            "own": self.own.dump(),
            "attachment": self.attachment.dump(),
            "troubles": self.troubles,
        }

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this hub.
        """
        saved = Saved(state)
        self.own.load(saved.table("own"))
        self.attachment.load(saved.part("attachment"))
        self.troubles = saved.number("troubles")

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


def _tunnelled(join: Join, to: Eui64) -> Effect:
    frame = WrapperFrame(han_log.JOIN_PORT, han_log.JOIN_PORT, han_log.encode_join(join))
    return SendGbcs(wrapper.encode(frame), to)


def _version(firmware: bytes) -> int:
    """Return the version that a display told as text; -1 where it told none."""
    try:
        return int(firmware, 16)
    except ValueError:
        return -1


def _frame_refused(indication: ZclIndication, why: str) -> Note:
    fields = (
        ("cluster", f"{indication.cluster:04x}"),
        ("source", str(indication.source)),
        ("reason", why),
    )
    return Note("frame_refused", fields)


def _how(row: LogRow) -> str:
    if not row.joined:
        return " (not joined)"
    return f" (firmware {row.firmware.decode(errors='replace')})" if row.firmware else ""
