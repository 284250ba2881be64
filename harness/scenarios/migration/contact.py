"""The hub's first contact: the boundary to the second, MIG-058 to MIG-061."""

from typing import Final

from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import MIGRATED, Disturbance, Kind, MigrationRow, Stage, ends
from harness.scenarios.migration.shapes import (
    CLEAR,
    ELECTRICITY,
    LIKELY,
    UNHEARD,
    WEEK_S,
    A,
    B,
    silent_hub,
)

#: Attaches to the new network so many seconds after the SIM has moved.
_HEARD_AFTER: Final = "late:s={s:.0f}@sim"


#: The network turns the hub away so often; it tries again every six hours.
_OFF_FOR_SIX_DAYS: Final = "mute:times=25@sim"


def _heard_after(seconds: float) -> tuple[Disturbance, ...]:
    return (Disturbance("H3", (_HEARD_AFTER.format(s=seconds),)),)


MIG_058: Final = scenario(
    MigrationRow(
        id="MIG-058",
        title="The hub is heard 6 days 23:59:59 after the SIM moved: in time",
        clause="S000 §5 first contact",
        saboteur="s1sp-waits-a-day-less",
        order=A,
        stages=(Stage(script=_heard_after(WEEK_S - 1), ends=ends(HOME=MIGRATED)),),
        shows=("TMAD 4.15",),
    )
)
MIG_059: Final = scenario(
    MigrationRow(
        id="MIG-059",
        title="The hub is heard exactly 7 days after the SIM moved: too late",
        clause="S000 §5 first contact",
        saboteur="s1sp-waits-a-day-more",
        homes=(ELECTRICITY,),
        order=A,
        stages=(Stage(script=_heard_after(WEEK_S), ends=ends(HOME=silent_hub())),),
        silent=("whether a contact in the last second counts: here the limit itself is too late",),
    )
)
MIG_060: Final = scenario(
    MigrationRow(
        id="MIG-060",
        title="The hub is never heard: stranded, no rollback attempted, completed by 5.8A",
        clause="S000 §5 first contact",
        saboteur="rule-off-h4",
        homes=(ELECTRICITY,),
        order=B,
        stages=(
            Stage(
                script=UNHEARD,
                ends=ends(HOME=silent_hub()),
            ),
            Stage(Kind.RESUBMIT, before=CLEAR, judgement=LIKELY),
        ),
        shows=("TMAD 5.8A",),
    )
)
MIG_061: Final = scenario(
    MigrationRow(
        id="MIG-061",
        title="After 5.8A the hub has seven days anew: it comes on the seventh",
        clause="S000 §5 first contact",
        saboteur="s1sp-waits-a-day-less",
        homes=(ELECTRICITY,),
        order=A,
        stages=(
            Stage(script=UNHEARD, ends=ends(HOME=silent_hub())),
            Stage(
                Kind.RESUBMIT,
                before=("clear@sim", _OFF_FOR_SIX_DAYS),
                judgement=LIKELY,
            ),
        ),
        silent=("whether 5.8A starts the seven days anew: here it does",),
    )
)
