"""States of an installation in a migration, and which may follow which."""

import enum
from collections.abc import Mapping
from typing import Final


class State(enum.StrEnum):
    """Where an installation stands.

    Source: stand-in (migration.md section 5.2; the facts behind it are S000 section 5).
    """

    PLANNED = "Planned"
    NOT_PLANNED = "NotPlanned"  # not eligible, or excluded: no file ever names it
    AUTHORISED = "Authorised"
    IN_VALIDATION = "InValidation"
    REJECTED = "Rejected"  # refused before hand-over: nothing changed on site
    HANDED_OVER = "HandedOver"
    AWAITING_CHF = "AwaitingCHF"
    TESTING = "Testing"
    VIABLE = "Viable"
    ROLLING_BACK = "RollingBack"
    ROLLED_BACK = "RolledBack"  # every holder and the SIM with the SMSO again
    STRANDED = "Stranded"  # see StrandedCause
    COMMISSIONING = "Commissioning"
    COMMISSIONING_FAILED = "CommissioningFailed"  # no rollback: the devices are the S1SP's
    MIGRATED = "Migrated"
    EXCLUDED = "Excluded"  # five failed attempts, or another category of TMAD clause 18


class StrandedCause(enum.StrEnum):
    """Why an installation is neither the SMSO's to operate nor migrated."""

    FILE_ERROR = "FileError"
    NO_CHF_COMMS = "NoCHFComms"
    ROLLBACK_FAILED = "RollbackFailed"
    TESTING_FAILED = "TestingFailed"  # a step failed, and the cohort has no rollback


class Owner(enum.StrEnum):
    """Who can operate a device, as associations with both parties' keys show it."""

    SMSO = "SMSO"
    S1SP = "S1SP"
    BOTH = "both"  # must never be
    NEITHER = "neither"  # only in a named state
    UNKNOWN = "unknown"  # nobody could ask the device


#: State -> states that may follow.
FOLLOWS: Final[Mapping[State, frozenset[State]]] = {
    State.PLANNED: frozenset({State.AUTHORISED, State.NOT_PLANNED}),
    State.NOT_PLANNED: frozenset({State.PLANNED}),
    State.AUTHORISED: frozenset({State.IN_VALIDATION, State.HANDED_OVER, State.REJECTED}),
    State.IN_VALIDATION: frozenset(
        {State.HANDED_OVER, State.AWAITING_CHF, State.TESTING, State.REJECTED}
        | {State.ROLLING_BACK, State.STRANDED}
    ),
    State.HANDED_OVER: frozenset(
        {State.IN_VALIDATION, State.AWAITING_CHF, State.TESTING}
        | {State.ROLLING_BACK, State.STRANDED}
    ),
    State.AWAITING_CHF: frozenset({State.TESTING, State.STRANDED, State.ROLLING_BACK}),
    State.TESTING: frozenset({State.VIABLE, State.ROLLING_BACK, State.STRANDED}),
    State.VIABLE: frozenset({State.COMMISSIONING}),
    State.COMMISSIONING: frozenset({State.MIGRATED, State.COMMISSIONING_FAILED}),
    State.COMMISSIONING_FAILED: frozenset({State.COMMISSIONING, State.EXCLUDED}),
    State.ROLLING_BACK: frozenset({State.ROLLED_BACK, State.STRANDED}),
    State.ROLLED_BACK: frozenset({State.AUTHORISED, State.EXCLUDED}),
    State.REJECTED: frozenset({State.AUTHORISED, State.EXCLUDED}),
    State.STRANDED: frozenset({State.IN_VALIDATION, State.EXCLUDED}),
    State.MIGRATED: frozenset(),
    State.EXCLUDED: frozenset(),
}

#: States in which a migration may rest; everything else goes on by itself.
RESTING: Final = frozenset(
    {State.NOT_PLANNED, State.REJECTED, State.ROLLED_BACK, State.STRANDED, State.MIGRATED}
    | {State.COMMISSIONING_FAILED, State.EXCLUDED}
)
