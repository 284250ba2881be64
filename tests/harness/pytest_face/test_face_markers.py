"""The markers: what they select, skip, refuse and turn round."""

import re

import pytest

from tests.harness.pytest_face.face import played

pytest_plugins = ("pytester",)


def test_a_cohort_is_a_parameter_and_globs_mean_those_that_migrate(
    pytester: pytest.Pytester,
) -> None:
    tests = """
import pytest

@pytest.mark.cohort("E*", "DA")
def test_globs(installation, cohort):
    assert installation.cohort == cohort

@pytest.mark.cohort()
def test_all(cohort): pass

@pytest.mark.cohort("EC")
def test_named(installation): pass

def test_none(cohort):
    assert cohort is None
"""
    done = played(pytester, tests)
    names = {re.sub(r"[\[\]]", " ", case).strip() for case in done.cases}
    globs = {f"test_globs {key}" for key in ("EA", "EB", "DA")}
    every = {f"test_all {key}" for key in ("DA", "EA", "EB", "IOC", "MDS")}
    assert names == {*globs, *every, "test_named EC", "test_none"}
    assert "10 passed" in done.out
    assert done.properties("test_globs[EB]")["cohort"] == ["EB"]


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ('@pytest.mark.clause("GBCS 11.55")\ndef test_it(): pass', "did you mean GBCS 11.5"),
        ("@pytest.mark.clause()\ndef test_it(): pass", "names no clause"),
        ('@pytest.mark.cohort("E")\ndef test_it(cohort): pass', "did you mean E"),
        ('@pytest.mark.cohort("EA")\ndef test_it(): pass', "takes none of installation, bench"),
        (
            '@pytest.mark.needs("observation")\ndef test_it(bench): pass',
            "did you mean observations",
        ),
        ('@pytest.mark.needs("ESME")\ndef test_it(): pass', "takes no fixture bench"),
        ('@pytest.mark.known_issue("SB-1")\ndef test_it(): pass', "an id and a day"),
        ('@pytest.mark.known_issue("SB-1", until="soon")\ndef test_it(): pass', "is no day"),
        (
            '@pytest.mark.known_issue("SB-1", until="2023-03-01")\ndef test_it(): pass',
            "--smetsbench-as-of DATE, or smetsbench_as_of",
        ),
        ("@pytest.mark.clauses('GBCS 11.5')\ndef test_it(): pass", "'clauses' not found"),
    ],
)
def test_a_marker_that_means_nothing_is_an_error_of_collection(
    pytester: pytest.Pytester, tests: str, told: str
) -> None:
    done = played(pytester, f"import pytest\n\n{tests}\n")
    assert done.code == pytest.ExitCode.INTERRUPTED
    assert told in done.out, done.out
    assert "1 error" in done.out


def test_clauses_go_to_junit_with_their_evidence(pytester: pytest.Pytester) -> None:
    tests = """
import pytest

pytestmark = pytest.mark.clause("GBCS 11.5")

@pytest.mark.clause("DUIS 11.3")
def test_it(): pass
"""
    done = played(pytester, tests)
    found = done.properties("test_it")
    assert set(found["clause"]) == {"GBCS 11.5", "DUIS 11.3"}
    assert len(found["evidence"]) == 2
    assert all(mark.startswith("source:") for mark in found["evidence"])


def test_what_is_lacking_skips_with_the_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMETSBENCH_METERS", str(pytester.path))
    monkeypatch.delenv("SMETSBENCH_NOWHERE", raising=False)
    tests = """
import pytest

@pytest.mark.needs("CHF", "observations", "virtual-time", "power", "parties")
@pytest.mark.needs("tool:sh", "data:meters")
def test_has(bench): pass

@pytest.mark.needs("GSME", "CHF")
@pytest.mark.home(shape="electricity-only")
def test_gas(bench): raise AssertionError

@pytest.mark.needs("meter-line")
def test_line(bench): raise AssertionError

@pytest.mark.needs("tool:no-such-tool")
def test_tool(): raise AssertionError

@pytest.mark.needs("data:nowhere")
def test_data(): raise AssertionError
"""
    done = played(pytester, tests)
    assert "1 passed, 4 skipped" in done.out, done.out
    assert "needs GSME: the bench (emulated) has CHF" in done.message("test_gas")
    assert "needs meter-line" in done.message("test_line")
    assert "no such program" in done.message("test_tool")
    assert "set SMETSBENCH_NOWHERE" in done.message("test_data")
    assert done.verdict("test_gas") == done.verdict("test_tool") == "SKIPPED"
    assert "needs GSME" in done.properties("test_gas")["reason"][0]


KNOWN = """
import pytest
from datetime import date
from harness.errors import BenchError

@pytest.mark.known_issue("SB-1", until=date(2023, 3, 1))
async def test_fails(bench): raise AssertionError("no")

@pytest.mark.known_issue("SB-2", until="2023-03-01")
async def test_passes(bench): pass

@pytest.mark.known_issue("SB-3", until="2023-03-01")
async def test_breaks(bench): raise BenchError("the lead is out")
"""


def test_a_known_issue_must_fail_until_its_day(pytester: pytest.Pytester) -> None:
    done = played(pytester, KNOWN, "--smetsbench-as-of", "2023-03-01")
    assert "1 failed, 1 xfailed, 1 error" in done.out, done.out
    assert done.ended("test_fails") == "skipped"
    assert "known issue SB-1 until 2023-03-01" in done.message("test_fails")
    assert done.properties("test_fails")["known_issue"] == ["SB-1 until 2023-03-01"]
    assert "XPASS(strict)" in done.message("test_passes")
    assert done.ended("test_breaks") == "error"


def test_a_known_issue_is_a_failure_after_its_day_whatever_it_does(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\nsmetsbench_as_of = 2023-03-02\n")
    done = played(pytester, KNOWN)
    assert "2 failed, 1 error" in done.out, done.out
    assert {done.verdict(case) for case in ("test_fails", "test_passes")} == {"FAIL"}
    assert "was to be mended by 2023-03-01" in done.out
    assert "take the marker off" in done.message("test_passes")


def test_the_command_line_says_the_day_before_the_ini_file_does(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nsmetsbench_as_of = 2023-03-02\n")
    done = played(pytester, KNOWN, "--smetsbench-as-of=2023-02-01", "-k", "test_fails")
    assert "1 xfailed" in done.out
    wrong = played(pytester, KNOWN, "--smetsbench-as-of=soon")
    assert wrong.code == pytest.ExitCode.USAGE_ERROR
    assert "is no day" in wrong.out
