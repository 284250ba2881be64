"""The phases of a course in each order of hand-over, and the normal state after each: data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.cohort import HandoverOrder
from harness.migration.states import State
from harness.scenarios.migration.row import Stage


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase.

    Attributes:
        name: Method of the course.
        title: What happens, as a step's title.
        steps: Step ids it takes.
        leaves_in: States in which it leaves an installation that is on its way.
        clauses: What it shows.
        timeout_s: Seconds of bench time it may take.
    """

    name: str
    title: str
    steps: tuple[str, ...]
    leaves_in: frozenset[State]
    clauses: tuple[str, ...]
    timeout_s: float = 86_400.0


_DAYS: Final = 9 * 86_400.0

PLAN: Final = Phase(
    "plan",
    "The installations are planned: inventory, eligibility, firmware, capacity",
    ("P1", "P2", "P3", "P4"),
    frozenset({State.PLANNED, State.AUTHORISED}),
    ("smetsbench migration", "TMAD 18"),
)
AUTHORISE: Final = Phase(
    "authorise",
    "The installations are authorised, or their suppliers notified",
    ("P5", "P6"),
    frozenset({State.AUTHORISED}),
    ("MAM 4",),
)
COMMON: Final = Phase(
    "send_common",
    "The Requesting Party sends the Migration Common File",
    ("V1",),
    frozenset({State.AUTHORISED, State.IN_VALIDATION}),
    ("MAM 7.5.3",),
)
HAND_OVER: Final = Phase(
    "hand_over",
    "Keys and SIM change hands",
    ("H1", "H2", "H3"),
    frozenset({State.HANDED_OVER}),
    ("S000 §5 hand-over", "smetsbench one-owner"),
)
VALIDATE: Final = Phase(
    "validate",
    "The Migration Common File is validated",
    ("V2",),
    frozenset({State.IN_VALIDATION}),
    ("SMETS1 Migration Schema",),
)
GROUP: Final = Phase(
    "send_group",
    "The Requesting Party sends group file and encrypted file",
    ("V3",),
    frozenset({State.IN_VALIDATION}),
    ("MAM 7.5.3",),
)
CHECK: Final = Phase(
    "check_group",
    "The S1SP checks the set and opens the envelopes",
    ("V4", "V5", "V6"),
    frozenset({State.IN_VALIDATION}),
    ("TMAD 5.23(b)", "TMAD 15.3"),
)
CONTACT: Final = Phase(
    "await_contact",
    "The S1SP waits for the hub's first contact",
    ("H4",),
    frozenset({State.AWAITING_CHF}),
    ("S000 §5 first contact",),
    _DAYS,
)
TEST: Final = Phase(
    "test",
    "The S1SP tests the devices",
    ("T1", "T2", "T3", "T4", "T5", "T6", "T7"),
    frozenset({State.VIABLE}),
    ("TMAD Table 16.10.2", "smetsbench one-owner"),
    _DAYS,
)
COMMISSION: Final = Phase(
    "commission",
    "The devices are commissioned, and their suppliers told",
    ("C1", "C2", "C3", "C4", "C5", "C6", "C7"),
    frozenset({State.MIGRATED}),
    ("MAM 6 notices", "S003 §2 CPL entry"),
    _DAYS,
)

#: Order of hand-over -> phases in order.
PHASES: Final[Mapping[HandoverOrder, tuple[Phase, ...]]] = {
    HandoverOrder.BEFORE_FILE_PROCESSING: (
        PLAN,
        AUTHORISE,
        COMMON,
        HAND_OVER,
        VALIDATE,
        GROUP,
        CHECK,
        CONTACT,
        TEST,
        COMMISSION,
    ),
    HandoverOrder.AFTER_COMMON_FILE: (
        PLAN,
        AUTHORISE,
        COMMON,
        VALIDATE,
        HAND_OVER,
        GROUP,
        CHECK,
        CONTACT,
        TEST,
        COMMISSION,
    ),
    HandoverOrder.FOLDED: (
        PLAN,
        AUTHORISE,
        COMMON,
        VALIDATE,
        GROUP,
        CHECK,
        CONTACT,
        TEST,
        COMMISSION,
    ),
}


def chosen(phases: tuple[Phase, ...], stage: Stage) -> tuple[Phase, ...]:
    """Return the phases of a stage: all, or some of them."""
    names = [phase.name for phase in phases]
    first = names.index(stage.since) if stage.since else 0
    last = names.index(stage.until) if stage.until else len(names) - 1
    return phases[first : last + 1]
