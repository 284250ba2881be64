"""What one test plays with: its home, its loop, its bench, its wire, and where it stands."""

import asyncio
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest

from device_profiles.cohort import load_cohort
from device_profiles.installation import Installation, render_toml
from emulator.core.chance import Chance
from harness.benches import BENCHES
from harness.data_files import overlays, reading_data
from harness.files import write_octets
from harness.ports import Bench
from harness.pytest_home import HomeWords, home_of, misuse, words_of, world_of
from harness.pytest_options import Choices, choices, slug
from harness.pytest_parties import Parties
from harness.pytest_playing import Stage
from harness.pytest_trail import Trail, hides
from harness.pytest_wire import Wire
from harness.run_options import RunOptions
from harness.scenario_play import loop_factory
from harness.setting import bench_kind, named

__tracebackhide__ = hides


@dataclass(slots=True)
class Case:
    """One test.

    Attributes:
        chosen: What the person at the command line chose.
        words: What the test says of its home.
        home: The home.
        folder: Where files of the test go.
        options: What its bench is opened with.
        trail: Where it stands.
        runner: Runs its loop, once the bench is open.
        bench: Its bench, once it is open.
        wire: What crosses its links.
    """

    chosen: Choices
    words: HomeWords
    home: Installation
    folder: Path
    options: RunOptions
    trail: Trail = field(default_factory=Trail)
    runner: asyncio.Runner | None = None
    bench: Bench | None = None
    wire: Wire | None = None

    @property
    def seed(self) -> int:
        """The seed of the test."""
        return self.options.seed

    @property
    def called(self) -> str:
        """What the test plays with, for readers: a home, or the devices of a bench file."""
        file = self.options.bench
        if file is not None and (self.bench is None or self.bench.kind != "emulated"):
            return f"bench file: {file.name}"
        return f"home: {self.home.ref}"

    @property
    def kind(self) -> str:
        """Which kind of bench is opened (``harness.benches.BENCHES``).

        Raises:
            UsageError: The bench file cannot be used.
        """
        return bench_kind(self.options, BENCHES)

    def open(self) -> Bench:
        """Open the bench in a loop of its own; the test runs in the same loop.

        Raises:
            UsageError: Bench file, home, fault or defect cannot be used.
            BenchError: The bench does not open.
        """
        dotted = BENCHES[self.kind]
        self.runner = asyncio.Runner(loop_factory=loop_factory(dotted, self.options))
        self.bench = self.runner.run(self._opened(named(dotted)))
        self.wire = Wire(self.bench, smets1=self.options.world == "SMETS1")
        return self.bench

    async def _opened(self, open_bench: Any) -> Bench:
        opened = open_bench(self.options)
        bench: Bench = await opened if inspect.isawaitable(opened) else opened
        bench.clock.now()  # from here on its time is the loop's
        return bench

    def close(self) -> None:
        """Close bench and loop; keep what crossed the links where a folder was asked for."""
        if self.runner is None:
            return
        try:
            if self.wire is not None and self.chosen.out is not None:
                self.wire.save(self.capture)
            if self.bench is not None:
                self.runner.run(self.bench.close())
        finally:
            self.runner.close()

    @property
    def capture(self) -> Path:
        """The file that frames go to."""
        return self.folder / "wire.pcapng"

    def parties(self) -> Parties:
        """Seat the parties.

        Raises:
            UsageError: Nobody can be seated on this bench.
        """
        if self.bench is None or self.wire is None:
            raise misuse("no bench is open", "fixture parties", "the bench did not open")
        chance = Chance(self.seed)
        return Parties(Stage(self.bench, self.wire, self.options, chance, self.trail), self.home)


#: The case of a test, for hooks.
CASE: Final = pytest.StashKey[Case]()


def case_of(
    request: pytest.FixtureRequest, cohort: str | None, given: object, folder: Path
) -> Case:
    """Return what a test plays with; nothing is opened yet.

    Args:
        request: Of a fixture of the test.
        cohort: Cohort key, or None.
        given: Parameter of the fixture ``installation``: a dict of words, or None.
        folder: Temporary folder of the test.

    Raises:
        UsageError: A word, cohort, file or model means nothing.
    """
    chosen = choices(request.config)
    told: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("home"))):
        if marker.args:
            raise misuse("a home is told by names", "marker home", f"{marker.args!r} has none")
        told |= marker.kwargs
    if given is not None:
        told |= _dict(given)
        cohort = told.pop("cohort", cohort)
    folders = overlays(chosen.data)
    with reading_data():
        if cohort is not None:
            load_cohort(cohort, folders)
    words = words_of(told, f"home of {request.node.name}")
    home = home_of(words, cohort, chosen.seed, folders)
    if chosen.out is not None:
        folder = chosen.out / slug(request.node.nodeid)
        folder.mkdir(parents=True, exist_ok=True)
    options = _options(chosen, words, home, folder, folders)
    return Case(chosen, words, home, folder, options)


def _dict(given: object) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        return given
    raise misuse(
        f"{given!r} describes no home",
        "parameter installation",
        "it is a dict of the words of the marker home, and cohort",
        '@pytest.mark.parametrize("installation", [{"shape": "split-supply"}], indirect=True)',
    )


def _options(
    chosen: Choices, words: HomeWords, home: Installation, folder: Path, folders: tuple[Path, ...]
) -> RunOptions:
    path = folder / "home.toml"
    write_octets(path, render_toml([home]).encode())
    options = RunOptions(
        seed=chosen.seed if words.seed is None else words.seed,
        faults=words.faults,
        defects=words.defects,
        accepted=chosen.accepted,
        bench=chosen.bench,
        installation=path,
        data=folders,
        world=world_of(words, home),
        folder=folder,
    )
    # What stands on a bench says its file; a home is put beside it where the test names one.
    is_told = home.cohort is not None or words != HomeWords()
    return options if chosen.bench is None or is_told else replace(options, installation=None)
