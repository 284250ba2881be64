"""Lines to test ports against: a pty whose other end the test holds, and a tap that remembers."""

import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulator.codecs.rfc2217_server import (
    Configure,
    Output,
    PortSettings,
    SerialServer,
    ToPort,
    Write,
)
from hil.tap import Fields

#: "At once", however slow the machine: always far less than the wait it is told from.
SOON_S = 20.0


class Pty:
    """A pty; the test is the device. Closing the device end is what unplugging looks like."""

    def __init__(self) -> None:
        self.device, ours = os.openpty()
        tty.setraw(ours)
        self.path = os.ttyname(ours)
        self._ours: int | None = ours
        self.plugged = True

    def let_go(self) -> None:
        """Close our own handle of the port's end, as a device that goes away does."""
        if self._ours is not None:
            os.close(self._ours)
            self._ours = None

    def say(self, octets: bytes) -> None:
        os.write(self.device, octets)

    def say_there(self, octets: bytes) -> None:
        """Say it, and return when it has reached the port's end; nobody may be reading there."""
        self.say(octets)
        assert self._ours is not None
        assert select.select([self._ours], [], [], SOON_S)[0]

    def heard(self, count: int, timeout_s: float = SOON_S) -> bytes:
        """Return ``count`` octets the port sent."""
        kept = b""
        until = time.monotonic() + timeout_s
        while len(kept) < count and time.monotonic() < until:
            if select.select([self.device], [], [], 0.05)[0]:
                kept += os.read(self.device, 4096)
        return kept

    def unplug(self) -> None:
        if self.plugged:
            self.plugged = False
            self.let_go()
            os.close(self.device)

    def close(self) -> None:
        self.unplug()


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one TCP connection after the other in a thread; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def run() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(30)
                    serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            thread.join()


class TerminalServer:
    """A terminal server on our own codec; what goes to its serial line comes back."""

    def __init__(
        self, *, hang_up_on: bytes = b"\0never\0", baud_rates: frozenset[int] | None = None
    ) -> None:
        self.settings = PortSettings()
        self._hang_up_on = hang_up_on
        self._baud_rates = baud_rates

    def serve(self, connection: socket.socket) -> None:
        server = SerialServer(baud_rates=self._baud_rates)
        self._perform(server, server.open(), connection)
        while True:
            try:
                octets = connection.recv(4096)
            except OSError:
                return
            if not octets or self._hang_up_on in octets:
                return
            self._perform(server, server.receive(octets), connection)

    def answer(self, octets_to_port: bytes) -> bytes:
        """What the serial line says to what was sent to it: an echo."""
        return octets_to_port

    def _perform(self, server: SerialServer, outputs: list[Output], line: socket.socket) -> None:
        for output in outputs:
            if isinstance(output, Write):
                line.sendall(output.octets)
            elif isinstance(output, ToPort):
                self._perform(server, server.from_port(self.answer(output.octets)), line)
            elif isinstance(output, Configure):
                self.settings = output.settings


class Notebook:
    """A tap that remembers."""

    def __init__(self) -> None:
        self.chunks: list[tuple[str, bytes]] = []
        self.events: list[tuple[str, dict[str, str | int]]] = []
        self.times: list[int] = []

    def chunk(self, direction: str, octets: bytes, at_ns: int) -> None:
        self.chunks.append((direction, octets))
        self.times.append(at_ns)

    def event(self, kind: str, fields: Fields, at_ns: int) -> None:
        self.events.append((kind, dict(fields)))
        self.times.append(at_ns)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]
