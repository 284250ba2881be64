"""What a SMETS1 hub does with images: takes or refuses them, holds them, gives them to its HAN.

Stand-in: no public document says how a SMETS1 hub did it. The limit is the hub's, is checked for
every image whatever its target, and an image that is too large blocks none that fits, unless the
hub's model says so (S003 section 3).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from device_profiles.metadata_layout import STAND_IN_NOTE
from device_profiles.schema import DeviceProfile, HubSection
from device_profiles.words import DeviceType
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket, Reason, Stage
from emulator.codecs.ota_file import OtaHeader
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.devices.chf.delivery_table import FREE, DeliveryEvent, DeliveryState
from emulator.devices.chf.image_store import ImageStore, StoredImage
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1 import hub_tunnel
from emulator.devices.smets1.device_log import DeviceLog
from emulator.devices.smets1.hub_distribution import HubOtaServer, ServerType
from emulator.devices.smets1.hub_han import HanSide
from emulator.devices.smets1.hub_judgement import Judge
from emulator.devices.smets1.hub_log import DistributionLog, Entry
from emulator.devices.smets1.hub_metadata import HubMetadata
from emulator.devices.smets1.hub_orders import HubOrders
from emulator.devices.smets1.logs import EventCode

#: Device types that have an OTA client here.
_SERVED: Final = frozenset({DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID})


@quick
@dataclass(frozen=True, slots=True)
class ImageParts:
    """What a hub's images are part of.

    Attributes:
        profile: The hub's model.
        hub: Its ``[hub]`` section.
        eui64: The hub's.
        device_log: Which devices it serves.
        moment: What its clock shows at an instant, 12 octets.
    """

    profile: DeviceProfile
    hub: HubSection
    eui64: Eui64
    device_log: DeviceLog
    moment: Callable[[UtcMs], bytes]


class HubImages(HanSide):
    """Images of one hub, for itself and for the devices of its log.

    Attributes:
        store: What it holds for others.
        server: Its OTA server.
        log: What became of each image.
        metadata: What it asks of an image's metadata.
        orders: Activations of displays, and outcomes that it tells unasked.
        staging: The image that is coming in, as its ticket; None for none.
        events: What is to be entered into the hub's event log.
    """

    def __init__(
        self,
        parts: ImageParts,
        server: ServerType = HubOtaServer,
        metadata: type[HubMetadata] = HubMetadata,
    ) -> None:
        """Take what it is part of, and the kinds of OTA server and of metadata check it has."""
        super().__init__()
        profile, hub = parts.profile, parts.hub
        self.eui64, self.hub, self.devices = parts.eui64, hub, parts.device_log
        self.store = ImageStore(hub.image_store_bytes, hub.image_slots)
        self.server = server(profile, self.store, self)
        self.log = DistributionLog(hub.distribution_log_entries, parts.moment)
        self.metadata = metadata(profile)
        port = 0 if profile.dlms is None else profile.dlms.wan_port
        self.orders = HubOrders(self, port, hub.outcome_repeat_s)
        self.staging: ImageTicket | None = None
        self.events: list[EventCode] = []
        self._blocked = False
        self._tickets: dict[int, ImageTicket] = {}
        self._number = 0

    # -- what comes in -------------------------------------------------------------------------

    def type_of(self, target: Eui64) -> DeviceType | None:
        """Return what a target is: the hub, or a device of its log that takes images."""
        if target == self.eui64:
            return DeviceType.CHF
        row = self.devices.entries.get(target)
        found = None if row is None else DeviceType(row.device_type)
        return found if found in _SERVED else None

    def offered(self, ticket: ImageTicket, size_bytes: int) -> Reason:
        """Take or refuse an image by its ticket and size; NONE when its blocks may come.

        An image that was coming in and is not whole is given up for it.
        """
        if self.staging is not None and self.staging.names_same(ticket):
            self.log.drop(self.staging)  # the same one from its beginning is no second image
        else:
            self.staging_lost(Reason.REPLACED)
        self.staging = None
        entry = self.log.begin(ticket, self.now)
        self._begin_delivery(ticket)
        reason = self.objection(ticket, size_bytes)
        if reason is Reason.SIZE:
            self._blocked = self.hub.oversize_blocks_store
        if reason is not Reason.NONE:
            self.discard(entry, reason, f"{size_bytes} octets")
        else:
            self.staging = ticket
        return reason

    def objection(self, ticket: ImageTicket, size_bytes: int) -> Reason:
        """Return why an image may not come in, or NONE."""
        device_type = self.type_of(ticket.target)
        displays = device_type is DeviceType.PPMID
        checks = (
            (self.exceeds(size_bytes), Reason.SIZE),
            (self._blocked, Reason.STORE_BLOCKED),
            (device_type is None, Reason.NOT_IN_DEVICE_LOG),
            (displays and not self.hub.ppmid_ota, Reason.NOT_SUPPORTED),
            (not self.may_take(ticket), Reason.HELD_ALREADY),
            (not self.has_room(ticket, size_bytes), Reason.STORE_FULL),
        )
        return next((reason for wrong, reason in checks if wrong), Reason.NONE)

    def exceeds(self, size_bytes: int) -> bool:
        """Say whether an image is larger than the hub's storage, whatever it is for."""
        return size_bytes > self.store.limit_bytes

    def may_take(self, ticket: ImageTicket) -> bool:
        """Say whether the target waits for no other image, or the ticket replaces that."""
        if ticket.force_replace:
            return True
        if ticket.target == self.eui64:
            return next(self._waiting(ticket.target), None) is None
        delivery = self.server.deliveries.get(ticket.target)
        is_free = delivery is None or not delivery.open
        return is_free and ticket.target not in self.orders.pending

    def _waiting(self, target: Eui64) -> Iterator[Entry]:
        return (one for one in self.log.of(target) if one.stage is Stage.DONE)

    def has_room(self, ticket: ImageTicket, size_bytes: int) -> bool:
        """Say whether the image fits beside those that stay; the hub's own has room of its own."""
        if ticket.target == self.eui64:
            return True
        delivery = self.server.deliveries.get(ticket.target)
        number = None if delivery is None else delivery.image_id
        leaving = frozenset(() if number is None else (number,))
        return self.store.has_room(size_bytes, leaving)

    def _begin_delivery(self, ticket: ImageTicket) -> None:
        device_type = self.type_of(ticket.target)
        if device_type is None or device_type is DeviceType.CHF:
            return
        delivery = self.server.delivery(ticket.target, device_type)
        if delivery.state in FREE:
            self.do(self.server.handle(DeliveryEvent.OFFERED, delivery, None, self.now))

    def discard(self, entry: Entry, reason: Reason, detail: str) -> None:
        """Throw an image away that is not held, and say so."""
        ticket = entry.ticket
        self.log.move(entry, Stage.DISCARDED, self.now, reason)
        fields = (
            ("target", str(ticket.target)),
            ("version", ticket.version_octets.hex()),
            ("reason", reason.word),
            ("detail", detail),
        )
        self.do([Note("image_discarded", fields)])
        self._end_delivery(ticket, DeliveryEvent.DISCARDED)
        self._over(entry)

    def staging_lost(self, reason: Reason) -> None:
        """Give up the image that is coming in."""
        ticket, self.staging = self.staging, None
        entry = None if ticket is None else self.log.find(ticket, Stage.STAGING)
        if ticket is None or entry is None:
            return
        self.log.move(entry, Stage.ABORTED, self.now, reason)
        self._end_delivery(ticket, DeliveryEvent.LOST)
        self._over(entry)

    def _end_delivery(self, ticket: ImageTicket, event: DeliveryEvent) -> None:
        delivery = self.server.deliveries.get(ticket.target)
        if delivery is not None and delivery.state is DeliveryState.STAGING:
            self.do(self.server.handle(event, delivery, ticket.version_octets, self.now))

    def settle_own_version(self, header: OtaHeader | None) -> None:
        """Name the hub's own image by its header's version where no ticket said one."""
        ticket = self.staging
        if (
            header is None
            or ticket is None
            or (ticket.target, ticket.file_version) != (self.eui64, 0)
        ):
            return
        entry = self.log.find(ticket, Stage.STAGING)
        self.staging = replace(ticket, file_version=header.file_version)
        if entry is not None:
            entry.ticket = self.staging

    # -- what is whole -------------------------------------------------------------------------

    def judged(self, octets: bytes, header: OtaHeader | None, own_objection: str) -> Reason:
        """Judge the image that has come in whole; NONE where it is good and taken on.

        Args:
            octets: The whole file.
            header: Its OTA header, where it has one.
            own_objection: What the hub has against running it, if it is its own; else nothing.
        """
        ticket, self.staging = self.staging, None
        entry = None if ticket is None else self.log.find(ticket, Stage.STAGING)
        if ticket is None or entry is None:
            return Reason.MALFORMED
        device_type = self.type_of(ticket.target)
        judge = Judge(self.metadata, ticket, device_type, own_objection)
        reason, detail = judge.judge(octets, header)
        if reason is not Reason.NONE:
            self.discard(entry, reason, detail)
        elif ticket.target == self.eui64:
            self._own_replaced()
            self.log.move(entry, Stage.DONE, self.now)
            self.tell_outcome([entry], self.now)
        else:
            self._hold(ticket, octets, entry)
        return reason

    def _hold(self, ticket: ImageTicket, octets: bytes, entry: Entry) -> None:
        """Keep an image for a device, and begin to give it."""
        device_type = self.type_of(ticket.target)
        if device_type is None or not (
            self.may_take(ticket) and self.has_room(ticket, len(octets))
        ):
            self.discard(entry, Reason.STORE_FULL, "its room was taken meanwhile")
            return
        self._number += 1
        delivery = self.server.delivery(ticket.target, device_type)
        name = hub_image.encode_ticket(ticket).hex()
        image = StoredImage.of(self._number, name, octets, (ticket.target,))
        if delivery.open and delivery.image_id is not None:
            self.delivery_moved(delivery.image_id, Stage.ABORTED, Reason.REPLACED, self.now)
        self.store.held[self._number] = image
        self._tickets[self._number] = ticket
        self.do([Note("image_held", (("transfer", self._number), ("octets", len(octets))))])
        event = DeliveryEvent.REPLACED if delivery.open else DeliveryEvent.HELD
        self.do(self.server.handle(event, delivery, self._number, self.now))

    def own_ended(self, *, good: bool) -> None:
        """Enter how the activation of the hub's own image ended."""
        stage = Stage.ACTIVATED if good else Stage.ACTIVATION_FAILED
        entry = next(self._waiting(self.eui64), None)
        if entry is not None:
            reason = Reason.NONE if good else Reason.NOT_ACTIVATED
            self.log.move(entry, stage, self.now, reason)
            self.tell_outcome([entry], self.now)

    def _own_replaced(self) -> None:
        """Enter that another image takes the place of the hub's own that was waiting."""
        for entry in [*self._waiting(self.eui64)]:
            self.log.move(entry, Stage.ABORTED, self.now, Reason.REPLACED)
            self.tell_outcome([entry], self.now)

    def delivery_moved(self, image_id: int, stage: Stage, reason: Reason, now: UtcMs) -> None:
        """Enter where the delivery of a held image stands now."""
        entry = self._entry_of(image_id)
        if entry is None:
            return
        delivery = self.server.deliveries.get(entry.ticket.target)
        entry.served = 0 if delivery is None else delivery.offset
        self.log.move(entry, stage, now, reason)
        if entry.over:
            del self._tickets[image_id]
            self._over(entry)

    def _entry_of(self, image_id: int) -> Entry | None:
        ticket = self._tickets.get(image_id)
        if ticket is None:
            return None
        moving = self.log.find(ticket, Stage.STAGED, Stage.NOTIFIED, Stage.SERVING)
        return moving or self.log.find(ticket, Stage.STAGING)

    # -- what the orders ask of it -------------------------------------------------------------

    def _over(self, entry: Entry) -> None:
        self.events.append(_EVENTS.get(entry.stage, EventCode.IMAGE_NOT_DELIVERED))
        self.tell_outcome([entry], self.now)

    def tell_outcome(self, entries: Sequence[Entry], now: UtcMs) -> None:
        """Tell the head end how images ended."""
        self.orders.tell(entries, now)

    def cancel_staging(self, ticket: ImageTicket) -> bool:
        """Give up an image that is coming in; say whether it was."""
        if self.staging is None or not self.staging.names_same(ticket):
            return False
        self.staging_lost(Reason.CANCELLED)
        return True

    def show(self, text: bytes) -> None:
        """Have every display that has joined show a text."""
        displays = [one for one in self.devices.entries if one in self.devices.sessions]
        self.do([hub_tunnel.message(to, text) for to in displays])

    def rows_of_log(self) -> list[DistributionRow]:
        """Return the distribution log to somebody who reads it."""
        for delivery in self.server.deliveries.values():
            entry = None if delivery.image_id is None else self._entry_of(delivery.image_id)
            if entry is not None:
                entry.served = delivery.offset
        return self.log.read()

    # -- dump, load, rows ----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        staging = None if self.staging is None else hub_image.encode_ticket(self.staging).hex()
        tickets: Json = {
            str(number): hub_image.encode_ticket(ticket).hex()
            for number, ticket in self._tickets.items()
        }
        return {
            "store": self.store.dump(),
            "server": self.server.dump(),
            "log": self.log.dump(),
            "metadata": self.metadata.dump(),
            "orders": self.orders.dump(),
            "staging": staging,
            "tickets": tickets,
            "blocked": self._blocked,
            "number": self._number,
            "sequence": self._sequence,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.store.load(saved.part("store"))
        self.server.load(saved.part("server"))
        self.log.load(saved.rows("log"))
        self.metadata.load(saved.rows("metadata"))
        self.orders.load(saved.part("orders"))
        staging = saved.optional_octets("staging")
        self.staging = None if staging is None else hub_image.decode_ticket(staging)
        tickets = Saved(saved.table("tickets"))
        self._tickets = {
            int(number): hub_image.decode_ticket(tickets.octets(number))
            for number in saved.table("tickets")
        }
        self._blocked = saved.flag("blocked")
        self._number = saved.number("number")
        self._sequence = saved.number("sequence")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        used = f"{self.store.used_bytes} of {self.store.limit_bytes} octets"
        last = self.log.entries[-1:]
        told = [f"{one.ticket.target} {one.stage.name} {one.reason.word}" for one in last]
        return {
            "image store": f"{len(self.store.held)} held, {used}",
            "metadata": f"{self.metadata.layout_id} ({STAND_IN_NOTE}), {self.metadata.mode}",
            "last image": ", ".join(told) or "none",
        }


_EVENTS: Final = {
    Stage.DISCARDED: EventCode.IMAGE_DISCARDED,
    Stage.DONE: EventCode.IMAGE_DELIVERED,
}
