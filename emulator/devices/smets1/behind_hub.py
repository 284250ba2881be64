"""A SMETS1 meter behind its hub: DLMS APDUs in HAN tunnels, and the wake windows of a sleepy one.

Stand-in: how a SMETS1 hub carries a head end's requests to a meter is not public. Here the wrapper
frames of the WAN cross the HAN in tunnels as they are; a port of the wrapper stands for the meter.
"""

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
    SetTimer,
    ZclIndication,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.gsme.wake import SLEEP_TIMER, WAKE_TIMER, WakeWindow
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1.device import Smets1Device

#: Name of the line that leads through the HAN.
LINE: Final = "han"
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
    """

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

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order.

        Args:
            event: GBCS (a wrapper frame out of the tunnel), ZCL, TIMER, POWER_ON or POWER_OFF.
            payload: What belongs to it.
            now: The present moment.

        Raises:
            IllegalEventError: An event such a device cannot have.
        """
        if event is DeviceEvent.GBCS and isinstance(payload, bytes):
            return self._frame(payload, now)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return [Note("zcl_ignored", (("cluster", f"{payload.cluster:04x}"),))]
        if event is DeviceEvent.TIMER and payload in {WAKE_TIMER, SLEEP_TIMER}:
            return self._wake(now) if payload == WAKE_TIMER else self._sleep()
        if event is DeviceEvent.POWER_ON:
            return [*self._on_the_han(self.server.handle(event, None, now)), *self._wake(now)]
        if event is DeviceEvent.POWER_OFF:
            return [*self._on_the_han(self.server.handle(event, None, now)), *self._sleep()]
        if event is DeviceEvent.TIMER:
            return self._heard(self._on_the_han(self.server.handle(event, payload, now)), now)
        raise IllegalEventError(f"behind a hub there is no {event.name}")

    def _frame(self, octets: bytes, now: UtcMs) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if self.deaf:
            return []
        settings = self.server.settings
        if frame.destination != settings.wan_port:
            fields = (("client", frame.source), ("reason", "wrong_port"))
            return [Note("dlms_refused", (("line", LINE), *fields))]
        channel = DlmsChannel(LINE, frame.source, settings.logical_device)
        indication = DlmsIndication(channel, frame.apdu)
        return self._heard(
            self._on_the_han(self.server.handle(DeviceEvent.DLMS, indication, now)), now
        )

    def _on_the_han(self, effects: list[Effect]) -> list[Effect]:
        """Put answers into tunnels; a link that the server drops is none of the HAN's."""
        return [self._tunnelled(item) for item in effects if not isinstance(item, CloseDlms)]

    def _tunnelled(self, effect: Effect) -> Effect:
        if not isinstance(effect, SendDlms):
            return effect
        port = self.server.settings.wan_port
        frame = WrapperFrame(port, effect.channel.client, effect.apdu)
        return SendGbcs(wrapper.encode(frame), self.hub)

    def _heard(self, effects: list[Effect], now: UtcMs) -> list[Effect]:
        """Keep the receiver on for a while when something is sent: an answer may come."""
        sends = any(isinstance(item, SendGbcs) for item in effects)
        if self.window is None or not sends:
            return effects
        return [*self.window.open(now), *effects]

    @property
    def deaf(self) -> bool:
        """Whether its radio is lost: by a saboteur's word, at once or after its keys changed."""
        words = self.server.line_defects
        return HAN_LOST in words or (DEAF_AFTER in words and not self.server.security.as_made)

    def _wake(self, now: UtcMs) -> list[Effect]:
        if self.window is None:
            return []
        if self.deaf:
            return [SetTimer(WAKE_TIMER, UtcMs(now + 1000 * self.window.period_s))]
        return self.window.open_regular(now)

    def inject(self, fault: str) -> None:
        """Put a fault inside the device's server.

        Raises:
            ValueError: It has no such fault.
        """
        self.server.inject(fault)

    def _sleep(self) -> list[Effect]:
        return [] if self.window is None or not self.window.awake else self.window.close()

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        window: Json = None if self.window is None else self.window.dump()
        return {"server": self.server.dump(), "window": window}

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this device.
        """
        saved = Saved(state)
        self.server.load(saved.table("server"))
        if self.window is not None:
            self.window.load(saved.part("window"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        rows = self.server.rows()
        if self.window is not None:
            rows["receiver"] = "on" if self.window.awake else "off"
        return rows
