"""``smetsbench emulate`` as the program it is: addresses, signals, memory, refusals, secrets."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from device_profiles.loader import load_profile
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from emulator.servers.state_file import Owner, StateFile
from harness.cli.main import build_app
from harness.dlms import obis
from harness.dlms.image import ImagePlan, attribute
from harness.dlms.jobs import ActionJob, GetJob
from harness.dlms.settings import Framing
from harness.errors import UsageError
from tests.emulator.servers.reading import LiveReader

EUI64 = Eui64.parse("02-53-42-03-00-00-00-01")
START = "2026-01-05T09:00:00Z"
CLOCK = obis.attribute(8, "0-0:1.0.0.255", 2)
PATIENCE_S = 60.0


class Emulator:
    """The program in a process of its own."""

    def __init__(self, *words: str, places: int = 1) -> None:
        ours = [sys.executable, "-m", "harness.cli.main", "emulate", "esme", "--profile", "smets1"]
        self.process = subprocess.Popen(
            [*ours, "--eui64", str(EUI64), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.addresses = [self.process.stdout.readline().strip() for _place in range(places)]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal; returns exit code, the rest of stdout, and stderr."""
        self.process.send_signal(number)
        rest, told = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, rest, told


@contextmanager
def emulator(*words: str, places: int = 1) -> Iterator[Emulator]:
    started = Emulator(*words, places=places)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def reader() -> LiveReader:
    section = load_profile("smets1").dlms
    assert section is not None
    return LiveReader(section, factory_keys(1, EUI64), Framing.HDLC)


def test_addresses_first_then_nothing_and_a_signal_ends_it_in_order(tmp_path: Path) -> None:
    link, state = tmp_path / "head", tmp_path / "state.json"
    words = ("--listen", f"pty:{link}", "--listen", "tcp://:0", "--state", str(state))
    with emulator(*words, places=2) as running:
        pty, tcp = running.addresses
        assert str(link.readlink()) == pty
        assert tcp.startswith("tcp://127.0.0.1:")
        code, rest, told = running.end(signal.SIGTERM)
    assert (code, rest) == (0, "")
    assert "clients that can connect" in told
    assert "16 public: no authentication" in told
    assert "stand-in" in told
    keys = factory_keys(1, EUI64)
    for secret in (keys.keys.unicast.hex(), keys.secrets["reader"].decode()):
        assert secret not in told
    assert not link.is_symlink()
    assert state.is_file()


def test_interrupt_ends_it_too_and_secrets_are_shown_where_they_are_asked_for() -> None:
    keys = factory_keys(1, EUI64)
    with emulator("--listen", "pty", "--quiet", "--show-secrets") as running:
        code, rest, told = running.end(signal.SIGINT)
    assert (code, rest) == (0, "")
    assert keys.keys.unicast.hex() in told
    assert keys.secrets["reader"].decode() in told
    assert "clients" not in told


@pytest.mark.soak
def test_a_meter_killed_in_a_transfer_has_lost_a_second_at_most(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    words = ("--listen", "tcp://:0", "--state", str(state), "--start", START)
    image = ImagePlan(b"any", bytes(range(200)) * 20, 200)

    async def first(address: str) -> None:
        client = reader()
        assert (await client.open(address, "management")).accepted
        for call in [image.initiate(), *list(image.blocks())[:12]]:
            assert (await client.do(ActionJob(call.method, call.parameters))).result == 0
        client.drop()

    async def second(address: str) -> int:
        client = reader()
        assert (await client.open(address, "management")).accepted
        (missing,) = await client.do(GetJob((attribute(4),)))
        await client.close()
        return int(missing.value)

    with emulator(*words) as running:
        asyncio.run(first(running.addresses[0]))
        time.sleep(2)
        assert running.end(signal.SIGKILL)[0] == -signal.SIGKILL
    with emulator(*words[:4]) as running:
        assert asyncio.run(second(running.addresses[0])) == 12
        assert running.end()[0] == 0


def test_orders_come_by_standard_input_whose_end_is_its_end() -> None:
    async def shown(address: str) -> list[bytes]:
        client = reader()
        assert (await client.open(address, "public")).accepted
        first = await client.do(GetJob((CLOCK,)))
        await asyncio.sleep(0.2)
        second = await client.do(GetJob((CLOCK,)))
        await client.close()
        return [first[0].value, second[0].value]

    words = ("--listen", "tcp://:0", "--start", START, "--clock-factor", "3600")
    with emulator(*words, "--until-stdin-closes") as running:
        first, second = asyncio.run(shown(running.addresses[0]))
        pipe = running.process.stdin
        assert pipe is not None
        pipe.write("power-cut 360\nnonsense\n")
        pipe.flush()
        wanted = ("power on=False", "control_refused line=nonsense", "power on=True")
        told = "".join(_told_until(running, word) for word in wanted)
        pipe.close()
        running.process.stdin = None
        running.process.communicate(timeout=PATIENCE_S)
    assert running.process.returncode == 0
    assert "control_refused line=nonsense" in told
    assert told.index("power on=False") < told.rindex("power on=True")
    assert first[:4] == bytes((2026 >> 8, 2026 & 0xFF, 1, 5))
    minutes = [octets[5] * 60 + octets[6] for octets in (first, second)]
    assert minutes[1] - minutes[0] >= 11


def _told_until(running: Emulator, word: str) -> str:
    """What the program says on its standard error up to the line with a word."""
    assert running.process.stderr is not None
    lines = [""]
    while word not in lines[-1]:
        lines.append(running.process.stderr.readline())
        assert lines[-1], f"it ended without saying {word}: {''.join(lines)}"
    return "".join(lines)


def refusal(*words: str) -> str:
    """Run the command here; returns the lines of its refusal."""
    app = build_app("emulate")
    with pytest.raises((UsageError, typer.Exit)) as caught:
        app(["emulate", *words], standalone_mode=False)
    assert isinstance(caught.value, UsageError)
    assert caught.value.cause or caught.value.next_command
    return "\n".join(caught.value.lines())


ESME = ("esme", "--profile", "smets1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("esme", "--profile", "smets9", "--listen", "pty"), "no device profile of this name"),
        (("esme", "--profile", "demo-esme", "--listen", "pty"), "has no [dlms] section"),
        (("gsme", "--profile", "smets1", "--listen", "pty"), "of another device: ESME"),
        (("kettle", "--profile", "smets1", "--listen", "pty"), "no device that can be served"),
        ((*ESME, "--listen", "tcp://"), "not a place to listen at"),
        ((*ESME, "--listen", "tcp://0.0.0.0:0"), "every network"),
        ((*ESME, "--listen", "tcp://192.0.2.1:0"), "other machines could reach it"),
        ((*ESME, "--listen", "wrapper://meter.example:0"), "other machines could reach it"),
        (
            (*ESME, "--listen-anywhere", "--listen", "tcp://192.0.2.1:0"),
            "nobody can be listened to there",
        ),
        ((*ESME, "--listen", "pty", "--start", "soon"), "'soon' is no moment"),
        ((*ESME, "--listen", "pty", "--eui64", "12"), "not an EUI-64"),
        ((*ESME, "--listen", "pty", "--fault", "drop@lane"), "no link 'lane'"),
        ((*ESME, "--listen", "pty", "--keys", "/not/there"), "the keys cannot be used"),
        ((*ESME, "--listen", "pty", "--state", "/not/there/x"), "the stored state cannot be used"),
        ((*ESME, "--listen", "pty", "--defect", "none-such"), "can have no defect none-such"),
    ],
)
def test_what_cannot_be_served_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    assert said in refusal(*words)


def test_a_port_in_use_and_a_link_that_is_there_are_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert "in use" in refusal(*ESME, "--listen", f"tcp://127.0.0.1:{port}")
    taken = tmp_path / "mine"
    taken.write_text("mine")
    assert "link cannot be made" in refusal(*ESME, "--listen", f"pty:{taken}")
    assert taken.read_text() == "mine"


def test_the_state_of_another_seed_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    StateFile(state, Owner("smets1", EUI64.hex, 1)).save(UtcMs(0), {})
    words = (*ESME, "--eui64", str(EUI64), "--listen", "pty", "--state", str(state))
    assert "another device: seed is 1" in refusal(*words, "--seed", "2")
    assert state.is_file()
