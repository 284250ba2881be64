"""What an observer tells of a firmware transfer it cannot read, against the transfer's own log."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import pytest

from device_profiles.loader import load_profile
from emulator.codecs import ota_file
from firmware_images.recipe import build, load_recipe, made_up_scalar
from hil.zigbee_observation.capture_file import read
from hil.zigbee_observation.transfers import Basis

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]
SMETSBENCH = str(Path(sys.executable).with_name("smetsbench"))
ESME = "02-53-01-00-00-00-00-01"
#: How much faster the home's clock runs than the observer's.
FACTOR = 10
#: What the shipped ESME asks for at a time, octets, and how long it rests in between, seconds.
BLOCK, REST_S = 44, 0.25
#: For slow machines: a program's start, and a whole transfer.
PATIENCE_S = 300
LINE = re.compile(r"(\S+Z) (\S+) (.*)")


def image() -> bytes:
    recipe = load_recipe("demo-esme-2")
    short = recipe.content.model_copy(update={"size_bytes": 8_000})
    recipe = recipe.model_copy(update={"content": short})
    return ota_file.encode(build(recipe, load_profile(recipe.image.profile, ()), made_up_scalar()))


def noted(log: Path, state: str) -> float | None:
    """Return when the device noted a state of its download, seconds of its own clock."""
    for line in log.read_text().splitlines():
        found = LINE.match(line)
        if found and found[2] == "ota_state" and f"who=esme state={state} " in line:
            return datetime.fromisoformat(found[1]).timestamp()
    return None


def wait_for(happened: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@contextmanager
def started(
    place: Path, *words: str, errors: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a program of ours in a folder; it does not outlive the test."""
    with subprocess.Popen(
        [SMETSBENCH, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        cwd=place,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def heard_during(to_dongle: IO[str], address: str, out: Path, log: Path, file: Path) -> Any:
    """Observe while the hub serves an image; return what was heard, and why it may be in part."""
    words = ["--at", f"zigbee:{address}", "--channel", "15", "--listen-only", "--json"]
    with started(out.parent, "bench", "observe", *words, "--out", str(out)) as observer:
        wait_for(lambda: out.exists() and any(True for _ in read(out)), "nothing was heard")
        to_dongle.write(f"image {file} {ESME}\n")
        to_dongle.flush()
        wait_for(lambda: noted(log, "COMPLETE_UNVERIFIED"), "the image was not served")
        observer.send_signal(signal.SIGINT)
        told, _ = observer.communicate(timeout=PATIENCE_S)
    return json.loads(told)["capture"]["transfers"]


def test_a_sealed_transfer_on_the_air_is_told_as_its_own_log_tells_it(tmp_path: Path) -> None:
    file, out, log = tmp_path / "image.ota", tmp_path / "han.pcapng", tmp_path / "log"
    octets = image()
    file.write_bytes(octets)
    words = ["--listen", "tcp://127.0.0.1:0", "--hub", "emulated", "--as", "nobody", "--verbose"]
    words += ["--until-stdin-closes", "--clock-factor", str(FACTOR)]
    with log.open("w") as errors, started(tmp_path, "dongle", *words, errors=errors) as dongle:
        assert dongle.stdin is not None
        assert dongle.stdout is not None
        address = dongle.stdout.readline().strip()
        transfers = heard_during(dongle.stdin, address, out, log, file)
        dongle.stdin.close()
        assert dongle.wait(PATIENCE_S) == 0

    (seen,) = transfers
    began, ended = noted(log, "DOWNLOADING"), noted(log, "COMPLETE_UNVERIFIED")
    assert began is not None
    assert ended is not None
    assert (seen["sender"], seen["basis"]) == ("0x0000", Basis.SIZES.value)
    # The last block is shorter: by sizes alone it is no block.
    assert seen["blocks"] in {len(octets) // BLOCK, -(-len(octets) // BLOCK)}
    assert seen["repeats"] == 0
    assert seen["octets"] is None
    lasted_s = (ended - began) / FACTOR
    assert seen["seconds"] == pytest.approx(lasted_s, rel=0.1)
    assert seen["cadence"]["median_s"] * FACTOR >= REST_S * 0.8
    assert seen["cadence"]["median_s"] == pytest.approx(lasted_s / seen["blocks"], rel=0.25)
