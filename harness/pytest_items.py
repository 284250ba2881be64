"""Scenarios run as tests: by ``--smetsbench-run``, and by the fixture ``smetsbench_run``."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.pytest_options import choices, slug

if TYPE_CHECKING:  # most test runs need none of it: see run_scenario
    from harness.report.model import ScenarioRecord

#: Takes one property for JUnit.
Record = Callable[[str, object], None]


class ScenarioFailedError(Exception):
    """A scenario run as a test did not pass; the message is the reason."""


class ScenarioBrokenError(HarnessError):
    """The bench or the harness broke under a scenario run as a test: an error, not a failure."""

    exit_code = 3


def run_scenario(
    name: str, folder: Path | None, config: pytest.Config, record: Record
) -> "ScenarioRecord":
    """Run one scenario into ``folder`` (``runs/<id>`` for None), and return its record.

    Args:
        name: Its id.
        folder: Where to.
        config: Of this session.
        record: Told of properties for JUnit, whatever it comes to.

    Raises:
        ScenarioFailedError: It came to FAIL or INCONCLUSIVE.
        ScenarioBrokenError: It came to ERROR.
    """
    # The runner is imported when a scenario is run: most test runs need none of it.
    runner: Any = importlib.import_module("harness.runner")
    options: Any = importlib.import_module("harness.run_options")
    chosen = choices(config)
    picked = options.RunOptions(
        seed=chosen.seed, data=chosen.data, accepted=chosen.accepted, bench=chosen.bench
    )
    where, run = runner.start([name], picked, out=folder)
    found: ScenarioRecord = run.scenarios[0]
    for key, value in (("scenario", name), ("seed", chosen.seed), ("verdict", run.verdict.name)):
        record(key, value)
    for clause in found.declared["clauses"]:
        record("clause", clause["id"])
        record("evidence", clause["evidence"])
    if run.verdict.name == "SKIPPED":
        pytest.skip(found.reason)
    told = f"{name} {run.verdict.name}: {found.reason}\nreport: {where.file('report')}"
    if run.verdict.name == "ERROR":
        raise ScenarioBrokenError(told, where=name, cause="the bench or the harness broke")
    if run.verdict.name != "PASS":
        raise ScenarioFailedError(told)
    return found


@pytest.fixture
def smetsbench_run(
    request: pytest.FixtureRequest, tmp_path: Path
) -> "Callable[[str], ScenarioRecord]":
    """A function that runs a scenario and returns its record.

    The test (no ``async def``) fails unless the scenario passes, and is skipped where it is.
    """

    def record(key: str, value: object) -> None:
        request.node.user_properties.append((key, value))

    def run(name: str) -> "ScenarioRecord":
        out = choices(request.config).out
        folder = tmp_path if out is None else out / slug(request.node.nodeid)
        return run_scenario(name, folder / name, request.config, record)

    return run


def chosen_scenarios(session: pytest.Session, wanted: list[str]) -> list[pytest.Item]:
    """Return the scenarios of ids and globs as tests.

    Raises:
        pytest.UsageError: One of them stands for none.
    """
    setting: Any = importlib.import_module("harness.setting")
    try:
        found = setting.Setting().choose(wanted)
    except HarnessError as error:
        raise pytest.UsageError("\n".join(error.lines())) from error
    return [ScenarioItem.from_parent(session, name=name) for name in found]


class ScenarioItem(pytest.Item):
    """One scenario as a test."""

    def runtest(self) -> None:
        """Run it into its own folder; anything but PASS fails, SKIPPED skips."""
        out = choices(self.config).out

        def record(key: str, value: object) -> None:
            self.user_properties.append((key, value))

        run_scenario(self.name, None if out is None else out / self.name, self.config, record)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any
    ) -> Any:
        """Show the reason alone, without our own stack."""
        if isinstance(excinfo.value, ScenarioFailedError | ScenarioBrokenError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the scenario."""
        return self.path, None, f"scenario {self.name}"
