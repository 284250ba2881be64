"""The COSEM objects of a GBCS device type as data: one row an attribute or method.

Files: ``catalogues/gbcs-TYPE.csv`` (objects) and ``catalogues/gbcs-TYPE-use-cases.csv`` (who may
ask for what).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from device_profiles.errors import DuplicateEntryError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, once
from device_profiles.gbcs_tables import (
    Line,
    check_use_cases,
    lines_of,
    table_path,
    use_case_lines,
)
from device_profiles.words import RemoteParty

OBJECT_COLUMNS: Final = (
    "obis", "class", "member", "name", "type", "default", "binding", "argument", "read", "write",
    "evidence",
)  # fmt: skip
USE_CASE_COLUMNS: Final = ("use_case", "roles", "evidence")
_OBIS: Final = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_MEMBER: Final = re.compile(r"([am])(\d{1,3})")
#: Role word -> remote party.
ROLES: Final[Mapping[str, RemoteParty]] = MappingProxyType(
    {
        "supplier": RemoteParty.SUPPLIER,
        "network-operator": RemoteParty.NETWORK_OPERATOR,
        "acb": RemoteParty.ACCESS_CONTROL_BROKER,
        "load-controller": RemoteParty.LOAD_CONTROLLER,
    }
)
#: What names a member: class, logical name, whether it is a method, index.
MemberKey = tuple[int, bytes, bool, int]


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One attribute or method of one object.

    Attributes:
        obis: Logical name, six octets.
        class_id: Interface class.
        is_method: Whether it is a method.
        index: Attribute or method index.
        name: Our name for it, with its unit; no two rows share one.
        type: Shape word of its value or argument.
        default: Plain value that a device has before it is told another; None for none.
        binding: Word that says where the value comes from; the emulator has the table.
        argument: What the binding needs to know beside its word.
        read: Use cases that read it.
        write: Use cases that set it or invoke it.
        mark: How well the row is known; defaults are stand-ins.
    """

    obis: bytes
    class_id: int
    is_method: bool
    index: int
    name: str
    type: str
    default: Any = field(hash=False)
    binding: str
    argument: str
    read: frozenset[str]
    write: frozenset[str]
    mark: Mark

    @property
    def key(self) -> MemberKey:
        """Class, logical name, whether it is a method, index."""
        return self.class_id, self.obis, self.is_method, self.index

    @property
    def where(self) -> str:
        """The member as ``3/1-0:2.8.0.255/a2``."""
        a, b, c, d, e, f = self.obis
        member = f"{'m' if self.is_method else 'a'}{self.index}"
        return f"{self.class_id}/{a}-{b}:{c}.{d}.{e}.{f}/{member}"


@dataclass(frozen=True)
class GbcsObjects:
    """The objects of one device type, and its use cases on them.

    Attributes:
        rows: Members in the order of the file.
        members: The same by key.
        named: The same by name.
        roles: Use case -> who may ask for it.
    """

    rows: tuple[MemberRow, ...]
    members: Mapping[MemberKey, MemberRow]
    named: Mapping[str, MemberRow]
    roles: Mapping[str, frozenset[RemoteParty]]


def load_gbcs_objects(device_type: str, overlays: Folders = ()) -> GbcsObjects:
    """Load the objects of a device type; the strongest overlay's file replaces the weaker ones.

    Args:
        device_type: Lower-case name, e.g. ``esme``.
        overlays: Folders whose files win, weakest first.

    Raises:
        DataError: One of its kinds: no such catalogue, an unreadable file, a wrong cell, a member
            or name that stands twice, a use case that has no roles.
    """
    key = ("gbcs-objects", device_type, tuple(overlays))
    return once(key, lambda: _loaded(device_type, overlays))


def _loaded(device_type: str, overlays: Folders) -> GbcsObjects:
    path = table_path(f"gbcs-{device_type}.csv", overlays)
    rows = tuple([_member(line) for line in lines_of(path, OBJECT_COLUMNS)])
    members: dict[MemberKey, MemberRow] = {}
    named: dict[str, MemberRow] = {}
    for row in rows:
        if row.key in members or row.name in named:
            raise DuplicateEntryError(f"{row.where} {row.name} stands twice", file=path, key="name")
        members[row.key] = named[row.name] = row
    roles = _roles(f"gbcs-{device_type}-use-cases.csv", overlays)
    for row in rows:
        check_use_cases(path, row.name, row.read | row.write, roles)
    return GbcsObjects(
        rows, MappingProxyType(members), MappingProxyType(named), MappingProxyType(roles)
    )


def _member(line: Line) -> MemberRow:
    obis, member = _OBIS.fullmatch(line["obis"]), _MEMBER.fullmatch(line["member"])
    if obis is None or member is None or not line["class"].isdigit():
        line.refuse("obis like 0-0:1.0.0.255, class a number, member a2 up or m1 up")
    for column in ("name", "type", "binding"):
        if not line[column]:
            line.refuse("must not be empty", column)
    groups = [int(text) for text in obis.groups()]
    if max(groups) > 0xFF:
        line.refuse("a part of an obis is 0 to 255")
    return MemberRow(
        bytes(groups),
        int(line["class"]),
        member[1] == "m",
        int(member[2]),
        line["name"],
        line["type"],
        line.default(),
        line["binding"],
        line["argument"],
        line.words("read"),
        line.words("write"),
        line.mark(),
    )


def _roles(name: str, overlays: Folders) -> dict[str, frozenset[RemoteParty]]:
    found: dict[str, frozenset[RemoteParty]] = {}
    for line in use_case_lines(table_path(name, overlays), USE_CASE_COLUMNS):
        words = line.words("roles")
        if not words or words - set(ROLES):
            line.refuse(f"roles are {', '.join(ROLES)}")
        line.mark()
        found[line["use_case"]] = frozenset(ROLES[word] for word in words)
    return found
