"""The HAN side of a SMETS1 hub's images: requests of devices, what it sends them, what waits."""

from typing import Any

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.asn1 import TransferCode
from emulator.codecs.zcl import foundation, ota
from emulator.codecs.zcl.foundation import DefaultResponse
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SendZcl
from emulator.core.ids import Eui64
from emulator.devices.chf.delivery import Delivery
from emulator.devices.smets1 import hub_orders, hub_tunnel
from emulator.devices.smets1.hub_distribution import HubOtaServer
from emulator.devices.smets1.hub_orders import HubOrders


class HanSide:
    """What faces the HAN.

    Attributes:
        eui64: The hub's.
        server: Its OTA server.
        orders: Activations of displays, and outcomes that it tells unasked.
        sleepers: Devices behind it whose receivers are off at times.
        now: The present moment: the owner sets it with every event.
    """

    eui64: Eui64
    server: HubOtaServer
    orders: HubOrders

    def __init__(self) -> None:
        """Have nothing to do yet."""
        self.sleepers: frozenset[Eui64] = frozenset()
        self.now = UtcMs(0)
        self._sequence = 0
        self._effects: list[Effect] = []

    def type_of(self, target: Eui64) -> DeviceType | None:  # noqa: ARG002 - a hub with a log knows
        """Return what a target is, or None where it takes no images here."""
        return None

    def request(self, command: Any, source: Eui64, sequence: int) -> list[Effect]:
        """Take a request of a device's OTA client."""
        device_type = self.type_of(source)
        if device_type is None:
            return [Note("ota_request_refused", (("device", str(source)),))]
        effects = self.server.request(command, source, device_type, sequence, self.now)
        if isinstance(command, ota.QueryNextImageRequest):
            self.orders.seen(source, command.file_version, self.now, asks=True)
        return [*effects, *self.take_effects()]

    def timer(self, name: str) -> list[Effect]:
        """Take a timer of the server's, or of the orders'."""
        if hub_orders.is_timer(name):
            self.orders.timer(name, self.now)
            return self.take_effects()
        return [*self.server.timer(name, self.now), *self.take_effects()]

    def power_on(self) -> list[Effect]:
        """Go on with what was under way when power went."""
        effects = self.server.power_on(self.now)
        self.orders.power_on(self.now)
        return [*effects, *self.take_effects()]

    def wait_until(self, at: UtcMs | None) -> None:
        """Ask clients to wait while the hub restarts itself; None: no more."""
        self.server.busy_until = at

    def do(self, effects: list[Effect]) -> None:
        """Have effects performed when the present event has been handled."""
        self._effects += effects

    def take_effects(self) -> list[Effect]:
        """Return what is to be done, and forget it."""
        effects, self._effects = self._effects, []
        return effects

    # -- what the OTA server asks of the hub ---------------------------------------------------

    def ota_frame(self, to: Eui64, command: Any, sequence: int | None) -> Effect:
        """Return the effect that sends an OTA command."""
        return SendZcl(to, ota.CLUSTER, ota.encode(command, self._numbered(sequence)), self.eui64)

    def default_response(self, to: Eui64, command: int, status: int, sequence: int) -> Effect:
        """Return the effect that sends a default response in the OTA cluster."""
        frame = foundation.encode(DefaultResponse(command, status), sequence, server_to_client=True)
        return SendZcl(to, ota.CLUSTER, frame, self.eui64)

    def tell_transfer(
        self,
        delivery: Delivery,  # noqa: ARG002 - a SMETS2+ hub tells by CCS08
        version: bytes,  # noqa: ARG002 - of which version
        code: TransferCode,  # noqa: ARG002 - how it ended
        now: UtcMs,  # noqa: ARG002 - and when
    ) -> list[Effect]:
        """Say nothing here: the distribution log does, and no GBCS comes from a SMETS1 hub."""
        return []

    def tell(self, to: Eui64, command: Any) -> Effect:
        """Return what brings a command to a device unasked: by its tunnel where it sleeps."""
        if to not in self.sleepers:
            return self.ota_frame(to, command, None)
        return hub_tunnel.image_notice(to, ota.encode(command, self._numbered(None)))

    def _numbered(self, sequence: int | None) -> int:
        if sequence is None:
            self._sequence = (self._sequence + 1) % 256
            return self._sequence
        return sequence
