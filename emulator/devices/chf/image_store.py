"""The hub's image storage: what it holds for the HAN, what is coming in, and what has room."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from emulator.codecs import ota_file
from emulator.codecs.csp_transfer import Offer, Reason
from emulator.codecs.ota_file import ImageError, OtaHeader
from emulator.core.clock import UtcMs
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved, State

#: Octets in which every OTA header lies.
_HEADER_ROOM_BYTES: Final = ota_file.FIXED_HEADER_BYTES + 13
#: A supplier-signed image ends ForceReplace, 40, signature: the hub reads the first of these.
_TRAILER_BYTES: Final = ota_file.TRAILER_BYTES


@dataclass(slots=True)
class IncomingImage:
    """An image that the CSP is sending.

    Attributes:
        offer: What the CSP said of it.
        targets: The offer's targets that this hub will serve.
        started_at: When the offer was taken.
        refused: Set where the hub takes no more than the header, to say whose image it refuses.
        octets: What has arrived, without gaps.
    """

    offer: Offer
    targets: tuple[Eui64, ...]
    started_at: UtcMs
    refused: Reason | None = None
    octets: bytearray = field(default_factory=bytearray)

    @property
    def version(self) -> bytes:
        """Firmware version of the image: four octets, zeros while no header has been read."""
        try:
            return ota_file.decode_header(bytes(self.octets[:_HEADER_ROOM_BYTES])).version_octets
        except ImageError:
            return bytes(4)

    def take(self, offset: int, data: bytes) -> int:
        """Take a chunk if it is the next one; return where the next one must begin."""
        here = len(self.octets)
        if offset == here and here + len(data) <= self.offer.total_size:
            self.octets += data
        return len(self.octets)

    def judge(self) -> Reason:
        """Say whether all has arrived as announced."""
        octets = bytes(self.octets)
        if len(octets) != self.offer.total_size:
            return Reason.TRANSFER_FAILED
        if hashlib.sha256(octets).digest() != self.offer.sha256:
            return Reason.HASH_MISMATCH
        try:
            header = ota_file.decode_header(octets)
        except ImageError:
            return Reason.MALFORMED
        return Reason.HELD if header.total_image_size == len(octets) else Reason.MALFORMED

    def dump(self) -> State:
        """Return the transfer as JSON."""
        offer = self.offer
        return {
            "transfer_id": offer.transfer_id,
            "request_id": offer.request_id,
            "total_size": offer.total_size,
            "sha256": offer.sha256.hex(),
            "offered_to": [target.hex for target in offer.targets],
            "targets": [target.hex for target in self.targets],
            "started_at": self.started_at,
            "refused": None if self.refused is None else int(self.refused),
            "octets": self.octets.hex(),
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the transfer a dump describes."""
        offer = Offer(
            saved.number("transfer_id"),
            saved.text("request_id"),
            saved.number("total_size"),
            saved.octets("sha256"),
            saved.eui64s("offered_to"),
        )
        octets = bytearray(saved.octets("octets"))
        code = saved.optional_number("refused")
        refused = None if code is None else Reason(code)
        targets, started_at = saved.eui64s("targets"), saved.moment("started_at")
        return cls(offer, targets, started_at, refused, octets)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image the hub holds.

    Attributes:
        image_id: Number of the transfer that brought it.
        request_id: The update request it belongs to.
        octets: The OTA file.
        targets: Devices it is for.
        header: The OTA header in ``octets``.
    """

    image_id: int
    request_id: str
    octets: bytes
    targets: tuple[Eui64, ...]
    header: OtaHeader

    @classmethod
    def of(cls, image_id: int, request_id: str, octets: bytes, targets: tuple[Eui64, ...]) -> Self:
        """Return an image with its header read.

        Raises:
            ImageError: It has none.
        """
        return cls(image_id, request_id, octets, targets, ota_file.decode_header(octets))

    @property
    def forces_replacement(self) -> bool:
        """Whether ForceReplace is set, as far as this image has one.

        Source:
            F-046. The hub tells a trailer by the 40 before the signature: inferred (nothing else
            in the file tells whether there is one).
        """
        trailer = self.octets[-_TRAILER_BYTES:]
        return trailer[1] == ota_file.SIGNATURE_BYTES and trailer[0] == 1

    def dump(self) -> State:
        """Return the image as JSON."""
        return {
            "image_id": self.image_id,
            "request_id": self.request_id,
            "octets": self.octets.hex(),
            "targets": [target.hex for target in self.targets],
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the image a dump describes."""
        return cls.of(
            saved.number("image_id"),
            saved.text("request_id"),
            saved.octets("octets"),
            saved.eui64s("targets"),
        )


class ImageStore:
    """Images held and coming in, within the hub's octets and slots.

    Attributes:
        limit_bytes: Octets there are for images.
        slots: Images it can hold.
        held: Held images by number.
        incoming: Images coming in by number.

    Source:
        S003 section 3: the limit is the hub's, is checked per image, and an image that does not
        fit never blocks one that does.
    """

    def __init__(self, limit_bytes: int, slots: int) -> None:
        self.limit_bytes = limit_bytes
        self.slots = slots
        self.held: dict[int, StoredImage] = {}
        self.incoming: dict[int, IncomingImage] = {}

    @property
    def used_bytes(self) -> int:
        """Octets taken by what is held."""
        return sum(len(image.octets) for image in self.held.values())

    def admit(self, offer: Offer, replaceable: frozenset[int]) -> Reason:
        """Say whether an offered image has room.

        Args:
            offer: The offer.
            replaceable: Held images that this one may replace; they do not count.
        """
        if offer.total_size > self.limit_bytes:
            return Reason.TOO_LARGE
        coming = (item for item in self.incoming.values() if item.refused is None)
        sizes = [item.offer.total_size for item in coming]
        fits = self.has_room(offer.total_size, replaceable, sizes)
        return Reason.ACCEPTED if fits else Reason.STORE_FULL

    def has_room(
        self, size_bytes: int, leaving: frozenset[int], coming: Sequence[int] = ()
    ) -> bool:
        """Say whether one more image of this size fits.

        Args:
            size_bytes: Octets of the image.
            leaving: Held images that go when it comes.
            coming: Octets of other images that room is kept for.
        """
        sizes = [len(image.octets) for key, image in self.held.items() if key not in leaving]
        sizes += coming
        return len(sizes) < self.slots and sum(sizes) + size_bytes <= self.limit_bytes

    def begin(
        self, offer: Offer, targets: tuple[Eui64, ...], now: UtcMs, refused: Reason | None = None
    ) -> None:
        """Let an image come in; of a refused one no more than its header.

        Raises:
            IllegalEventError: A transfer of that number is coming in already.
        """
        if offer.transfer_id in self.incoming:
            raise IllegalEventError(f"transfer {offer.transfer_id} is under way already")
        self.incoming[offer.transfer_id] = IncomingImage(offer, targets, now, refused)

    def finish(self, transfer_id: int, targets: tuple[Eui64, ...]) -> StoredImage:
        """Keep an image that came in whole, for those targets."""
        incoming = self.incoming.pop(transfer_id)
        image = StoredImage.of(
            transfer_id, incoming.offer.request_id, bytes(incoming.octets), targets
        )
        self.held[transfer_id] = image
        return image

    def dump(self) -> State:
        """Return the store as JSON."""
        held: list[Json] = [image.dump() for image in self.held.values()]
        return {"held": held, "incoming": [item.dump() for item in self.incoming.values()]}

    def load(self, saved: Saved) -> None:
        """Take over a dumped store."""
        held = [StoredImage.restore(row) for row in saved.rows("held")]
        incoming = [IncomingImage.restore(row) for row in saved.rows("incoming")]
        self.held = {image.image_id: image for image in held}
        self.incoming = {item.offer.transfer_id: item for item in incoming}
