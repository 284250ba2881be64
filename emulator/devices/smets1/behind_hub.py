"""A SMETS1 meter behind its hub: DLMS APDUs in HAN tunnels, images, and a sleepy one's windows.

Stand-in: how a SMETS1 hub carries a head end's requests to a meter is not public. Here the wrapper
frames of the WAN cross the HAN in tunnels as they are; a port of the wrapper stands for the meter.
"""

from typing import ClassVar, Final

from emulator.codecs.dlms import han_log, wrapper
from emulator.codecs.dlms.han_log import JOIN_PORT, Word
from emulator.codecs.dlms.hub_image import NOTICE_PORT
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.codecs.zcl import basic, ota
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
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.gsme.wake import SLEEP_TIMER, WAKE_TIMER, WakeWindow
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1 import han_basic, meter_screen
from emulator.devices.smets1.catalogue_device import CatalogueDevice
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.meter import Meter
from emulator.devices.smets1.meter_images import MeterImages

#: Name of the line that leads through the HAN.
LINE: Final = "han"
#: What it hears all the time: an enum class takes long to find its members.
_GBCS: Final = DeviceEvent.GBCS
_DLMS: Final = DeviceEvent.DLMS
#: Words of saboteurs: no radio at all, none once the keys have changed.
HAN_LOST: Final = "han-lost"
DEAF_AFTER: Final = "never-wakes-again"


class BehindHub:
    """Puts a DLMS server on the HAN; the server itself does not know where it is.

    Attributes:
        eui64: The device's.
        server: The DLMS server.
        hub: EUI-64 of its hub.
        window: Its wake windows; None for a device that always listens.
        images: Takes images from the hub; None for a server without image transfer.
        partners: Displays it has a link with.
    """

    images_type: ClassVar[type[MeterImages]] = MeterImages

    def __init__(self, server: Smets1Device, hub: Eui64) -> None:
        radio = server.profile.radio
        self.eui64 = server.eui64
        self.server = server
        self.hub = hub
        self.window = (
            WakeWindow(radio.wake_period_s or 0, radio.awake_window_s or 0)
            if radio.sleepy
            else None
        )
        self.images = self.images_type(server, hub) if isinstance(server, CatalogueDevice) else None
        self.partners: frozenset[Eui64] = frozenset()

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order.

        Args:
            event: GBCS (a wrapper frame out of the tunnel), ZCL, TIMER, POWER_ON or POWER_OFF.
            payload: What belongs to it.
            now: The present moment.

        Raises:
            IllegalEventError: An event such a device cannot have.
        """
        if event is _GBCS and isinstance(payload, bytes):
            return self._frame(payload, now)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return self._listened(self._on_zcl(payload, now), now)
        if event is DeviceEvent.TIMER and isinstance(payload, str):
            return self._on_timer(payload, now)
        if event is DeviceEvent.POWER_ON or event is DeviceEvent.POWER_OFF:
            return self._on_power(event, now)
        raise IllegalEventError(f"behind a hub there is no {event.name}")

    def _on_zcl(self, indication: ZclIndication, now: UtcMs) -> list[Effect]:
        if self.deaf:
            return []
        if indication.cluster == ota.CLUSTER and self.images is not None:
            return self.images.on_zcl(indication, now)
        if indication.cluster in meter_screen.CLUSTERS and isinstance(self.server, Meter):
            return meter_screen.answer(self.server, self.partners | {self.hub}, indication, now)
        if indication.cluster == basic.CLUSTER:
            return han_basic.answer(self.server.profile, indication)
        return [Note("zcl_ignored", (("cluster", f"{indication.cluster:04x}"),))]

    def _on_power(self, event: DeviceEvent, now: UtcMs) -> list[Effect]:
        effects = self._on_the_han(self.server.handle(event, None, now))
        images = self.images
        if event is DeviceEvent.POWER_OFF:
            off = [] if images is None else images.power_off(now)
            return [*effects, *off, *self._sleep(now, powered=False)]
        on = [] if images is None else images.power_on(now)
        return [*effects, *self._listened(on, now), *self._wake(now)]

    def _on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        if name in {WAKE_TIMER, SLEEP_TIMER}:
            return self._wake(now) if name == WAKE_TIMER else self._sleep(now)
        if self.images is not None and self.images.owns(name):
            return self._listened(self.images.on_timer(name, now), now)
        event = DeviceEvent.TIMER
        return self._heard(self._on_the_han(self.server.handle(event, name, now)), now)

    def _frame(self, octets: bytes, now: UtcMs) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if self.deaf:
            return []
        if frame.destination in {NOTICE_PORT, JOIN_PORT}:
            return self._listened(self._told(frame, now), now)
        settings = self.server.settings
        if frame.destination != settings.wan_port:
            fields = (("client", frame.source), ("reason", "wrong_port"))
            return [Note("dlms_refused", (("line", LINE), *fields))]
        channel = DlmsChannel(LINE, frame.source, settings.logical_device)
        indication = DlmsIndication(channel, frame.apdu)
        return self._heard(self._on_the_han(self.server.handle(_DLMS, indication, now)), now)

    def _told(self, frame: WrapperFrame, now: UtcMs) -> list[Effect]:
        """Take what the hub says itself: of an image, or of a display that has joined."""
        try:
            if frame.destination == NOTICE_PORT:
                return [] if self.images is None else self.images.on_frame(frame.apdu, now)
            said = han_log.decode_join(frame.apdu)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if said.word is Word.WELCOME:
            self.partners |= {said.eui64}
        return []

    def _on_the_han(self, effects: list[Effect]) -> list[Effect]:
        """Put answers into tunnels; a link that the server drops is none of the HAN's."""
        if any(isinstance(item, Note) and item.kind == "firmware_activated" for item in effects):
            self.partners = frozenset()  # it has started again
        return [self._tunnelled(item) for item in effects if not isinstance(item, CloseDlms)]

    def _tunnelled(self, effect: Effect) -> Effect:
        if not isinstance(effect, SendDlms):
            return effect
        port = self.server.settings.wan_port
        frame = WrapperFrame(port, effect.channel.client, effect.apdu)
        return SendGbcs(wrapper.encode(frame), self.hub)

    def _heard(self, effects: list[Effect], now: UtcMs) -> list[Effect]:
        """Keep the receiver on for a while when something is sent: an answer may come."""
        if self.images is not None and self.server.powered:
            effects = [*effects, *self._listened(self.images.follow(now), now)]
        sends = any(isinstance(item, SendGbcs) for item in effects)
        if self.window is None or not sends:
            return effects
        return [*self.window.open(now), *effects]

    def _listened(self, effects: list[Effect], now: UtcMs) -> list[Effect]:
        """Switch the receiver on for frames that go out while it is off; none keeps it on."""
        sends = any(isinstance(item, SendGbcs | SendZcl) for item in effects)
        if self.window is None or self.window.awake or not sends:
            return effects
        return [*self.window.open(now), *effects]

    @property
    def deaf(self) -> bool:
        """Whether its radio is lost: by a saboteur's word, at once or after its keys changed."""
        words = self.server.line_defects
        return HAN_LOST in words or (DEAF_AFTER in words and not self.server.security.as_made)

    @property
    def at_ease(self) -> bool:
        """Whether it has nothing to do of its own accord at its next wake."""
        return self.images is None or self.images.at_ease

    def _wake(self, now: UtcMs) -> list[Effect]:
        if self.window is None:
            return []
        if self.deaf:
            return [SetTimer(WAKE_TIMER, UtcMs(now + 1000 * self.window.period_s))]
        opened = self.window.open_regular(now)
        return opened if self.images is None else [*opened, *self.images.wake(now)]

    def inject(self, fault: str) -> None:
        """Put a fault inside the device: ``battery-low`` (one day left), or one of its server's.

        Raises:
            ValueError: It has no such fault.
        """
        if fault == "battery-low" and self.images is not None:
            self.images.battery_days = 1
        else:
            self.server.inject(fault)

    def _sleep(self, now: UtcMs, *, powered: bool = True) -> list[Effect]:
        if self.window is None or not self.window.awake:
            return []
        paused = self.images.sleep(now) if powered and self.images is not None else []
        return [*paused, *self.window.close()]

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        window: Json = None if self.window is None else self.window.dump()
        images: Json = None if self.images is None else self.images.dump()
        partners: list[Json] = [*sorted(one.hex for one in self.partners)]
        state: State = {
            "server": self.server.dump(),
            "window": window,
            "images": images,
            "partners": partners,
        }
        if self.images is not None and self.images.battery_days is not None:
            state["battery_days"] = self.images.battery_days
        return state

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this device.
        """
        saved = Saved(state)
        self.server.load(saved.table("server"))
        if self.window is not None:
            self.window.load(saved.part("window"))
        if self.images is not None:
            self.images.load(saved.part("images"))
            self.images.battery_days = saved.optional_number("battery_days")
        self.partners = frozenset(saved.eui64s("partners"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        rows = self.server.rows()
        if self.window is not None:
            rows["receiver"] = "on" if self.window.awake else "off"
        return rows if self.images is None else {**rows, **self.images.rows()}
