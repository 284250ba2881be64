"""The command: says where it is, serves, and ends when it is told to."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from harness.cli.main import build_app
from harness.errors import UsageError

COMMAND = [sys.executable, "-m", "harness.cli.main", "serve"]


@pytest.mark.soak
def test_it_says_its_address_first_and_ends_by_sigterm(runs: Path) -> None:
    words = [*COMMAND, str(runs), "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads("".join(process.stdout.readline() for _line in range(5)))
        with urllib.request.urlopen(f"{told['http']}/runs.json", timeout=40) as answer:  # noqa: S310 -- our own address
            assert json.load(answer)["total"] == told["runs"] == 4
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nowhere"], "there is no such folder of runs"),
        ([".", "--listen", "0.0.0.0:0"], "it leads beyond this machine"),
        ([".", "--listen", "127.0.0.1"], "it is not HOST:PORT"),
        ([".", "--listen", "127.0.0.1:99999"], "it is not HOST:PORT"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_reason(words: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        build_app("serve")(["serve", *words], standalone_mode=False)
