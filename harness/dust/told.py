"""What a service user was told, and what the device shows: values to compare, nothing more.

What a device shows is read by a client of its own (the reader of its model), in an association of
its own, with another proof than the S1SP's: other octets than those that the answer was made of.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_profiles.dmves import Equivalent, StepVerb
from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor, GetResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.selective import read_capture_object
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.dlms.clock import clock_of
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.inventory_contents import Inventory
from harness.formats.duis.smets1_contents import Node, Result

REGISTER_CLASS: Final = 3
PROFILE_CLASS: Final = 7
VALUE: Final = 2
#: Scaler and unit of a register; capture objects of a profile.
ABOUT: Final = 3
PERIOD: Final = 4


class Whose(enum.StrEnum):
    """At whose door a difference lies."""

    DEVICE = "device"  # its own octets contradict each other, or its model
    S1SP = "S1SP"  # the device shows one thing, the answer tells another
    OPEN = "open"  # the device's own log tells otherwise: it or its S1SP told another state then
    DSP = "DSP"  # likewise, of what the DSP answers itself


@dataclass(frozen=True, slots=True)
class Differs:
    """One thing that is not as it should be.

    Attributes:
        what: Which value, in words.
        told: What was told, with its unit.
        shown: What the device shows, and where.
        whose: At whose door it lies.
    """

    what: str
    told: str
    shown: str
    whose: Whose

    def says(self) -> str:
        """Return it in one sentence."""
        return f"{self.what}: {self.told} told, {self.shown} shown ({self.whose})"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that a service user got.

    Attributes:
        service: Service reference variant.
        device: The device that it is of.
        device_type: What that is.
        asked_at: When it was asked for.
        at: When it was told.
        request: What was asked for.
        body: What was told.
    """

    service: str
    device: Eui64
    device_type: DeviceType
    asked_at: UtcMs
    at: UtcMs
    request: RequestBody
    body: Result | Inventory

    def nodes(self, name: str) -> tuple[Node, ...]:
        """Return all elements of a name, in order."""
        return () if isinstance(self.body, Inventory) else tuple(_named(self.body.values, name))

    def text(self, *path: str) -> str:
        """Return the text of the first element down a path; empty where there is none."""
        first = next(iter(self.nodes(path[0])), None)
        return "" if first is None else first.find(*path[1:]) or ""


def _named(nodes: Sequence[Node], name: str) -> list[Node]:
    found = [one for one in nodes if one.name == name]
    return found or [hit for one in nodes for hit in _named(one.children, name)]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a device showed at one moment.

    Attributes:
        at: When.
        values: Attribute -> what it gave; what it did not answer is not there.
        is_whole: Whether each answer to a list had as many results as were asked for.
    """

    at: UtcMs
    values: Mapping[Descriptor, GetResult] = field(repr=False)
    is_whole: bool = True

    def data(self, what: Descriptor | None) -> Data | None:
        """Return a value; None where the device refused it or said nothing."""
        found = None if what is None else self.values.get(what)
        return found if isinstance(found, Data) else None

    def number(self, what: Descriptor | None) -> int | None:
        """Return a whole number, likewise."""
        data = self.data(what)
        value = None if data is None else data.value
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def rows(self, table: Descriptor, column: Descriptor | None = None) -> list[tuple[UtcMs, int]]:
        """Return the rows of a profile or a log: when, and the number in a column.

        Args:
            table: Its buffer.
            column: The column's attribute; None: the first number of each row.
        """
        buffer, about = self.data(table), self.data(Descriptor(table.class_id, table.obis, ABOUT))
        place = _place(about, column)
        found = []
        for row in _items(buffer):
            cells = _items(row)
            at, value = _moment(cells[0] if cells else None), _cell(cells, place)
            if at is not None and value is not None:
                found.append((at, value))
        return found


def _items(data: Data | None) -> tuple[Data, ...]:
    held = None if data is None or data.tag not in {Tag.ARRAY, Tag.STRUCTURE} else data.value
    return held if isinstance(held, tuple) else ()


def _place(about: Data | None, column: Descriptor | None) -> int:
    if column is not None:
        for place, item in enumerate(_items(about)):
            try:
                one = read_capture_object(item)
            except MalformedFrameError:
                continue
            if (one.class_id, one.obis, one.attribute) == (
                column.class_id,
                column.obis,
                column.index,
            ):
                return place
    return 1


def _cell(cells: Sequence[Data], place: int) -> int | None:
    value = cells[place].value if place < len(cells) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(data: Data | None) -> UtcMs | None:
    try:
        return None if data is None else clock_of(data).at
    except MalformedFrameError:
        return None


def reads_of(equivalent: Equivalent, class_id: int) -> tuple[Descriptor, ...]:
    """Return the attributes of one class that the steps of a service read, in order."""
    return tuple(
        Descriptor(one.class_id, parse_obis(one.obis), one.index)
        for one in equivalent.steps
        if one.verb is StepVerb.GET and one.class_id == class_id
    )


def whole(descriptors: Sequence[Descriptor]) -> tuple[Attribute, ...]:
    """Return attributes to be read whole."""
    return tuple(Attribute(one) for one in descriptors)
