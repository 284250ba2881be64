"""``smetsbench replay --as device`` as a program."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from tests.harness.recorded import CLOCK, Recorded, save

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.soak
def test_a_mismatch_ends_the_play_with_1_and_is_named(tmp_path: Path) -> None:
    told = Recorded(framing=Framing.WRAPPER)
    told.read("public", CLOCK)
    save(tmp_path / "one", told.transcript())
    words = ["replay", str(tmp_path / "one"), "--as", "device", "--listen", "wrapper://127.0.0.1:0"]
    with subprocess.Popen(
        [sys.executable, "-m", "harness.cli.main", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    ) as playing:
        assert playing.stdout is not None
        assert playing.stderr is not None
        host, port = playing.stdout.readline().strip().removeprefix("wrapper://").split(":")
        with socket.create_connection((host, int(port)), 50) as line:
            first = next(one for one in told.transcript().chunks() if one.way is Way.IN)
            line.sendall(first.octets)
            assert line.recv(4096)[:2] == b"\x00\x01"
            line.sendall(bytes.fromhex("0001001000010003c001c1"))
            assert playing.stderr.readline().startswith("mismatch: request 2: recorded GET Clock")
        playing.send_signal(signal.SIGTERM)
        said = playing.stderr.read()
        assert playing.wait(50) == 1
    assert "1 mismatches; 2 recorded requests did not come" in said
