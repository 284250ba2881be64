"""SMETS1 homes around a loopback dongle: gas meter and display behind it, hub and ESME here."""

from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from harness.errors import BenchError
from harness.run_options import RunOptions
from harness.runner import start
from harness.setting import Setting
from harness.verdict import Verdict
from hil import bench as benches
from hil.dongle_bench import AnyDongleBench, Smets1DongleBench, made, ordered_behind
from tests.hil.dongle_bench_given import HEAD, STICK, bench_file, on_bench

#: Children start slowly, and migrations are long, on a busy machine.
pytestmark = pytest.mark.timeout(900)
GAS_AND_DISPLAY = (
    '\n[roles.GSME]\nendpoint = "dongle:stick"\n\n[roles.PPMID]\nendpoint = "dongle:stick"\n'
)
#: One device joins sooner than two.
GAS = '\n[roles.GSME]\nendpoint = "dongle:stick"\n'
#: As docs/bench.md has it.
FACTOR = 360
PACED = STICK + f"clock_factor = {FACTOR}\n"
MIG = "MIG-001"
#: A migration of each cohort, and a display's upgrade.
HAPPY = ("MIG-001", "MIG-005", "MIG-009", "MIG-013", "MIG-017", "FM-30")
#: Each cohort with a gas meter that is not heard: two of them take up to 6.6 h of its clock.
GAS_SILENT = ("MIG-004", "MIG-008", "MIG-012", "MIG-016", "MIG-020")
LONG_FACTOR = 420


def options_for(row: str, path: Path, **more: object) -> RunOptions:
    """Return the options of a bench that is opened for a row, but plays nothing."""
    scenario = Setting().scenario(row)
    told = {"world": scenario.world, "settings": dict(scenario.settings), **more}
    return RunOptions(bench=path, **told)  # type: ignore[arg-type] # a table of its own fields


@pytest.mark.soak
def test_a_gas_meter_behind_the_dongle_is_reached_through_hub_and_tunnel_and_not_looked_into(
    tmp_path: Path,
) -> None:
    async def scene(bench: AnyDongleBench) -> None:
        assert isinstance(bench, Smets1DongleBench)
        assert {str(one) for one in bench.joined} == {str(bench.role("GSME"))}
        wanted = bench.credentials("GSME", "management")
        port = bench.meter("GSME")
        association = await port.associate(wanted)
        assert association.accepted
        await port.release()
        assert bench.opens_to("GSME", wanted) is None
        assert bench.opens_to("ESME", bench.credentials("ESME", "management")) is True
        assert bench.memory("GSME") is None
        assert bench.memory("ESME")
        assert bench.role("GSME") not in {one.device for one in bench.take_observations()}
        with pytest.raises(BenchError, match="no code can be entered"):
            await bench.key_in("GSME", "1")
        with pytest.raises(BenchError, match="put back"):
            bench.restore(b"state")
        assert bench.describe()[f"GSME {bench.role('GSME')}"]["network"] == "joined"
        # Its mains are in our hand: without them nobody is there, and nothing is remembered wrong.
        await bench.power.cycle(bench.role("GSME"), 60)
        with pytest.raises(BenchError, match="no device"):
            await bench.power.cycle(Eui64(bytes(8)), 60)

    loaded = bench_file(tmp_path, HEAD + STICK + "clock_factor = 60\n" + GAS)
    on_bench(loaded, scene, options_for(MIG, loaded.path))


def test_who_is_elsewhere_and_which_defects_are_whose_the_dongle_is_told(tmp_path: Path) -> None:
    loaded = bench_file(tmp_path, HEAD + PACED + GAS_AND_DISPLAY)
    defects = ("s1-gsme-keeps-old-key", "s1-esme-keeps-old-key", "omits-h3")
    options = options_for(MIG, loaded.path, defects=defects)
    bench, home = made(loaded, options)
    words = ordered_behind(bench, home, options)
    assert words == ("--without", "ESME", "--defect", "s1-gsme-keeps-old-key")


def test_what_cannot_stand_around_a_dongle_is_skipped_with_its_reason(tmp_path: Path) -> None:
    loaded = bench_file(tmp_path, HEAD + PACED + GAS_AND_DISPLAY)
    options = RunOptions(bench=loaded.path)

    def lacks(row: str) -> list[str]:
        return [one.need for one in benches.lacks(options, Setting().scenario(row))]

    assert lacks(MIG) == []
    assert lacks("MIG-023") == ["one home"]  # homes of five cohorts
    real = STICK.replace("loopback:dongle", "zigbee:tcp://127.0.0.1:9")
    options = RunOptions(bench=bench_file(tmp_path, HEAD + real).path)
    assert lacks(MIG) == ["loopback dongle"]


@pytest.mark.soak
@pytest.mark.parametrize("row", HAPPY)
def test_rows_of_smets1_homes_pass_with_gas_meter_and_display_behind_the_dongle(
    row: str, tmp_path: Path
) -> None:
    loaded = bench_file(tmp_path, HEAD + PACED + GAS_AND_DISPLAY)
    _folder, record = start([row], RunOptions(bench=loaded.path), out=tmp_path / "run")
    (played,) = record.scenarios
    assert played.verdict is Verdict.PASS, played.reason


@pytest.mark.soak
@pytest.mark.parametrize("row", GAS_SILENT)
def test_whose_a_gas_meter_is_that_no_party_hears_is_asked_past_the_fault(
    row: str, tmp_path: Path
) -> None:
    paced = STICK + f"clock_factor = {LONG_FACTOR}\n"
    loaded = bench_file(tmp_path, HEAD + paced + GAS_AND_DISPLAY)
    _folder, record = start([row], RunOptions(bench=loaded.path), out=tmp_path / "run")
    (played,) = record.scenarios
    assert played.verdict is Verdict.PASS, played.reason


@pytest.mark.soak
def test_a_gas_meter_behind_the_dongle_that_keeps_its_old_key_is_noticed(tmp_path: Path) -> None:
    loaded = bench_file(tmp_path, HEAD + PACED + GAS_AND_DISPLAY)
    options = RunOptions(bench=loaded.path, defects=("s1-gsme-keeps-old-key",))
    _folder, record = start([MIG], options, out=tmp_path / "run")
    (played,) = record.scenarios
    assert played.verdict is not Verdict.PASS
    assert "RolledBack" in played.reason  # nobody's new key opens it: all is put back
