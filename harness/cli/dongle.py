"""``smetsbench dongle``: an emulated Zigbee dongle, with a home that joins it."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final, TypeVar

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
from harness.cli.dongle_choices import HUB_ROLES, left_out, recorder, refuse_defects, shown_now
from harness.cli.dongle_options import (
    AsRoleOption,
    AuthorityOption,
    CaptureOption,
    CbkeOption,
    ClockFactorOption,
    DefectOption,
    EzspOption,
    FaultOption,
    HanOption,
    HubOption,
    Join,
    JoinOption,
    ListenAtOption,
    PaceOption,
    QuietOption,
    SecureOption,
    SeedOption,
    ShowSecretsOption,
    SinceOption,
    StartOption,
    StateOption,
    Suite,
    SuiteOption,
    UntilStdinClosesOption,
    VerboseOption,
    WithoutOption,
)
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


_SUITES: Final = {Suite.SECT283K1: KeySuite.CBKE_283, Suite.SECT163K1: KeySuite.CBKE_163}


def register(app: typer.Typer) -> None:
    """Add ``dongle``."""
    app.command("dongle")(dongle)


def dongle(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    listen_at: ListenAtOption,
    ezsp: EzspOption = 13,
    han: HanOption = None,
    without: WithoutOption = None,
    hub: HubOption = HubMode.DONGLE,
    as_role: AsRoleOption = None,
    join: JoinOption = Join.INSTALL_CODE,
    secure: SecureOption = None,
    suite: SuiteOption = None,
    authority: AuthorityOption = test_certificates.TEST,
    cbke: CbkeOption = True,
    capture: CaptureOption = None,
    state: StateOption = None,
    fault: FaultOption = None,
    defect: DefectOption = None,
    pace: PaceOption = None,
    clock_factor: ClockFactorOption = 1.0,
    seed: SeedOption = 1,
    start: StartOption = None,
    since: SinceOption = None,
    data: DataOption = None,
    until_stdin_closes: UntilStdinClosesOption = False,
    show_secrets: ShowSecretsOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
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
