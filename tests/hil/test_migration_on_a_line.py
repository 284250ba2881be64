"""Migrations on a serial line: the text and the verdicts of the emulated bench, octets on a pty."""

import atexit
import functools
import tempfile
from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from harness.report.model import RunRecord
from harness.run_options import RunOptions
from harness.runner import start
from harness.setting import Setting
from harness.verdict import Verdict
from hil import bench as benches
from hil.children import Child
from tests.hil.bench_texts import METER, write_bench
from tests.hil.test_mixed_bench import MIXED

#: Children start slowly, and migrations are long, on a busy machine.
pytestmark = pytest.mark.timeout(900)
_PACK = "harness.scenarios.migration"
SCENARIOS = {
    "MIG-003": f"{_PACK}.happy:MIG_003",  # electricity only
    "MIG-024": f"{_PACK}.golden:MIG_024",  # T-A
    "MIG-027": f"{_PACK}.golden:MIG_027",  # T-C
    "MIG-028": f"{_PACK}.golden:MIG_028",  # T-D
    "MIG-150": f"{_PACK}.one_meter:MIG_150",
}
SETTING = Setting(catalogue=SCENARIOS)
SEED = 7


def played(name: str, folder: Path, bench: Path | None = None) -> RunRecord:
    options = RunOptions(bench=bench)
    _folder, record = start([name], options, out=folder, setting=SETTING)
    return record


def steps_of(record: RunRecord) -> list[tuple[str, str, str]]:
    (scenario,) = record.scenarios
    return [
        (one.title, "" if one.verdict is None else one.verdict.name, one.reason)
        for one in scenario.steps
    ]


def hdlc_frames(folder: Path) -> int:
    """Return about how many HDLC frames are in the capture of a run."""
    return (folder / "wire.pcapng").read_bytes().count(b"\x7e\xa0")


def test_a_migration_passes_with_its_meter_on_a_serial_line(tmp_path: Path) -> None:
    record = played("MIG-003", tmp_path / "line", write_bench(tmp_path, MIXED))
    (scenario,) = record.scenarios
    assert (scenario.verdict, scenario.outcome) == (Verdict.PASS, "MIGRATED")
    assert hdlc_frames(tmp_path / "line") > 100


@pytest.mark.soak
@pytest.mark.parametrize("name", ["MIG-003", "MIG-024", "MIG-027", "MIG-028", "MIG-150"])
def test_the_verdicts_of_a_serial_line_are_those_of_the_emulated_bench(
    tmp_path: Path, name: str
) -> None:
    on_line = played(name, tmp_path / "line", write_bench(tmp_path, MIXED))
    emulated = played(name, tmp_path / "emulated")
    (scenario,), (other,) = on_line.scenarios, emulated.scenarios
    assert scenario.verdict is Verdict.PASS
    assert (scenario.verdict, scenario.reason, scenario.outcome) == (
        other.verdict,
        other.reason,
        other.outcome,
    )
    assert steps_of(on_line) == steps_of(emulated)
    assert hdlc_frames(tmp_path / "line") > 50 + 10 * hdlc_frames(tmp_path / "emulated")


# -- one real meter -------------------------------------------------------------------------------


@functools.cache
def real_meter(eui64: str) -> str:
    """Start a meter that no bench started: for a bench file it is a real one; returns its port."""
    folder = tempfile.TemporaryDirectory(prefix="smetsbench-meter-")
    port = str(Path(folder.name) / "head")
    words = ["esme", "--profile", "demo-s1-esme", "--eui64", eui64, "--seed", str(SEED)]
    child = Child.emulate([*words, "--listen", f"pty:{port}"])
    atexit.register(folder.cleanup)
    atexit.register(child.stop)  # runs first
    return port


def one_real_meter(folder: Path, eui64: str = METER, *, home: str = "") -> Path:
    """Write the bench file of one real meter, which nobody armed."""
    keys = factory_keys(SEED, Eui64.parse(eui64)).keys
    (folder / "keys.toml").write_text(
        f'[management]\nunicast = "{keys.unicast.hex()}"\n'
        f'authentication = "{keys.authentication.hex()}"\nmaster = "{keys.master.hex()}"\n'
    )
    (folder / "keys.toml").chmod(0o600)
    text = f"""\
[bench]
name = "desk 3"
operator = "A. Fitter"
reopen_s = 0
allow = ["{eui64}"]

[roles.ESME]
endpoint = "serial:{real_meter(eui64)}"
profile = "demo-s1-esme"
eui64 = "{eui64}"
[roles.ESME.credentials.management]
keys = "file:keys.toml#management"
"""
    return write_bench(folder, text + home)


HOME = '\n[roles.CHF]\nendpoint = "emulated:demo-s1-chf-foct"\n'
READING = 3


def test_with_one_real_meter_reading_steps_run_and_each_other_is_skipped_with_its_reason(
    tmp_path: Path,
) -> None:
    record = played("MIG-150", tmp_path / "run", one_real_meter(tmp_path))
    steps = steps_of(record)
    assert [verdict for _title, verdict, _why in steps[:READING]] == ["PASS"] * READING
    assert {verdict for _title, verdict, _why in steps[READING:]} == {"SKIPPED"}
    log, gas, keys, sim = (why for _title, _verdict, why in steps[READING:])
    assert "no CHF" in log or "CHF" in log
    assert "GSME" in gas
    assert keys.startswith("KEYS refused (unarmed)")
    assert "smetsbench bench" in keys  # what to do about it
    assert "SIM" in sim
    assert record.scenarios[0].outcome == "readable"


def test_a_whole_migration_needs_more_than_one_real_meter_and_is_skipped(tmp_path: Path) -> None:
    record = played("MIG-024", tmp_path / "run", one_real_meter(tmp_path))
    (scenario,) = record.scenarios
    assert scenario.verdict is Verdict.SKIPPED
    assert "no CHF" in scenario.reason


@pytest.mark.soak
def test_a_home_around_a_real_meter_is_looked_at_whole_and_its_keys_are_left_alone(
    tmp_path: Path,
) -> None:
    record = played("MIG-150", tmp_path / "run", one_real_meter(tmp_path, home=HOME))
    verdicts = [verdict for _title, verdict, _why in steps_of(record)]
    assert verdicts == ["PASS"] * 5 + ["SKIPPED", "PASS"]


@pytest.mark.soak
def test_a_migration_of_another_home_is_skipped_and_says_whose(tmp_path: Path) -> None:
    path = one_real_meter(tmp_path, home=HOME)
    record = played("MIG-024", tmp_path / "run", path)
    (scenario,) = record.scenarios
    assert scenario.verdict is Verdict.SKIPPED
    assert "no ESME (a home that has this ESME" in scenario.reason
    lacks = benches.lacks(RunOptions(bench=path), SETTING.scenario("MIG-024"))
    assert [one.need for one in lacks] == ["ESME"]


@pytest.mark.soak
def test_an_unarmed_meter_stops_its_own_migration_before_its_keys_and_nothing_passes_for_it(
    tmp_path: Path,
) -> None:
    homes = SETTING.scenario("MIG-024").settings["homes"]
    eui64 = next(one.eui64 for one in homes[0].devices if one.role == "ESME")
    record = played("MIG-024", tmp_path / "run", one_real_meter(tmp_path, eui64, home=HOME))
    (scenario,) = record.scenarios
    assert scenario.verdict is Verdict.SKIPPED
    assert scenario.reason.startswith("KEYS refused (unarmed)")
    steps = steps_of(record)
    stopped = next(n for n, (_title, verdict, _why) in enumerate(steps) if verdict == "SKIPPED")
    assert all(verdict == "PASS" for _title, verdict, _why in steps[:stopped])
    assert all(verdict == "SKIPPED" and why for _title, verdict, why in steps[stopped:])
