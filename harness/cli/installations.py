"""``smetsbench installations``: made-up homes, and a check of your own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from device_profiles.installation import (
    Installation,
    check_profiles,
    load_many,
    render_csv,
    render_toml,
)
from device_profiles.words import InstallationClass, SupplyShape
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import write_octets
from harness.new_installations import Order, generate
from harness.words import counted

_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add ``installations`` and its commands."""
    nouns = typer.Typer(help="Installation files (TOML or CSV).", no_args_is_help=True)
    nouns.command("new")(new)
    nouns.command("check")(check)
    nouns.command("schema")(schema)
    app.add_typer(nouns, name="installations")


def new(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    cohort: Annotated[
        str | None,
        typer.Option(help="Cohort key or file; left out: installations that always were SMETS2+."),
    ] = None,
    count: Annotated[int, typer.Option(help="How many, up to 100,000.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same installations.")] = 1,
    shape: Annotated[
        SupplyShape, typer.Option(help="Which fuels, and whether one supplier serves both.")
    ] = SupplyShape.DUAL_FUEL,
    of_class: Annotated[
        InstallationClass, typer.Option("--class", help="Active, Dormant or Mixed.")
    ] = InstallationClass.ACTIVE,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write: .toml or .csv; standard output (TOML) when left out."),
    ] = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Make installations whose numbers cannot be live (docs/installations.md)."""
    order = Order(count, seed, cohort, shape, of_class)
    with reading_data():
        made = generate(order, overlays(data))
    if out is not None:
        write_file(out, made)
    if as_json:
        emit_json({"count": len(made), "seed": seed, "file": None if out is None else str(out)})
    elif out is None:
        typer.echo(render_toml(made))
    else:
        console().print(f"wrote {counted(len(made), 'installation')} to {out}", markup=False)


def write_file(out: Path, made: tuple[Installation, ...], made_from: Sequence[Path] = ()) -> None:
    """Write installations in the form that the name of the file says.

    Raises:
        UsageError: The name says no form, or nothing can be written there.
    """
    suffix = out.suffix.lower()
    if suffix not in {".toml", ".csv"}:
        raise UsageError(
            "the name does not say which form the file is to have",
            where=str(out),
            cause="the form follows from the name: .toml or .csv",
            next_command="smetsbench installations new --out installations.toml",
        )
    content = render_csv(made) if suffix == ".csv" else render_toml(made)
    write_octets(out, content.encode(), made_from=made_from)


def check(
    file: Annotated[str, typer.Argument(help="Installation file, or name of a shipped one.")],
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Read an installation file and the profiles it names."""
    folders = overlays(data)
    with reading_data():
        found = load_many(file, folders)
        for installation in found:
            check_profiles(installation, folders)
    rows = [_row(installation) for installation in found]
    if as_json:
        emit_json({"installations": rows})
        return
    for row in rows:
        console().print(", ".join(f"{key} {value}" for key, value in row.items()), markup=False)


def _row(installation: Installation) -> dict[str, object]:
    return {
        "ref": installation.ref,
        "cohort": installation.cohort or "none",
        "shape": installation.shape.value,
        "devices": len(installation.devices),
    }


def schema() -> None:
    """Print the JSON schema of an installation."""
    typer.echo(json.dumps(Installation.model_json_schema(by_alias=True), indent=2))
