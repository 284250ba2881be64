"""``smetsbench gbcs``: decode GBCS messages for people, verify many, let a device answer."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted, KeyRing, Unauthenticated, open_message
from harness.cli.gbcs_answer import answer
from harness.cli.output import console, emit_json, progress
from harness.errors import UsageError
from harness.gbcs_files import (
    MAX_FILE_BYTES,
    Field,
    Found,
    NotAMessageError,
    Tally,
    acb_of,
    fields_of,
    message_files,
    read_file,
    read_messages,
    verify,
)
from harness.gbcs_view import field as view
from harness.gbcs_view.message import Reader
from harness.keys import open_keystore

_EXIT_REFUSED = 1
_SHOWN_FAILURES = 20
#: A name longer than this is no file name; file systems refuse it with an error of their own.
_LONGEST_NAME = 255

_KEYSTORE = Annotated[
    Path | None,
    typer.Option("--keystore", help="JSON key store, or folder of PEM or DER files."),
]
_ACB = Annotated[
    str | None,
    typer.Option("--acb", help="EUI-64 of the Access Control Broker; default: role 04."),
]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add ``gbcs`` and its commands."""
    gbcs = typer.Typer(help="GBCS messages: decode, verify, answer.", no_args_is_help=True)
    gbcs.command("decode")(decode)
    gbcs.command("verify")(verify_paths)
    gbcs.command("answer")(answer)
    app.add_typer(gbcs, name="gbcs")


def verify_paths(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files or folders.")],
    keystore: _KEYSTORE = None,
    acb: _ACB = None,
    as_json: _JSON = False,
) -> None:
    """Decode, re-encode and check messages: octets, hex, base64 or DUIS XML, files or folders.

    0 when nothing fails, 1 when something does; a MAC for which no key is held is counted, and
    fails nothing.
    """
    if keystore is None:
        raise UsageError(
            "verifying needs keys",
            where="--keystore",
            cause="signatures and MACs cannot be checked without any",
            next_command="smetsbench gbcs verify PATH --keystore keystore.json",
        )
    ring, broker = open_keys(keystore, acb)
    files = message_files(paths)
    with progress(len(files), "verifying") as step:
        tally = verify(files, ring, broker, step=step)
    if tally.messages == 0:
        raise NotAMessageError(
            "no GBCS message in any of these files",
            where=", ".join(str(path) for path in paths),
            cause="DUIS XML without a GBCSPayload element",
            next_command="smetsbench duis check FILE",
        )
    if as_json:
        emit_json(dataclasses.asdict(tally))
    else:
        _show_tally(tally)
    if tally.failures:
        raise typer.Exit(_EXIT_REFUSED)


def open_keys(path: Path, acb: str | None) -> tuple[KeyRing, Eui64]:
    """Read a key store and say who its Access Control Broker is.

    Raises:
        UsageError: It cannot be read, or names none or several.
    """
    store = open_keystore(path)
    if acb is None:
        return KeyRing(store), acb_of(store)
    try:
        return KeyRing(store), Eui64.parse(acb)
    except ValueError as error:
        raise UsageError(
            str(error),
            where="--acb",
            cause="a typing error",
            next_command="smetsbench gbcs verify --help",
        ) from error


def _show_tally(tally: Tally) -> None:
    table = Table(box=None, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    valid_macs = f"valid of {tally.macs_present} MACs"
    if tally.macs_unverifiable:
        valid_macs += f" ({tally.macs_unverifiable} cannot be checked: no key)"
    rows = (
        (tally.messages, "messages"),
        (tally.parsed, "parsed"),
        (tally.payload_typed, "with a decoded payload"),
        (tally.reencoded_identical, "re-encoded to the same octets"),
        (tally.signatures_valid, f"valid of {tally.signatures_present} signatures"),
        (tally.macs_valid, valid_macs),
        (tally.decrypted, f"decrypted of {tally.encrypted_blocks} encrypted blocks"),
        (len(tally.failures), "failures"),
    )
    for count, what in rows:
        table.add_row(str(count), what)
    console().print(table)
    for failure in tally.failures[:_SHOWN_FAILURES]:
        line = f"{failure.file}: {failure.layer}: {failure.why}"
        console().print(escape(line))
    left = len(tally.failures) - _SHOWN_FAILURES
    if left > 0:
        console().print(f"… and {left} more; all of them with --json")


def decode(
    message: Annotated[
        str, typer.Argument(metavar="FILE|HEX|-", help="File, text of a message, or - (stdin).")
    ],
    command: Annotated[
        str | None,
        typer.Option("--command", help="The command that a response answers: it names the items."),
    ] = None,
    keystore: _KEYSTORE = None,
    acb: _ACB = None,
    as_json: _JSON = False,
) -> None:
    """Show a message field by field: octets, hex, base64 or DUIS XML."""
    keys = None if keystore is None else open_keys(keystore, acb)
    asked = None if command is None else _read(command)[0].octets
    found = _read(message)
    if not found:
        raise NotAMessageError(
            "the document holds no GBCSPayload element",
            where=message,
            cause="a DUIS request that is not a pre-command or response",
            next_command=f"smetsbench duis check {message}",
        )
    shown = [_shown(item, keys, asked) for item in found]
    if as_json:
        emit_json({"messages": [_json(item, fields) for item, fields in shown]})
    else:
        _print(shown)
    if any(("verdict", "refused") in _verdict_of(fields) for _, fields in shown):
        raise typer.Exit(_EXIT_REFUSED)


def _read(message: str) -> list[Found]:
    if message == "-":
        return read_messages(sys.stdin.buffer.read(MAX_FILE_BYTES + 1), "-")
    path = Path(message) if len(message) <= _LONGEST_NAME else None
    if path is not None and path.is_dir():
        raise UsageError(
            "that is a folder",
            where=message,
            cause="decode shows one file or message",
            next_command=f"smetsbench gbcs verify {message} --keystore KEYS",
        )
    if path is not None and path.exists():
        return read_file(path)
    try:
        return read_messages(message.encode("utf-8", "surrogateescape"), "argument")
    except NotAMessageError as error:
        raise NotAMessageError(
            "neither a file nor the text of a message",
            where=message[:60],
            cause=error.cause,
            next_command="smetsbench gbcs decode --help",
        ) from error


def _shown(
    item: Found, keys: tuple[KeyRing, Eui64] | None, asked: bytes | None
) -> tuple[Found, list[Field]]:
    ring, acb = keys or (None, None)
    try:
        fields = fields_of(item.octets, Reader(ring, acb, asked))
    except MalformedFrameError as error:
        at = f", octet {error.offset}" if error.offset >= 0 else ""
        raise NotAMessageError(
            f"no GBCS message: {error.why}",
            where=f"{item.source} ({len(item.octets)} octets, {error.layer}{at})",
            cause="a truncated copy, added octets, or another kind of file",
            next_command="smetsbench gbcs decode FILE  (of the original; compare the lengths)",
        ) from error
    if keys is not None:
        fields.append(("check", _check(item.octets, *keys)))
    return item, fields


def _check(octets: bytes, ring: KeyRing, acb: Eui64) -> list[Field]:
    opened = open_message(octets, ring, acb=acb)
    if isinstance(opened, Accepted):
        return [("verdict", "accepted")]
    if isinstance(opened, Unauthenticated):
        return [("verdict", "unauthenticated"), ("why", opened.why)]
    return [("verdict", "refused"), ("reason", str(opened.reason)), ("why", opened.detail)]


def _verdict_of(fields: list[Field]) -> list[Field]:
    name, value = fields[-1]
    return value if name == "check" and isinstance(value, list) else []


def _json(item: Found, fields: list[Field]) -> dict[str, object]:
    return {
        "source": item.source,
        "octets": item.octets.hex(),
        "fields": view.to_json(fields),
    }


def _print(shown: list[tuple[Found, list[Field]]]) -> None:
    out = console()
    for item, fields in shown:
        if len(shown) > 1:
            out.print(escape(item.source))
        for line in view.lines(fields):
            out.print(line, markup=False)
