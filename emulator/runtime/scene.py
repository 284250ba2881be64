"""What all parts of a world share: the moment, the agenda, the records, the faults."""

from collections.abc import Sequence
from dataclasses import dataclass

from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.values import quick
from emulator.runtime.agenda import Agenda
from emulator.runtime.box import Box
from emulator.runtime.records import Records

#: Index of entries that belong to no box.
NO_BOX = -1


@quick
@dataclass(frozen=True, slots=True)
class Crossed:
    """A frame that crossed a link, and what faults made of it.

    Attributes:
        at_us: When.
        link: Which link.
        octets: The frame as it was sent.
        arrived: The frames that come out at the other end.
        faults: Texts of the faults that touched it.
        comment: What a reader must know besides.
    """

    at_us: int
    link: str
    octets: bytes
    arrived: Sequence[bytes]
    faults: Sequence[str]
    comment: str = ""


class Scene:
    """The shared state of a world's parts.

    Attributes:
        now_us: The present moment, microseconds since 1970.
        agenda: What will happen.
        records: Facts and frames nobody has taken yet.
        schedule: The run's faults.
        boxes: The boxes; the hub is the first.
    """

    def __init__(self, boxes: Sequence[Box], schedule: FaultSchedule, now_us: int) -> None:
        self.now_us = now_us
        self.agenda = Agenda()
        self.records = Records()
        self.schedule = schedule
        self.boxes = tuple(boxes)
        for index, box in enumerate(self.boxes):
            box.index = index

    @property
    def now(self) -> UtcMs:
        """The present moment in milliseconds, rounded down."""
        return UtcMs(self.now_us // 1000)

    @property
    def hub(self) -> Box:
        """The box of CHF and GPF."""
        return self.boxes[0]

    def note(self, box: Box, note: Note) -> None:
        """Remember a fact about a box's device, and show it to the faults that wait for one."""
        self.records.note(self.now_us, box.eui64, note)
        self.watch(box, note)

    def watch(self, box: Box, note: Note) -> None:
        """Show a fact to the faults without remembering it."""
        if self.schedule.watches(box.role):
            for place in self.schedule.noted(box.role, note.kind, note.fields):
                self.agenda.put(self.now_us, "fault", NO_BOX, place)

    def record(self, crossed: Crossed, receiver: Box, label: str) -> None:
        """Remember a frame as the receiver got it, and every fault that touched it."""
        self.records.count(receiver.role, label)
        if not crossed.faults:
            self.records.frame(crossed.at_us, crossed.link, crossed.octets, crossed.comment)
            return
        fault = f"fault: {', '.join(crossed.faults)}"
        comment = "; ".join(filter(None, [crossed.comment, fault]))
        if not crossed.arrived:
            self.records.frame(crossed.at_us, crossed.link, crossed.octets, f"{comment} (lost)")
        for octets in crossed.arrived:
            self.records.frame(crossed.at_us, crossed.link, octets, comment)
        self.struck(crossed, receiver, label)

    def struck(self, crossed: Crossed, receiver: Box, label: str) -> None:
        """Remember every fault that touched a frame."""
        for text in crossed.faults:
            self.note(receiver, Note("fault", (("fault", text), ("frame", label))))
