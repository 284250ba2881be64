"""Wrong methods of a hub; each takes the right one.

``ROWS`` says what is wrong; ``defects.DEFECTS`` holds them as ``chf-…``.
"""

from dataclasses import replace
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs import csp_transfer
from emulator.codecs.csp_transfer import Chunk, Closed, Offer, Reason
from emulator.codecs.zcl.ota import ImageNotify
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SendCsp
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery import Delivery, Fit
from emulator.devices.defective_firmware import says_nothing
from emulator.devices.defective_methods import Method, Row

_SEVENTH: Final = 6


def everything_fits(right: Method) -> Method:
    """Overlook the hardware range."""

    def fit(self: Any, image: Any, command: Any) -> Fit:
        found: Fit = right(self, image, command)
        return Fit.FITS if found is Fit.OTHER_HARDWARE else found

    return fit


def always_room(_right: Method) -> Method:
    """Admit everything."""
    return lambda _self, _offer, _targets: Reason.ACCEPTED


def says_yes(_right: Method) -> Method:
    """Answer True."""
    return lambda _self, *_args: True


def sulks_after_oversize(right: Method) -> Method:
    """Give all room away once something did not fit."""

    def admit(self: Any, offer: Offer, targets: tuple[Eui64, ...]) -> Reason:
        reason: Reason = right(self, offer, targets)
        if reason is Reason.TOO_LARGE:
            self._store.slots = 0
        return reason

    return admit


def held_too_early(_right: Method) -> Method:
    """Answer the first chunk with "held"."""

    def chunk(_self: Any, frame: Chunk, _now: UtcMs) -> list[Effect]:
        return [SendCsp(csp_transfer.encode(Closed(frame.transfer_id, Reason.HELD)))]

    return chunk


def announces_offers(right: Method) -> Method:
    """Notify the targets of an offer."""

    def offered(self: Any, offer: Offer, now: UtcMs) -> list[Effect]:
        effects: list[Effect] = right(self, offer, now)
        hub = self._server.hub
        return [*effects, *(hub.ota_frame(to, ImageNotify(100), None) for to in offer.targets)]

    return offered


def never_replaces(_right: Method) -> Method:
    """Take only what nothing stands before."""
    return lambda _self, delivery, _incoming: not delivery.open


def serves_everybody(_right: Method) -> Method:
    """Look only whether the device is known."""

    def serves(self: Any, target: Eui64) -> bool:
        return target == self._eui64 or self._log.type_of(target) is not None

    return serves


def damages_block_seven(right: Method) -> Method:
    """Serve the seventh block from a spoiled copy of the image."""

    def give(self: Any, delivery: Delivery, offset: int, *rest: Any) -> list[Effect]:
        size: int = rest[0]
        image = self.image_of(delivery)
        if image is None or not size or offset // size != _SEVENTH:
            effects: list[Effect] = right(self, delivery, offset, *rest)
            return effects
        octets = bytearray(image.octets)
        octets[offset] ^= 0xFF
        self.store.held[image.image_id] = replace(image, octets=bytes(octets))
        effects = right(self, delivery, offset, *rest)
        self.store.held[image.image_id] = image
        return effects

    return give


def forgets_the_han(right: Method) -> Method:
    """Empty the device log on the way."""

    def finish_own_activation(self: Any, now: UtcMs) -> list[Effect]:
        self.device_log.entries.clear()
        effects: list[Effect] = right(self, now)
        return effects

    return finish_own_activation


def only_says_so(_right: Method) -> Method:
    """Drop the image and say that it runs."""

    def finish(self: Any) -> tuple[bool, list[Effect]]:
        self.activation.running = self.slots.pending = None
        return True, [Note("firmware_activated", (("to", self.slots.running.hex()),))]

    return finish


_C: Final = DeviceType.CHF
#: What each does wrong.
ROWS: Final[tuple[Row, ...]] = (
    (
        "serves-wrong-hardware",
        (_C,),
        "offers an image to a device outside its hardware range.",
        {"server.fit": everything_fits},
    ),
    (
        "ignores-store-limit",
        (_C,),
        "takes an image that is larger than its store.",
        {"intake.admit": always_room, "intake.keeps_room": says_yes},
    ),
    (
        "oversize-blocks-others",
        (_C,),
        "takes no image any more once it has refused one that is too large.",
        {"intake.admit": sulks_after_oversize},
    ),
    ("no-ccs08", (_C,), "does not tell how a transfer ended.", {"tell_transfer": says_nothing}),
    (
        "tells-held-before-held",
        (_C,),
        "says that it holds an image of which it has only the first chunk.",
        {"intake._chunk": held_too_early},
    ),
    (
        "announces-before-held",
        (_C,),
        "tells the HAN of an image that has only been offered to it.",
        {"intake.offered": announces_offers},
    ),
    (
        "ignores-force-replace",
        (_C,),
        "keeps the first image for a target whatever ForceReplace says.",
        {"intake.may_take": never_replaces},
    ),
    (
        "always-replaces",
        (_C,),
        "replaces a staged image although ForceReplace is not set.",
        {"intake.may_take": says_yes},
    ),
    (
        "serves-ppmid-without-secmp0007",
        (_C,),
        "takes images for PPMIDs although its firmware cannot update them.",
        {"intake.serves": serves_everybody},
    ),
    (
        "damages-a-block",
        (_C,),
        "inverts the first octet of the seventh block it serves.",
        {"server._give": damages_block_seven},
    ),
    (
        "own-update-forgets-devices",
        (_C,),
        "loses its device log when it activates its own firmware.",
        {"finish_own_activation": forgets_the_han},
    ),
    (
        "keeps-own-old-version",
        (_C,),
        "says that it activated its own new firmware and goes on running the old one.",
        {"own.finish": only_says_so},
    ),
    (
        "silent-about-own-version",
        (_C,),
        "does not tell of its own new firmware.",
        {"tell_own_version": says_nothing},
    ),
)
