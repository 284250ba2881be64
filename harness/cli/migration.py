"""``smetsbench migration``: make, sign, look into and check the files of a migration."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from device_profiles.cohort import load_cohort
from device_profiles.files import SUBFOLDERS, Folders
from device_profiles.installation import Installation, load_many
from device_profiles.overlay import DATA_VARIABLE, open_overlay
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.cli.output import console, emit_json
from harness.cli.tables import folded
from harness.data_files import DataOption, reading_data
from harness.errors import UsageError
from harness.files import read_octets, write_octets
from harness.formats.migration_files.building import (
    BuiltFile,
    Keys,
    SetBuilder,
    SetPlan,
    build_set,
)
from harness.formats.migration_files.checking import InstallationCheck, files_alone
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.document import octets, type_of
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.folder import check_folder, check_one
from harness.formats.migration_files.from_installations import Planner
from harness.formats.migration_files.groups import GROUPS, rules_of
from harness.formats.migration_files.handover import factory_secrets
from harness.formats.migration_files.inspection import Inspection, inspect_octets
from harness.formats.migration_files.key_choice import made_keys, signing_entry
from harness.formats.migration_files.names import MAX_COUNTER
from harness.formats.migration_files.opening import Opener
from harness.formats.migration_files.parties import (
    SIGNERS,
    TEST_NETWORK_OPERATOR,
    TEST_PARTIES,
    Directory,
    Role,
    parties_in,
)
from harness.formats.migration_files.reading import Context
from harness.formats.migration_files.schema import OVERLAY_FOLDER, MigrationSchema, load_schema
from harness.formats.migration_files.signing import sign as sign_tree
from harness.formats.migration_files.signing import strip, xml_key
from harness.formats.migration_files.words import ProcessingMode
from harness.formats.migration_files.xml_input import octets_of, parse
from harness.keys import open_keystore

#: Where ``build`` puts the keys it made, and ``check`` looks for keys when none are named.
KEYS_FOLDER: Final = "keys"
_MAX_LEDGER_BYTES: Final = 16 * 1024 * 1024

_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_FILE = Annotated[Path, typer.Argument(metavar="FILE", help="A migration file.")]
_OUT_FILE = Annotated[Path, typer.Option("--out", help="File to write.")]
_PATH = Annotated[Path, typer.Argument(metavar="DIR|FILE", help="A migration file, or a folder.")]
_KEYS = Annotated[
    Path | None,
    typer.Option("--keys", help="Key store of the parties; left out: the folder keys beside."),
]


def register(app: typer.Typer, installation_check: InstallationCheck = files_alone) -> None:
    """Add ``migration`` and its commands.

    Args:
        app: The command line.
        installation_check: Rules of installations that ``check`` applies after the files' own.
    """
    nouns = typer.Typer(help="Files of a SMETS1 migration.", no_args_is_help=True)

    def check(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
        path: _PATH,
        keys: _KEYS = None,
        ledger: Annotated[
            Path | None, typer.Option(help="Counters accepted before, JSON; it is not changed.")
        ] = None,
        supplier_view: Annotated[
            bool, typer.Option("--supplier-view", help="What suppliers may see: no counters.")
        ] = False,
        data: DataOption = None,
        as_json: _JSON = False,
    ) -> None:
        """Check files: 0 when all are accepted, 1 when something is refused or unchecked."""
        context = _context(path, keys, overlay_folders(data))
        known = Ledger() if ledger is None else _ledger(ledger)
        if path.is_dir():
            report = check_folder(path, context, known, installation_check)
        else:
            report = check_one(path, context)
        rows = report.rows(for_suppliers=supplier_view)
        if as_json:
            emit_json(rows)
        else:
            _print_report(rows, context.schema, installation_check)
        raise typer.Exit(0 if report.is_clean else 1)

    nouns.command("build")(build)
    nouns.command("sign")(sign)
    nouns.command("inspect")(inspect)
    nouns.command("check")(check)
    app.add_typer(nouns, name="migration")


def build(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    cohort: Annotated[str, typer.Option(help="Cohort key or file.")],
    installations: Annotated[str, typer.Option(help="Installation file.")],
    out: Annotated[Path, typer.Option(help="Folder to write; made when it is not there.")],
    keys: Annotated[
        Path | None, typer.Option(help="Key store of the parties; left out: made from the seed.")
    ] = None,
    counter: Annotated[int, typer.Option(min=0, max=MAX_COUNTER, help="Migration counter.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same files.")] = 1,
    at: Annotated[str, typer.Option(help="When the MCF is made.")] = "2026-03-02T06:00:00Z",
    mode: Annotated[
        ProcessingMode, typer.Option(help="Complete5.8A skips rotation and SIM migration.")
    ] = ProcessingMode.FULL,
    tag: Annotated[str, typer.Option(help="Tag of the Requesting Party in names.")] = "RP",
    plaintext: Annotated[
        bool, typer.Option("--plaintext", help="Group information in plain text (11.1).")
    ] = False,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Make the files of one set: MCF, MVF, MGF, MEF and the manifest, signed and encrypted."""
    folders = overlay_folders(data)
    schema = load_schema(folders)
    with reading_data():
        facts = load_cohort(cohort, folders)
        homes = load_many(installations, folders)
    _refuse_strangers(homes, facts.key)
    rules = rules_of(facts.cohort.group_id, GROUPS)
    moment = _moment(at)
    store = made_keys(seed, moment, homes) if keys is None else open_keystore(keys)
    parties = {**TEST_PARTIES, **(parties_in(store) if keys is not None else {})}
    planner = Planner(store, parties.get(Role.NETWORK_OPERATOR, TEST_NETWORK_OPERATOR), folders)
    with reading_data():
        common = [planner.common(home) for home in homes]
    builder = SetBuilder(SetPlan(rules, tag, counter, moment, mode), Keys(store, parties), schema)
    draw = Chance(seed).stream("migration envelope").octets
    try:
        files = build_set(builder, common, factory_secrets(seed), draw, plaintext=plaintext)
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
    schema = load_schema(overlay_folders(data))
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
    schema = load_schema(overlay_folders(data))
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


def overlay_folders(option: Sequence[Path] | None) -> Folders:
    """Return the overlay folders in use; beside data files they may hold ``schemas``.

    Raises:
        UsageError: One of them is not shaped like ``device_profiles``, or names are not known.
    """
    named = os.environ.get(DATA_VARIABLE)
    given = [*([Path(named)] if named else []), *(option or ())]
    with reading_data():
        return tuple(_opened(folder) for folder in given)


def _opened(folder: Path) -> Path:
    if not (folder / OVERLAY_FOLDER).is_dir():
        return open_overlay(folder)
    known = {*SUBFOLDERS, OVERLAY_FOLDER, "README.md"}
    inside = [path for path in folder.iterdir() if path.name not in known]
    inside += [path for path in (folder / OVERLAY_FOLDER).iterdir() if path.suffix != ".xsd"]
    strange = [path for path in inside if not path.name.startswith(".")]
    if strange:
        raise UsageError(
            "nothing reads this part of the overlay",
            where=str(strange[0]),
            cause="a misspelt name; the schema is schemas/migration.xsd",
            next_command="smetsbench data status --help",
        )
    return folder


def _context(path: Path, keys: Path | None, folders: Folders) -> Context:
    beside = (path if path.is_dir() else path.parent) / KEYS_FOLDER
    if not path.exists():
        raise UsageError(
            "there is no such file or folder",
            where=str(path),
            cause="a mistyped name",
            next_command="smetsbench migration check --help",
        )
    if keys is None and not beside.is_dir():
        raise UsageError(
            "there are no keys to verify signatures with",
            where=str(beside),
            cause="files of others come without their certificates",
            next_command=f"smetsbench migration check {path} --keys KEY-STORE",
        )
    store = open_keystore(keys or beside)
    try:
        opener = Opener.of(store, parties_in(store))
        return Context(load_schema(folders), Directory(store), GROUPS, opener)
    except (MalformedFrameError, ValueError) as error:
        raise UsageError(
            f"a certificate of the key store cannot be read: {error}",
            where=str(keys or beside),
            cause="a certificate of another kind",
            next_command="smetsbench pki new --out keys",
        ) from error


def _ledger(path: Path) -> Ledger:
    try:
        return Ledger.load(read_octets(path, _MAX_LEDGER_BYTES))
    except ValueError as error:
        raise UsageError(
            str(error),
            where=str(path),
            cause="a file of another kind",
            next_command="smetsbench migration check DIR  (without --ledger: nothing before)",
        ) from error


def _refuse_strangers(homes: Sequence[Installation], key: str) -> None:
    for home in homes:
        if home.cohort not in {None, key}:
            raise UsageError(
                f"the installation is of cohort {home.cohort}, not {key}",
                where=home.ref,
                cause="a file of another cohort",
                next_command=f"smetsbench installations new --cohort {key} --out FILE",
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
    console().print(f"wrote {len(rows)} files to {out}; {schema.notice.strip()}", markup=False)


def _print_report(
    rows: dict[str, Any], schema: MigrationSchema, installation_check: InstallationCheck
) -> None:
    files = folded("file", "result", "code", "why", keep=0)
    for row in rows["files"]:
        files.add_row(row["name"], row["result"], _code(row), row["text"])
    console().print(files)
    if rows["installations"]:
        homes = folded("installation", "result", "code", "why", keep=0)
        for row in rows["installations"]:
            homes.add_row(row["ref"], row["result"], _code(row), row["text"])
        console().print(homes)
    for one in rows["sets"]:
        if one["missing"]:
            console().print(f"missing in a set: {', '.join(one['missing'])}", markup=False)
    if installation_check is files_alone:
        console().print("rules of installations were not applied, those of files were")
    if schema.is_stand_in:
        console().print("checked against the shipped stand-in schema", markup=False)


def _code(row: dict[str, Any]) -> str:
    return f"{row['code']} {row['sub_code']}".strip()


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
        screen.print(f"{_code(row)}: {row['text']}", markup=False)
