"""What is reported: verdicts, JUnit properties, the failure's own page, the capture."""

from pathlib import Path

import pytest

from harness.report import pcapng
from tests.harness.pytest_face.face import played

pytest_plugins = ("pytester",)

VERDICTS = """
import pytest
from harness.errors import BenchError
from harness.pytest_trail import InconclusiveError

async def test_passes(bench): pass

async def test_fails(parties):
    assert parties.home.ref == "another"

async def test_inconclusive(bench): raise InconclusiveError("INCONCLUSIVE: nobody measured it")

async def test_breaks(bench):
    raise BenchError("the lead is out", where="port 3", cause="a lead", next_command="plug it in")

async def test_deadlocks(bench):
    import asyncio
    await asyncio.Event().wait()

async def test_skips(bench): pytest.skip("not today")

def test_not_ours(): raise BenchError("an error of somebody else's test")
"""


def test_every_verdict_has_its_place_in_pytest_and_junit(pytester: pytest.Pytester) -> None:
    done = played(pytester, VERDICTS)
    assert "4 failed, 1 passed, 1 skipped, 1 error" in done.out, done.out
    ends = {case: done.ended(case) for case in done.cases}
    assert ends["test_breaks"] == "error"
    assert ends["test_inconclusive"] == ends["test_deadlocks"] == ends["test_not_ours"] == "failure"
    verdicts = {case: done.verdict(case) for case in done.cases if case != "test_not_ours"}
    assert verdicts == {
        "test_passes": "PASS",
        "test_fails": "FAIL",
        "test_inconclusive": "INCONCLUSIVE",
        "test_breaks": "ERROR",
        "test_deadlocks": "FAIL",
        "test_skips": "SKIPPED",
    }
    assert done.properties("test_not_ours") == {}
    assert done.properties("test_skips")["reason"] == ["not today"]
    assert "where: port 3" in done.out
    assert "likely cause: a lead" in done.out
    assert "next: plug it in" in done.out
    assert "that nothing on the bench will ever do" in done.out


def test_a_deviation_says_what_where_and_what_next_and_leaves_its_capture(
    pytester: pytest.Pytester,
) -> None:
    tests = """
import pytest

@pytest.mark.clause("GBCS 11.5")
@pytest.mark.home(defects=["esme-keeps-old-version"], seed=3)
async def test_it(parties):
    await parties.upgrade("ESME")
"""
    done = played(pytester, tests)
    assert done.ended("test_it") == "failure"
    for line in (
        ">       await parties.upgrade",
        "what: FM-01: version in the response",
        "where: device ESME; step 4 of FM-01: The supplier activates the image",
        "clause GBCS 11.5, DUIS 11.3",
        "expected '01000001', found '01000000'",
        "CS06 response, in the tunnel",
        "likely cause: the device or party",
        "next: smetsbench explain FM-01",
    ):
        assert line in done.out, line
    assert "def raise_verdict" not in done.out
    found = done.properties("test_it")
    assert found["verdict"] == ["FAIL"]
    assert found["seed"] == ["3"]
    assert found["home"] == ["smets2-3-000001"]
    assert found["bench"] == ["emulated"]
    (capture,) = found["wire.pcapng"]
    assert {frame.link for frame in pcapng.read(Path(capture))} >= {"han", "wan-in", "wan-out"}


def test_an_inferred_rule_is_inconclusive_until_it_is_accepted(pytester: pytest.Pytester) -> None:
    tests = """
import pytest

@pytest.mark.home(defects=["esme-refuses-downgrade"])
async def test_it(parties):
    await parties.play("FM-12")
"""
    done = played(pytester, tests)
    assert done.verdict("test_it") == "INCONCLUSIVE", done.out
    assert done.ended("test_it") == "failure"
    assert "INCONCLUSIVE: FM-12: code of the response" in done.message("test_it")
    assert "--smetsbench-accept CLAUSE" in done.out
    strict = played(pytester, tests, "--smetsbench-accept", "smetsbench downgrade")
    assert strict.verdict("test_it") == "FAIL", strict.out


def test_a_failed_migration_says_step_and_code(pytester: pytest.Pytester) -> None:
    tests = """
import pytest

@pytest.mark.cohort("EA")
@pytest.mark.home(shape="electricity-only")
async def test_it(parties):
    record = await parties.migrate(
        before={"T3": "mute:role=esme@han"}, after={"T3": "clear@han"}
    )
    assert record.state == "Migrated"
"""
    done = played(pytester, tests)
    assert "T3 failed" in done.out, done.out
    assert "likely cause: the home failed with" in done.out
    assert "next: smetsbench explain" in done.out
    assert done.verdict("test_it[EA]") == "FAIL"


def test_with_a_folder_every_test_keeps_a_capture_of_its_own(pytester: pytest.Pytester) -> None:
    tests = """
import pytest

@pytest.mark.parametrize("role", ["PPMID", "HCALCS"])
async def test_it(parties, role):
    await parties.upgrade(role)

def test_run(smetsbench_run):
    assert smetsbench_run("FM-05").outcome == "NO_IMAGE"
"""
    done = played(pytester, tests, "--smetsbench-out", "kept")
    assert "3 passed" in done.out, done.out
    kept = pytester.path / "kept"
    captures = sorted(path.parent.name for path in kept.glob("*/wire.pcapng"))
    assert all(
        name.startswith(f"test-inner-py-test-it-{role}-")
        for name, role in zip(captures, ("HCALCS", "PPMID"), strict=True)
    )
    assert (kept / captures[0] / "home.toml").is_file()
    assert len(list(kept.glob("test-inner-py-test-run-*/FM-05/report.html"))) == 1


def test_a_scenario_that_breaks_is_an_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "bench.toml").write_text('kind = "nobodys"\n', "utf-8")
    tests = """
def test_it(smetsbench_run):
    smetsbench_run("FM-05")

async def test_bench(bench): pass
"""
    done = played(pytester, tests, "--bench", "bench.toml")
    assert "2 errors" in done.out, done.out
    assert "the bench file names no kind of bench there is" in done.out
