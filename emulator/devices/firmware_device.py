"""A device whose firmware comes over the HAN: downloads, verifies, activates, tells of it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import ImageKind, PathwayPolicy
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import (
    ActivateFirmware,
    ActivateFirmwareResponse,
    ActivationCode,
    ActivationOutcome,
    FutureDatedFirmwareAlert,
)
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import ota
from emulator.codecs.zcl.foundation import AttributeValue, DefaultResponse, ZclType
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.ota import ImageNotify, ImageUpgradeStatus, OtaAttribute, OtaCommand
from emulator.core.clock import UtcMs, iso
from emulator.core.effects import Effect, Note, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices.activation import (
    EXECUTE_TIMER,
    FINISH_TIMER,
    Activation,
    Cause,
    Running,
    Scheduled,
)
from emulator.devices.checks import Command
from emulator.devices.firmware_alerts import FirmwareAlerts
from emulator.devices.firmware_slots import FirmwareSlots
from emulator.devices.network import Network
from emulator.devices.ota_client import UPGRADE_TIMER, VERIFY_TIMER, ClientRequest, OtaClient
from emulator.devices.ota_settings import OtaSettings
from emulator.devices.ota_table import OtaEvent, OtaState
from emulator.devices.saved import Saved, State
from emulator.devices.verification import Verdict, verify_image

#: OTA state -> Image Upgrade Status attribute.
_UPGRADE_STATUS: Final = {
    OtaState.DOWNLOADING: ImageUpgradeStatus.DOWNLOAD_IN_PROGRESS,
    OtaState.WAITING: ImageUpgradeStatus.DOWNLOAD_IN_PROGRESS,
    OtaState.PAUSED: ImageUpgradeStatus.DOWNLOAD_IN_PROGRESS,
    OtaState.COMPLETE_UNVERIFIED: ImageUpgradeStatus.DOWNLOAD_COMPLETE,
    OtaState.VERIFIED_PENDING: ImageUpgradeStatus.WAITING_TO_UPGRADE,
}


class FirmwareDevice(FirmwareAlerts):
    """A device with an OTA client and firmware slots.

    Attributes:
        slots: What firmware it holds.
        ota: Its OTA client.
        activation: Its activation side.
    """

    client_type: ClassVar[type[OtaClient]] = OtaClient
    activation_type: ClassVar[type[Activation]] = Activation
    #: Whether Upgrade End Response may start an activation (a PPMID's way).
    obeys_upgrade_time: ClassVar[bool] = False

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, ring, network)
        self.slots = FirmwareSlots(profile.identity.version_octets)
        settings = OtaSettings.from_profile(profile, obeys_upgrade_time=self.obeys_upgrade_time)
        number = profile.identity.version_number
        self.ota = self.client_type(settings, self._ota_request, number)
        self.activation = self.activation_type(self.slots, profile)

    @property
    def hears(self) -> bool:
        """Whether it has power, and firmware that runs."""
        return self.powered and not self.activation.bricked

    def reported_version(self) -> bytes:
        """Return the firmware version it tells whoever asks: four octets."""
        return self.slots.running

    def know_pathway(self, version: bytes, stones: frozenset[bytes]) -> None:
        """Say over which versions ``version`` may be installed (MP231; FM-65)."""
        self.activation.stepping_stones = {**self.activation.stepping_stones, version: stones}

    def inject(self, fault: str) -> None:
        """Put a fault inside the device: ``self-test-fails`` (of the firmware started next).

        Raises:
            ValueError: No such fault.
        """
        if fault != "self-test-fails":
            super().inject(fault)
        self.activation.self_test_fails = True

    # -- power and timers ----------------------------------------------------------------------

    def on_power_on(self, now: UtcMs) -> list[Effect]:
        """Start up: finish an interrupted activation, take up the download."""
        if self.activation.bricked:
            return []
        return [
            *super().on_power_on(now),
            *self.activation.power_on(now, self.clock_offset_ms),
            *self.ota.handle(OtaEvent.POWER_ON, None, now),
        ]

    def on_power_off(self, now: UtcMs) -> list[Effect]:
        """Lose what volatile memory holds; slots and schedule stay, the download by policy."""
        return [*super().on_power_off(now), *self.ota.handle(OtaEvent.POWER_OFF, None, now)]

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of download, verification, activation or clock."""
        if name == VERIFY_TIMER:
            return self.verify(now)
        if name == UPGRADE_TIMER:
            return self.upgrade_time_reached(now)
        if name == EXECUTE_TIMER:
            return self.execute_schedule(now)
        if name == FINISH_TIMER:
            return self.finish_activation(now)
        if name.startswith("ota."):
            return self.ota.timer(name, now)
        return super().on_timer(name, now)

    # -- download and verification -------------------------------------------------------------

    def _ota_request(self, request: ClientRequest) -> Effect:
        frame = ota.encode(request, self.next_sequence())
        return SendZcl(self.network.chf, ota.CLUSTER, frame)

    def on_cluster_frame(
        self, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take an answer of the hub's OTA server."""
        if indication.cluster != ota.CLUSTER or not frame.server_to_client:
            return super().on_cluster_frame(indication, frame, now)
        if indication.source != self.network.chf:
            return [self.frame_refused(indication, "stranger", "OTA server other than the CHF")]
        return self.on_ota(ota.decode(frame), now)

    def on_ota(self, command: Any, now: UtcMs) -> list[Effect]:
        """Take a decoded command of the OTA server."""
        if isinstance(command, ImageNotify):
            return self.learn_of_image(command, now)
        if isinstance(command, ota.QuerySpecificFileResponse | ota.QuerySpecificFileRefusal):
            return [Note("ota_frame_ignored", (("event", "specific file"),))]
        return self.ota.receive(command, now)

    def on_foundation(
        self, indication: ZclIndication, frame: ZclFrame, command: Any, now: UtcMs
    ) -> list[Effect]:
        """Take a foundation command; the default response to Upgrade End ends its repeats."""
        answers_end = (
            isinstance(command, DefaultResponse)
            and command.command == OtaCommand.UPGRADE_END_REQUEST
            and (indication.cluster, indication.source) == (ota.CLUSTER, self.network.chf)
        )
        if answers_end:
            return self.ota.handle(OtaEvent.END_ANSWERED, None, now)
        return super().on_foundation(indication, frame, command, now)

    def learn_of_image(self, notify: ImageNotify, now: UtcMs) -> list[Effect]:
        """Ask for an image the hub announced, unless a download must wait."""
        why = self.why_postpone()
        if why:
            return [Note("download_postponed", (("why", why),))]
        return self.ota.receive(notify, now)

    def why_postpone(self) -> str:
        """Return why no download may begin or go on now; empty when it may."""
        return ""

    def verify(self, now: UtcMs) -> list[Effect]:
        """Judge the image received, keep or discard it, and say so (F-034)."""
        octets = b"" if self.ota.download is None else bytes(self.ota.download.octets)
        verdict = self.judge_image(octets)
        fields = (("why", verdict.why), ("hash", verdict.calculated_hash.hex()))
        if verdict.image is None:
            effects: list[Effect] = [Note("image_discarded", fields)]
            effects += self.ota.handle(OtaEvent.FAILED, None, now)
            code = AlertCode.FIRMWARE_VERIFICATION_FAILED
        else:
            self.slots.pending = verdict.image
            effects = [Note("image_verified", (("hash", verdict.calculated_hash.hex()),))]
            effects += self.ota.handle(OtaEvent.VERIFIED, None, now)
            effects += self.warn_of_pathway(verdict.image.version)
            code = AlertCode.FIRMWARE_VERIFIED
        return [*effects, *self.tell_receipt(code, verdict.calculated_hash, now)]

    def judge_image(self, octets: bytes) -> Verdict:
        """Verify a whole image file against profile and keys."""
        signed = self.profile.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
        authorising = self.network.supplier(self.eui64) if signed else None
        return verify_image(octets, self.profile, self.ring, self.eui64, authorising)

    def warn_of_pathway(self, version: bytes) -> list[Effect]:
        """Note that a pending version is off its pathway (FM-65)."""
        if not self.activation.off_pathway(version):
            return []
        policy: PathwayPolicy = self.profile.firmware.pathway_policy
        fields = (("version", version.hex()), ("policy", policy.value))
        return [Note("pathway_warning", fields)]

    # -- activation ----------------------------------------------------------------------------

    def outcome(self, code: ActivationCode) -> ActivationOutcome:
        """Return an outcome with the version that runs now (F-031)."""
        return ActivationOutcome(code, self.reported_version())

    def schedule_activation(
        self, command: Command, value: ActivateFirmware, now: UtcMs
    ) -> list[Effect]:
        """Keep a future-dated activation; one whose time has come runs at once."""
        at = self.local_time(now) if value.execution_time is None else value.execution_time
        scheduled = Scheduled(
            value.manufacturer_image_hash, value.originator_counter, command.header.originator, at
        )
        offset = min(self.clock_offset_ms, at - now)
        return self.activation.schedule(scheduled, offset)

    def on_clock_set(self, now: UtcMs) -> list[Effect]:
        """Carry a future-dated activation out by the clock as it is now."""
        scheduled = self.activation.wait_for_schedule(now, self.clock_offset_ms)
        return [*super().on_clock_set(now), *scheduled]

    def execute_schedule(self, now: UtcMs) -> list[Effect]:
        """Carry out the future-dated activation whose time has come."""
        scheduled, self.activation.scheduled = self.activation.scheduled, None
        if scheduled is None:
            return []
        running = Running(Cause.SCHEDULE, schedule=scheduled)
        code, effects = self.activation.begin(scheduled.image_hash, running, now)
        if code is not None:
            effects += self.tell_schedule(scheduled, code)
        return effects

    def tell_schedule(self, scheduled: Scheduled, code: ActivationCode) -> list[Effect]:
        """Send 8F66 or 8F67 for a future-dated activation (alert 00CA)."""
        good = code is ActivationCode.SUCCESS
        alert = AlertCode.FUTURE_DATED_SUCCESS if good else AlertCode.FUTURE_DATED_FAILURE
        body = FutureDatedFirmwareAlert(
            alert, scheduled.at, scheduled.counter, self.outcome(code)
        ).encode()
        return self.alert(MessageCode.CS06_ALERT, scheduled.originator, lambda _: body)

    def upgrade_time_reached(self, now: UtcMs) -> list[Effect]:
        """Activate because the hub's Upgrade End Response said when."""
        self.ota.upgrade_at = None
        code, effects = self.activation.begin(None, Running(Cause.UPGRADE_TIME), now)
        return effects if code is None else [*effects, *self.tell_upgrade(code, now)]

    def tell_upgrade(self, code: ActivationCode, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - others use it
        """Tell of an activation that the hub asked for; only a PPMID does."""
        return []

    def finish_activation(self, now: UtcMs) -> list[Effect]:
        """End the restart and tell whoever asked for it."""
        running, code, effects = self.activation.finish()
        if self.activation.bricked or running is None:
            return effects
        good = code is ActivationCode.SUCCESS
        self.ota.running_version = int.from_bytes(self.slots.running, "big")
        event = OtaEvent.ACTIVATED if good else OtaEvent.DROPPED
        if self.slots.pending is None:
            effects += self.ota.handle(event, None, now)
        effects += self.tell_outcome(running, code, now)
        return [*effects, *self.tell_version_change(good, now)]

    def tell_outcome(self, running: Running, code: ActivationCode, now: UtcMs) -> list[Effect]:
        """Answer the command, or send the alert of the schedule or of the hub's upgrade time."""
        if running.reply_to is not None:
            answer = ActivateFirmwareResponse(self.outcome(code))
            return self.respond(running.reply_to, answer, now)
        if running.schedule is not None:
            return self.tell_schedule(running.schedule, code)
        return self.tell_upgrade(code, now)

    def tell_version_change(self, good: bool, now: UtcMs) -> list[Effect]:
        """Log and tell that the version changed (8F43) or that the new one failed (8F1B)."""
        if good:
            code, detail = AlertCode.FIRMWARE_VERSION_CHANGED, self.slots.running.hex()
        else:
            code, detail = AlertCode.FIRMWARE_VERIFICATION_FAILED_AT_POWER_ON, "self-test failed"
        entry = self.log(code, detail, now, security=not good)
        return [entry, *self.tell_critical(code, now)]

    # -- attributes, dump, load, rows ----------------------------------------------------------

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        """Return the attributes it serves; of the OTA cluster those of the client."""
        if cluster != ota.CLUSTER:
            return super().attributes(cluster, now)
        status = _UPGRADE_STATUS.get(self.ota.state, ImageUpgradeStatus.NORMAL)
        settings = self.ota.settings
        return {
            OtaAttribute.UPGRADE_SERVER_ID: AttributeValue(ZclType.EUI64, self.network.chf),
            OtaAttribute.FILE_OFFSET: AttributeValue(ZclType.UINT32, self.ota.offset),
            OtaAttribute.CURRENT_FILE_VERSION: AttributeValue(
                ZclType.UINT32, int.from_bytes(self.slots.running, "big")
            ),
            OtaAttribute.IMAGE_UPGRADE_STATUS: AttributeValue(ZclType.ENUM8, int(status)),
            OtaAttribute.MANUFACTURER_ID: AttributeValue(
                ZclType.UINT16, settings.manufacturer_code
            ),
            OtaAttribute.IMAGE_TYPE_ID: AttributeValue(ZclType.UINT16, settings.image_type),
        }

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        return {
            **super().dump(),
            "slots": self.slots.dump(),
            "ota": self.ota.dump(),
            "activation": self.activation.dump(),
        }

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.slots.load(saved.part("slots"))
        self.ota.load(saved.part("ota"))
        self.activation.load(saved.part("activation"))

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        pending, scheduled = self.slots.pending, self.activation.scheduled
        download = self.ota.download
        size = 0 if download is None else download.size_bytes
        return {
            **super().rows(),
            "firmware version": self.slots.running.hex().upper(),
            "pending image": "none" if pending is None else pending.version.hex().upper(),
            "OTA state": self.ota.state.value,
            "download": f"{self.ota.offset} of {size} octets" if size else "none",
            "future-dated activation": "none" if scheduled is None else iso(scheduled.at),
        }
