"""A dongle, a host of ours that talks to it without I/O, and a pseudo-terminal for other hosts."""

import asyncio
import contextlib
import os
import time
import tty
from collections.abc import AsyncIterator, Sequence
from typing import Any

from emulator.codecs.ezsp.ash_actions import Action, Deliver, Write
from emulator.codecs.ezsp.ash_ends import AshHost
from emulator.codecs.ezsp.frames import EzspFrame, Frame, Framing, command
from emulator.codecs.ezsp.identifiers import InitialSecurityBit
from emulator.codecs.ezsp.protocol import codec_of
from emulator.codecs.ezsp.structures import FoundNetwork, InitialSecurityState, NetworkParameters
from emulator.codecs.ezsp.values import StatusOnly, VersionRequest
from emulator.codecs.ezsp.values_network import FormNetwork
from emulator.codecs.ezsp.values_security import InitialSecurity
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.ncp.air import HeardNetwork, QuietAir
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity

DONGLE = Eui64.parse("90-B3-D5-1F-00-00-00-01")
HUB = Eui64.parse("90-B3-D5-1F-00-00-00-02")


NOBODY = Eui64(bytes(8))
SECURITY = InitialSecurity(
    InitialSecurityState(
        int(InitialSecurityBit.HAVE_NETWORK_KEY | InitialSecurityBit.HAVE_PRECONFIGURED_KEY),
        b"ZigBeeAlliance09",
        bytes(range(16)),
        3,
        NOBODY,
    )
)
FORM = FormNetwork(NetworkParameters(DONGLE, 0x1234, 8, 15))


class BusyAir(QuietAir):
    """One hub on channel 15."""

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        if channel != 15:
            return super().networks(channel)
        return (HeardNetwork(FoundNetwork(15, 0x1A62, HUB, True, 2, 0), 200, -50),)

    def energy(self, channel: int) -> int:
        return -40 if channel == 15 else super().energy(channel)


def a_dongle(version: int = 13) -> Dongle:
    """Return a dongle beside a hub, switched on."""
    dongle = Dongle(Ncp(Identity(DONGLE, version), BusyAir(), Stream(1, "dongle")))
    dongle.power_on(0)
    return dongle


class Desk:
    """A host without I/O: asks a dongle and collects its callbacks; its clock jumps."""

    def __init__(self, dongle: Dongle) -> None:
        self.dongle = dongle
        self.now = 0
        self.callbacks: list[EzspFrame] = []
        self._host = AshHost()
        self._codec = codec_of(dongle.ncp.state.identity.ezsp)
        self._answers: list[EzspFrame] = []
        self._sequence = 0

    def connect(self) -> "Desk":
        """Reset the dongle and agree on its version."""
        self._carry(self._host.connect(self.now))
        version = self.dongle.ncp.state.identity.ezsp
        first = EzspFrame(Frame.VERSION, VersionRequest(4), 0, 0, Framing.LEGACY)
        self.exchange(self._codec.encode(first))
        self.ask(Frame.VERSION, VersionRequest(version))
        return self

    def exchange(self, octets: bytes) -> EzspFrame:
        """Send any octets and return the answer."""
        self._carry(self._host.send(octets, self.now))
        return self._answers.pop()

    def ask(self, name: Frame, values: Any) -> Any:
        """Send a command and return the values of its answer."""
        self._sequence = (self._sequence + 1) % 256
        answer = self.exchange(self._codec.encode(command(name, values, self._sequence)))
        assert answer.sequence == self._sequence
        assert answer.name is name, f"{name.value} is answered with {answer}"
        return answer.values

    def wait(self, ms: int) -> None:
        """Let time pass."""
        end = self.now + ms
        while True:
            times = [at for at in (self.dongle.deadline, self._host.deadline) if at is not None]
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            self._carry(self._host.tick(self.now))
            self._take(self.dongle.tick(self.now))
        self.now = end

    def _carry(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Write):
                self._take(self.dongle.receive(action.octets, self.now))

    def _take(self, octets: bytes) -> None:
        later: list[Action] = []
        for action in self._host.receive(octets, self.now):
            if isinstance(action, Deliver):
                frame = self._codec.decode(action.payload)
                (self.callbacks if frame.is_callback else self._answers).append(frame)
            else:
                later.append(action)
        self._carry(later)


def formed(version: int = 13) -> Desk:
    """Return a host whose dongle has formed a network."""
    desk = Desk(a_dongle(version)).connect()
    assert desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY) == StatusOnly()
    assert desk.ask(Frame.FORM_NETWORK, FORM) == StatusOnly()
    return desk


@contextlib.asynccontextmanager
async def on_pty(dongle: Dongle) -> AsyncIterator[str]:
    """Put a dongle behind a pseudo-terminal; give its path."""
    loop = asyncio.get_running_loop()
    master, slave = os.openpty()
    tty.setraw(slave)
    timers: list[asyncio.TimerHandle] = []

    def now() -> int:
        return int(time.monotonic() * 1000)

    def plan() -> None:
        for timer in timers:
            timer.cancel()
        timers.clear()
        if dongle.deadline is not None:
            timers.append(loop.call_later(max(0, dongle.deadline - now()) / 1000, act))

    def act() -> None:
        os.write(master, dongle.tick(now()))
        plan()

    def read() -> None:
        os.write(master, dongle.receive(os.read(master, 4096), now()))
        plan()

    loop.add_reader(master, read)
    try:
        yield os.ttyname(slave)
    finally:
        loop.remove_reader(master)
        for timer in timers:
            timer.cancel()
        os.close(master)
        os.close(slave)
