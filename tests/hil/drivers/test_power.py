import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from emulator.core.ids import Eui64
from harness.ports import Power
from hil.drivers.patterns import PatternError
from hil.drivers.power import Relay, RelayPower, RelaySettings
from hil.errors import LineSilentError, PortLostError, RelayError
from hil.guard_port import MeterIdentity
from hil.reopen import Reopener
from hil.serial_port import SerialPort
from hil.verbs import Verb
from tests.hil.drivers.live_meter import RefusedError, TestGuard
from tests.hil.drivers.talkers import Pieces, Talker
from tests.hil.lines import SOON_S

METER = Eui64.parse("00-DB-12-34-56-78-90-A0")
SETTINGS = RelaySettings("R1=1\r\n", "R1=0\r\n", "R1?\r\n", "R1 is 1", "R1 is 0", 0.01, SOON_S)
BRISK = replace(SETTINGS, reply_s=0.15)  # for boards that say nothing


class Board:
    """A made-up relay board; it can be stuck, mute, or unplugged."""

    def __init__(self) -> None:
        self.on = True
        self.stuck = False
        self.mute = False
        self.switched = threading.Event()
        self.asked = threading.Event()
        self.history: list[tuple[bool, float]] = []
        self.plug()

    def plug(self) -> None:
        self.talker = Talker(self._answer)

    def _answer(self, line: bytes) -> Pieces:
        if line == b"R1?":
            said: Pieces = [b"\xffR1 i", 0.005, b"s %d\r\n" % self.on]
            self.asked.set()
            return [] if self.mute else said
        if not self.stuck:
            self.on = line == b"R1=1"
            self.history.append((self.on, time.monotonic()))
            self.switched.set()
        return []


@contextmanager
def bench(
    settings: RelaySettings = SETTINGS, refused: frozenset[Verb] = frozenset()
) -> Iterator[tuple[Board, Relay, TestGuard, Power]]:
    board = Board()

    def opener() -> SerialPort:
        return SerialPort.open(board.talker.pty.path)

    relay = Relay(opener(), settings, Reopener("the relay", opener, 0.1, lambda _line: None))
    guard = TestGuard(refused)
    try:
        yield board, relay, guard, RelayPower(relay, guard)
    finally:
        relay.close()
        board.talker.end()


def test_a_cycle_takes_the_mains_for_as_long_as_asked() -> None:
    with bench() as (board, _relay, guard, power):
        asyncio.run(power.cycle(METER, 0.1))
        (off, off_at), (on, on_at) = board.history
        assert (off, on) == (False, True)
        assert 0.1 <= on_at - off_at < SOON_S
        assert guard.asked == [(Verb.SUPPLY, None, MeterIdentity(METER))]


def test_a_cycle_that_the_guard_refuses_switches_nothing() -> None:
    with bench(refused=frozenset({Verb.SUPPLY})) as (board, _relay, _guard, power):
        with pytest.raises(RefusedError):
            asyncio.run(power.cycle(METER, 0))
        assert board.history == []


def test_a_relay_is_asked_how_it_stands() -> None:
    with bench() as (board, relay, _guard, _power):
        assert relay.is_on() is True
        relay.switch(on=False)
        assert relay.is_on() is False
        assert not board.on


def test_a_relay_that_does_not_switch_is_told() -> None:
    with bench() as (board, relay, _guard, power):
        board.stuck = True
        with pytest.raises(RelayError, match="told off and says on"):
            relay.switch(on=False)
        with pytest.raises(RelayError, match="told off and says on"):
            asyncio.run(power.cycle(METER, 5))


def test_mains_that_do_not_come_back_are_told_by_device() -> None:
    with bench() as (board, _relay, _guard, power):

        async def scene() -> None:
            cycle = asyncio.ensure_future(power.cycle(METER, 0.5))
            await asyncio.to_thread(board.switched.wait)
            board.stuck = True
            await cycle

        with pytest.raises(RelayError, match=f"the mains of {METER} may still be off") as told:
            asyncio.run(scene())
        assert "by hand" in told.value.next_command


def test_a_mute_relay_is_told_and_switched_on_again() -> None:
    with bench(BRISK) as (board, relay, _guard, power):
        board.mute = True
        with pytest.raises(LineSilentError, match="does not say how it stands"):
            relay.is_on()
        with pytest.raises(RelayError, match="may still be off"):
            asyncio.run(power.cycle(METER, 5))
        assert [on for on, _ in board.history] == [False, True]


def test_a_relay_that_cannot_be_asked_is_believed() -> None:
    with bench(RelaySettings("R1=1\r\n", "R1=0\r\n", settle_s=0.01)) as (board, relay, _, power):
        assert relay.is_on() is None
        asyncio.run(power.cycle(METER, 0.02))
        assert [on for on, _ in board.history] == [False, True]


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.1])
def test_a_cancelled_cycle_gives_the_mains_back(after_s: float) -> None:
    with bench() as (board, _relay, _guard, power):

        async def scene() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(after_s):
                    await power.cycle(METER, 60)

        asyncio.run(scene())
        assert board.on
        assert [on for on, _ in board.history] in ([False, True], [True], [])


def test_two_cycles_take_turns() -> None:
    with bench() as (board, _relay, _guard, power):

        async def scene() -> None:
            await asyncio.gather(power.cycle(METER, 0.02), power.cycle(METER, 0.02))

        asyncio.run(scene())
        assert [on for on, _ in board.history] == [False, True, False, True]


def test_a_relay_unplugged_in_a_cycle_leaves_a_warning() -> None:
    with bench() as (board, _relay, _guard, power):

        def unplug() -> None:
            board.asked.wait(SOON_S)
            board.talker.end()

        pull = threading.Thread(target=unplug)
        pull.start()
        with pytest.raises(RelayError, match="may still be off") as told:
            asyncio.run(power.cycle(METER, 0.5))
        assert isinstance(told.value.__cause__, PortLostError)
        pull.join()


def test_a_relay_plugged_in_again_is_opened_again() -> None:
    with bench() as (board, relay, _guard, _power):
        board.talker.end()
        with pytest.raises(PortLostError):
            relay.switch(on=False)
        board.plug()
        relay.switch(on=False)
        assert not board.on


def test_patterns_of_a_relay_are_checked_at_once() -> None:
    port = SerialPort.open("loop://")
    settings = RelaySettings("1", "0", "?", "(", "0")
    with pytest.raises(PatternError, match="is_on"):
        Relay(port, settings, Reopener("r", lambda: port, 0, lambda _line: None))
    port.close()
