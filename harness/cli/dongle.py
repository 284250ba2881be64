"""``smetsbench dongle``: an emulated Zigbee dongle, with a home that joins it."""

import asyncio
import enum
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Annotated, Final, TypeVar

import typer

from device_profiles import installation as installations
from device_profiles.errors import DataError
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType, SmetsVersion
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.errors import EmulatorError
from emulator.core.fault_keys import ROLES
from emulator.core.faults import FaultError
from emulator.core.ids import Eui64
from emulator.crypto import test_certificates
from emulator.crypto.install_code import InstallCode
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.ncp.member_plan import MemberPlan
from emulator.ncp.surroundings import Surround
from emulator.runtime.dongle_home import (
    Home,
    HubMode,
    Joining,
    generation_of,
    home_of_plan,
    install_codes,
)
from emulator.runtime.dongle_hub import HubPlan, surround
from emulator.runtime.faulty_application import with_faults
from emulator.runtime.installation import InstallationError, Plan
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, serve_dongle
from emulator.servers.errors import ListenError, StateFileError
from emulator.servers.line_loop import new_loop
from harness.cli.dongle_choices import HUB_ROLES, left_out, recorder, refuse_defects, shown_now
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
#: With an emulated hub: the dongle has no device's place, and an address of its own (made up).
NOBODY: Final = "NOBODY"
LISTENER: Final = Eui64.parse("02-53-7F-00-00-00-00-01")
_Built = TypeVar("_Built")
_FORMS: Final = "pty, pty:LINK, tcp://HOST:PORT"


class Join(enum.StrEnum):
    """Under which key the devices join."""

    INSTALL_CODE = "install-code"
    OPEN = "open"


class Suite(enum.StrEnum):
    """Curves of key establishment."""

    SECT283K1 = "283k1"
    SECT163K1 = "163k1"


_SUITES: Final = {Suite.SECT283K1: KeySuite.CBKE_283, Suite.SECT163K1: KeySuite.CBKE_163}


_LISTEN_AT = Annotated[str, typer.Option("--listen", help=f"{_FORMS}; port 0: any.")]
_EZSP = Annotated[int, typer.Option(help=f"Version of EZSP: {', '.join(map(str, VERSIONS))}.")]
_HAN = Annotated[
    str | None,
    typer.Option(help="Home around it: an installation, by name or path."),
]
_WITHOUT = Annotated[
    list[DeviceType] | None,
    typer.Option(help="Device of the home that stands elsewhere; repeatable."),
]
_HUB = Annotated[
    HubMode,
    typer.Option(help="The hub is the dongle, or an emulated one in its reach."),
]
_AS_ROLE = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="With an emulated hub: device whose place the dongle has (ESME unless told"
        " otherwise), or nobody: it only listens.",
    ),
]
_JOIN = Annotated[
    Join, typer.Option(help="Devices join by install code, or (open) by the well-known key.")
]
_SECURE = Annotated[
    bool | None,
    typer.Option(
        "--secure/--no-secure",
        help="Devices agree on a link key by certificates (CBKE) and take Smart Energy under"
        " it alone; by default those that join by install code.",
    ),
]
_SUITE = Annotated[
    list[Suite] | None,
    typer.Option(help="Curve of CBKE, in the order tried; by default the home's."),
]
_AUTHORITY = Annotated[
    str,
    typer.Option(
        "--ca",
        help="Who issued the devices' certificates: test (the dongle's own too), other (of"
        " another name), impostor (of the same name).",
    ),
]
_CBKE = Annotated[
    bool,
    typer.Option("--cbke/--stubs", help="The dongle's image has the CBKE library, or stubs of it."),
]
_CAPTURE = Annotated[
    Path | None, typer.Option(help="File that takes what is on the air, as pcapng.")
]
_STATE = Annotated[Path | None, typer.Option(help="File that keeps its and the devices' memory.")]
_FAULT = Annotated[
    list[str] | None,
    typer.Option(help="NAME[:key=value,...]@line, line-in, line-out or a device; repeatable."),
]
_DEFECT = Annotated[
    list[str] | None, typer.Option(help="Build a named defect into a device; repeatable.")
]
_PACE = Annotated[
    int | None,
    typer.Option(min=300, max=4_000_000, help="Bits a second: octets take their time."),
]
_CLOCK_FACTOR = Annotated[
    float, typer.Option(min=0.001, max=1e6, help="How much faster the devices' clock runs.")
]
_SEED = Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")]
_START = Annotated[
    str | None, typer.Option(help="First moment of the devices' clock, ISO 8601; else now.")
]
_SINCE = Annotated[
    str | None,
    typer.Option(help="Moment of the wall at which that clock showed --start; else now."),
]
_UNTIL_STDIN_CLOSES = Annotated[
    bool,
    typer.Option(
        "--until-stdin-closes",
        help="Take orders from standard input (reset [CODE], fail [CODE], silence on|off,"
        " unplug, disturb FAULT, power-cut EUI64 SECONDS; beside an emulated hub also gbcs"
        " HEX: a message from its WAN, permit SECONDS, image FILE EUI64...), answer each on"
        " standard output, and stop where it ends. What that hub sends onto its WAN is told"
        " (wan_out) on stderr.",
    ),
]
_SHOW_SECRETS = Annotated[
    bool, typer.Option("--show-secrets", help="Print the made-up install codes.")
]
_VERBOSE = Annotated[bool, typer.Option("-v", "--verbose", help="Tell more.")]
_QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="Tell nothing.")]


def register(app: typer.Typer) -> None:
    """Add ``dongle``."""
    app.command("dongle")(dongle)


def dongle(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    listen_at: _LISTEN_AT,
    ezsp: _EZSP = 13,
    han: _HAN = None,
    without: _WITHOUT = None,
    hub: _HUB = HubMode.DONGLE,
    as_role: _AS_ROLE = None,
    join: _JOIN = Join.INSTALL_CODE,
    secure: _SECURE = None,
    suite: _SUITE = None,
    authority: _AUTHORITY = test_certificates.TEST,
    cbke: _CBKE = True,
    capture: _CAPTURE = None,
    state: _STATE = None,
    fault: _FAULT = None,
    defect: _DEFECT = None,
    pace: _PACE = None,
    clock_factor: _CLOCK_FACTOR = 1.0,
    seed: _SEED = 1,
    start: _START = None,
    since: _SINCE = None,
    data: DataOption = None,
    until_stdin_closes: _UNTIL_STDIN_CLOSES = False,
    show_secrets: _SHOW_SECRETS = False,
    verbose: _VERBOSE = False,
    quiet: _QUIET = False,
) -> None:
    """Emulate a Zigbee dongle (EZSP over ASH) until SIGTERM.

    The address to reach it at is the first line of standard output; everything else goes to
    standard error. Only this machine can reach it.
    """
    _check(ezsp, hub, as_role, authority)
    suites = tuple(_SUITES[one] for one in suite or ())
    joining = Joining(join is Join.OPEN, secure, suites, authority)
    plan = Plan(
        _installation(han, overlays(data)),
        seed,
        wall_clock() if start is None else moment_of(start),
        tuple(text for text in fault or () if not _on_line(text)),
        tuple(defect or ()),
        overlays=overlays(data),
    )
    plan = left_out(plan, without or ())
    scene = _scene_of(plan, hub, joining, as_role)
    if not quiet:
        _introduce(scene, ezsp, join, show_secrets=show_secrets)
    served = DonglePlan(
        _identity(scene.dongle, ezsp, seed, cbke=cbke),
        scene.members,
        seed,
        _place(listen_at),
        shown_now(plan.start, since, clock_factor),
        clock_factor,
        pace,
        tuple(filter(_on_line, fault or ())),
        state,
        scene.surround,
        None if capture is None else recorder(capture),
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


def _check(ezsp: int, hub: HubMode, as_role: str | None, authority: str) -> None:
    if ezsp not in VERSIONS:
        raise UsageError(
            f"EZSP v{ezsp} is not spoken",
            where="--ezsp",
            cause=f"there are: {', '.join(map(str, VERSIONS))}",
            next_command="smetsbench dongle --help",
        )
    if authority not in test_certificates.ISSUERS:
        raise UsageError(
            f"nobody of the name {authority!r} issues certificates",
            where="--ca",
            cause=f"there are: {', '.join(test_certificates.ISSUERS)}",
            next_command="smetsbench dongle --help",
        )
    if as_role is not None and hub is HubMode.DONGLE:
        raise UsageError(
            "the dongle is the hub and has no other device's place",
            where="--as",
            cause="a place in the home is had beside an emulated hub",
            next_command="add --hub emulated",
        )


@dataclass(frozen=True, slots=True)
class _Scene:
    """A dongle and what is around it.

    Attributes:
        dongle: EUI-64 of the dongle.
        members: Nodes that may join it.
        surround: What builds its surroundings otherwise.
        lines: What to print of it: a name, and the install code that belongs to it.
    """

    dongle: Eui64
    members: tuple[MemberPlan, ...]
    surround: Surround | None
    lines: tuple[tuple[str, InstallCode], ...]


def _scene_of(plan: Plan, hub: HubMode, joining: Joining, as_role: str | None) -> _Scene:
    refuse_defects(plan, _building(lambda: generation_of(plan)), hub)
    return _scene(plan, joining) if hub is HubMode.DONGLE else _in_reach(plan, joining, as_role)


def _scene(plan: Plan, joining: Joining) -> _Scene:
    home: Home = _building(lambda: home_of_plan(plan, joining))
    lines = tuple((each.name, home.codes[each.eui64]) for each in home.plans)
    members = with_faults(home.plans, plan.faults, plan.seed, plan.start)
    return _Scene(home.hub, members, None, lines)


def _in_reach(plan: Plan, joining: Joining, as_role: str | None) -> _Scene:
    """Return the scene in which the dongle has a device's place beside an emulated hub."""
    wanted = (as_role or DeviceType.ESME).upper()
    devices = plan.installation.devices
    found = [item for item in devices if item.role == wanted and item.role not in HUB_ROLES]
    if not found and wanted != NOBODY:
        roles = sorted({item.role.value for item in devices if item.role not in HUB_ROLES})
        raise UsageError(
            f"{plan.installation.ref} has no {wanted} beside its hub",
            where="--as",
            cause=f"there are: {', '.join([*roles, NOBODY.lower()])}",
        )
    if _building(lambda: generation_of(plan)) is SmetsVersion.SMETS1:
        raise UsageError(
            f"{plan.installation.ref} has a SMETS1 hub, and only SMETS2+ ones are emulated",
            where="--hub emulated",
            cause="a SMETS1 home behind the dongle is had with --hub dongle",
        )
    eui64 = Eui64.parse(found[0].eui64) if found else LISTENER
    elsewhere = frozenset({eui64}) if found else frozenset[Eui64]()
    around = HubPlan(replace(plan, elsewhere=elsewhere), eui64, bool(found), joining)
    code = install_codes(plan.seed, [eui64])[eui64]
    lines = ((f"{wanted.lower()} {eui64}", code),) if found else ()
    return _Scene(eui64, (), _building(lambda: surround(around)), lines)


def _on_line(fault: str) -> bool:
    """Say whether a fault is for the dongle's line: what means nothing is refused there."""
    return fault.rpartition("@")[2] not in ROLES


def _building(make: Callable[[], _Built]) -> _Built:
    try:
        with reading_data():
            return make()
    except (InstallationError, DataError) as error:
        raise UsageError(
            f"this home cannot stand around a dongle: {error}",
            where="--han",
            cause="a device model or device type that does not fit",
            next_command="smetsbench installations --help",
        ) from error


def _identity(eui64: Eui64, ezsp: int, seed: int, *, cbke: bool) -> Identity:
    if not cbke:
        return Identity(eui64, ezsp)
    credentials = test_certificates.all_credentials(seed, eui64)
    return Identity(eui64, ezsp, libraries=CBKE_LIBRARIES, credentials=credentials)


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


def _introduce(scene: _Scene, ezsp: int, join: Join, *, show_secrets: bool) -> None:
    screen = errors()
    screen.print(f"dongle {scene.dongle}  EZSP v{ezsp}, join: {join.value}", markup=False)
    screen.print("  made-up firmware of a made-up maker (stand-in)", markup=False)
    for name, code in scene.lines:
        told = f"  install code {code.octets.hex().upper()}"
        screen.print(f"  {name}{told if show_secrets else ''}", markup=False)


def _run(plan: DonglePlan, log: Teller, control: IO[bytes] | None) -> None:
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve_dongle(plan, typer.echo, log, control))
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
