"""One file set of a migration as it is worked on: what was made, what arrived, what was judged."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.core.clock import UtcMs
from emulator.core.values import quick
from harness.formats.migration_files.building import BuiltFile
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.document import from_tree
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.signing import strip
from harness.formats.migration_files.words import FileType, ProcessingMode
from harness.formats.migration_files.xml_input import parse
from harness.migration.answers import parts_of
from harness.migration.verdicts import FileVerdict, InstallationVerdict, file_of_row, file_row

#: What happens to the octets of a file between sender and receiver.
Tamper = Callable[[bytes], bytes]


@quick
@dataclass(frozen=True, slots=True)
class Arrived:
    """One file as its receiver got it: the evidence of R-054.

    Attributes:
        name: Its name.
        sender: Party that sent it.
        receiver: Party that got it.
        octets: What arrived.
    """

    name: str
    sender: str
    receiver: str
    octets: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of what arrived, 64 hex digits."""
        return hashlib.sha256(self.octets).hexdigest()


@dataclass(slots=True)
class SetInHand:
    """One file set from its MCF to its end.

    Attributes:
        refs: Installations it was made for, in order.
        mode: How it is processed.
        at: When its MCF was made, UTC.
        counter: Migration counter; never for suppliers.
        installations: Ref -> its part of the MCF as the Requesting Party made it.
        files: What was made, as its maker sent it.
        arrived: What arrived, after whatever happened on the way.
        verdicts: What became of each file that was judged, in order.
        results: Ref -> the last verdict on it.
        common_accepted: Whether 5.9.5 was asked, and met, at the MCF's own level (order B).
    """

    refs: tuple[str, ...]
    mode: ProcessingMode
    at: UtcMs
    counter: int = field(repr=False)
    installations: Mapping[str, CommonInstallation] = field(default_factory=dict, repr=False)
    files: dict[FileType, BuiltFile] = field(default_factory=dict)
    arrived: dict[FileType, Arrived] = field(default_factory=dict)
    verdicts: list[FileVerdict] = field(default_factory=list)
    results: dict[str, InstallationVerdict] = field(default_factory=dict)
    common_accepted: bool = False

    @property
    def header(self) -> Header:
        """Header of its MCF.

        Raises:
            KeyError: The MCF is not made yet.
        """
        return self.files[FileType.MCF].file.header

    def accepted(self) -> tuple[str, ...]:
        """Return the installations whose last verdict goes on."""
        return tuple(ref for ref in self.refs if ref in self.results and self.results[ref].accepted)

    def file_refusal(self) -> FileVerdict | None:
        """Return the first file that was refused as a whole, or None."""
        return next((row for row in self.verdicts if row.finding is not None), None)

    def _sent(self, kind: FileType) -> bytes:
        return self.files[kind].octets if kind in self.files else b""

    def dump(self) -> dict[str, Any]:
        """Return the set as JSON values: octets and verdicts, nothing that was opened."""
        return {
            "refs": list(self.refs),
            "mode": str(self.mode),
            "at": self.at,
            "counter": self.counter,
            "common_accepted": self.common_accepted,
            "files": {
                str(kind): {"name": row.name, "octets": row.octets.hex()}
                for kind, row in self.files.items()
            },
            "arrived": {
                str(kind): {
                    "name": row.name,
                    "sender": row.sender,
                    "receiver": row.receiver,
                    # What nothing happened to on the way is written down once.
                    "octets": None if row.octets == self._sent(kind) else row.octets.hex(),
                }
                for kind, row in self.arrived.items()
            },
            "verdicts": [file_row(row) for row in self.verdicts],
            "results": {ref: row.as_json() for ref, row in self.results.items()},
        }


def restored(state: Mapping[str, Any], schema: MigrationSchema) -> SetInHand:
    """Return a dumped set; its layers are closed.

    Args:
        state: What ``SetInHand.dump`` gave.
        schema: The schema its files are of.

    Raises:
        MigrationFileError: The files are not what was dumped.
    """
    files = {
        FileType(kind): _value(row["name"], bytes.fromhex(row["octets"]), schema)
        for kind, row in state["files"].items()
    }
    arrived = {
        FileType(kind): Arrived(
            row["name"],
            row["sender"],
            row["receiver"],
            files[FileType(kind)].octets if row["octets"] is None else bytes.fromhex(row["octets"]),
        )
        for kind, row in state["arrived"].items()
    }
    return SetInHand(
        tuple(state["refs"]),
        ProcessingMode(state["mode"]),
        UtcMs(state["at"]),
        state["counter"],
        parts_of(files[FileType.MCF]),
        files,
        arrived,
        [file_of_row(row) for row in state["verdicts"]],
        {ref: InstallationVerdict.of_json(row) for ref, row in state["results"].items()},
        state["common_accepted"],
    )


def _value(name: str, octets: bytes, schema: MigrationSchema) -> BuiltFile:
    root = parse(octets, schema.namespace)
    strip(root)
    return BuiltFile(name, octets, from_tree(root, schema))
