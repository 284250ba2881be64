"""Benches in real time: children on ptys and terminal servers, and a guarded port, end to end."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.dlms import obis
from harness.errors import BenchError, UsageError
from harness.meter import Credentials
from harness.report.model import RunRecord
from harness.run_options import RunOptions
from harness.runner import start
from harness.verdict import Verdict
from hil import bench as benches
from hil import wall_clock
from hil.arming import ArmingRefusedError
from hil.arming_state import arm, disarm
from hil.bench_file import load_bench
from hil.bench_parts import BenchClock
from hil.dry_run import rehearse
from hil.guard_port import Unguarded
from hil.line_bench import HilBench
from hil.lines import LineOpener
from tests.hil.bench_device import Device, real_bench, shared_device
from tests.hil.bench_texts import HEAD, METER, write_bench
from tests.hil.test_bench_children import is_alive

LOOPBACK = HEAD + '\n[roles.ESME]\nendpoint = "loopback:smets1"\n'
Story = Callable[[HilBench], Awaitable[None]]


def options_of(path: Path, **more: object) -> RunOptions:
    return RunOptions(bench=path, **more)  # type: ignore[arg-type] # words of the test


def play(options: RunOptions, story: Story) -> None:
    """Open a bench as the runner does, tell a story on it, and close it."""

    async def whole() -> None:
        bench = await benches.open_bench(options)
        assert isinstance(bench, HilBench)
        try:
            await story(bench)
        finally:
            await bench.close()

    with asyncio.Runner(loop_factory=lambda: benches.new_event_loop(options)) as loop:
        loop.run(whole())


def verdicts(record: RunRecord) -> dict[str, Verdict]:
    return {one.id: one.verdict for one in record.scenarios if one.verdict is not None}


@pytest.fixture(autouse=True)
def _locks_of_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hil.locks.folder_of_locks", lambda: tmp_path / "locks")


async def value(bench: HilBench, attribute: object) -> object:
    found = await bench.meter("ESME").get([attribute])  # type: ignore[list-item] # of harness.dlms
    assert isinstance(found, tuple), found
    assert isinstance(found[0], Data), found
    return found[0].value


# -- loopback -------------------------------------------------------------------------------------


async def read_by_everybody(bench: HilBench) -> None:
    """Read who the meter is as each of its clients, plainly, by password and ciphered."""
    meter = bench.meter("ESME")
    for name in ("public", "reader", "management"):
        association = await meter.associate(bench.credentials("ESME", name))
        assert association.accepted, association
        assert await value(bench, obis.DEVICE_EUI64) == bench.role("ESME").octets


@pytest.mark.soak
@pytest.mark.parametrize("listen", ["pty", "rfc2217", "tcp", "wrapper"])
def test_a_loopback_meter_is_read_over_every_kind_of_line(tmp_path: Path, listen: str) -> None:
    path = write_bench(tmp_path, LOOPBACK + f'listen = "{listen}"\n')

    async def story(bench: HilBench) -> None:
        (line,) = bench.lines().values()
        scheme = "/dev/pts/" if listen == "pty" else f"{listen}://127.0.0.1:"
        assert line.address.startswith(scheme)
        await read_by_everybody(bench)

    play(options_of(path), story)


def test_a_loopback_bench_has_all_ports_a_faster_clock_and_mains(tmp_path: Path) -> None:
    more = f'listen = "tcp"\nclock_factor = 50\neui64 = "{METER}"\n'
    path = write_bench(tmp_path, LOOPBACK + more)
    children: list[int] = []

    async def story(bench: HilBench) -> None:
        assert bench.kind == "loopback"
        assert set(bench.offers) == {"power", "noise"}
        assert bench.role("ESME") == Eui64.parse(METER)
        (line,) = bench.lines().values()
        assert line.child is not None
        children.append(line.child.pid)
        await read_by_everybody(bench)
        frames = bench.take_frames()
        assert {frame.link for frame in frames} == {"line-in", "line-out"}
        assert [frame.at_us for frame in frames] == sorted(frame.at_us for frame in frames)
        assert all(frame.at_us <= bench.clock.now() * 1000 + 999 for frame in frames)
        assert bench.take_frames() == []
        assert bench.take_observations() is None
        assert bench.dump() is None
        assert bench.profiles[bench.role("ESME")].name == "smets1"
        (row,) = bench.describe().values()
        assert all(row.values())
        begun = bench.clock.now()
        await bench.power.cycle(bench.role("ESME"), 10)
        assert 10_000 <= bench.clock.now() - begun < 300_000
        await read_by_everybody(bench)
        with pytest.raises(BenchError, match="no device"):
            await bench.power.cycle(Eui64(bytes(8)), 1)
        with pytest.raises(UsageError, match="0 seconds"):
            await bench.power.cycle(bench.role("ESME"), 0)

    play(options_of(path), story)
    assert not any(is_alive(pid) for pid in children)


def test_a_scenario_passes_behind_a_terminal_server_and_its_run_has_a_capture(
    tmp_path: Path,
) -> None:
    path = write_bench(tmp_path, LOOPBACK + 'listen = "rfc2217"\n')
    folder, record = start(["SER-001"], options_of(path), out=tmp_path / "run")
    assert verdicts(record) == {"SER-001": Verdict.PASS}
    assert folder.file("capture").stat().st_size > 1000


# -- a port, guarded ------------------------------------------------------------------------------


@pytest.fixture
def device() -> Device:
    return shared_device()


def test_a_real_port_is_read_unarmed_and_written_only_as_rehearsed(
    tmp_path: Path, device: Device
) -> None:
    path = real_bench(tmp_path, device)
    loaded, options = load_bench(path), options_of(path)
    _folder, record = start(["SER-001"], options, out=tmp_path / "read")
    assert verdicts(record) == {"SER-001": Verdict.PASS}

    with pytest.raises(ArmingRefusedError, match="unarmed"):
        start(["SER-013"], options, out=tmp_path / "unarmed")
    arm(loaded, operator="A. Fitter", for_s=600)
    with pytest.raises(ArmingRefusedError, match="no-dry-run"):
        start(["SER-013"], options, out=tmp_path / "not rehearsed")

    report, twin = rehearse(loaded, ["SER-013"], options)
    assert verdicts(twin) == {"SER-013": Verdict.PASS}
    (rehearsal,) = report.scenarios
    assert [(one.verb, one.class_id, one.obis, one.index) for one in rehearsal.writes] == [
        ("CLOCK", 8, "0-0:1.0.0.255", 2)
    ]
    arm(loaded, operator="A. Fitter", for_s=600)
    _folder, record = start(["SER-013"], options, out=tmp_path / "armed")
    assert verdicts(record) == {"SER-013": Verdict.PASS}
    with pytest.raises(ArmingRefusedError, match="no-dry-run"):
        start(["SER-014"], options, out=tmp_path / "another scenario")

    disarm(path)
    with pytest.raises(ArmingRefusedError, match="unarmed"):
        start(["SER-013"], options, out=tmp_path / "disarmed")


def test_a_device_that_is_not_the_one_of_the_list_is_read_and_not_written(
    tmp_path: Path, device: Device
) -> None:
    path = real_bench(tmp_path, device)
    path.write_text(path.read_text().replace(f'allow = ["{METER}"]', "allow = []"))
    loaded, options = load_bench(path), options_of(path)
    rehearse(loaded, ["SER-013"], options)
    arm(loaded, operator="A. Fitter", for_s=600)
    with pytest.raises(ArmingRefusedError, match="not-allow-listed"):
        start(["SER-013"], options, out=tmp_path / "run")


def test_the_dry_run_report_holds_no_secret_and_no_value(tmp_path: Path, device: Device) -> None:
    path = real_bench(tmp_path, device)
    report, _record = rehearse(load_bench(path), ["SER-012"], options_of(path))
    (rehearsal,) = report.scenarios
    assert [str(verb) for verb in rehearsal.verbs] == ["KEYS"]
    told = json.loads(report.encode())["scenarios"][0]["writes"]
    assert {name for write in told for name in write} == {
        "verb", "role", "service", "class_id", "obis", "index", "times",
    }  # fmt: skip


def test_an_unplugged_port_is_a_fault_of_the_bench_and_the_next_run_goes_on(
    tmp_path: Path, device: Device
) -> None:
    path = real_bench(tmp_path, device)

    async def story(bench: HilBench) -> None:
        meter = bench.meter("ESME")
        assert (await meter.associate(bench.credentials("ESME", "public"))).accepted
        device.unplug()
        with pytest.raises(BenchError):
            await meter.get([obis.SERIAL_NUMBER])

    play(options_of(path), story)
    try:
        _folder, record = start(["SER-001"], options_of(path), out=tmp_path / "away")
        assert verdicts(record) == {"SER-001": Verdict.ERROR}
    finally:
        device.plug_in()
    _folder, record = start(["SER-001"], options_of(path), out=tmp_path / "back")
    assert verdicts(record) == {"SER-001": Verdict.PASS}


def test_a_link_that_a_killed_run_left_open_is_closed_and_the_meter_answers_at_once(
    tmp_path: Path, device: Device
) -> None:
    loaded = load_bench(real_bench(tmp_path, device))
    told: list[str] = []
    opener = LineOpener(loaded, RunOptions(), BenchClock(), Unguarded(), told.append)
    line = opener.open(DeviceType.ESME)
    assert line.driver.associate(line.credentials(loaded, "reader")).accepted
    line.driver.close()  # no DISC, and the lock's file still names its owner: as after a kill
    assert line.lock is not None
    assert line.lock._fd is not None
    os.close(line.lock._fd)
    line.lock._fd = None

    again = opener.open(DeviceType.ESME)
    try:
        assert "ESME: the link that the run before left open was closed" in told
        begun = time.monotonic()
        assert again.driver.associate(again.credentials(loaded, "public")).accepted
        assert time.monotonic() - begun < 30
    finally:
        again.close()
    told.clear()
    opener.open(DeviceType.ESME).close()
    assert "ESME: the link that the run before left open was closed" not in told


# -- what a bench cannot do -----------------------------------------------------------------------


def test_a_bench_says_what_it_has_not(tmp_path: Path, device: Device) -> None:
    path = real_bench(tmp_path, device)

    async def story(bench: HilBench) -> None:
        for wrong in (
            lambda: bench.meter("GSME"),
            lambda: bench.meter("TOASTER"),
            lambda: bench.meter("ESME", "wan"),
            lambda: bench.role("CHF"),
            lambda: bench.credentials("ESME", "burglar"),
            lambda: bench.hub.eui64,
            lambda: bench.restore(b"state"),
        ):
            with pytest.raises(BenchError) as caught:
                wrong()
            assert caught.value.where
            assert caught.value.next_command
        assert bench.kind == "real"
        assert not bench.offers
        with pytest.raises(BenchError, match="cannot be switched from here"):
            await bench.power.cycle(bench.role("ESME"), 1)
        with pytest.raises(BenchError, match="no hub"):
            await bench.hub.send(b"message")
        with pytest.raises(BenchError, match="no hub"):
            await bench.hub.received(UtcMs(0))
        begun = bench.clock.now()
        await bench.clock.sleep_until(UtcMs(begun - 1000))
        await bench.clock.sleep_until(UtcMs(begun + 50))
        assert 50 <= bench.clock.now() - begun < 5000
        assert abs(bench.clock.now() - wall_clock.now()) < 5000

    play(options_of(path), story)


def test_a_scenario_that_is_skipped_anyway_starts_nothing_and_says_what_is_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.lines.LineOpener.open", lambda *_words: pytest.fail("opened"))
    device = f'endpoint = "serial:/dev/ttyS9"\nprofile = "smets1"\neui64 = "{METER}"\n'
    path = write_bench(tmp_path, HEAD + "\n[roles.ESME]\n" + device)
    _folder, record = start(["SER-010"], options_of(path), out=tmp_path / "run")
    (one,) = record.scenarios
    assert (one.verdict, one.reason) == (Verdict.SKIPPED, "the bench (real) offers no noise")

    async def story(bench: HilBench) -> None:
        assert bench.lines() == {}
        assert bench.role("ESME") == Eui64.parse(METER)
        port = bench.meter("ESME")
        for act in (
            port.sign_on(read_out=True),
            port.associate(Credentials("public", 16)),
            port.get([obis.SERIAL_NUMBER]),
            port.set([]),
            port.action(obis.CLOCK_SHIFT),
            port.exchange(b"\x00"),
            port.has_taken((), obis.CLOCK_SHIFT),
        ):
            with pytest.raises(BenchError, match="was not opened"):
                await act
        await port.release()

    play(options_of(path, scenario="SER-010", devices=("ESME",)), story)
