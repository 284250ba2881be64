"""Collecting the tests: cases of the other tier are dropped early, long files come first.

Which cases run every day says ``tests.sampling``, how long tests take ``tests.durations``. Dropping
a case before pytest makes an item of it is most of what makes a collection of 20,000 cases short.
"""

import gc
import os
from collections.abc import Generator, Iterator
from typing import Any, Final

import pytest
from hypothesis import is_hypothesis_test, settings
from hypothesis.internal.conjecture import providers

from tests import durations
from tests.sampling import DAILY, SOAK, examples, left_out, sample

#: No deadline: how long one example takes says how busy the machine is.
settings.register_profile("sampled", max_examples=examples(100), deadline=None)
settings.load_profile("sampled")

#: Ids of the tests that are not run every day, though nothing marks them ``soak``.
WAITING: Final = pytest.StashKey[set[str]]()
#: Every second worker reads the test files from the end. Where nothing is compiled yet, two workers
#: then compile half of them each, and find the other half done. Only where the items are sorted.
FROM_THE_END: Final = bool(sample()) and os.environ.get("PYTEST_XDIST_WORKER", "gw0")[-1] in "13579"

if sample() == DAILY:
    # Hypothesis reads the source of every module for constants to try: 8 s for a few examples.
    # There is no setting for it. In the soak it reads them.
    providers._get_local_constants = lambda: providers._local_constants


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no test waiting for the soak."""
    config.stash[WAITING] = set()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Look for no garbage while collecting: what is made is kept."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the order of files round in every second worker; the items are sorted in the end."""
    report = yield
    if FROM_THE_END and isinstance(collector, pytest.Directory):
        report.result.reverse()
    return report


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Drop the cases of the other tier; if none is left one stays, and is deselected later."""
    if not sample():
        return
    function = metafunc.definition.nodeid
    cases = metafunc._calls  # what pytest makes items of; it has no public name
    ids = [f"{function}[{case.id}]" for case in cases] or [function]
    marked = metafunc.definition.get_closest_marker("soak") is not None
    soak = [marked or any(mark.name == "soak" for mark in case.marks) for case in cases] or [marked]
    waiting = left_out(one for one, is_soak in zip(ids, soak, strict=True) if not is_soak)
    if sample() == SOAK and is_hypothesis_test(metafunc.function):
        waiting.update(ids)
    metafunc.config.stash[WAITING].update(waiting)
    late = [is_soak or one in waiting for one, is_soak in zip(ids, soak, strict=True)]
    wanted = [case for case, later in zip(cases, late, strict=False) if later == (sample() == SOAK)]
    cases[:] = wanted or cases[:1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the rest of each sample to the soak, and put the files with long tests first."""
    if not sample():
        return
    waiting = config.stash[WAITING]
    for item in items:
        if item.nodeid in waiting:
            item.add_marker(pytest.mark.soak)
    longest = durations.longest_of_files()
    items.sort(key=lambda item: (-longest.get(_file(item), 0), item.path.parts))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note how long the test took, where ``SMETSBENCH_DURATIONS`` names a file for it."""
    begun = durations.now()
    result = yield
    durations.note(item.nodeid, begun)
    return result
