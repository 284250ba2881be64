"""The pytest face: async tests in virtual time, and scenarios run as tests."""

import asyncio
import importlib
import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:  # most test runs need none of it: see run_scenario
    from harness.report.model import ScenarioRecord

#: Markers under which another plugin runs the test.
_FOREIGN_MARKERS: Final = ("asyncio", "anyio", "trio")

Properties = list[tuple[str, object]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    group = parser.getgroup("smetsbench")
    group.addoption(
        "--smetsbench-seed", type=int, default=1, metavar="N", help="seed of every run (default 1)"
    )
    group.addoption(
        "--smetsbench-run",
        action="append",
        default=[],
        metavar="ID",
        help="run scenarios (ids or globs) as tests, and nothing else; repeatable",
    )


def _seed(config: pytest.Config) -> int:
    return int(config.getoption("--smetsbench-seed"))


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the emulated bench's virtual-time loop, or asyncio's own where there is none."""
    try:
        module = importlib.import_module("harness.benches.emulated")
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = module.new_event_loop()
    return loop


def _in_a_loop(test: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., None]:
    """Return a plain function that runs ``test`` in a loop of its own."""

    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(test(*args, **kwargs))

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test unless another plugin's marker claims it."""
    if any(pyfuncitem.get_closest_marker(name) for name in _FOREIGN_MARKERS):
        return None
    test = pyfuncitem.obj
    handle = getattr(test, "hypothesis", None)
    if handle is not None:
        if inspect.iscoroutinefunction(handle.inner_test):
            handle.inner_test = _in_a_loop(handle.inner_test)
        return None
    if not inspect.iscoroutinefunction(test):
        return None
    names = inspect.signature(test).parameters
    _in_a_loop(test)(**{name: pyfuncitem.funcargs[name] for name in names})
    return True


def run_scenario(name: str, folder: Path | None, seed: int) -> "tuple[ScenarioRecord, Properties]":
    """Run one scenario into ``folder`` (``runs/<id>`` for None).

    Returns:
        Its record, and properties for JUnit.

    Raises:
        ScenarioFailedError: It came to anything but PASS or SKIPPED.
    """
    # The runner is imported when a scenario is run: most test runs need none of it.
    runner = importlib.import_module("harness.runner")
    options = importlib.import_module("harness.run_options").RunOptions(seed=seed)
    where, run = runner.start([name], options, out=folder)
    record: ScenarioRecord = run.scenarios[0]
    properties: Properties = [("scenario", name), ("seed", seed), ("verdict", run.verdict.name)]
    for clause in record.declared["clauses"]:
        properties += [("clause", clause["id"]), ("evidence", clause["evidence"])]
    if run.verdict.name == "SKIPPED":
        pytest.skip(record.reason)
    if run.verdict.name != "PASS":
        report = where.file("report")
        raise ScenarioFailedError(f"{name} {run.verdict.name}: {record.reason}\nreport: {report}")
    return record, properties


@pytest.fixture
def smetsbench_run(
    request: pytest.FixtureRequest, tmp_path: Path, record_property: Callable[[str, object], None]
) -> "Callable[[str], ScenarioRecord]":
    """A function that runs a scenario and returns its record.

    The test (no ``async def``) fails unless the scenario passes, and is skipped where it is.
    """

    def run(name: str) -> "ScenarioRecord":
        record, properties = run_scenario(name, tmp_path / name, _seed(request.config))
        for key, value in properties:
            record_property(key, value)
        return record

    return run


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """With ``--smetsbench-run``: the chosen scenarios, in place of the tests found."""
    wanted = config.getoption("--smetsbench-run")
    if not wanted:
        return
    setting = importlib.import_module("harness.setting").Setting()
    try:
        chosen = setting.choose(wanted)
    except HarnessError as error:
        raise pytest.UsageError("\n".join(error.lines())) from error
    config.hook.pytest_deselected(items=list(items))
    items[:] = [ScenarioItem.from_parent(session, name=name) for name in chosen]


class ScenarioFailedError(Exception):
    """A scenario run as a test did not pass; the message is the reason."""


class ScenarioItem(pytest.Item):
    """One scenario as a test."""

    def runtest(self) -> None:
        """Run it into its folder below ``runs``; anything but PASS fails, SKIPPED skips."""
        self.user_properties += run_scenario(self.name, None, _seed(self.config))[1]

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any
    ) -> Any:
        """Show the reason alone, without our own stack."""
        if isinstance(excinfo.value, ScenarioFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the scenario."""
        return self.path, None, f"scenario {self.name}"
