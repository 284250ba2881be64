"""The thirty steps of a migration, those of a rollback and of a resubmission: data."""

from collections.abc import Mapping

from device_profiles.errors import DuplicateEntryError
from device_profiles.files import Folders, once
from harness.rules.migration_tables import TableRow, Word, load_table

_TABLE = "migration-steps.csv"


class StepRow(TableRow):
    """One step.

    Attributes:
        id: ``H2``.
        phase: The phase it belongs to.
        actor: Name of the party that takes it.
        title: What happens.
        clause: Where it stands.
    """

    id: Word
    phase: Word
    actor: Word
    title: str
    clause: Word


def load_steps(overlays: Folders = ()) -> Mapping[str, StepRow]:
    """Load the steps by id, in their order.

    Raises:
        DataError: The table cannot be used.
    """
    return once(("steps", tuple(overlays)), lambda: _load(overlays))


def _load(overlays: Folders) -> Mapping[str, StepRow]:
    found: dict[str, StepRow] = {}
    for row in load_table(StepRow, _TABLE, overlays):
        if row.id in found:
            raise DuplicateEntryError("this step stands twice", file=_TABLE, key=row.id)
        found[row.id] = row
    return found
