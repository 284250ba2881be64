"""Image transfer (class 18) of a SMETS1 hub: images for itself and for the devices behind it.

An image for a device leaves the transfer when it is verified; the hub's own stays, whatever comes
in after it, until it is activated.
"""

from typing import TYPE_CHECKING

from device_profiles.dlms import ImageMemory, ImageSection
from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.hub_image import ImageTicket, Reason
from emulator.codecs.ota_file import OtaHeader
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.saved import Saved, State
from emulator.devices.smets1.hub_images import HubImages
from emulator.devices.smets1.image import (
    MAX_IDENTIFIER_BYTES,
    ImageState,
    ImageTransfer,
    Transfer,
    header_of,
)
from emulator.devices.smets1.logs import EventCode

if TYPE_CHECKING:
    from emulator.devices.smets1.object_model import Moment

#: States in which nothing can be activated.
_BUSY = frozenset(
    {ImageState.INITIATED, ImageState.VERIFY_INITIATED, ImageState.ACTIVATE_INITIATED}
)


class HubImageTransfer(ImageTransfer):
    """The image transfer of one hub.

    Attributes:
        own: The hub's own image, verified and not started yet.
    """

    def __init__(self, eui64: Eui64, profile: DeviceProfile, section: ImageSection) -> None:
        """Take what the hub is; ``connect`` gives it its store."""
        super().__init__(eui64, profile, section)
        self.own: Transfer | None = None
        self._images: HubImages | None = None
        self._objection = ""

    def connect(self, images: HubImages) -> None:
        """Take the hub's images."""
        self._images = images
        images.orders.drop_own = self.drop_own

    @property
    def images(self) -> HubImages:
        """The hub's images.

        Raises:
            IllegalEventError: It was never connected.
        """
        if self._images is None:
            raise IllegalEventError("a hub's image transfer without its store")
        return self._images

    def drop_own(self) -> bool:
        """Let go of the hub's own image that waits; say whether there was one."""
        waiting = self.own is not None and self.state is not ImageState.ACTIVATE_INITIATED
        if waiting:
            self.own = None
        return waiting

    # -- methods -------------------------------------------------------------------------------

    def initiate(self, identifier: bytes, size_bytes: int) -> ActionResult:
        """Begin a transfer named by an image ticket; what is not taken is in the distribution log.

        An identifier that is no ticket names an image for the hub itself, whose header says its
        version, and which takes the place of one that waits (an installer's tool knows no tickets).
        """
        busy = self._busy()
        if busy is not None:
            return busy
        if size_bytes < 1 or not 1 <= len(identifier) <= MAX_IDENTIFIER_BYTES:
            return ActionResult.SCOPE_OF_ACCESS_VIOLATED
        self.transfer, self.state = None, ImageState.NOT_INITIATED
        reason = self.images.offered(self._ticket(identifier), size_bytes)
        if reason is not Reason.NONE:
            return ActionResult.SCOPE_OF_ACCESS_VIOLATED
        self.begin(identifier, size_bytes)
        return ActionResult.SUCCESS

    def _ticket(self, identifier: bytes) -> ImageTicket:
        try:
            return hub_image.decode_ticket(identifier)
        except MalformedFrameError:
            return ImageTicket(self._eui64, 0, force_replace=True)

    def activate(self, at: "Moment") -> ActionResult:
        """Start the hub's own image; whoever asks for octets meanwhile is told to wait."""
        result = super().activate(at)
        if result is ActionResult.SUCCESS:
            self._restart_until(at.now)
        return result

    def _restart_until(self, now: UtcMs) -> None:
        self.images.wait_until(UtcMs(now + 1000 * self.section.activation_s))

    # -- what it depends on --------------------------------------------------------------------

    def may_activate(self) -> bool:
        """Say whether the hub has a verified image of its own that it agrees to run."""
        if self.own is None or self.state in _BUSY:
            return False
        kept, self.state = self.state, ImageState.VERIFIED
        agrees = super().may_activate()
        self.state = kept
        return agrees

    def header_to_run(self) -> OtaHeader | None:
        """Return the OTA header of the hub's own image."""
        return header_of(self.own)

    def why_not(self) -> str:
        """Return why the image judged last was not taken; empty when it was."""
        return self._objection

    # -- time and power ------------------------------------------------------------------------

    def finish_verification(self) -> bool:
        """Judge the image; hand one for a device on, keep the hub's own."""
        transfer = self.transfer
        if transfer is None:
            return False
        own = self._for_itself(transfer)
        objection = super().why_not() if own else ""
        header = self.header()
        self.images.settle_own_version(header)
        reason = self.images.judged(bytes(transfer.octets), header, objection)
        good = reason is Reason.NONE
        self._objection = "" if good else reason.word
        if good and own:
            self.own = transfer
        elif good:
            transfer.octets = bytearray()
        state = ImageState.VERIFIED if good else ImageState.VERIFY_FAILED
        self._enter(state, EventCode.IMAGE_VERIFIED if good else EventCode.IMAGE_VERIFY_FAILED)
        return good

    def _for_itself(self, transfer: Transfer) -> bool:
        return self._ticket(transfer.identifier).target == self._eui64

    def finish_activation(self) -> None:
        """End the hub's restart: the new version runs, or failed its self-test and the old does."""
        super().finish_activation()
        self.own = None
        self.images.wait_until(None)
        self.images.own_ended(good=self.state is ImageState.ACTIVATED)

    def lose_power(self) -> None:
        """Lose an unfinished image, where the model does; say so when power is back."""
        super().lose_power()
        lost = self.transfer is None and self.section.power_loss is ImageMemory.LOST
        if lost and self.images.staging is not None:
            self.images.staging_lost(Reason.POWER_LOST)

    def power_on(self, now: UtcMs) -> list[Effect]:
        """Take up what power interrupted."""
        if self.state is ImageState.ACTIVATE_INITIATED:
            self._restart_until(now)
        return super().power_on(now)

    def take_events(self) -> list[EventCode]:
        """Return what is to be logged, and forget it."""
        events, self.images.events = [*super().take_events(), *self.images.events], []
        return events

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values."""
        own = None if self.own is None else self.own.dump()
        return {**super().dump(), "own": own, "objection": self._objection}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        super().load(saved)
        part = saved.optional_part("own")
        self.own = None if part is None else Transfer.restore(part)
        self._objection = saved.text("objection")
