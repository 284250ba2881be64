"""``smetsbench dust door``: a participant's own system talks DUIS with our DSP."""

import asyncio
import socket
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles.files import reading_once
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from harness import files
from harness.cli.output import console, emit_json, errors
from harness.cli.served_choices import wall_clock
from harness.data_files import DataOption, overlays, reading_data
from harness.door import example
from harness.door.call_back import Place
from harness.door.client import DropWay, HttpWay
from harness.door.door import Door, DoorOptions
from harness.door.flood import Flood
from harness.door.homes import Homes, load_homes
from harness.door.http import listening, stop_on_signals
from harness.door.intake import Note
from harness.door.listening_at import address, open_socket
from harness.door.mover import Pace
from harness.door.participant import ParticipantSystem
from harness.door.serving import WaysIn, serve
from harness.door.trust import DCC, PARTICIPANT, participants_keys, sign_document, write_public
from harness.errors import BenchError, UsageError
from harness.formats.duis.faults import DuisError
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES

_OFF: Final = "off"
_ANY_PORT: Final = "127.0.0.1:0"
_TRUST: Final = Path("door-trust")


_INSTALLATION = Annotated[
    list[str] | None,
    typer.Option(help="Installation file, or the name of a shipped one; repeatable."),
]
_DROP = Annotated[Path | None, typer.Option(help="Folder of the file drop; none when left out.")]
_LISTEN = Annotated[str, typer.Option(help="HOST:PORT for HTTP, port 0: any; or off.")]
_TRUST_OPTION = Annotated[
    Path, typer.Option(help="Folder of keys: participant/ (yours), dcc/ (ours, public).")
]
_SEED = Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")]
_STATE = Annotated[Path | None, typer.Option(help="File that keeps everything over restarts.")]
_CLOCK_FACTOR = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        max=1e6,
        help="Follow the wall clock so many times faster; left out: jump to the end of what"
        " each request caused.",
    ),
]
_CALL_BACK = Annotated[
    str | None, typer.Option(help="Post answers and alerts there: http://127.0.0.1:PORT/PATH.")
]
_DISTURB = Annotated[
    list[str] | None,
    typer.Option(help="What happens to the homes, e.g. flood:alerts=10,over_s=600; repeatable."),
]
_USER = Annotated[
    list[str] | None,
    typer.Option(help="EUI-64 of another supplier, who may gain a home (6.23); repeatable."),
]
_LISTEN_ANYWHERE = Annotated[
    bool, typer.Option("--listen-anywhere", help="Allow an address beyond this machine.")
]
_PLAY_EXAMPLE = Annotated[
    bool, typer.Option("--example", help="Play a worked example through the door, and end.")
]
_AS_JSON = Annotated[bool, typer.Option("--json", help="Say what is open as JSON.")]
_QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="No line for each request.")]


def register(dust: typer.Typer) -> None:
    """Add ``dust door`` and ``dust sign``."""
    dust.command("door")(door)
    dust.command("sign")(sign)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the person at the bench chose."""

    homes: Homes
    options: DoorOptions
    trust: Path
    ways: WaysIn
    as_json: bool


def door(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    installation: _INSTALLATION = None,
    drop: _DROP = None,
    listen: _LISTEN = _ANY_PORT,
    trust: _TRUST_OPTION = _TRUST,
    seed: _SEED = 1,
    state: _STATE = None,
    clock_factor: _CLOCK_FACTOR = None,
    call_back: _CALL_BACK = None,
    disturb: _DISTURB = None,
    user: _USER = None,
    data: DataOption = None,
    listen_anywhere: _LISTEN_ANYWHERE = False,
    play_example: _PLAY_EXAMPLE = False,
    as_json: _AS_JSON = False,
    quiet: _QUIET = False,
) -> None:
    """Open a door to emulated homes until SIGTERM.

    The address is the first line of standard output; what is asked goes to standard error, one
    line a request.
    """
    if play_example:
        raise typer.Exit(_example(seed, quiet=quiet))
    homes = load_homes(installation or ["demo"], overlays(data), seed)
    users = tuple(_party(text, "--user") for text in user or ())
    homes = replace(homes, disturbances=tuple(disturb or ()), users=users)
    for order in homes.disturbances:
        Flood.parse(order)
    options = DoorOptions(
        homes,
        participants_keys(trust, homes.suppliers, seed),
        state,
        Pace(clock_factor, None if clock_factor is None else wall_clock),
        tell=_silent if quiet else _tell,
    )
    place = None if call_back is None else Place.parse(call_back)
    ways = WaysIn(_socket(listen, anywhere=listen_anywhere), drop, place)
    if ways.listen is None and drop is None:
        raise UsageError(
            "neither HTTP nor a file drop is open",
            where="--listen off",
            cause="no way in is left",
            next_command="smetsbench dust door --drop DIR",
        )
    _run(_Chosen(homes, options, trust, ways, as_json))


def _run(chosen: _Chosen) -> None:
    with reading_data(), reading_once():
        opened = Door(chosen.options)
    try:
        write_public(chosen.trust, opened.world.public_keys())
        _announce(chosen, opened)
        _warn_of_public_keys(chosen)
        asyncio.run(_served(opened, chosen.ways))
        _complain(opened)
    finally:
        opened.close()


async def _served(opened: Door, ways: WaysIn) -> None:
    until = asyncio.Event()
    stop_on_signals(until)
    await serve(opened, ways, until, _warn)


def _complain(opened: Door) -> None:
    """Say what broke the world.

    Raises:
        BenchError: Something did.
    """
    error = opened.broken
    if error is not None:
        raise BenchError(
            f"the emulated homes broke: {type(error).__name__}: {error}",
            cause="a defect of smetsbench; what was answered is in the state file",
            next_command="start again with the same --state",
        ) from error


# -- saying ------------------------------------------------------------------------------------


def _tell(note: Note) -> None:
    errors().print(note.line(), markup=False)


def _warn(text: str) -> None:
    errors().print(f"warning: {text}", markup=False)


def _silent(_note: Note) -> None:
    """Tell nothing."""


def _announce(chosen: _Chosen, opened: Door) -> None:
    """Say where the door is, who may use it, and where keys are; keys themselves are not shown."""
    at = None if chosen.ways.listen is None else address(chosen.ways.listen)
    drop = None if chosen.ways.drop is None else str(chosen.ways.drop)
    if chosen.as_json:
        roles = chosen.homes.suppliers
        emit_json(
            {
                "http": at,
                "drop": drop,
                "trust": str(chosen.trust),
                "dcc": str(opened.world.trust.dsp),
                "users": {
                    str(user): sorted(roles.get(user, ())) for user in opened.world.trust.users
                },
                "homes": [home.ref for home in chosen.homes.all],
            }
        )
        sys.stdout.flush()
        return
    typer.echo(at or drop)
    screen = errors()
    screen.print(f"participant door: {', '.join(home.ref for home in chosen.homes.all)}")
    if drop is not None:
        screen.print(f"  file drop: {drop}/in (write NAME.part, rename it to NAME)", markup=False)
    screen.print(f"  your keys: {chosen.trust / PARTICIPANT}", markup=False)
    screen.print(f"  our certificates: {chosen.trust / DCC}", markup=False)
    told = f"smetsbench dust sign REQUEST.xml --trust {chosen.trust} --out SIGNED.xml"
    screen.print(f"  to sign a request: {told}", markup=False)
    for user in opened.world.trust.users:
        screen.print(f"  service user: {user}", markup=False)
    screen.print(f"  the DCC: {opened.world.trust.dsp}", markup=False)


def _warn_of_public_keys(chosen: _Chosen) -> None:
    """Say whose signed pre-commands no device will believe: it knows a made-up key instead."""
    keys = chosen.options.participants
    for user in chosen.homes.suppliers:
        entry = keys.find(user, KeyUsage.DS)
        if entry is None or entry.private_scalar is None:
            _warn(
                f"devices of the homes know a made-up signing key of {user}: requests are believed,"
                " signed pre-commands and images are not; put its private test key"
                f" (usage DS) into {chosen.trust / PARTICIPANT}"
            )


def _socket(listen: str, *, anywhere: bool) -> socket.socket | None:
    return None if listen == _OFF else open_socket(listen, anywhere=anywhere, warn=_warn_of_reach)


def _warn_of_reach(host: str) -> None:
    _warn(
        f"{host} can be reached from elsewhere; whoever holds the test keys can ask,"
        " and anyone can read answers"
    )


# -- signing -----------------------------------------------------------------------------------


def sign(
    request: Annotated[Path, typer.Argument(help="A DUIS request without a signature.")],
    out: Annotated[Path, typer.Option(help="File to write the signed request to.")],
    trust: Annotated[Path, typer.Option(help="The trust folder of the door.")] = _TRUST,
    party: Annotated[
        str | None, typer.Option(help="Whose key; the originator's when left out.")
    ] = None,
) -> None:
    """Sign a DUIS request with a participant's test key."""
    octets = files.read_octets(request, MAX_DOCUMENT_BYTES)
    user = None if party is None else _party(party, "--party")
    try:
        signed, who = sign_document(octets, trust, user)
    except DuisError as error:
        error.where = ", ".join(filter(None, (str(request), error.where)))
        error.next_command = f"smetsbench duis check {request}"
        raise
    files.write_octets(out, signed, made_from=[request])
    console().print(f"signed by {who}: {out}", markup=False)


def _party(text: str, option: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(str(error), where=option, cause="a mistyped identifier") from error


# -- the worked example ------------------------------------------------------------------------


def _example(seed: int, *, quiet: bool) -> int:
    """Play the worked example over HTTP and through the drop; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="smetsbench-door-") as name:
        folder = Path(name)
        homes, trust = example.homes(folder, seed), folder / "trust"
        keys = participants_keys(trust, homes.suppliers, seed)
        opened = Door(DoorOptions(homes, keys, tell=_silent if quiet else _tell))
        try:
            write_public(trust, opened.world.public_keys())
            at = listening("127.0.0.1", 0)
            asyncio.run(_played(opened, WaysIn(at, folder / "drop"), trust, homes))
            _complain(opened)
        finally:
            opened.close()
    return 0


async def _played(opened: Door, ways: WaysIn, trust: Path, homes: Homes) -> None:
    until = asyncio.Event()
    stop_on_signals(until)
    serving = asyncio.ensure_future(serve(opened, ways, until, _warn))
    try:
        await asyncio.to_thread(_play, ways, trust, homes)
    finally:
        until.set()
        await serving


def _play(ways: WaysIn, trust: Path, homes: Homes) -> None:
    if ways.listen is None or ways.drop is None:
        return
    port = ways.listen.getsockname()[1]
    say = console().print
    say("over HTTP: a SMETS2+ home")
    system = ParticipantSystem.open(trust, HttpWay("127.0.0.1", port))
    played = example.Example(system, trust, say)
    played.announce()
    played.play(homes.smets2, smets1=False)
    say("through the file drop: a SMETS1 home")
    system.way = DropWay(ways.drop)
    system.way.alerts()
    played.play(homes.smets1, smets1=True)
