"""Serial scenarios on benches in real time: verdicts as on the emulated bench; a pulled lead."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.core.clock import UtcMs
from harness.judging import Finding
from harness.resume import resume
from harness.run_options import RunOptions
from harness.runner import Silent, start
from harness.scenario import Scenario
from harness.scenarios.catalogue import CATALOGUE
from harness.verdict import Verdict
from tests.hil.bench_device import Device, real_bench
from tests.scenarios.played import scenario

SERIAL = tuple(name for name in CATALOGUE if name.startswith("SER-"))
#: A sample for every day: sign-on and reading, lists. What hangs on real time is in the soak.
SAMPLE = ("SER-001", "SER-006")
LISTENS = ("pty", "rfc2217")
#: Into how many tests the rows are split: they wait for a line in real time, side by side.
PARTS = 4


@pytest.fixture(autouse=True)
def _locks_of_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hil.locks.folder_of_locks", lambda: tmp_path / "locks")


def accepted(names: tuple[str, ...]) -> frozenset[str]:
    clauses = {ref.id for name in names for ref in scenario(name).clauses}
    return frozenset({*names, *clauses})


def loopback(folder: Path, listen: str) -> Path:
    file = folder / f"{listen}.toml"
    file.write_text(
        '[bench]\nname = "desk"\noperator = "A. Fitter"\n\n[roles.ESME]\n'
        f'endpoint = "loopback:smets1"\nlisten = "{listen}"\n'
    )
    return file


def verdicts(names: tuple[str, ...], out: Path, bench: Path | None = None) -> dict[str, Any]:
    options = RunOptions(accepted=accepted(names), bench=bench)
    _, record = start(names, options, out=out)
    return {
        one.id: (one.verdict, one.outcome, [step.verdict for step in one.steps])
        for one in record.scenarios
    }


def same_on_every_bench(tmp_path: Path, names: tuple[str, ...], listen: str) -> None:
    emulated = verdicts(names, tmp_path / "emulated")
    real_time = verdicts(names, tmp_path / listen, loopback(tmp_path, listen))
    assert real_time == emulated
    assert all(verdict is Verdict.PASS for verdict, _outcome, _steps in emulated.values())


@pytest.mark.timeout(120)
@pytest.mark.parametrize("listen", LISTENS)
def test_a_sample_ends_alike_on_the_emulated_and_the_loopback_bench(
    tmp_path: Path, listen: str
) -> None:
    same_on_every_bench(tmp_path, SAMPLE, listen)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("listen", LISTENS)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_row_on_a_line_ends_alike_on_the_emulated_and_the_loopback_bench(
    tmp_path: Path, part: int, listen: str
) -> None:
    on_a_line = tuple(name for name in SERIAL if "meter-line" in scenario(name).needs)
    same_on_every_bench(tmp_path, on_a_line[part::PARTS], listen)


class PullsTheLead(Silent):
    """Pulls the head off once a step of that number has ended."""

    def __init__(self, device: Device, after: int) -> None:
        self.device, self.after = device, after

    def step_ended(self, scenario: Scenario, number: int, finding: Finding, at: UtcMs) -> None:
        super().step_ended(scenario, number, finding, at)
        if number == self.after:
            self.device.unplug()

    def scenario_ended(self, scenario: Scenario, result: Mapping[str, Any]) -> None:
        super().scenario_ended(scenario, result)
        self.after = -1


@pytest.mark.timeout(120)
def test_a_lead_pulled_in_a_scenario_is_an_error_of_the_bench_and_the_run_goes_on_later(
    tmp_path: Path,
) -> None:
    device = Device(tmp_path)
    try:
        bench = real_bench(tmp_path, device)
        options = RunOptions(accepted=accepted(("SER-002", "SER-005")), bench=bench)
        watcher = PullsTheLead(device, after=0)
        folder, record = start(
            ("SER-002", "SER-005"), options, out=tmp_path / "run", watcher=watcher
        )
        assert record.verdict is Verdict.ERROR
        broken = record.scenarios[0]
        assert [step.verdict for step in broken.steps] == [Verdict.PASS, Verdict.ERROR]
        assert (broken.error or {})["blame"] == "bench"

        device.plug_in()
        _, whole = resume(folder.path)
        assert [one.verdict for one in whole.scenarios] == [Verdict.PASS, Verdict.PASS]
        assert [step.verdict for step in whole.scenarios[0].steps] == [Verdict.PASS] * 2
    finally:
        device.unplug()
