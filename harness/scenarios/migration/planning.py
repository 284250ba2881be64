"""Who may migrate, and when: eligibility, authorisation, dates, MIG-100 to MIG-113."""

from typing import Final, cast

from harness.migration.planning import Planning, combination_of
from harness.rules.outcomes import Outcome, Result
from harness.run import Run
from harness.scenario import step
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import MIGRATED, Home, Kind, MigrationRow, Stage, ends
from harness.scenarios.migration.shapes import (
    DORMANT,
    ESME,
    B,
    not_planned,
    rejected,
)
from harness.scenarios.migration.world import world

_EARLY: Final = "TMAD 4.26"
_COS: Final = "change-of-supplier"
_UNLISTED: Final = Home(unlisted=True)

MIG_100: Final = scenario(
    MigrationRow(
        id="MIG-100",
        title="The combination is on the EPCL for another service provider only: MA110",
        clause="MEHRS MA110",
        saboteur="rule-off-ma110",
        homes=(_UNLISTED, Home(ref="LISTED")),
        stages=(Stage(ends=ends(HOME=not_planned("P2", "MA110", "X-04"), LISTED=MIGRATED)),),
        silent=("the sub-codes of MA110: the code is DCC's, the sub-codes are ours",),
    )
)
MIG_101: Final = scenario(
    MigrationRow(
        id="MIG-101",
        title="Secure in January 2022: MA110 is not asked yet",
        clause="MEHRS MA110",
        saboteur="mcc-asks-ma110-always",
        cohort="DA",
        day="2022-01-31",
        homes=(_UNLISTED,),
        silent=("the day in February 2022 from which MA110 is asked for Secure: the first here",),
    )
)
MIG_102: Final = scenario(
    MigrationRow(
        id="MIG-102",
        title="Secure in February 2022: MA110 is asked",
        clause="MEHRS MA110",
        saboteur="rule-off-ma110",
        cohort="DA",
        day="2022-02-01",
        homes=(_UNLISTED,),
        stages=(Stage(ends=ends(HOME=not_planned("P2", "MA110", "X-04"))),),
        silent=("the day in February 2022 from which MA110 is asked for Secure: the first here",),
    )
)
_CATEGORIES: Final = (
    ("KEYS", "missing_master_keys", "01"),
    ("NO-WAN", "no_wan_before", "02"),
    ("UNECONOMIC", "uneconomic_to_test", "06"),
    ("CONTRACT", "contract_ended", "07"),
)
_CAUSE: Final = {"CONTRACT": "contract-end"}
MIG_103: Final = scenario(
    MigrationRow(
        id="MIG-103",
        title="Excluded categories are not planned, and the category is told",
        clause="TMAD 18",
        saboteur="rule-off-18",
        homes=tuple(
            Home(
                ref=ref,
                exclusions=frozenset({name}),
                of_class=DORMANT,
                dormancy=_CAUSE.get(ref, _COS),
            )
            for ref, name, _sub in _CATEGORIES
        ),
        stages=(
            Stage(ends={ref: not_planned("P2", "X-18", sub) for ref, _name, sub in _CATEGORIES}),
        ),
    )
)
MIG_104: Final = scenario(
    MigrationRow(
        id="MIG-104",
        title="EC: the group is not migrated, and its files are refused as such",
        clause="MAM 3.0",
        saboteur="rule-off-group",
        cohort="EC",
        day="2021-06-01",
        stages=(Stage(ends=ends(HOME=not_planned("P2", "X-GROUP", "02"))),),
    )
)
MIG_105: Final = scenario(
    MigrationRow(
        id="MIG-105",
        title="The Requesting Party is closed: no new MCF is taken",
        clause="TMAD (RP closure)",
        saboteur="rule-off-rp",
        cohort="IOC",
        closed="2021-06-30",
        day="2021-07-01",
        stages=(Stage(ends=ends(HOME=not_planned("P2", "X-RP", "01"))),),
        silent=("the day on which each Requesting Party closed",),
    )
)
MIG_106: Final = scenario(
    MigrationRow(
        id="MIG-106",
        title="The TMAD has ceased to apply: nothing is migrated",
        clause="TMAD 1.3",
        saboteur="rule-off-1.3",
        day="2025-01-01",
        stages=(Stage(ends=ends(HOME=not_planned("P2", "X-1.3", "01"))),),
    )
)
MIG_107: Final = scenario(
    MigrationRow(
        id="MIG-107",
        title="The TMAD has ceased to apply, and the run says so: migrated all the same",
        clause="TMAD 1.3",
        saboteur="mcc-forgets-overrides",
        day="2025-01-01",
        overrides=frozenset({"1.3"}),
        stages=(Stage(warns={"P2": "P2^ X-1.3/01"}),),
        silent=("migrating after the TMAD has ceased to apply: for test benches only",),
    )
)
MIG_108: Final = scenario(
    MigrationRow(
        id="MIG-108",
        title="An active installation without its supplier's authorisation is not planned",
        clause="MAM 4",
        saboteur="rule-off-p5",
        homes=(Home(authorised=False),),
        stages=(Stage(ends=ends(HOME=not_planned("P5", "X-P5", "01"))),),
    )
)
MIG_109: Final = scenario(
    MigrationRow(
        id="MIG-109",
        title="The electricity Network Operator's Certificate ID is Null: refused",
        clause="TMAD 4.47",
        saboteur="rule-off-4.47",
        order=B,
        homes=(Home(without_operator=frozenset({ESME})),),
        stages=(Stage(ends=ends(HOME=rejected("V4", "X-4.47", "01"))),),
    )
)


def _early(run: Run, ref: str) -> Outcome:
    """Have the DCC ask for a firmware update of a home's ESME before its migration."""
    here = world(run)
    course, record, site = here.course(ref), here.record(ref), here.site(ref)
    combination = combination_of(site.installation, course.office)
    rows = course.office.lists.dmcs.entries.values()
    dmc = next((one for one in rows if one.combination == combination), None)
    planning = cast("Planning", course.planning)
    return planning.early_update(record, str(site.eui64(ESME)), dmc).outcome


@step("DCC has dormant meters' firmware updated; an active meter's is its supplier's", _EARLY)
async def _early_updates(run: Run) -> None:
    """Before the EPCL has the combination: allowed for the dormant home, refused for the other."""
    dormant, active = _early(run, "DORMANT"), _early(run, "ACTIVE")
    run.check("update of the dormant home", (Result.PASSED, ""), (dormant.result, dormant.code))
    run.check(
        "update of the active home", (Result.REJECTED, "X-4.26"), (active.result, active.code)
    )
    run.check("why not", "01", active.sub_code)
    letters = world(run).course("DORMANT").office.post.letters
    said = [(one.sender, one.receiver) for one in letters if one.kind == "order"]
    run.check("who instructed, who carries out", [("MCC", "SMSO")], said)
    run.event("early updates")


_TOO_EARLY: Final = not_planned("P2", "X-RELEASE", "01")
MIG_140: Final = scenario(
    MigrationRow(
        id="MIG-140",
        title="Early firmware: dormant meters before the EPCL entry; the migration waits for it",
        clause=_EARLY,
        saboteur="rule-off-4.26",
        day="2020-12-05",
        homes=(Home(ref="DORMANT", of_class=DORMANT, dormancy=_COS), Home(ref="ACTIVE")),
        stages=(
            Stage(Kind.STEPS, steps=(_early_updates,), events=("early updates",), ends={}),
            Stage(until="authorise", ends=ends(DORMANT=_TOO_EARLY, ACTIVE=_TOO_EARLY)),
        ),
        silent=("whether the DCC asks the SMSO itself or through the Requesting Party",),
    )
)
