"""Two ends of block transfer over a link that loses, repeats and reorders what it carries."""

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.gbcs.gbt import GbtSettings
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.devices.gbt_end import GbtEnd
from tests.emulator.devices.kit import ESME, START, command
from tests.sampling import examples

SETTINGS = GbtSettings(block_bytes=64, window=3, ack_timeout_ms=1000, retries=60)


def message(octets: int) -> bytes:
    return command(MessageCode.ECS52, ESME, bytes(octets))


def reloaded(end: GbtEnd) -> GbtEnd:
    made = GbtEnd(SETTINGS)
    made.load(end.dump())
    assert made.dump() == end.dump()
    return made


class Line:
    """Two ends, and what is on its way between them; what becomes of each frame is told."""

    def __init__(self, fates: list[str]) -> None:
        self.one, self.other = GbtEnd(SETTINGS), GbtEnd(SETTINGS)
        self.fates = list(fates)
        self.towards: list[bytes] = []
        self.back: list[bytes] = []
        self.arrived: list[bytes] = []
        self.now = START

    def _carried(self, frames: list[bytes]) -> list[bytes]:
        found: list[bytes] = []
        late: list[bytes] = []
        for frame in frames:
            fate = self.fates.pop(0) if self.fates else "as it is"
            if fate == "late":
                late.append(frame)
            elif fate != "lost":
                found += [frame] * (2 if fate == "twice" else 1)
        return [*found, *late]

    def turn(self) -> bool:
        """Carry what is on its way, else let time pass; False where nothing is left to do."""
        if not self.towards and not self.back:
            return self._wait()
        self.one, self.other = reloaded(self.one), reloaded(self.other)
        got, self.towards = self._carried(self.towards), []
        for frame in got:
            taken = self.other.take(frame, self.now)
            self.back += taken.frames
            self.arrived += [] if taken.message is None else [taken.message]
        got, self.back = self._carried(self.back), []
        for frame in got:
            self.towards += self.one.take(frame, self.now).frames
        return True

    def _wait(self) -> bool:
        at = self.one.next_deadline()
        if at is None:
            return False
        self.now = UtcMs(at)
        frames, over = self.one.pass_time(self.now)
        assert not over
        self.towards = list(frames)
        return True


@settings(max_examples=examples(60), deadline=None)
@given(
    size=st.integers(64, 900),
    fates=st.lists(st.sampled_from(["lost", "twice", "late", "as it is"]), max_size=80),
)
def test_a_long_message_arrives_once_and_as_it_was(size: int, fates: list[str]) -> None:
    line, sent = Line(fates), message(size)
    line.towards = list(line.one.send(sent, START))
    assert len(line.towards) > 1
    while line.turn():
        assert line.now < START + 200_000
    assert line.arrived == [sent]


def test_a_short_message_and_what_is_no_message_go_as_they_are() -> None:
    end = GbtEnd(SETTINGS)
    assert end.send(b"short", START) == (b"short",)
    assert end.send(b"\xff" * 500, START) == (b"\xff" * 500,)
    assert end.next_deadline() is None


def test_an_end_gives_up_and_says_so() -> None:
    end = GbtEnd(GbtSettings(block_bytes=64, ack_timeout_ms=1000, retries=2))
    end.send(message(300), START)
    told: list[str] = []
    now = START
    while (at := end.next_deadline()) is not None:
        now = at
        told += end.pass_time(now)[1]
    assert told == ["given_up"]
    assert now == START + 3000


def test_a_damaged_block_is_refused_by_name() -> None:
    end, other = GbtEnd(SETTINGS), GbtEnd(SETTINGS)
    [first, *_] = end.send(message(300), START)
    assert other.take(first + b"\0", START).why
    assert other.take(first[:-1], START).why
    assert other.take(first, START).why == ""
