"""``smetsbench emulate``: one device as a program, for real clients and loopback benches."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles.dlms import Authentication, DlmsSection
from device_profiles.loader import load_profile, profile_names
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs, from_datetime, iso
from emulator.core.effects import Note
from emulator.core.faults import FaultError
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys, load_keys
from emulator.crypto.key_entry import KeyStoreError
from emulator.devices.defects import DEFECTS, of_smets1
from emulator.devices.smets1 import registry
from emulator.servers import listen
from emulator.servers.errors import ListenError, StateFileError
from emulator.servers.live_line import LineTiming
from emulator.servers.serve import ServePlan, serve
from emulator.servers.served_meter import LineDevice
from harness.benches import WALL_CLOCK
from harness.cli.output import errors
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError

#: First octets of the EUI-64 of a device that was given none: locally administered, never live.
EUI64_PREFIX: Final = bytes.fromhex("02534203")
#: Notes of single frames, shown with ``--verbose`` alone.
_CHATTY: Final = frozenset({"line_frame_dropped", "line_link", "ota_progress"})
_STAND_IN: Final = "illustrative, a stand-in: no public document fixes any SMETS1 maker's server"


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


def register(app: typer.Typer) -> None:
    """Add ``emulate``."""
    app.command("emulate")(emulate)


def emulate(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    device: Annotated[str, typer.Argument(help="What to emulate: esme, gsme or chf.")],
    profile: Annotated[
        str, typer.Option(help="Device model with a [dlms] section, by name or path.")
    ],
    listen_at: Annotated[
        list[str], typer.Option("--listen", help=f"Repeatable: {listen.FORMS}; port 0: any.")
    ],
    pace: Annotated[
        int | None,
        typer.Option(min=50, max=4_000_000, help="Bits a second: octets take their time."),
    ] = None,
    turn_round: Annotated[
        int, typer.Option(min=0, max=10_000, help="Milliseconds before an answer begins.")
    ] = 0,
    fault: Annotated[
        list[str] | None, typer.Option(help="NAME[:key=value,...]@LINK; repeatable.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="File that keeps the device's memory over restarts.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")] = 1,
    eui64: Annotated[
        str | None, typer.Option(help="Identifier; made up from the seed when left out.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="TOML file of keys; made from the seed when left out.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="First moment of its clock, ISO 8601; else the stored state's, else now."
        ),
    ] = None,
    clock_factor: Annotated[
        float, typer.Option(min=0.001, max=1e6, help="How much faster its clock runs.")
    ] = 1.0,
    defect: Annotated[
        list[str] | None, typer.Option(help="Build a named defect in; repeatable.")
    ] = None,
    data: DataOption = None,
    listen_anywhere: Annotated[
        bool, typer.Option("--listen-anywhere", help="Allow an address of every interface.")
    ] = False,
    until_stdin_closes: Annotated[
        bool,
        typer.Option(
            "--until-stdin-closes",
            help="Take orders from standard input (power-cut SECONDS), and stop where it ends.",
        ),
    ] = False,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print its made-up keys and passwords.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Tell of single frames too.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Tell nothing.")] = False,
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
        start=None if start is None else _moment(start),
        wall=_wall_clock(),
        clock_factor=clock_factor,
        timing=LineTiming(pace, turn_round / 1000),
        faults=tuple(fault or ()),
        state=state,
        control=sys.stdin.buffer if until_stdin_closes else None,
    )
    if not quiet:
        _introduce(chosen)
    if show_secrets:
        _show_secrets(chosen)
    hidden = _CHATTY if not verbose else frozenset[str]()
    _run(plan, None if quiet else hidden)


def _run(plan: ServePlan, hidden: frozenset[str] | None) -> None:
    """Serve until told to stop.

    Raises:
        UsageError: A place, the stored state, the catalogue or a fault cannot be used.
    """
    try:
        with reading_data():
            asyncio.run(serve(plan, _announce, _Teller(hidden)))
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


class _Teller:
    """Prints notes of the device and its lines."""

    def __init__(self, hidden: frozenset[str] | None) -> None:
        """Take the kinds not to tell; None: tell none at all."""
        self._hidden = hidden
        self._screen = errors()

    def __call__(self, at: UtcMs, note: Note) -> None:
        """Print one note on a line."""
        if self._hidden is None or note.kind in self._hidden:
            return
        fields = " ".join(
            f"{name}={value.hex() if isinstance(value, bytes) else value}"
            for name, value in note.fields
        )
        self._screen.print(f"{iso(at)} {note.kind} {fields}".rstrip(), markup=False)


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
    held = _keys(keys, seed, identifier)
    return _Chosen(found, found.dlms, identifier, seed, held, defects, folders)


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
        return Eui64(EUI64_PREFIX + Stream(seed, f"served/{profile}").octets(4))
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(str(error), where="--eui64", cause="a mistyped identifier") from error


def _keys(path: Path | None, seed: int, eui64: Eui64) -> FactoryKeys:
    if path is None:
        return factory_keys(seed, eui64)
    try:
        return load_keys(path)
    except KeyStoreError as error:
        raise UsageError(
            f"the keys cannot be used: {error}",
            where=f"--keys {path}",
            cause="a file of another form, or a key of another length",
            next_command="leave --keys out to have keys made from the seed",
        ) from error


def _places(texts: Sequence[str], *, anywhere: bool) -> list[listen.Place]:
    try:
        return [listen.parse(text, anywhere=anywhere) for text in texts]
    except ListenError as error:
        raise UsageError(
            error.why,
            where=f"--listen {error.where}",
            cause="a mistyped URL, or an address of every interface",
            next_command="--listen tcp://127.0.0.1:0, or --listen-anywhere where you mean it",
        ) from error


def _moment(text: str) -> UtcMs:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no moment",
            where="--start",
            cause="not ISO 8601; write it like 2026-01-05T09:00:00Z",
        ) from error
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _wall_clock() -> UtcMs:
    module, _, name = WALL_CLOCK.partition(":")
    now: UtcMs = getattr(import_module(module), name)()
    return now


# -- what is told ------------------------------------------------------------------------------

_PROOFS: Final = {
    Authentication.NONE: "no authentication",
    Authentication.LLS: "password (LLS)",
    Authentication.HLS_GMAC: "HLS with GMAC",
    Authentication.HLS_ECDSA: "HLS with ECDSA",
}


def _introduce(chosen: _Chosen) -> None:
    """Say who is emulated, and which clients can connect."""
    screen, section = errors(), chosen.section
    kind = chosen.profile.device_type
    screen.print(f"{kind} {chosen.eui64}  profile {chosen.profile.name}", markup=False)
    screen.print(f"  {_STAND_IN}", markup=False)
    address = section.hdlc.physical_address
    where = f"logical device {section.logical_device}"
    lower = "" if address is None else f", physical device {address}"
    screen.print(f"  server: {where}{lower}; clients that can connect:", markup=False)
    for client in section.associations:
        ciphered = ", ciphered" if client.ciphered else ""
        proof = _PROOFS[client.authentication]
        screen.print(f"    {client.client:3} {client.name}: {proof}{ciphered}", markup=False)


def _show_secrets(chosen: _Chosen) -> None:
    """Print what a client needs to connect; made-up secrets of an emulated device."""
    screen, keys = errors(), chosen.keys
    for name, secret in keys.secrets.items():
        screen.print(f"  secret {name}: {secret.decode('ascii', 'replace')}", markup=False)
    for name in ("unicast", "authentication", "master"):
        screen.print(f"  key {name}: {getattr(keys.keys, name).hex()}", markup=False)
    screen.print(f"  client title: {keys.client_title.hex()}", markup=False)
    screen.print(f"  server title: {keys.server_title.hex()}", markup=False)
