"""Choices of our own where the sources are silent: data, each with its mark."""

from dataclasses import dataclass
from typing import Final

from device_profiles.errors import InvalidValueError
from device_profiles.files import Folders, once
from emulator.core.values import quick
from harness.rules.migration_tables import SettingRow, load_table

_TABLE: Final = "migration-engine.csv"
_POSITIONS: Final = ("first", "last")
_GAS: Final = ("give-back", "keep")


@quick
@dataclass(frozen=True, slots=True)
class Settings:
    """Choices of the engine.

    Attributes:
        sim_rollback: Whether the SIM goes back ``first`` or ``last`` in a rollback.
        excluded_gsme: Whether a GSME that is left out of a migration is given back to the SMSO
            (``give-back``) or kept by the S1SP (``keep``).
        return_contact_s: Seconds the SMSO waits for a hub that is to come back to its network.
        poll_s: Seconds between two looks at one hub where several are waited for.
        call_s: Seconds between two calls of the S1SP to a hub it knows from an earlier attempt.
        lanes: Homes that SMSO or S1SP work at side by side; 1: one after the other.
    """

    sim_rollback: str
    excluded_gsme: str
    return_contact_s: int
    poll_s: int
    call_s: int
    lanes: int


def load_settings(overlays: Folders = ()) -> Settings:
    """Load the table.

    Raises:
        DataError: A row is missing or holds no value of its kind.
    """
    return once(("migration settings", tuple(overlays)), lambda: _load(overlays))


def _load(overlays: Folders) -> Settings:
    values = {row.key: row.value for row in load_table(SettingRow, _TABLE, overlays)}
    try:
        found = Settings(
            values["sim_rollback"],
            values["excluded_gsme"],
            int(values["return_contact_s"]),
            int(values["poll_s"]),
            int(values["call_s"]),
            int(values["lanes"]),
        )
    except KeyError as error:
        raise InvalidValueError("this row is missing", file=_TABLE, key=error.args[0]) from error
    except ValueError as error:
        raise InvalidValueError(str(error), file=_TABLE) from error
    if found.sim_rollback not in _POSITIONS or found.excluded_gsme not in _GAS:
        raise InvalidValueError("sim_rollback or excluded_gsme is no known word", file=_TABLE)
    if found.lanes < 1:
        raise InvalidValueError("somebody must work at homes: at least 1", file=_TABLE, key="lanes")
    return found
