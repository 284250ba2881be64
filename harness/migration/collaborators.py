"""What a course needs of those who plan, who work on files and who commission."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from emulator.core.clock import UtcMs
from harness.formats.migration_files.building import BuiltFile
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.opening import Opened
from harness.formats.migration_files.result_files import InstallationOutcome
from harness.formats.migration_files.words import FileType, ProcessingMode
from harness.migration.commissioning_result import CommissioningResult
from harness.migration.file_set import SetInHand, Tamper
from harness.migration.record import InstallationRecord
from harness.migration.site import Site
from harness.migration.verdicts import InstallationVerdict

if TYPE_CHECKING:
    from harness.parties.mcc import Mcc


class Files(Protocol):
    """Makes, sends and checks file sets; ``FileWork`` is one."""

    hands: list[SetInHand]
    tamper: dict[FileType, Tamper]
    mcc: "Mcc"

    def send_common(
        self,
        records: Sequence[InstallationRecord],
        mode: ProcessingMode = ProcessingMode.FULL,
        at: UtcMs | None = None,
    ) -> SetInHand:
        """Make, sign and send an MCF (V1)."""
        ...

    def validate(
        self, hand: SetInHand, stranded: frozenset[str] | None = None
    ) -> dict[str, InstallationVerdict]:
        """Validate the MCF and answer with an MVF (V2)."""
        ...

    def send_group(self, hand: SetInHand) -> None:
        """Make and send MGF, MEF and manifest (V3)."""
        ...

    def check(self, hand: SetInHand) -> dict[str, InstallationVerdict]:
        """Check the set (V4 to V6)."""
        ...

    def viable(self, hand: SetInHand, results: Mapping[str, Sequence[Finding]]) -> BuiltFile:
        """Make and send the VIF (T7)."""
        ...

    def commissioning_file(self, hand: SetInHand, refs: Sequence[str]) -> BuiltFile:
        """Make and send the SCF (C1)."""
        ...

    def outcome(
        self, hand: SetInHand, rows: "Sequence[InstallationOutcome]", answers: BuiltFile
    ) -> BuiltFile:
        """Make and send the COF that answers an SCF (C7)."""
        ...

    def ended(self, refs: Sequence[str]) -> None:
        """Let installations stand in other MCFs again."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return the memory as JSON values."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        ...


class Plans(Protocol):
    """Plans and authorises; ``Planning`` is one."""

    def plan(self, records: Sequence[InstallationRecord]) -> Mapping[str, InstallationVerdict]:
        """Take P1 to P4."""
        ...

    def authorise(self, records: Sequence[InstallationRecord]) -> Mapping[str, InstallationVerdict]:
        """Take P5 and P6."""
        ...

    def dump(self) -> dict[str, Any]:
        """Return the memory as JSON values."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped memory."""
        ...


class Commissions(Protocol):
    """Commissions viable installations; ``Commissioning`` is one."""

    async def commission(
        self, site: Site, record: InstallationRecord, opened: Opened | None
    ) -> CommissioningResult:
        """Take C1 to C7 at one installation."""
        ...

    def take_up(self, site: Site) -> None:
        """Know a site again after a memory was taken over."""
        ...

    def dump(self) -> Any:
        """Return the memory as JSON values."""
        ...

    def load(self, state: Any) -> None:
        """Take over a dumped memory."""
        ...
