"""The ZCL clusters of GBCS gas devices as data: one row an attribute, command or other value.

Files: ``catalogues/gbcs-gas.csv`` (members and values) and ``catalogues/gbcs-gas-use-cases.csv``
(which device does what for whom, and how its answers look).
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

MEMBER_COLUMNS: Final = (
    "cluster", "member", "name", "type", "default", "binding", "argument", "use_cases", "evidence",
)  # fmt: skip
USE_CASE_COLUMNS: Final = ("use_case", "devices", "roles", "sealed", "quiet", "evidence")
_MEMBER: Final = re.compile(r"(a)([0-9a-f]{4})|([cs])([0-9a-f]{2})")
_CLUSTER: Final = re.compile(r"[0-9a-f]{4}")
#: Who may ask: remote parties, and the household's PPMID.
ROLES: Final = frozenset({"supplier", "network-operator", "acb", "ppmid"})
DEVICES: Final = frozenset({"gsme", "gpf"})
#: Kind of a member: attribute, command to the server, command to the client.
KINDS: Final = "acs"


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One attribute, one command, or one value that no attribute holds by itself.

    Attributes:
        cluster: Cluster; None for a value of no attribute.
        kind: ``a`` attribute, ``c`` command to the server, ``s`` command to the client; empty for
            a value of no attribute.
        number: Attribute or command identifier; 0 for a value of no attribute.
        name: Our name for it, with its unit; no two rows share one.
        type: Type word of its value; empty for a command.
        default: Plain value that a device has before it is told another; None for none.
        binding: Word that says where the value comes from or what the command does.
        argument: What the binding needs to know beside its word.
        use_cases: Use cases that read the attribute or hold the command.
        mark: How well the row is known; defaults are stand-ins.
    """

    cluster: int | None
    kind: str
    number: int
    name: str
    type: str
    default: Any = field(hash=False)
    binding: str
    argument: str
    use_cases: frozenset[str]
    mark: Mark

    @property
    def where(self) -> str:
        """The member as ``0702/a0000``; the name of a value of no attribute."""
        if self.cluster is None:
            return self.name
        width = 4 if self.kind == "a" else 2
        return f"{self.cluster:04x}/{self.kind}{self.number:0{width}x}"


@dataclass(frozen=True, slots=True)
class UseCaseRow:
    """How one use case is answered.

    Attributes:
        devices: ``gsme``, ``gpf`` or both.
        roles: Words of `ROLES`.
        sealed: Clusters whose answers are encrypted.
        quiet: Clusters whose answers carry the flag "disable default response".
        mark: How well the row is known.
    """

    devices: frozenset[str]
    roles: frozenset[str]
    sealed: frozenset[int]
    quiet: frozenset[int]
    mark: Mark


@dataclass(frozen=True)
class GbcsClusters:
    """The clusters of gas devices, and the use cases on them.

    Attributes:
        rows: All rows in the order of the file.
        members: Attributes and commands by (cluster, kind, identifier).
        named: All rows by name.
        use_cases: Use case -> how it is answered.
    """

    rows: tuple[ClusterRow, ...]
    members: Mapping[tuple[int, str, int], ClusterRow]
    named: Mapping[str, ClusterRow]
    use_cases: Mapping[str, UseCaseRow]


def load_gbcs_clusters(name: str = "gas", overlays: Folders = ()) -> GbcsClusters:
    """Load the clusters; the strongest overlay's file replaces the weaker ones.

    Args:
        name: Which catalogue.
        overlays: Folders whose files win, weakest first.

    Raises:
        DataError: One of its kinds: no such catalogue, an unreadable file, a wrong cell, a member
            or name that stands twice, a use case without a line of its own.
    """
    key = ("gbcs-clusters", name, tuple(overlays))
    return once(key, lambda: _loaded(name, overlays))


def _loaded(name: str, overlays: Folders) -> GbcsClusters:
    path = table_path(f"gbcs-{name}.csv", overlays)
    rows = tuple([_row(line) for line in lines_of(path, MEMBER_COLUMNS)])
    members: dict[tuple[int, str, int], ClusterRow] = {}
    named: dict[str, ClusterRow] = {}
    use_cases = _use_cases(f"gbcs-{name}-use-cases.csv", overlays)
    for row in rows:
        if row.name in named:
            raise DuplicateEntryError(f"{row.name} stands twice", file=path, key="name")
        named[row.name] = row
        check_use_cases(path, row.name, row.use_cases, use_cases)
        if row.cluster is None:
            continue
        key = (row.cluster, row.kind, row.number)
        if key in members:
            raise DuplicateEntryError(f"{row.where} stands twice", file=path, key="member")
        members[key] = row
    return GbcsClusters(
        rows, MappingProxyType(members), MappingProxyType(named), MappingProxyType(use_cases)
    )


def _row(line: Line) -> ClusterRow:
    cluster, kind, number = _place(line)
    if not line["name"] or not line["binding"] or (kind not in {"c", "s"} and not line["type"]):
        line.refuse("name and binding, and the type of a value, must not be empty")
    return ClusterRow(
        cluster,
        kind,
        number,
        line["name"],
        line["type"],
        line.default(),
        line["binding"],
        line["argument"],
        line.words("use_cases"),
        line.mark(),
    )


def _place(line: Line) -> tuple[int | None, str, int]:
    if not line["cluster"] and not line["member"]:
        return None, "", 0
    member = _MEMBER.fullmatch(line["member"])
    if member is None or _CLUSTER.fullmatch(line["cluster"]) is None:
        line.refuse("cluster like 0702, member like a0000, c06 or s04")
    kind, digits = member[1] or member[3], member[2] or member[4]
    return int(line["cluster"], 16), kind, int(digits, 16)


def _use_cases(name: str, overlays: Folders) -> dict[str, UseCaseRow]:
    found: dict[str, UseCaseRow] = {}
    for line in use_case_lines(table_path(name, overlays), USE_CASE_COLUMNS):
        devices, roles = line.words("devices"), line.words("roles")
        if not devices or devices - DEVICES or not roles or roles - ROLES:
            line.refuse(f"devices of {sorted(DEVICES)}, roles of {sorted(ROLES)}")
        found[line["use_case"]] = UseCaseRow(
            devices, roles, line.identifiers("sealed"), line.identifiers("quiet"), line.mark()
        )
    return found
