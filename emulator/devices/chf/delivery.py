"""The record of one target's delivery, and how well an image and a client fit."""

import enum
from dataclasses import dataclass
from typing import Self

from device_profiles.words import DeviceType
from emulator.codecs.ota_file import OtaHeader
from emulator.codecs.zcl.ota import (
    ImageBlockRequest,
    ImagePageRequest,
    QueryNextImageRequest,
    UpgradeEndRequest,
)
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery_table import OPEN, DeliveryState
from emulator.devices.saved import Saved, State


class Fit(enum.StrEnum):
    """How an image fits the device that asks."""

    FITS = "fits"
    OTHER_HARDWARE = "other hardware"
    OTHER_DEVICE = "other manufacturer or type"
    SAME_VERSION = "same version"


def fit(header: OtaHeader, request: QueryNextImageRequest) -> Fit:
    """Compare an image with the client that queries (F-043).

    A version that is lower than the client's fits: whether to take it is the client's policy.
    """
    if (header.manufacturer_code, header.image_type) != (
        request.manufacturer_code,
        request.image_type,
    ):
        return Fit.OTHER_DEVICE
    low, high, hardware = header.minimum_hardware, header.maximum_hardware, request.hardware_version
    if (
        low is not None
        and high is not None
        and hardware is not None
        and not low <= hardware <= high
    ):
        return Fit.OTHER_HARDWARE
    return Fit.SAME_VERSION if header.file_version == request.file_version else Fit.FITS


def is_about(
    header: OtaHeader, request: ImageBlockRequest | ImagePageRequest | UpgradeEndRequest
) -> bool:
    """Say whether a request for octets, or the end of a download, is about this image."""
    return (header.manufacturer_code, header.image_type, header.file_version) == (
        request.manufacturer_code,
        request.image_type,
        request.file_version,
    )


@dataclass(slots=True)
class Page:
    """A page being sent block after block.

    Attributes:
        offset: Octet the next block begins at.
        end: Octet the page ends before.
        block_bytes: Octets of one block.
        spacing_ms: Pause between blocks.
    """

    offset: int
    end: int
    block_bytes: int
    spacing_ms: int


@dataclass(slots=True)
class Delivery:
    """What the hub knows of one target.

    Attributes:
        target: The device.
        device_type: What it is.
        state: Where the delivery stands.
        image_id: The held image it is about, or None.
        offset: End of the last octets served.
        served_from: When serving began.
        last_heard: When the client last asked.
        page: The page being sent, or None.
    """

    target: Eui64
    device_type: DeviceType
    state: DeliveryState = DeliveryState.EMPTY
    image_id: int | None = None
    offset: int = 0
    served_from: UtcMs | None = None
    last_heard: UtcMs | None = None
    page: Page | None = None

    @property
    def open(self) -> bool:
        """Whether it has an image to give."""
        return self.state in OPEN

    def dump(self) -> State:
        """Return the delivery as JSON."""
        page = self.page
        return {
            "target": self.target.hex,
            "device_type": self.device_type.value,
            "state": self.state.value,
            "image_id": self.image_id,
            "offset": self.offset,
            "served_from": self.served_from,
            "last_heard": self.last_heard,
            "page": None
            if page is None
            else {
                "offset": page.offset,
                "end": page.end,
                "block_bytes": page.block_bytes,
                "spacing_ms": page.spacing_ms,
            },
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the delivery a dump describes."""
        page = saved.optional_part("page")
        return cls(
            saved.eui64("target"),
            DeviceType(saved.text("device_type")),
            DeliveryState(saved.text("state")),
            saved.optional_number("image_id"),
            saved.number("offset"),
            saved.optional_moment("served_from"),
            saved.optional_moment("last_heard"),
            None
            if page is None
            else Page(
                page.number("offset"),
                page.number("end"),
                page.number("block_bytes"),
                page.number("spacing_ms"),
            ),
        )
