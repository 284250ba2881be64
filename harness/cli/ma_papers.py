"""``smetsbench ma`` for the other papers: signing, pass phrases, demand files, notifications."""

import sys
from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from device_profiles.cohort import load_cohort
from device_profiles.errors import DataError
from device_profiles.installation import Installation, load_many
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.cli.output import console, emit_json, errors
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import make_folder, read_octets, write_octets
from harness.formats.authorisation import sealed, signed
from harness.formats.authorisation.columns import load_layout
from harness.formats.authorisation.demand_file import DemandName, read_demand
from harness.formats.authorisation.dormant_schedule import (
    LineFinding,
    check_firmware,
    check_schedule,
    read_notification,
)
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import MAX_FILE_BYTES, FileKind
from harness.formats.authorisation.made import Maker, render
from harness.formats.authorisation.paper_kind import PaperKind, kind_of_paper, read_retries, stem_of
from harness.formats.authorisation.writing import ENDINGS
from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.key_choice import signing_entry
from harness.formats.migration_files.notifications import DormantFirmwareLine, DormantMeterLine
from harness.formats.migration_files.parties import TEST_NETWORK_OPERATOR, Directory
from harness.formats.migration_files.signing import xml_key
from harness.formats.migration_files.xml_input import octets_of
from harness.keys import open_keystore
from harness.rules.migration_rulebook import load_rule_book
from harness.words import counted

#: Time of day in the names of papers. Source: stand-in.
_MADE_AT: Final = time(6)
#: Largest file with a pass phrase that is read.
_MAX_PHRASE_BYTES: Final = 4096
_FILE = Annotated[Path, typer.Argument(help="The paper.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(ma: typer.Typer) -> None:
    """Add the verbs to ``ma``."""
    ma.command("write")(write)
    ma.command("password")(password)
    ma.command("sign")(sign)
    ma.command("verify")(verify)
    ma.command("paper")(paper)


def write(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    installations: Annotated[Path, typer.Argument(help="Installation file.")],
    cohort: Annotated[str, typer.Option(help="Cohort key or file.")],
    supplier: Annotated[str, typer.Option(help="User ID (EUI-64) of the supplier.")],
    earliest: Annotated[str, typer.Option(help="First day of the window, YYYY-MM-DD.")],
    latest: Annotated[str, typer.Option(help="Last day of the window, YYYY-MM-DD.")],
    keys: Annotated[Path, typer.Option(help="Key store with the certificates that are named.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a workbook.")] = False,
    data: DataOption = None,
) -> None:
    """Write a Migration Authorisation of installations, named as the samples are."""
    folders = overlays(data)
    window = (_day(earliest, "--earliest"), _day(latest, "--latest"))
    with reading_data():
        homes = load_many(installations, folders)
        tag = load_cohort(cohort, folders).cohort.smso_tag
        layout = load_layout(folders)
    store = open_keystore(keys)
    maker = Maker(store, TEST_NETWORK_OPERATOR)
    try:
        lines = [maker.line(home, window) for home in homes]
    except ValueError as error:
        raise UsageError(str(error), where=str(installations)) from error
    kind = FileKind.CSV if csv else FileKind.WORKBOOK
    name = AuthorisationName(
        "MA", tag, _eui64(supplier, "--supplier"), datetime.combine(window[0], _MADE_AT)
    )
    path = make_folder(out) / f"{name}{ENDINGS[kind]}"
    write_octets(path, render(lines, layout, kind), made_from=[installations])
    console().print(f"wrote {path}: {counted(len(lines), 'installation')}", markup=False)
    for party in _not_held(store, homes):
        told = f"note: no certificates of {party} in {keys}: its Certificate IDs are Null"
        errors().print(told, markup=False)


def _not_held(store: KeyStore, homes: Iterable[Installation]) -> list[Eui64]:
    """Return whose certificates an authorisation should name and the key store has not."""
    named = {Eui64.parse(one.supplier) for home in homes for one in home.devices}
    found = (one for one in {*named, TEST_NETWORK_OPERATOR} if store.find(one, KeyUsage.DS) is None)
    return sorted(found)


def password(
    authorisation: Annotated[Path, typer.Argument(help="The authorisation it is for.")],
    phrase: Annotated[
        str | None, typer.Option(help="The pass phrase; asked for if left out.")
    ] = None,
    phrase_file: Annotated[
        Path | None,
        typer.Option(help="File with the pass phrase alone, or - (stdin).", allow_dash=True),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; left out: beside it, with its name.")
    ] = None,
) -> None:
    """Write the MAPASSWORD file of an authorisation."""
    name = AuthorisationName.parse(stem_of(authorisation.name))
    if name is None and out is None:
        raise UsageError(
            "the file is not named as authorisations are",
            where=str(authorisation),
            cause="a name of its own",
            next_command="give --out FILE",
        )
    beside = authorisation if name is None else authorisation.with_name(_companion(name))
    target = out or beside
    chosen = _phrase(authorisation, phrase, phrase_file)
    write_octets(target, sealed.render_phrase(chosen).encode(), made_from=[authorisation])
    console().print(f"wrote {target}", markup=False)


def _phrase(authorisation: Path, given: str | None, file: Path | None) -> str:
    """Return the pass phrase: given, read, or asked for where somebody can be asked.

    Raises:
        UsageError: It is given twice, or not at all, or cannot be read.
    """
    if given is not None and file is not None:
        raise UsageError(
            "the pass phrase is given twice", where="--phrase, --phrase-file", cause="one too many"
        )
    if given is not None:
        return given
    if file is not None:
        octets = (
            sys.stdin.buffer.read(_MAX_PHRASE_BYTES + 1)
            if str(file) == "-"
            else read_octets(file, _MAX_PHRASE_BYTES)
        )
        return _text(octets, file)
    if not sys.stdin.isatty():
        raise UsageError(
            "the pass phrase cannot be asked for: there is no terminal",
            where="standard input",
            cause="the command runs in a script or a pipe",
            next_command=f"smetsbench ma password {authorisation} --phrase-file FILE   (or -)",
        )
    return str(typer.prompt("Phrase", hide_input=True, err=True))


def _text(octets: bytes, file: Path) -> str:
    try:
        return octets.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError(
            "the file holds no pass phrase: it is no text",
            where=str(file),
            cause="another file",
            next_command="smetsbench ma password --help",
        ) from error


def _companion(name: AuthorisationName) -> str:
    return f"{AuthorisationName('MAPASSWORD', name.tag, name.user_id, name.at)}.csv"


def sign(
    file: _FILE,
    key: Annotated[Path, typer.Option(help="Key store, or one .key file of a folder of keys.")],
    party: Annotated[
        str, typer.Option(help="Whose key (EUI-64); the only one's if left out.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="File to write; left out: beside it, ending .signed.")
    ] = None,
) -> None:
    """Sign a paper (MAM 7.5.3; the form is a stand-in)."""
    entry = signing_entry(key, _eui64(party, "--party") if party else None, None)
    octets = signed.sign(read_octets(file, MAX_FILE_BYTES), file.name, xml_key(entry))
    target = out or file.with_name(file.name + signed.ENDING)
    write_octets(target, octets, made_from=[file])
    console().print(f"signed by {entry.eui64}: {target}", markup=False)


def verify(
    file: Annotated[Path, typer.Argument(help="The signed paper.")],
    keys: Annotated[Path, typer.Option(help="Key store with the certificates of who may sign.")],
    party: Annotated[str, typer.Option(help="Who must have signed it; anybody if left out.")] = "",
    out: Annotated[Path | None, typer.Option(help="File to write the paper itself to.")] = None,
    as_json: _JSON = False,
) -> None:
    """Verify a signed paper: 0 the signature holds, 1 and the code that refuses it."""
    expected = frozenset({_eui64(party, "--party")} if party else ())
    try:
        octets = octets_of(file)
        if not signed.is_signed(octets):
            raise signed.unsigned()
        found = signed.open_signed(octets, Directory(open_keystore(keys)), expected)
    except MigrationFileError as error:
        raise _refused(error, file, keys) from error
    if out is not None:
        write_octets(out, found.octets, made_from=[file])
    if as_json:
        emit_json({"name": found.name, "signer": str(found.signer), "size": len(found.octets)})
    else:
        console().print(f"{found.name}: signed by {found.signer}", markup=False)


def _refused(error: MigrationFileError, file: Path, keys: Path) -> MigrationFileError:
    """Return the refusal of a paper with where it lies: the command did what it was asked."""
    error.exit_code = 1
    error.where = ", ".join(filter(None, (str(file), error.where)))
    error.next_command = f"smetsbench ma verify {file} --keys STORE   (of who signed it)"
    if error.check is checks.SIGNATURE_NONE:
        error.next_command = (
            f"smetsbench ma sign {file} --key {keys}, then ma verify {file}{signed.ENDING}"
        )
    return error


def paper(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: _FILE,
    supplier: Annotated[
        str, typer.Option(help="User ID it is for; left out: of the file's name.")
    ] = "",
    on: Annotated[str, typer.Option("--on", help="Day of the check; left out: of the name.")] = "",
    inventory: Annotated[
        Path | None, typer.Option(help="Installation file: what is known of the homes.")
    ] = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Read and check a paper that is no authorisation: 0 clean, 1 something is wrong.

    Dormant schedule and dormant firmware notifications, demand files, MAPASSWORD and retry lists.
    """
    folders = overlays(data)
    octets = read_octets(file, MAX_FILE_BYTES)
    kind = kind_of_paper(file.name, octets)
    with reading_data():
        homes = () if inventory is None else load_many(inventory, folders)
    name = AuthorisationName.parse(stem_of(file.name))
    try:
        if kind is PaperKind.DORMANT_SCHEDULE:
            told, findings = _schedule(file, supplier, on, name, homes)
        elif kind is PaperKind.DORMANT_FIRMWARE:
            lines = read_notification(DormantFirmwareLine, file)
            told, findings = len(lines), check_firmware(lines, load_rule_book(folders), homes)
        else:
            told, findings = _other(kind, file, octets), ()
    except (AuthorisationFileError, DataError) as error:
        raise UsageError(
            f"the paper cannot be read: {error}",
            where=str(file),
            cause="other columns, or another kind of file",
            next_command="smetsbench ma paper --help",
        ) from error
    _tell(file, kind, told, findings, as_json=as_json)
    raise typer.Exit(1 if findings else 0)


def _schedule(
    file: Path,
    supplier: str,
    on: str,
    name: AuthorisationName | None,
    homes: tuple[Installation, ...],
) -> tuple[int, tuple[LineFinding, ...]]:
    if not supplier and name is None:
        raise UsageError(
            "it is not known whose notification it is",
            where=str(file),
            cause="a file that is not named DMSN_TAG_EUI64_DATE_TIME",
            next_command="give --supplier",
        )
    if not on and name is None:
        raise UsageError("no day is known", where=str(file), next_command="give --on")
    lines = read_notification(DormantMeterLine, file)
    who = _eui64(supplier, "--supplier") if supplier or name is None else name.user_id
    day = _day(on, "--on") if on or name is None else name.day
    return len(lines), check_schedule(lines, who, day, homes)


def _other(kind: PaperKind, file: Path, octets: bytes) -> int:
    """Read a paper of another kind; returns how many lines it has."""
    if kind is PaperKind.PASSWORD:
        sealed.phrase_in(octets, file.name)
        return 1
    if kind is PaperKind.RETRY_LIST:
        return len(read_retries(octets, file.name))
    if kind in {PaperKind.DEMAND_REQUEST, PaperKind.DEMAND_COMMITMENT}:
        named = DemandName.parse(stem_of(file.name))
        return len(read_demand(str(kind) if named is None else named.kind, octets, file.name))
    raise UsageError(
        f"nothing more can be said of this paper here: {kind}",
        where=str(file),
        cause="an authorisation, sealed or signed or neither, or no paper",
        next_command=f"smetsbench ma check {file}",
    )


def _tell(
    file: Path, kind: PaperKind, lines: int, findings: tuple[LineFinding, ...], *, as_json: bool
) -> None:
    rows: list[dict[str, Any]] = [
        {"line": one.line, "code": one.code, "sub_code": one.sub_code, "text": one.text}
        for one in findings
    ]
    if as_json:
        emit_json({"file": str(file), "kind": str(kind), "lines": lines, "findings": rows})
        return
    screen = console()
    screen.print(
        Text(f"{file}: {kind}, {counted(lines, 'line')}, {'clean' if not rows else 'not clean'}")
    )
    codes = load_rule_book().codes
    for one in findings:
        known = codes.find(one.code, one.sub_code)
        says = "" if known is None else f"{known.says}: "
        screen.print(Text(f"line {one.line}: {one.code} {one.sub_code} {says}{one.text}"))


def _eui64(text: str, option: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(str(error), where=option, cause="a mistyped User ID") from error


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no day", where=option, cause="write it like 2021-03-31"
        ) from error
