"""The communications hub function: routes messages, stages and serves images, tells of both."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile, HubSection
from device_profiles.words import DeviceType
from emulator.codecs.gbcs import alerts
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import FirmwareTransferAlert, TransferCode
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import foundation, ota, time
from emulator.codecs.zcl.foundation import AttributeValue, DefaultResponse
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.metering import FunctionalFlag
from emulator.codecs.zcl.time import TimeAttribute
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import (
    DeviceEvent,
    Effect,
    Note,
    SendGbcs,
    SendWan,
    SendZcl,
    ZclIndication,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.activation import FINISH_TIMER
from emulator.devices.base import Device
from emulator.devices.chf import objects, sub_ghz
from emulator.devices.chf.block_routing import Listener, header_of
from emulator.devices.chf.delivery import Delivery
from emulator.devices.chf.device_log import DeviceLog, DeviceLogEntry
from emulator.devices.chf.device_log_joining import Joining
from emulator.devices.chf.device_log_object import log_changed
from emulator.devices.chf.handlers import CHF_HANDLERS
from emulator.devices.chf.image_store import ImageStore
from emulator.devices.chf.intake import SILENCE_TIMER, ImageIntake
from emulator.devices.chf.ota_server import OtaServer
from emulator.devices.chf.own_firmware import OwnFirmware
from emulator.devices.chf.sub_ghz import SubGhz
from emulator.devices.chf.trouble import TROUBLE_TIMER, tell_trouble
from emulator.devices.chf.values import HubStore
from emulator.devices.gpf.gpf import Gpf
from emulator.devices.handlers import Handling
from emulator.devices.network import Network
from emulator.devices.saved import Saved, State

#: Event code of a device that joined. Source: NP (alert codes).
_JOINED: Final = 0x8183
_WAN_SIDE: Final = "wan"
_HAN_SIDE: Final = "han"


class Chf(Device):
    """A communications hub function with the GPF of the same box.

    Attributes:
        gpf: The gas proxy function.
        device_log: Devices it speaks with.
        joining: Who may join them.
        store: Its image storage.
        server: Its OTA server.
        intake: Its end of the image transfer.
        own: Its own firmware.
        values: What its profile says of its objects, and what it was told.
        sub_ghz: Its network below 1 GHz.
        listens: Puts together what passes in blocks between a party and the gas meter.
        broken: Members whose access fails, as ``class/OBIS/a2``.
    """

    device_type: ClassVar[DeviceType] = DeviceType.CHF
    server_type: ClassVar[type[OtaServer]] = OtaServer
    intake_type: ClassVar[type[ImageIntake]] = ImageIntake
    store_type: ClassVar[type[ImageStore]] = ImageStore
    own_type: ClassVar[type[OwnFirmware]] = OwnFirmware
    gpf_type: ClassVar[type[Gpf]] = Gpf

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        if profile.hub is None:
            raise IllegalEventError(f"profile {profile.name} is of no hub")
        super().__init__(eui64, profile, ring, network)
        self.hub: HubSection = profile.hub
        self.gpf = self.gpf_type(network.gpf, profile, ring, network)
        self.device_log = DeviceLog(self.hub.device_log_entries, self.hub.historic_log_entries)
        self.joining = Joining(self.device_log, network.gpf)
        self.gpf.mirrors = lambda device: self.device_log.type_of(device) is DeviceType.GSME
        self.store = self.store_type(self.hub.image_store_bytes, self.hub.image_slots)
        self.server = self.server_type(profile, self.store, self)
        self.intake = self.intake_type(eui64, profile, self.device_log, self.server)
        self.own = self.own_type(eui64, profile, ring)
        self.values = HubStore(profile)
        self.sub_ghz = SubGhz()
        self.listens = Listener()
        self.broken: set[str] = set()

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return CHF_HANDLERS.rows

    def commission(self, devices: Mapping[Eui64, DeviceType]) -> None:
        """Enter devices into the device log as joined; joining itself is not done here.

        Raises:
            IllegalEventError: The log has no room for all of them.
        """
        for device, device_type in devices.items():
            if not self.device_log.add(DeviceLogEntry(device, device_type)):
                raise IllegalEventError(f"device log of {self.eui64} is full at {device}")

    def reported_version(self) -> bytes:
        """Return the firmware version it tells whoever asks: four octets."""
        return self.own.slots.running

    def inject(self, fault: str) -> None:
        """Put a fault inside the hub.

        Args:
            fault: ``self-test-fails`` (of its own firmware started next), or
                ``object:CLASS/OBIS/MEMBER``, which lets its access fail.

        Raises:
            ValueError: No such fault, or no such member.
        """
        kind, _, where = fault.partition(":")
        if kind == "object":
            objects.check_where(where)
            self.broken.add(where)
        elif fault == "self-test-fails":
            self.own.activation.self_test_fails = True
        else:
            super().inject(fault)

    # -- power and timers ----------------------------------------------------------------------

    def on_power_on(self, now: UtcMs) -> list[Effect]:
        """Start up; held and incoming images, deliveries and an activation go on."""
        self.clock_reliable = True
        self._put_clients_off(now)
        return [
            *self.gpf.handle(DeviceEvent.POWER_ON, None, now),
            *self.intake.power_on(now),
            *self.server.power_on(now),
            *self.own.activation.power_on(now, 0),
        ]

    def on_power_off(self, now: UtcMs) -> list[Effect]:
        """Lose what volatile memory holds."""
        return [*super().on_power_off(now), *self.gpf.handle(DeviceEvent.POWER_OFF, None, now)]

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of intake or server, the hub's own activation, or trouble of its network."""
        if name in {FINISH_TIMER, sub_ghz.SCAN_TIMER}:
            scans = name == sub_ghz.SCAN_TIMER
            return sub_ghz.scan_over(self, now) if scans else self.finish_own_activation(now)
        if name in {self.gpf.trust_timer, self.gpf.blocks_timer}:
            return self.gpf.handle(DeviceEvent.TIMER, name, now)
        if name == self.gpf.values_timer:
            return self.gpf.on_timer(name, now)
        if name.startswith(TROUBLE_TIMER):
            return tell_trouble(self, now)
        if name.startswith(SILENCE_TIMER):
            return self._with_flag(self.intake.timer(name, now))
        effects = self.on_time_timer(name, now)
        return effects or self._with_flag(self.server.timer(name, now))

    def _with_flag(self, effects: list[Effect]) -> list[Effect]:
        """Add what keeps the gas meter's notification flag true to the deliveries."""
        waits = self.server.waits_for(DeviceType.GSME)
        return [*effects, *self.gpf.set_flag(FunctionalFlag.NEW_OTA_FIRMWARE, on=waits)]

    # -- octets of the links -------------------------------------------------------------------

    def on_octets(self, event: DeviceEvent, data: bytes, now: UtcMs) -> list[Effect]:
        """Take a message of WAN or tunnel, or a frame of the image transfer."""
        if event is DeviceEvent.CSP:
            return self.on_csp(data, now)
        return self.route(data, _WAN_SIDE if event is DeviceEvent.WAN else _HAN_SIDE, now)

    def route(self, message: bytes, came_from: str, now: UtcMs) -> list[Effect]:
        """Bring a GBCS message to whom it is for, without looking beyond its header."""
        try:
            header = header_of(message)
        except MalformedFrameError as error:
            fields = (("reason", "malformed"), ("detail", str(error)))
            return [Note("message_refused", fields)]
        if came_from == _WAN_SIDE:
            return self._route_inwards(message, header.target, now)
        effects = self.welcome(header.originator, now)
        if effects is None:
            return [_unknown(header.originator)]
        heard = [*effects, *self._overheard(message, header.originator, now)]
        if header.target in self.device_log.entries:  # PCS01, PCS02: PPMID and GSME
            return [*heard, SendGbcs(message, header.target)]
        return [*heard, SendWan(message)]

    def _overheard(self, message: bytes, device: Eui64, now: UtcMs) -> list[Effect]:
        """Let the GPF overhear what passes between a remote party and its gas meter."""
        gas = self.device_log.type_of(device) is DeviceType.GSME
        heard = self.listens.whole(message, now) if gas else None
        return [] if heard is None else self.gpf.overhear(heard, now)

    def welcome(self, device: Eui64, now: UtcMs) -> list[Effect] | None:
        """Note that a device was heard, letting it join if it may; None for a stranger."""
        entry = self.device_log.entries.get(device)
        if entry is None:
            return None
        effects: list[Effect] = []
        if not entry.joined:
            if not self.joining.admit(device, now):
                return None
            effects = [self.log(_JOINED, str(device), now), *log_changed(self, now)]
        self.device_log.heard(device, now)
        return effects

    def _route_inwards(self, message: bytes, target: Eui64, now: UtcMs) -> list[Effect]:
        if target == self.eui64:
            return self.on_frame(message, now)
        if target == self.gpf.eui64:
            return self.gpf.handle(DeviceEvent.GBCS, message, now)
        if target in self.device_log.entries:
            return [*self._overheard(message, target, now), SendGbcs(message, target)]
        return [_unknown(target)]

    def outgoing(self, message: bytes) -> Effect:
        """Return the effect that puts a message on its way: onto the WAN."""
        return SendWan(message)

    def on_csp(self, frame: bytes, now: UtcMs) -> list[Effect]:
        """Take a frame of the image transfer; an image for the hub itself is run by it."""
        taken = self.intake.frame(frame, now)
        effects = self._with_flag(taken.effects)
        if taken.own is None:
            return effects
        good, done = self.own.take(taken.own.octets, now)
        effects += done
        if not good:
            return [*effects, *self.tell_own_version(AlertCode.FIRMWARE_VERIFICATION_FAILED, now)]
        self._put_clients_off(now)
        return effects

    def _put_clients_off(self, now: UtcMs) -> None:
        """While the hub restarts itself, have the OTA server ask its clients to wait."""
        restarts = self.own.activation.running is not None
        end = UtcMs(now + 1000 * self.profile.firmware.activation_s)
        self.server.busy_until = end if restarts else None

    def finish_own_activation(self, now: UtcMs) -> list[Effect]:
        """End the hub's restart: tell of the new version; the HAN goes on where it was.

        Source:
            FM-18. That the hub tells of it by a generic critical alert 8F43 to the ACB: inferred
            (DUIS has CommsHubFirmwareActivation, and no message of the hub is public for it).
        """
        good, effects = self.own.finish()
        code = AlertCode.FIRMWARE_VERSION_CHANGED
        if not good:
            code = AlertCode.FIRMWARE_VERIFICATION_FAILED_AT_POWER_ON
        entry = self.log(code, self.reported_version().hex(), now, security=not good)
        effects += [entry, *self.tell_own_version(code, now), *self.own.begin(now)]
        self._put_clients_off(now)
        return effects

    def tell_own_version(self, code: AlertCode, now: UtcMs) -> list[Effect]:
        """Send the generic critical alert about the hub's own firmware to the ACB."""
        at = self.local_time(now)
        return self.alert(
            MessageCode.GCA,
            self.network.acb,
            lambda counter: alerts.encode_dlms_alert(alerts.dlms_alert(counter, code, at)),
        )

    # -- HAN -----------------------------------------------------------------------------------

    def on_zcl(self, indication: ZclIndication, now: UtcMs) -> list[Effect]:
        """Take a ZCL frame for CHF or GPF, from a device of the log."""
        effects = self.welcome(indication.source, now)
        if effects is None:
            return [self.frame_refused(indication, "stranger", "not in the device log")]
        if indication.destination == self.gpf.eui64:
            return [*effects, *self.gpf.handle(DeviceEvent.ZCL, indication, now)]
        return [*effects, *super().on_zcl(indication, now)]

    def on_cluster_frame(
        self, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take a request for the OTA server."""
        device_type = self.device_log.type_of(indication.source)
        to_server = indication.cluster == ota.CLUSTER and not frame.server_to_client
        if not to_server or device_type is None:
            return super().on_cluster_frame(indication, frame, now)
        command = ota.decode(frame)
        effects = self.server.request(command, indication.source, device_type, frame.sequence, now)
        return self._with_flag(effects)

    def sends_as(self, indication: ZclIndication) -> Eui64:  # noqa: ARG002 - one EUI-64 only
        """Return the EUI-64 an answer comes from."""
        return self.eui64

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        """Return the attributes it serves: the time, and those of every device."""
        if cluster != time.CLUSTER:
            return super().attributes(cluster, now)
        values: dict[TimeAttribute, int] = {
            TimeAttribute.TIME: to_zigbee_seconds(self.local_time(now)),
            TimeAttribute.TIME_STATUS: int(time.CHF_TIME_STATUS),
        }
        return {key: AttributeValue(time.TYPES[key], value) for key, value in values.items()}

    # -- what the OTA server asks of the hub ---------------------------------------------------

    def ota_frame(self, to: Eui64, command: Any, sequence: int | None) -> Effect:
        """Return the effect that sends an OTA command."""
        number = self.next_sequence() if sequence is None else sequence
        return SendZcl(to, ota.CLUSTER, ota.encode(command, number), self.eui64)

    def default_response(self, to: Eui64, command: int, status: int, sequence: int) -> Effect:
        """Return the effect that sends a default response in the OTA cluster."""
        frame = foundation.encode(DefaultResponse(command, status), sequence, server_to_client=True)
        return SendZcl(to, ota.CLUSTER, frame, self.eui64)

    def tell_transfer(
        self, delivery: Delivery, version: bytes, code: TransferCode, now: UtcMs
    ) -> list[Effect]:
        """Send CCS08 to the ACB where the profile has it for the target's type."""
        if delivery.device_type not in self.hub.ccs08_targets:
            return []
        good = code is TransferCode.SUCCESS
        alert = AlertCode.FIRMWARE_TRANSFERRED if good else AlertCode.FIRMWARE_TRANSFER_FAILED
        body = FirmwareTransferAlert(
            alert, self.local_time(now), delivery.target, version, code
        ).encode()
        return self.alert(MessageCode.CCS08, self.network.acb, lambda _: body)

    # -- dump, load, rows ----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {
            **super().dump(),
            "gpf": self.gpf.dump(),
            "device_log": self.device_log.dump(),
            "joining": self.joining.dump(),
            "store": self.store.dump(),
            "server": self.server.dump(),
            "intake": self.intake.dump(),
            "own": self.own.dump(),
            "values": self.values.dump(),
            "sub_ghz": self.sub_ghz.dump(),
            "listens": self.listens.dump(),
            "broken": [*sorted(self.broken)],
        }

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.gpf.load_saved(saved.part("gpf"))
        self.device_log.load(saved.part("device_log"))
        self.joining.load(saved.part("joining"))
        self.store.load(saved.part("store"))
        self.server.load(saved.part("server"))
        self.intake.load(saved.part("intake"))
        self.own.load(saved.part("own"))
        self.values.load(saved.part("values"))
        self.sub_ghz.load(saved.part("sub_ghz"))
        self.listens.load(saved.table("listens"))
        self.broken = set(saved.texts("broken"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader, the GPF's included."""
        deliveries = {
            f"delivery to {target}": f"{delivery.state.value} at {delivery.offset}"
            for target, delivery in self.server.deliveries.items()
        }
        used = f"{self.store.used_bytes} of {self.store.limit_bytes} octets"
        return {
            **super().rows(),
            "firmware version": self.reported_version().hex().upper(),
            "image store": f"{len(self.store.held)} held, {used}",
            "device log": f"{len(self.device_log.entries)} devices",
            "sub-GHz channel": f"{sub_ghz.in_use(self):08X}",
            **deliveries,
            **{f"GPF {name}": value for name, value in self.gpf.rows().items()},
        }


def _unknown(device: Eui64) -> Note:
    detail = f"{device} is not in the device log"
    return Note("message_refused", (("reason", "unknown_device"), ("detail", detail)))
