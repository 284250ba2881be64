"""A whole dongle behind a line that loses, damages, doubles and splits what crosses it."""

from collections.abc import Sequence

import pytest

from emulator.codecs.ezsp.ash_actions import Action, Deliver, Write
from emulator.codecs.ezsp.ash_ends import AshHost
from emulator.codecs.ezsp.frames import EzspFrame, Frame, Framing, command
from emulator.codecs.ezsp.protocol import codec_of
from emulator.codecs.ezsp.values import Octets, VersionRequest
from emulator.core.chance import Stream
from emulator.ncp.core import Said
from tests.emulator.ncp.ncp_given import a_dongle

FAULT_SHARE = 0.05
NOISE = bytes((0x11, 0x13))


class LossyDesk:
    """A host without I/O whose line disturbs one write in twenty, in either direction."""

    def __init__(self, seed: int) -> None:
        self.dongle = a_dongle()
        self.now = 0
        self.answers: list[EzspFrame] = []
        self.faults = 0
        self._host = AshHost()
        self._chance = Stream(seed, "line")
        self._codec = codec_of(13)
        self._clean = True

    def connect(self) -> None:
        """Agree on the version over a clean line; the faults begin afterwards."""
        self._carry(self._host.connect(self.now))
        first = EzspFrame(Frame.VERSION, VersionRequest(4), 0, 0, Framing.LEGACY)
        self._carry(self._host.send(self._codec.encode(first), self.now))
        self.ask(Frame.VERSION, VersionRequest(13), 1)
        self._clean = False
        self.answers.clear()

    def ask(self, name: Frame, values: object, sequence: int) -> None:
        """Send a command and wait for its answer."""
        before = len(self.answers)
        octets = self._codec.encode(command(name, values, sequence))
        self._carry(self._host.send(octets, self.now))
        while len(self.answers) == before:
            times = [at for at in (self.dongle.deadline, self._host.deadline) if at is not None]
            assert times, "nobody will ever repeat anything"
            self.now = max(self.now, min(times))
            self._carry(self._host.tick(self.now))
            self._to_host(self.dongle.tick(self.now))

    def _carry(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Write):
                for part in self._line(action.octets):
                    self._to_host(self.dongle.receive(part, self.now))
            elif isinstance(action, Deliver):
                self.answers.append(self._codec.decode(action.payload))

    def _to_host(self, octets: bytes) -> None:
        if octets:
            for part in self._line(octets):
                self._carry(self._host.receive(part, self.now))

    def _line(self, octets: bytes) -> list[bytes]:
        if self._clean or not self._chance.happens(FAULT_SHARE):
            return [octets]
        self.faults += 1
        place = self._chance.below(len(octets))
        flipped = octets[place] ^ 1 << self._chance.below(8)
        damaged = octets[:place] + bytes((flipped,)) + octets[place + 1 :]
        kinds: tuple[list[bytes], ...] = (
            [],
            [damaged],
            [octets, octets],
            [octets[:place]],
            [octets[:place], octets[place:]],
            [octets[:place] + NOISE + octets[place:]],
        )
        return [part for part in kinds[self._chance.below(len(kinds))] if part]


@pytest.mark.parametrize(
    "commands", [500, pytest.param(10_000, marks=pytest.mark.soak)], ids=["few", "many"]
)
def test_no_command_is_lost_and_none_is_carried_out_twice(
    commands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = LossyDesk(3)
    carried: list[bytes] = []
    handle = desk.dongle.ncp.handle
    desk.connect()

    def counted(octets: bytes, now: int) -> list[Said]:
        carried.append(octets)
        return handle(octets, now)

    monkeypatch.setattr(desk.dongle.ncp, "handle", counted)
    for number in range(commands):
        desk.ask(Frame.ECHO, Octets(number.to_bytes(3, "big") * 3), number % 256)
    told = [frame.values.octets for frame in desk.answers]
    assert told == [number.to_bytes(3, "big") * 3 for number in range(commands)]
    assert len(carried) == len(set(carried)) == commands
    assert desk.faults > commands // 15
