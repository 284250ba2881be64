"""The S1SP's gate: no critical instruction passes without the DCO's part, and none passes twice."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from device_profiles.files import Folders, once
from device_profiles.smets1_services import load_smets1_services
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.parties.instruction import Countersignature, Instruction, is_signed_by
from harness.rules.migration_tables import TableRow, Word, load_table

#: Code of every refusal of the gate.
CODE: Final = "X-DCO-PART"
_TABLE: Final = "migration-critical.csv"


class GateRefusal(enum.Enum):
    """Why the gate lets nothing through; the value is the sub-code."""

    MISSING = "01"
    WRONG_SIGNER = "02"
    ALTERED = "03"
    REPLAYED = "04"


class CriticalRow(TableRow):
    """One step of the equivalent-steps table that no service request stands for.

    Attributes:
        service: Its name in the table.
        says: What it does.
    """

    service: Word
    says: str


def critical_services(overlays: Folders = ()) -> frozenset[str]:
    """Return the services that need the DCO's part: those of users, and those of a migration.

    Raises:
        DataError: A table cannot be used.
    """
    return once(("critical services", tuple(overlays)), lambda: _load_critical(overlays))


def _load_critical(overlays: Folders) -> frozenset[str]:
    of_users = load_smets1_services(overlays)
    own = load_table(CriticalRow, _TABLE, overlays)
    return frozenset(name for name, row in of_users.items() if row.critical) | {
        row.service for row in own
    }


@dataclass(slots=True)
class Gate:
    """Lets instructions through to devices.

    Attributes:
        critical: Services that need the DCO's part.
        dco: The DCO whose part is asked for.
        directory: Public keys of all parties.
        highest: Device -> counter of the last countersignature that was used.
    """

    critical: frozenset[str]
    dco: Eui64
    directory: KeyStore
    highest: dict[Eui64, int]

    def refusal(self, instruction: Instruction, by: Countersignature | None) -> GateRefusal | None:
        """Say why an instruction may not pass, or None; one that passes uses its counter up."""
        if instruction.service not in self.critical:
            return None
        if by is None:
            return GateRefusal.MISSING
        if by.signer != self.dco:
            return GateRefusal.WRONG_SIGNER
        if not self._signed(self.dco, instruction, by):
            others = {entry.eui64 for entry in self.directory.entries()} - {self.dco}
            foreign = any(self._signed(one, instruction, by) for one in others)
            return GateRefusal.WRONG_SIGNER if foreign else GateRefusal.ALTERED
        if by.counter <= self.highest.get(instruction.device, 0):
            return GateRefusal.REPLAYED
        self.highest[instruction.device] = by.counter
        return None

    def _signed(self, party: Eui64, instruction: Instruction, by: Countersignature) -> bool:
        entry = self.directory.find(party, KeyUsage.DS)
        return entry is not None and is_signed_by(entry.public_point, instruction, by)

    def dump(self) -> dict[str, int]:
        """Return its memory as JSON values."""
        return {device.hex: counter for device, counter in self.highest.items()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped memory."""
        self.highest = {Eui64.parse(device): int(count) for device, count in state.items()}
