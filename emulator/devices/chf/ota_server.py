"""The hub's OTA server: gives each target its image, and says how every delivery ends."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs.gbcs.asn1 import TransferCode
from emulator.codecs.zcl.ota import (
    ANY_FILE_VERSION,
    ANY_IMAGE_TYPE,
    ANY_MANUFACTURER,
    WAIT_FOR_COMMAND,
    ImageBlockRefusal,
    ImageBlockRequest,
    ImageNotify,
    ImagePageRequest,
    OtaCommand,
    OtaStatus,
    QueryNextImageRefusal,
    QueryNextImageRequest,
    QueryNextImageResponse,
    QuerySpecificFileRefusal,
    UpgradeEndRequest,
    UpgradeEndResponse,
)
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import CancelTimer, Effect, Note, SetTimer
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.devices.chf.block_server import PAGE_TIMER, BlockServer, HubSide
from emulator.devices.chf.delivery import Delivery, Fit, fit, is_about
from emulator.devices.chf.delivery_table import TRANSITIONS, DeliveryEvent, DeliveryState
from emulator.devices.chf.image_store import ImageStore, StoredImage
from emulator.devices.saved import Saved, State

#: A client that began and then stays silent for so long has failed. Source: invented; longer than
#: a dozen wake periods of a sleepy meter.
STALL_MS: Final = 6 * 3_600_000
#: Pause before a client that has not asked is told again. Source: invented.
RENOTIFY_MS: Final = 3_600_000
#: From a PPMID's Upgrade End Request to its activation. Source: invented.
UPGRADE_DELAY_S: Final = 5
STALL_TIMER: Final = "serve.stall/"
NOTIFY_TIMER: Final = "serve.notify/"
#: Devices that the hub's upgrade time activates; all others wait for CS06.
#: Source: inferred from SECMP0007 (11.4 covers distribution and activation).
_UPGRADED_BY_HUB: Final = frozenset({DeviceType.PPMID})
#: Devices that learn of an image by the GPF's notification flag. Source: firmware.md 4.1.
_TOLD_BY_FLAG: Final = frozenset({DeviceType.GSME})
_ALWAYS: Final = 100

_E = DeliveryEvent
_Action: TypeAlias = Callable[[Delivery, Any, UtcMs], list[Effect]]


class OtaServer(BlockServer):
    """Deliveries by target; ``handle`` returns effects and performs none.

    Attributes:
        deliveries: Target -> delivery.

    Source:
        firmware.md F-041, F-043, F-045 to F-047; Zigbee OTA Upgrade cluster.
    """

    def __init__(self, profile: DeviceProfile, store: ImageStore, hub: HubSide) -> None:
        super().__init__(profile, store, hub)
        self.deliveries: dict[Eui64, Delivery] = {}

    def delivery(self, target: Eui64, device_type: DeviceType) -> Delivery:
        """Return the delivery to a device, made at its first use."""
        return self.deliveries.setdefault(target, Delivery(target, device_type))

    def waits_for(self, device_type: DeviceType) -> bool:
        """Say whether an image waits for a device of that type (the GPF's flag)."""
        return any(d.open and d.device_type is device_type for d in self.deliveries.values())

    def handle(
        self, event: DeliveryEvent, delivery: Delivery, payload: Any, now: UtcMs
    ) -> list[Effect]:
        """Take one event of one delivery.

        Raises:
            IllegalEventError: The event has no place in this state.
        """
        row = TRANSITIONS.get((delivery.state, event))
        if row is None:
            raise IllegalEventError(f"OTA server: {event.name} in {delivery.state.name}")
        name, target = row
        before = delivery.state
        effects = cast("_Action", getattr(self, f"_{name}"))(delivery, payload, now)
        delivery.state = target
        if target is not before:
            fields = (
                ("target", str(delivery.target)),
                ("state", target.value),
                ("before", before.value),
                ("offset", delivery.offset),
            )
            effects = [*effects, Note("server_state", fields)]
        return [*effects, *self._free_images()]

    def possible(self, event: DeliveryEvent, delivery: Delivery) -> bool:
        """Say whether an event has a place in a delivery's state."""
        return (delivery.state, event) in TRANSITIONS

    # -- requests of clients -------------------------------------------------------------------

    def request(
        self, command: Any, source: Eui64, device_type: DeviceType, sequence: int, now: UtcMs
    ) -> list[Effect]:
        """Take a request of a client."""
        delivery = self.delivery(source, device_type)
        delivery.last_heard = now
        match command:
            case QueryNextImageRequest():
                return self._query(delivery, command, sequence, now)
            case ImageBlockRequest():
                return self._block(delivery, command, sequence, now)
            case ImagePageRequest():
                return self._ask_page(delivery, command, sequence, now)
            case UpgradeEndRequest():
                return self._upgrade_end(delivery, command, sequence, now)
        refusal = QuerySpecificFileRefusal(OtaStatus.NO_IMAGE_AVAILABLE)
        return [self.hub.ota_frame(source, refusal, sequence)]

    def _query(
        self, delivery: Delivery, command: QueryNextImageRequest, sequence: int, now: UtcMs
    ) -> list[Effect]:
        image = self.image_of(delivery)
        none = self.hub.ota_frame(
            delivery.target, QueryNextImageRefusal(OtaStatus.NO_IMAGE_AVAILABLE), sequence
        )
        if image is None or not delivery.open:
            return [none]
        fits = self.fit(image, command)
        if fits is Fit.FITS:
            return self.handle(_E.MATCHED, delivery, sequence, now)
        return [none, *self.handle(_E.MISMATCHED, delivery, fits, now)]

    def fit(self, image: StoredImage, command: QueryNextImageRequest) -> Fit:
        """Compare a held image with the client that queries (F-043)."""
        return fit(image.header, command)

    def _block(
        self, delivery: Delivery, command: ImageBlockRequest, sequence: int, now: UtcMs
    ) -> list[Effect]:
        refusal = self._refuse_block(delivery, command)
        if refusal is not None:
            note = Note("block_refused", (("target", str(delivery.target)), ("why", refusal.name)))
            frame = ImageBlockRefusal(refusal)
            return [self.hub.ota_frame(delivery.target, frame, sequence), note]
        if self.is_busy(now):
            return [self._wait(delivery, sequence, now)]
        return self.handle(_E.ASKED, delivery, (command, sequence), now)

    def _upgrade_end(
        self, delivery: Delivery, command: UpgradeEndRequest, sequence: int, now: UtcMs
    ) -> list[Effect]:
        well = command.status is OtaStatus.SUCCESS
        event = _E.ENDED_WELL if well else _E.ENDED_BADLY
        image = self.image_of(delivery)
        of_another = image is not None and not is_about(image.header, command)
        if self.possible(event, delivery) and not of_another:
            return self.handle(event, delivery, (command, sequence), now)
        note = Note("upgrade_end_ignored", (("target", str(delivery.target)),))
        return [*self._end_badly(delivery, (command, sequence), now), note]

    # -- timers --------------------------------------------------------------------------------

    def timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of the server's own (its name ends in the target's EUI-64)."""
        kind, _, target = name.partition("/")
        delivery = self.deliveries[Eui64(bytes.fromhex(target))]
        if f"{kind}/" == PAGE_TIMER:
            return self._page_block(delivery, now)
        if f"{kind}/" == NOTIFY_TIMER:
            due = self.possible(_E.ANNOUNCED, delivery)
            return self.handle(_E.ANNOUNCED, delivery, None, now) if due else []
        if not self.possible(_E.STALLED, delivery):
            return []
        silent_until = UtcMs((delivery.last_heard or now) + STALL_MS)
        if now < silent_until:
            return [SetTimer(name, silent_until)]
        return self.handle(_E.STALLED, delivery, None, now)

    def power_on(self, now: UtcMs) -> list[Effect]:
        """Set the timers of what was under way when power went."""
        effects: list[Effect] = []
        for delivery in self.deliveries.values():
            key = delivery.target.hex
            delivery.page = None
            if delivery.state is DeliveryState.SERVING:
                effects.append(SetTimer(f"{STALL_TIMER}{key}", UtcMs(now + STALL_MS)))
            elif delivery.open:
                effects.append(SetTimer(f"{NOTIFY_TIMER}{key}", now))
        return effects

    # -- actions -------------------------------------------------------------------------------

    def _stage(self, _delivery: Delivery, _payload: Any, _now: UtcMs) -> list[Effect]:
        return []

    def _lose(self, _delivery: Delivery, _payload: Any, _now: UtcMs) -> list[Effect]:
        return []

    def _discard(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        version = payload if isinstance(payload, bytes) else bytes(4)
        return self.hub.tell_transfer(delivery, version, TransferCode.IMAGE_DISCARDED, now)

    def _hold(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        delivery.image_id = payload
        delivery.offset, delivery.served_from, delivery.page = 0, None, None
        key = delivery.target.hex
        return [CancelTimer(f"{PAGE_TIMER}{key}"), SetTimer(f"{NOTIFY_TIMER}{key}", now)]

    def _announce(self, delivery: Delivery, _payload: Any, now: UtcMs) -> list[Effect]:
        again = SetTimer(f"{NOTIFY_TIMER}{delivery.target.hex}", UtcMs(now + RENOTIFY_MS))
        image = self.image_of(delivery)
        if image is None or delivery.device_type in _TOLD_BY_FLAG:
            return [again]
        header = image.header
        notify = ImageNotify(
            _ALWAYS, header.manufacturer_code, header.image_type, header.file_version
        )
        return [self.hub.ota_frame(delivery.target, notify, None), again]

    def _offer(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        image = self._held(delivery)
        header = image.header
        answer = QueryNextImageResponse(
            header.manufacturer_code, header.image_type, header.file_version, len(image.octets)
        )
        effects = [self.hub.ota_frame(delivery.target, answer, payload)]
        return [*effects, *self._watch(delivery, now)]

    def _watch(self, delivery: Delivery, now: UtcMs) -> list[Effect]:
        if delivery.served_from is not None:
            return []
        delivery.served_from = now
        key = delivery.target.hex
        stall = SetTimer(f"{STALL_TIMER}{key}", UtcMs(now + STALL_MS))
        return [CancelTimer(f"{NOTIFY_TIMER}{key}"), stall]

    def _mismatch(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        hardware = payload is Fit.OTHER_HARDWARE
        code = TransferCode.HARDWARE_VERSION_MISMATCH if hardware else TransferCode.IMAGE_DISCARDED
        note = Note("image_refused", (("target", str(delivery.target)), ("why", str(payload))))
        return [note, *self._settle(delivery, code, now)]

    def _serve(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        command, sequence = payload
        delivery.page = None
        size = min(command.max_data_size, self._firmware.max_data_size)
        effects = self._watch(delivery, now)
        return [*effects, *self._give(delivery, command.offset, size, sequence, now)]

    def _finish(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        effects = self._end_well(delivery, payload, now)
        return [*effects, *self._settle(delivery, TransferCode.SUCCESS, now)]

    def _fail(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        effects = self._end_badly(delivery, payload, now)
        return [*effects, *self._settle(delivery, TransferCode.TRANSFER_FAILED, now)]

    def _stall(self, delivery: Delivery, _payload: Any, now: UtcMs) -> list[Effect]:
        return self._settle(delivery, TransferCode.TRANSFER_FAILED, now)

    def _settle(self, delivery: Delivery, code: TransferCode, now: UtcMs) -> list[Effect]:
        image = self._held(delivery)
        effects = self.hub.tell_transfer(delivery, image.header.version_octets, code, now)
        delivery.image_id, delivery.served_from, delivery.page = None, None, None
        key = delivery.target.hex
        timers = (f"{STALL_TIMER}{key}", f"{NOTIFY_TIMER}{key}", f"{PAGE_TIMER}{key}")
        return [*map(CancelTimer, timers), *effects]

    def _end_well(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        command, sequence = payload
        answer = self.upgrade_end_response(delivery, command, now)
        return [self.hub.ota_frame(delivery.target, answer, sequence)]

    def upgrade_end_response(
        self, delivery: Delivery, command: UpgradeEndRequest, now: UtcMs
    ) -> UpgradeEndResponse:
        """Say when to run the image: a PPMID soon, every other device when CS06 says.

        Source:
            HG citing GBCS 11.2.1 (wildcards and 0xFFFFFFFF); a PPMID's real time inferred.
        """
        if delivery.device_type not in _UPGRADED_BY_HUB:
            return UpgradeEndResponse(
                ANY_MANUFACTURER, ANY_IMAGE_TYPE, ANY_FILE_VERSION, 0, WAIT_FOR_COMMAND
            )
        seconds = to_zigbee_seconds(now)
        return UpgradeEndResponse(
            command.manufacturer_code,
            command.image_type,
            command.file_version,
            seconds,
            seconds + UPGRADE_DELAY_S,
        )

    def _end_badly(self, delivery: Delivery, payload: Any, _now: UtcMs) -> list[Effect]:
        _, sequence = payload
        return [
            self.hub.default_response(delivery.target, OtaCommand.UPGRADE_END_REQUEST, 0, sequence)
        ]

    def _free_images(self) -> list[Effect]:
        """Let go of held images that no delivery needs any more."""
        needed = {delivery.image_id for delivery in self.deliveries.values()}
        unneeded = [key for key in self.store.held if key not in needed]
        for key in unneeded:
            del self.store.held[key]
        return [Note("image_freed", (("transfer", key),)) for key in unneeded]

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the deliveries as JSON."""
        rows = [delivery.dump() for delivery in self.deliveries.values()]
        return {"deliveries": [*rows], "busy_until": self.busy_until}

    def load(self, saved: Saved) -> None:
        """Take over dumped deliveries."""
        rows = [Delivery.restore(row) for row in saved.rows("deliveries")]
        self.deliveries = {delivery.target: delivery for delivery in rows}
        self.busy_until = saved.optional_moment("busy_until")
