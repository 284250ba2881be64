"""What a head end orders of a SMETS1 hub about images, and what the hub tells it unasked.

A display has no association with any head end: the hub activates it by an Upgrade End Response
with a real time, when it is ordered to. Outcomes are told until somebody reads the log.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

from device_profiles.words import DeviceType
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import ImageTicket, Reason, Stage
from emulator.codecs.zcl.ota import ANY_IMAGE_TYPE, ANY_MANUFACTURER, UpgradeEndResponse
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import CancelTimer, Effect, Note, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.chf.ota_server import UPGRADE_DELAY_S
from emulator.devices.saved import Json, Saved, State
from emulator.devices.smets1 import hub_tunnel
from emulator.devices.smets1.hub_distribution import HubOtaServer
from emulator.devices.smets1.hub_log import DistributionLog, Entry

ORDER_TIMER: Final = "hub.order/"
OUTCOME_TIMER: Final = "hub.outcome"
#: Pause before a display that has not shown itself is told again, listening or asleep.
#: Source: invented.
REPEAT_MS: Final = 600_000
SLEEPER_REPEAT_MS: Final = 3_600_000
#: Times it is told before it counts as not activated. Source: invented.
MOST_TIMES: Final = 6


class ImagesSide(Protocol):
    """What the orders need of the hub's images."""

    log: DistributionLog
    server: HubOtaServer
    sleepers: frozenset[Eui64]

    def type_of(self, target: Eui64) -> DeviceType | None:
        """Return what a target is."""
        ...

    def tell(self, to: Eui64, command: Any) -> Effect:
        """Return the effect that brings an OTA command to a device unasked."""
        ...

    def do(self, effects: list[Effect]) -> None:
        """Have effects performed."""
        ...

    def tell_outcome(self, entries: Sequence[Entry], now: UtcMs) -> None:
        """Tell the head end how images ended."""
        ...

    def cancel_staging(self, ticket: ImageTicket) -> bool:
        """Give up an image that is coming in; say whether it was."""
        ...


@dataclass(slots=True)
class Order:
    """An activation that a head end has ordered.

    Attributes:
        ticket: The image.
        times: How often the display has been told.
    """

    ticket: ImageTicket
    times: int = 0

    def dump(self) -> State:
        """Return it as JSON values."""
        return {"ticket": hub_image.encode_ticket(self.ticket).hex(), "times": self.times}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the order a dump describes."""
        return cls(hub_image.decode_ticket(saved.octets("ticket")), saved.number("times"))


class HubOrders:
    """Activations of displays by order, and notices of outcomes.

    Attributes:
        pending: Display -> the activation it was told of and has not shown.
        drop_own: Lets go of the hub's own image that waits; says whether there was one.
    """

    def __init__(self, images: ImagesSide, port: int, repeat_s: int) -> None:
        """Take the hub's images, its wrapper port, and how often it tells an outcome again."""
        self._images = images
        self._port = port
        self._repeat_ms = 1000 * repeat_s
        self._sent = 0
        self.pending: dict[Eui64, Order] = {}
        self.drop_own: Callable[[], bool] = lambda: False

    # -- orders --------------------------------------------------------------------------------

    def order(self, ticket: ImageTicket, now: UtcMs) -> bool:
        """Carry out an order of a head end; say whether it means something now."""
        if ticket.cancel:
            return self._cancel(ticket, now)
        entry = self._images.log.find(ticket, Stage.DONE)
        is_display = self._images.type_of(ticket.target) is DeviceType.PPMID
        if entry is None or not is_display or ticket.target in self.pending:
            return False
        self.pending[ticket.target] = Order(ticket)
        self._tell(self.pending[ticket.target], now)
        return True

    def _tell(self, order: Order, now: UtcMs) -> None:
        target, seconds = order.ticket.target, to_zigbee_seconds(now)
        order.times += 1
        response = UpgradeEndResponse(
            ANY_MANUFACTURER,
            ANY_IMAGE_TYPE,
            order.ticket.file_version,
            seconds,
            seconds + UPGRADE_DELAY_S,
        )
        sleeps = target in self._images.sleepers
        again = UtcMs(now + (SLEEPER_REPEAT_MS if sleeps else REPEAT_MS))
        fields = (("target", str(target)), ("version", order.ticket.version_octets.hex()))
        self._images.do(
            [
                Note("image_ordered", fields),
                self._images.tell(target, response),
                SetTimer(f"{ORDER_TIMER}{target.hex}", again),
            ]
        )

    def _cancel(self, ticket: ImageTicket, now: UtcMs) -> bool:
        images = self._images
        if images.cancel_staging(ticket):
            return True
        delivery = images.server.deliveries.get(ticket.target)
        open_ = images.log.find(ticket, Stage.STAGED, Stage.NOTIFIED, Stage.SERVING)
        if open_ is not None and delivery is not None and delivery.open:
            images.do(images.server.give_up(delivery, Reason.CANCELLED, now))
            return True
        held = images.log.find(ticket, Stage.DONE)
        device_type = images.type_of(ticket.target)
        waits = device_type is DeviceType.PPMID and ticket.target not in self.pending
        if held is None or not (waits or (device_type is DeviceType.CHF and self.drop_own())):
            return False
        images.log.move(held, Stage.ABORTED, now, Reason.CANCELLED)
        images.tell_outcome([held], now)
        return True

    def seen(self, device: Eui64, version: int, now: UtcMs, *, asks: bool) -> None:
        """Take notice of the version a device runs.

        Args:
            device: Which one.
            version: The version it tells.
            now: The present moment.
            asks: Whether it asks for an image with that version: it has started with it.
        """
        order = self.pending.get(device)
        if order is None:
            return
        if version == order.ticket.file_version:
            self._end(order, Stage.ACTIVATED, Reason.NONE, now)
        elif asks:
            self._end(order, Stage.ACTIVATION_FAILED, Reason.NOT_ACTIVATED, now)

    def _end(self, order: Order, stage: Stage, reason: Reason, now: UtcMs) -> None:
        target = order.ticket.target
        del self.pending[target]
        self._images.do([CancelTimer(f"{ORDER_TIMER}{target.hex}")])
        entry = self._images.log.find(order.ticket, Stage.DONE)
        if entry is not None:
            self._images.log.move(entry, stage, now, reason)
            self._images.tell_outcome([entry], now)

    # -- outcomes ------------------------------------------------------------------------------

    def tell(self, entries: Sequence[Entry], now: UtcMs) -> None:
        """Tell how images ended, and again after a while as long as nobody reads it."""
        if not entries:
            return
        for entry in entries:
            self._sent += 1
            row = entry.row()
            fields = (
                ("target", str(row.ticket.target)),
                ("version", row.ticket.version_octets.hex()),
                ("stage", row.stage.name),
                ("reason", row.reason.word),
            )
            notice = hub_tunnel.outcome_notice(self._port, row, self._sent)
            self._images.do([notice, Note("image_outcome", fields)])
        self._images.do([SetTimer(OUTCOME_TIMER, UtcMs(now + self._repeat_ms))])

    # -- time and power ------------------------------------------------------------------------

    def timer(self, name: str, now: UtcMs) -> None:
        """Tell a display again, or the head end."""
        if name == OUTCOME_TIMER:
            self._images.tell_outcome(self._images.log.untold(), now)
            return
        order = self.pending.get(Eui64(bytes.fromhex(name.removeprefix(ORDER_TIMER))))
        if order is None:
            return
        if order.times >= MOST_TIMES:
            self._end(order, Stage.ACTIVATION_FAILED, Reason.NOT_ACTIVATED, now)
        else:
            self._tell(order, now)

    def power_on(self, now: UtcMs) -> None:
        """Go on with what was under way when power went."""
        for order in self.pending.values():
            self._tell(order, now)
        self._images.tell_outcome(self._images.log.untold(), now)

    def dump(self) -> State:
        """Return the state as JSON values."""
        pending: Json = [order.dump() for order in self.pending.values()]
        return {"pending": pending, "sent": self._sent}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        orders = [Order.restore(row) for row in saved.rows("pending")]
        self.pending = {order.ticket.target: order for order in orders}
        self._sent = saved.number("sent")


def is_timer(name: str) -> bool:
    """Say whether a timer is one of these."""
    return name == OUTCOME_TIMER or name.startswith(ORDER_TIMER)
