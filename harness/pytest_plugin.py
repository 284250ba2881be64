"""The pytest face, switched on with ``-p harness.pytest_plugin``: see docs/pytest.md."""

import asyncio
import importlib
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

from harness import pytest_markers as markers
from harness import pytest_options as options
from harness import pytest_reports as reports
from harness.pytest_fixtures import (
    FOREIGN,
    bench,
    clock,
    cohort,
    installation,
    is_async,
    parties,
    smetsbench_case,
    wire,
)
from harness.pytest_items import chosen_scenarios, smetsbench_run

__all__ = [
    "bench",
    "clock",
    "cohort",
    "installation",
    "parties",
    "smetsbench_case",
    "smetsbench_run",
    "wire",
]

Test = Callable[..., Coroutine[Any, Any, Any]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and settings of this plugin."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and read the options: what means nothing is said at once."""
    for line in options.MARKERS:
        config.addinivalue_line("markers", line)
    options.choices(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Check a test's markers, and have it run once for each of its cohorts."""
    markers.collected(metafunc)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """With ``--smetsbench-run``: the chosen scenarios, in place of the tests found."""
    wanted = config.getoption("--smetsbench-run")
    if wanted:
        chosen = chosen_scenarios(session, wanted)
        config.hook.pytest_deselected(items=list(items))
        items[:] = chosen
    markers.expect_known_issues(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tools or data are not here."""
    if item.get_closest_marker("needs") is not None:
        importlib.import_module("harness.pytest_needs").of_surroundings(item)


# -- async tests ----------------------------------------------------------------------------------


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the emulated bench's virtual-time loop, or asyncio's own where there is none."""
    try:
        module = importlib.import_module("harness.benches.emulated")
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = module.new_event_loop()
    return loop


def _runner_of(item: pytest.Function) -> asyncio.Runner | None:
    """Return what runs the loop of a test's bench; None where it has none."""
    case: Any = item.funcargs.get("smetsbench_case")
    runner: asyncio.Runner | None = None if case is None else case.runner
    return runner


def _in_a_loop(test: Test, runner: asyncio.Runner | None) -> Callable[..., None]:
    """Return a plain function that runs ``test`` in its bench's loop, or in one of its own."""

    def run(*args: Any, **kwargs: Any) -> None:
        if runner is not None:
            runner.run(test(*args, **kwargs))
            return
        with asyncio.Runner(loop_factory=new_event_loop) as own:
            own.run(test(*args, **kwargs))

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an ``async def`` test unless another plugin's marker claims it."""
    if any(pyfuncitem.get_closest_marker(name) for name in FOREIGN):
        return None
    test = pyfuncitem.obj
    if not is_async(test):
        return None
    runner = _runner_of(pyfuncitem)
    handle = getattr(test, "hypothesis", None)
    if handle is not None:
        handle.inner_test = _in_a_loop(handle.inner_test, runner)
        return None
    names = inspect.signature(test).parameters
    _in_a_loop(test, runner)(**{name: pyfuncitem.funcargs[name] for name in names})
    return True


# -- reports --------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Complete the report of a test: verdict, properties, where it failed, last messages."""
    made = yield
    reports.report(item, call, made)
    return made
