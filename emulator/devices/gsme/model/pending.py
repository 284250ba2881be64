"""Values that come into force: at once, at a date, or not after all."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.devices.gsme.model.store import restored_values
from emulator.devices.gsme.model.types import Value, dumped
from emulator.devices.saved import Saved, State

#: Implementation time that cancels. Source: RTDS GCS02.
NEVER: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Pending:
    """Values that wait for their date.

    Attributes:
        cluster: Cluster of the component that set them.
        frame_control: Its ZCL frame control.
        command: Its command.
        at: The date, by the device's clock.
        code: Message code of the message.
        counter: Its originator counter.
        originator: Who sent it, and is told.
        values: Name -> value.
        calendar: Calendar (``tariff`` or ``friendly``) whose drafted parts come into force, or "".
    """

    cluster: int
    frame_control: int
    command: int
    at: UtcMs
    code: int
    counter: int
    originator: Eui64
    values: dict[str, Value]
    calendar: str = ""

    def is_of(self, component: GbzComponent, code: int) -> bool:
        """Say whether the same component of the same use case set it."""
        key = (component.cluster, component.command, code)
        return key == (self.cluster, self.command, self.code)

    def dump(self) -> State:
        """Return it as JSON."""
        return {
            "cluster": self.cluster,
            "frame_control": self.frame_control,
            "command": self.command,
            "at": self.at,
            "code": self.code,
            "counter": self.counter,
            "originator": self.originator.hex,
            "values": dump_values(self.values),
            "calendar": self.calendar,
        }

    @classmethod
    def restore(cls, saved: Saved) -> "Pending":
        """Return what a dump describes."""
        return cls(
            saved.number("cluster"),
            saved.number("frame_control"),
            saved.number("command"),
            saved.moment("at"),
            saved.number("code"),
            saved.number("counter"),
            saved.eui64("originator"),
            restored_values(saved.table("values")),
            saved.text("calendar"),
        )


def dump_values(values: dict[str, Value]) -> State:
    """Return named values as JSON."""
    return {name: dumped(value) for name, value in values.items()}
