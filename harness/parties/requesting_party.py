"""The Requesting Party of an SMSO: makes, signs and sends MCF, MGF, MEF and manifest."""

from collections.abc import Sequence
from typing import Any, Final

from device_profiles.cohort import Cohort
from emulator.core.clock import UtcMs
from emulator.crypto.pki import Draw
from harness.formats.migration_files.building import BuiltFile, Keys, SetBuilder, SetPlan
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.handover import SecretsOf
from harness.formats.migration_files.parties import Role
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.words import ProcessingMode

NAME: Final = "RP"


class RequestingParty:
    """Remembers the counter of every group and never uses one twice (5.9.5).

    Args:
        keys: Keys; its own is the one of ``Role.REQUESTING_PARTY``.
        schema: The migration schema.
        draw: Chance of its envelopes, e.g. ``chance.stream("rp/envelope").octets``.
        tag: Its tag in file names; empty: the SMSO tag of the cohort.
        first: Counter of the first set of every group.

    Attributes:
        counters: GroupID -> the last counter that was used.
    """

    name: Final = NAME

    def __init__(
        self,
        keys: Keys,
        schema: MigrationSchema,
        draw: Draw,
        *,
        tag: str = "",
        first: int = 1,
    ) -> None:
        self.keys = keys
        self.party = keys.parties[Role.REQUESTING_PARTY]
        self._schema = schema
        self._draw = draw
        self._tag = tag
        self._first = first
        self.counters: dict[str, int] = {}

    def next_counter(self, group_id: str) -> int:
        """Take the next counter of a group; gaps never matter, reuse does."""
        counter = self.counters.get(group_id, self._first - 1) + 1
        self.counters[group_id] = counter
        return counter

    def builder(
        self,
        cohort: Cohort,
        counter: int,
        at: UtcMs,
        mode: ProcessingMode = ProcessingMode.FULL,
        *,
        binds_party: bool = False,
    ) -> SetBuilder:
        """Return what makes the files of one set."""
        tag = self._tag or cohort.cohort.smso_tag
        plan = SetPlan(cohort, tag, counter, at, mode, binds_party)
        return SetBuilder(plan, self.keys, self._schema)

    def common(self, builder: SetBuilder, installations: Sequence[CommonInstallation]) -> BuiltFile:
        """Make the MCF (step V1)."""
        return builder.common(installations)

    def group_files(
        self,
        builder: SetBuilder,
        installations: Sequence[CommonInstallation],
        secrets_of: SecretsOf,
        *,
        plaintext: bool = False,
        after_s: int = 2,
    ) -> tuple[BuiltFile, BuiltFile]:
        """Make MGF and MEF of the installations found valid (step V3).

        Args:
            builder: Makes the files of the set.
            installations: Those found valid.
            secrets_of: Secrets of each device that holds head-end credentials.
            plaintext: Whether group information goes in the clear (11.1).
            after_s: Seconds after the MCF; the MEF is one second younger than the MGF.
        """
        group = builder.group(installations, after_s=after_s)
        encrypted = builder.encrypted(
            installations, secrets_of, self._draw, plaintext=plaintext, after_s=after_s + 1
        )
        return group, encrypted

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values."""
        return {"counters": dict(self.counters)}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.counters = {str(group): int(counter) for group, counter in state["counters"].items()}
