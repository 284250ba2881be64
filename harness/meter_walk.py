"""A read-only walk through a meter: who it is, what it has, and what of that it lets one read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.dlms.selective import (
    CaptureObject,
    EntrySelection,
    RangeSelection,
    selection_of,
)
from emulator.core.errors import MalformedFrameError
from harness.dlms_view.values import moment_of, octets_of_moment, text_of
from harness.meter import Association, Credentials, GetAnswer, SignOnReport, Unanswered
from harness.ports import MeterPort
from harness.words import counted

_VIEW: Final = Descriptor(15, bytes((0, 0, 40, 0, 0, 255)), 2)
_CLOCK: Final = Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
_LOAD_PROFILE: Final = bytes((1, 0, 99, 1, 0, 255))
_EUI64: Final = (1, bytes((0, 0, 96, 1, 1, 255)))
_SERIAL: Final = (1, bytes((0, 0, 96, 1, 0, 255)))
_PROFILE_CLASS: Final = 7
_BUFFER: Final = 2
#: Class and attribute that hold a secret, and are not asked for.
_SECRET: Final = (15, 7)
#: Access modes of an attribute that let it be read: read, read-write, and both authenticated.
_READABLE: Final = frozenset({1, 3, 4, 6})
#: Rows asked for of a profile that is no load profile, and hours of the load profile.
_LOG_ROWS: Final = 10
_HOURS: Final = 12

Step = Callable[[int, int], None]


def _nobody(_done: int, _total: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk came to.

    Attributes:
        sign_on: What the sign-on came to.
        association: What the association came to.
        objects: How many objects the client sees.
        read: How many attributes answered with a value.
        refused: How many did not.
        device: What the device said of itself: ``eui64``, ``serial_number``,
            ``firmware_version``, ``manufacturer``.
        ended: Why the walk ended early; empty where it did not.
    """

    sign_on: SignOnReport
    association: Association
    objects: int = 0
    read: int = 0
    refused: int = 0
    device: dict[str, str] = field(default_factory=dict)
    ended: str = ""


async def walk(
    port: MeterPort,
    credentials: Credentials,
    *,
    firmware: bytes = b"",
    step: Step = _nobody,
) -> Walked:
    """Read all that a client may read, without changing anything.

    Args:
        port: The meter.
        credentials: Who asks.
        firmware: Logical name of the object that holds the firmware version.
        step: Told after each attribute: how many were read, of how many.
    """
    sign_on = await port.sign_on()
    walker = _Walker(port, firmware, step)
    walker.told("manufacturer", sign_on.manufacturer)
    association = await port.associate(credentials)
    if association.accepted:
        await walker.all()
        await port.release()
    walked = walker.walked(sign_on, association)
    return walked if association.accepted else replace(walked, ended=association.why)


class _Walker:
    """Reads attribute by attribute."""

    def __init__(self, port: MeterPort, firmware: bytes, step: Step) -> None:
        self._port = port
        self._firmware = firmware
        self._step = step
        self._device: dict[str, str] = {}
        self._read = self._refused = self._objects = 0
        self._now: Data = NULL
        self._ended = ""

    def walked(self, sign_on: SignOnReport, association: Association) -> Walked:
        return Walked(
            sign_on,
            association,
            self._objects,
            self._read,
            self._refused,
            self._device,
            self._ended,
        )

    def told(self, name: str, value: str) -> None:
        if value:
            self._device[name] = value

    async def all(self) -> None:
        """Read the association view, the clock, then everything the view lets be read."""
        view = await self._one(_VIEW)
        if view is None:
            return
        self._now = await self._one(_CLOCK) or NULL
        wanted = [one for one in readable(view) if one not in {_VIEW, _CLOCK}]
        self._objects = len(objects_of(view))
        for number, target in enumerate(wanted, 1):
            if self._ended:
                return
            value = await self._one(target)
            if value is not None:
                self._identify(target, value)
            self._step(number, len(wanted))

    async def _one(self, target: Descriptor) -> Data | None:
        answer: GetAnswer = await self._port.get([self._attribute(target)])
        if isinstance(answer, Unanswered):
            self._refused += 1
            if answer.why.value in {"no-answer", "link-lost", "not-associated"}:
                self._ended = f"{answer.why.value}: {answer.detail}"
            return None
        result = answer[0]
        if isinstance(result, DataAccessResult):
            self._refused += 1
            return None
        self._read += 1
        return result

    def _attribute(self, target: Descriptor) -> Attribute:
        """Return an attribute to read; of profiles a part, so that a walk ends soon."""
        if (target.class_id, target.index) != (_PROFILE_CLASS, _BUFFER):
            return Attribute(target)
        moment = moment_of(self._now)
        if target.obis == _LOAD_PROFILE and moment is not None:
            first = octets_of_moment(moment - timedelta(hours=_HOURS))
            clock = CaptureObject(_CLOCK.class_id, _CLOCK.obis, _CLOCK.index)
            rows = RangeSelection(clock, Data(Tag.OCTETS, first), self._now)
            return Attribute(target, selection_of(rows))
        return Attribute(target, selection_of(EntrySelection(1, _LOG_ROWS)))

    def _identify(self, target: Descriptor, value: Data) -> None:
        key, octets = (target.class_id, target.obis), value.value
        if target.index != 2 or not isinstance(octets, bytes):
            return
        if key == _EUI64 and len(octets) == 8:
            self.told("eui64", octets.hex("-").upper())
        elif key == _SERIAL:
            self.told("serial_number", text_of(value).strip("'"))
        elif target.obis == self._firmware:
            self.told("firmware_version", text_of(value).strip("'"))


def objects_of(view: Data) -> list[tuple[int, bytes, Data]]:
    """Return the objects of an association view: class, logical name, access rights.

    Raises:
        MalformedFrameError: It is no object list.
    """
    rows = view.value if isinstance(view.value, tuple) else ()
    found = []
    for row in rows:
        parts = row.value if isinstance(row.value, tuple) else ()
        if len(parts) != 4:
            raise MalformedFrameError("dlms.object_list", b"", "an object has four parts")
        class_id, name = parts[0].value, parts[2].value
        if not isinstance(class_id, int) or not isinstance(name, bytes):
            raise MalformedFrameError("dlms.object_list", b"", "class or logical name missing")
        found.append((class_id, name, parts[3]))
    return found


def readable(view: Data) -> list[Descriptor]:
    """Return every attribute an association view lets be read, secrets and names left out.

    Source:
        Blue Book class 15 object_list: access_rights {attributes [{id, mode, selectors}],
        methods [{id, mode}]}; modes 1, 3, 4, 6 read. Known.
    """
    return [
        Descriptor(class_id, name, index)
        for class_id, name, rights in objects_of(view)
        for index in _readable_of(rights)
        if index != 1 and (class_id, index) != _SECRET
    ]


def _readable_of(rights: Data) -> Sequence[int]:
    parts = rights.value if isinstance(rights.value, tuple) else ()
    attributes = parts[0].value if parts and isinstance(parts[0].value, tuple) else ()
    found = []
    for item in attributes:
        pair = item.value if isinstance(item.value, tuple) else ()
        if len(pair) >= 2 and pair[1].value in _READABLE and isinstance(pair[0].value, int):
            found.append(pair[0].value)
    return sorted(found)


def in_words(walked: Walked) -> str:
    """Return what a walk came to, in one line."""
    read = f"{counted(walked.objects, 'object')}, {counted(walked.read, 'attribute')} read"
    told = f"{read}, {walked.refused} refused"
    return f"{told}; ended early: {walked.ended}" if walked.ended else told
