"""``smetsbench ma``: check a Migration Authorisation before it is handed in."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from device_profiles.cohort import Cohort, cohort_names, load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.dmc import load_dmcs
from device_profiles.epcl import load_epcl
from device_profiles.files import Folders
from device_profiles.installation import load_many
from emulator.core.ids import Eui64
from harness.cli import ma_papers
from harness.cli.ma_report import as_json as rows_of
from harness.cli.ma_report import show
from harness.cli.ma_written import Checked, leave_behind, nothing_written
from harness.cli.output import console, emit_json, errors, stages
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import make_folder, read_octets, refuse_same, write_octets
from harness.formats.authorisation import sealed
from harness.formats.authorisation.columns import Layout, load_column_map, load_layout
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import MAX_FILE_BYTES, Watch
from harness.formats.authorisation.read_rows import Authorisation
from harness.formats.authorisation.reading import read
from harness.formats.migration_files.schema import load_schema
from harness.rules.eligibility import Lists
from harness.rules.migration_authorisation import InstalledDevices
from harness.rules.migration_authorisation_check import check as judge
from harness.rules.migration_authorisation_check import refused_file
from harness.rules.migration_certificates import CertificateRegister
from harness.rules.migration_findings import Question, Report
from harness.rules.migration_precedence import load_provisions, settle
from harness.rules.migration_rulebook import RuleBook, Switches, load_rule_book

_PASSWORD = Annotated[
    Path | None,
    typer.Option(
        "--password", help="MAPASSWORD file of a sealed authorisation; left out: the one beside it."
    ),
]


_FILE = Annotated[
    Path,
    typer.Argument(help="The authorisation: .xlsx, .xlsm, .csv or .xml, or one of them sealed."),
]
_COLUMN_MAP = Annotated[
    Path | None, typer.Option("--map", help="TOML map of other headings, sheets and words.")
]
_COHORT = Annotated[
    str | None,
    typer.Option(help="Cohort key or file; left out: by the SMSO's tag in the file's name."),
]
_SUPPLIER = Annotated[
    str, typer.Option(help="User ID (EUI-64) of the supplier; left out: of the file's name.")
]
_ON = Annotated[
    str, typer.Option("--on", help="Day of the check, YYYY-MM-DD; left out: of the file.")
]
_INVENTORY = Annotated[
    Path | None, typer.Option(help="Installation file: what the SMSO has installed.")
]
_CERTIFICATES = Annotated[
    Path | None, typer.Option(help="CSV of known certificates: serial,issuer,role,party.")
]
_DISABLE = Annotated[
    list[str] | None, typer.Option("--disable", help="Rule that is not asked; repeatable.")
]
_FORCE = Annotated[
    list[str] | None,
    typer.Option("--force-rule", help="Rule asked on days on which it does not hold."),
]
_OVERRIDE = Annotated[
    list[str] | None,
    typer.Option("--override", help="Rule whose rejection is told, and stops nothing."),
]
_MAM = Annotated[
    Path | None,
    typer.Option(help="CSV of what your MAM says of rules: rule,clause,effect; TMAD prevails."),
]
_OUT = Annotated[
    Path | None, typer.Option(help="Folder for what is written; left out: beside the file.")
]
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add ``ma`` and its commands."""
    ma = typer.Typer(help="Migration Authorisations.", no_args_is_help=True)

    @ma.callback()
    def root() -> None:
        """Migration Authorisations."""

    ma.command("check")(check)
    ma.command("seal")(seal)
    ma.command("open")(unseal)
    ma_papers.register(ma)
    app.add_typer(ma, name="ma")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for, read."""

    layout: Layout
    question: Question


def check(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: _FILE,
    column_map: _COLUMN_MAP = None,
    cohort: _COHORT = None,
    supplier: _SUPPLIER = "",
    on: _ON = "",
    inventory: _INVENTORY = None,
    certificates: _CERTIFICATES = None,
    disable: _DISABLE = None,
    force: _FORCE = None,
    override: _OVERRIDE = None,
    mam: _MAM = None,
    out: _OUT = None,
    password: _PASSWORD = None,
    data: DataOption = None,
    as_json: _AS_JSON = False,
) -> None:
    """Check and repair an authorisation: 0 clean, 1 something repaired or refused.

    Macros are never run. Writes the repaired file, the MCF it would become, its installations,
    every finding with its cell, and the refused lines as they stood.
    """
    folders = overlays(data)
    with reading_data():
        switches = Switches(
            frozenset(disable or ()), frozenset(force or ()), frozenset(override or ())
        )
        asked = _asked(file, column_map, cohort, supplier, folders)
        switches = _under_tmad(asked.question.book, mam, switches)
        question = _with_files(asked.question, _day(on), inventory, certificates, switches)
    written = nothing_written()
    with TemporaryDirectory() as scratch, stages() as watch:
        report, authorisation = _judged(
            file, password, asked.layout, question, Path(scratch), watch
        )
        if authorisation is not None:
            folder, schema = make_folder(file.parent if out is None else out), load_schema(folders)
            checked = Checked(authorisation, report, question, asked.layout)
            written = leave_behind(checked, schema, folder, watch)
    if as_json:
        emit_json(rows_of(file, report, authorisation, question, written))
    else:
        show(file, report, question, written)
    raise typer.Exit(0 if report.clean else 1)


def _asked(
    file: Path, column_map: Path | None, cohort: str | None, supplier: str, folders: Folders
) -> _Asked:
    """Read the tables, the user's map, and the cohort."""
    plain = load_layout(folders)
    layout = plain
    if column_map is not None:
        layout = load_layout(folders, load_column_map(column_map, plain.columns))
    cpl = load_cpl(folders)
    dmcs = load_dmcs(cpl, folders)
    lists = Lists(cpl, load_epcl(cpl, dmcs, folders), dmcs)
    question = Question(
        load_rule_book(folders),
        lists,
        cohort=_cohort(file, cohort, folders),
        authoriser=_user_id(supplier),
    )
    return _Asked(layout, question)


def _under_tmad(book: RuleBook, mam: Path | None, switches: Switches) -> Switches:
    """Return the switches with what the MAM's file may decide; the rest of it is told (R-027)."""
    if mam is None:
        return switches
    found = settle(book, load_provisions(mam), switches)
    for one in found.overruled:
        errors().print(f"note: {one.text()}", markup=False)
    return found.switches


def _with_files(
    question: Question,
    day: date | None,
    inventory: Path | None,
    certificates: Path | None,
    switches: Switches,
) -> Question:
    """Add what the optional files tell."""
    switches.refuse_unknown(question.book)
    installed = None if inventory is None else InstalledDevices(load_many(inventory))
    register_ = None if certificates is None else CertificateRegister.load(certificates)
    return Question(
        question.book,
        question.lists,
        question.cohort,
        day,
        question.authoriser,
        installed,
        register_,
        switches,
    )


def _cohort(file: Path, asked: str | None, folders: Folders) -> Cohort | None:
    if asked is not None:
        return load_cohort(asked, folders)
    name = AuthorisationName.of_file(file.with_name(file.name.removesuffix(sealed.ENDING)))
    if name is None:
        return None
    known = [load_cohort(key, folders) for key in cohort_names(folders)]
    return next((one for one in known if name.has_tag(one.cohort.smso_tag)), None)


def _user_id(text: str) -> str:
    if not text:
        return ""
    try:
        return str(Eui64.parse(text))
    except ValueError as error:
        raise UsageError(str(error), where="--supplier", cause="a mistyped User ID") from error


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        # A calendar day has no zone.
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - see above
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no day", where="--on", cause="write it like 2021-03-31"
        ) from error


def _judged(  # noqa: PLR0913, PLR0917 -- what is asked, with what, where, and who looks on
    file: Path,
    password: Path | None,
    layout: Layout,
    question: Question,
    scratch: Path,
    watch: Watch,
) -> tuple[Report, Authorisation | None]:
    if not file.is_file():
        raise UsageError(
            "that is a folder" if file.is_dir() else "there is no such file",
            where=str(file),
            cause="a mistyped name",
            next_command="smetsbench ma check --help",
        )
    repairs = "7.3.2" not in question.switches.disabled
    try:
        plain = file
        if file.name.endswith(sealed.ENDING):
            plain = scratch / file.name.removesuffix(sealed.ENDING)
            write_octets(plain, sealed.unseal_file(file, password))
        authorisation = read(plain, layout, repairs=repairs, watch=watch)
    except AuthorisationFileError as error:
        return refused_file(question.book, error), None
    return judge(authorisation, question, watch), authorisation


def seal(
    file: Annotated[Path, typer.Argument(help="The authorisation.")],
    password: Annotated[
        Path, typer.Option("--password", help="MAPASSWORD file: a column PassPhrase, one line.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to write; left out: beside it, ending .sealed.")
    ] = None,
) -> None:
    """Seal an authorisation under the pass phrase of its MAPASSWORD file (a stand-in)."""
    target = file.with_name(file.name + sealed.ENDING) if out is None else out
    try:
        phrase = sealed.read_phrase(password)
    except AuthorisationFileError as error:
        raise _unopened(error, password) from error
    octets = sealed.seal(read_octets(file, MAX_FILE_BYTES), file.name, phrase)
    write_octets(target, octets, made_from=[file, password])
    console().print(f"sealed: {target}", markup=False)


def unseal(
    file: Annotated[Path, typer.Argument(help="The sealed authorisation.")],
    password: _PASSWORD = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; left out: beside it, without .sealed.")
    ] = None,
) -> None:
    """Open a sealed authorisation: with its MAPASSWORD file, named or beside it."""
    target = file.with_name(file.name.removesuffix(sealed.ENDING)) if out is None else out
    refuse_same(target, file)
    try:
        plain = sealed.unseal_file(file, password)
    except AuthorisationFileError as error:
        raise _unopened(error, file) from error
    write_octets(target, plain, made_from=[file])
    console().print(f"opened: {target}", markup=False)


def _unopened(error: AuthorisationFileError, file: Path) -> UsageError:
    return UsageError(
        error.why,
        where=str(file),
        cause="another MAPASSWORD file, or a file that is no sealed authorisation",
        next_command="smetsbench ma open --help",
    )
