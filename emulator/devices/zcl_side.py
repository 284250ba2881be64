"""A device's Zigbee side: frames in and out, attributes it serves, the time it asks for."""

from collections.abc import Mapping
from typing import Any, Final

from device_profiles.schema import DeviceProfile
from emulator.codecs.zcl import basic, foundation, time
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.basic import BasicAttribute
from emulator.codecs.zcl.foundation import (
    AttributeValue,
    ReadAttributes,
    ReadAttributesResponse,
    ZclType,
)
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.time import TimeAttribute
from emulator.core.clock import UtcMs, from_zigbee_seconds
from emulator.core.effects import CancelTimer, Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.attribute_reads import answer_of
from emulator.devices.network import Network
from emulator.devices.saved import Saved, State

#: A clock this far from the hub's is set to it. Source: known (SMETS2 asks for ten seconds).
CLOCK_TOLERANCE_MS: Final = 10_000
#: Pause before the time is asked for again without an answer. Source: invented.
TIME_RETRY_MS: Final = 30_000
#: Pause between two settings of the clock. Source: invented.
TIME_PERIOD_MS: Final = 86_400_000
TIME_TIMER: Final = "time.sync"


class ZclSide:
    """Frames and attributes of one device.

    Attributes:
        eui64: Its identifier.
        profile: What it is and may do.
        network: The parties it knows.
        clock_offset_ms: What its clock shows beyond the true time.
        clock_reliable: Whether its clock was set since power came.
    """

    def __init__(self, eui64: Eui64, profile: DeviceProfile, network: Network) -> None:
        self.eui64 = eui64
        self.profile = profile
        self.network = network
        self.clock_offset_ms = 0
        self.clock_reliable = False
        self._sequence = 0

    def next_sequence(self) -> int:
        """Return the next ZCL transaction number."""
        self._sequence = (self._sequence + 1) % 256
        return self._sequence

    def local_time(self, now: UtcMs) -> UtcMs:
        """Return what the device's clock shows."""
        return UtcMs(now + self.clock_offset_ms)

    # -- frames in -----------------------------------------------------------------------------

    def on_zcl(self, indication: ZclIndication, now: UtcMs) -> list[Effect]:
        """Take a ZCL frame; one that cannot be read is noted and changes nothing."""
        try:
            frame = zcl_frame.decode(indication.frame)
            if frame.cluster_specific:
                return self.on_cluster_frame(indication, frame, now)
            return self.on_foundation(indication, frame, foundation.decode(frame), now)
        except MalformedFrameError as error:
            return [self.frame_refused(indication, "malformed", str(error))]

    def frame_refused(self, indication: ZclIndication, reason: str, detail: str) -> Note:
        """Return the note of a frame that is not acted upon."""
        fields = (
            ("cluster", f"{indication.cluster:04x}"),
            ("source", str(indication.source)),
            ("reason", reason),
            ("detail", detail),
        )
        return Note("frame_refused", fields)

    def on_cluster_frame(
        self,
        indication: ZclIndication,
        frame: ZclFrame,
        now: UtcMs,  # noqa: ARG002 - by device
    ) -> list[Effect]:
        """Take a command of a cluster.

        Raises:
            MalformedFrameError: The command cannot be read; the caller notes it.
        """
        return [self.frame_refused(indication, "unsupported", f"command {frame.command:#04x}")]

    def on_foundation(
        self, indication: ZclIndication, frame: ZclFrame, command: Any, now: UtcMs
    ) -> list[Effect]:
        """Take a foundation command: answer reads, learn the time."""
        if isinstance(command, ReadAttributes):
            return [self._read(indication, frame, command, now)]
        if isinstance(command, ReadAttributesResponse) and indication.cluster == time.CLUSTER:
            return self._set_clock(indication, command, now)
        return []

    # -- attributes it serves ------------------------------------------------------------------

    def attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:  # noqa: ARG002 - others use it
        """Return the attributes it serves in a cluster (the moment matters to a clock)."""
        if cluster != basic.CLUSTER:
            return {}
        identity = self.profile.identity
        values: dict[BasicAttribute, int | str] = {
            BasicAttribute.HARDWARE_VERSION: identity.hardware_version >> 8,
            BasicAttribute.MANUFACTURER_NAME: identity.manufacturer_name,
            BasicAttribute.MODEL_IDENTIFIER: identity.model_name,
            BasicAttribute.POWER_SOURCE: self._power_source(),
            BasicAttribute.PHYSICAL_ENVIRONMENT: basic.TUNNELLING_SUPPORTED,
        }
        return {key: AttributeValue(basic.TYPES[key], value) for key, value in values.items()}

    def _power_source(self) -> basic.PowerSource:
        battery = self.profile.supply.battery_days is not None
        return basic.PowerSource.BATTERY if battery else basic.PowerSource.MAINS_SINGLE_PHASE

    def _read(
        self, indication: ZclIndication, frame: ZclFrame, command: ReadAttributes, now: UtcMs
    ) -> SendZcl:
        served = self.attributes(indication.cluster, now)
        answer = answer_of(frame, command, served)
        return SendZcl(indication.source, indication.cluster, answer, self.sends_as(indication))

    def sends_as(self, indication: ZclIndication) -> Eui64 | None:  # noqa: ARG002 - a hub's matter
        """Return the EUI-64 an answer comes from; None means the node's only one."""
        return None

    # -- the time ------------------------------------------------------------------------------

    def ask_time(self, now: UtcMs) -> list[Effect]:
        """Ask the CHF for the time, and again later should no answer come."""
        wanted = ReadAttributes((TimeAttribute.TIME, TimeAttribute.TIME_STATUS))
        frame = foundation.encode(wanted, self.next_sequence(), server_to_client=False)
        return [
            SendZcl(self.network.chf, time.CLUSTER, frame),
            SetTimer(TIME_TIMER, UtcMs(now + TIME_RETRY_MS)),
        ]

    def on_time_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Ask for the time when that is what the timer is for."""
        return self.ask_time(now) if name == TIME_TIMER else []

    def _set_clock(
        self, indication: ZclIndication, command: ReadAttributesResponse, now: UtcMs
    ) -> list[Effect]:
        seconds = _utc_seconds(command)
        if indication.source != self.network.chf:
            return [self.frame_refused(indication, "stranger", "time from elsewhere than the CHF")]
        if seconds is None:
            return [self.frame_refused(indication, "no time", "the CHF has no time")]
        difference = from_zigbee_seconds(seconds) - self.local_time(now)
        effects: list[Effect] = []
        if abs(difference) > CLOCK_TOLERANCE_MS:
            self.clock_offset_ms += difference
            effects.append(Note("clock_set", (("by_ms", difference),)))
            effects += self.on_clock_set(now)
        self.clock_reliable = True
        again = SetTimer(TIME_TIMER, UtcMs(now + TIME_PERIOD_MS))
        return [*effects, CancelTimer(TIME_TIMER), again]

    def on_clock_set(self, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - others use it
        """Take notice that the clock was moved; what waits for a time of it moves along."""
        return []

    # -- dump and load -------------------------------------------------------------------------

    def dump_zcl(self) -> State:
        """Return the state of this side."""
        return {
            "clock_offset_ms": self.clock_offset_ms,
            "clock_reliable": self.clock_reliable,
            "sequence": self._sequence,
        }

    def load_zcl(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.clock_offset_ms = saved.number("clock_offset_ms")
        self.clock_reliable = saved.flag("clock_reliable")
        self._sequence = saved.number("sequence")


def _utc_seconds(response: ReadAttributesResponse) -> int | None:
    """Return the time a response tells, seconds since 2000; None where it tells none."""
    for reading in response.readings:
        value = reading.value
        if reading.attribute != TimeAttribute.TIME or value is None:
            continue
        if value.type is ZclType.UTC_TIME and isinstance(value.value, int):
            return None if value.value == time.INVALID_TIME else value.value
    return None
