import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil import locks
from hil.errors import DeviceLockedError, LockUnusableError

HOLD = """
import sys
from pathlib import Path
from hil import locks
lock = locks.acquire(sys.argv[1], "Alice", Path(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def alice(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds a lock."""
    with subprocess.Popen(
        [sys.executable, "-B", "-c", HOLD, "/dev/head", str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_second_opener_is_told_who_holds_it(
    alice: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    with pytest.raises(DeviceLockedError) as refused:
        locks.acquire("/dev/head", "Bob", tmp_path)
    assert "Alice" in refused.value.what
    assert str(alice.pid) in refused.value.what
    assert refused.value.exit_code == 3
    owner = locks.holder("/dev/head", tmp_path)
    assert owner is not None
    assert (owner.operator, owner.pid) == ("Alice", alice.pid)


def test_the_lock_of_a_dead_process_is_taken_over_with_a_notice(
    alice: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    alice.kill()
    alice.wait()
    assert locks.holder("/dev/head", tmp_path) is None
    with locks.acquire("/dev/head", "Bob", tmp_path) as lock:
        assert "Alice" in lock.notice
        assert str(alice.pid) in lock.notice
        owner = locks.holder("/dev/head", tmp_path)
        assert owner == lock.owner
        assert lock.owner.operator == "Bob"


def test_a_lock_released_in_good_order_leaves_no_notice(tmp_path: Path) -> None:
    locks.acquire("bench rig-1", "Alice", tmp_path).release()
    assert locks.holder("bench rig-1", tmp_path) is None
    with locks.acquire("bench rig-1", "Bob", tmp_path) as lock:
        assert lock.notice == ""
        lock.release()
        lock.release()


def test_two_openers_in_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    with locks.acquire("x", "Alice", tmp_path), pytest.raises(DeviceLockedError, match="Alice"):
        locks.acquire("x", "Alice", tmp_path)


def test_different_devices_do_not_hinder_each_other(tmp_path: Path) -> None:
    with locks.acquire("/dev/a", "A", tmp_path), locks.acquire("/dev_a", "B", tmp_path):
        assert locks.holder("/dev/a", tmp_path) != locks.holder("/dev_a", tmp_path)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"operator": 1}', b"\xff\xfe", b"x" * 9999])
def test_a_spoilt_lock_file_hinders_nobody(tmp_path: Path, text: bytes) -> None:
    locks.acquire("x", "Alice", tmp_path).release()
    (file,) = tmp_path.iterdir()
    file.write_bytes(text)
    with locks.acquire("x", "Bob", tmp_path) as lock:
        assert lock.notice == ""
        owner = locks.holder("x", tmp_path)
        assert owner is not None
        assert owner.operator == "Bob"


def test_other_users_may_read_and_take_locks(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    locks.acquire("x", "Alice", folder).release()
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert stat.S_IMODE(file.stat().st_mode) == 0o666


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    locks.acquire("x", "Alice", tmp_path).release()
    (file,) = tmp_path.iterdir()
    file.unlink()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    file.symlink_to(victim)
    with pytest.raises(LockUnusableError, match="cannot be taken") as refused:
        locks.acquire("x", "Bob", tmp_path)
    assert refused.value.exit_code == 3
    assert refused.value.next_command
    assert victim.read_text() == "precious"


def test_a_place_that_cannot_hold_locks_is_told(tmp_path: Path) -> None:
    place = tmp_path / "locks"
    place.write_text("a file")
    with pytest.raises(LockUnusableError):
        locks.acquire("x", "Bob", place)
    with pytest.raises(LockUnusableError):
        locks.acquire("x", "Bob", place / "below")


def test_a_device_has_one_name_whatever_link_leads_to_it(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/null")
    assert locks.port_name(str(link)) == locks.port_name("/dev/null") == "/dev/null"
    assert locks.port_name("tcp://h:1") == "tcp://h:1"


def test_nobody_holds_what_nobody_locked(tmp_path: Path) -> None:
    assert locks.holder("x", tmp_path / "none") is None
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - only its emptiness matters
