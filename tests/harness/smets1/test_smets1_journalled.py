"""A run on a SMETS1 bench, killed at any commit and resumed: done once, read back the same."""

from pathlib import Path

import pytest

from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.core.clock import UtcMs
from harness.benches import BENCHES
from harness.resume import resume
from harness.run import Run
from harness.run_options import RunOptions
from harness.runner import start
from harness.scenario import ClauseRef, Expectation, Scenario, step
from harness.setting import Setting
from harness.verdict import ExpectationKind, Verdict
from tests.harness.playing import end_state, in_a_child
from tests.harness.smets1 import homes
from tests.harness.smets1.homes import DAY_MS, credentials, rotate

ID = "SIM-01"
CLAUSE = "a clause"


@step("The SIM moves and the hub is heard", CLAUSE, timeout_s=DAY_MS / 1000)
async def _moves(run: Run) -> None:
    hub = run.bench.hub_wan()
    kept = run.bench.memory("ESME")
    await run.bench.disturb("refuse:times=1@sim")
    refused = await hub.change_sim("S1SP")
    moved = await hub.change_sim("S1SP")
    owner = await hub.sim_owner()
    silent = await hub.notified("SMSO", UtcMs(run.bench.clock.now() + 1000))
    notice = await hub.notified("S1SP", UtcMs(run.bench.clock.now() + DAY_MS))
    run.check("refused", False, refused.done)
    run.check("moved", [True, "S1SP", None], [moved.done, owner, silent])
    run.facts["notice"] = "" if notice is None else f"{notice.at} {notice.octets.hex()}"
    run.check("kept", True, kept is not None)


@step("The ESME changes hands over the new network", CLAUSE)
async def _rotates(run: Run) -> None:
    run.check("answer", ActionResult.SUCCESS, await rotate_over_s1sp(run))
    own = [run.bench.opens_to("ESME", credentials(run.bench, "ESME", who)) for who in PARTIES]
    run.check("owners", [False, True], own)
    run.outcome("MOVED")
    run.facts["memory"] = dict(run.bench.memory("ESME") or {})


PARTIES = ("SMSO", "S1SP")


async def rotate_over_s1sp(run: Run) -> ActionResult | None:
    """Give the ESME the S1SP's keys over the network its SIM is on."""
    return await rotate(run.bench, "ESME", "SMSO", "S1SP", way="wan")


def _nothing(run: Run) -> None:
    run.facts["begun"] = True


SCENARIO = Scenario(
    ID,
    "a SIM moves, a meter changes hands",
    ("ESME",),
    "SMETS1",
    (ClauseRef(CLAUSE, "known"),),
    Expectation(ExpectationKind.EXACT, frozenset({"MOVED"}), "known"),
    (_moves, _rotates),
    _nothing,
    settings={"homes": (homes.lean(),)},
)
SETTING = Setting({ID: f"{__name__}:SCENARIO"}, BENCHES)


def play(out: Path, commit: int = 0) -> None:
    """Run it; SIGKILL this process after that many commits."""
    faults = (f"crash:commit={commit}@harness",) if commit else ()
    start([ID], RunOptions(faults=faults), out=out, setting=SETTING)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nobody killed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    play(out)
    return out


def test_the_run_passes(whole: Path) -> None:
    assert end_state(whole)["run"]["verdict"] == "PASS"


@pytest.mark.parametrize("commit", [4, 7, 10, 13, 18])
def test_a_run_killed_in_the_middle_ends_as_if_never_killed(
    commit: int, tmp_path: Path, whole: Path
) -> None:
    assert in_a_child(play, tmp_path / "run", commit) == -9
    assert resume(tmp_path / "run", setting=SETTING)[1].verdict is Verdict.PASS
    assert end_state(tmp_path / "run") == end_state(whole)


@pytest.mark.soak
def test_a_run_killed_at_any_commit_ends_as_if_never_killed(tmp_path: Path, whole: Path) -> None:
    commit = 1
    while in_a_child(play, tmp_path / str(commit), commit) == -9:
        record = resume(tmp_path / str(commit), setting=SETTING)[1]
        assert record.verdict is Verdict.PASS, f"commit {commit}"
        assert end_state(tmp_path / str(commit)) == end_state(whole), f"commit {commit}"
        commit += 1
    assert commit > 15
