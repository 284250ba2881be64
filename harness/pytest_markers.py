"""What markers mean: checked when tests are collected, carried out before they run."""

import fnmatch
import importlib
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.pytest_fixtures import FIXTURES
from harness.pytest_options import choices

if TYPE_CHECKING:
    from device_profiles.rows import Clause

_CLAUSE: Final = "clause"
_COHORT: Final = "cohort"
_ISSUE: Final = "known_issue"
#: Markers that make a test one of ours.
OURS: Final = ("home", _COHORT, _CLAUSE, "needs", _ISSUE)


def is_ours(item: pytest.Item) -> bool:
    """Say whether a test plays with a home of ours, or says so by a marker."""
    taken = set(getattr(item, "fixturenames", ()))
    return "smetsbench_case" in taken or any(item.get_closest_marker(name) for name in OURS)


# -- when tests are collected ---------------------------------------------------------------------


def collected(metafunc: pytest.Metafunc) -> None:
    """Check a test's markers, and have it run once for each of its cohorts."""
    item = metafunc.definition
    try:
        if any(item.iter_markers(_CLAUSE)):
            clauses_of(item)
        if any(item.iter_markers("needs")):
            needs = importlib.import_module("harness.pytest_needs")
            _refuse(needs.refusal(needs.words(item), metafunc.fixturenames))
        issue_of(item)
        _parametrise(metafunc)
    except _RefusedError as error:
        refused = str(error)
    else:
        return
    pytest.fail(f"{item.nodeid}: {refused}", pytrace=False)


class _RefusedError(Exception):
    """A marker is used wrongly; the message says how."""


def _refuse(why: str) -> None:
    if why:
        raise _RefusedError(why)


def _parametrise(metafunc: pytest.Metafunc) -> None:
    markers = list(metafunc.definition.iter_markers(_COHORT))
    if not markers:
        return
    if _COHORT not in metafunc.fixturenames:
        _refuse(f"cohort(…) is of a home, and the test takes none of {', '.join(FIXTURES)}")
    keys = _cohorts(metafunc.config, markers[0].args)
    metafunc.parametrize(_COHORT, keys, indirect=True)


def _cohorts(config: pytest.Config, wanted: tuple[Any, ...]) -> list[str]:
    """Return the cohorts that keys and globs name; globs, and none at all: those that migrate."""
    cohorts: Any = importlib.import_module("device_profiles.cohort")
    folders = choices(config).data
    known = sorted(cohorts.cohort_names(folders))
    found: list[str] = []
    for one in wanted or ("*",):
        matching = [key for key in known if fnmatch.fnmatchcase(key, str(one))]
        if not matching:
            _refuse(f"there is no cohort {one!r}; {_closest(str(one), known)}")
        found += [
            key
            for key in matching
            if key == one or cohorts.load_cohort(key, folders).cohort.migratable
        ]
    return list(dict.fromkeys(found))


def clauses_of(item: pytest.Item) -> "list[Clause]":
    """Return the clauses of a test.

    Raises:
        _RefusedError: There is no such clause.
    """
    rows: Any = importlib.import_module("device_profiles.rows")
    known: Mapping[str, Clause] = rows.load_clauses(choices(item.config).data)
    found: dict[str, Clause] = {}
    for marker in item.iter_markers(_CLAUSE):
        if not marker.args:
            _refuse("clause() names no clause")
        for wanted in marker.args:
            if wanted not in known:
                _refuse(f"there is no clause {wanted!r}; {_closest(str(wanted), known)}")
            found[wanted] = known[wanted]
    return list(found.values())


def _closest(name: str, known: Any) -> str:
    home: Any = importlib.import_module("harness.pytest_home")
    told: str = home.closest(name, known)
    return told


# -- known issues ---------------------------------------------------------------------------------


def issue_of(item: pytest.Item) -> tuple[str, date, bool] | None:
    """Return a test's known issue: its id, its day, and whether that is over; None: it has none.

    Raises:
        _RefusedError: The marker lacks something, or nobody said what day it is.
    """
    marker = item.get_closest_marker(_ISSUE)
    if marker is None:
        return None
    name = str(marker.args[0]) if len(marker.args) == 1 else ""
    until = marker.kwargs.get("until")
    if not name or set(marker.kwargs) != {"until"}:
        _refuse('known_issue("ID", until=DATE) has an id and a day, and nothing else')
    try:
        day = date.fromisoformat(until) if isinstance(until, str) else until
    except ValueError:
        day = None
    if not isinstance(day, date):
        _refuse(f"known_issue: until={until!r} is no day (2023-01-31)")
        return None
    as_of = choices(item.config).as_of
    if as_of is None:
        _refuse(
            "known_issue is judged by the day of the run, and nobody said it:"
            " --smetsbench-as-of DATE, or smetsbench_as_of in pytest.ini"
        )
        return None
    return name, day, as_of > day


def expect_known_issues(items: list[pytest.Item]) -> None:
    """Mark tests with a known issue as ones that must fail, until its day."""
    for item in items:
        issue = issue_of(item)
        if issue is not None and not issue[2]:
            reason = f"known issue {issue[0]} until {issue[1]}"
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def expired(item: pytest.Item) -> str:
    """Return what is said of a test whose known issue is over; empty: it has none such."""
    issue = issue_of(item)
    if issue is None or not issue[2]:
        return ""
    as_of = choices(item.config).as_of
    return f"known issue {issue[0]} was to be mended by {issue[1]}, and the run is of {as_of}"
