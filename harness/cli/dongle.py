"""``smetsbench dongle``: an emulated Zigbee dongle, with a home that joins it."""

import asyncio
import enum
import sys
from pathlib import Path
from typing import IO, Annotated, Final

import typer

from device_profiles import installation as installations
from device_profiles.errors import DataError
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.core.errors import EmulatorError
from emulator.core.faults import FaultError
from emulator.ncp.identity import Identity
from emulator.runtime.dongle_home import Home, home_of
from emulator.runtime.installation import InstallationError, Plan, build
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, serve_dongle
from emulator.servers.errors import ListenError, StateFileError
from harness.cli.output import errors
from harness.cli.served_choices import moment_of, wall_clock
from harness.cli.served_talk import CHATTY, Teller
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError

#: The home without ``--han``: the shipped one's meters and display, and a bilingual display.
DEFAULT_HOME: Final = "demo"
_SHOWN: Final = frozenset({DeviceType.CHF, DeviceType.GPF, DeviceType.ESME, DeviceType.GSME})
BILINGUAL: Final = "demo-bilingual-ppmid"
_BILINGUAL_EUI64: Final = "02-53-05-00-00-00-00-02"
_FORMS: Final = "pty, pty:LINK, tcp://HOST:PORT"


class Join(enum.StrEnum):
    """Under which key the devices join."""

    INSTALL_CODE = "install-code"
    OPEN = "open"


def register(app: typer.Typer) -> None:
    """Add ``dongle``."""
    app.command("dongle")(dongle)


def dongle(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    listen_at: Annotated[str, typer.Option("--listen", help=f"{_FORMS}; port 0: any.")],
    ezsp: Annotated[
        int, typer.Option(help=f"Version of EZSP: {', '.join(map(str, VERSIONS))}.")
    ] = 13,
    han: Annotated[
        str | None,
        typer.Option(help="Home around it: an installation, by name or path."),
    ] = None,
    join: Annotated[
        Join, typer.Option(help="Devices join by install code, or (open) by the well-known key.")
    ] = Join.INSTALL_CODE,
    state: Annotated[
        Path | None, typer.Option(help="File that keeps its and the devices' memory.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="NAME[:key=value,...]@line, line-in or line-out; repeatable."),
    ] = None,
    pace: Annotated[
        int | None,
        typer.Option(min=300, max=4_000_000, help="Bits a second: octets take their time."),
    ] = None,
    clock_factor: Annotated[
        float, typer.Option(min=0.001, max=1e6, help="How much faster the devices' clock runs.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")] = 1,
    start: Annotated[
        str | None, typer.Option(help="First moment of the devices' clock, ISO 8601; else now.")
    ] = None,
    data: DataOption = None,
    until_stdin_closes: Annotated[
        bool,
        typer.Option(
            "--until-stdin-closes",
            help="Take orders from standard input (reset [CODE], fail [CODE], silence on|off,"
            " unplug, disturb FAULT), answer each on standard output, and stop where it ends.",
        ),
    ] = False,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print the made-up install codes.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Tell more.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Tell nothing.")] = False,
) -> None:
    """Emulate a Zigbee dongle (EZSP over ASH) until SIGTERM.

    The address to reach it at is the first line of standard output; everything else goes to
    standard error. Only this machine can reach it.
    """
    if ezsp not in VERSIONS:
        raise UsageError(
            f"EZSP v{ezsp} is not spoken",
            where="--ezsp",
            cause=f"there are: {', '.join(map(str, VERSIONS))}",
            next_command="smetsbench dongle --help",
        )
    wall = wall_clock()
    plan = Plan(
        _installation(han, overlays(data)),
        seed,
        wall if start is None else moment_of(start),
        overlays=overlays(data),
    )
    home = _home(plan, open_joining=join is Join.OPEN)
    if not quiet:
        _introduce(home, ezsp, join, show_secrets=show_secrets)
    served = DonglePlan(
        Identity(home.hub, ezsp),
        home.plans,
        seed,
        _place(listen_at),
        plan.start,
        clock_factor,
        pace,
        tuple(fault or ()),
        state,
    )
    hidden = frozenset[str]() if verbose else CHATTY
    control = sys.stdin.buffer if until_stdin_closes else None
    _run(served, Teller(None if quiet else hidden), control)


def _installation(name: str | None, folders: tuple[Path, ...]) -> Installation:
    with reading_data():
        if name is not None:
            return installations.load(name, folders)
        found = installations.load(DEFAULT_HOME, folders)
    display = next(each for each in found.devices if each.role is DeviceType.PPMID)
    bilingual = InstalledDevice.model_validate(
        {
            **display.model_dump(exclude_none=True),
            "profile": BILINGUAL,
            "eui64": _BILINGUAL_EUI64,
            "cpl_entry": None,
            "install_code": None,
        }
    )
    shown = tuple(each for each in found.devices if each.role in _SHOWN)
    return found.model_copy(update={"devices": (*shown, display, bilingual)})


def _home(plan: Plan, *, open_joining: bool) -> Home:
    try:
        with reading_data():
            return home_of(build(plan), plan.seed, well_known=open_joining)
    except (InstallationError, DataError) as error:
        raise UsageError(
            f"this home cannot stand around a dongle: {error}",
            where="--han",
            cause="a device model or device type that does not fit",
            next_command="smetsbench installations --help",
        ) from error


def _place(text: str) -> listen.Place:
    try:
        place = listen.parse(text)
    except ListenError as error:
        raise _bad_place(error) from error
    local = place.kind == "pty" or place.host in {"localhost", "::1"}
    if not local and not place.host.startswith("127."):
        raise _bad_place(ListenError(text, "a dongle is served on this machine's loopback alone"))
    return place


def _bad_place(error: ListenError) -> UsageError:
    return UsageError(
        f"nobody can be listened to there: {error.why}",
        where=f"--listen {error.where}",
        cause="a port or link in use, another machine's address, or a mistyped URL",
        next_command="--listen tcp://127.0.0.1:0 or --listen pty",
    )


def _introduce(home: Home, ezsp: int, join: Join, *, show_secrets: bool) -> None:
    screen = errors()
    screen.print(f"dongle {home.hub}  EZSP v{ezsp}, join: {join.value}", markup=False)
    screen.print("  made-up firmware of a made-up maker (stand-in)", markup=False)
    for plan in home.plans:
        code = f"  install code {home.codes[plan.eui64].octets.hex().upper()}"
        screen.print(f"  {plan.name}{code if show_secrets else ''}", markup=False)


def _run(plan: DonglePlan, log: Teller, control: IO[bytes] | None) -> None:
    try:
        asyncio.run(serve_dongle(plan, typer.echo, log, control))
    except ListenError as error:
        raise _bad_place(error) from error
    except (StateFileError, FaultError) as error:
        state = isinstance(error, StateFileError)
        raise UsageError(
            str(error),
            where="--state" if state else "--fault",
            cause="a file of another dongle, seed or version" if state else "a mistyped fault",
            next_command="name another --state" if state else "smetsbench faults",
        ) from error
    except EmulatorError as error:
        raise UsageError(str(error), where="dongle") from error
