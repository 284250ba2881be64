"""The fixtures of the pytest face; what is heavy is imported when a test asks for it."""

import importlib
import inspect
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from emulator.core.clock import UtcMs, from_datetime
from harness.pytest_trail import hides

if TYPE_CHECKING:
    from device_profiles.installation import Installation
    from harness.ports import Bench, Clock
    from harness.pytest_case import Case
    from harness.pytest_parties import Parties
    from harness.pytest_wire import Wire

__tracebackhide__ = hides

#: Fixtures that make a test one of ours.
FIXTURES: Final = ("installation", "bench", "parties", "clock", "wire", "cohort")
#: Markers under which another plugin runs a test, in real time.
FOREIGN: Final = ("asyncio", "anyio", "trio")


def _misuse(what: str, where: str, cause: str, instead: str) -> Exception:
    home: Any = importlib.import_module("harness.pytest_home")
    error: Exception = home.misuse(what, where, cause, instead)
    return error


def is_async(test: object) -> bool:
    """Say whether a test function is a coroutine function, below Hypothesis too."""
    handle = getattr(test, "hypothesis", None)
    return inspect.iscoroutinefunction(test if handle is None else handle.inner_test)


def _refuse_plain(request: pytest.FixtureRequest, name: str) -> None:
    if not is_async(request.node.obj):
        raise _misuse(
            f"{request.node.name} is a plain function and cannot wait for a bench",
            f"fixture {name}",
            "what this fixture does takes time, and is awaited",
            f"async def {request.node.originalname}(…)",
        )


@pytest.fixture
def cohort(request: pytest.FixtureRequest) -> str | None:
    """The cohort key of the test's home; None without the marker ``cohort``."""
    return getattr(request, "param", None)


@pytest.fixture
def smetsbench_case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cohort: str | None
) -> "Case":
    """What the test plays with; for the other fixtures."""
    case: Any = importlib.import_module("harness.pytest_case")
    callspec = getattr(request.node, "callspec", None)
    given = None if callspec is None else callspec.params.get("installation")
    made: Case = case.case_of(request, cohort, given, tmp_path_factory.mktemp("smetsbench"))
    request.node.stash[case.CASE] = made
    return made


@pytest.fixture
def installation(smetsbench_case: "Case") -> "Installation":
    """The home as its file has it: made up, or the marker's."""
    return smetsbench_case.home


@pytest.fixture
def bench(
    request: pytest.FixtureRequest, installation: "Installation", smetsbench_case: "Case"
) -> Iterator["Bench"]:
    """The home's bench: emulated, or the one of ``--bench FILE``."""
    del installation
    for name in FOREIGN:
        if request.node.get_closest_marker(name) is not None:
            raise _misuse(
                f"{request.node.name} is marked {name} and would run in real time",
                "fixture bench",
                f"the marker itself, or a mode of the {name} plugin that claims every async test",
                "leave out the marker; asyncio_mode = strict in pytest.ini",
            )
    importlib.import_module("harness.pytest_needs").of_file(request.node, smetsbench_case)
    try:
        opened = smetsbench_case.open()
        importlib.import_module("harness.pytest_needs").of_bench(request.node, smetsbench_case)
        yield opened
    finally:
        smetsbench_case.close()


@pytest.fixture
def wire(bench: "Bench", smetsbench_case: "Case") -> "Wire":
    """Frames and messages of the bench so far, decoded, with assertions over them."""
    del bench
    found = smetsbench_case.wire
    if found is None:
        raise _misuse("the bench has no wire", "fixture wire", "it did not open", "--setup-show")
    return found


@pytest.fixture
def parties(request: pytest.FixtureRequest, bench: "Bench", smetsbench_case: "Case") -> "Parties":
    """Supplier, DSP, SMSO, S1SP and the rest, each with its own keys, seated on the bench."""
    del bench
    _refuse_plain(request, "parties")
    return smetsbench_case.parties()


@pytest.fixture
def clock(request: pytest.FixtureRequest, bench: "Bench") -> "BenchTime":
    """The bench's time: virtual where devices are emulated."""
    _refuse_plain(request, "clock")
    return BenchTime(bench.clock)


class BenchTime:
    """The time of a test's bench; on an emulated one, waiting takes none."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock

    def now(self) -> UtcMs:
        """Return the present moment, in milliseconds since 1970."""
        return self._clock.now()

    async def sleep_until(self, at: UtcMs | datetime) -> UtcMs:
        """Wait until a moment, and return the present one; a moment that has passed is no wait.

        Args:
            at: Milliseconds since 1970, or a datetime with a zone.

        Raises:
            UsageError: A datetime without a zone.
        """
        if isinstance(at, datetime):
            if at.tzinfo is None:
                cause = "a datetime without a zone"
                raise _misuse(f"{at} is no moment", "clock", cause, "datetime(…, tzinfo=UTC)")
            at = from_datetime(at)
        await self._clock.sleep_until(at)
        return self._clock.now()

    async def advance(
        self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> UtcMs:
        """Wait for a time, and return the present moment.

        Raises:
            UsageError: The time is less than nothing.
        """
        total = seconds + 60 * minutes + 3600 * hours + 86_400 * days
        if total < 0:
            raise _misuse(f"time does not go back {-total:g} s", "clock", "less than 0", "advance")
        return await self.sleep_until(UtcMs(self._clock.now() + round(total * 1000)))
