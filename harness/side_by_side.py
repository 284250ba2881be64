"""Plays scenarios in processes of their own; what they leave goes into the run in its order."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from emulator.core.clock import UtcMs
from emulator.crypto.keystore import KeyStore
from harness.errors import HarnessError, UsageError
from harness.journal import Journal
from harness.journal_part import JournalPart, put_in, taken_out
from harness.judging import Finding
from harness.recorder import ReplayError
from harness.report.pcapng import PcapngWriter
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.scenario_play import ScenarioPlay, keep_certificates
from harness.setting import Setting
from harness.workers import Outcome, Task, Workshop, play_all

#: A journal that no file holds: what a scenario leaves goes to the run's own when it has ended.
_IN_MEMORY: Final = Path(":memory:")


@dataclass(frozen=True, slots=True)
class Played:
    """What one scenario left.

    Attributes:
        part: Its rows of the journal.
        packets: Its frames, as packets of a capture.
        begins: Length of a capture without a frame.
        certificates: Public keys of its bench; None where it has none.
        steps: Number, finding and moment of each step that ended.
        refusal: Why the run is over; None where it goes on.
    """

    part: JournalPart
    packets: bytes
    begins: int
    certificates: KeyStore | None
    steps: tuple[tuple[int, Finding, UtcMs], ...]
    refusal: HarnessError | None


def played(
    row: Mapping[str, Any], setting: Setting, waiting: Sequence[tuple[int, str]], jobs: int
) -> Iterator[Played]:
    """Yield what scenarios left, in their order, however long each takes.

    Args:
        row: The run, as its journal holds it.
        setting: Where scenarios and benches come from.
        waiting: Number and id of the scenarios to play.
        jobs: Processes.

    Raises:
        BenchError: A process died.
    """
    catalogue = None if setting.catalogue is None else dict(setting.catalogue)
    about = {"run": dict(row), "catalogue": catalogue, "benches": dict(setting.benches)}
    tasks = [{"n": number, "id": name} for number, name in waiting]
    ended: dict[int, Played] = {}
    due = [number for number, _name in waiting]
    for outcome in play_all(Workshop(_Worker.make, about), tasks, jobs):
        ended[outcome["n"]] = outcome["played"]
        while due and due[0] in ended:
            yield ended.pop(due.pop(0))


def take_over(
    number: int, one: Played, scenario: Scenario, play: ScenarioPlay, capture: PcapngWriter
) -> None:
    """Write what a scenario left into the run, as if it had been played there.

    Args:
        number: Its place in the run, from 0.
        one: What it left.
        scenario: The scenario.
        play: What it would have been played with.
        capture: The run's capture.

    Raises:
        HarnessError: It ended the run.
    """
    end = play.journal.capture_end()
    length, frames = capture.flush(), 0 if end is None else end[1]
    if one.certificates is not None:
        keep_certificates(play.folder, one.certificates)
    capture.append(one.packets)
    capture.flush()
    put_in(play.journal, number, one.part, (length - one.begins, frames))
    for step, finding, at in one.steps:
        play.step_ended(scenario, step, finding, at)
    if one.refusal is not None:
        if isinstance(one.refusal, UsageError):
            play.journal.end_run()
        raise one.refusal


@dataclass(frozen=True, slots=True)
class _Worker:
    """Plays scenario after scenario in one process."""

    run: dict[str, Any]
    setting: Setting

    @classmethod
    def make(cls, about: Mapping[str, Any]) -> "_Worker":
        """Take what all scenarios of the run share."""
        return cls(about["run"], Setting(about["catalogue"], about["benches"]))

    def __call__(self, task: Task) -> Iterator[Outcome]:
        """Play one scenario from its beginning."""
        with TemporaryDirectory(prefix="smetsbench-") as name:
            journal = Journal.create(_IN_MEMORY)
            journal.keeps_states = False  # nobody resumes a scenario from its middle here
            try:
                played = self._played(task["id"], RunFolder(Path(name)), journal)
            finally:
                journal.close()
        yield {"n": task["n"], "played": played}

    def _played(self, name: str, folder: RunFolder, journal: Journal) -> Played:
        options = RunOptions.load(json.loads(self.run["options"]))
        scenario = self.setting.scenario(name).under(options)
        journal.begin_run({**self.run, "options": {}}, [(scenario.id, scenario.declared())])
        steps: list[tuple[int, Finding, UtcMs]] = []

        def ended(_scenario: Scenario, number: int, finding: Finding, at: UtcMs) -> None:
            steps.append((number, finding, at))

        refusal: HarnessError | None = None
        with PcapngWriter(folder.file("capture")) as capture:
            begins = capture.flush()
            try:
                play = ScenarioPlay(folder, journal, self.setting, ended)
                play.play(0, scenario, options, self.run["bench"], capture)
            except (UsageError, ReplayError) as error:
                refusal = error
        packets = folder.file("capture").read_bytes()[begins:]
        public = folder.file("certificates")
        certificates = KeyStore.from_json(public) if public.is_file() else None
        return Played(taken_out(journal), packets, begins, certificates, tuple(steps), refusal)
