"""A display in a SMETS1 home (PPMID): on the HAN, without credentials of any head end.

Stand-in: it joins when the hub has it in its device log, by messages of ours in a HAN tunnel, and
tells the hub then which firmware it runs. Displays of the cohort and of third parties are alike.
"""

from typing import ClassVar

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.dlms import han_log, wrapper
from emulator.codecs.dlms.han_log import Join, Word
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, Payload, SendGbcs, ZclIndication
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved, State


class Smets1Display:
    """A display on the HAN of a SMETS1 hub.

    Attributes:
        eui64: Its EUI-64.
        profile: What it is.
        hub: EUI-64 of the hub it belongs to.
        joined: Whether it has joined.
        powered: Whether it has power.
    """

    device_type: ClassVar[DeviceType] = DeviceType.PPMID

    def __init__(self, eui64: Eui64, profile: DeviceProfile, hub: Eui64) -> None:
        """Take what it is; it is off, and has joined nothing."""
        self.eui64 = eui64
        self.profile = profile
        self.hub = hub
        self.joined = False
        self.powered = False

    def firmware_text(self) -> str:
        """Return the version it runs: eight hex digits."""
        return self.profile.identity.firmware_version

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - the seam's form: a device is a function of event, payload and time
        """Take one event; return what is to be done, in order.

        Args:
            event: GBCS (a wrapper frame out of the tunnel), ZCL, TIMER, POWER_ON or POWER_OFF.
            payload: What belongs to it.
            now: The present moment; it has no timers.

        Raises:
            IllegalEventError: An event a display cannot have.
        """
        if event is DeviceEvent.GBCS and isinstance(payload, bytes):
            return self._frame(payload)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return [Note("zcl_ignored", (("cluster", f"{payload.cluster:04x}"),))]
        if event in {DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            self.powered = event is DeviceEvent.POWER_ON
            note = Note("power", (("on", self.powered),))
            return [note, *([] if self.joined or not self.powered else [self._hello()])]
        if event is DeviceEvent.TIMER:
            return []
        raise IllegalEventError(f"a SMETS1 display has no {event.name}")

    def _frame(self, octets: bytes) -> list[Effect]:
        try:
            said = han_log.decode_join(wrapper.decode(octets).apdu)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if said.eui64 != self.eui64:
            return [Note("join_ignored", (("device", str(said.eui64)),))]
        if said.word is Word.INVITE:
            return [self._hello()]
        if said.word is Word.HELLO:
            return [Note("join_ignored", (("device", str(said.eui64)),))]
        return self._is_joined(joined=said.word is Word.WELCOME)

    def _is_joined(self, *, joined: bool) -> list[Effect]:
        changed, self.joined = joined != self.joined, joined
        return [Note("han_joined", (("joined", joined),))] if changed else []

    def said(self) -> Join:
        """Return what it says when it wants to join."""
        maker = self.profile.identity.manufacturer_code
        return Join(Word.HELLO, self.eui64, maker, self.firmware_text().encode())

    def _hello(self) -> Effect:
        apdu = han_log.encode_join(self.said())
        frame = WrapperFrame(han_log.JOIN_PORT, han_log.JOIN_PORT, apdu)
        return SendGbcs(wrapper.encode(frame), self.hub)

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {"joined": self.joined, "powered": self.powered}

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this device.
        """
        saved = Saved(state)
        self.joined = saved.flag("joined")
        self.powered = saved.flag("powered")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        identity = self.profile.identity
        return {
            "model": f"{identity.manufacturer_name} {identity.model_name}",
            "power": "on" if self.powered else "off",
            "firmware": self.firmware_text(),
            "joined": "yes" if self.joined else "no",
            "head-end credentials": "none",
        }
