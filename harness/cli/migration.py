"""``smetsbench migration``: make, sign, look into and check the files of a migration."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from device_profiles.cohort import Cohort, load_cohort
from device_profiles.installation import Installation, load_many
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.cli import migration_run
from harness.cli.migration_check import KEYS_FOLDER, check_command, code_of
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import write_octets
from harness.formats.migration_files.building import (
    BuiltFile,
    Keys,
    SetBuilder,
    SetPlan,
    build_set,
)
from harness.formats.migration_files.checking import InstallationCheck
from harness.formats.migration_files.document import octets, type_of
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.from_installations import Planner
from harness.formats.migration_files.handover import factory_secrets
from harness.formats.migration_files.inspection import Inspection, inspect_octets
from harness.formats.migration_files.key_choice import made_keys, signing_entry
from harness.formats.migration_files.names import MAX_COUNTER
from harness.formats.migration_files.parties import (
    SIGNERS,
    TEST_NETWORK_OPERATOR,
    TEST_PARTIES,
    Role,
    parties_in,
)
from harness.formats.migration_files.schema import MigrationSchema, load_schema
from harness.formats.migration_files.signing import sign as sign_tree
from harness.formats.migration_files.signing import strip, xml_key
from harness.formats.migration_files.words import ProcessingMode
from harness.formats.migration_files.xml_input import octets_of, parse
from harness.keys import open_keystore
from harness.rules.migration_rulebook import load_rule_book
from harness.words import counted

_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_FILE = Annotated[Path, typer.Argument(metavar="FILE", help="A migration file.")]
_OUT_FILE = Annotated[Path, typer.Option("--out", help="File to write.")]


_COHORT = Annotated[str, typer.Option(help="Cohort key or file.")]
_INSTALLATIONS = Annotated[str, typer.Option(help="Installation file.")]
_OUT = Annotated[Path, typer.Option(help="Folder to write; made when it is not there.")]
_KEYS = Annotated[
    Path | None, typer.Option(help="Key store of the parties; left out: made from the seed.")
]
_COUNTER = Annotated[int, typer.Option(min=1, max=MAX_COUNTER, help="Migration counter.")]
_SEED = Annotated[int, typer.Option(min=0, help="Same seed, same files.")]
_AT = Annotated[str, typer.Option(help="When the MCF is made.")]
_MODE = Annotated[
    ProcessingMode, typer.Option(help="Complete5.8A skips rotation and SIM migration.")
]
_TAG = Annotated[str, typer.Option(help="Tag of the Requesting Party in names.")]
_PLAINTEXT = Annotated[
    bool, typer.Option("--plaintext", help="Group information in plain text (11.1).")
]


def register(app: typer.Typer, installation_check: InstallationCheck | None = None) -> None:
    """Add ``migration`` and its commands.

    Args:
        app: The command line.
        installation_check: Rules of installations that ``check`` applies after the files' own;
            None: those of the rule tables.
    """
    nouns = typer.Typer(help="Files and runs of SMETS1 migrations.", no_args_is_help=True)
    nouns.command("build")(build)
    nouns.command("sign")(sign)
    nouns.command("inspect")(inspect)
    nouns.command("check")(check_command(installation_check))
    migration_run.register(nouns)
    app.add_typer(nouns, name="migration")


def build(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    cohort: _COHORT,
    installations: _INSTALLATIONS,
    out: _OUT,
    keys: _KEYS = None,
    counter: _COUNTER = 1,
    seed: _SEED = 1,
    at: _AT = "2021-06-07T06:00:00Z",
    mode: _MODE = ProcessingMode.FULL,
    tag: _TAG = "RP",
    plaintext: _PLAINTEXT = False,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Make the files of one set: MCF, MVF, MGF, MEF and the manifest, signed and encrypted."""
    folders = overlays(data)
    schema = load_schema(folders)
    with reading_data():
        facts = load_cohort(cohort, folders)
        homes = load_many(installations, folders)
    _refuse_strangers(homes, facts.key)
    _refuse_closed(facts)
    moment = _moment(at)
    store = made_keys(seed, moment, homes) if keys is None else open_keystore(keys)
    parties = {**TEST_PARTIES, **(parties_in(store) if keys is not None else {})}
    planner = Planner(store, parties.get(Role.NETWORK_OPERATOR, TEST_NETWORK_OPERATOR), folders)
    with reading_data():
        common = [planner.migrating(home, facts) for home in homes]
        binds = load_rule_book(folders).settings.envelope_binds_requesting_party
    plan = SetPlan(facts, tag, counter, moment, mode, binds)
    builder = SetBuilder(plan, Keys(store, parties), schema)
    draw = Chance(seed).stream("migration envelope").octets
    try:
        files = build_set(
            builder, common, factory_secrets(seed, facts.envelope), draw, plaintext=plaintext
        )
    except ValueError as error:
        raise UsageError(
            f"the files cannot be made: {error}",
            where="--keys" if keys is not None else "--tag",
            cause="a key store without the keys of every role",
            next_command="smetsbench migration build --help",
        ) from error
    _write_set(out, files, store if keys is None else None)
    _tell_built(out, files, schema, as_json=as_json)


def sign(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: _FILE,
    key: Annotated[Path, typer.Option(help="Key store, or one .key file of it.")],
    out: _OUT_FILE,
    party: Annotated[str | None, typer.Option(help="EUI-64 of the signer, of several.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Sign anew what is signed already.")
    ] = False,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Sign a file as it stands: whether it is right, and the signer the due one, check says."""
    schema = load_schema(overlays(data))
    root = parse(octets_of(file), schema.namespace)
    if strip(root) and not replace:
        raise UsageError(
            "the file is signed already",
            where=str(file),
            cause="a file that was sent, or signed before",
            next_command=f"smetsbench migration sign {file} --replace …",
        )
    kind = type_of(root, schema)
    wanted = None if kind is None else SIGNERS[kind]
    entry = signing_entry(key, None if party is None else _eui64(party), wanted)
    sign_tree(root, xml_key(entry))
    write_octets(out, octets(root, schema), made_from=[file])
    if as_json:
        emit_json({"file": str(file), "out": str(out), "signer": str(entry.eui64)})
    else:
        console().print(f"signed by {entry.eui64}, written to {out}", markup=False)


def inspect(file: _FILE, data: DataOption = None, as_json: _JSON = False) -> None:
    """Say what is in a file; nothing is verified, nothing is opened."""
    schema = load_schema(overlays(data))
    try:
        found = inspect_octets(file.name, octets_of(file), schema)
    except MigrationFileError as error:
        found = Inspection(file.name, file.stat().st_size, "", findings=(error.finding,))
    rows = found.rows(schema)
    if as_json:
        emit_json(rows)
    else:
        _print_inspection(rows)
    raise typer.Exit(1 if found.findings else 0)


def _refuse_strangers(homes: Sequence[Installation], key: str) -> None:
    for home in homes:
        if home.cohort not in {None, key}:
            raise UsageError(
                f"the installation is of cohort {home.cohort}, not {key}",
                where=home.ref,
                cause="a file of another cohort",
                next_command=f"smetsbench installations new --cohort {key} --out FILE",
            )


def _refuse_closed(facts: Cohort) -> None:
    if not facts.cohort.migratable:
        raise UsageError(
            f"X-GROUP 02: GroupID {facts.cohort.group_id}: {facts.cohort.not_migrated_because}",
            where="--cohort",
            cause="a cohort whose files can be read, and are refused",
            next_command="smetsbench profiles",
        )


def _write_set(out: Path, files: Sequence[BuiltFile], made: KeyStore | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for file in files:
        write_octets(out / file.name, file.octets)
    if made is not None:
        made.to_folder(out / KEYS_FOLDER)


def _eui64(text: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(str(error), where="--party", cause="a typing error") from error


def _moment(text: str) -> UtcMs:
    try:
        return from_datetime(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"not a moment: {text!r} (write it like 2026-03-02T06:00:00Z)",
            where="--at",
            cause="no date and time with its offset from UTC",
        ) from error


def _tell_built(
    out: Path, files: Sequence[BuiltFile], schema: MigrationSchema, *, as_json: bool
) -> None:
    rows = [
        {"name": file.name, "type": str(file.file.header.file_type), "sha256": file.sha256}
        for file in files
    ]
    if as_json:
        emit_json({"out": str(out), "stand_in_schema": schema.is_stand_in, "files": rows})
        return
    for row in rows:
        console().print(f"{row['type']}  {row['name']}", markup=False)
    console().print(
        f"wrote {counted(len(rows), 'file')} to {out}; {schema.notice.strip()}", markup=False
    )


def _print_inspection(rows: dict[str, Any]) -> None:
    screen = console()
    for key in ("name", "size_bytes", "sha256", "root", "namespace", "stand_in_schema"):
        screen.print(f"{key}: {rows[key]}", markup=False)
    for part in ("header", "signature"):
        for key, value in (rows[part] or {}).items():
            screen.print(f"{part} {key}: {value}", markup=False)
    for row in rows["content"]:
        screen.print(", ".join(f"{key} {value}" for key, value in row.items()), markup=False)
    for row in rows["findings"]:
        screen.print(f"{code_of(row)}: {row['text']}", markup=False)
