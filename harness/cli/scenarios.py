"""``smetsbench scenarios``: the catalogue, and what of it a bench can run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.bench_offer import Lack, lacks
from harness.cli.output import console, emit_json
from harness.cli.tables import print_listing
from harness.data_files import DataOption, overlays
from harness.run_options import RunOptions
from harness.scenario import Scenario
from harness.setting import Setting


def register(app: typer.Typer) -> None:
    """Add ``scenarios``."""
    app.command("scenarios")(scenarios)


def scenarios(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Ids or globs.")
    ] = None,
    bench: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Bench file: what runs on it, what would unlock more."
        ),
    ] = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the scenarios there are: devices, world, what is expected and how firmly."""
    setting = Setting()
    found = [setting.scenario(name) for name in setting.choose(ids or ["*"])]
    if bench is not None:
        options = RunOptions(bench=bench, data=overlays(data))
        _show_offer(bench, found, lacks(options, found, setting.benches), as_json=as_json)
        return
    if as_json:
        emit_json({"scenarios": [scenario.rows() for scenario in found]})
        return
    _show(found)


def _show(found: list[Scenario]) -> None:
    lines = []
    for scenario in found:
        words = " or ".join(sorted(scenario.expectation.outcomes))
        lines.append(
            (
                scenario.id,
                scenario.title,
                " ".join(scenario.devices),
                scenario.world,
                f"{scenario.expectation.kind.value}: {words}" if words else "uncertain",
                " ".join(sorted(scenario.needs)),
            )
        )
    headings = ("id", "title", "devices", "world", "expected", "needs")
    print_listing(console(), headings, lines, beside=2)


def _show_offer(
    bench: Path, found: list[Scenario], lacking: list[tuple[Lack, ...]], *, as_json: bool
) -> None:
    """Print which scenarios a bench can run, which it skips, and what would unlock those."""
    pairs = list(zip(found, lacking, strict=True))
    if as_json:
        emit_json({"bench": str(bench), "scenarios": [_row(*pair) for pair in pairs]})
        return
    lines = [
        (
            scenario.id,
            scenario.title,
            "skipped: no " + ", no ".join(lack.need for lack in missing) if missing else "runs",
            "; ".join(lack.unlock for lack in missing),
        )
        for scenario, missing in pairs
    ]
    screen = console()
    headings = ("id", "title", "on this bench", "what would unlock it")
    print_listing(screen, headings, lines, beside=2)
    runnable = sum(not missing for _scenario, missing in pairs)
    screen.print(f"{runnable} of {len(pairs)} run on {bench}", markup=False)


def _row(scenario: Scenario, missing: tuple[Lack, ...]) -> dict[str, Any]:
    return {
        "id": scenario.id,
        "title": scenario.title,
        "runs": not missing,
        "lacks": [{"need": lack.need, "unlock": lack.unlock} for lack in missing],
    }
