import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from tests.given import ROOT

_CONFTEST = """
import sys
sys.path.insert(0, {root!r})
import harness.scenarios.catalogue, harness.setting
from hypothesis.internal.conjecture import providers
# Without this it reads the source of every module for constants to try, eight seconds long.
providers._get_local_constants = lambda: providers._local_constants
from tests.harness import fake_bench, tiny_scenarios
harness.scenarios.catalogue.CATALOGUE = dict(
    tiny_scenarios.CATALOGUE, **{{"TINY-09": "conftest_bad:BAD"}}
)
harness.setting.BENCHES = fake_bench.BENCHES
"""
_BAD = """
from tests.harness.tiny_scenarios import scenario
from harness.scenario import step

@step("It fails", "GBCS 11.2")
async def act(run):
    run.check("x", 1, 2)

BAD = scenario(act, id="TINY-09")
"""


def run_pytest(folder: Path, tests: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugin in a folder of its own."""
    (folder / "conftest.py").write_text(_CONFTEST.format(root=str(ROOT)))
    (folder / "conftest_bad.py").write_text(_BAD)
    (folder / "test_inner.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "harness.pytest_plugin"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_async_tests_run_beside_plain_ones_and_under_hypothesis(tmp_path: Path) -> None:
    tests = """
import asyncio
import pytest
from hypothesis import given, strategies as st

def test_plain():
    pass

async def test_with_a_fixture(tmp_path):
    await asyncio.sleep(0)
    assert tmp_path.is_dir()

@pytest.mark.parametrize("n", [1, 2])
async def test_with_parameters(n):
    assert n < 2

@given(st.integers())
async def test_with_hypothesis(n):
    await asyncio.sleep(0)
    assert n < 10**6

class TestInAClass:
    async def test_method(self, capsys):
        await asyncio.sleep(0)
"""
    done = run_pytest(tmp_path, tests)
    assert "2 failed, 4 passed" in done.stdout, done.stdout
    assert "never awaited" not in done.stdout
    assert "n=1000000" in done.stdout


def test_a_scenario_runs_as_a_test_with_its_properties(tmp_path: Path) -> None:
    tests = """
def test_good(smetsbench_run):
    smetsbench_run("TINY-02")

def test_bad(smetsbench_run):
    smetsbench_run("TINY-09")
"""
    done = run_pytest(tmp_path, tests, "--smetsbench-seed", "6", "--junitxml", "junit.xml")
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "TINY-09 FAIL: x: expected 1, found 2" in done.stdout
    root = etree.parse(tmp_path / "junit.xml")
    found = {(node.get("name"), node.get("value")) for node in root.iter("property")}
    assert {("seed", "6"), ("clause", "GBCS 11.2"), ("evidence", "known")} <= found


@pytest.mark.soak
def test_scenarios_are_chosen_on_the_command_line_also_under_xdist(tmp_path: Path) -> None:
    tests = "def test_other():\n    raise AssertionError\n"
    done = run_pytest(tmp_path, tests, "--smetsbench-run", "TINY-*", "-n", "2")
    assert "1 failed, 3 passed" in done.stdout, done.stdout
    assert "TINY-09 FAIL: x: expected 1, found 2" in done.stdout
    assert "report: runs/TINY-09-seed1-" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_scenario_is_a_usage_error(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "def test_other():\n    pass\n", "--smetsbench-run", "FM-99")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no scenario is called FM-99" in done.stderr


@pytest.mark.soak
def test_the_example_of_the_ci_page_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (options,) = re.findall(r"pytest\.ini: (addopts = .*)", example)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{options}\n", "utf-8")
    (tmp_path / "test_example.py").write_text(
        f"{example}\n\ndef test_record(smetsbench_run):\n"
        '    assert smetsbench_run("FM-09").verdict.name == "PASS"\n',
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "2 passed" in done.stdout, done.stdout
