"""The COSEM objects of a GBCS device type as data: one row an attribute or method.

Files: ``catalogues/gbcs-TYPE.csv`` (objects) and ``catalogues/gbcs-TYPE-use-cases.csv`` (who may
ask for what).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn

from device_profiles.errors import DuplicateEntryError, InvalidValueError, UnknownNameError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, layers, once, read_csv
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
    path = _path(f"gbcs-{device_type}.csv", overlays)
    rows = tuple([_member(cells, path, at) for at, cells in _lines(path, OBJECT_COLUMNS)])
    members: dict[MemberKey, MemberRow] = {}
    named: dict[str, MemberRow] = {}
    for row in rows:
        if row.key in members or row.name in named:
            raise DuplicateEntryError(f"{row.where} {row.name} stands twice", file=path, key="name")
        members[row.key] = named[row.name] = row
    roles = _roles(_path(f"gbcs-{device_type}-use-cases.csv", overlays))
    for row in rows:
        for use_case in row.read | row.write:
            if use_case not in roles:
                _refuse(path, row.name, f"{use_case} is in no line of the use-case table")
    return GbcsObjects(
        rows, MappingProxyType(members), MappingProxyType(named), MappingProxyType(roles)
    )


def _path(name: str, overlays: Folders) -> Path:
    found = layers("catalogues", name, overlays)
    if not found:
        raise UnknownNameError("no catalogue of this name", file=name)
    return found[-1]


def _lines(path: Path, columns: tuple[str, ...]) -> Iterable[tuple[str, Mapping[str, str]]]:
    headings, lines = read_csv(path)
    if tuple(headings) != columns:
        _refuse(path, "line 1", f"the headings must be {', '.join(columns)}")
    for number, cells in enumerate(lines, 2):
        where = f"line {number}"
        if None in cells or None in cells.values():
            _refuse(path, where, "more or fewer cells than headings")
        yield where, {name: str(text) for name, text in cells.items()}


def _refuse(path: Path, key: str, why: str) -> NoReturn:
    raise InvalidValueError(why, file=path, key=key)


def _member(cells: Mapping[str, str], path: Path, where: str) -> MemberRow:
    obis, member = _OBIS.fullmatch(cells["obis"]), _MEMBER.fullmatch(cells["member"])
    if obis is None or member is None or not cells["class"].isdigit():
        _refuse(path, where, "obis like 0-0:1.0.0.255, class a number, member a2 up or m1 up")
    for column in ("name", "type", "binding"):
        if not cells[column]:
            _refuse(path, f"{where} {column}", "must not be empty")
    try:
        default = json.loads(cells["default"]) if cells["default"] else None
        octets = bytes(int(text) for text in obis.groups())
        mark = Mark.parse(cells["evidence"])
    except ValueError as error:
        _refuse(path, where, str(error))
    return MemberRow(
        octets,
        int(cells["class"]),
        member[1] == "m",
        int(member[2]),
        cells["name"],
        cells["type"],
        default,
        cells["binding"],
        cells["argument"],
        frozenset(cells["read"].split()),
        frozenset(cells["write"].split()),
        mark,
    )


def _roles(path: Path) -> dict[str, frozenset[RemoteParty]]:
    found: dict[str, frozenset[RemoteParty]] = {}
    for where, cells in _lines(path, USE_CASE_COLUMNS):
        words = cells["roles"].split()
        if not words or set(words) - set(ROLES):
            _refuse(path, where, f"roles are {', '.join(ROLES)}")
        try:
            Mark.parse(cells["evidence"])
        except ValueError as error:
            _refuse(path, where, str(error))
        if cells["use_case"] in found:
            raise DuplicateEntryError(f"{cells['use_case']} stands twice", file=path, key=where)
        found[cells["use_case"]] = frozenset(ROLES[word] for word in words)
    return found
