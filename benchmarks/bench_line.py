"""What a GET through HDLC on a pty costs: driver and emulator against bare octets and the codecs.

The reference is the round trip of the same octets echoed by a bare pty peer in a child process,
plus what client, link and meter cost by themselves. It is measured in one go, each part paid where
the product pays it: this process makes the request and takes the answer, the bare peer's process
works the answer out, and between the two there is nothing but blocking reads and writes. Driver and
reference are measured by turns, so that a busy machine is busy for both.
"""

import os
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Final

from device_profiles.loader import load_profile
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.core.ids import Eui64
from emulator.devices.smets1 import registry
from emulator.servers.line_parts import Framing as LineFraming
from emulator.servers.line_parts import Transmit
from emulator.servers.meter_line import MeterLine
from harness.dlms import from_profile, obis
from harness.dlms.jobs import AssociateJob, Done, GetJob, Job, Write
from harness.dlms.line import ReaderLine
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, Credentials, Unanswered
from hil.drivers.serial_meter import SerialMeter
from hil.guard_port import Unguarded
from hil.reopen import Reopener
from hil.serial_port import SerialPort

_PROFILE: Final = "smets1-strict"
_START: Final = UtcMs(1_767_603_600_000)
_EUI64: Final = Eui64(bytes.fromhex("0253420300000001"))
_ROUNDS: Final = 41
_GETS: Final = 60
_AIM: Final = 1.3
_PUBLIC: Final = Credentials("public", 16)
_JOB: Final = GetJob((obis.SERIAL_NUMBER,))
_READ_BYTES: Final = 4096


def _meter() -> MeterLine:
    """Return the emulated meter at the end of an optical line, switched on."""
    profile = load_profile(_PROFILE)
    device = registry.build(profile.device_type, _EUI64, profile, 1, _START)
    device.handle(DeviceEvent.POWER_ON, None, _START)
    line = MeterLine(device, "pty", framing=LineFraming.OPTICAL)
    line.begin(_START)
    return line


def _answer(meter: MeterLine, octets: bytes) -> bytes:
    outputs = meter.receive(octets, _START)
    return b"".join(item.octets for item in outputs if isinstance(item, Transmit))


def peer(echoes: str) -> None:
    """Be the bare peer until killed: blocking reads and writes, and nothing else.

    Args:
        echoes: ``meter``: what comes is answered by the meter; else octets in hex that answer
            everything.
    """
    master, slave = os.openpty()
    tty.setraw(slave)
    meter = _meter() if echoes == "meter" else None
    canned = b"" if meter is not None else bytes.fromhex(echoes)
    print(os.ttyname(slave), flush=True)
    while True:
        octets = os.read(master, _READ_BYTES)
        os.write(master, canned if meter is None else _answer(meter, octets))


@contextmanager
def _child(*words: str) -> Iterator[str]:
    """Run a program at the other end of a pty; give the path of this end."""
    command = [sys.executable, *words]
    process = subprocess.Popen(  # noqa: S603 - our own command line
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        line = process.stdout.readline().strip() if process.stdout is not None else ""
        if not line:
            raise SystemExit(f"{' '.join(words[:4])} said no address")
        yield line.removeprefix("pty://")
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


class Bare:
    """Our client on a pty without the driver: blocking reads and writes, and nothing else.

    Attributes:
        crossed: Octets of the last round trip.
    """

    def __init__(self, path: str, settings: LineSettings) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._fd)
        self._reader = ReaderLine(settings, Chance(1).stream("client").octets)
        self.crossed = (b"", b"")

    def do(self, job: Job) -> object:
        """Do a job that ends."""
        outputs = self._reader.begin(job, _now_ms())
        while True:
            for output in outputs:
                if isinstance(output, Done):
                    return output.value
                if isinstance(output, Write):
                    os.write(self._fd, output.octets)
                    asked = output.octets
            answer = os.read(self._fd, _READ_BYTES)
            self.crossed = asked, answer
            outputs = self._reader.receive(answer, _now_ms())

    def echo(self, octets: bytes) -> None:
        """Write octets, and read whatever comes."""
        os.write(self._fd, octets)
        os.read(self._fd, _READ_BYTES)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _through_driver(path: str, settings: LineSettings) -> Callable[[], None]:
    """Return one GET through the driver, associated."""
    reopener = Reopener(path, lambda: SerialPort.open(path), 0, lambda _line: None)
    draw = Chance(1).stream("client").octets
    port = SerialPort.open(path)
    meter = SerialMeter(port, settings, guard=Unguarded(), reopener=reopener, draw=draw)
    joined = meter.associate(_PUBLIC)
    if not joined.accepted:
        raise SystemExit(f"the emulated meter does not associate: {joined.why}")

    def get() -> None:
        if isinstance(meter.get(_JOB.attributes), Unanswered):
            raise SystemExit("the emulated meter does not answer")

    return get


def _each_us(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(_GETS):
        act()
    return (time.perf_counter() - begun) / _GETS * 1e6


def _by_turns(acts: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return how long each act took, round by round; what happens once has happened before."""
    for act in acts.values():
        _each_us(act)
    times: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(_ROUNDS):
        for name, act in acts.items():
            times[name].append(_each_us(act))
    return times


def main() -> None:
    """Print the claim."""
    section = load_profile(_PROFILE).dlms
    if section is None:
        raise SystemExit(f"profile {_PROFILE} has no line")
    settings = from_profile.line_settings(section, Framing.HDLC)
    emulate = ("-m", "harness.cli.main", "emulate", "esme", "--profile", _PROFILE)
    this = str(Path(__file__))
    with _child(*emulate, "--listen", "pty", "--quiet") as served, _child(this, "meter") as path:
        bare = Bare(path, settings)
        joined = bare.do(AssociateJob(_PUBLIC))
        if not isinstance(joined, Association) or not joined.accepted:
            raise SystemExit("the bare meter does not associate")
        bare.do(_JOB)
        request, answer = bare.crossed
        with _child(this, answer.hex()) as echoing:
            echo = Bare(echoing, settings)
            times = _by_turns(
                {
                    "get": _through_driver(served, settings),
                    "reference": lambda: bare.do(_JOB),
                    "echo": lambda: echo.echo(request),
                }
            )
    get, reference, alone = (median(times[name]) for name in ("get", "reference", "echo"))
    ratio = median(a / b for a, b in zip(times["get"], times["reference"], strict=True))
    sizes = f"{len(request)} octets and {len(answer)} back"
    print("claim | value | unit | reference | ratio")
    print(
        f"GET through HDLC on a pty, {sizes} | {get:.0f} | us | bare pty peer and codecs"
        f" {reference:.0f} us (the echo alone {alone:.0f}) | {ratio:.2f}"
    )
    if ratio > _AIM:
        raise SystemExit(f"{ratio:.2f} times the reference, {_AIM} is the aim")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        peer(sys.argv[1])
    else:
        main()
