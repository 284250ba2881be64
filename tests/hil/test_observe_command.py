"""``smetsbench bench observe`` as a person types it, beside an emulated hub on its own line."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from harness.errors import UsageError
from hil.cli_observe import register
from hil.observed import Wanted, held
from hil.references import SecretMissingError
from hil.zigbee_observation.capture_file import CaptureFile, read
from tests.harness.cli.command_line import run
from tests.hil.zigbee_observation.air_given import HUB, SECOND, beacon, enciphered, poll

SMETSBENCH = str(Path(sys.executable).with_name("smetsbench"))
#: The hub of the shipped home.
DEMO_HUB = "02-53-02-00-00-00-00-01"
FACTOR = 600
#: How often its gas meter wakes, seconds of its own clock.
WAKES_EVERY_S = 1800
KEY = "000102030405060708090A0B0C0D0E0F"
CODE = "83FED3407A939723A5C639B26916D505C3B5"
soak = pytest.mark.soak
BENCH = """
[bench]
name = "observing"
operator = "Test"

[dongles.ears]
endpoint = "loopback:dongle"
role = "observer"
channels = [15, 16]
clock_factor = 600

[dongles.other]
endpoint = "zigbee:tcp://127.0.0.1:1"
role = "hub"
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    """Serve a dongle that only listens, in reach of an emulated hub whose home is at work."""
    words = ["--listen", "tcp://127.0.0.1:0", "--hub", "emulated", "--as", "nobody", "--quiet"]
    with subprocess.Popen(
        [SMETSBENCH, "dongle", *words, "--clock-factor", str(FACTOR)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("tcp://")
        yield f"zigbee:{address}"
        process.terminate()


def nouns(app: typer.Typer) -> None:
    bench = typer.Typer()
    register(bench)
    app.add_typer(bench, name="bench")


def observe(*arguments: str) -> tuple[int, str]:
    return run(register, "observe", *arguments)


def document(*arguments: str) -> Any:
    return json.loads(observe(*arguments, "--json")[1])


def interrupted(out: Path, *arguments: str, frames: int = 1) -> tuple[int, Any]:
    """Run the program until its file holds frames, press Ctrl-C, and return what it said."""
    words = [SMETSBENCH, "bench", "observe", *arguments, "--out", str(out), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if out.exists() and sum(1 for _ in read(out)) >= frames:
                break
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
    return process.returncode, json.loads(told)


def test_the_hub_is_found_by_its_name_and_what_it_is_told_is_readable(hub: str) -> None:
    code, text = observe("--at", hub, "--channel", "15", "--hub", DEMO_HUB)
    assert code == 0, text
    assert f"hub {DEMO_HUB}: channel 15" in text
    assert "█" in text
    told = document("--at", hub, "--channel", "15", "--channel", "16", "--hub", str(HUB))
    assert told["census"]["hub_found"] is False
    assert observe("--at", hub, "--channel", "15", "--hub", str(HUB))[0] == 1
    (network,) = told["census"]["networks"]
    assert (network["extended_pan_id"], network["channel"]) == (DEMO_HUB, 15)
    assert set(told["census"]["energy_dbm"]) == {"15", "16"}


def test_ctrl_c_ends_a_capture_and_keeps_it(hub: str, tmp_path: Path) -> None:
    out = tmp_path / "han.pcapng"
    code, told = interrupted(out, "--at", hub, "--channel", "15", "--listen-only")
    assert code == 0
    assert told["listen_only"] is True
    assert told["census"]["networks"] == []
    assert told["capture"]["frames"] == sum(1 for _ in read(out)) > 0
    assert told["capture"]["ended_by"] is None


@soak
def test_a_sleepy_meters_wakes_are_measured_in_the_air(hub: str, tmp_path: Path) -> None:
    out = tmp_path / "han.pcapng"
    told = document("--at", hub, "--channel", "15", "--seconds", "20", "--out", str(out))
    sleepy = max(told["capture"]["nodes"], key=lambda one: one["polls"])
    assert sleepy["polls"] > 10
    assert sleepy["wake_intervals"]["median_s"] * FACTOR == pytest.approx(WAKES_EVERY_S, rel=0.25)
    assert told["capture"]["transfers"] == []


@soak
def test_a_dongle_of_a_bench_file_observes_within_its_channel_mask(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text(BENCH)
    told = document(str(file), "--seconds", "1")
    assert told["census"]["channels"] == [15, 16]
    assert told["census"]["networks"][0]["extended_pan_id"] == DEMO_HUB
    assert told["capture"]["channels"] in ([15], [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--channel", "20"), "does not let this dongle listen on 20"),
        (("--dongle", "other"), "other is no observer"),
        (("--dongle", "nowhere"), "nowhere is no observer"),
    ],
)
def test_a_bench_file_keeps_its_dongles_to_what_they_are_for(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bench.toml"
    file.write_text(
        BENCH.replace("loopback:dongle", "zigbee:tcp://127.0.0.1:2").replace(
            "clock_factor = 600", ""
        )
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=told):
        observe(str(file), *arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "which dongle"),
        (("--at", "zigbee:/dev/ttyUSB0"), "no bench file names it"),
        (("--at", "zigbee:/dev/serial/by-id/usb-a-dongle"), "no bench file names it"),
        (("--at", "zigbee:tcp://192.0.2.1:6638"), "no bench file names it"),
        (("--at", "zigbee:tcp://a-box.example:6638"), "no bench file names it"),
        (("--at", "zigbee:tcp://[::ffff"), "no bench file names it"),
        (("--at", "tcp://127.0.0.1:1"), "names no dongle"),
        (("--at", "zigbee:tcp://127.0.0.1:1", "--hub", "mistyped"), "not an EUI-64"),
        (("--at", "zigbee:tcp://127.0.0.1:1", "--clear", "x"), "without a key"),
        (("--at", "zigbee:tcp://127.0.0.1:1", "--out", "."), "cannot be created"),
    ],
)
def test_what_cannot_be_observed_is_refused_before_a_port_is_opened(
    arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(UsageError) as refused:
        observe(*arguments)
    assert told in " ".join(refused.value.lines())


def test_a_real_dongle_without_a_bench_file_is_told_what_to_write() -> None:
    with pytest.raises(UsageError) as refused:
        observe("--at", "zigbee:/dev/serial/by-id/usb-a-dongle")
    told = " ".join(refused.value.lines())
    assert 'endpoint = "zigbee:/dev/serial/by-id/usb-a-dongle", role = "observer"' in told
    assert refused.value.next_command == "smetsbench bench observe FILE"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "[::1]"])
def test_a_program_of_this_computer_needs_no_bench_file(host: str) -> None:
    with held(Wanted(None, None, f"zigbee:tcp://{host}:1")) as observing:
        assert observing.settings.path == f"tcp://{host}:1"


@pytest.mark.parametrize("option", ["--key", "--install-code"])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(option: str) -> None:
    with pytest.raises(UsageError) as refused:
        observe("--at", "zigbee:tcp://127.0.0.1:1", option, KEY)
    assert KEY not in " ".join(refused.value.lines())


def test_references_lead_to_keys_and_to_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "han.pcapng"
    with CaptureFile(out) as file:
        file.write(poll(0))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A_KEY", KEY)
    monkeypatch.setenv("A_CODE", CODE)
    monkeypatch.setenv("NO_KEY", "short")
    (tmp_path / "keys.toml").write_text(f'[han]\nnetwork = "hex:{KEY}"\n')
    keys = [
        "--key",
        "env:A_KEY",
        "--key",
        "file:keys.toml#han.network",
        "--install-code",
        "env:A_CODE",
    ]
    told = document("--read", str(out), *keys)
    assert told["capture"]["deciphered"] == {"opened": 0, "shut": 0, "sealed": 0}
    for wrong in (
        ["--key", "env:NO_KEY"],
        ["--install-code", "env:A_KEY"],
        ["--key", "env:NOTHING"],
    ):
        with pytest.raises(SecretMissingError) as refused:
            observe("--read", str(out), *wrong)
        words = " ".join(refused.value.lines())
        assert KEY not in words
        assert "short" not in words


def test_a_capture_is_read_again_without_a_dongle(tmp_path: Path) -> None:
    out = tmp_path / "han.pcapng"
    with CaptureFile(out) as file:
        file.write(beacon())
        for number in range(4):
            file.write(poll(number * 30 * SECOND))
        for frame in enciphered(100, pause_at=50):
            file.write(frame)
    code, text = observe("--read", str(out))
    assert code == 0
    assert f"beacon overheard: {HUB}, joining is open" in text
    assert "110 octets *" in text
    assert "nothing was deciphered" in text
    told = document("--read", str(out))
    assert "dongle" not in told
    assert "census" not in told
    assert told["capture"]["transfers"][0]["blocks"] == 100
