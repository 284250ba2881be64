"""A SMETS1 hub's OTA server on its HAN: the machine of `chf.ota_server`, and what differs here.

Nothing is activated by the end of a download: meters are activated over their own association,
displays when the head end orders it. A device that sleeps hears of its image at its next wake.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms.hub_image import Reason, Stage
from emulator.codecs.gbcs.asn1 import TransferCode
from emulator.codecs.zcl.ota import (
    ANY_FILE_VERSION,
    ANY_IMAGE_TYPE,
    ANY_MANUFACTURER,
    WAIT_FOR_COMMAND,
    ImageNotify,
    OtaStatus,
    UpgradeEndRequest,
    UpgradeEndResponse,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.chf.block_server import HubSide
from emulator.devices.chf.delivery import Delivery, Fit
from emulator.devices.chf.delivery_table import DeliveryEvent, DeliveryState
from emulator.devices.chf.image_store import ImageStore
from emulator.devices.chf.ota_server import NOTIFY_TIMER, RENOTIFY_MS, OtaServer
from emulator.devices.saved import Json, Saved, State

_ALWAYS: Final = 100
#: Announcements, an hour apart, after which a device that never asked is given up.
#: Source: invented.
MOST_ANNOUNCEMENTS: Final = 24
#: How a client and an image do not fit -> the log's word.
_UNFIT: Final = {
    Fit.OTHER_HARDWARE: Reason.OTHER_HARDWARE,
    Fit.OTHER_DEVICE: Reason.OTHER_DEVICE,
    Fit.SAME_VERSION: Reason.SAME_VERSION,
}
#: State of a delivery -> stage of its image in the log; other states are entered elsewhere.
_STAGES: Final = {
    DeliveryState.STAGED: Stage.STAGED,
    DeliveryState.NOTIFIED: Stage.NOTIFIED,
    DeliveryState.SERVING: Stage.SERVING,
    DeliveryState.DONE: Stage.DONE,
    DeliveryState.ABORTED: Stage.ABORTED,
    DeliveryState.DISCARDED: Stage.DISCARDED,
}


class Smets1Side(HubSide, Protocol):
    """What the server needs of the SMETS1 hub around it."""

    def tell(self, to: Eui64, command: Any) -> Effect:
        """Return the effect that brings an OTA command to a device unasked, asleep or not."""
        ...

    def delivery_moved(self, image_id: int, stage: Stage, reason: Reason, now: UtcMs) -> None:
        """Enter where the delivery of a held image stands now."""
        ...


class HubOtaServer(OtaServer):
    """Deliveries by target.

    Attributes:
        hub: The hub around it.
        announced: Target -> how often it has been told of the image that waits for it.
    """

    hub: Smets1Side

    def __init__(self, profile: DeviceProfile, store: ImageStore, hub: Smets1Side) -> None:
        """Take the hub's model, its store and the hub."""
        super().__init__(profile, store, hub)
        self.hub = hub
        self.announced: dict[Eui64, int] = {}
        self._ending: tuple[Stage, Reason] | None = None

    def handle(
        self, event: DeliveryEvent, delivery: Delivery, payload: Any, now: UtcMs
    ) -> list[Effect]:
        """Take one event of one delivery, and enter where its image stands now.

        Raises:
            IllegalEventError: The event has no place in this state.
        """
        before, self._ending = (delivery.state, delivery.image_id), None
        effects = super().handle(event, delivery, payload, now)
        image_id = before[1]
        about = image_id if delivery.image_id is None else delivery.image_id
        stage = _STAGES.get(delivery.state)
        if stage is not None and about is not None and before != (delivery.state, about):
            self.hub.delivery_moved(about, *self._end_as(stage), now)
        return effects

    def _end_as(self, stage: Stage) -> tuple[Stage, Reason]:
        """Return the stage and reason an action has named, or the plain stage."""
        return (stage, Reason.NONE) if self._ending is None else self._ending

    def give_up(self, delivery: Delivery, reason: Reason, now: UtcMs) -> list[Effect]:
        """End an open delivery because somebody orders it; its image is let go."""
        image_id, before = delivery.image_id, delivery.state
        effects = self._settle(delivery, TransferCode.TRANSFER_FAILED, now)
        delivery.state = DeliveryState.ABORTED
        if image_id is not None:
            self.hub.delivery_moved(image_id, Stage.ABORTED, reason, now)
        fields = (
            ("target", str(delivery.target)),
            ("state", delivery.state.value),
            ("before", before.value),
            ("offset", delivery.offset),
        )
        return [*effects, Note("server_state", fields), *self._free_images()]

    def timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer; a device that was told often enough in vain is told no more."""
        kind, _, target = name.partition("/")
        delivery = self.deliveries[Eui64(bytes.fromhex(target))]
        spent = self.announced.get(delivery.target, 0) >= MOST_ANNOUNCEMENTS
        if f"{kind}/" == NOTIFY_TIMER and spent and delivery.open:
            return self.give_up(delivery, Reason.STALLED, now)
        return super().timer(name, now)

    # -- actions that differ -------------------------------------------------------------------

    def _hold(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        self.announced[delivery.target] = 0
        return super()._hold(delivery, payload, now)

    def _announce(self, delivery: Delivery, _payload: Any, now: UtcMs) -> list[Effect]:
        self.announced[delivery.target] = self.announced.get(delivery.target, 0) + 1
        again = SetTimer(f"{NOTIFY_TIMER}{delivery.target.hex}", UtcMs(now + RENOTIFY_MS))
        image = self.image_of(delivery)
        if image is None:
            return [again]
        header = image.header
        notify = ImageNotify(
            _ALWAYS, header.manufacturer_code, header.image_type, header.file_version
        )
        return [self.hub.tell(delivery.target, notify), again]

    def _mismatch(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        self._ending = (Stage.DISCARDED, _UNFIT.get(payload, Reason.OTHER_DEVICE))
        return super()._mismatch(delivery, payload, now)

    def _fail(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        command, _sequence = payload
        if command.status is OtaStatus.INVALID_IMAGE:
            self._ending = (Stage.VERIFY_FAILED, Reason.INVALID_IMAGE)
        else:
            self._ending = (Stage.ABORTED, Reason.TRANSFER_FAILED)
        return super()._fail(delivery, payload, now)

    def _stall(self, delivery: Delivery, payload: Any, now: UtcMs) -> list[Effect]:
        self._ending = (Stage.ABORTED, Reason.STALLED)
        return super()._stall(delivery, payload, now)

    def upgrade_end_response(
        self,
        delivery: Delivery,  # noqa: ARG002 - a SMETS2+ hub looks at the device's type
        command: UpgradeEndRequest,  # noqa: ARG002 - and repeats what it named
        now: UtcMs,  # noqa: ARG002 - with a time for a PPMID
    ) -> UpgradeEndResponse:
        """Have every device wait for an order."""
        return UpgradeEndResponse(
            ANY_MANUFACTURER, ANY_IMAGE_TYPE, ANY_FILE_VERSION, 0, WAIT_FOR_COMMAND
        )

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the deliveries as JSON."""
        told: Json = {target.hex: number for target, number in self.announced.items()}
        return {**super().dump(), "announced": told}

    def load(self, saved: Saved) -> None:
        """Take over dumped deliveries."""
        super().load(saved)
        told = saved.numbers("announced")
        self.announced = {Eui64(bytes.fromhex(key)): number for key, number in told.items()}


#: Makes a hub's OTA server.
ServerType = Callable[[DeviceProfile, ImageStore, Smets1Side], HubOtaServer]
