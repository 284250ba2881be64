"""A recorded meter on a pty or a TCP port: answers clients out of a transcript."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from harness.dlms.settings import Framing
from harness.errors import UsageError
from harness.replay_player import Answer, Mismatch, Player, StrictPlayer
from harness.replay_tolerant import TolerantPlayer
from harness.transcript import Transcript
from harness.transcript_file import load
from hil.played_endpoint import POLL_S, PlayedEndpoint, host_and_port, not_listening, raw_pty

#: Pause after which an unfinished frame is given up.
_SILENCE_S: Final = 0.2
_READ_BYTES: Final = 65536
#: What goes before ``HOST:PORT`` in the address of each framing.
_SCHEMES: Final = {Framing.WRAPPER: "wrapper"}


class _Place(Protocol):
    """Where clients come to."""

    address: str

    def wait(self, timeout_s: float) -> int | None:
        """Return a descriptor to read from and write to, once a client is there; None: not yet."""
        ...

    def gone(self) -> None:
        """Note that the client went away."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class _Pty:
    """A pseudo-terminal in raw mode; one end is kept open so that clients may come and go."""

    def __init__(self) -> None:
        self._ours, self._theirs, self.address = raw_pty()
        self._given = False

    def wait(self, timeout_s: float) -> int | None:
        """Return our end: a pty has no connections."""
        if self._given:
            time.sleep(timeout_s)
            return None
        self._given = True
        return self._ours

    def gone(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Close both ends."""
        for end in (self._ours, self._theirs):
            with suppress(OSError):
                os.close(end)


class _Tcp:
    """A TCP port; one client at a time."""

    def __init__(self, host: str, port: int, scheme: str) -> None:
        self._socket = socket.create_server((host, port))
        bound = self._socket.getsockname()[1]
        self.address = f"{scheme}://{host}:{bound}"
        self._client: socket.socket | None = None

    def wait(self, timeout_s: float) -> int | None:
        """Return the next client's connection."""
        ready, _, _ = select.select([self._socket], [], [], timeout_s)
        if not ready:
            return None
        self._client, _ = self._socket.accept()
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._client.fileno()

    def gone(self) -> None:
        """Close the client's connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def close(self) -> None:
        """Stop listening."""
        self.gone()
        self._socket.close()


class ReplayEndpoint(PlayedEndpoint):
    """Plays a recorded meter in a thread of its own until it is stopped.

    Attributes:
        transcript: The recording.
        address: Where clients reach it, once started.
        player: Who answers.
    """

    def __init__(
        self,
        name: Path | Transcript,
        *,
        strict: bool = True,
        speed: float | None = None,
        tell: Callable[[Mismatch], None] | None = None,
    ) -> None:
        """Load a recording.

        Args:
            name: The capture, by name or loaded.
            strict: Octet for octet in the order recorded; else by what is asked.
            speed: How fast recorded waits pass: 1 as recorded, 10 ten times as fast; None: at
                once.
            tell: Told of every mismatch when it happens.

        Raises:
            UsageError: There is no such capture.
        """
        super().__init__()
        self.transcript = name if isinstance(name, Transcript) else load(name)
        self.player: Player = (
            StrictPlayer(self.transcript) if strict else TolerantPlayer(self.transcript)
        )
        self._speed = speed
        self._tell = tell or _unheard
        self._told = 0
        self._place: _Place | None = None

    @property
    def mismatches(self) -> list[Mismatch]:
        """What came that was not recorded."""
        return self.player.mismatches

    def start(self, listen: str = "pty") -> str:
        """Begin to answer; returns the address.

        Args:
            listen: ``pty``, ``tcp://HOST:PORT`` or ``wrapper://HOST:PORT``; port 0 is any.

        Raises:
            UsageError: No such place, or not one for the framing of the recording.
            BenchError: The place cannot be had.
        """
        self._place = self._open(listen)
        self.address = self._place.address
        self._thread = threading.Thread(target=self._serve, args=(self._place,), daemon=True)
        self._thread.start()
        return self.address

    def stop(self) -> None:
        """Stop answering, and let go of the place; more than once does no harm."""
        super().stop()
        if self._place is not None:
            self._place.close()
            self._place = None

    def _open(self, listen: str) -> _Place:
        framing = self.transcript.about.framing
        scheme = _SCHEMES.get(framing, "tcp")
        if listen == "pty":
            if framing is Framing.WRAPPER:
                raise _wrong_place(listen, "the recording is of the TCP wrapper")
            return _Pty()
        where = host_and_port(listen, scheme)
        if where is None:
            raise _wrong_place(listen, f"the recording wants {scheme}://HOST:PORT")
        try:
            return _Tcp(*where, scheme)
        except OSError as error:
            choose = f"choose port 0: {scheme}://127.0.0.1:0"
            raise not_listening(listen, error, choose) from error

    def _serve(self, place: _Place) -> None:
        while not self._stop.is_set():
            client = place.wait(POLL_S)
            if client is not None:
                self._talk(client)
                place.gone()

    def _talk(self, client: int) -> None:
        """Answer one client until it goes away."""
        self._say(client, self.player.connected())
        quiet = True
        while not self._stop.is_set():
            ready, _, _ = select.select([client], [], [], POLL_S if quiet else _SILENCE_S)
            try:
                octets = os.read(client, _READ_BYTES) if ready else b""
            except OSError:
                return
            if ready and not octets:
                return
            if octets:
                self._say(client, self.player.receive(octets))
            elif not quiet:
                self._say(client, self.player.silence())
            quiet = not octets

    def _say(self, client: int, answers: list[Answer]) -> None:
        for answer in answers:
            if self._speed and self._stop.wait(answer.after_ns / 1e9 / self._speed):
                return
            with suppress(OSError):  # who went away needs no answer
                _write(client, answer.octets)
        fresh = self.player.mismatches[self._told :]
        self._told += len(fresh)
        for mismatch in fresh:
            self._tell(mismatch)


def _unheard(_mismatch: Mismatch) -> None:
    """Nobody wants to know at once."""


def _write(client: int, octets: bytes) -> None:
    sent = 0
    while sent < len(octets):
        sent += os.write(client, octets[sent:])


def _wrong_place(listen: str, why: str) -> UsageError:
    return UsageError(
        f"{listen} is no place for this recording: {why}",
        where="--listen",
        cause="a mistyped address, or one of another framing",
        next_command="smetsbench replay NAME --as device --listen pty",
    )
