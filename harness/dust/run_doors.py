"""The doors of a run: where they are, who plays behind them, how long they stay open."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from harness.door.call_back import Place
from harness.door.client import HttpWay
from harness.door.door import Door
from harness.door.drop import FileDrop, make_drop
from harness.door.http import stop_on_signals
from harness.door.intake import Note
from harness.door.listening_at import open_socket
from harness.door.serving import WaysIn, serve
from harness.dust.choices import Prepared
from harness.dust.chronicle import OnEvent
from harness.dust.simulated import SimulatedSupplier
from harness.dust.steps_told import OnStep
from harness.errors import BenchError, HarnessError, UsageError
from harness.files import write_octets

#: Where the doors of a run are, while it runs.
DOOR: Final = "door.json"
#: What was asked at them, and what they refused; no part of the evidence: its order is the wall
#: clock's.
DOOR_LOG: Final = "door.log"
#: Folders of a participant that plays in this process.
TRUST: Final = "trust"
DROP: Final = "drop"
_OFF: Final = "off"
#: Seconds between two looks into the drop of a participant that plays in this process.
_LOOK_S: Final = 0.02
#: Seconds for which the file drop may be out of reach before the run stops. Source: invented.
_DROP_PATIENCE_S: Final = 5.0
#: Seconds for which an outside participant can still read that the run is over.
_LINGER_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a run's doors are.

    Attributes:
        http: Address of the HTTP door; empty where it is shut.
        drop: Folder of the file drop; empty where there is none.
        trust: Folder of keys.
    """

    http: str
    drop: str
    trust: str


#: Called once the doors are open.
OnOpen = Callable[[Opened], None]


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who hears of a run while it goes.

    Attributes:
        on_event: Called with every event, in a thread of the run's own.
        on_open: Called once the doors are open for a participant outside.
        on_step: Called with how far packing is, once the run is over.
    """

    on_event: OnEvent | None = None
    on_open: OnOpen | None = None
    on_step: OnStep | None = None


class DoorLog:
    """Writes a line for whatever comes to the doors, refused or not.

    Args:
        path: The log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, note: Note) -> None:
        """Write a line."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(note.line() + "\n")


class DustInterruptedError(HarnessError):
    """The run was stopped from outside and can be resumed (exit code 4)."""

    exit_code = 4


def places(prepared: Prepared, folder: Path) -> tuple[Path, Path | None]:
    """Return the folders of keys and drop: one's own for a participant in this process."""
    named = prepared.definition.participant
    if prepared.is_simulated:
        return folder / TRUST, folder / DROP
    drop = prepared.definition.place(named.drop) if named.drop else None
    return prepared.definition.place(named.trust), drop


@contextmanager
def listening(prepared: Prepared) -> Iterator[socket.socket | None]:
    """Hold the address of a run's HTTP door; None where it is shut.

    Raises:
        UsageError: The address cannot be had.
    """
    named = prepared.definition.participant
    listen = "127.0.0.1:0" if prepared.is_simulated else named.listen
    at = None if listen == _OFF else _socket(listen)
    try:
        yield at
    finally:
        if at is not None:
            at.close()


def open_ways(prepared: Prepared, at: socket.socket | None, drop: Path | None) -> WaysIn:
    """Open the ways in.

    Args:
        prepared: The run.
        at: Socket of its HTTP door; None where it is shut.
        drop: Folder of its file drop, or None.

    Raises:
        UsageError: None is open, or the drop cannot be made.
    """
    named = prepared.definition.participant
    if at is None and drop is None:
        raise UsageError(
            "neither HTTP nor a file drop is open",
            where="participant.listen, participant.drop",
            cause="no way in is left",
        )
    if drop is not None:
        make_drop(drop)
    if prepared.is_simulated:
        return WaysIn(at, drop, look_s=_LOOK_S, drop_patience_s=_DROP_PATIENCE_S)
    patience_s = min(_DROP_PATIENCE_S, named.patience_s / 2)  # before silence is heard
    place = Place.parse(named.call_back) if named.call_back else None
    return WaysIn(at, drop, place, drop_patience_s=patience_s)


def _socket(listen: str) -> socket.socket:
    """Open the address of a definition; a refusal names its key.

    Raises:
        UsageError: It is no free address of this machine.
    """
    try:
        return open_socket(listen, anywhere=False, warn=_nobody)
    except UsageError as error:
        raise _no_address(listen, error) from error


def _nobody(_host: str) -> None:
    """Tell nobody: an address beyond this machine is refused."""


def address_of(at: socket.socket | None) -> str:
    """Return the address of the HTTP door; empty where it is shut."""
    if at is None:
        return ""
    host, port = at.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(opened: Opened, folder: Path, tell: OnOpen | None) -> None:
    """Say where the doors are: in a file of the run folder, and to whoever is to be told."""
    write_octets(folder / DOOR, (json.dumps(asdict(opened), indent=1) + "\n").encode())
    if tell is not None:
        tell(opened)


def _no_address(listen: str, why: UsageError) -> UsageError:
    return UsageError(
        why.what,
        where=f"participant.listen = {listen!r}",
        cause="no HOST:PORT of this machine, or another program has it",
        next_command='listen = "127.0.0.1:0"',
    )


async def served(prepared: Prepared, door: Door, ways: WaysIn, folder: Path) -> None:
    """Keep the doors open until the run is over.

    Args:
        prepared: The run.
        door: What stands behind the ways in.
        ways: The ways in.
        folder: The run folder.

    Raises:
        DustInterruptedError: It was stopped from outside.
        UsageError: A way in cannot be opened.
        BenchError: The ways in closed before the run was over.
    """
    until, stopped = asyncio.Event(), asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        stop_on_signals(stopped)
    serving = asyncio.ensure_future(serve(door, ways, until, _saying(folder)))
    waits: list[asyncio.Future[Any]] = [
        serving,
        asyncio.ensure_future(stopped.wait()),
        asyncio.ensure_future(door.over()),
    ]
    began = bool(door.exchange.counts()["requests"])
    supplier = _supplier(prepared, ways, folder / TRUST, again=began)
    player = None
    if supplier is not None:
        player = asyncio.ensure_future(asyncio.to_thread(supplier.play))
        waits.append(player)
    try:
        while not (door.is_over or door.broken or stopped.is_set() or serving.done()):
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            waits = _still(waits, player)
        if supplier is None and door.is_over:
            await _linger(door, ways, stopped, _saying(folder))
    finally:
        if supplier is not None:
            supplier.stop.set()
        until.set()
        await asyncio.gather(serving, *([player] if player else []), return_exceptions=True)
        for one in waits:
            one.cancel()
        if ways.listen is not None:
            ways.listen.close()
    _complain(door, stopped, serving, folder)


def _still(
    waits: list[asyncio.Future[Any]], player: asyncio.Future[None] | None
) -> list[asyncio.Future[Any]]:
    """Return what is waited for still: not a supplier in this process that has played.

    Raises:
        Exception: What its play ended with.
    """
    if player is None or not player.done():
        return waits
    player.result()
    return [one for one in waits if one is not player]


def _complain(
    door: Door, stopped: asyncio.Event, serving: asyncio.Future[None], folder: Path
) -> None:
    """Say why the doors are closed although the run is not over; a broken world says so itself."""
    if door.is_over or (door.broken and not stopped.is_set()):
        return
    if not stopped.is_set():
        raise _shut(serving, folder)
    raise DustInterruptedError(
        "interrupted; everything the participant handed in is in the journal",
        where=str(folder),
        next_command=f"smetsbench resume {folder}",
    )


def _shut(serving: asyncio.Future[None], folder: Path) -> HarnessError:
    """Return what to say of doors that closed before the run was over."""
    error = None if serving.cancelled() else serving.exception()
    if isinstance(error, BenchError):
        error.next_command = f"{error.next_command or 'put it right'}: smetsbench resume {folder}"
    if isinstance(error, HarnessError):
        return error
    return BenchError(
        f"the participant's doors broke: {error or 'they closed by themselves'}",
        where=str(folder),
        cause="a drop that was removed or cannot be written any more, or a full disk",
        next_command=f"smetsbench resume {folder}",
    )


async def _linger(
    door: Door, ways: WaysIn, stopped: asyncio.Event, say: Callable[[str], None]
) -> None:
    """Write out what waits for the drop, and let an outside participant see the end."""
    if ways.drop is not None:
        await asyncio.to_thread(FileDrop(door, ways.drop, say).look)
    try:
        async with asyncio.timeout(_LINGER_S):
            await stopped.wait()
    except TimeoutError:
        return


def _supplier(
    prepared: Prepared, ways: WaysIn, trust: Path, *, again: bool
) -> SimulatedSupplier | None:
    if not prepared.is_simulated or ways.listen is None or ways.drop is None:
        return None
    host, port = ways.listen.getsockname()[:2]
    way = HttpWay(host, port)
    return SimulatedSupplier(prepared.definition, prepared.homes, trust, ways.drop, way, again)


def _saying(folder: Path) -> Callable[[str], None]:
    """Return what writes what a way in or out says, e.g. a drop that was taken away, to the log."""

    def say(text: str) -> None:
        with (folder / DOOR_LOG).open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    return say
