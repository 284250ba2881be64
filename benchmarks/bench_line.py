"""What a GET through HDLC on a pty costs: driver and emulator against bare octets and the codecs.

The reference is the round trip of the same octets echoed by a bare pty peer in a child process,
plus what client, link machines and meter cost by themselves. Both are paid in one go: the client
makes its request, the bare peer is waited for, then the meter (in this process) and the client take
what came. Driver and reference are measured by turns, and the least of many short rounds counts.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

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

_PROFILE = "smets1-strict"
_START = UtcMs(1_767_603_600_000)
#: Least of so many rounds, each of so many GETs: a busy machine disturbs most of them.
_ROUNDS = 60
_GETS = 40
_AIM = 1.3
_PUBLIC = Credentials("public", 16)
_JOB = GetJob((obis.SERIAL_NUMBER,))


def _nothing() -> None:
    """Nothing lies between."""


class Beside:
    """Client and meter in this process; every octet crosses at once.

    Attributes:
        crossed: Octets of the last round trip.
        between: Called where the line would be.
    """

    def __init__(self, settings: LineSettings) -> None:
        device = registry.build(
            (profile := load_profile(_PROFILE)).device_type, Eui64(bytes(8)), profile, 1, _START
        )
        device.handle(DeviceEvent.POWER_ON, None, _START)
        self._meter = MeterLine(device, "pty", framing=LineFraming.OPTICAL)
        self._meter.begin(_START)
        self._reader = ReaderLine(settings, Chance(1).stream("client").octets)
        self.crossed: tuple[bytes, bytes] = (b"", b"")
        self.between: Callable[[], None] = _nothing

    def do(self, job: Job) -> object:
        """Do a job."""
        outputs = self._reader.begin(job, _START)
        while True:
            following = []
            for output in outputs:
                if isinstance(output, Done):
                    return output.value
                if isinstance(output, Write):
                    self.between()
                    answer = b"".join(
                        item.octets
                        for item in self._meter.receive(output.octets, _START)
                        if isinstance(item, Transmit)
                    )
                    self.crossed = output.octets, answer
                    following += self._reader.receive(answer, _START)
            outputs = following


@dataclass
class Child:
    """A program at the other end of a pty."""

    process: "subprocess.Popen[str]"
    path: str

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()


def _started(words: list[str]) -> Child:
    process = subprocess.Popen(  # noqa: S603 - our own command line
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None  # noqa: S101 - asked for above
    line = process.stdout.readline().strip()
    if not line:
        process.wait()
        raise SystemExit(f"{' '.join(words[:4])} said no address")
    return Child(process, line.removeprefix("pty://"))


def echo(request_bytes: int, answer: bytes) -> None:
    """Be the bare peer: for every ``request_bytes`` octets write the same answer."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    while True:
        left = request_bytes
        while left:
            left -= len(os.read(master, left))
        os.write(master, answer)


def _bare(path: str, request: bytes, answer_bytes: int) -> Callable[[], None]:
    """Return one round trip with the bare peer."""
    slave = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(slave)

    def trip() -> None:
        os.write(slave, request)
        left = answer_bytes
        while left:
            select.select([slave], [], [])
            left -= len(os.read(slave, left))

    return trip


def _through_driver(path: str, settings: LineSettings) -> Callable[[], None]:
    """Return one GET through the driver, associated."""
    reopener = Reopener(path, lambda: SerialPort.open(path), 0, lambda _line: None)
    meter = SerialMeter(
        SerialPort.open(path),
        settings,
        guard=Unguarded(),
        reopener=reopener,
        draw=Chance(1).stream("client").octets,
    )
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


def main() -> None:
    """Print the claim."""
    section = load_profile(_PROFILE).dlms
    if section is None:
        raise SystemExit(f"profile {_PROFILE} has no line")
    settings = from_profile.line_settings(section, Framing.HDLC)
    beside = Beside(settings)
    joined = beside.do(AssociateJob(_PUBLIC))
    if not isinstance(joined, Association) or not joined.accepted:
        raise SystemExit("client and meter do not associate beside each other")
    beside.do(_JOB)
    request, answer = beside.crossed
    command = [sys.executable, "-m", "harness.cli.main", "emulate", "esme", "--profile", _PROFILE]
    meter = _started([*command, "--listen", "pty", "--quiet"])
    peer = _started([sys.executable, __file__, "echo", str(len(request)), answer.hex()])
    try:
        bare = _bare(peer.path, request, len(answer))
        beside.between = bare
        acts = {
            "get": _through_driver(meter.path, settings),
            "reference": lambda: beside.do(_JOB),
            "bare": bare,
        }
        for act in acts.values():
            _each_us(act)  # all that happens once has happened
        times: dict[str, list[float]] = {name: [] for name in acts}
        for _ in range(_ROUNDS):
            for name, act in acts.items():
                times[name].append(_each_us(act))
    finally:
        meter.stop()
        peer.stop()
    get, reference, alone = (min(times[name]) for name in acts)
    ratio = get / reference
    print("claim | value | unit | reference | ratio")
    print(
        f"GET through HDLC on a pty, {len(request)} octets and {len(answer)} back | {get:.0f} | us |"
        f" bare pty echo with client, link and meter beside it {reference:.0f} us"
        f" (echo alone {alone:.0f}) | {ratio:.2f}"
    )
    if ratio > _AIM:
        raise SystemExit(f"{ratio:.2f} times the reference, {_AIM} is the aim")


if __name__ == "__main__":
    if sys.argv[1:2] == ["echo"]:
        echo(int(sys.argv[2]), bytes.fromhex(sys.argv[3]))
    else:
        main()
