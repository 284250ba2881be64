"""The plugin beside others: xdist, anyio, pytest-asyncio, Hypothesis, and devices on lines."""

import importlib.util
import os
from pathlib import Path

import pytest

from tests.harness.pytest_face.face import elsewhere, played

pytest_plugins = ("pytester",)

#: Folder to import pytest-asyncio from, where it is not installed here.
ASYNCIO = os.environ.get("SMETSBENCH_PYTEST_ASYNCIO", "")
needs_asyncio = pytest.mark.skipif(
    importlib.util.find_spec("pytest_asyncio") is None and not ASYNCIO,
    reason="pytest-asyncio is not installed (set SMETSBENCH_PYTEST_ASYNCIO to its site-packages)",
)

BESIDE = """
import asyncio
import pytest

async def test_ours(clock):
    began = asyncio.get_running_loop().time()
    await clock.advance(hours=9)
    assert asyncio.get_running_loop().time() - began == 9 * 3600
    assert "Virtual" in type(asyncio.get_running_loop()).__name__

async def test_plain():
    await asyncio.sleep(3600)

@pytest.mark.MARK
async def test_theirs():
    assert "Virtual" not in type(asyncio.get_running_loop()).__name__
"""


def test_anyio_runs_its_own_tests_beside_ours(pytester: pytest.Pytester) -> None:
    backend = "\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n"
    done = played(pytester, BESIDE.replace("MARK", "anyio") + backend)
    assert "3 passed" in done.out, done.out


@pytest.mark.soak
@pytest.mark.timeout(300)
@needs_asyncio
def test_pytest_asyncio_runs_its_own_tests_beside_ours(tmp_path: Path) -> None:
    done = elsewhere(tmp_path, BESIDE.replace("MARK", "asyncio"), path=ASYNCIO)
    assert "3 passed" in done.out, done.out
    tests = BESIDE.replace("MARK", "asyncio").replace("3600", "0")
    auto = elsewhere(tmp_path, tests, "--asyncio-mode=auto", path=ASYNCIO)
    assert auto.ended("test_ours") == "error"
    assert "asyncio_mode = strict" in auto.out


def test_hypothesis_draws_in_the_loop_of_the_bench(pytester: pytest.Pytester) -> None:
    tests = """
from hypothesis import HealthCheck, given, settings, strategies as st

@settings(max_examples=3, suppress_health_check=list(HealthCheck), deadline=None, database=None)
@given(hours=st.integers(1, 5))
async def test_it(clock, hours):
    began = clock.now()
    assert await clock.advance(hours=hours) == began + hours * 3_600_000
"""
    done = played(pytester, tests)
    assert "1 passed" in done.out, done.out


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_workers_tell_what_came_of_their_tests(tmp_path: Path) -> None:
    tests = """
import pytest

@pytest.mark.clause("GBCS 11.5")
@pytest.mark.parametrize("n", [1, 2])
def test_it(n, worker_id):
    assert worker_id in {"gw0", "gw1"}

@pytest.mark.known_issue("SB-1", until="2023-03-01")
def test_known(): raise AssertionError
"""
    done = elsewhere(tmp_path, tests, "-n", "2", "--smetsbench-as-of", "2023-02-01")
    assert "2 passed, 1 xfailed" in done.out, done.out
    assert done.properties("test_it[2]")["verdict"] == ["PASS"]
    assert done.properties("test_it[1]")["clause"] == ["GBCS 11.5"]


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_workers_share_nothing(tmp_path: Path) -> None:
    tests = """
import pytest

@pytest.mark.clause("GBCS 11.5")
@pytest.mark.parametrize("n", [1, 2, 3])
async def test_it(parties, n):
    await parties.upgrade("HCALCS")

def test_kept(request, worker_id):
    assert worker_id in {"gw0", "gw1"}

async def test_breaks(bench):
    from harness.errors import BenchError
    raise BenchError("the lead is out")
"""
    done = elsewhere(tmp_path, tests, "-n", "2", "--smetsbench-out", "kept")
    assert "4 passed, 1 error" in done.out, done.out
    assert len(list((tmp_path / "kept").glob("*HCALCS*"))) == 0
    assert len(list((tmp_path / "kept").glob("*/wire.pcapng"))) == 3
    found = done.properties("test_it[2]")
    assert found["verdict"] == ["PASS"]
    assert found["clause"] == ["GBCS 11.5"]
    assert done.ended("test_breaks") == "error"


def test_workers_cannot_share_a_bench(pytester: pytest.Pytester) -> None:
    done = played(pytester, "def test_it(): pass", "-n", "2", "--bench", "desk.toml")
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert "several processes cannot share the bench" in done.out


def test_without_the_option_nothing_is_switched_on(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(bench): pass")
    done = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    assert "fixture 'bench' not found" in done.stdout.str()


LINE = """
import pytest

@pytest.mark.needs("virtual-time")
async def test_virtual(bench): raise AssertionError

async def test_line(bench):
    assert (bench.kind, str(bench.role("ESME"))) == ("loopback", "02-53-01-00-01-00-00-01")

async def test_parties(parties): raise AssertionError
"""
DESK = """
[bench]
name = "desk"
operator = "A. Fitter"

[roles.ESME]
endpoint = "loopback:smets1"
listen = "tcp"
eui64 = "02-53-01-00-01-00-00-01"
"""


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_bench_file_leads_to_devices_on_lines(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(DESK, "utf-8")
    done = elsewhere(tmp_path, LINE, "--bench", "desk.toml")
    assert "1 passed, 1 skipped, 1 error" in done.out, done.out
    assert "desk.toml would need the emulated bench" in done.message("test_virtual")
    assert "nobody can be seated on this bench (loopback)" in done.out
    assert done.properties("test_line")["home"] == ["bench file: desk.toml"]
