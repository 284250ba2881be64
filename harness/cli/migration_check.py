"""``smetsbench migration check``: files of a migration, checked by the rule tables."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from device_profiles.cohort import load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.dmc import load_dmcs
from device_profiles.epcl import load_epcl
from device_profiles.files import Folders
from emulator.core.clock import to_datetime
from emulator.core.errors import MalformedFrameError
from harness.cli.output import console, emit_json
from harness.cli.tables import folded
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import read_octets
from harness.formats.migration_files.checking import InstallationCheck
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.folder import FolderReport, check_folder, check_one
from harness.formats.migration_files.groups import load_groups
from harness.formats.migration_files.opening import Opener
from harness.formats.migration_files.parties import Directory, parties_in, register_of
from harness.formats.migration_files.reading import Context
from harness.formats.migration_files.schema import MigrationSchema, load_schema
from harness.formats.migration_files.view import InstallationView
from harness.keys import open_keystore
from harness.rules.eligibility import Lists
from harness.rules.migration_installation import CommonFacts, InstallationRules, shared_in
from harness.rules.migration_rulebook import Switches, load_rule_book
from harness.rules.outcomes import Outcome

#: Where ``build`` puts the keys it made, and ``check`` looks for keys when none are named.
KEYS_FOLDER: Final = "keys"
_MAX_LEDGER_BYTES: Final = 16 * 1024 * 1024
_LEDGER_LIKE: Final = (
    '{"highest": [{"requesting_party": "02-53-42-00-00-E1-00-00", "group_id": "EA", '
    '"counter": 41}], "completed": []}'
)

_PATH = Annotated[Path, typer.Argument(metavar="DIR|FILE", help="A migration file, or a folder.")]
_KEYS = Annotated[
    Path | None,
    typer.Option("--keys", help="Key store of the parties; left out: the folder keys beside."),
]
_LEDGER = Annotated[
    Path | None, typer.Option("--ledger", help="Counters accepted before, JSON; it is not changed.")
]
_COHORT = Annotated[list[str] | None, typer.Option(help="Cohort file of your own; repeatable.")]
_SUPPLIER_VIEW = Annotated[
    bool, typer.Option("--supplier-view", help="What suppliers may see: no counters.")
]
_RULES = list[str] | None
_DISABLE = Annotated[_RULES, typer.Option(help="Rule that is not asked; repeatable.")]
_FORCE = Annotated[
    _RULES, typer.Option("--force-rule", help="Rule asked on days on which it does not hold.")
]
_OVERRIDE = Annotated[_RULES, typer.Option(help="Rule whose rejection stops nothing.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def check_command(installation_check: InstallationCheck | None) -> Callable[..., None]:
    """Return the command.

    Args:
        installation_check: Rules of installations; None: those of the rule tables.
    """

    def check(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
        path: _PATH,
        keys: _KEYS = None,
        ledger: _LEDGER = None,
        cohort: _COHORT = None,
        supplier_view: _SUPPLIER_VIEW = False,
        disable: _DISABLE = None,
        force: _FORCE = None,
        override: _OVERRIDE = None,
        data: DataOption = None,
        as_json: _JSON = False,
    ) -> None:
        """Check files: 0 when all are accepted, 1 when something is refused or unchecked."""
        switches = Switches(
            frozenset(disable or ()), frozenset(force or ()), frozenset(override or ())
        )
        context = _context(path, keys, overlays(data), cohort or (), switches)
        rules = installation_check or _rules_of(context, path, keys, overlays(data))
        known = Ledger() if ledger is None else _ledger(ledger)
        if path.is_dir():
            report = check_folder(path, context, known, rules)
        else:
            report = check_one(path, context, known, rules)
        rows = report.rows(for_suppliers=supplier_view, book=context.book)
        if as_json:
            emit_json(rows)
        else:
            _print_report(rows, report, context.schema)
        raise typer.Exit(0 if report.is_clean else 1)

    return check


def _beside(path: Path) -> Path:
    return (path if path.is_dir() else path.parent) / KEYS_FOLDER


def _context(
    path: Path,
    keys: Path | None,
    folders: Folders,
    cohorts: Sequence[str],
    switches: Switches,
) -> Context:
    beside = _beside(path)
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
    with reading_data():
        groups = load_groups(folders, [load_cohort(one, folders) for one in cohorts])
        book = load_rule_book(folders)
        switches.refuse_unknown(book)
    try:
        opener = Opener.of(store, parties_in(store))
        return Context(load_schema(folders), Directory(store), groups, opener, book, switches)
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
            cause=f"a file of another kind; a ledger looks like {_LEDGER_LIKE}",
            next_command="smetsbench migration check DIR  (without --ledger: nothing before)",
        ) from error


def _rules_of(
    context: Context, path: Path, keys: Path | None, folders: Folders
) -> InstallationCheck:
    """Return the rules of the tables as a check of one installation's files."""
    with reading_data():
        cpl = load_cpl(folders)
        dmcs = load_dmcs(cpl, folders)
        lists = Lists(cpl, load_epcl(cpl, dmcs, folders), dmcs)
    register = register_of(open_keystore(keys or _beside(path)))
    rules = InstallationRules(context.book, lists, register, context.switches)
    counted: tuple[tuple[CommonInstallation, ...], frozenset[str]] = ((), frozenset())

    def ask(view: InstallationView) -> tuple[Outcome, ...]:
        nonlocal counted
        if view.beside is not counted[0]:  # once a file, not once an installation
            counted = (view.beside, shared_in(view.beside))
        facts = CommonFacts(view.header, view.cohort, view.common, counted[1])
        return rules.ask(facts, to_datetime(view.header.created_at).date())

    return ask


def _print_report(rows: dict[str, Any], report: FolderReport, schema: MigrationSchema) -> None:
    files = folded("file", "result", "code", "why", keep=0)
    for row in rows["files"]:
        files.add_row(row["name"], row["result"], code_of(row), row["text"])
    console().print(files)
    if rows["installations"]:
        homes = folded("installation", "result", "code", "why", keep=0)
        for row in rows["installations"]:
            homes.add_row(row["ref"], row["result"], code_of(row), row["text"])
        console().print(homes)
    for missing in report.missing():
        if missing:
            console().print(f"missing in a set: {', '.join(missing)}", markup=False)
    for where, told in report.warnings():
        console().print(f"warning: {where}: {told.code} {told.sub_code}: {told.text}", markup=False)
    if schema.is_stand_in:
        console().print("checked against the shipped stand-in schema", markup=False)


def code_of(row: dict[str, Any]) -> str:
    """Return code and sub-code of a row as people read them."""
    return f"{row['code']} {row['sub_code']}".strip()
