"""What a device publishes of its logs in the Events cluster: the entries it has, and no others."""

from collections.abc import Sequence
from typing import Final, Protocol

from emulator.codecs.zcl import events
from emulator.codecs.zcl.events import ANY_EVENT, ANY_TIME, GetEventLog, LoggedEvent, LogId
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import Effect, SendZcl, ZclIndication

#: Events in one command: eight entries without detail stay within one frame of the air.
#: Source: invented.
_AT_ONCE: Final = 8
#: Commands that answer one request at most: their number is one octet.
_COMMANDS: Final = 255


class Entry(Protocol):
    """An entry of a device's log."""

    @property
    def at(self) -> UtcMs:
        """When, by the device's clock."""
        ...

    @property
    def code(self) -> int:
        """Which event."""
        ...


class Logs(Protocol):
    """A device with the two logs of GBCS."""

    @property
    def event_log(self) -> Sequence[Entry]:
        """The event log, oldest first."""
        ...

    @property
    def security_log(self) -> Sequence[Entry]:
        """The security log, oldest first."""
        ...


def publish(device: Logs, indication: ZclIndication, frame: ZclFrame) -> list[Effect]:
    """Answer a Get Event Log.

    Raises:
        MalformedFrameError: It is none.
    """
    asked: GetEventLog = events.decode(frame)  # the one command there is
    found = _matching(device, asked)
    chosen = found[asked.offset :][: asked.most or None][: _AT_ONCE * _COMMANDS]
    parts = [chosen[at : at + _AT_ONCE] for at in range(0, len(chosen), _AT_ONCE)] or [[]]
    return [
        SendZcl(
            indication.source,
            events.CLUSTER,
            events.encode(
                events.PublishEventLog(len(found), index, len(parts), tuple(part)), frame.sequence
            ),
        )
        for index, part in enumerate(parts)
    ]


def _matching(device: Logs, asked: GetEventLog) -> list[LoggedEvent]:
    """Return the entries a request is about, the latest first."""
    logs = ((LogId.GBCS_GENERAL, device.event_log), (LogId.GBCS_SECURITY, device.security_log))
    entries = [
        LoggedEvent(int(log), entry.code, to_zigbee_seconds(entry.at))
        for log, held in logs
        if asked.log in {LogId.ALL, log}
        for entry in reversed(held)
    ]
    end_s = asked.end_s or ANY_TIME
    fitting = [
        entry
        for entry in entries
        if asked.event in {ANY_EVENT, entry.event} and asked.start_s <= entry.at_s < end_s
    ]
    return sorted(fitting, key=lambda entry: entry.at_s, reverse=True)
