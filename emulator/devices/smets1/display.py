"""A display in a SMETS1 home (PPMID): on the HAN, without credentials of any head end.

Stand-in: it joins when the hub has it in its device log, by messages of ours in a HAN tunnel, and
tells the hub then which firmware it runs. Displays of the cohort and of third parties are alike.
It shows what the electricity meter tells it, and takes images from the hub.
"""

from typing import ClassVar, Final

from device_profiles.schema import DeviceProfile, DisplaySection
from device_profiles.words import DeviceType
from emulator.codecs.dlms import han_log, wrapper
from emulator.codecs.dlms.han_log import Join, Word
from emulator.codecs.dlms.hub_image import MESSAGE_PORT, NOTICE_PORT
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.codecs.zcl import basic, ota, prepayment
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CancelTimer,
    DeviceEvent,
    Effect,
    Note,
    Payload,
    SendGbcs,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.gsme.wake import SLEEP_TIMER, WAKE_TIMER, WakeWindow
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1 import display_screen, han_basic
from emulator.devices.smets1.display_images import FINISH_TIMER, DisplayImages
from emulator.devices.smets1.display_screen import Heard, Link, Screen

SCAN_TIMER: Final = "display.scan"
REFRESH_TIMER: Final = "display.refresh"
ANSWER_TIMER: Final = "display.answer"
DARK_TIMER: Final = "display.dark"
#: Pause before it calls the hub again, and before it asks the meter again. Source: invented.
SCAN_MS: Final = 300_000
ANSWER_MS: Final = 30_000
#: Answers "no link" of the meter after which it joins again. Source: invented.
MOST_STRIKES: Final = 2


class Smets1Display:
    """A display on the HAN of a SMETS1 hub.

    Attributes:
        eui64: Its EUI-64.
        profile: What it is.
        hub: EUI-64 of the hub it belongs to.
        meter: The electricity meter whose values it shows; None for none.
        joined: Whether it has joined.
        session: Whether it has joined since it, and the hub, last started.
        powered: Whether it has power.
        images: Takes images from the hub.
        screen: What is on its screen.
        window: Its wake windows; None for one that always listens.
    """

    device_type: ClassVar[DeviceType] = DeviceType.PPMID
    images_type: ClassVar[type[DisplayImages]] = DisplayImages

    def __init__(
        self,
        eui64: Eui64,
        profile: DeviceProfile,
        hub: Eui64,
        meter: Eui64 | None = None,
        *,
        takes_images: bool = True,
    ) -> None:
        """Take what it is and whom it belongs to; it is off, and has joined nothing."""
        self.eui64 = eui64
        self.profile = profile
        self.hub = hub
        self.meter = meter
        self.joined = False
        self.session = False
        self.powered = False
        self.images = self.images_type(eui64, profile, hub, takes=takes_images)
        self.screen = Screen()
        radio = profile.radio
        self.window = (
            WakeWindow(radio.wake_period_s or 0, radio.awake_window_s or 0)
            if radio.sleepy
            else None
        )
        self._settings = profile.display or DisplaySection()
        self._strikes = 0
        self._asks_when_joined = False

    def install(self, *, joined: bool) -> None:
        """Say whether the installer has left it joined."""
        self.joined = self.session = joined
        self.screen.link = Link.GOOD if joined else Link.SEEKING

    def firmware_text(self) -> str:
        """Return the version it runs, whatever the Central Products List has it under."""
        return self.images.running.hex().upper()

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order.

        Args:
            event: GBCS (a wrapper frame out of the tunnel), ZCL, TIMER, POWER_ON or POWER_OFF.
            payload: What belongs to it.
            now: The present moment.

        Raises:
            IllegalEventError: An event a display cannot have.
        """
        if event is DeviceEvent.GBCS and isinstance(payload, bytes):
            return self._sending([] if self.images.restarting else self._frame(payload, now), now)
        if event is DeviceEvent.ZCL and isinstance(payload, ZclIndication):
            return self._sending([] if self.images.restarting else self._on_zcl(payload, now), now)
        if event in {DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            return self._switched(now, on=event is DeviceEvent.POWER_ON)
        if event is DeviceEvent.TIMER and isinstance(payload, str):
            return self._sending(self._on_timer(payload, now), now)
        raise IllegalEventError(f"a SMETS1 display has no {event.name}")

    # -- power and sleep -----------------------------------------------------------------------

    def _switched(self, now: UtcMs, *, on: bool) -> list[Effect]:
        self.powered = on
        note = Note("power", (("on", on),))
        if not on:
            self.session = False
            off = self.images.power_off(now)
            closed = [] if self.window is None or not self.window.awake else self.window.close()
            return [note, *off, *closed]
        opened = [] if self.window is None else self.window.open_regular(now)
        woken = self.images.power_on(now)
        if self.images.restarting:
            return [note, *opened, *woken]
        called = [] if self.joined and self.session else self._call(now)
        return [note, *opened, *called, *woken, *self._plan(now)]

    @property
    def at_ease(self) -> bool:
        """Whether it has nothing to do of its own accord at its next wake."""
        return self.images.at_ease and not self.images.restarting

    def _plan(self, now: UtcMs) -> list[Effect]:
        refresh_s = self._settings.refresh_s
        return [] if refresh_s is None else [SetTimer(REFRESH_TIMER, UtcMs(now + 1000 * refresh_s))]

    def _sending(self, effects: list[Effect], now: UtcMs) -> list[Effect]:
        """Switch the receiver on for what goes out while it is off."""
        sends = any(isinstance(item, SendGbcs | SendZcl) for item in effects)
        if self.window is None or self.window.awake or not sends:
            return effects
        return [*self.window.open(now), *effects]

    def _on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        if name == FINISH_TIMER:
            return self._restarted(now)
        if name == WAKE_TIMER and self.window is not None:
            opened = self.window.open_regular(now)
            return opened if self.images.restarting else [*opened, *self.images.wake(now)]
        if name == SLEEP_TIMER and self.window is not None:
            return [*self.images.sleep(now), *(self.window.close() if self.window.awake else [])]
        if self.images.restarting:
            return []
        if self.images.owns(name):
            return self._watched(self.images.on_timer(name, now))
        return self._own_timer(name, now)

    def _own_timer(self, name: str, now: UtcMs) -> list[Effect]:
        if name == SCAN_TIMER:
            return [] if self.session else self._call(now)
        if name == REFRESH_TIMER:
            return [*self._ask_meter(now), *self._plan(now)]
        if name == ANSWER_TIMER:
            if self._strikes == 0:
                self.screen.link = Link.NO_METER
                return [Note("display", (("link", self.screen.link.value),))]
            return self._ask_meter(now)
        if name == DARK_TIMER:
            self.screen.lit = False
        return []

    def _watched(self, effects: list[Effect]) -> list[Effect]:
        """Let the screen go dark while an image starts."""
        if self.images.restarting:
            self.screen.lit = False
            self.session = False
        return effects

    def _restarted(self, now: UtcMs) -> list[Effect]:
        """Be there again after an image was started: join again, and ask the hub then."""
        _how, effects = self.images.finish(now)
        self.screen.lit = True
        self._asks_when_joined = True
        return [*effects, *self._call(now), *self._plan(now)]

    def press(self, now: UtcMs) -> list[Effect]:
        """Press a button: the screen lights up, and the meter is asked."""
        if not self.powered or self.images.restarting:
            return []
        self.screen.lit = True
        dark_s = self._settings.dark_after_s
        later = [] if dark_s is None else [SetTimer(DARK_TIMER, UtcMs(now + 1000 * dark_s))]
        return [*self._sending(self._ask_meter(now), now), *later]

    # -- the hub -------------------------------------------------------------------------------

    def _frame(self, octets: bytes, now: UtcMs) -> list[Effect]:
        try:
            frame = wrapper.decode(octets)
            if frame.destination == NOTICE_PORT:
                return self.images.on_frame(frame.apdu, now)
            if frame.destination == MESSAGE_PORT:
                self.screen.message = frame.apdu.decode(errors="replace")
                return [Note("display", (("message", self.screen.message),))]
            said = han_log.decode_join(frame.apdu)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        if said.eui64 != self.eui64 or said.word is Word.HELLO:
            return [Note("join_ignored", (("device", str(said.eui64)),))]
        if said.word is Word.INVITE:
            self.session = False
            return self._call(now)
        return self._is_joined(now, joined=said.word is Word.WELCOME)

    def _is_joined(self, now: UtcMs, *, joined: bool) -> list[Effect]:
        changed, self.joined = joined != self.joined, joined
        self.session, self._strikes = joined, 0
        self.screen.link = Link.GOOD if joined else Link.SEEKING
        effects: list[Effect] = [CancelTimer(SCAN_TIMER)]
        if changed:
            effects.append(Note("han_joined", (("joined", joined),)))
        if joined:
            effects += self._ask_meter(now)
        if joined and (self._asks_when_joined or self.images.ota.interrupted):
            self._asks_when_joined = False
            effects += self.images.ask(now)
        return effects

    def said(self) -> Join:
        """Return what it says when it wants to join."""
        maker = self.profile.identity.manufacturer_code
        return Join(Word.HELLO, self.eui64, maker, self.firmware_text().encode())

    def _call(self, now: UtcMs) -> list[Effect]:
        """Say hello to the hub, and again after a while without an answer."""
        self.screen.link = Link.SEEKING
        apdu = han_log.encode_join(self.said())
        frame = WrapperFrame(han_log.JOIN_PORT, han_log.JOIN_PORT, apdu)
        hello = SendGbcs(wrapper.encode(frame), self.hub)
        return [hello, SetTimer(SCAN_TIMER, UtcMs(now + SCAN_MS))]

    # -- ZCL -----------------------------------------------------------------------------------

    def _on_zcl(self, indication: ZclIndication, now: UtcMs) -> list[Effect]:
        if indication.cluster == ota.CLUSTER:
            return self.images.on_zcl(indication, now)
        if indication.cluster == basic.CLUSTER:
            return han_basic.answer(self.profile, indication)
        if (indication.cluster, indication.source) != (prepayment.CLUSTER, self.meter):
            return [Note("zcl_ignored", (("cluster", f"{indication.cluster:04x}"),))]
        try:
            heard = self.screen.take(indication.frame)
        except MalformedFrameError as error:
            return [Note("malformed_frame", (("layer", error.layer), ("why", error.why)))]
        return self._answered(heard, now)

    def _answered(self, heard: Heard, now: UtcMs) -> list[Effect]:
        if heard is Heard.VALUES:
            self._strikes = 0
            return [CancelTimer(ANSWER_TIMER)]
        if heard is Heard.NOTHING:
            return []
        self._strikes += 1
        if self._strikes < MOST_STRIKES:
            return [SetTimer(ANSWER_TIMER, UtcMs(now + ANSWER_MS))]
        self.session, self._strikes = False, 0
        return [Note("display", (("link", "lost"),)), CancelTimer(ANSWER_TIMER), *self._call(now)]

    def _ask_meter(self, now: UtcMs) -> list[Effect]:
        if self.meter is None or not self.session:
            return []
        question = display_screen.question(self.meter, self.images.next_sequence())
        return [question, SetTimer(ANSWER_TIMER, UtcMs(now + ANSWER_MS))]

    # -- faults, dump, load, rows --------------------------------------------------------------

    def inject(self, fault: str) -> None:
        """Put a fault inside the display.

        Args:
            fault: ``self-test-fails`` (of the firmware started next), or ``battery-low``.

        Raises:
            ValueError: No such fault.
        """
        if fault == "self-test-fails":
            self.images.self_test_fails = True
        elif fault == "battery-low":
            self.images.battery_days = 1
        else:
            raise ValueError(f"a SMETS1 display has no inner fault {fault!r}")

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        window: Json = None if self.window is None else self.window.dump()
        state: State = {
            "joined": self.joined,
            "session": self.session,
            "powered": self.powered,
            "images": self.images.dump(),
            "screen": self.screen.dump(),
            "window": window,
            "strikes": self._strikes,
            "asks_when_joined": self._asks_when_joined,
        }
        if self.images.battery_days is not None:
            state["battery_days"] = self.images.battery_days
        return state

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this device.
        """
        saved = Saved(state)
        self.joined = saved.flag("joined")
        self.session = saved.flag("session")
        self.powered = saved.flag("powered")
        self.images.load(saved.part("images"))
        self.images.battery_days = saved.optional_number("battery_days")
        self.screen = Screen.restore(saved.part("screen"))
        if self.window is not None:
            self.window.load(saved.part("window"))
        self._strikes = saved.number("strikes")
        self._asks_when_joined = saved.flag("asks_when_joined")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        identity = self.profile.identity
        return {
            "model": f"{identity.manufacturer_name} {identity.model_name}",
            "power": "on" if self.powered else "off",
            "firmware": self.firmware_text(),
            "joined": "yes" if self.joined else "no",
            "head-end credentials": "none",
            **self.screen.rows(),
            **self.images.rows(),
        }
