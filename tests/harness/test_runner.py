import asyncio
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.errors import MalformedFrameError
from harness.errors import UsageError
from harness.judging import in_expected_order
from harness.measurement import Measurement
from harness.run_options import RunOptions
from harness.runner import RunInterruptedError, start
from harness.scenario import Expectation, Run, Step, step
from harness.setting import Setting, bench_kind, crash_fault, run_id
from harness.verdict import ExpectationKind, Verdict
from tests.harness import fake_bench, tiny_scenarios
from tests.harness.fake_bench import FakeBench
from tests.harness.playing import SETTING, in_a_child, play, play_one, resumed
from tests.harness.tiny_scenarios import EXACT, ask, later, scenario


def doing(act: Any, **about: Any) -> Step:
    """A step with these contents."""
    return step("A step", "GBCS 11.2", **about)(act)


async def nothing(run: Run) -> None:
    """End as expected."""
    run.outcome("ACTIVATED")


NOTHING = doing(nothing)


@pytest.mark.parametrize(
    ("expected", "actual", "clause", "verdict"),
    [
        (1, 1, "GBCS 11.2", Verdict.PASS),
        (1, 2, "GBCS 11.2", Verdict.FAIL),
        (1, 1, "GBCS 11.9", Verdict.PASS),
        (1, 2, "GBCS 11.9", Verdict.INCONCLUSIVE),
    ],
)
def test_a_check_is_as_strong_as_its_rule(  # noqa: PLR0913, PLR0917 - a row of a table
    expected: int,
    actual: int,
    clause: str,
    verdict: Verdict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def act(run: Run) -> None:
        assert run.check("number", expected, actual, clause=clause) is (expected == actual)
        run.outcome("ACTIVATED")

    record = play_one(scenario(doing(act)), tmp_path, monkeypatch)
    assert record.verdict is verdict
    if verdict is not Verdict.PASS:
        assert "number: expected 1, found 2" in record.reason


@pytest.mark.parametrize("accepted", ["TINY-01", "GBCS 11.9"])
def test_an_accepted_rule_carries_a_fail(
    accepted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(run: Run) -> None:
        run.check("number", 1, 2, clause="GBCS 11.9")
        run.outcome("ACTIVATED")

    options = {"accepted": frozenset({accepted})}
    record = play_one(scenario(doing(act)), tmp_path, monkeypatch, **options)
    assert record.verdict is Verdict.FAIL


def test_the_reason_of_an_inconclusive_check_says_how_to_accept_its_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(run: Run) -> None:
        run.check("number", 1, 2, clause="GBCS 11.9")
        run.outcome("ACTIVATED")

    record = play_one(scenario(doing(act)), tmp_path, monkeypatch)
    assert record.reason.endswith(
        'the rule GBCS 11.9 is inferred:from vectors (accept it with --accept "GBCS 11.9")'
    )


def test_a_check_on_a_clause_the_scenario_does_not_name_is_an_error_of_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(run: Run) -> None:
        run.check("number", 1, 1, clause="GBCS 99")

    record = play_one(scenario(doing(act)), tmp_path, monkeypatch)
    assert record.verdict is Verdict.ERROR
    assert "GBCS 99" in record.reason


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.0, "PASS"), (600, "PASS"), (600.1, "FAIL"), (-1, "FAIL"), (None, "INCONCLUSIVE")],
)
def test_a_measurement_is_judged_by_its_limits(
    value: float | None, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(run: Run) -> None:
        run.measure("transfer_time", value)
        run.outcome("ACTIVATED")

    measures = (Measurement("transfer_time", "s", 0, 600),)
    record = play_one(scenario(doing(act, measures=measures)), tmp_path, monkeypatch)
    assert record.verdict is Verdict[verdict]


def test_a_declared_measurement_that_is_not_taken_is_inconclusive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = (Measurement("transfer_time", "s", 0, 600),)
    record = play_one(scenario(doing(nothing, measures=measures)), tmp_path, monkeypatch)
    assert (record.verdict, record.reason) == (
        Verdict.INCONCLUSIVE,
        "transfer_time was not measured",
    )


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(None, None, ""), (1, None, "≥ 1 s"), (None, 2.5, "≤ 2.5 s"), (0, 600, "0 … 600 s")],
)
def test_limits_are_written_as_a_reader_writes_them(
    low: float | None, high: float | None, text: str
) -> None:
    assert Measurement("t", "s", low, high).limits == text


@pytest.mark.parametrize(
    ("kind", "evidence", "outcome", "verdict", "unexpected"),
    [
        (ExpectationKind.EXACT, "known", "ACTIVATED", "PASS", False),
        (ExpectationKind.EXACT, "known", "NO_IMAGE", "FAIL", False),
        (ExpectationKind.EXACT, "stand-in", "NO_IMAGE", "INCONCLUSIVE", False),
        (ExpectationKind.UNCERTAIN, "stand-in", "NO_IMAGE", "PASS", False),
        (ExpectationKind.UNLIKELY, "known", "ACTIVATED", "PASS", True),
        (ExpectationKind.UNLIKELY, "known", "NO_IMAGE", "PASS", False),
        (ExpectationKind.EXACT, "known", "", "INCONCLUSIVE", False),
    ],
)
def test_the_outcome_word_is_judged(  # noqa: PLR0913, PLR0917 - a row of a table
    kind: ExpectationKind,
    evidence: str,
    outcome: str,
    verdict: str,
    unexpected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def act(run: Run) -> None:
        if outcome:
            run.outcome(outcome)

    expectation = Expectation(kind, frozenset({"ACTIVATED"}), evidence)
    record = play_one(scenario(doing(act), expectation=expectation), tmp_path, monkeypatch)
    assert (record.verdict, record.unexpected_success) == (Verdict[verdict], unexpected)
    assert record.reason


@pytest.mark.parametrize(
    ("words", "expected", "holds"),
    [
        ("a b", "a b", True),
        ("b a", "a b", False),
        ("a", "a b", False),
        ("a b c", "a b", False),
        ("a a a b", "a+ b", True),
        ("b", "a+ b", False),
        ("b", "a* b", True),
        ("b", "a? b", True),
        ("a a b", "a? b", False),
        ("b", "a|b", True),
        ("a b", "a|b+", True),
        ("", "a", False),
        ("ab", "a b", False),
    ],
)
def test_events_are_compared_with_the_expected_order(
    words: str, expected: str, holds: bool
) -> None:
    assert in_expected_order(words.split(), expected.split()) is holds


@given(st.lists(st.sampled_from(["a.b", "a|", "x y", "(", "é"]), max_size=6))
def test_event_words_are_never_taken_for_patterns(words: list[str]) -> None:
    escaped = [word.replace("|", "_") for word in words]
    assert in_expected_order(escaped, escaped) is True
    assert in_expected_order([*escaped, "more"], escaped) is False


def test_events_out_of_order_fail_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(run: Run) -> None:
        run.event("second")
        run.event("first")
        run.outcome("ACTIVATED")

    tiny = scenario(doing(act), expected_events=("first", "second"))
    record = play_one(tiny, tmp_path, monkeypatch)
    assert (record.verdict, record.reason) == (
        Verdict.FAIL,
        "events came as second, first; expected first, second",
    )


async def _fail(run: Run) -> None:
    run.check("x", 1, 2)


async def _require(run: Run) -> None:
    run.require("x", 1, 2)
    run.check("never reached", 1, 2)


async def _break(run: Run) -> None:
    await run.bench.hub.send(b"broken")


async def _garble(run: Run) -> None:
    raise MalformedFrameError("gbcs.grouping", run.bench.kind.encode(), "a length is wrong")


async def _hang(run: Run) -> None:
    await run.bench.hub.send(b"hang")
    await run.bench.hub.received(later(run, 10_000))


async def _skip(run: Run) -> None:
    run.skip("no such register here")


async def _typo(run: Run) -> None:
    run.facts["never set"] += 1


@pytest.mark.parametrize(
    ("act", "verdict", "reason"),
    [
        (_fail, "FAIL", "x: expected 1, found 2"),
        (_require, "FAIL", "x: expected 1, found 2"),
        (_break, "ERROR", "the cable is out"),
        (_garble, "FAIL", "broken frame: gbcs.grouping: a length is wrong"),
        (_hang, "FAIL", "no end within 120 s, in hub.received"),
        (_skip, "SKIPPED", "no such register here"),
        (_typo, "ERROR", "KeyError: 'never set'"),
    ],
)
def test_a_step_that_goes_wrong_says_how_and_the_clean_up_still_runs(
    act: Any, verdict: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def clean_up(run: Run) -> None:
        run.event("cleaned up")

    steps = (doing(act, timeout_s=120), NOTHING, doing(clean_up, always=True))
    record = play_one(scenario(*steps), tmp_path, monkeypatch)
    first, second, last = record.steps
    assert first.verdict is Verdict[verdict]
    assert first.reason.startswith(reason)
    grave = first.verdict >= Verdict.FAIL
    assert second.verdict is (Verdict.SKIPPED if grave else Verdict.PASS)
    assert second.reason == (f"step 1 ended in {verdict}" if grave else "")
    assert last.verdict is Verdict.PASS
    assert len(first.checks) == (1 if act in {_fail, _require} else 0)
    assert (first.error is not None) is (verdict == "ERROR")
    assert [event.word for event in record.events if event.source == "scenario"][-1] == "cleaned up"


def test_an_error_of_the_bench_names_what_where_and_what_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = play_one(scenario(doing(_break)), tmp_path, monkeypatch)
    assert record.error == {
        "what": "the cable is out",
        "where": "port 1",
        "cause": "",
        "next": "bench check",
        "blame": "bench",
    }


def test_a_hang_takes_bench_time_and_no_real_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    record = play_one(scenario(doing(_hang, timeout_s=86_400 * 7)), tmp_path, monkeypatch)
    assert record.steps[0].verdict is Verdict.PASS  # it heard nothing, which is for it to judge
    assert (record.ended_at or 0) - (record.started_at or 0) >= 10_000_000
    assert time.monotonic() - began < 30


def test_a_wait_that_no_operation_ends_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait_for_ever(run: Run) -> None:
        run.event("waiting")
        await asyncio.Event().wait()

    record = play_one(scenario(doing(wait_for_ever, timeout_s=5)), tmp_path, monkeypatch)
    assert (record.verdict, record.reason[:12]) == (Verdict.ERROR, "TimeoutError")


def test_two_operations_at_once_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(run: Run) -> None:
        await asyncio.gather(ask(run, b"a"), ask(run, b"b"))

    with pytest.raises(Exception, match="two operations at once"):
        play_one(scenario(doing(both)), tmp_path, monkeypatch)


def test_setup_must_not_touch_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def acting(run: Run) -> None:
        await run.bench.hub.send(b"too early")

    with pytest.raises(Exception, match="no step yet"):
        play_one(scenario(NOTHING, setup=acting), tmp_path, monkeypatch)


def test_a_need_the_bench_does_not_meet_skips_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = scenario(NOTHING, needs=frozenset({"GSME", "ESME", "observations", "power"}))
    record = play_one(tiny, tmp_path, monkeypatch)
    assert (record.verdict, record.reason) == (
        Verdict.SKIPPED,
        "the bench (fake) offers no GSME",
    )


def test_a_bench_that_does_not_open_is_an_error_and_the_next_scenario_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = scenario(NOTHING, settings={"no_bench": True})
    monkeypatch.setattr(tiny_scenarios, "CURRENT", broken, raising=False)
    table = {"TINY-01": f"{tiny_scenarios.HERE}:CURRENT", "TINY-02": SETTING.table()["TINY-02"]}
    setting = Setting(table, fake_bench.BENCHES)
    run = start(["*"], RunOptions(), out=tmp_path, setting=setting)[1]
    assert [item.verdict for item in run.scenarios] == [Verdict.ERROR, Verdict.PASS]
    assert run.verdict is Verdict.ERROR


def test_every_bench_is_closed_and_every_scenario_has_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[FakeBench] = []

    def open_bench(options: RunOptions) -> FakeBench:
        opened.append(FakeBench(options))
        return opened[-1]

    monkeypatch.setattr(fake_bench, "open_bench", open_bench)
    play(["TINY-*"], tmp_path, seed=5)
    assert [bench.closed for bench in opened] == [True, True, True]
    assert len({id(bench) for bench in opened}) == 3
    assert [bench.options.scenario for bench in opened] == ["TINY-01", "TINY-02", "TINY-03"]
    assert {(bench.options.seed, bench.options.world) for bench in opened} == {(5, "SMETS2+")}


def test_the_scenarios_own_faults_and_the_runs_reach_the_bench_without_the_harness_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, ...]] = []

    def open_bench(options: RunOptions) -> FakeBench:
        seen.append(options.faults)
        return FakeBench(options)

    monkeypatch.setattr(fake_bench, "open_bench", open_bench)
    tiny = scenario(NOTHING, faults=("drop:frame=3@han",))
    faults = ("delay:ms=5@wan", "crash:commit=999@harness")
    play_one(tiny, tmp_path, monkeypatch, faults=faults)
    assert seen == [("delay:ms=5@wan", "drop:frame=3@han")]


def test_the_same_seed_gives_the_same_octets_and_another_seed_gives_others(
    tmp_path: Path,
) -> None:
    captures = []
    for number, seed in enumerate((1, 1, 2)):
        out = tmp_path / str(number)
        play(["TINY-01"], out, seed=seed)
        captures.append((out / "wire.pcapng").read_bytes())
    assert captures[0] == captures[1] != captures[2]


def test_a_scenario_plays_the_same_alone_and_among_others(tmp_path: Path) -> None:
    alone = play(["TINY-02"], tmp_path / "alone").scenarios[0]
    among = play(["TINY-*"], tmp_path / "among").scenarios[1]
    assert (alone.events, alone.started_at) == (among.events, among.started_at)


def test_the_run_id_follows_from_seed_ids_and_choices() -> None:
    first = run_id(RunOptions(seed=7), ["FM-01", "FM-02"])
    assert first == run_id(RunOptions(seed=7), ["FM-01", "FM-02"])
    assert first.startswith("FM-01+1-seed7-")
    others = {
        run_id(RunOptions(seed=8), ["FM-01", "FM-02"]),
        run_id(RunOptions(seed=7), ["FM-01"]),
        run_id(RunOptions(seed=7, faults=("drop@han",)), ["FM-01", "FM-02"]),
    }
    assert first not in others
    assert len(others) == 3


def test_options_survive_the_journal() -> None:
    options = RunOptions(
        seed=3,
        faults=("a@han",),
        accepted=frozenset({"x"}),
        image=Path("/i.bin"),
        with_identifiers=True,
    )
    assert RunOptions.load(options.dump()) == options
    assert options.on_user_data
    assert not RunOptions().on_user_data


def test_ids_and_globs_are_chosen_in_the_order_of_the_catalogue() -> None:
    assert SETTING.choose(["tiny-03", "TINY-0[12]"]) == ["TINY-01", "TINY-02", "TINY-03"]
    with pytest.raises(UsageError, match="no scenario is called FM-99"):
        SETTING.choose(["TINY-01", "FM-99"])


@pytest.mark.parametrize(
    "fault", ["crash@harness", "crash:commit=0@harness", "crash:commit=x@harness", "drop@harness"]
)
def test_a_fault_the_harness_does_not_know_is_refused(fault: str) -> None:
    with pytest.raises(UsageError, match="there is no such fault"):
        crash_fault((fault,))


def test_a_bench_file_that_is_broken_or_names_no_bench_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text("kind = ")
    with pytest.raises(UsageError, match="cannot be read"):
        bench_kind(RunOptions(bench=path), fake_bench.BENCHES)
    path.write_text('kind = "fridge"')
    with pytest.raises(UsageError, match="names no kind of bench there is: 'fridge'"):
        bench_kind(RunOptions(bench=path), fake_bench.BENCHES)


def _interrupted(out: Path) -> None:
    class Interrupting(FakeBench):
        async def stage(self, order: Any) -> Any:
            signal.raise_signal(signal.SIGTERM)
            return await super().stage(order)

    fake_bench.open_bench = Interrupting
    try:
        play(["TINY-01"], out)
    except RunInterruptedError as error:
        raise SystemExit(error.exit_code) from None


def test_a_terminated_run_exits_with_4_and_can_be_resumed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert in_a_child(_interrupted, out) == 4
    with sqlite3.connect(out / "journal.sqlite") as db:
        assert db.execute("SELECT state FROM runs").fetchall() == [("running",)]
    db.close()
    assert resumed(out).verdict is Verdict.PASS


def test_the_expectation_of_the_tiny_scenarios_is_firm() -> None:
    assert EXACT.judge("OTHER")[0] is Verdict.FAIL
