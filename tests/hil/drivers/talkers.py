"""Devices that talk in lines, on a pty: a console, a relay."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.hil.lines import SOON_S, Pty

Pieces = list[bytes | float]


class Talker:
    """Answers each line with pieces: octets to say, or seconds to wait."""

    def __init__(self, answer: Callable[[bytes], Pieces]) -> None:
        self.pty = Pty()
        self.heard: list[bytes] = []
        self._answered = threading.Semaphore(0)
        self._answer = answer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def say(self, *pieces: bytes | float) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                self.pty.say(piece)
            else:
                time.sleep(piece)

    def done(self, lines: int) -> None:
        """Wait until so many lines more were answered."""
        for _line in range(lines):
            assert self._answered.acquire(timeout=SOON_S)

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        self.pty.unplug()

    def _run(self) -> None:
        kept = b""
        while not self._over.is_set():
            if not select.select([self.pty.device], [], [], 0.01)[0]:
                continue
            kept += os.read(self.pty.device, 4096)
            while b"\n" in kept:
                line, _, kept = kept.partition(b"\n")
                self.heard.append(line.rstrip(b"\r"))
                self.say(*self._answer(self.heard[-1]))
                self._answered.release()


@contextmanager
def talking(answer: Callable[[bytes], Pieces]) -> Iterator[Talker]:
    talker = Talker(answer)
    try:
        yield talker
    finally:
        talker.end()
