"""Who works with a device or a bench: one at a time, and everyone can see who."""

import fcntl
import hashlib
import json
import os
import platform
import re
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from emulator.core.clock import UtcMs, iso
from harness.closing import Closing
from hil import wall_clock
from hil.errors import DeviceLockedError, LockUnusableError

_MAX_BYTES: Final = 4096
_TRIES: Final = 4
_PAUSE_S: Final = 0.02
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
#: Every user may lock, and may read who does; nobody may remove another's file.
_FOLDER_MODE: Final = 0o1777
_FILE_MODE: Final = 0o666


@dataclass(frozen=True, slots=True)
class LockOwner:
    """Who holds a lock.

    Attributes:
        operator: Name as the bench file or command gives it.
        pid: Process.
        host: Computer.
        since: When it was taken.
    """

    operator: str
    pid: int
    host: str
    since: UtcMs

    def __str__(self) -> str:
        """Return the owner for people."""
        return f"{self.operator} (process {self.pid} on {self.host}, since {iso(self.since)})"


def folder_of_locks() -> Path:
    """Return where locks lie: one place for all users of this computer."""
    return Path(tempfile.gettempdir()) / "smetsbench-locks"


def port_name(url: str) -> str:
    """Return the name under which a port is locked: one for a device, whatever link leads there."""
    return os.path.realpath(url) if url.startswith("/") else url


class DeviceLock(Closing):
    """A held lock. The system lets go of it when the process ends, however it ends.

    Attributes:
        name: What is locked.
        owner: Who holds it: this process.
        notice: What people should know of how it was come by; empty when there is nothing.
    """

    def __init__(self, name: str, owner: LockOwner, notice: str, fd: int) -> None:
        """Take over a locked file; people call ``acquire``."""
        self.name = name
        self.owner = owner
        self.notice = notice
        self._fd: int | None = fd

    def release(self) -> None:
        """Let go; nothing happens when that was done before."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        os.ftruncate(fd, 0)  # an empty file: released in good order
        os.close(fd)

    close = release


def acquire(name: str, operator: str, folder: Path | None = None) -> DeviceLock:
    """Lock a device or bench for this process.

    The lock itself is the system's (flock); the file's text only says whose it is. So a lock
    whose owner died is free at once, and the text that it left tells whose it was.

    Args:
        name: What is locked: a port's URL, ``bench NAME``.
        operator: Who asks.
        folder: Where locks lie; by default one folder for all users.

    Raises:
        DeviceLockedError: Somebody holds it; says who.
        LockUnusableError: The folder or file of locks cannot be written.
    """
    place = folder if folder is not None else folder_of_locks()
    path = _path(name, place)
    try:
        _make(place)
        fd = _open(path)
    except OSError as error:
        raise LockUnusableError(
            f"the lock of {name} cannot be taken: {error.strerror}",
            where=str(path),
            cause="the folder of locks belongs to somebody else, or something else has its name",
            next_command=f"ls -ld {place}; ls -l {path}",
        ) from error
    if not _taken(fd):
        holding = _read(fd)
        os.close(fd)
        raise _locked(name, holding, path)
    before = _read(fd)
    owner = LockOwner(operator, os.getpid(), platform.node(), wall_clock.now())
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(asdict(owner)).encode() + b"\n", 0)
    notice = "" if before is None else f"{name}: taken over from {before}, which ended without it"
    return DeviceLock(name, owner, notice, fd)


def holder(name: str, folder: Path | None = None) -> LockOwner | None:
    """Return who holds a lock now; None when nobody does. Takes nothing."""
    path = _path(name, folder if folder is not None else folder_of_locks())
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(fd) or LockOwner("somebody", 0, platform.node(), UtcMs(0))
    finally:
        os.close(fd)
    return None


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_FOLDER_MODE)


def _path(name: str, folder: Path) -> Path:
    # Two names that differ only in odd characters must not share a file.
    check = hashlib.sha256(name.encode()).hexdigest()[:8]
    return folder / f"{_PLAIN.sub('_', name).strip('_')[-100:]}.{check}.lock"


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:  # a file of somebody else in a sticky folder opens only without O_CREAT
        return os.open(path, flags)
    except FileNotFoundError:
        fd = os.open(path, flags | os.O_CREAT, _FILE_MODE)
        os.fchmod(fd, _FILE_MODE)
        return fd


def _taken(fd: int) -> bool:
    for _ in range(_TRIES):  # somebody who asks for the holder has it for a moment too
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def _read(fd: int) -> LockOwner | None:
    text = os.pread(fd, _MAX_BYTES, 0)
    try:
        found = json.loads(text)
        return LockOwner(
            str(found["operator"]),
            int(found["pid"]),
            str(found["host"]),
            UtcMs(int(found["since"])),
        )
    except (ValueError, TypeError, KeyError):
        return None


def _locked(name: str, holding: LockOwner | None, path: Path) -> DeviceLockedError:
    who = "somebody who is just beginning" if holding is None else str(holding)
    return DeviceLockedError(
        f"{name} is in use by {who}",
        where=str(path),
        cause="another run, capture or probe works with it",
        next_command="wait for it to end, or ask its operator"
        + ("" if holding is None else f" (ps -p {holding.pid})"),
    )
