"""A bench in memory that keeps the ports' promises: a scripted hub, its time and its power."""

import asyncio
import json
import os
import selectors
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.errors import BenchError
from harness.meter import Credentials
from harness.ports import (
    CapturedFrame,
    HubWan,
    KeypadAnswer,
    MeterPort,
    Observation,
    StageOrder,
    StageOutcome,
)
from harness.run_options import RunOptions

START = UtcMs(1_767_225_600_000)  # 2026-01-01T00:00:00Z
ROLES = {
    "CHF": Eui64.parse("00-DB-12-34-56-78-90-A0"),
    "ESME": Eui64.parse("00-DB-12-34-56-78-90-A1"),
}


class JumpingSelector(selectors.DefaultSelector):
    """Books waiting time instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("deadlock: nothing is ready and no timer is set")
        if not ready and timeout:
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


def new_event_loop() -> asyncio.AbstractEventLoop:
    return JumpingLoop()


class FakeBench:
    """Answers each message after one second with ``ACK:`` before it, ``hang`` never.

    ``broken`` breaks the bench itself; ``garble`` answers with octets nobody can read.
    """

    kind = "fake"

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self.state: dict[str, Any] = {"taken": [], "outbox": [], "cycles": [], "images": []}
        self._base = START
        self._seen: list[Observation] = []
        self._frames: list[CapturedFrame] = []
        self.closed = False
        self.clock = self
        self.hub = self
        self.power = self
        self.eui64 = ROLES["CHF"]

    def now(self) -> UtcMs:
        return UtcMs(self._base + round(asyncio.get_running_loop().time() * 1000))

    async def sleep_until(self, at: UtcMs) -> None:
        if at > self.now():
            await asyncio.sleep((at - self.now()) / 1000)

    async def send(self, message: bytes) -> None:
        if message == b"broken" or message == os.environ.get("FAKE_CABLE_OUT_AT", "").encode():
            raise BenchError("the cable is out", where="port 1", next_command="bench check")
        await asyncio.sleep(0.1)
        self.take(message)

    def take(self, message: bytes) -> None:
        self.state["taken"].append(message.hex())
        self._frame("wan-in", message)
        self._note("taken", message)
        if message != b"hang":
            self.state["outbox"].append([self.now() + 1000, (b"ACK:" + message).hex()])

    async def received(self, until: UtcMs) -> bytes | None:
        if not self.state["outbox"]:
            await self.sleep_until(until)
            return None
        at, message = self.state["outbox"][0]
        await self.sleep_until(min(at, until))
        if self.now() < at:
            return None
        del self.state["outbox"][0]
        self._frame("wan-out", bytes.fromhex(message))
        return bytes.fromhex(message)

    async def stage(self, order: StageOrder) -> StageOutcome:
        await asyncio.sleep(5)
        self.state["images"].append(order.image.hex())
        self._frame("csp-in", order.image)
        return StageOutcome(True, "held", self.now())

    async def has_taken(self, message: bytes) -> bool | None:
        return message.hex() in self.state["taken"] + self.state["images"]

    async def cycle(self, device: Eui64, off_s: float) -> None:
        await asyncio.sleep(off_s)
        self.state["cycles"].append(device.hex)

    def meter(self, role: str, way: str = "line") -> MeterPort:
        raise BenchError(f"this bench has no DLMS {way} to its {role}")

    def credentials(self, role: str, name: str) -> Credentials:
        raise BenchError(f"the {role} of this bench knows no client {name}")

    def hub_wan(self, role: str = "CHF") -> HubWan:
        raise BenchError(f"this bench has no {role} with a SIM")

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        self.state.setdefault("asked", []).append(f"{role} {credentials.name}")
        return None

    def memory(self, role: str) -> Mapping[str, str] | None:
        return {"taken": str(len(self.state["taken"])), "role": role}

    async def disturb(self, order: str) -> None:
        await asyncio.sleep(1)
        self.state.setdefault("orders", []).append(order)

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        del digits
        raise BenchError(f"nobody stands at the {role} of this bench")

    def role(self, device_type: str) -> Eui64:
        if device_type not in ROLES:
            raise BenchError(f"this bench has no {device_type}")
        return ROLES[device_type]

    def take_observations(self) -> Sequence[Observation] | None:
        seen, self._seen = self._seen, []
        return seen

    def take_frames(self) -> Sequence[CapturedFrame]:
        frames, self._frames = self._frames, []
        return frames

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        return {"CHF": {"taken": str(len(self.state["taken"]))}, "ESME": {"version": "00000001"}}

    def dump(self) -> bytes | None:
        return json.dumps({**self.state, "now": self.now()}).encode()

    def restore(self, state: bytes) -> None:
        self.state = json.loads(state)
        loop_ms = round(asyncio.get_running_loop().time() * 1000)
        self._base = UtcMs(self.state.pop("now") - loop_ms)

    async def close(self) -> None:
        self.closed = True

    def _frame(self, link: str, octets: bytes) -> None:
        self._frames.append(CapturedFrame(self.now() * 1000, link, octets))

    def _note(self, kind: str, message: bytes) -> None:
        fields = (("message", message), ("count", len(self.state["taken"])))
        self._seen.append(Observation(self.now(), ROLES["CHF"], kind, fields))


class FakeRealBench(FakeBench):
    """The same over a device that outlives this process: its memory is a file.

    Settings: ``memory`` (the file), ``die_on`` (kill the process right after taking that message),
    ``forgetful`` (cannot tell what it has taken).
    """

    kind = "fake-real"

    def __init__(self, options: RunOptions) -> None:
        super().__init__(options)
        self.device_memory = Path(os.environ["FAKE_DEVICE_MEMORY"])
        if self.device_memory.is_file():
            self.state = json.loads(self.device_memory.read_text())

    def take(self, message: bytes) -> None:
        super().take(message)
        self.device_memory.write_text(json.dumps(self.state))
        if os.environ.get("FAKE_DEVICE_DIES_ON", "").encode() == message:
            os.kill(os.getpid(), signal.SIGKILL)

    async def received(self, until: UtcMs) -> bytes | None:
        message = await super().received(until)
        self.device_memory.write_text(json.dumps(self.state))
        return message

    async def has_taken(self, message: bytes) -> bool | None:
        return None if os.environ.get("FAKE_DEVICE_FORGETS") else await super().has_taken(message)

    def take_observations(self) -> Sequence[Observation] | None:
        return None

    def dump(self) -> bytes | None:
        return None

    def restore(self, state: bytes) -> None:
        raise AssertionError(f"nothing to restore on a real bench ({len(state)} octets)")


def open_bench(options: RunOptions) -> FakeBench:
    if options.settings.get("no_bench"):
        raise BenchError("no bench on this port", where="port 1")
    return FakeBench(options)


async def open_real_bench(options: RunOptions) -> FakeBench:
    return FakeRealBench(options)


BENCHES = {
    "emulated": "tests.harness.fake_bench:open_bench",
    "fake-real": "tests.harness.fake_bench:open_real_bench",
}
