"""A relay of a bench file, and a recording in place of a meter: both behind the bench's ports."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import iso
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from harness.dlms import obis
from harness.dlms.settings import Framing
from harness.errors import BenchError
from harness.run_options import RunOptions
from harness.transcript_about import About
from harness.transcript_file import TranscriptWriter
from hil import bench as benches
from hil import wall_clock
from hil.arming import ArmingRefusedError
from hil.arming_state import arm, dry_run_file, write_private
from hil.bench_file import BenchFileError, load_bench
from hil.bench_parts import BenchClock
from hil.dry_run_report import DryRunReport, Rehearsal, Write
from hil.guard_port import Unguarded
from hil.line_bench import HilBench
from hil.lines import LineOpener
from hil.transcript_tap import TranscriptTap
from hil.verbs import Verb
from tests.hil.bench_device import SEED, real_bench, shared_device
from tests.hil.bench_texts import HEAD, METER, REAL, write_bench
from tests.hil.lines import Pty

WHO = Eui64.parse(METER)


@pytest.fixture(autouse=True)
def _locks_of_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hil.locks.folder_of_locks", lambda: tmp_path / "locks")


class Relay:
    """A relay in a thread: obeys ``1`` and ``0``, says how it stands when asked."""

    def __init__(self) -> None:
        self.pty = Pty()
        self.commands: list[bytes] = []
        self.stuck = False
        self._on = True
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def _live(self) -> None:
        while self.pty.plugged:
            octets = self.pty.heard(1, 0.1)
            for octet in octets:
                self._obey(bytes([octet]))

    def _obey(self, command: bytes) -> None:
        if command == b"?":
            self.pty.say(b"state=ON\r\n" if self._on else b"state=OFF\r\n")
            return
        self.commands.append(command)
        if not self.stuck:
            self._on = command == b"1"

    def close(self) -> None:
        self.pty.plugged = False
        self._thread.join()
        self.pty.plugged = True
        self.pty.close()


def bench_of(folder: Path, meter: Pty, relay: Relay, more: str = "") -> Path:
    text = f"""{HEAD.replace("operator", "reopen_s = 0" + chr(10) + "operator")}
[roles.ESME]
endpoint = "serial:{meter.path}"
profile = "./model.toml"
eui64 = "{METER}"

[power]
endpoint = "serial:{relay.pty.path}"
on = "1"
off = "0"
query = "?"
is_on = "state=ON"
is_off = "state=OFF"
settle_s = 0
{more}
"""
    return write_bench(folder, text)


def allowed(path: Path) -> None:
    """Have everything in order for a scenario that switches the mains."""
    loaded = load_bench(path)
    write = Write(verb=Verb.SUPPLY, role="ESME", service="power")
    rehearsal = Rehearsal(scenario="SER-008", verdict="PASS", writes=(write,))
    report = DryRunReport(
        bench="desk 3",
        bench_sha256=loaded.sha256,
        seed=1,
        made_at=iso(wall_clock.now()),
        scenarios=(rehearsal,),
    )
    write_private(dry_run_file(path), report.encode())
    arm(loaded, operator="A. Fitter", for_s=600, confirmed={Verb.SUPPLY})


def cycle(path: Path) -> None:
    """Open the bench, take the meter's mains for a moment, close the bench."""

    async def whole() -> None:
        options = RunOptions(bench=path, scenario="SER-008", devices=("ESME",))
        bench = await benches.open_bench(options)
        assert isinstance(bench, HilBench)
        try:
            assert bench.offers == {"power"}
            await bench.power.cycle(WHO, 0.05)
        finally:
            await bench.close()

    asyncio.run(whole())


def test_a_relay_is_switched_only_where_everything_is_in_order(tmp_path: Path) -> None:
    meter, relay = Pty(), Relay()
    try:
        path = bench_of(tmp_path, meter, relay)
        with pytest.raises(ArmingRefusedError, match="SUPPLY refused"):
            cycle(path)
        assert relay.commands == []
        allowed(path)
        cycle(path)
        assert relay.commands == [b"0", b"1"]
        relay.stuck = True
        with pytest.raises(BenchError, match="told off and says on"):
            cycle(path)
    finally:
        relay.close()
        meter.close()


@pytest.mark.parametrize("role", ["GSME", "CHF"])
def test_a_relay_of_a_device_that_is_not_there_is_refused(tmp_path: Path, role: str) -> None:
    relay = f'[power]\nrole = "{role}"\nendpoint = "serial:/dev/ttyS9"\non = "1"\noff = "0"\n'
    with pytest.raises(BenchFileError, match=r"power\.role") as caught:
        load_bench(write_bench(tmp_path, REAL + relay))
    assert caught.value.code == "inconsistent"


# -- recordings -----------------------------------------------------------------------------------


def recorded(folder: Path, bench: Path, seed: int, names: Sequence[str]) -> Path:
    """Record conversations with the meter of a bench; returns the bench file that replays them."""
    loaded = load_bench(bench)
    about = About(
        started_at=iso(wall_clock.now()),
        profile="smets1",
        framing=Framing.OPTICAL,
        seed=seed,
        device_seed=seed,
        device={"eui64": METER},
    )
    secrets = factory_keys(seed, WHO).secrets
    with TranscriptWriter(folder / "read", about, secrets=secrets) as writer:
        taps = {DeviceType.ESME: TranscriptTap(writer)}
        options = RunOptions(seed=seed)
        opener = LineOpener(loaded, options, BenchClock(), Unguarded(), print, taps=taps)
        line = opener.open(DeviceType.ESME)
        try:
            for name in names:
                assert line.driver.associate(line.credentials(loaded, name)).accepted
                line.driver.get([obis.SERIAL_NUMBER])
                line.driver.release()
        finally:
            line.close()
        taps[DeviceType.ESME].check()
        writer.finish()
    replay = '\n[roles.ESME]\nendpoint = "replay:read"\nprofile = "smets1"\n'
    return write_bench(folder, HEAD + replay, "replay.toml")


def replayed(path: Path, names: Sequence[str]) -> None:
    """Have the same conversations with the recording."""

    async def whole() -> None:
        bench = await benches.open_bench(RunOptions(bench=path, devices=("ESME",)))
        assert isinstance(bench, HilBench)
        try:
            assert (bench.kind, bench.role("ESME")) == ("replay", WHO)
            assert abs(bench.clock.now() - wall_clock.now()) < 60_000
            meter = bench.meter("ESME")
            for name in names:
                association = await meter.associate(bench.credentials("ESME", name))
                assert association.accepted, (name, association)
                found = await meter.get([obis.SERIAL_NUMBER])
                assert isinstance(found, tuple), (name, found)
            (line,) = bench.lines().values()
            assert line.recording is not None
            assert line.recording.mismatches == []
        finally:
            await bench.close()

    asyncio.run(whole())


def test_a_recording_answers_in_a_meter_s_place_at_the_time_it_was_made(tmp_path: Path) -> None:
    names = ("public", "reader")
    replayed(recorded(tmp_path, real_bench(tmp_path, shared_device()), SEED, names), names)


@pytest.mark.soak
def test_a_ciphered_recording_of_a_loopback_meter_answers_the_same_challenges(
    tmp_path: Path,
) -> None:
    text = HEAD + f'\n[roles.ESME]\nendpoint = "loopback:smets1"\neui64 = "{METER}"\n'
    names = ("public", "reader", "management")
    replayed(recorded(tmp_path, write_bench(tmp_path, text), 5, names), names)
