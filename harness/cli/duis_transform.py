"""``smetsbench duis transform``: the pre-command of a critical request."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.key_entry import KeyUsage
from emulator.crypto.keystore import KeyStore
from harness import files
from harness.cli.output import console, emit_json
from harness.errors import UsageError
from harness.formats.duis import date_time
from harness.formats.duis.faults import DuisError
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.transforms.outcome import Context, Device, Refusal, Refused
from harness.formats.duis.transforms.table import RULES
from harness.formats.duis.transforms.transform import transform as make
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES
from harness.keys import open_keystore

#: Moment of the given data; a gas command carries the time it was made at.
_GIVEN: str = "2015-01-01T00:00:00Z"
_WORDS = {"twin", "later"}
_HELP = "smetsbench duis transform --help"

_FILE = Annotated[Path, typer.Argument(metavar="FILE", help="A service request.")]
_DEVICE = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        metavar="EUI=TYPE[,twin][,later]",
        help="A device the request is about: its target, and others that it names. twin: an ESME"
        " with a second element; later: it takes the later of two use cases (ECS08a, not ECS08).",
    ),
]
_KEYSTORE = Annotated[
    Path | None,
    typer.Option("--keystore", help="Key store with the certificates of devices (8.7.1)."),
]
_AT = Annotated[str, typer.Option("--at", help="The time now; gas commands carry it.")]
_OUT = Annotated[Path | None, typer.Option("--out", help="Write the octets to this file.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def transform(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    document: _FILE,
    device: _DEVICE = None,
    keystore: _KEYSTORE = None,
    at: _AT = _GIVEN,
    out: _OUT = None,
    as_json: _JSON = False,
) -> None:
    """Print the pre-command of a critical request: 0, or 1 where it becomes none.

    The XML signature is not verified. A target without --device is taken for the type of device
    that the service has a use case for, where there is only one.
    """
    store = KeyStore() if keystore is None else open_keystore(keystore)
    row = _row(document, device or [], store, _moment(at))
    if out is not None and "pre_command" in row:
        files.write_octets(out, bytes.fromhex(row["pre_command"]), made_from=[document])
    if as_json:
        emit_json(row)
    else:
        _print(row)
    raise typer.Exit(0 if "pre_command" in row else 1)


def _row(document: Path, given: list[str], store: KeyStore, at: UtcMs) -> dict[str, Any]:
    row: dict[str, Any] = {"file": str(document)}
    try:
        asked = read_request(files.read_octets(document, MAX_DOCUMENT_BYTES))
    except DuisError as error:
        return row | {"refused": str(Refusal.MALFORMED), "why": str(error)}
    devices = dict(_device(text, store) for text in given)
    if asked.request_id.target not in devices:
        devices[asked.request_id.target] = _only_type(asked)
    made = make(asked, Context(devices, at))
    row |= {"request_id": str(asked.request_id), "service": asked.header.variant}
    if isinstance(made, Refused):
        return row | {"refused": str(made.reason), "why": made.detail}
    known = {"use_case": MESSAGES[made.code].use_case, "message_code": f"{made.code:04X}"}
    return row | known | {"pre_command": made.octets.hex().upper()}


def _device(text: str, store: KeyStore) -> tuple[Eui64, Device]:
    eui, _equals, words = text.partition("=")
    kind, *more = words.split(",")
    try:
        identifier = Eui64.parse(eui)
        device_type = DeviceType(kind)
    except ValueError as error:
        raise _wrong(text, str(error)) from error
    if set(more) - _WORDS:
        raise _wrong(text, f"words after the type are {', '.join(sorted(_WORDS))}")
    entry = store.find(identifier, KeyUsage.KA)
    certificate = None if entry is None else entry.certificate
    return identifier, Device(device_type, "twin" in more, "later" in more, certificate)


def _wrong(text: str, cause: str) -> UsageError:
    return UsageError(
        "that is no device", where=f"--device {text[:60]}", cause=cause, next_command=_HELP
    )


def _only_type(asked: ServiceRequest) -> Device:
    types = [kind for service, kind in RULES if service == asked.header.variant]
    if len(types) > 1:
        target = asked.request_id.target
        raise UsageError(
            "the type of the target is needed",
            where=str(target),
            cause=f"service {asked.header.variant} is known of {', '.join(types)}",
            next_command=f"smetsbench duis transform FILE --device {target}={types[0]}",
        )
    return Device(types[0] if types else DeviceType.ESME)


def _moment(text: str) -> UtcMs:
    try:
        return date_time.read(text)
    except DuisError as error:
        raise UsageError(
            "that is no moment", where=f"--at {text[:40]}", cause=str(error), next_command=_HELP
        ) from error


def _print(row: dict[str, Any]) -> None:
    screen = console()
    if "pre_command" not in row:
        screen.print(
            f"[red]refused[/]  {escape(row['file'])}  {row['refused']}: {escape(row['why'])}"
        )
        return
    screen.print(
        f"{row['service']}  {row['use_case']} ({row['message_code']})  {row['request_id']}"
    )
    screen.print(row["pre_command"])
