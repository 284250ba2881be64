"""Things that change while a migration is on its way, MIG-110 to MIG-116."""

from dataclasses import replace
from typing import Final

from emulator.core.clock import UtcMs
from harness.migration.states import State
from harness.run import Run
from harness.scenario import step
from harness.scenarios.migration.build import scenario
from harness.scenarios.migration.row import (
    HOME,
    MIGRATED,
    Disturbance,
    End,
    Home,
    Kind,
    MigrationRow,
    Owns,
    Stage,
    ends,
)
from harness.scenarios.migration.shapes import ESME, A, B, file_error, rejected, rolled_back
from harness.scenarios.migration.world import world

_COPIES: Final = 100


@step("The head end has got every notice a hundred times", "HUGO flood", timeout_s=86_400)
async def _flooded(run: Run) -> None:
    """Count what still waits at the head end: one of the copies was the first contact."""
    hub = world(run).site(HOME).hub()
    until = UtcMs(run.bench.clock.now() + 1000)
    waiting = 0
    while await hub.notified("S1SP", until) is not None:
        waiting += 1
    run.check("copies that nobody needed", True, waiting >= _COPIES - 1)
    run.event("flooded")


_OPEN: Final = End(State.IN_VALIDATION, owns=Owns.SMSO)

MIG_110: Final = scenario(
    MigrationRow(
        id="MIG-110",
        title="Another hub answers than the files name: rolled back",
        clause="smetsbench migration",
        saboteur="rule-off-t1",
        order=B,
        conditions=("s1-chf-other-eui64",),
        stages=(Stage(ends=ends(HOME=rolled_back("T1", "X-T1", "02"))),),
        shows=("TMAD 5.1",),
    )
)
MIG_112: Final = scenario(
    MigrationRow(
        id="MIG-112",
        title="One installation in the files of two Requesting Parties: the second is refused",
        clause="smetsbench one-set",
        saboteur="rule-off-open",
        order=B,
        homes=(Home(), Home(ref="CLAIMED-TWICE", batch=1, twin_of="HOME")),
        stages=(
            Stage(refs=("HOME",), until="validate", ends=ends(HOME=_OPEN)),
            Stage(
                refs=("CLAIMED-TWICE",),
                ends=ends(**{"CLAIMED-TWICE": rejected("V2", "X-OPEN", "01")}),
            ),
            Stage(refs=("HOME",), since="hand_over", ends=ends(HOME=MIGRATED)),
        ),
        silent=("what happens to an installation in two open files: the first file has it here",),
    )
)
MIG_113: Final = scenario(
    MigrationRow(
        id="MIG-113",
        title="The MVF belongs to the next Migration Week than its MCF",
        clause="TMAD 4.15",
        saboteur="rule-off-set",
        order=A,
        stages=(
            Stage(
                misconduct=("mcc-answers-a-week-later",),
                ends=ends(HOME=file_error("V4", "X-SET", "03")),
            ),
        ),
        silent=("what a Migration Week is, and whether a set may span two: it may not here",),
    )
)
MIG_114: Final = scenario(
    MigrationRow(
        id="MIG-114",
        title="A hub repeats its notices a hundred times: the network is flooded, it migrates",
        clause="HUGO flood",
        saboteur="omits-h2-esme",
        order=A,
        faults=("duplicate:copies=100,gap_ms=50,kind=wrapper.data-notification@wan-out",),
        stages=(Stage(), Stage(Kind.STEPS, steps=(_flooded,), events=("flooded",), ends={})),
        silent=("what the messages of February 2023 were: repeated notices here",),
    )
)
MIG_115: Final = scenario(
    MigrationRow(
        id="MIG-115",
        title="Commissioning fails for want of WAN, and is sent again",
        clause="smetsbench migration",
        saboteur="mcc-tells-nobody",
        order=B,
        stages=(
            Stage(
                script=(Disturbance("T7", ("mute@wan",), after=True),),
                ends=ends(HOME=End(State.COMMISSIONING_FAILED, "C3", "X-C3", "02")),
            ),
            Stage(since="commission", before=("clear@wan",), wait_s=3600, ends=ends(HOME=MIGRATED)),
        ),
        silent=("how often commissioning is tried again: as often as its codes allow",),
    )
)
MIG_116: Final = scenario(
    MigrationRow(
        id="MIG-116",
        title="The ESME refuses other keys: the SMSO undoes its rotation before the SIM moves",
        clause="S000 §5 hand-over",
        saboteur="rule-off-h2",
        order=A,
        conditions=("s1-esme-rotation-refused",),
        stages=(Stage(ends=ends(HOME=replace(rolled_back("H2", "X-H2", "03"), at=ESME))),),
        silent=("what follows a rotation that fails before the SIM has moved",),
    )
)
