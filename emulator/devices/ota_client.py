"""The OTA client: downloads one image at a time, block by block, and reports how it ended."""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

from device_profiles.words import ResumePolicy
from emulator.codecs.zcl.ota import (
    WAIT_FOR_COMMAND,
    ImageBlockRequest,
    ImageBlockResponse,
    ImageBlockWait,
    OtaStatus,
    QueryNextImageRequest,
    QueryNextImageResponse,
    UpgradeEndRequest,
    UpgradeEndResponse,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SetTimer
from emulator.core.errors import IllegalEventError
from emulator.devices.ota_judge import Download, OtaJudge, ServerAnswer
from emulator.devices.ota_settings import BOOT_QUERY_MS, REQUERY_MS, VERIFY_MS, OtaSettings
from emulator.devices.ota_table import (
    PEER_EVENTS,
    RESTING,
    TRANSITIONS,
    OtaEvent,
    OtaState,
)
from emulator.devices.saved import Saved, State

#: Timers of the client; the device itself acts on the last two.
_RETRY, _NEXT, _QUERY, _END = "ota.retry", "ota.next", "ota.query", "ota.end"
VERIFY_TIMER: Final = "ota.verify"
UPGRADE_TIMER: Final = "ota.upgrade"

_TIMER_EVENTS: Final = {
    _NEXT: OtaEvent.NEXT_DUE,
    _QUERY: OtaEvent.QUERY_DUE,
    _END: OtaEvent.END_DUE,
}

ClientRequest: TypeAlias = QueryNextImageRequest | ImageBlockRequest | UpgradeEndRequest
Payload: TypeAlias = ServerAnswer | None
_Action: TypeAlias = Callable[[Payload, UtcMs], list[Effect]]


class OtaClient(OtaJudge):
    """One download at a time; ``handle`` returns effects and performs none.

    Attributes:
        state: Where it stands.
        resting: The resting state it returns to when a download comes to nothing.
        upgrade_at: Moment an Upgrade End Response named for the activation, or None.

    Source:
        F-042, F-044, F-047 to F-049; Zigbee OTA Upgrade cluster (command order, WAIT_FOR_DATA
        times). Retry pauses and verification time: invented.
    """

    def __init__(
        self, settings: OtaSettings, send: Callable[[ClientRequest], Effect], running_version: int
    ) -> None:
        super().__init__(settings, running_version)
        self.state = OtaState.IDLE
        self.resting = OtaState.IDLE
        self.upgrade_at: UtcMs | None = None
        self._send = send
        self._attempts = 0
        self._wait_until: UtcMs | None = None
        self._ending_status = OtaStatus.SUCCESS
        self._ending_attempts = 0

    def receive(self, frame: ServerAnswer, now: UtcMs) -> list[Effect]:
        """Take a frame of the server."""
        event, reason = self.judge(frame)
        if reason:
            return [Note("ota_frame_refused", (("why", reason), ("state", self.state)))]
        return self.handle(event, frame, now)

    def timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer of the client's own (the device acts on VERIFY_TIMER and UPGRADE_TIMER)."""
        if name == _RETRY:
            spent = self._attempts >= self.settings.block_retries
            return self.handle(OtaEvent.GAVE_UP if spent else OtaEvent.RETRY_DUE, None, now)
        return self.handle(_TIMER_EVENTS[name], None, now)

    def wake(self, now: UtcMs) -> list[Effect]:
        """Go on with what sleep interrupted."""
        early = self._wait_until is not None and now < self._wait_until
        paused = self.state is OtaState.PAUSED
        return self.handle(OtaEvent.WAKE_EARLY if paused and early else OtaEvent.WAKE, None, now)

    def handle(self, event: OtaEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event.

        Raises:
            IllegalEventError: The caller's own event has no place in this state; a peer's frame
                out of place is noted instead.
        """
        row = TRANSITIONS.get((self.state, event))
        if row is None:
            if event in PEER_EVENTS:
                return [Note("ota_frame_ignored", (("event", event), ("state", self.state)))]
            raise IllegalEventError(f"OTA client: {event.name} in {self.state.name}")
        name, target = row
        before = self.state
        action = cast("_Action", getattr(self, f"_{name}"))
        effects = action(payload, now)
        self.state = target or self.resting
        if self.state in RESTING:
            self.resting = self.state
        if self.state is not before:
            note = (("state", self.state), ("offset", self.offset), ("before", before))
            effects.append(Note("ota_state", note))
        return effects

    # -- actions -------------------------------------------------------------------------------

    def _retry_at(self, now: UtcMs) -> Effect:
        return SetTimer(_RETRY, UtcMs(now + self.settings.block_timeout_ms))

    def _query(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        self._attempts = 0
        return [CancelTimer(_QUERY), self._query_frame(), self._retry_at(now)]

    def _query_again(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        self._attempts += 1
        return [self._query_frame(), self._retry_at(now)]

    def _query_frame(self) -> Effect:
        settings = self.settings
        return self._send(
            QueryNextImageRequest(
                settings.manufacturer_code,
                settings.image_type,
                self.running_version,
                settings.hardware_version,
            )
        )

    def _begin(self, payload: Payload, now: UtcMs) -> list[Effect]:
        if not isinstance(payload, QueryNextImageResponse):
            raise IllegalEventError("OTA client: an offer without its frame")
        kept = self.download
        identity = (payload.file_version, payload.image_size)
        if kept is None or (kept.version, kept.size_bytes) != identity:
            self.download = Download(*identity)
        return self._request(None, now)

    def _request(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        self._attempts = 0
        self._wait_until = None
        return [CancelTimer(_NEXT), *self._block_frame(now)]

    def _request_again(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        self._attempts += 1
        return self._block_frame(now)

    def _block_frame(self, now: UtcMs) -> list[Effect]:
        settings, download = self.settings, self.download
        if download is None:
            raise IllegalEventError("OTA client: a block request without a download")
        request = ImageBlockRequest(
            settings.manufacturer_code,
            settings.image_type,
            download.version,
            self.offset,
            settings.max_data_size,
        )
        return [self._send(request), self._retry_at(now)]

    def _take(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self._append(payload)
        if self.settings.block_interval_ms == 0:
            return self._request(None, now)
        at = UtcMs(now + self.settings.block_interval_ms)
        return [CancelTimer(_RETRY), SetTimer(_NEXT, at)]

    def _append(self, payload: Payload) -> None:
        if self.download is None or not isinstance(payload, ImageBlockResponse):
            raise IllegalEventError("OTA client: a block without its frame")
        self.download.octets += payload.data

    def _complete(self, payload: Payload, now: UtcMs) -> list[Effect]:
        self._append(payload)
        return [
            CancelTimer(_RETRY),
            CancelTimer(_NEXT),
            SetTimer(VERIFY_TIMER, UtcMs(now + VERIFY_MS)),
        ]

    def _bad_block(self, payload: Payload, _now: UtcMs) -> list[Effect]:
        why = "refused by the server"
        if isinstance(payload, ImageBlockResponse):
            why = self.why_bad_block(payload)
        return [Note("ota_block_refused", (("why", why), ("offset", self.offset)))]

    def _not_offered(self, payload: Payload, _now: UtcMs) -> list[Effect]:
        note = Note("ota_no_image")
        if isinstance(payload, QueryNextImageResponse):
            note = Note("ota_offer_refused", (("why", self.why_not_offer(payload)),))
        return [CancelTimer(_RETRY), note]

    def _wait(self, payload: Payload, now: UtcMs) -> list[Effect]:
        delay_s = payload.delay_s if isinstance(payload, ImageBlockWait) else 0
        until = UtcMs(now + 1000 * max(delay_s, 1))
        self._wait_until = until
        note = Note("ota_wait_for_data", (("seconds", delay_s),))
        return [CancelTimer(_RETRY), SetTimer(_NEXT, until), note]

    def _wait_on(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        return [SetTimer(_NEXT, now if self._wait_until is None else self._wait_until)]

    def _abort(self, _payload: Payload, _now: UtcMs) -> list[Effect]:
        self.download = None
        note = Note("ota_transfer_failed", (("why", "server aborted"),))
        return [CancelTimer(_RETRY), CancelTimer(_NEXT), note]

    def _give_up(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        fields = (("why", "no answer"), ("offset", self.offset))
        effects: list[Effect] = [Note("ota_transfer_failed", fields)]
        if self.settings.asks_unbidden:
            effects.append(SetTimer(_QUERY, UtcMs(now + REQUERY_MS)))
        return effects

    def _pause(self, _payload: Payload, _now: UtcMs) -> list[Effect]:
        return [CancelTimer(_RETRY), CancelTimer(_NEXT), CancelTimer(_END)]

    def _verified(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        return self._end(OtaStatus.SUCCESS, now)

    def _failed(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        return self._end(OtaStatus.INVALID_IMAGE, now)

    def _end(self, status: OtaStatus, now: UtcMs) -> list[Effect]:
        self.ending_version = 0 if self.download is None else self.download.version
        self._ending_status = status
        self._ending_attempts = 0
        self.download = None
        self.upgrade_at = None
        return self._end_frame(now)

    def _end_frame(self, now: UtcMs) -> list[Effect]:
        settings = self.settings
        if self.ending_version is None:
            return []
        request = UpgradeEndRequest(
            self._ending_status,
            settings.manufacturer_code,
            settings.image_type,
            self.ending_version,
        )
        return [self._send(request), SetTimer(_END, UtcMs(now + settings.block_timeout_ms))]

    def _end_again(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        if self._ending_attempts >= self.settings.block_retries:
            self._ending_attempts = 0
            note = Note("ota_end_unanswered")
            later = SetTimer(_END, UtcMs(now + REQUERY_MS))
            return [note, later] if self.settings.asks_unbidden else [note]
        self._ending_attempts += 1
        return self._end_frame(now)

    def _end_resume(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        self._ending_attempts = 0
        return self._end_frame(now)

    def _end_answered(self, payload: Payload, now: UtcMs) -> list[Effect]:
        asked, self.ending_version = self.ending_version is not None, None
        if not asked:
            return [Note("ota_frame_ignored", (("event", "end_answered"), ("state", self.state)))]
        effects: list[Effect] = [CancelTimer(_END)]
        if not isinstance(payload, UpgradeEndResponse):
            return effects  # the default response, due after a failed download
        if payload.upgrade_time_s == WAIT_FOR_COMMAND:
            return effects
        if not self.settings.obeys_upgrade_time or self._ending_status is not OtaStatus.SUCCESS:
            return [*effects, Note("ota_upgrade_time_ignored", (("state", self.state),))]
        delay_s = max(payload.upgrade_time_s - payload.current_time_s, 0)
        self.upgrade_at = UtcMs(now + 1000 * delay_s)
        return [*effects, SetTimer(UPGRADE_TIMER, self.upgrade_at)]

    def _lose_power(self, _payload: Payload, _now: UtcMs) -> list[Effect]:
        self._attempts = 0
        self._wait_until = None
        if self.settings.resume_policy is ResumePolicy.RESTART and self.download is not None:
            lost = len(self.download.octets)
            self.download = None
            return [Note("ota_download_lost", (("octets", lost),))]
        return []

    def _boot(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        effects = self._end_resume(None, now)
        if self.upgrade_at is not None:
            effects.append(SetTimer(UPGRADE_TIMER, max(self.upgrade_at, now)))
        if self.settings.asks_unbidden:
            effects.append(SetTimer(_QUERY, UtcMs(now + BOOT_QUERY_MS)))
        return effects

    def _boot_complete(self, _payload: Payload, now: UtcMs) -> list[Effect]:
        return [SetTimer(VERIFY_TIMER, UtcMs(now + VERIFY_MS))]

    def _nothing(self, _payload: Payload, _now: UtcMs) -> list[Effect]:
        return []

    def _released(self, _payload: Payload, _now: UtcMs) -> list[Effect]:
        self.upgrade_at = None
        return [CancelTimer(UPGRADE_TIMER)]

    def _released_under_way(self, _payload: Payload, _now: UtcMs) -> list[Effect]:
        self.upgrade_at = None
        self.resting = OtaState.IDLE
        return [CancelTimer(UPGRADE_TIMER)]

    def _activated_under_way(self, _payload: Payload, _now: UtcMs) -> list[Effect]:
        self.upgrade_at = None
        self.resting = OtaState.ACTIVE
        return [CancelTimer(UPGRADE_TIMER)]

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return everything that must survive a kill."""
        download = self.download
        part: State | None = None
        if download is not None:
            part = {
                "version": download.version,
                "size_bytes": download.size_bytes,
                "octets": download.octets.hex(),
            }
        return {
            "state": self.state.value,
            "resting": self.resting.value,
            "running_version": self.running_version,
            "attempts": self._attempts,
            "wait_until": self._wait_until,
            "upgrade_at": self.upgrade_at,
            "ending_version": self.ending_version,
            "ending_status": int(self._ending_status),
            "ending_attempts": self._ending_attempts,
            "download": part,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.state = OtaState(saved.text("state"))
        self.resting = OtaState(saved.text("resting"))
        self.running_version = saved.number("running_version")
        self._attempts = saved.number("attempts")
        self._wait_until = saved.optional_moment("wait_until")
        self.upgrade_at = saved.optional_moment("upgrade_at")
        self.ending_version = saved.optional_number("ending_version")
        self._ending_status = OtaStatus(saved.number("ending_status"))
        self._ending_attempts = saved.number("ending_attempts")
        part = saved.optional_part("download")
        self.download = None
        if part is not None:
            octets = bytearray(part.octets("octets"))
            self.download = Download(part.number("version"), part.number("size_bytes"), octets)
