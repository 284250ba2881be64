"""``smetsbench emulate``: one device as a program, for real clients and loopback benches."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from device_profiles.dlms import DlmsSection
from device_profiles.loader import load_profile, profile_names
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.faults import FaultError
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, made_up_eui64
from emulator.devices.defects import DEFECTS, of_smets1
from emulator.devices.smets1 import registry
from emulator.servers import listen
from emulator.servers.errors import ListenError, StateFileError
from emulator.servers.live_line import LineTiming
from emulator.servers.serve import ServePlan, serve
from emulator.servers.served_meter import LineDevice
from harness.cli.served_choices import keys_of, moment_of, wall_clock
from harness.cli.served_talk import CHATTY, Teller, introduce, show_keys
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which device is to be emulated."""

    profile: DeviceProfile
    section: DlmsSection
    eui64: Eui64
    seed: int
    keys: FactoryKeys
    defects: tuple[str, ...]
    overlays: tuple[Path, ...]

    def make(self, now: UtcMs) -> LineDevice:
        """Make the device, new from the factory."""
        return registry.build(
            self.profile.device_type,
            self.eui64,
            self.profile,
            self.seed,
            now,
            self.keys,
            overlays=self.overlays,
            defects=self.defects,
        )


_DEVICE = Annotated[str, typer.Argument(help="What to emulate: esme, gsme or chf.")]
_PROFILE = Annotated[str, typer.Option(help="Device model with a [dlms] section, by name or path.")]
_LISTEN_AT = Annotated[
    list[str], typer.Option("--listen", help=f"Repeatable: {listen.FORMS}; port 0: any.")
]
_PACE = Annotated[
    int | None,
    typer.Option(min=50, max=4_000_000, help="Bits a second: octets take their time."),
]
_TURN_ROUND = Annotated[
    int, typer.Option(min=0, max=10_000, help="Milliseconds before an answer begins.")
]
_FAULT = Annotated[list[str] | None, typer.Option(help="NAME[:key=value,...]@LINK; repeatable.")]
_STATE = Annotated[
    Path | None, typer.Option(help="File that keeps the device's memory over restarts.")
]
_SEED = Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")]
_EUI64 = Annotated[
    str | None, typer.Option(help="Identifier; made up from the seed when left out.")
]
_KEYS = Annotated[
    Path | None, typer.Option(help="TOML file of keys; made from the seed when left out.")
]
_START = Annotated[
    str | None,
    typer.Option(help="First moment of its clock, ISO 8601; else the stored state's, else now."),
]
_CLOCK_FACTOR = Annotated[
    float,
    typer.Option(min=0, max=1e6, help="How much faster its clock runs; 0: only as told."),
]
_DEFECT = Annotated[list[str] | None, typer.Option(help="Build a named defect in; repeatable.")]
_LISTEN_ANYWHERE = Annotated[
    bool, typer.Option("--listen-anywhere", help="Allow an address beyond this machine.")
]
_UNTIL_STDIN_CLOSES = Annotated[
    bool,
    typer.Option(
        "--until-stdin-closes",
        help="Take orders from standard input (power-cut SECONDS, clock MS, disturb FAULT,"
        " save), answer each on standard output, and stop where it ends.",
    ),
]
_SHOW_SECRETS = Annotated[
    bool, typer.Option("--show-secrets", help="Print its made-up keys and passwords.")
]
_VERBOSE = Annotated[bool, typer.Option("-v", "--verbose", help="Tell of single frames too.")]
_QUIET = Annotated[bool, typer.Option("-q", "--quiet", help="Tell nothing.")]


def register(app: typer.Typer) -> None:
    """Add ``emulate``."""
    app.command("emulate")(emulate)


def emulate(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    device: _DEVICE,
    profile: _PROFILE,
    listen_at: _LISTEN_AT,
    pace: _PACE = None,
    turn_round: _TURN_ROUND = 0,
    fault: _FAULT = None,
    state: _STATE = None,
    seed: _SEED = 1,
    eui64: _EUI64 = None,
    keys: _KEYS = None,
    start: _START = None,
    clock_factor: _CLOCK_FACTOR = 1.0,
    defect: _DEFECT = None,
    data: DataOption = None,
    listen_anywhere: _LISTEN_ANYWHERE = False,
    until_stdin_closes: _UNTIL_STDIN_CLOSES = False,
    show_secrets: _SHOW_SECRETS = False,
    verbose: _VERBOSE = False,
    quiet: _QUIET = False,
) -> None:
    """Emulate one device until SIGTERM.

    The addresses to reach it at are the first lines of standard output, one for each --listen in
    order; everything else goes to standard error.
    """
    chosen = _chosen(device, profile, data, eui64, seed, keys, tuple(defect or ()))
    plan = ServePlan(
        profile=chosen.profile,
        eui64=chosen.eui64,
        seed=seed,
        make=chosen.make,
        places=_places(listen_at, anywhere=listen_anywhere),
        start=None if start is None else moment_of(start),
        wall=wall_clock(),
        clock_factor=clock_factor,
        timing=LineTiming(pace, turn_round / 1000),
        faults=tuple(fault or ()),
        state=state,
        control=sys.stdin.buffer if until_stdin_closes else None,
    )
    if not quiet:
        introduce(chosen.profile, chosen.section, chosen.eui64)
    if show_secrets:
        show_keys(chosen.keys)
    hidden = CHATTY if not verbose else frozenset[str]()
    _run(plan, None if quiet else hidden)


def _run(plan: ServePlan, hidden: frozenset[str] | None) -> None:
    """Serve until told to stop.

    Raises:
        UsageError: A place, the stored state, the catalogue or a fault cannot be used.
    """
    try:
        with reading_data():
            asyncio.run(serve(plan, _announce, Teller(hidden), typer.echo))
    except ListenError as error:
        raise UsageError(
            f"nobody can be listened to there: {error.why}",
            where=f"--listen {error.where}",
            cause="a port or link in use, a host of another machine, or a mistyped URL",
            next_command="choose port 0, another name, or --listen-anywhere where you mean it",
        ) from error
    except StateFileError as error:
        raise UsageError(
            f"the stored state cannot be used: {error.why}",
            where=f"--state {error.where}",
            cause="a file of another device, seed or version, or a folder that is not yours",
            next_command="name another --state, or give the --profile, --eui64 and --seed it has",
        ) from error
    except FaultError as error:
        raise UsageError(
            f"a fault means nothing: {error}",
            where="--fault",
            cause="a mistyped name, key or link",
            next_command="smetsbench faults",
        ) from error


def _announce(addresses: Sequence[str]) -> None:
    typer.echo("\n".join(addresses))


# -- choices -----------------------------------------------------------------------------------


def _chosen(  # noqa: PLR0913, PLR0917 -- what the person at the bench chose
    device: str,
    name: str,
    data: list[Path] | None,
    eui64: str | None,
    seed: int,
    keys: Path | None,
    defects: tuple[str, ...],
) -> _Chosen:
    folders = overlays(data)
    with reading_data():
        found = load_profile(name, folders)
    _refuse_other_device(device, found)
    if found.dlms is None:
        with_dlms = [
            each for each in profile_names(folders) if load_profile(each, folders).dlms is not None
        ]
        raise UsageError(
            f"profile {found.name} has no [dlms] section: it says nothing of a serial line",
            where="--profile",
            cause=f"a SMETS2+ model; with such a section: {', '.join(with_dlms) or 'none'}",
            next_command="smetsbench profiles",
        )
    _refuse_unknown_defects(found.device_type, defects)
    identifier = _eui64(eui64, seed, found.name)
    held = keys_of(keys, seed, identifier)
    return _Chosen(found, found.dlms, identifier, seed, held, defects, folders)


def own_defects(kind: DeviceType, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the named defects that a SMETS1 device of a type can have."""
    own = of_smets1(kind, DEFECTS)
    return tuple(name for name in names if name in own)


def _refuse_unknown_defects(kind: DeviceType, names: tuple[str, ...]) -> None:
    own = of_smets1(kind, DEFECTS)
    for name in names:
        if name not in own:
            raise UsageError(
                f"a SMETS1 {kind} can have no defect {name}",
                where="--defect",
                cause=f"there are: {', '.join(own) or 'none'}",
                next_command="smetsbench emulate --help",
            )


def _refuse_other_device(device: str, profile: DeviceProfile) -> None:
    known = {kind.value.lower(): kind for kind in registry.CLASSES}
    if device.lower() not in known:
        raise UsageError(
            f"{device!r} is no device that can be served on a line",
            where="DEVICE",
            cause=f"there are: {', '.join(known)}",
            next_command="smetsbench emulate esme --help",
        )
    if known[device.lower()] is not profile.device_type:
        raise UsageError(
            f"{device.upper()} was asked for, and profile {profile.name} is of another device:"
            f" {profile.device_type}",
            where="--profile",
            cause="the model of another device",
            next_command="smetsbench profiles",
        )


def _eui64(text: str | None, seed: int, profile: str) -> Eui64:
    if text is None:
        return made_up_eui64(seed, profile)
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(str(error), where="--eui64", cause="a mistyped identifier") from error


def _places(texts: Sequence[str], *, anywhere: bool) -> list[listen.Place]:
    try:
        return [listen.parse(text, anywhere=anywhere) for text in texts]
    except ListenError as error:
        raise UsageError(
            error.why,
            where=f"--listen {error.where}",
            cause="a mistyped URL, or an address beyond this machine",
            next_command="--listen tcp://127.0.0.1:0, or --listen-anywhere where you mean it",
        ) from error
