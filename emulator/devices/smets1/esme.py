"""The SMETS1 meters, electricity and gas, and the server of a hub.

Illustrative, stand-ins: no public document fixes any SMETS1 maker's objects.
"""

from collections.abc import Iterable
from typing import ClassVar, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.han_log import LogRow
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Payload
from emulator.devices.consumption import Kind
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1 import account_object, read_out
from emulator.devices.smets1.catalogue_device import CatalogueDevice
from emulator.devices.smets1.device_log import DeviceLog
from emulator.devices.smets1.hub_distribution import HubOtaServer
from emulator.devices.smets1.hub_images import HubImages, ImageParts
from emulator.devices.smets1.hub_metadata import HubMetadata
from emulator.devices.smets1.hub_transfer import HubImageTransfer
from emulator.devices.smets1.image import ImageState, ImageTransfer
from emulator.devices.smets1.making import Making
from emulator.devices.smets1.object_model import Moment
from emulator.devices.smets1.switch import ControlState, Order

_LOG: Final = "device_log"
_IMAGES: Final = "images"


class _WithKeypad(CatalogueDevice):
    """A meter with a keypad."""

    def key_in(self, code: str, now: UtcMs) -> list[Effect]:
        """Enter the digits of a top-up code at the keypad; a dark meter takes none."""
        at = Moment(now, security=self.security)
        if self.powered:
            account_object.key_in(self, code, at)
        return self._acted(at.outbox)


class Smets1Esme(_WithKeypad):
    """An electricity meter of the first generation."""

    device_type: ClassVar[DeviceType] = DeviceType.ESME

    def press(self, now: UtcMs) -> list[Effect]:
        """Press the button that closes a switch that is ready for it."""
        at = Moment(now, security=self.security)
        if self.powered and self.switch.state is ControlState.READY:
            self.move_switch(Order.MANUAL_RECONNECT, at)
        return self._acted(at.outbox)

    def read_out(self, now: UtcMs) -> str:
        """Return the data block of a mode C read-out."""
        return read_out.block_of(self, now)


class Smets1Gsme(_WithKeypad):
    """A gas meter of the first generation: class 70 is its valve, volumes are in dm³."""

    device_type: ClassVar[DeviceType] = DeviceType.GSME
    metered: ClassVar[Kind] = Kind.GAS


class Smets1HubServer(CatalogueDevice):
    """The server of a hub of the first generation for itself, without its gateway.

    Attributes:
        device_log: Which devices the hub serves.
        images: The images it takes, for itself and for them.
    """

    device_type: ClassVar[DeviceType] = DeviceType.CHF
    image_type: ClassVar[type[ImageTransfer]] = HubImageTransfer
    images_type: ClassVar[type[HubImages]] = HubImages
    server_type: ClassVar[type[HubOtaServer]] = HubOtaServer
    metadata_type: ClassVar[type[HubMetadata]] = HubMetadata

    def __init__(self, making: Making) -> None:
        """Build a hub's server that is off, with an empty device log.

        Raises:
            ValueError: The profile is of no hub.
        """
        super().__init__(making)
        hub, wan = making.profile.hub, making.section.wan
        if hub is None:
            raise ValueError(f"profile {making.profile.name} is of no hub")
        self.device_log = DeviceLog(
            hub.device_log_entries, () if wan is None else wan.display_makers
        )
        parts = ImageParts(making.profile, hub, making.eui64, self.device_log, self._stamp)
        self.images = self.images_type(parts, self.server_type, self.metadata_type)
        if isinstance(self.image, HubImageTransfer):
            self.image.connect(self.images)

    def _stamp(self, now: UtcMs) -> bytes:
        return self.clock.octets(self.clock.shows(now))

    def han_log(self) -> DeviceLog:
        """Return its device log."""
        return self.device_log

    def hub_images(self) -> HubImages:
        """Return the images it takes."""
        return self.images

    def install(self, rows: Iterable[LogRow]) -> None:
        """Take over what the installer has put into the device log."""
        self.device_log.install(rows)

    def on_other_network(self) -> None:
        """Note that another party's network carries the SIM; a right hub does not mind."""

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event and return what the hub wants done, in order.

        Raises:
            IllegalEventError: As ``Smets1Device.handle``.
        """
        self.images.now = now
        was = self.image.state
        effects = super().handle(event, payload, now)
        if was is not self.image.state and was is ImageState.ACTIVATE_INITIATED:
            self.device_log.end_sessions()
            self.device_log.call_back()
        if event is DeviceEvent.POWER_ON:
            self.device_log.call_back()
            effects += self.images.power_on()
        elif event is DeviceEvent.POWER_OFF:
            self.device_log.end_sessions()
        self.log_image_events(now)
        return effects

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {**super().dump(), _LOG: self.device_log.dump(), _IMAGES: self.images.dump()}

    def load(self, state: Json) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: Not a state of this kind of device; names the value.
        """
        saved = Saved(state)
        log, images = saved.part(_LOG), saved.part(_IMAGES)
        if isinstance(state, dict):
            own = {name: value for name, value in state.items() if name not in {_LOG, _IMAGES}}
            super().load(own)
        self.device_log.load(log)
        self.images.load(images)

    def rows(self) -> dict[str, str]:
        """Return the state for a reader; no key, no secret."""
        return {**super().rows(), **self.images.rows()}
