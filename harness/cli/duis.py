"""``smetsbench duis``: check DUIS documents, transform requests."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from harness import files
from harness.cli.duis_transform import transform
from harness.cli.output import console, emit_json
from harness.errors import UsageError
from harness.formats.duis import document
from harness.formats.duis.bodies import UpdateFirmware
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.responses import ServiceResponse, read_response
from harness.formats.duis.shape import line_of, tag
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES, parse

_DOCUMENTS = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="DUIS documents or folders of them.")
]
_JSON = Annotated[bool, typer.Option("--json", help="Print findings as JSON.")]


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection to a document.

    Attributes:
        file: The document.
        line: Line, counted from 1; 0 where it belongs to no line.
        name: Name of the rule, e.g. ``too-many-devices``.
        where: Element.
        why: One sentence.
    """

    file: str
    line: int
    name: str
    where: str
    why: str


def register(app: typer.Typer) -> None:
    """Add ``duis`` and its commands."""
    duis = typer.Typer(help="DUIS service requests and responses.", no_args_is_help=True)

    @duis.callback()
    def root() -> None:
        """DUIS service requests and responses."""

    duis.command("check")(check)
    duis.command("transform")(transform)
    app.add_typer(duis, name="duis")


def check(documents: _DOCUMENTS, as_json: _JSON = False) -> None:
    """Check documents: 0 when all are clean, 1 when one is refused.

    Requests read from files need no signature; they are marked ``unsigned, local``.
    """
    rows = [check_file(path) for path in _paths(documents)]
    clean = all(row["clean"] for row in rows)
    if as_json:
        emit_json({"clean": clean, "files": rows})
    else:
        for row in rows:
            _print(row)
    raise typer.Exit(0 if clean else 1)


def check_file(path: Path) -> dict[str, Any]:
    """Check one document and return what was found, as JSON values."""
    row: dict[str, Any] = {"file": str(path), "clean": False, "origin": None, "service": None}
    try:
        data = _octets(path)
        value = _value(data)
    except DuisError as error:
        finding = Finding(str(path), error.line, str(error.name), error.element, error.why)
        return {**row, "findings": [asdict(finding)]}
    findings = _duplicates(path, data, value)
    row |= {"clean": not findings, "origin": str(value.origin)}
    if isinstance(value, ServiceRequest):
        row |= {
            "service": value.header.service,
            "body": type(value.body).__name__,
            "request_id": str(value.request_id),
            "command_variant": value.header.command_variant,
        }
    else:
        row |= {"body": type(value.body).__name__, "code": value.header.code}
    return {**row, "findings": [asdict(finding) for finding in findings]}


def _value(data: bytes) -> ServiceRequest | ServiceResponse:
    if parse(data).tag == tag("Response"):
        return read_response(data)
    return read_request(data)


def _octets(path: Path) -> bytes:
    data = files.read_octets(path, MAX_DOCUMENT_BYTES)
    if len(data) > MAX_DOCUMENT_BYTES:
        why = f"the document has more octets than the limit of {MAX_DOCUMENT_BYTES}"
        raise DuisError(DuisFault.TOO_LARGE, why)
    return data


def _duplicates(path: Path, data: bytes, value: ServiceRequest | ServiceResponse) -> list[Finding]:
    """F-021: a device that stands in a list more than once is reported."""
    if not isinstance(value.body, UpdateFirmware) or not value.body.duplicates():
        return []
    _head, body, _signed = document.parts(parse(data), "Request")
    line = next((line_of(element) for element in body.iter(tag("DeviceIDList"))), 0)
    return [
        Finding(
            str(path),
            line,
            str(DuisFault.DUPLICATE_DEVICE),
            "DeviceIDList",
            f"{device} stands in the list more than once",
        )
        for device in value.body.duplicates()
    ]


def _paths(documents: list[str]) -> list[Path]:
    found: list[Path] = []
    for name in documents:
        path = Path(name)
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.suffix.lower() == ".xml")
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(
                "there is no such file or folder",
                where=name,
                cause="a mistyped name",
                next_command="smetsbench duis check --help",
            )
    if not found:
        raise UsageError(
            "no DUIS documents there",
            where=", ".join(documents),
            cause="a folder is searched for files ending in .xml, folders below it are not",
            next_command="smetsbench duis check FILE",
        )
    return found


def _print(row: dict[str, Any]) -> None:
    screen = console()
    if not row["findings"]:
        what = f"{row.get('service') or row.get('code', '')} {row.get('body', '')}"
        screen.print(f"[green]clean[/]    {escape(row['file'])}  {what}  ({row['origin']})")
        return
    for finding in row["findings"]:
        place = f"{finding['file']}:{finding['line']}" if finding["line"] else finding["file"]
        text = f"{place}  {finding['name']}: {finding['why']}"
        screen.print(f"[red]refused[/]  {escape(text)}")
