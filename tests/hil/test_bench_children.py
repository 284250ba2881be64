"""Children: an address or a reason, told what to do, and gone when we are gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import BenchError
from hil.children import Child, ChildFailedError

#: Prints an address, then does what it is told, and ends with its input.
OBEDIENT = """
import sys
print("tcp://127.0.0.1:4059", flush=True)
for line in sys.stdin:
    print("told", line.strip(), file=sys.stderr, flush=True)
print("the input is closed", file=sys.stderr, flush=True)
"""
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("/dev/pts/7", flush=True)
time.sleep(60)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def wait_until(happened: Callable[[], bool], patience_s: float = 30) -> None:
    until = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_first_line_is_the_address_and_orders_arrive() -> None:
    child = Child.start(python(OBEDIENT))
    try:
        assert child.address == "tcp://127.0.0.1:4059"
        child.tell("power-cut 3")
        wait_until(lambda: "told power-cut 3" in child.said)
    finally:
        assert child.stop() == 0
    assert "the input is closed" in child.said
    assert not is_alive(child.pid)
    assert child.stop() == 0  # harmless when repeated


def test_who_has_ended_cannot_be_told_anything() -> None:
    child = Child.start(python(OBEDIENT))
    child.stop()
    with pytest.raises(ChildFailedError, match="ended by itself"):
        child.tell("power-cut 1")


def test_who_ends_before_an_address_says_why() -> None:
    with pytest.raises(ChildFailedError, match="before it said its address") as caught:
        Child.start(python("import sys; sys.exit('no such profile: x')"))
    error = caught.value
    assert isinstance(error, BenchError)
    assert "no such profile: x" in error.cause
    assert error.next_command


def test_who_says_nothing_is_given_up_and_stopped() -> None:
    begun = time.monotonic()
    with pytest.raises(ChildFailedError, match=r"no address within 0\.2 s"):
        Child.start(python("import sys; sys.stdin.read()"), ready_s=0.2)
    assert time.monotonic() - begun < 20


def test_what_cannot_be_started_is_a_bench_fault() -> None:
    with pytest.raises(ChildFailedError, match="does not start it"):
        Child.start(["/no/such/program"])


def test_who_does_not_listen_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.children._END_S", 0.2)
    child = Child.start(python(STUBBORN))
    assert child.stop() == -signal.SIGKILL


PARENT = """
import sys, time
from hil.children import Child
child = Child.start([sys.executable, "-S", "-c", {code!r}])
print(child.pid, flush=True)
{then}
"""


@pytest.mark.parametrize("ending", ["killed", "leaves in order", "falls over"])
def test_children_end_with_us_however_we_end(ending: str) -> None:
    then = {
        "killed": "time.sleep(60)",
        "leaves in order": "",
        "falls over": "raise RuntimeError('oh')",
    }[ending]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(code=OBEDIENT, then=then)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if ending == "killed":
            assert is_alive(child)
            os.kill(parent.pid, signal.SIGKILL)
        parent.wait(30)
        wait_until(lambda: not is_alive(child))


def test_ctrl_c_at_the_terminal_does_not_reach_the_child() -> None:
    child = Child.start(python(OBEDIENT))
    try:
        assert os.getpgid(child.pid) != os.getpgid(0)
    finally:
        child.stop()
