"""Emulators in processes of their own: started by our own command line, stopped with us."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Self

import harness
from harness.errors import BenchError

#: How long an emulator may take from its start to the first line it prints.
READY_S: Final = 30.0
#: How long it may take to end after it was told to, each of two times.
_END_S: Final = 5.0
_KEPT_LINES: Final = 40


class ChildFailedError(BenchError):
    """An emulator did not start, or ended by itself."""


class Child:
    """A program that prints its address on its first line and lives until its input closes.

    However this process ends, the system closes the pipe, and the child stops: it is started with
    ``--until-stdin-closes``. It is in a session of its own, so that Ctrl-C at a terminal reaches
    us alone and the scenario can end in order.

    Attributes:
        address: What it printed.
    """

    def __init__(self, words: Sequence[str]) -> None:
        """Start a program and read nothing of it yet; people call ``start``.

        Raises:
            ChildFailedError: The system does not start it.
        """
        self.address = ""
        self._words = tuple(words)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, as a list
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise self._failed(f"the system does not start it: {error.strerror}") from error
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._threads = (
            threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._keep, args=(self._process.stderr,), daemon=True),
        )
        for thread in self._threads:
            thread.start()

    @classmethod
    def start(cls, words: Sequence[str], *, ready_s: float = READY_S) -> Self:
        """Start a program and wait for its address.

        Args:
            words: The whole command.
            ready_s: How long it may take.

        Raises:
            ChildFailedError: It does not start, ends, or says nothing in time.
        """
        child = cls(words)
        try:
            line = child._lines.get(timeout=ready_s)
        except queue.Empty:
            child.stop()
            raise child._failed(f"it said no address within {ready_s:g} s") from None
        child.address = line.decode("utf-8", "replace").strip()
        if not child.address:
            child.stop()
            raise child._failed("it ended before it said its address")
        return child

    @classmethod
    def emulate(cls, words: Sequence[str]) -> Self:
        """Start ``smetsbench emulate`` with these words, to live as long as this process.

        Raises:
            ChildFailedError: As for ``start``.
        """
        ours = [sys.executable, "-m", "harness.cli.main", "emulate"]
        return cls.start([*ours, *words, "--until-stdin-closes"])

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def said(self) -> tuple[str, ...]:
        """The last lines it wrote to standard error."""
        return tuple(self._said)

    def tell(self, line: str) -> None:
        """Hand it one line of control.

        Raises:
            ChildFailedError: It has ended.
        """
        pipe = self._process.stdin
        try:
            if pipe is None or not self.is_running:
                raise BrokenPipeError
            pipe.write(line.encode() + b"\n")
            pipe.flush()
        except (OSError, ValueError):
            raise self._failed("it ended by itself") from None

    def ask(self, line: str, *, answer_s: float = READY_S) -> None:
        """Hand it one line of control, and wait until it says that it has done it.

        Raises:
            ChildFailedError: It has ended, refuses, or says nothing in time.
        """
        self.tell(line)
        try:
            answer = self._lines.get(timeout=answer_s).decode("utf-8", "replace").strip()
        except queue.Empty:
            raise self._failed(f"it did not answer {line!r} within {answer_s:g} s") from None
        if answer != line:
            raise self._failed(f"it answered {line!r} with {answer!r}")

    def stop(self) -> int:
        """Let it end in order, at last by force; returns its exit code. Harmless when repeated."""
        with suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        for signal_number in (None, signal.SIGTERM, signal.SIGKILL):
            if signal_number is not None:
                self._process.send_signal(signal_number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
                break
        for thread in self._threads:
            thread.join(_END_S)
        return self._process.wait()

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._lines.put(line)
        self._lines.put(b"")  # the end: whoever waits for an address waits no longer

    def _keep(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._said.append(line.decode("utf-8", "replace").rstrip())

    def _failed(self, why: str) -> ChildFailedError:
        last = " | ".join(line.strip() for line in getattr(self, "_said", ()))[-600:]
        shown = " ".join(self._words[3:] if self._words[1:2] == ("-m",) else self._words)
        return ChildFailedError(
            f"an emulator failed: {why}",
            where=f"smetsbench {shown}",
            cause=last or "a profile, a fault or a seed that it cannot use",
            next_command=f"smetsbench {shown}",
        )


def _environment() -> dict[str, str]:
    """Return our environment, with the place this program was loaded from first in the path."""
    root = str(Path(harness.__file__).resolve().parents[1])
    paths = [root, *_split(os.environ.get("PYTHONPATH", ""))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "NO_COLOR": "1"}


def _split(path: str) -> Iterator[str]:
    yield from (part for part in path.split(os.pathsep) if part)
