"""Blocks and pages of held images: what the hub gives a client that asks for octets."""

from typing import Any, Final, Protocol

from device_profiles.schema import DeviceProfile
from emulator.codecs.gbcs.asn1 import TransferCode
from emulator.codecs.zcl.ota import (
    ImageBlockRefusal,
    ImageBlockRequest,
    ImageBlockResponse,
    ImageBlockWait,
    ImagePageRequest,
    OtaCommand,
    OtaStatus,
)
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import Effect, Note, SetTimer
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery import Delivery, Page, is_about
from emulator.devices.chf.image_store import ImageStore, StoredImage

PAGE_TIMER: Final = "serve.page/"


class HubSide(Protocol):
    """What the server needs of the hub around it."""

    def ota_frame(self, to: Eui64, command: Any, sequence: int | None) -> Effect:
        """Return the effect that sends an OTA command; an answer repeats a sequence number."""
        ...

    def default_response(self, to: Eui64, command: int, status: int, sequence: int) -> Effect:
        """Return the effect that sends a default response in the OTA cluster."""
        ...

    def tell_transfer(
        self, delivery: Delivery, version: bytes, code: TransferCode, now: UtcMs
    ) -> list[Effect]:
        """Send CCS08 where the target's type has it."""
        ...


class BlockServer:
    """Gives octets of held images.

    Attributes:
        store: The hub's image storage.
        hub: The hub around it.
        busy_until: While the hub restarts itself, clients are asked to wait until then.
    """

    def __init__(self, profile: DeviceProfile, store: ImageStore, hub: HubSide) -> None:
        self._firmware = profile.firmware
        self.store = store
        self.hub = hub
        self.busy_until: UtcMs | None = None

    def is_busy(self, now: UtcMs) -> bool:
        """Say whether the hub restarts itself just now."""
        return self.busy_until is not None and now < self.busy_until

    def image_of(self, delivery: Delivery) -> StoredImage | None:
        """Return the held image a delivery is about."""
        return None if delivery.image_id is None else self.store.held.get(delivery.image_id)

    def _held(self, delivery: Delivery) -> StoredImage:
        image = self.image_of(delivery)
        if image is None:
            raise IllegalEventError(f"OTA server: no image for {delivery.target}")
        return image

    def _refuse_block(
        self, delivery: Delivery, command: ImageBlockRequest | ImagePageRequest
    ) -> OtaStatus | None:
        image = self.image_of(delivery)
        if image is None or not delivery.open:
            return OtaStatus.ABORT
        if not is_about(image.header, command):
            return OtaStatus.NO_IMAGE_AVAILABLE
        inside = command.offset < len(image.octets)
        return None if inside and command.max_data_size > 0 else OtaStatus.MALFORMED_COMMAND

    def _wait(self, delivery: Delivery, sequence: int, now: UtcMs) -> Effect:
        seconds = to_zigbee_seconds(now)
        wait = ImageBlockWait(seconds, seconds + self._firmware.wait_for_data_s)
        return self.hub.ota_frame(delivery.target, wait, sequence)

    def _ask_page(
        self, delivery: Delivery, command: ImagePageRequest, sequence: int, now: UtcMs
    ) -> list[Effect]:
        if not self._firmware.page_support:
            status = OtaStatus.UNSUPPORTED_CLUSTER_COMMAND
            return [
                self.hub.default_response(
                    delivery.target, OtaCommand.IMAGE_PAGE_REQUEST, status, sequence
                )
            ]
        refusal = self._refuse_block(delivery, command)
        if command.page_size == 0:
            refusal = refusal or OtaStatus.MALFORMED_COMMAND
        image = self.image_of(delivery)
        if refusal is not None or image is None:
            frame = ImageBlockRefusal(refusal or OtaStatus.ABORT)
            return [self.hub.ota_frame(delivery.target, frame, sequence)]
        if self.is_busy(now):
            return [self._wait(delivery, sequence, now)]
        end = min(command.offset + command.page_size, len(image.octets))
        size = min(command.max_data_size, self._firmware.max_data_size)
        delivery.page = Page(command.offset, end, size, command.response_spacing_ms)
        return self._page_block(delivery, now)

    def _give(
        self, delivery: Delivery, offset: int, size: int, sequence: int | None, now: UtcMs
    ) -> list[Effect]:
        image = self._held(delivery)
        header, data = image.header, image.octets[offset : offset + size]
        answer = ImageBlockResponse(
            header.manufacturer_code, header.image_type, header.file_version, offset, data
        )
        before, delivery.offset = delivery.offset, offset + len(data)
        total = len(image.octets)
        effects = [self.hub.ota_frame(delivery.target, answer, sequence)]
        if delivery.offset * 10 // total > before * 10 // total:
            effects.append(self._progress(delivery, total, now))
        return effects

    def _progress(self, delivery: Delivery, total: int, now: UtcMs) -> Note:
        taken_ms = max(now - (delivery.served_from or now), 1)
        octets_per_s = delivery.offset * 1000 // taken_ms
        left_s = (total - delivery.offset) // octets_per_s if octets_per_s else -1
        fields = (
            ("target", str(delivery.target)),
            ("offset", delivery.offset),
            ("total", total),
            ("octets_per_s", octets_per_s),
            ("left_s", left_s),
        )
        return Note("ota_progress", fields)

    def _page_block(self, delivery: Delivery, now: UtcMs) -> list[Effect]:
        page = delivery.page
        if page is None or not delivery.open:
            return []
        size = min(page.block_bytes, page.end - page.offset)
        effects = self._give(delivery, page.offset, size, None, now)
        page.offset += size
        if page.offset >= page.end:
            delivery.page = None
            return effects
        at = UtcMs(now + page.spacing_ms)
        return [*effects, SetTimer(f"{PAGE_TIMER}{delivery.target.hex}", at)]
