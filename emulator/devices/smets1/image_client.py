"""The OTA client of devices on a SMETS1 HAN: the machine of `ota_client`, and what differs here.

A device asks for an image when the hub tells it of one, or to go on with a download that was
broken off; a display that holds a verified image runs it when the hub names a time, asked or not.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from emulator.codecs.zcl import foundation, ota
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import DefaultResponse
from emulator.codecs.zcl.ota import (
    ANY_IMAGE_TYPE,
    ANY_MANUFACTURER,
    WAIT_FOR_COMMAND,
    ImageNotify,
    OtaCommand,
    UpgradeEndResponse,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.ota_client import (
    UPGRADE_TIMER,
    VERIFY_TIMER,
    ClientRequest,
    OtaClient,
    Payload,
)
from emulator.devices.ota_settings import BOOT_QUERY_MS, OtaSettings
from emulator.devices.ota_table import BUSY, RESTING, OtaEvent, OtaState
from emulator.devices.saved import Saved, State

_QUERY_TIMER: Final = "ota.query"
_NOT_FOR_A_CLIENT: Final = (ota.QuerySpecificFileResponse, ota.QuerySpecificFileRefusal)


class HomeOtaClient(OtaClient):
    """One download at a time.

    Attributes:
        interrupted: Whether a question or a download was broken off and is to be taken up again.
        pending: Version of the verified image that waits for its activation, or None.
    """

    def __init__(
        self, settings: OtaSettings, send: Callable[[ClientRequest], Effect], running_version: int
    ) -> None:
        """Take what the device is, how it sends, and which version it runs."""
        super().__init__(settings, send, running_version)
        self.interrupted = False
        self.pending: int | None = None

    def why_not_end(self, frame: UpgradeEndResponse) -> str:
        """Return why an Upgrade End Response is not for this client; empty when it is."""
        settings = self.settings
        if self.ending_version is not None:
            return super().why_not_end(frame)
        if frame.manufacturer_code not in {ANY_MANUFACTURER, settings.manufacturer_code}:
            return "upgrade end of another manufacturer"
        if frame.image_type not in {ANY_IMAGE_TYPE, settings.image_type}:
            return "upgrade end of another type"
        return "" if frame.file_version == self.pending else "upgrade end of another version"

    # -- actions that differ -------------------------------------------------------------------

    def _query(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.interrupted = False
        return super()._query(payload, now)

    def _pause(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.interrupted = self.interrupted or self.state is OtaState.QUERIED
        return super()._pause(payload, now)

    def _give_up(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.interrupted = True
        return super()._give_up(payload, now)

    def _lose_power(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.interrupted = self.interrupted or self.state in BUSY
        return super()._lose_power(payload, now)

    def _boot(self, payload: Payload, now: UtcMs) -> list[Effect]:
        effects = self._end_resume(payload, now)
        if self.upgrade_at is not None:
            effects.append(SetTimer(UPGRADE_TIMER, max(self.upgrade_at, now)))
        if self.interrupted:
            effects.append(SetTimer(_QUERY_TIMER, UtcMs(now + BOOT_QUERY_MS)))
        return effects

    def _verified(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.pending = None if self.download is None else self.download.version
        return super()._verified(payload, now)

    def _failed(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.pending = None
        return super()._failed(payload, now)

    def _end_answered(self, payload: Payload, now: UtcMs) -> list[Effect]:
        ordered = (
            isinstance(payload, UpgradeEndResponse)
            and payload.upgrade_time_s != WAIT_FOR_COMMAND
            and self.pending is not None
        )
        if not ordered or not isinstance(payload, UpgradeEndResponse):
            return super()._end_answered(payload, now)
        self.ending_version = None
        if not self.settings.obeys_upgrade_time:
            return [Note("ota_upgrade_time_ignored", (("state", self.state),))]
        if self.upgrade_at is not None:  # told twice
            return []
        delay_s = max(payload.upgrade_time_s - payload.current_time_s, 0)
        self.upgrade_at = UtcMs(now + 1000 * delay_s)
        return [SetTimer(UPGRADE_TIMER, self.upgrade_at)]

    def _released(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.pending = None
        return super()._released(payload, now)

    def _released_under_way(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.pending = None
        return super()._released_under_way(payload, now)

    def _activated_under_way(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self.pending = None
        return super()._activated_under_way(payload, now)

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return everything that must survive a kill."""
        return {**super().dump(), "interrupted": self.interrupted, "pending": self.pending}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        super().load(saved)
        self.interrupted = saved.flag("interrupted")
        self.pending = saved.optional_number("pending")


class HanImages:
    """Takes images from the hub for one device; what it is says what becomes of them.

    Attributes:
        ota: Its OTA client.
        battery_days: Days of battery left; None on mains.
    """

    client_type: ClassVar[type[HomeOtaClient]] = HomeOtaClient
    #: Whether Upgrade End Response may start an activation (a display's way).
    obeys_upgrade_time: ClassVar[bool] = False

    def __init__(self, profile: DeviceProfile, hub: Eui64, running_version: int) -> None:
        """Take the model, its hub, and the version that runs."""
        self.profile = profile
        self.hub = hub
        self.battery_days = profile.supply.battery_days
        self._sequence = 0
        settings = OtaSettings.from_profile(profile, obeys_upgrade_time=self.obeys_upgrade_time)
        self.ota = self.client_type(settings, self._request, running_version)

    def _request(self, request: ClientRequest) -> Effect:
        return SendZcl(self.hub, ota.CLUSTER, ota.encode(request, self.next_sequence()))

    def next_sequence(self) -> int:
        """Return the next ZCL transaction number."""
        self._sequence = (self._sequence + 1) % 256
        return self._sequence

    # -- what a device of that kind says -------------------------------------------------------

    def take(self, octets: bytes, now: UtcMs) -> str:  # noqa: ARG002 - a device that takes images does
        """Take a whole image; return why not, or nothing."""
        return "no room"

    def why_postpone(self) -> str:
        """Return why no download may begin or go on now: too few days of battery."""
        least, left = self.profile.firmware.postpone_below_battery_days, self.battery_days
        low = least is not None and left is not None and left < least
        return f"battery for {left} days" if low else ""

    # -- frames --------------------------------------------------------------------------------

    def on_zcl(self, indication: ZclIndication, now: UtcMs) -> list[Effect]:
        """Take a frame of the hub's OTA server."""
        if indication.source != self.hub:
            return [_refused(indication, "OTA server other than the hub")]
        try:
            return self.on_frame(indication.frame, now)
        except MalformedFrameError as error:
            return [_refused(indication, f"{error.layer}: {error.why}")]

    def on_frame(self, octets: bytes, now: UtcMs) -> list[Effect]:
        """Take an OTA command, out of the air or out of the tunnel.

        Raises:
            MalformedFrameError: It cannot be read.
        """
        frame = zcl_frame.decode(octets)
        if not frame.server_to_client:
            return [Note("ota_frame_ignored", (("event", "a request"),))]
        if not frame.cluster_specific:
            answer = foundation.decode(frame)
            ends = (
                isinstance(answer, DefaultResponse)
                and answer.command == OtaCommand.UPGRADE_END_REQUEST
            )
            return self.ota.handle(OtaEvent.END_ANSWERED, None, now) if ends else []
        return self._command(ota.decode(frame), now)

    def _command(self, command: Any, now: UtcMs) -> list[Effect]:
        if isinstance(command, _NOT_FOR_A_CLIENT):
            return [Note("ota_frame_ignored", (("event", "specific file"),))]
        if isinstance(command, ImageNotify):
            why = self.why_postpone()
            if why:
                return [Note("download_postponed", (("why", why),))]
        return self.ota.receive(command, now)

    # -- time, sleep and power -----------------------------------------------------------------

    def owns(self, timer: str) -> bool:
        """Say whether a timer is the client's."""
        return timer.startswith("ota.")

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of the client's."""
        if name == VERIFY_TIMER:
            return self.verify(now)
        return self.ota.timer(name, now)

    def verify(self, now: UtcMs) -> list[Effect]:
        """Judge the image that has come whole, keep it or not, and tell the hub."""
        download = self.ota.download
        why = "nothing came" if download is None else self.take(bytes(download.octets), now)
        if why:
            note = Note("image_discarded", (("why", why),))
            return [note, *self.ota.handle(OtaEvent.FAILED, None, now)]
        return [Note("image_verified"), *self.ota.handle(OtaEvent.VERIFIED, None, now)]

    @property
    def at_ease(self) -> bool:
        """Whether it does nothing at its next wake: no image is under way, none is to be asked."""
        ota = self.ota
        return ota.state in RESTING and ota.ending_version is None and not ota.interrupted

    def wake(self, now: UtcMs) -> list[Effect]:
        """Go on with what sleep interrupted, battery permitting."""
        if self.why_postpone():
            return []
        effects = self.ota.wake(now)
        if self.ota.interrupted and self.ota.state in RESTING:
            effects += self.ota.handle(OtaEvent.QUERY_DUE, None, now)
        return effects

    def sleep(self, now: UtcMs) -> list[Effect]:
        """Stop until the next window."""
        return self.ota.handle(OtaEvent.SLEEP, None, now)

    def power_on(self, now: UtcMs) -> list[Effect]:
        """Go on with what was under way when power went."""
        return self.ota.handle(OtaEvent.POWER_ON, None, now)

    def power_off(self, now: UtcMs) -> list[Effect]:
        """Lose what volatile memory holds."""
        return self.ota.handle(OtaEvent.POWER_OFF, None, now)

    def runs(self, version: int, now: UtcMs) -> list[Effect]:
        """Take notice that a version has started, or that the one that waited is gone."""
        if version != self.ota.running_version:
            self.ota.running_version = version
            return self.ota.handle(OtaEvent.ACTIVATED, None, now)
        return self.ota.handle(OtaEvent.DROPPED, None, now)

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "ota": self.ota.dump(),
            "sequence": self._sequence,
            "battery_days": self.battery_days,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.ota.load(saved.part("ota"))
        self._sequence = saved.number("sequence")
        self.battery_days = saved.optional_number("battery_days")

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        download, pending = self.ota.download, self.ota.pending
        size = 0 if download is None else download.size_bytes
        rows = {
            "OTA state": self.ota.state.value,
            "download": f"{self.ota.offset} of {size} octets" if size else "none",
            "pending image": "none" if pending is None else f"{pending:08X}",
        }
        if self.battery_days is not None:
            rows["battery"] = f"{self.battery_days} days"
        return rows


def _refused(indication: ZclIndication, why: str) -> Note:
    fields = (("cluster", f"{indication.cluster:04x}"), ("source", str(indication.source)))
    return Note("frame_refused", (*fields, ("reason", why)))
