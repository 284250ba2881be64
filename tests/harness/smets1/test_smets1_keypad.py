"""Top-up codes at the keypad of a SMETS1 meter: whose codes count, and what a resume keeps."""

from pathlib import Path

import pytest

from emulator.core.clock import UtcMs
from emulator.crypto.top_up_code import TopUp
from harness.benches import BENCHES, emulated_meter
from harness.errors import BenchError
from harness.parties.smets1_top_up import device_code
from harness.ports import KeypadAnswer
from harness.resume import resume
from harness.run import Run
from harness.run_options import RunOptions
from harness.runner import start
from harness.scenario import ClauseRef, Expectation, Scenario, step
from harness.setting import Setting
from harness.verdict import ExpectationKind, Verdict
from tests.harness.playing import end_state, in_a_child
from tests.harness.smets1 import homes
from tests.harness.smets1.homes import AnyBench, credentials, play

ID = "KEYPAD-01"
CLAUSE = "a clause"
TAKEN = KeypadAnswer(True)


def code(of: AnyBench, role: str, party: str, number: int) -> str:
    """A code that the owner of that party's keys sells."""
    keys = credentials(of, role, party).keys
    assert keys is not None
    return device_code(keys.authentication, of.role(role), TopUp(500, number))


async def lit(of: AnyBench) -> None:
    """Wait until every meter has power."""
    await of.clock.sleep_until(UtcMs(of.clock.now() + 60_000))


@step("Codes are keyed", CLAUSE)
async def _keys(run: Run) -> None:
    bench = run.bench
    await lit(bench)
    own = code(bench, "ESME", "SMSO", 1)
    first = await bench.key_in("ESME", own)
    again = await bench.key_in("ESME", own)
    foreign = await bench.key_in("ESME", code(bench, "ESME", "S1SP", 2))
    run.check("taken", TAKEN, first)
    run.check("why", ["duplicate", "not_authentic"], [again.why, foreign.why])
    run.check("noted", 1, sum(one.kind == "top_up" for one in bench.observed))
    run.outcome("KEYED")
    run.facts["memory"] = dict(bench.memory("ESME") or {})


def _nothing(run: Run) -> None:
    run.facts["begun"] = True


SCENARIO = Scenario(
    ID,
    "codes are keyed in",
    ("ESME",),
    "SMETS1",
    (ClauseRef(CLAUSE, "known"),),
    Expectation(ExpectationKind.EXACT, frozenset({"KEYED"}), "known"),
    (_keys,),
    _nothing,
    settings={"homes": (homes.lean(),)},
)
SETTING = Setting({ID: f"{__name__}:SCENARIO"}, BENCHES)


def played(out: Path, commit: int = 0) -> None:
    """Run it; SIGKILL this process after that many commits."""
    faults = (f"crash:commit={commit}@harness",) if commit else ()
    start([ID], RunOptions(faults=faults), out=out, setting=SETTING)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nobody killed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    played(out)
    return out


def test_the_run_passes_and_no_code_is_in_its_journal(whole: Path) -> None:
    assert end_state(whole)["run"]["verdict"] == "PASS"
    own = code(homes.bench(homes=(homes.lean(),)), "ESME", "SMSO", 1)
    files = [path.read_bytes() for path in whole.rglob("*") if path.is_file()]
    assert files
    assert not any(own.encode() in octets for octets in files)


@pytest.mark.parametrize("commit", [4, 5, 6])
def test_a_run_killed_while_codes_are_keyed_ends_as_if_never_killed(
    commit: int, tmp_path: Path, whole: Path
) -> None:
    assert in_a_child(played, tmp_path / "run", commit) == -9
    assert resume(tmp_path / "run", setting=SETTING)[1].verdict is Verdict.PASS
    assert end_state(tmp_path / "run") == end_state(whole)


def test_a_gas_meter_has_a_keypad_even_while_it_sleeps_and_a_hub_has_none() -> None:
    made = homes.bench()

    async def story() -> tuple[KeypadAnswer, KeypadAnswer]:
        await lit(made)
        sold = code(made, "GSME", "SMSO", 3)
        digits = str((int(sold[-1]) + 1) % 10)
        mistyped = await made.key_in("GSME", sold[:-1] + digits)
        with pytest.raises(BenchError, match="no code can be entered at the CHF"):
            await made.key_in("CHF", sold)
        return mistyped, await made.key_in("GSME", sold)

    assert play(story) == (KeypadAnswer(False, "not_authentic"), TAKEN)


def test_a_meter_without_power_takes_no_code() -> None:
    made = homes.bench(homes=(homes.lean(),), faults=("power-cycle:after_s=30,off_s=3600@esme",))

    async def story() -> str:
        await lit(made)
        return (await made.key_in("ESME", code(made, "ESME", "SMSO", 1))).why

    assert play(story) == "dark"


def test_nobody_is_at_the_keypad_of_a_meter_on_a_line() -> None:
    line = emulated_meter.open_bench(RunOptions(world="meter"))

    async def story() -> None:
        with pytest.raises(BenchError, match="no code can be entered"):
            await line.key_in("ESME", "0" * 20)

    play(story)
