"""``smetsbench bench arm``, ``disarm``, ``dry-run``: what must come before a write."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from emulator.core.clock import UtcMs, iso
from harness.cli.output import console, emit_json, errors
from harness.cli.run import exit_code, watcher
from harness.cli.tables import folded
from harness.data_files import DataOption, overlays
from harness.errors import UsageError
from harness.run_options import RunOptions
from hil import wall_clock
from hil.arming_state import Arming, arm, disarm, dry_run_file, duration_s, refuse_arming
from hil.bench_file import LoadedBench, load_bench
from hil.dry_run import rehearse
from hil.dry_run_report import DryRunReport, load_report
from hil.verbs import CONFIRMED, Verb

_Bench = Annotated[Path, typer.Argument(metavar="FILE", help="Bench file.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(nouns: typer.Typer) -> None:
    """Add the commands to ``bench``."""
    nouns.command("arm")(arm_bench)
    nouns.command("disarm")(disarm_bench)
    nouns.command("dry-run")(dry_run)


def arm_bench(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: _Bench,
    operator: Annotated[str, typer.Option(help="Your name, as the bench file has it.")],
    for_time: Annotated[
        str, typer.Option("--for", help="How long: 90s, 30m, 2h; at most 8h. Then it lapses.")
    ] = "30m",
    confirm: Annotated[
        list[str] | None,
        typer.Option(
            help="The bench's name, in place of typing it; and SUPPLY, KEYS or FIRMWARE, each of"
            " which is then allowed without further question. Repeatable."
        ),
    ] = None,
    data: DataOption = None,
    as_json: _Json = False,
) -> None:
    """Allow writes to the devices on the allow-list, for a time, as the dry run showed them."""
    loaded = load_bench(file, overlays(data))
    for_s, verbs = duration_s(for_time), _confirmed(loaded, confirm or ())
    refuse_arming(loaded, operator, wall_clock.now())
    report = load_report(dry_run_file(file))
    if not as_json:
        _show_report(loaded, report)
    _have_name_typed(loaded, confirm or ())
    arming = arm(loaded, operator=operator, for_s=for_s, confirmed=verbs)
    _tell(loaded, arming, as_json=as_json)


def disarm_bench(file: _Bench, as_json: _Json = False) -> None:
    """Take the arming away; a run that is under way writes nothing any more."""
    was_armed = disarm(file)
    if as_json:
        emit_json({"bench": str(file), "was_armed": was_armed})
        return
    told = "disarmed" if was_armed else "it was not armed"
    console().print(f"{file}: {told}", markup=False)


def dry_run(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: _Bench,
    scenarios: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids or globs.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")] = 1,
    data: DataOption = None,
    as_json: _Json = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Play scenarios on emulated twins, and list every write they would make."""
    folders = overlays(data)
    loaded = load_bench(file, folders)
    options = RunOptions(seed=seed, bench=file, data=folders)
    report, record = rehearse(loaded, scenarios, options, watcher(quiet=quiet))
    place = dry_run_file(file)
    if as_json:
        emit_json({**report.model_dump(mode="json"), "file": str(place)})
    else:
        _show_writes(report)
        console().print(f"report  {place}", markup=False)
    raise typer.Exit(exit_code(record))


def _confirmed(loaded: LoadedBench, words: Sequence[str]) -> list[Verb]:
    """Return the verbs among the words of ``--confirm``; the others must be the bench's name.

    Raises:
        UsageError: A word is neither.
    """
    name = loaded.content.bench.name
    for word in words:
        if word != name and word not in set(CONFIRMED):
            raise UsageError(
                f"{word!r} confirms nothing here",
                where="--confirm",
                cause=f"the bench is called {name!r}; verbs are"
                f" {', '.join(sorted(CONFIRMED))}, word for word",
                next_command=f"smetsbench bench check {loaded.path}",
            )
    return [Verb(word) for word in words if word != name]


def _have_name_typed(loaded: LoadedBench, words: Sequence[str]) -> None:
    """Have a person type the bench's name, unless ``--confirm`` gave it.

    Raises:
        UsageError: Nobody is there to type, or something else was typed.
    """
    name = loaded.content.bench.name
    if name in words:
        return
    typed = ""
    if sys.stdin is not None and sys.stdin.isatty():
        errors().print(f"Type the name of the bench to arm it ({name}): ", end="", markup=False)
        typed = sys.stdin.readline().strip()
    if typed != name:
        raise UsageError(
            "the bench was not armed: its name was not typed",
            where=str(loaded.path),
            cause="arming is a deed of a person; a program gives --confirm NAME",
            next_command=f"smetsbench bench arm {loaded.path} --operator NAME --confirm {name!r}",
        )


def _tell(loaded: LoadedBench, arming: Arming, *, as_json: bool) -> None:
    until = iso(UtcMs(arming.until))
    confirmed = [verb.value for verb in arming.confirmed]
    if as_json:
        emit_json(
            {
                "bench": loaded.content.bench.name,
                "operator": arming.operator,
                "armed_until": until,
                "confirmed": confirmed,
                "allow": list(loaded.content.bench.allow),
                "has_dry_run": arming.dry_run_sha256 is not None,
            }
        )
        return
    screen = console()
    screen.print(f"armed until {until}: {loaded.content.bench.name}", markup=False)
    screen.print(f"  may be written to: {_listed(loaded.content.bench.allow)}", markup=False)
    screen.print(f"  confirmed: {_listed(confirmed)}", markup=False)
    if arming.dry_run_sha256 is None:
        screen.print("  no dry run yet: every write will still be refused", markup=False)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"


def _show_report(loaded: LoadedBench, found: tuple[DryRunReport, str] | None) -> None:
    """Show whoever arms what the dry run found: that is what is being allowed."""
    if found is not None and found[0].bench_sha256 == loaded.sha256:
        _show_writes(found[0])


def _show_writes(report: DryRunReport) -> None:
    screen = console()
    table = folded("scenario", "verdict", "verb", "device", "service", "times", "target")
    for one in report.scenarios:
        if not one.writes:
            table.add_row(one.scenario, one.verdict, "READ", "", "", "", "writes nothing")
        for write in one.writes:
            table.add_row(
                one.scenario,
                one.verdict,
                write.verb.value,
                write.role,
                write.service,
                str(write.times),
                write.target,
            )
    screen.print(f"dry run of {report.bench}, {report.made_at}, seed {report.seed}", markup=False)
    screen.print(table)
