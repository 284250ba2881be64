"""Runs tests with the plugin, in this process or in one of their own, and reads their JUnit."""

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from tests.given import ROOT

#: Imported before any inner session, which forgets what it imported itself: every module once.
for _name in (
    *("pytest_case", "pytest_needs", "benches.emulated", "benches.emulated_smets1"),
    *("benches.emulated_meter", "runner", "scenarios.firmware.esme", "scenarios.firmware.ppmid"),
    *("scenarios.firmware.gsme", "scenarios.migration.happy"),
):
    importlib.import_module(f"harness.{_name}")

OPTIONS = ("-p", "harness.pytest_plugin", "-p", "no:cacheprovider", "--strict-markers", "-q", "-rA")


@dataclass(frozen=True)
class Ended:
    """How a session ended: what it printed, and its JUnit cases by name."""

    code: int
    out: str
    cases: dict[str, etree._Element]

    def properties(self, case: str) -> dict[str, list[str]]:
        """Return the properties of a case, each with its values in order."""
        found: dict[str, list[str]] = {}
        for node in self.cases[case].iter("property"):
            found.setdefault(node.get("name", ""), []).append(node.get("value", ""))
        return found

    def verdict(self, case: str) -> str:
        return self.properties(case)["verdict"][0]

    def ended(self, case: str) -> str:
        """Return ``passed``, or the tag JUnit has for the case."""
        tags = [
            node.tag for node in self.cases[case] if node.tag in {"failure", "error", "skipped"}
        ]
        return tags[0] if tags else "passed"

    def message(self, case: str) -> str:
        return "".join(node.get("message", "") for node in self.cases[case])


def _read(folder: Path, code: int, out: str) -> Ended:
    path = folder / "junit.xml"
    rows = etree.parse(path).iter("testcase") if path.exists() else ()
    return Ended(code, out, {row.get("name", ""): row for row in rows})


def played(pytester: pytest.Pytester, tests: str, *arguments: str) -> Ended:
    """Run tests in this process."""
    pytester.makepyfile(test_inner=tests)
    junit = pytester.path / "junit.xml"
    done = pytester.runpytest_inprocess(*OPTIONS, f"--junitxml={junit}", *arguments)
    return _read(pytester.path, int(done.ret), done.stdout.str() + done.stderr.str())


def elsewhere(folder: Path, tests: str, *arguments: str, path: str = "") -> Ended:
    """Run tests in a process of their own.

    Args:
        folder: Its working folder.
        tests: The test module.
        arguments: Further arguments of pytest.
        path: A further folder to import from.
    """
    (folder / "test_inner.py").write_text(tests, "utf-8")
    found = os.pathsep.join(one for one in (str(ROOT), path) if one)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "--junitxml=junit.xml", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": found, "PYTEST_ADDOPTS": "", "SMETSBENCH_SAMPLE": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    return _read(folder, done.returncode, done.stdout + done.stderr)
