"""A scripted meter that lives in a thread at the far end of a real line."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.codecs.dlms.axdr import octets
from emulator.core.ids import Eui64
from harness.dlms.settings import Framing, LineSettings
from hil.drivers.serial_meter import EUI64, SERIAL_NUMBER, SerialMeter
from hil.errors import PortMissingError, port_error
from hil.guard_port import Guard, MeterIdentity, Unguarded
from hil.reopen import Reopener
from hil.serial_port import SerialPort
from hil.verbs import Verb
from tests.harness.dlms.peer import HdlcPeer, OpticalPeer, Peer, WrapperPeer, draws
from tests.harness.dlms.scripted import CLOCK, NAME, ScriptedServer
from tests.hil.lines import Notebook, Pty, TerminalServer, listening

WHO = Eui64.parse("00-DB-12-34-56-78-90-A0")
IDENTITY = MeterIdentity(WHO, "14P1234567")
WAYS = ("pty-hdlc", "pty-optical", "tcp-hdlc", "wrapper", "rfc2217-optical")


class RefusedError(Exception):
    """What the test's guard raises."""


@dataclass
class TestGuard:
    """Remembers what it was asked; refuses what it was told to."""

    __test__ = False
    refused: frozenset[Verb] = frozenset()
    asked: list[tuple[Verb, Descriptor | None, MeterIdentity]] = field(default_factory=list)

    def permit(self, verb: Verb, target: Descriptor | None, identity: MeterIdentity) -> None:
        self.asked.append((verb, target, identity))
        if verb in self.refused:
            raise RefusedError(verb)


def server() -> ScriptedServer:
    return ScriptedServer(
        {
            EUI64.descriptor: octets(WHO.octets),
            SERIAL_NUMBER.descriptor: octets(b"14P1234567"),
            NAME.descriptor: octets(b"SBC0000000000001"),
            CLOCK.descriptor: octets(bytes(12)),
        }
    )


class OnPty:
    """Serves a peer on a pty until it is unplugged; a new line is plugged in by ``plug``."""

    def __init__(self, make: Callable[[], Peer]) -> None:
        self._make = make
        self.mute = False
        self.plug()

    def plug(self) -> None:
        self.pty = Pty()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(self.pty, self._gone))
        self._thread.start()

    def unplug(self) -> None:
        self._gone.set()
        self._thread.join()
        self.pty.unplug()

    def _serve(self, pty: Pty, gone: threading.Event) -> None:
        peer = self._make()
        while not gone.is_set():
            now_ms = time.monotonic_ns() // 1_000_000
            heard = b""
            if select.select([pty.device], [], [], 0.01)[0]:
                heard = os.read(pty.device, 4096)
            answers = peer.hear(heard, now_ms) if heard else peer.expire(now_ms)
            for answer in answers:
                if not self.mute:
                    os.write(pty.device, answer)


def over_tcp(make: Callable[[], Peer]) -> Callable[[socket.socket], None]:
    """Serve one connection after the other, a fresh link on each."""

    def serve(connection: socket.socket) -> None:
        peer = make()
        while True:
            try:
                heard = connection.recv(4096)
            except OSError:
                return
            if not heard:
                return
            for answer in peer.hear(heard, time.monotonic_ns() // 1_000_000):
                connection.sendall(answer)

    return serve


class BehindTerminalServer(TerminalServer):
    """A terminal server with a meter on its serial line."""

    def __init__(self, make: Callable[[], Peer]) -> None:
        super().__init__()
        self._make = make

    def serve(self, connection: socket.socket) -> None:
        self._peer = self._make()
        super().serve(connection)

    def answer(self, octets_to_port: bytes) -> bytes:
        now_ms = time.monotonic_ns() // 1_000_000
        return b"".join(self._peer.hear(octets_to_port, now_ms))


@dataclass
class Rig:
    """A meter under test and everything around it."""

    meter: SerialMeter
    server: ScriptedServer
    tap: Notebook
    said: list[str]
    guard: Guard
    plugged: OnPty | None = None


def _framing(way: str) -> Framing:
    if way == "wrapper":
        return Framing.WRAPPER
    return Framing.OPTICAL if way.endswith("optical") else Framing.HDLC


def settings_of(way: str) -> LineSettings:
    return LineSettings(framing=_framing(way))


def _maker(way: str, application: ScriptedServer) -> Callable[[], Peer]:
    if way == "wrapper":
        return lambda: WrapperPeer(application)
    if way.endswith("optical"):
        return lambda: OpticalPeer(HdlcPeer(application))
    return lambda: HdlcPeer(application)


@contextmanager
def rig(
    way: str,
    *,
    guard: Guard | None = None,
    application: ScriptedServer | None = None,
    reopen_s: float = 0.2,
    settings: LineSettings | None = None,
) -> Iterator[Rig]:
    """A scripted meter reached that way, and the driver on it."""
    spoken = application if application is not None else server()
    make = _maker(way, spoken)
    tap, said = Notebook(), list[str]()
    watch: Guard = guard if guard is not None else Unguarded()

    def driver(opener: Callable[[], SerialPort]) -> SerialMeter:
        return SerialMeter(
            opener(),
            settings or settings_of(way),
            guard=watch,
            reopener=Reopener("the meter", opener, reopen_s, said.append),
            draw=draws(),
        )

    if way.startswith("pty"):
        plugged = OnPty(make)

        def reopened() -> SerialPort:
            if not plugged.pty.plugged:
                raise port_error(PortMissingError, plugged.pty.path)
            return SerialPort.open(plugged.pty.path, 300 if "optical" in way else 9600, tap=tap)

        meter = driver(reopened)
        try:
            yield Rig(meter, spoken, tap, said, watch, plugged)
        finally:
            meter.close()
            plugged.unplug()
        return
    serve = over_tcp(make)
    scheme = way.partition("-")[0]
    if scheme == "rfc2217":
        serve = BehindTerminalServer(make).serve
    with listening(serve) as number:
        url = f"{scheme}://127.0.0.1:{number}"
        meter = driver(lambda: SerialPort.open(url, 300, tap=tap))
        try:
            yield Rig(meter, spoken, tap, said, watch)
        finally:
            meter.close()
