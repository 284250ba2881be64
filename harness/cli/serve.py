"""``smetsbench serve``: runs as read-only pages on this machine."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from harness.cli.output import emit_json, errors
from harness.door.http import stop_on_signals
from harness.door.listening_at import address, host_and_port, open_socket
from harness.errors import UsageError
from harness.live.app import LivePages
from harness.live.serving import serve as serve_pages
from harness.live.shelf import Shelf

_LISTEN: Final = "127.0.0.1:8765"
_RUNS: Final = Path("runs")


def register(app: typer.Typer) -> None:
    """Add ``serve``."""
    app.command("serve")(serve)


def serve(
    folder: Annotated[Path, typer.Argument(help="Folder of runs, or one run.")] = _RUNS,
    listen: Annotated[str, typer.Option(help="HOST:PORT, port 0: any.")] = _LISTEN,
    listen_anywhere: Annotated[
        bool, typer.Option("--listen-anywhere", help="Allow an address beyond this machine.")
    ] = False,
    with_identifiers: Annotated[
        bool, typer.Option("--with-identifiers", help="Show identifiers of your data.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say the address as JSON.")] = False,
) -> None:
    """Show runs in a browser until SIGTERM or Ctrl-C, those that are under way as they go.

    The address is the first line of standard output. Nothing is written, and nothing can be
    changed through the pages.
    """
    if not folder.is_dir():
        raise UsageError(
            "there is no such folder of runs",
            where=str(folder),
            cause="no run was made here yet, or a mistyped name",
            next_command="smetsbench dust run FILE.toml --out runs/NAME",
        )
    at = open_socket(listen, anywhere=listen_anywhere, warn=_warn)
    shelf = Shelf(folder, shows_all=with_identifiers)
    if as_json:
        emit_json({"http": address(at), "folder": str(folder), "runs": len(shelf.runs())})
    else:
        typer.echo(address(at))
        errors().print(f"runs of {folder}, read only; Ctrl-C ends", markup=False)
    sys.stdout.flush()
    asyncio.run(_served(LivePages(shelf, host_and_port(listen)[0]), at))


async def _served(pages: LivePages, at: socket.socket) -> None:
    until = asyncio.Event()
    stop_on_signals(until)
    await serve_pages(pages, at, until)


def _warn(host: str) -> None:
    told = "anyone who reaches it can read every run"
    errors().print(f"warning: {host} can be reached from elsewhere; {told}", markup=False)
