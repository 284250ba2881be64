"""Where a recorded dongle is plugged in: a TCP port or a pseudo-terminal, in its own thread."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from harness.errors import UsageError
from harness.transcript import Transcript
from hil.played_endpoint import PlayedEndpoint, host_and_port, not_listening, raw_pty
from hil.zigbee.replay import Difference, ReplayedDongle
from hil.zigbee.transcript import load_dongle

_TICK_S: Final = 0.02
_READ_BYTES: Final = 4096
_BEGIN_S: Final = 30.0
_ANY_PORT: Final = "--listen tcp://127.0.0.1:0"
Take = Callable[[bytes], bytes]


class _Place(Protocol):
    address: str

    def write(self, octets: bytes) -> None: ...

    def close(self) -> None: ...


class _Pty:
    """A pseudo-terminal; its host's end stays open here too, so that hosts may come and go."""

    def __init__(self, take: Take) -> None:
        self._ours, self._theirs, self.address = raw_pty()
        os.set_blocking(self._ours, False)
        self._take = take
        asyncio.get_running_loop().add_reader(self._ours, self._readable)

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.write(self._take(os.read(self._ours, _READ_BYTES)))

    def write(self, octets: bytes) -> None:
        """Send; what a host does not take is lost, as on a line."""
        if octets:
            with contextlib.suppress(BlockingIOError):
                os.write(self._ours, octets)

    def close(self) -> None:
        """Close both ends."""
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)


class _Host(asyncio.Protocol):
    """One connection; the last one made counts."""

    def __init__(self, place: "_Tcp") -> None:
        self._place = place

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._place.host = transport

    def data_received(self, data: bytes) -> None:
        self._place.write(self._place.take(data))


class _Tcp:
    """A TCP port of this computer."""

    def __init__(self, take: Take) -> None:
        self.address = ""
        self.take = take
        self.host: asyncio.Transport | None = None
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Host(self), host, port)
        self.address = f"tcp://{host}:{self._server.sockets[0].getsockname()[1]}"

    def write(self, octets: bytes) -> None:
        """Send to the host, where there is one."""
        if octets and self.host is not None and not self.host.is_closing():
            self.host.write(octets)

    def close(self) -> None:
        """Listen no more."""
        if self.host is not None:
            self.host.close()
        if self._server is not None:
            self._server.close()


class ReplayedDongleEndpoint(PlayedEndpoint):
    """Plays a recorded dongle until it is stopped.

    Attributes:
        transcript: The recording.
        dongle: Who answers.
        address: Where hosts reach it, once started.
    """

    def __init__(
        self, name: Path | Transcript, *, tell: Callable[[Difference], None] | None = None
    ) -> None:
        """Load a recording.

        Args:
            name: The transcript, by name or loaded.
            tell: Told of every difference when it happens, in another thread.

        Raises:
            UsageError: There is no such transcript, or it is of a meter's line.
        """
        super().__init__()
        self.transcript = name if isinstance(name, Transcript) else load_dongle(name)
        self.dongle = ReplayedDongle(self.transcript.records, self.transcript.about.ezsp or 0, tell)
        self._ready = threading.Event()
        self._failed: OSError | None = None

    def start(self, listen: str = "tcp://127.0.0.1:0") -> str:
        """Begin to answer; returns the address.

        Args:
            listen: ``pty`` or ``tcp://HOST:PORT``; port 0 is any.

        Raises:
            UsageError: No such place.
            BenchError: The place cannot be had.
        """
        where = _where(listen)
        self._thread = threading.Thread(target=self._work, args=(where,), daemon=True)
        self._thread.start()
        self._ready.wait(_BEGIN_S)
        if self._failed is not None:
            raise not_listening(listen, self._failed, _ANY_PORT) from self._failed
        return self.address

    def _work(self, where: tuple[str, int] | None) -> None:
        asyncio.run(self._serve(where))

    async def _serve(self, where: tuple[str, int] | None) -> None:
        loop = asyncio.get_running_loop()

        def take(octets: bytes) -> bytes:
            return self.dongle.receive(octets, int(loop.time() * 1000))

        try:
            place = await _opened(where, take)
        except OSError as error:
            self._failed = error
            self._ready.set()
            return
        self.address = place.address
        self._ready.set()
        try:
            while not self._stop.is_set():
                await asyncio.sleep(_TICK_S)
                place.write(self.dongle.tick(int(loop.time() * 1000)))
        finally:
            place.close()


async def _opened(where: tuple[str, int] | None, take: Take) -> _Place:
    if where is None:
        return _Pty(take)
    place = _Tcp(take)
    await place.open(*where)
    return place


def _where(listen: str) -> tuple[str, int] | None:
    """Return host and port; None for a pseudo-terminal.

    Raises:
        UsageError: It is neither.
    """
    if listen == "pty":
        return None
    where = host_and_port(listen, "tcp")
    if where is None:
        raise UsageError(
            f"{listen} is no place for a recorded dongle",
            where="--listen",
            cause="a dongle is reached at pty or tcp://HOST:PORT",
            next_command=_ANY_PORT,
        )
    return where
