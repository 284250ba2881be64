"""An image over a line of 9,600 baud: how near a transfer comes to what the line itself allows.

The limit is the time of all octets that crossed the line, both ways, at ten bits an octet. A part
of an image is transferred in real time, through a pty of an emulator in a process of its own, that
paces its octets; the whole of 256 KiB in virtual time.
"""

import os
import select
import subprocess
import sys
import time
from abc import ABC, abstractmethod

from device_profiles.loader import load_profile
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from emulator.devices.smets1 import registry
from emulator.runtime.line_world import LineWorld
from emulator.servers.line_parts import Framing as MeterFraming
from emulator.servers.meter_line import MeterLine
from harness.dlms import from_profile
from harness.dlms.image import ImagePlan
from harness.dlms.jobs import ActionJob, AssociateJob, Done, Job, Output, SignOnJob, Value, Write
from harness.dlms.line import ReaderLine
from harness.dlms.settings import Framing

_BAUD = 9600
_BITS_AN_OCTET = 10
_PART_BYTES, _WHOLE_BYTES = 16 * 1024, 256 * 1024
_BLOCK_BYTES = 200
_AIM = 1.1
_START = UtcMs(1_767_603_600_000)
_EUI64 = Eui64.parse("02-53-42-03-00-00-00-01")
_PROFILE = load_profile("smets1")
_KEYS = factory_keys(1, _EUI64)


class Reader(ABC):
    """Our own client on a line, that counts what crosses it."""

    def __init__(self) -> None:
        section = _PROFILE.dlms
        if section is None:
            raise AssertionError("the profile has no [dlms]")
        settings = from_profile.line_settings(section, Framing.OPTICAL)
        self.line = ReaderLine(settings, Chance(1).stream("client").octets)
        self.crossed = 0
        self._who = from_profile.credentials(section, _KEYS, "management")

    @abstractmethod
    def now_s(self) -> float:
        """Return the present moment."""

    @abstractmethod
    def write(self, octets: bytes) -> None:
        """Put octets on the line."""

    @abstractmethod
    def read(self, until_s: float) -> bytes:
        """Return octets of the meter; none once the moment has come."""

    def transfer(self, size: int) -> tuple[float, float]:
        """Transfer an image; return the seconds it took, and those the line itself needs."""
        self.do(SignOnJob())
        self.do(AssociateJob(self._who))
        plan = ImagePlan(b"bench", bytes(range(256)) * (size // 256), _BLOCK_BYTES)
        began_s, self.crossed = self.now_s(), 0
        for call in (plan.initiate(), *plan.blocks()):
            outcome = self.do(ActionJob(call.method, call.parameters))
            if getattr(outcome, "result", None) != 0:
                raise AssertionError(f"refused: {outcome!r}")
        return self.now_s() - began_s, self.crossed * _BITS_AN_OCTET / _BAUD

    def do(self, job: Job) -> Value:
        """Do one job."""
        outputs: list[Output] = self.line.begin(job, self._now_ms())
        while True:
            for output in outputs:
                if isinstance(output, Done):
                    return output.value
                if isinstance(output, Write):
                    self.crossed += len(output.octets)
                    self.write(output.octets)
            deadline_ms = self.line.deadline_ms or self._now_ms()
            got = self.read(deadline_ms / 1000)
            self.crossed += len(got)
            now_ms = self._now_ms()
            outputs = self.line.receive(got, now_ms) if got else self.line.expire(now_ms + 1)

    def _now_ms(self) -> int:
        return int(self.now_s() * 1000)


class TerminalReader(Reader):
    """In real time, on a pty."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._handle = os.open(path, os.O_RDWR | os.O_NOCTTY)

    def now_s(self) -> float:
        """Return the present moment."""
        return time.monotonic()

    def write(self, octets: bytes) -> None:
        """Put octets on the line."""
        os.write(self._handle, octets)

    def read(self, until_s: float) -> bytes:
        """Return octets of the meter; none once the moment has come."""
        left_s = max(until_s - self.now_s(), 0)
        ready, _, _ = select.select([self._handle], [], [], left_s)
        return os.read(self._handle, 4096) if ready else b""


class VirtualReader(Reader):
    """In virtual time, on a line world."""

    def __init__(self) -> None:
        super().__init__()
        device = registry.build(_PROFILE.device_type, _EUI64, _PROFILE, 1, _START, _KEYS)
        line = MeterLine(device, "optical", framing=MeterFraming.OPTICAL)
        chance = Chance(1)
        self._world = LineWorld(device, line, FaultSchedule((), chance), chance, _START)
        self._world.start()

    def now_s(self) -> float:
        """Return the present moment."""
        return self._world.now_us / 1_000_000

    def write(self, octets: bytes) -> None:
        """Put octets on the line."""
        self._world.send(octets)

    def read(self, until_s: float) -> bytes:
        """Return octets of the meter; none once the moment has come."""
        until_us = round(until_s * 1_000_000)
        while True:
            received = self._world.take_received()
            if received:
                return b"".join(octets for _at_us, octets in received)
            due_us = self._world.next_due()
            if due_us is None or due_us > until_us:
                self._world.run_until(until_us)
                return b""
            self._world.step()


def _row(claim: str, took_s: float, limit_s: float) -> None:
    ratio = took_s / limit_s
    print(f"{claim} | {took_s:.1f} | s | the line's own limit {limit_s:.1f} s | {ratio:.3f}")
    if ratio > _AIM:
        raise SystemExit(f"{claim}: {ratio:.3f} times the line's own limit, {_AIM} are the aim")


def _in_real_time() -> tuple[float, float]:
    words = [sys.executable, "-m", "harness.cli.main", "emulate", "esme", "--profile", "smets1"]
    words += ["--eui64", str(_EUI64), "--listen", "pty", "--pace", str(_BAUD), "--quiet"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 -- our own command
        if child.stdout is None:
            raise AssertionError("a pipe is missing")
        try:
            return TerminalReader(child.stdout.readline().strip()).transfer(_PART_BYTES)
        finally:
            child.terminate()


def main() -> None:
    """Print the claims."""
    print("claim | value | unit | reference | ratio")
    kib = _WHOLE_BYTES // 1024
    began = time.perf_counter()
    took_s, limit_s = VirtualReader().transfer(_WHOLE_BYTES)
    computed_s = time.perf_counter() - began
    _row(f"{kib} KiB image, HDLC 128, block {_BLOCK_BYTES}, ciphered, 9,600 baud, virtual time",
         took_s, limit_s)  # fmt: skip
    print(f"the same: time it takes to compute | {computed_s:.1f} | s | "
          f"the transfer's own {took_s:.0f} s | {computed_s / took_s:.3f}")  # fmt: skip
    _row(f"{_PART_BYTES // 1024} KiB of an image, the same, paced pty in real time",
         *_in_real_time())  # fmt: skip


if __name__ == "__main__":
    main()
