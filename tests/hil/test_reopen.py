import threading
import time
from collections.abc import Callable

import pytest

from hil import reopen
from hil.errors import PortAddressError, PortLostError, PortMissingError, port_error
from hil.reopen import Cancelled, Reopener
from hil.serial_port import SerialPort
from tests.hil.lines import SOON_S


class Attempts:
    """An opener that fails so often, then opens a loop."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.made: list[float] = []

    def __call__(self) -> SerialPort:
        self.made.append(time.monotonic())
        if len(self.made) <= self.failures:
            raise port_error(PortMissingError, "/dev/head")
        return SerialPort.open("loop://")


class Waits(threading.Event):
    """Remembers how long it was waited for, and lets nobody wait."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.asked.append(timeout)
        return False


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reopen, "FIRST_PAUSE_S", 0.02)


def test_a_port_that_is_there_opens_at_the_first_try() -> None:
    said: list[str] = []
    attempts = Attempts(0)
    Reopener("head", attempts, 10, said.append).reopen().close()
    assert len(attempts.made) == 1
    assert said == ["head: open"]


def test_pauses_double_from_try_to_try() -> None:
    said: list[str] = []
    waits = Waits()
    Reopener("head", Attempts(4), SOON_S, said.append).reopen(waits).close()
    assert waits.asked == [0.02, 0.04, 0.08, 0.16]
    assert len(said) == 5
    assert "/dev/head is not there" in said[0]


def test_a_port_that_stays_away_is_lost_when_the_time_is_up() -> None:
    attempts = Attempts(1000)
    begun = time.monotonic()
    with pytest.raises(PortLostError, match="did not come back") as lost:
        Reopener("head", attempts, 0.15, lambda _line: None).reopen()
    assert 0.15 <= time.monotonic() - begun < SOON_S
    assert attempts.made[-1] - begun >= 0.15  # a last try at the very end
    assert lost.value.next_command
    assert isinstance(lost.value.__cause__, PortMissingError)


def test_no_time_at_all_still_tries_once() -> None:
    with pytest.raises(PortLostError, match="1 tries"):
        Reopener("head", Attempts(9), 0, lambda _line: None).reopen()


def test_a_wrong_address_is_not_tried_again() -> None:
    tries: list[int] = []

    def wrong() -> SerialPort:
        tries.append(1)
        return SerialPort.open("nonsense")

    with pytest.raises(PortAddressError):
        Reopener("head", wrong, 10, lambda _line: None).reopen()
    assert tries == [1]


def test_the_waiting_ends_at_once_when_it_is_told_to() -> None:
    stop = threading.Event()
    stopper: Callable[[], None] = stop.set
    timer = threading.Timer(0.05, stopper)
    timer.start()
    begun = time.monotonic()
    reopener = Reopener("head", Attempts(1000), 2 * SOON_S, lambda _line: None)
    with pytest.raises(Cancelled):
        reopener.reopen(stop)
    assert time.monotonic() - begun < SOON_S
    timer.join()
