"""The association view: which objects a client sees, and what it may do with them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.axdr import Data, Tag
from harness.dlms.values import enumerated_of, integer_of, items_of, octets_of, refuse
from harness.dlms_view import names


class AttributeMode(enum.IntEnum):
    """What a client may do with an attribute (association version 1)."""

    NONE = 0
    READ = 1
    WRITE = 2
    READ_WRITE = 3
    PROTECTED_READ = 4
    PROTECTED_WRITE = 5
    PROTECTED_READ_WRITE = 6

    @property
    def reads(self) -> bool:
        """Whether it may be read."""
        return self.name.removeprefix("PROTECTED_").startswith("READ")

    @property
    def writes(self) -> bool:
        """Whether it may be written."""
        return self.name.endswith("WRITE")


class MethodMode(enum.IntEnum):
    """What a client may do with a method (association version 1)."""

    NONE = 0
    INVOKE = 1
    PROTECTED_INVOKE = 2


@dataclass(frozen=True, slots=True)
class ObjectView:
    """One object as a client sees it.

    Attributes:
        class_id: Interface class.
        version: Its version.
        obis: Logical name, six octets.
        attributes: Attribute -> what may be done; a number the standard has no word for stays one.
        methods: Method -> what may be done.
        selectors: Attribute -> ways to read a part of it.
    """

    class_id: int
    version: int
    obis: bytes
    attributes: Mapping[int, AttributeMode | int]
    methods: Mapping[int, MethodMode | int]
    selectors: Mapping[int, tuple[int, ...]]

    @property
    def logical_name(self) -> str:
        """The logical name as people write it."""
        return print_obis(self.obis)

    @property
    def name(self) -> str:
        """What people call the object."""
        return names.object_name(self.class_id, self.obis)

    def readable(self) -> tuple[int, ...]:
        """Return the attributes that may be read."""
        return tuple(
            index
            for index, mode in self.attributes.items()
            if isinstance(mode, AttributeMode) and mode.reads
        )


def objects_of(data: Data) -> tuple[ObjectView, ...]:
    """Read an association's object list (class 15, attribute 2).

    Raises:
        MalformedFrameError: It is no object list.

    Source:
        IEC 62056-6-2 Association LN, object_list_element (known).
    """
    return tuple(_object(item) for item in items_of(data, Tag.ARRAY))


def _object(data: Data) -> ObjectView:
    class_id, version, name, rights = items_of(data, Tag.STRUCTURE, 4)
    attributes, methods = items_of(rights, Tag.STRUCTURE, 2)
    modes: dict[int, AttributeMode | int] = {}
    selectors: dict[int, tuple[int, ...]] = {}
    for item in items_of(attributes, Tag.ARRAY):
        index, mode, ways = items_of(item, Tag.STRUCTURE, 3)
        number = enumerated_of(mode)
        known = number in {int(one) for one in AttributeMode}
        modes[integer_of(index)] = AttributeMode(number) if known else number
        if ways.tag is not Tag.NULL:
            chosen = tuple(integer_of(way) for way in items_of(ways, Tag.ARRAY))
            selectors[integer_of(index)] = chosen
    obis = octets_of(name)
    if len(obis) != 6:
        refuse(name, "a logical name has six octets")
    invokes = dict(_method(item) for item in items_of(methods, Tag.ARRAY))
    return ObjectView(integer_of(class_id), integer_of(version), obis, modes, invokes, selectors)


def _method(data: Data) -> tuple[int, MethodMode | int]:
    index, mode = items_of(data, Tag.STRUCTURE, 2)
    if mode.tag is Tag.BOOLEAN:  # association version 0
        return integer_of(index), MethodMode.INVOKE if mode.value else MethodMode.NONE
    number = enumerated_of(mode)
    known = number in {int(one) for one in MethodMode}
    return integer_of(index), MethodMode(number) if known else number
