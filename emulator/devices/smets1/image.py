"""Image transfer (class 18): blocks in any order, verification, activation."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from device_profiles.dlms import ActivationDrop, ImageMemory, ImageSection, VerifyPolicy
from device_profiles.schema import DeviceProfile
from device_profiles.words import DowngradePolicy
from emulator.codecs import ota_file
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.ota_file import ImageError, OtaHeader
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, Effect, Note, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.saved import Saved, State
from emulator.devices.smets1.binding import bit_string
from emulator.devices.smets1.logs import EventCode

if TYPE_CHECKING:
    from emulator.devices.smets1.object_model import Moment

VERIFY_TIMER: Final = "image.verify"
ACTIVATE_TIMER: Final = "image.activate"
#: Longest image identifier. Source: invented.
MAX_IDENTIFIER_BYTES: Final = 64


class ImageState(enum.IntEnum):
    """Image transfer status, attribute 6.

    Source:
        IEC 62056-6-2 Image transfer; numbers of serial-dlms.md 3.2.
    """

    NOT_INITIATED = 0
    INITIATED = 1
    VERIFY_INITIATED = 2
    VERIFIED = 3
    VERIFY_FAILED = 4
    ACTIVATE_INITIATED = 5
    ACTIVATED = 6
    ACTIVATE_FAILED = 7


@dataclass(slots=True)
class Transfer:
    """An image on its way or there.

    Attributes:
        identifier: What the client calls it.
        octets: Its octets, zero where none arrived.
        arrived: One octet a block, 1 for there.
        first_missing: Number of the first block that is not there.
        size_bytes: Octets of the whole image, wherever they are now.
    """

    identifier: bytes
    octets: bytearray
    arrived: bytearray
    first_missing: int = 0
    size_bytes: int = 0

    @classmethod
    def whole_of(cls, identifier: bytes, octets: bytes, block_bytes: int) -> Self:
        """Return a transfer all of whose blocks are there."""
        blocks = -(-len(octets) // block_bytes)
        return cls(identifier, bytearray(octets), bytearray(b"\x01" * blocks), blocks, len(octets))

    @classmethod
    def empty_of(cls, identifier: bytes, size_bytes: int, block_bytes: int) -> Self:
        """Return a transfer none of whose blocks is there."""
        blocks = -(-size_bytes // block_bytes)
        return cls(identifier, bytearray(size_bytes), bytearray(blocks), 0, size_bytes)

    @property
    def whole(self) -> bool:
        """Whether every block is there."""
        return self.first_missing == len(self.arrived)

    def take(self, number: int, block: bytes, block_bytes: int) -> None:
        """Put a block into its place."""
        at = number * block_bytes
        self.octets[at : at + len(block)] = block
        self.arrived[number] = 1
        missing = self.arrived.find(0, self.first_missing)
        self.first_missing = len(self.arrived) if missing < 0 else missing

    def dump(self) -> State:
        """Return the transfer as JSON values."""
        return {
            "identifier": self.identifier.hex(),
            "octets": self.octets.hex(),
            "arrived": self.arrived.hex(),
            "size_bytes": self.size_bytes,
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the transfer a dump describes."""
        arrived = bytearray(saved.octets("arrived"))
        missing = arrived.find(0)
        return cls(
            saved.octets("identifier"),
            bytearray(saved.octets("octets")),
            arrived,
            len(arrived) if missing < 0 else missing,
            saved.number("size_bytes"),
        )


class ImageTransfer:
    """The image transfer of one meter.

    Attributes:
        state: Where it stands.
        enabled: Whether methods do anything.
        transfer: The image; None before the first and after a reset.
        running: Version that runs, four octets.
        self_test_fails: Whether the firmware started next fails its self-test.
    """

    def __init__(self, eui64: Eui64, profile: DeviceProfile, section: ImageSection) -> None:
        self._eui64, self._profile, self.section = eui64, profile, section
        self.state = ImageState.NOT_INITIATED
        self.enabled = True
        self.transfer: Transfer | None = None
        self.running = profile.identity.version_octets
        self.self_test_fails = False
        self._events: list[EventCode] = []

    # -- methods -------------------------------------------------------------------------------

    def initiate(self, identifier: bytes, size_bytes: int) -> ActionResult:
        """Begin a transfer; an earlier one is forgotten unless it is being verified or started."""
        busy = self._busy()
        if busy is not None:
            return busy
        if not 1 <= size_bytes <= self._profile.firmware.max_image_bytes:
            return ActionResult.SCOPE_OF_ACCESS_VIOLATED
        if not 1 <= len(identifier) <= MAX_IDENTIFIER_BYTES:
            return ActionResult.SCOPE_OF_ACCESS_VIOLATED
        self.begin(identifier, size_bytes)
        return ActionResult.SUCCESS

    def begin(self, identifier: bytes, size_bytes: int) -> None:
        """Make room for an image."""
        self.transfer = Transfer.empty_of(identifier, size_bytes, self.section.block_bytes)
        self._enter(ImageState.INITIATED, EventCode.IMAGE_INITIATED)

    def receive(self, identifier: bytes, octets: bytes) -> bool:
        """Take a whole image that came over the HAN, and verify it; say whether it is good.

        A transfer on this interface is forgotten, unless its image is being verified or started.
        """
        if self._busy() is not None:
            return False
        self.transfer = Transfer.whole_of(identifier, octets, self.section.block_bytes)
        self._enter(ImageState.INITIATED, EventCode.IMAGE_INITIATED)
        return self.finish_verification()

    def block(self, number: int, octets: bytes) -> ActionResult:
        """Take a block: of exactly the block size, the last one of what is left."""
        busy = self._busy()
        if busy is not None:
            return busy
        if self.transfer is None or self.state is not ImageState.INITIATED:
            return ActionResult.OTHER_REASON
        if number >= len(self.transfer.arrived):
            return ActionResult.SCOPE_OF_ACCESS_VIOLATED
        size = self.section.block_bytes
        due = min(size, len(self.transfer.octets) - number * size)
        if len(octets) != due:
            return ActionResult.TYPE_UNMATCHED
        self.transfer.take(number, octets, size)
        return ActionResult.SUCCESS

    def verify(self, at: "Moment") -> ActionResult:
        """Verify the whole image: at once, or pending until the timer has run."""
        if not self.enabled:
            return ActionResult.OBJECT_UNAVAILABLE
        if self.state is ImageState.VERIFIED:
            return ActionResult.SUCCESS
        if self.state is ImageState.VERIFY_INITIATED:
            return ActionResult.TEMPORARY_FAILURE
        if self.state is not ImageState.INITIATED or self.lacks_blocks():
            return ActionResult.OTHER_REASON
        if self.section.verify is VerifyPolicy.PENDING:
            self._enter(ImageState.VERIFY_INITIATED)
            at.outbox.put(self._verify_timer(at.now))
            return ActionResult.TEMPORARY_FAILURE
        good = self.finish_verification()
        return ActionResult.SUCCESS if good else ActionResult.OTHER_REASON

    def activate(self, at: "Moment") -> ActionResult:
        """Start the verified image; the version changes when the restart is over."""
        busy = self._busy()
        if busy is not None:
            return busy
        if not self.may_activate():
            return ActionResult.OTHER_REASON
        self._enter(ImageState.ACTIVATE_INITIATED)
        at.outbox.put(self._activate_timer(at.now))
        if self.section.activation is ActivationDrop.DROPS:
            at.outbox.put(CloseDlms())
        return ActionResult.SUCCESS

    def _busy(self) -> ActionResult | None:
        if not self.enabled:
            return ActionResult.OBJECT_UNAVAILABLE
        if self.state in {ImageState.VERIFY_INITIATED, ImageState.ACTIVATE_INITIATED}:
            return ActionResult.TEMPORARY_FAILURE
        return None

    # -- what it depends on --------------------------------------------------------------------

    def lacks_blocks(self) -> bool:
        """Say whether a block is missing."""
        return self.transfer is None or not self.transfer.whole

    def may_activate(self) -> bool:
        """Say whether there is a verified image that the meter agrees to run."""
        if self.state is not ImageState.VERIFIED:
            return False
        refuses = self._profile.firmware.downgrade_policy is DowngradePolicy.REFUSE_AT_ACTIVATION
        return not (refuses and self._is_lower(self.header_to_run()))

    def header(self) -> OtaHeader | None:
        """Return the OTA header of the image; None where it has none that can be read."""
        return header_of(self.transfer)

    def header_to_run(self) -> OtaHeader | None:
        """Return the OTA header of the image that an activation starts."""
        return self.header()

    def why_not(self) -> str:
        """Return why the image is not for this meter; empty when it is.

        Source:
            inferred: a meter must not run what is not for it. The signature is not looked at
            (stand-in: a SMETS1 maker's way of signing is not public).
        """
        if self.transfer is None:
            return "no-image"
        octets = bytes(self.transfer.octets)
        return objection_to(octets, self._profile, self._eui64, self.running)

    def content_hash(self) -> bytes:
        """Return SHA-256 of the Manufacturer Image held, metadata included; empty for none.

        Source:
            stand-in: what a meter tells of an image so that a client can see that it is the one it
            sent (class 18 has a signature there, and no SMETS1 maker's is public).
        """
        if self.transfer is None:
            return b""
        try:
            image = ota_file.decode(bytes(self.transfer.octets), self._profile.firmware.image_kind)
        except ImageError:
            return b""
        return ota_file.manufacturer_image_hash(image)

    def _is_lower(self, header: OtaHeader | None) -> bool:
        return header is not None and header.version_octets < self.running

    # -- time and power ------------------------------------------------------------------------

    def finish_verification(self) -> bool:
        """Judge the image; say whether it is good."""
        good = not self.why_not()
        state = ImageState.VERIFIED if good else ImageState.VERIFY_FAILED
        self._enter(state, EventCode.IMAGE_VERIFIED if good else EventCode.IMAGE_VERIFY_FAILED)
        return good

    def finish_activation(self) -> None:
        """End the restart: the new version runs, or failed its self-test and the old one does."""
        header, fails = self.header_to_run(), self.self_test_fails
        self.self_test_fails = False
        if header is None or fails:
            self._enter(ImageState.ACTIVATE_FAILED, EventCode.IMAGE_ACTIVATION_FAILED)
            return
        self.running = header.version_octets
        self._enter(ImageState.ACTIVATED, EventCode.IMAGE_ACTIVATED)

    def lose_power(self) -> None:
        """Lose an unfinished image, where the model does."""
        unfinished = self.state in {ImageState.INITIATED, ImageState.VERIFY_INITIATED}
        if unfinished and self.section.power_loss is ImageMemory.LOST:
            self.state, self.transfer = ImageState.NOT_INITIATED, None

    def power_on(self, now: UtcMs) -> list[Effect]:
        """Take up what power interrupted."""
        if self.state is ImageState.VERIFY_INITIATED:
            return [self._verify_timer(now)]
        if self.state is ImageState.ACTIVATE_INITIATED:
            return [self._activate_timer(now)]
        return []

    def on_timer(self, name: str) -> list[Effect]:
        """Take the end of a verification or of a restart."""
        if name == VERIFY_TIMER and self.state is ImageState.VERIFY_INITIATED:
            self.finish_verification()
            return [Note("image_verified", (("why", self.why_not()),))]
        if name == ACTIVATE_TIMER and self.state is ImageState.ACTIVATE_INITIATED:
            self.finish_activation()
            return [Note("firmware_activated", (("to", self.running.hex()),))]
        return []

    def _verify_timer(self, now: UtcMs) -> SetTimer:
        return SetTimer(VERIFY_TIMER, UtcMs(now + self.section.verify_s * 1000))

    def _activate_timer(self, now: UtcMs) -> SetTimer:
        return SetTimer(ACTIVATE_TIMER, UtcMs(now + self.section.activation_s * 1000))

    def _enter(self, state: ImageState, event: EventCode | None = None) -> None:
        self.state = state
        if event is not None:
            self._events.append(event)

    def take_events(self) -> list[EventCode]:
        """Return what is to be logged, and forget it."""
        events, self._events = self._events, []
        return events

    # -- what it shows -------------------------------------------------------------------------

    def bitmap(self) -> Data:
        """Return one bit a block, set where it arrived."""
        arrived = b"" if self.transfer is None else self.transfer.arrived
        return bit_string([bool(each) for each in arrived])

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "state": int(self.state),
            "enabled": self.enabled,
            "running": self.running.hex(),
            "self_test_fails": self.self_test_fails,
            "transfer": None if self.transfer is None else self.transfer.dump(),
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.state = ImageState(saved.number("state"))
        self.enabled = saved.flag("enabled")
        self.running = saved.octets("running")
        self.self_test_fails = saved.flag("self_test_fails")
        part = saved.optional_part("transfer")
        self.transfer = None if part is None else Transfer.restore(part)


def header_of(transfer: Transfer | None) -> OtaHeader | None:
    """Return the OTA header of an image; None where it has none that can be read."""
    if transfer is None:
        return None
    try:
        return ota_file.decode_header(bytes(transfer.octets))
    except ImageError:
        return None


def objection_to(octets: bytes, profile: DeviceProfile, eui64: Eui64, running: bytes) -> str:
    """Return why an image file is not for a device; empty when it is.

    Args:
        octets: The file.
        profile: The device's model.
        eui64: The device.
        running: Version it runs, four octets.
    """
    try:
        header = ota_file.decode_header(octets)
    except ImageError:
        return "no-image"
    identity, firmware = profile.identity, profile.firmware
    low, high = header.minimum_hardware, header.maximum_hardware
    in_range = low is None or high is None or low <= identity.hardware_version <= high
    refuses = firmware.downgrade_policy is DowngradePolicy.REFUSE_AT_QUERY
    checks = (
        ("size-mismatch", header.total_image_size == len(octets)),
        ("other-manufacturer", header.manufacturer_code == identity.manufacturer_code),
        ("other-image-type", header.image_type == firmware.image_type),
        ("other-device", header.destination in {None, eui64}),
        ("other-hardware", in_range),
        ("downgrade", not (refuses and header.version_octets < running)),
    )
    return next((why for why, good in checks if not good), "")
