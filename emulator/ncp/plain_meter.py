"""A stand-in for a device: Basic and Metering attributes, and nothing else."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.zcl import basic, foundation, metering
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.basic import BasicAttribute
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    AttributeValue,
    DefaultResponse,
    ReadAttributes,
    ReadAttributesResponse,
    Status,
    ZclType,
)
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, Payload, SendZcl, ZclIndication
from emulator.core.errors import MalformedFrameError

#: Attributes it serves beside the register. Source: stand-in.
_TEXTS: Final = {
    BasicAttribute.MANUFACTURER_NAME: "Bench",
    BasicAttribute.MODEL_IDENTIFIER: "Plain meter",
}


class PlainMeter:
    """Answers reads; its register counts one watt-hour for every second it has power.

    Attributes:
        powered: Whether it has power.
        since: When it first had power; None: never.
    """

    def __init__(self) -> None:
        """Make a meter without power."""
        self.powered = False
        self.since: UtcMs | None = None

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done."""
        if event in {DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            self.powered = event is DeviceEvent.POWER_ON
            self.since = now if self.since is None else self.since
            return []
        if not isinstance(payload, ZclIndication):
            return []
        try:
            return self._on_zcl(payload, now)
        except MalformedFrameError as error:
            return [Note("frame_refused", (("detail", str(error)),))]

    def _on_zcl(self, told: ZclIndication, now: UtcMs) -> list[Effect]:
        frame = zcl_frame.decode(told.frame)
        command = None if frame.cluster_specific else foundation.decode(frame)
        answer: Any = DefaultResponse(frame.command, int(Status.UNSUP_GENERAL_COMMAND))
        if isinstance(command, ReadAttributes):
            answer = ReadAttributesResponse(
                tuple(self._reading(told.cluster, one, now) for one in command.attributes)
            )
        elif isinstance(command, DefaultResponse) or frame.disable_default_response:
            return []
        octets = foundation.encode(
            answer, frame.sequence, server_to_client=not frame.server_to_client
        )
        return [SendZcl(told.source, told.cluster, octets)]

    def _reading(self, cluster: int, attribute: int, now: UtcMs) -> AttributeReading:
        value = self._attributes(cluster, now).get(attribute)
        status = Status.UNSUPPORTED_ATTRIBUTE if value is None else Status.SUCCESS
        return AttributeReading(attribute, status, value)

    def _attributes(self, cluster: int, now: UtcMs) -> Mapping[int, AttributeValue]:
        if cluster == basic.CLUSTER:
            return {key: AttributeValue(ZclType.TEXT, text) for key, text in _TEXTS.items()}
        if cluster != metering.CLUSTER:
            return {}
        seconds = (now - (self.since or now)) // 1000
        register = MeteringAttribute.CURRENT_SUMMATION_DELIVERED
        return {register: AttributeValue(metering.TYPES[register], seconds)}

    def dump(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""
        return {"powered": self.powered, "since": self.since}

    def load(self, state: Any) -> None:
        """Take over a dumped state."""
        self.powered = bool(state["powered"])
        self.since = None if state["since"] is None else UtcMs(state["since"])
