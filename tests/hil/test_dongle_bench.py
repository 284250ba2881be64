"""Firmware rows on the loopback bench: our driver, bellows, and an emulated dongle as a program."""

from fnmatch import fnmatch
from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from harness.run_options import RunOptions
from harness.runner import start
from harness.scenarios.catalogue import CATALOGUE
from harness.verdict import Verdict
from hil import rehearsal
from hil.dongle_bench import DongleBench
from hil.dongle_offers import HOME_WORLD
from tests.hil.dongle_bench_given import ESME, HEAD, STICK, bench_file, on_bench

ESME_EUI64 = Eui64.parse("02-53-01-00-00-00-00-01")
#: Every row of world SMETS2+; those that take too long are SKIPPED.
_ROWS = ("FM-0*", "FM-1*", "FM-2*", "FM-60", "FM-61", "FM-62", "FM-64", "FM-65", "FM-66", "FM-67")
ROWS = tuple(name for name in CATALOGUE if any(fnmatch(name, row) for row in _ROWS))
#: Into how many tests the rows are split, which workers play side by side.
PARTS = 3
FACTOR = 10


def verdicts(folder: Path, *rows: str, text: str) -> dict[str, tuple[Verdict | None, str]]:
    """Run rows on a bench file; return verdict and reason by row."""
    bench = bench_file(folder, text)
    _folder, record = start(rows, RunOptions(bench=bench.path), out=folder / "run")
    assert (folder / "run" / "wire.pcapng").stat().st_size > 1000
    return {one.id: (one.verdict, one.reason) for one in record.scenarios}


def test_a_row_passes_over_the_dongle_and_a_long_one_is_skipped_with_its_length(
    tmp_path: Path,
) -> None:
    found = verdicts(tmp_path, "FM-05", "FM-02", text=HEAD + STICK + ESME)
    assert found["FM-05"][0] is Verdict.PASS, found["FM-05"][1]
    verdict, reason = found["FM-02"]
    assert verdict is Verdict.SKIPPED
    assert "7.0 days by its devices' clocks" in reason
    assert f"clock_factor {FACTOR}" in reason
    assert rehearsal.known()


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_every_row_that_is_short_enough_passes_over_the_dongle(part: int, tmp_path: Path) -> None:
    found = verdicts(tmp_path, *ROWS[part::PARTS], text=HEAD + STICK)
    wrong = {
        name: told
        for name, told in found.items()
        if told[0] is not Verdict.PASS and "by its devices' clocks" not in told[1]
    }
    assert wrong == {}
    assert sum(verdict is Verdict.PASS for verdict, _why in found.values()) >= 6


@pytest.mark.soak
@pytest.mark.parametrize("version", [8, 14, 18, 19])
def test_reads_and_upgrades_pass_on_other_versions_of_ezsp(version: int, tmp_path: Path) -> None:
    found = verdicts(tmp_path, "FM-01", "FM-05", text=HEAD + STICK + f"ezsp = [{version}]\n")
    assert {name: told[0] for name, told in found.items()} == {
        "FM-01": Verdict.PASS,
        "FM-05": Verdict.PASS,
    }, found


@pytest.mark.soak
def test_what_is_inside_devices_behind_the_dongle_is_hidden_and_the_report_names_bench_and_factor(
    tmp_path: Path,
) -> None:
    async def scene(bench: DongleBench) -> None:
        seen = bench.take_observations()
        assert ESME_EUI64 not in {one.device for one in seen}
        assert bench.kind == "loopback"
        assert bench.memory("ESME") is None
        assert bench.memory("CHF")
        rows = bench.describe()
        assert rows["dongle stick"]["clock factor"] == str(FACTOR)
        assert rows["dongle stick"]["bench"] == "loopback"
        assert rows[f"ESME {ESME_EUI64}"]["network"] == "joined"
        links = {frame.link for frame in bench.take_frames()}
        assert "han" in links

    on_bench(bench_file(tmp_path), scene)


def test_without_an_armed_bench_nobody_is_let_into_the_network_of_a_real_dongle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESME_CODE", "83FED3407A939723A5C639B26916D505C3B5")
    monkeypatch.setattr("hil.locks.folder_of_locks", lambda: tmp_path / "locks")
    text = (
        HEAD
        + STICK.replace("loopback:dongle", "zigbee:tcp://127.0.0.1:9")
        + ESME
        + 'install_code = "env:ESME_CODE"\n'
    )

    async def scene(bench: DongleBench) -> str:
        return bench.refusal

    loaded = bench_file(tmp_path, text)
    options = RunOptions(bench=loaded.path, world=HOME_WORLD, scenario="FM-05")
    refusal = on_bench(loaded, scene, options)
    assert "unarmed" in refusal
    assert "bench arm" in refusal
