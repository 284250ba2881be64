"""``smetsbench bench``: look at a bench, ask its devices who they are, find what is in the way."""

import importlib.util
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs, iso
from harness.cli.output import console, emit_json, errors
from harness.cli.tables import print_listing
from harness.data_files import DataOption, overlays
from harness.errors import UsageError
from harness.run_options import RunOptions
from hil import cli_arming, cli_dongles, wall_clock
from hil.arming_state import dry_run_file, load_arming
from hil.bench_check import shortcomings
from hil.bench_file import LoadedBench, load_bench, schema_text
from hil.doctor import Doctor
from hil.dry_run_report import load_report
from hil.findings import Finding
from hil.probe import Probed, probe

BenchArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Bench file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

#: Modules with a ``register(nouns)`` of further bench commands, where they are there.
FURTHER: Final = ("hil.learn", "hil.cli_observe", "hil.cli_join")
EXIT_DIFFERENT: Final = 1
_ROLES: Final = ("role", "endpoint", "profile", "EUI-64", "clients with secrets")
EXIT_BENCH: Final = 3


def register(app: typer.Typer) -> None:
    """Add ``bench`` and its commands."""
    nouns = typer.Typer(help="Benches of real and loopback devices.", no_args_is_help=True)
    nouns.command("check")(check)
    nouns.command("probe")(probe_bench)
    nouns.command("doctor")(doctor)
    nouns.command("schema")(schema)
    cli_arming.register(nouns)
    for name in FURTHER:
        if importlib.util.find_spec(name) is not None:
            add: Callable[[typer.Typer], None] = import_module(name).register
            add(nouns)
    app.add_typer(nouns, name="bench")


def check(file: BenchArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Say all that can be said of a bench file without opening a port."""
    loaded = load_bench(file, overlays(data))
    found = shortcomings(loaded, wall_clock.now())
    if as_json:
        emit_json({**_described(loaded), "findings": [one.row() for one in found]})
    else:
        _show_bench(loaded)
        show_findings(found)
    raise typer.Exit(EXIT_DIFFERENT if found else 0)


def probe_bench(
    file: BenchArgument,
    role: Annotated[
        list[str] | None,
        typer.Option(help="Device type or dongle to ask; repeatable; all when left out."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of loopback devices.")] = 1,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the devices who they are and compare with the file; reads only, opens no other port."""
    folders = overlays(data)
    loaded = load_bench(file, folders)
    if loaded.is_emulated:
        raise UsageError(
            "nothing to probe: the devices of this bench are emulated inside a run",
            where=str(file),
            cause="probe asks devices on a line: serial, loopback or replay endpoints",
            next_command=f"smetsbench scenarios --bench {file}",
        )
    options = RunOptions(seed=seed, bench=file, data=folders)
    wanted = [one for one in role or () if one in loaded.content.dongles]
    chosen = _chosen(loaded, [one for one in role or () if one not in wanted])
    lines = chosen or ([] if wanted else loaded.on_lines())
    dongles = cli_dongles.probe(loaded, options, wanted or ([] if chosen else None))
    found = probe(loaded, options, _tell, lines) if lines else []
    if as_json:
        told = {"bench": loaded.content.bench.name, "devices": [one.row() for one in found]}
        emit_json({**told, **({"dongles": [one.row() for one in dongles]} if dongles else {})})
    else:
        cli_dongles.show(dongles)
        for one in found:
            _show_probed(one)
    errors_there = [one.error for one in found] + [one.error for one in dongles]
    if any(error is not None for error in errors_there):
        raise typer.Exit(EXIT_BENCH)
    clean = [one.is_clean for one in found] + [one.is_clean for one in dongles]
    raise typer.Exit(0 if all(clean) else EXIT_DIFFERENT)


def doctor(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Bench file; this computer's ports when left out."),
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name everything that keeps a serial line from working, each with its remedy."""
    physician = Doctor()
    if file is None:
        found = physician.of_machine()
    else:
        loaded = load_bench(file, overlays(data))
        found = [*shortcomings(loaded, wall_clock.now()), *physician.of_bench(loaded)]
    if as_json:
        emit_json({"findings": [one.row() for one in found]})
    else:
        show_findings(found)
    raise typer.Exit(EXIT_DIFFERENT if found else 0)


def schema() -> None:
    """Print the JSON schema of a bench file."""
    typer.echo(schema_text(), nl=False)


def show_findings(found: Sequence[Finding]) -> None:
    """Print findings, each with its remedy; or that there are none."""
    screen = console()
    for finding in found:
        for line in finding.lines():
            screen.print(line, markup=False)
    if not found:
        screen.print("nothing is missing", markup=False)


def _tell(line: str) -> None:
    errors().print(line, markup=False)


def _chosen(loaded: LoadedBench, names: Sequence[str] | None) -> list[DeviceType] | None:
    if not names:
        return None
    roles = loaded.content.roles
    for name in names:
        if name.upper() not in roles:
            raise UsageError(
                f"the bench has no {name.upper()}",
                where=f"{loaded.path}, [roles]",
                cause=f"it has: {', '.join(roles)}",
                next_command=f"smetsbench bench check {loaded.path}",
            )
    return [DeviceType(name.upper()) for name in names]


def _described(loaded: LoadedBench) -> dict[str, Any]:
    """Return what a bench file says, and how the bench stands, as JSON values."""
    general = loaded.content.bench
    arming = load_arming(loaded.path)
    report = load_report(dry_run_file(loaded.path))
    rehearsed = [] if report is None else [one.scenario for one in report[0].scenarios]
    return {
        "bench": general.name,
        "operator": general.operator,
        "expires": None if general.expires is None else general.expires.isoformat(),
        "allow": list(general.allow),
        "sha256": loaded.sha256,
        "roles": {
            role.value: {
                "endpoint": str(section.where),
                "profile": loaded.profiles[role].name if role in loaded.profiles else "",
                "eui64": section.eui64,
                "credentials": sorted(section.credentials),
            }
            for role, section in loaded.content.roles.items()
        },
        **cli_dongles.described(loaded),
        "armed_until": _armed_until(loaded),
        "confirmed": [] if arming is None else [verb.value for verb in arming.confirmed],
        "dry_run": rehearsed,
    }


def _armed_until(loaded: LoadedBench) -> str | None:
    arming = load_arming(loaded.path)
    if arming is None or arming.bench_sha256 != loaded.sha256 or arming.until <= wall_clock.now():
        return None
    return iso(UtcMs(arming.until))


def _show_bench(loaded: LoadedBench) -> None:
    told = _described(loaded)
    screen = console()
    screen.print(f"{told['bench']}, operator {told['operator']}", markup=False)
    rows = []
    for role, row in told["roles"].items():
        clients = ", ".join(row["credentials"]) or "-"
        made_up = "made up from the seed" if row["endpoint"].startswith("loopback") else "unknown"
        model = row["profile"] or "the scenario's"
        rows.append((role, row["endpoint"], model, row["eui64"] or made_up, clients))
    if rows:
        screen.print()
        # A path under /dev/serial/by-id leaves no room beside it on 80 columns.
        print_listing(screen, _ROLES, rows, beside=2)
        screen.print()
    cli_dongles.show_file(loaded)
    lines = {
        "may be written to": ", ".join(told["allow"]) or "no real device",
        "armed": f"until {told['armed_until']}" if told["armed_until"] else "no",
        "dry run of": ", ".join(told["dry_run"]) or "nothing yet",
        "expires": told["expires"] or "never",
    }
    for name, value in lines.items():
        screen.print(f"{name:18} {value}", markup=False)


def _show_probed(one: Probed) -> None:
    screen = console()
    screen.print(Text(f"{one.role}  {one.endpoint}", style="bold"))
    for name, value in one.facts.items():
        screen.print(f"  {name:20} {value}", markup=False)
    for name, why in one.silences.items():
        screen.print(f"  {name:20} - ({why})", markup=False)
    for difference in one.differences:
        told = f"expected {difference.expected}, found {difference.found}"
        screen.print(f"  different: {difference.what}: {told}", markup=False)
    if one.error is not None:
        for line in one.error.lines():
            screen.print(f"  {line}", markup=False)
    elif one.is_clean:
        screen.print("  as expected", markup=False)
