"""What tests need of bench, tools and test data, and what is said where it is lacking."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from device_profiles.words import DeviceType
from harness.bench_offer import lacks
from harness.player import missing
from harness.pytest_home import closest
from harness.scenario import Scenario
from harness.verdict import Expectation, ExpectationKind

if TYPE_CHECKING:
    from harness.pytest_case import Case

#: Needs that a bench meets or not, beside device types.
OF_BENCH: Final = frozenset(
    {"observations", "virtual-time", "power", "meter-line", "meter-wan", "noise", "parties"}
)
_PARTIES: Final = "parties"
#: Programs that tests of this field call.
TOOLS: Final = frozenset({"tshark", "xmlsec1", "openssl"})
#: Test data -> variable that says where they lie.
DATA: Final = {"rtds": "SMETSBENCH_RTDS", "duis": "SMETSBENCH_DUIS"}
_TOOL: Final = "tool:"
_DATA: Final = "data:"


def words(item: pytest.Item) -> list[str]:
    """Return what a test needs, in the order of its markers."""
    found = (str(word) for marker in item.iter_markers("needs") for word in marker.args)
    return list(dict.fromkeys(found))


def is_of_bench(word: str) -> bool:
    """Say whether a bench meets a need."""
    return word in OF_BENCH or word in DeviceType.__members__


def refusal(needs: Iterable[str], fixtures: Iterable[str]) -> str:
    """Return why needs cannot be meant so; empty: they can.

    Args:
        needs: What a test needs.
        fixtures: Fixtures it takes.
    """
    known = [*OF_BENCH, *DeviceType.__members__, *TOOLS, *DATA, f"{_TOOL}NAME", f"{_DATA}NAME"]
    for word in needs:
        if is_of_bench(word):
            if "bench" not in fixtures:
                return f"needs({word!r}) is of a bench, and the test takes no fixture bench"
        elif word not in {*TOOLS, *DATA} and not word.startswith((_TOOL, _DATA)):
            return f"needs({word!r}): nobody knows that need; {closest(word, known)}"
    return ""


def of_surroundings(item: pytest.Item) -> None:
    """Skip a test whose tools or data are not here."""
    for word in words(item):
        if word in TOOLS or word.startswith(_TOOL):
            tool = word.removeprefix(_TOOL)
            if shutil.which(tool) is None:
                pytest.skip(f"needs {tool}: no such program on this machine")
        elif word in DATA or word.startswith(_DATA):
            name = word.removeprefix(_DATA)
            variable = DATA.get(name, f"SMETSBENCH_{name.upper().replace('-', '_')}")
            where = os.environ.get(variable, "")
            if not where or not Path(where).is_dir():
                told = f"{variable} names no folder: {where}" if where else f"set {variable}"
                pytest.skip(f"needs the test data {name}: {told}")


def of_file(item: pytest.Item, case: "Case") -> None:
    """Skip a test for which its bench file has not enough; nothing is opened."""
    if case.options.bench is None:
        return
    wanted = [word for word in words(item) if is_of_bench(word) and word != _PARTIES]
    for lack in lacks(case.options, [_asking(wanted)])[0]:
        pytest.skip(f"needs {lack.need}: {case.options.bench.name} would need {lack.unlock}")


def of_bench(item: pytest.Item, case: "Case") -> None:
    """Skip a test whose open bench does not offer what it needs."""
    wanted = [word for word in words(item) if is_of_bench(word)]
    bench = case.bench
    if bench is None or not wanted:
        return
    lacking = [*missing(_asking([one for one in wanted if one != _PARTIES]), bench)]
    if _PARTIES in wanted and case.home.cohort is None and not hasattr(bench, "party_keys"):
        lacking.append(_PARTIES)
    if lacking:
        here = ", ".join(_devices(case)) or "nothing"
        pytest.skip(f"needs {', '.join(lacking)}: the bench ({bench.kind}) has {here}")


def _devices(case: "Case") -> Iterator[str]:
    for device in case.home.devices if case.options.installation else ():
        yield device.role.value


def _asking(needs: Iterable[str]) -> Scenario:
    """Return a scenario that needs this and does nothing."""
    wanted = frozenset(needs)
    devices = tuple(one for one in DeviceType.__members__ if one in wanted) or ("ESME",)
    expected = Expectation(ExpectationKind.UNCERTAIN, frozenset(), "known")
    return Scenario("pytest", "a test", devices, "", (), expected, (), lambda _run: None, wanted)
