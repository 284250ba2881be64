"""Wrong methods of a hub; each takes the right one.

What is wrong with each is said in ``defects.DEFECTS``.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from emulator.codecs import csp_transfer
from emulator.codecs.csp_transfer import Chunk, Closed, Offer, Reason
from emulator.codecs.zcl.ota import ImageNotify
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SendCsp
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery import Delivery, Fit

Method = Callable[..., Any]
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
