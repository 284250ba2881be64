"""The hub's end of the image transfer from the CSP: takes offers and chunks, judges the whole."""

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs import csp_transfer
from emulator.codecs.csp_transfer import (
    Chunk,
    ChunkAnswer,
    Close,
    Closed,
    Offer,
    OfferAnswer,
    Reason,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SendCsp, SetTimer
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery import Delivery
from emulator.devices.chf.delivery_table import FREE, DeliveryEvent, DeliveryState
from emulator.devices.chf.device_log import DeviceLog
from emulator.devices.chf.image_store import IncomingImage, StoredImage
from emulator.devices.chf.ota_server import OtaServer
from emulator.devices.saved import Saved, State

#: Without a chunk for so long the hub gives an incoming image up. Source: invented.
SILENCE_MS: Final = 600_000
SILENCE_TIMER: Final = "intake.silence/"
#: Transfers that may come in at one time. Source: invented (a peer cannot fill the memory).
MOST_INCOMING: Final = 16
#: Ended transfers whose outcome is remembered. Source: invented (as above).
MOST_ENDED: Final = 64
#: Devices that only a hub with SECMP0007 can update. Source: SECAS (firmware.md 4.1).
_NEEDS_SECMP0007: Final = frozenset({DeviceType.PPMID, DeviceType.HCALCS})


@dataclass(slots=True)
class Taken:
    """What came of a frame.

    Attributes:
        effects: What to do.
        own: An image for the hub itself that is held now, or None.
    """

    effects: list[Effect] = field(default_factory=list)
    own: StoredImage | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A transfer that is over, remembered for frames that come late or twice.

    Attributes:
        number: Its number.
        reason: How it ended.
        offer_hash: SHA-256 over the frame of its offer.
    """

    number: int
    reason: Reason
    offer_hash: bytes

    def dump(self) -> State:
        """Return it as JSON."""
        return {
            "number": self.number,
            "reason": int(self.reason),
            "offer_hash": self.offer_hash.hex(),
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the transfer a dump describes."""
        reason = Reason(saved.number("reason"))
        return cls(saved.number("number"), reason, saved.octets("offer_hash"))


class ImageIntake:
    """Takes images for the HAN and for the hub itself.

    Source:
        F-041, F-046 and S003 section 3; the frames are a stand-in. That an image which is too
        large is taken as far as its header, so that the alert can name its version: inferred
        (CCS08 carries the version). That ForceReplace is looked at once the image is whole:
        inferred (it stands at its end).
    """

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, log: DeviceLog, server: OtaServer
    ) -> None:
        self._eui64 = eui64
        self._own_limit = profile.firmware.max_image_bytes
        self._updates_ppmids = profile.hub is not None and profile.hub.ppmid_ota
        self._log = log
        self._store = server.store
        self._server = server
        self._ended: dict[int, Ended] = {}

    def frame(self, octets: bytes, now: UtcMs) -> Taken:
        """Take a frame of the CSP; one that cannot be read is noted and changes nothing."""
        try:
            frame = csp_transfer.decode(octets)
        except MalformedFrameError as error:
            return Taken([Note("csp_frame_refused", (("detail", str(error)),))])
        match frame:
            case Offer():
                return Taken(self.offered(frame, now))
            case Chunk():
                return Taken(self._chunk(frame, now))
            case Close():
                return self._close(frame, now)
        return Taken([Note("csp_frame_refused", (("detail", "an answer from the CSP"),))])

    # -- offers --------------------------------------------------------------------------------

    def offered(self, offer: Offer, now: UtcMs) -> list[Effect]:
        """Say whether an offered image may come in; an offer that comes again changes nothing."""
        number, incoming = offer.transfer_id, self._store.incoming
        if number in incoming:
            same = incoming[number].offer == offer
            return [_answer(offer, Reason.ACCEPTED if same else Reason.BUSY)]
        ended = self._ended.get(number)
        if ended is not None and ended.offer_hash == _offer_hash(offer):
            return [_send(Closed(number, ended.reason))]
        targets = tuple(dict.fromkeys(filter(self.serves, offer.targets)))
        reason = self._judge_offer(offer, targets)
        if reason not in {Reason.ACCEPTED, Reason.TOO_LARGE}:
            return [_answer(offer, reason), _refused(offer, reason)]
        self._store.begin(offer, targets, now, None if reason is Reason.ACCEPTED else reason)
        answer = _answer(offer, Reason.ACCEPTED)
        return [answer, self._silence(offer, now), *self._stage(self._deliveries(targets), now)]

    def _judge_offer(self, offer: Offer, targets: tuple[Eui64, ...]) -> Reason:
        """Say whether an image for these targets may come in; the header of TOO_LARGE may."""
        if not targets:
            return Reason.NO_TARGET_HERE
        coming = self._store.incoming.values()
        if offer.transfer_id in self._store.held or len(coming) >= MOST_INCOMING:
            return Reason.BUSY
        if any(set(incoming.targets) == set(targets) for incoming in coming):
            return Reason.BUSY
        return self.admit(offer, targets)

    def serves(self, target: Eui64) -> bool:
        """Say whether this hub can bring an image to a device."""
        device_type = self._log.type_of(target)
        if target == self._eui64 or device_type is None:
            return target == self._eui64
        return self._updates_ppmids or device_type not in _NEEDS_SECMP0007

    def admit(self, offer: Offer, targets: tuple[Eui64, ...]) -> Reason:
        """Say whether an image has room: in the hub's store, and in its own slot if for itself."""
        if self._eui64 in targets and offer.total_size > self._own_limit:
            return Reason.TOO_LARGE
        return self._store.admit(offer, self._needed_by_none_but(targets))

    def _needed_by_none_but(self, targets: tuple[Eui64, ...]) -> frozenset[int]:
        """Return the held images that only deliveries to these targets are about."""
        others = {
            delivery.image_id
            for delivery in self._server.deliveries.values()
            if delivery.target not in targets
        }
        return frozenset(image_id for image_id in self._store.held if image_id not in others)

    def _deliveries(self, targets: tuple[Eui64, ...]) -> list[Delivery]:
        typed = ((target, self._log.type_of(target)) for target in targets)
        return [self._server.delivery(target, kind) for target, kind in typed if kind is not None]

    def _silence(self, frame: Offer | Chunk, now: UtcMs) -> Effect:
        return SetTimer(f"{SILENCE_TIMER}{frame.transfer_id}", UtcMs(now + SILENCE_MS))

    # -- chunks --------------------------------------------------------------------------------

    def _chunk(self, chunk: Chunk, now: UtcMs) -> list[Effect]:
        incoming = self._store.incoming.get(chunk.transfer_id)
        if incoming is None:
            return [self._closed(chunk.transfer_id)]
        next_offset = incoming.take(chunk.offset, chunk.data)
        if incoming.refused is not None:
            return self._drop(incoming, incoming.refused, now)
        answer = _send(ChunkAnswer(chunk.transfer_id, next_offset))
        return [answer, self._silence(chunk, now)]

    def _closed(self, number: int) -> Effect:
        ended = self._ended.get(number)
        return _send(Closed(number, Reason.UNKNOWN_TRANSFER if ended is None else ended.reason))

    def _remember(self, offer: Offer, reason: Reason) -> None:
        self._ended.pop(offer.transfer_id, None)
        self._ended[offer.transfer_id] = Ended(offer.transfer_id, reason, _offer_hash(offer))
        if len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]

    def _drop(self, incoming: IncomingImage, reason: Reason, now: UtcMs) -> list[Effect]:
        """Give an incoming image up; targets for which nothing else comes lose it."""
        number = incoming.offer.transfer_id
        del self._store.incoming[number]
        self._remember(incoming.offer, reason)
        awaited = {target for other in self._store.incoming.values() for target in other.targets}
        effects: list[Effect] = [
            _send(Closed(number, reason)),
            CancelTimer(f"{SILENCE_TIMER}{number}"),
            _refused(incoming.offer, reason),
        ]
        lost = reason in {Reason.TRANSFER_FAILED, Reason.ABANDONED}
        event = DeliveryEvent.LOST if lost else DeliveryEvent.DISCARDED
        for delivery in self._deliveries(incoming.targets):
            if delivery.state is DeliveryState.STAGING and delivery.target not in awaited:
                effects += self._server.handle(event, delivery, incoming.version, now)
        return effects

    # -- the end -------------------------------------------------------------------------------

    def _close(self, close: Close, now: UtcMs) -> Taken:
        incoming = self._store.incoming.get(close.transfer_id)
        if incoming is None:
            return Taken([self._closed(close.transfer_id)])
        reason = incoming.judge() if close.reason is Reason.COMPLETE else Reason.ABANDONED
        if reason is Reason.HELD:
            return self.whole(incoming, now)
        return Taken(self._drop(incoming, reason, now))

    def whole(self, incoming: IncomingImage, now: UtcMs) -> Taken:
        """Keep an image that came in whole, for the targets that may have it."""
        number = incoming.offer.transfer_id
        own = self._eui64 in incoming.targets
        wanted = self._deliveries(incoming.targets)
        free = [delivery for delivery in wanted if self.may_take(delivery, incoming)]
        if not free and not own:
            return Taken(self._drop(incoming, Reason.BUSY, now))
        if free and not self.keeps_room(incoming, free):
            return Taken(self._drop(incoming, Reason.STORE_FULL, now))
        staged = self._stage(free, now)  # before the image is held: no delivery needs it yet
        image = self._store.finish(number, tuple(delivery.target for delivery in free))
        self._remember(incoming.offer, Reason.HELD)
        effects: list[Effect] = [
            _send(Closed(number, Reason.HELD)),
            CancelTimer(f"{SILENCE_TIMER}{number}"),
            Note("image_held", (("transfer", number), ("octets", len(image.octets)))),
            *staged,
        ]
        kept = (delivery.target for delivery in wanted if delivery not in free)
        effects += (Note("target_busy", (("target", str(target)),)) for target in kept)
        for delivery in free:
            event = DeliveryEvent.REPLACED if delivery.open else DeliveryEvent.HELD
            effects += self._server.handle(event, delivery, number, now)
        if not free:
            del self._store.held[number]
        return Taken(effects, image if own else None)

    def _stage(self, deliveries: list[Delivery], now: UtcMs) -> list[Effect]:
        """Begin afresh with those that wait for nothing, perhaps since the offer came."""
        effects: list[Effect] = []
        for delivery in deliveries:
            if delivery.state in FREE:
                effects += self._server.handle(DeliveryEvent.OFFERED, delivery, None, now)
        return effects

    def keeps_room(self, incoming: IncomingImage, takers: list[Delivery]) -> bool:
        """Say whether the store holds it beside the images that its takers do not give up."""
        leaving = self._needed_by_none_but(tuple(delivery.target for delivery in takers))
        return self._store.has_room(incoming.offer.total_size, leaving)

    def may_take(self, delivery: Delivery, incoming: IncomingImage) -> bool:
        """Say whether a target takes the new image: it has none, or ForceReplace is set."""
        if not delivery.open:
            return True
        number, offer = incoming.offer.transfer_id, incoming.offer
        image = StoredImage.of(number, offer.request_id, bytes(incoming.octets), incoming.targets)
        return image.forces_replacement

    def timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Give up an image whose sender fell silent."""
        number = int(name.removeprefix(SILENCE_TIMER))
        return self._drop(self._store.incoming[number], Reason.TRANSFER_FAILED, now)

    def power_on(self, now: UtcMs) -> list[Effect]:
        """Wait again for what was coming in when power went."""
        return [self._silence(item.offer, now) for item in self._store.incoming.values()]

    def dump(self) -> State:
        """Return the outcomes that the CSP may ask for again."""
        return {"ended": [ended.dump() for ended in self._ended.values()]}

    def load(self, saved: Saved) -> None:
        """Take over dumped outcomes."""
        rows = [Ended.restore(row) for row in saved.rows("ended")]
        self._ended = {ended.number: ended for ended in rows}


def _send(frame: csp_transfer.Frame) -> Effect:
    return SendCsp(csp_transfer.encode(frame))


def _offer_hash(offer: Offer) -> bytes:
    return hashlib.sha256(csp_transfer.encode(offer)).digest()


def _answer(offer: Offer, reason: Reason) -> Effect:
    return _send(OfferAnswer(offer.transfer_id, reason))


def _refused(offer: Offer, reason: Reason) -> Effect:
    fields = (
        ("transfer", offer.transfer_id),
        ("request", offer.request_id),
        ("reason", reason.word),
        ("octets", offer.total_size),
    )
    return Note("image_not_held", fields)
