"""``smetsbench replay``: plays a recorded meter or dongle, or asks a meter again."""

import enum
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from harness.cli.output import console, emit_json, errors, progress
from harness.cli.tables import folded
from harness.data_files import DataOption, overlays
from harness.differences import Difference
from harness.errors import UsageError
from harness.replay_client import Replayed, recorded_exchanges
from harness.replay_player import Mismatch
from harness.setting import named
from harness.transcript import Transcript
from harness.transcript_about import DONGLE
from harness.transcript_file import load
from harness.words import counted
from hil.cli_capture import role_of
from hil.played_endpoint import PlayedEndpoint
from hil.replay import Against, against_emulator
from hil.replay_bench import against_bench
from hil.replay_device import ReplayEndpoint

#: What plays dongles: bellows and zigpy are loaded for nothing else.
_OF_DONGLE: Final = "hil.cli_replay_dongle:replay_dongle"


class As(enum.StrEnum):
    """Which end is played."""

    DEVICE = "device"
    CLIENT = "client"


def register(app: typer.Typer) -> None:
    """Add ``replay``."""
    app.command("replay")(replay)


def replay(  # noqa: PLR0913, PLR0917 -- one parameter an option
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The capture.")],
    played: Annotated[
        As, typer.Option("--as", help="Play the device (a meter, a Zigbee dongle), or its client.")
    ],
    listen: Annotated[
        str, typer.Option(help="As device: pty, tcp://HOST:PORT or wrapper://HOST:PORT.")
    ] = "pty",
    strict: Annotated[
        bool,
        typer.Option("--strict/--tolerant", help="Octet for octet in order; or by what is asked."),
    ] = True,
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, help="How fast recorded waits pass; at once when left out."),
    ] = None,
    against: Annotated[
        str, typer.Option(metavar="PROFILE", help="As client: emulated meter (default: its own).")
    ] = "",
    bench: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="As client: bench file.")
    ] = None,
    role: Annotated[str, typer.Option(help="As client on a bench: device type.")] = "ESME",
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Answer as the recorded device did, or ask a meter again and list what differs.

    As device, the address is the first line of standard output; it plays until SIGTERM or Ctrl-C.
    A dongle answers by what is asked, and at once.
    """
    transcript = load(name)
    if transcript.about.line == DONGLE:
        raise typer.Exit(named(_OF_DONGLE)(transcript, listen, played.value, as_json=as_json))
    if played is As.DEVICE:
        endpoint = ReplayEndpoint(transcript, strict=strict, speed=speed, tell=_told)
        raise typer.Exit(_as_device(endpoint, listen, as_json=as_json))
    side = _Side(against, bench, role)
    raise typer.Exit(_as_client(transcript, side, overlays(data), as_json=as_json))


# As device.


def _as_device(endpoint: ReplayEndpoint, listen: str, *, as_json: bool) -> int:
    with until_stopped(endpoint):
        typer.echo(endpoint.start(listen))
        endpoint.wait()
    left, found = endpoint.player.left, endpoint.player.count
    if as_json:
        rows = [_mismatch(one) for one in endpoint.mismatches]
        emit_json({"mismatches": rows, "count": found, "not_asked": left})
    else:
        errors().print(Text(f"{found} mismatches; {left} recorded requests did not come"))
    return 1 if found else 0


@contextmanager
def until_stopped(endpoint: PlayedEndpoint) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the play in order."""

    def ended(_number: int, _frame: FrameType | None) -> None:
        endpoint.end()

    before = {one: signal.signal(one, ended) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        endpoint.stop()
        for one, handler in before.items():
            signal.signal(one, handler)


def _told(mismatch: Mismatch) -> None:
    line = f"request {mismatch.number}: recorded {mismatch.expected}; got {mismatch.got}"
    errors().print(Text(f"mismatch: {line}"))


def _mismatch(one: Mismatch) -> dict[str, Any]:
    return {
        "number": one.number,
        "expected": one.expected,
        "got": one.got,
        "octets": one.octets.hex(),
    }


# As client.


@dataclass(frozen=True, slots=True)
class _Side:
    """Whom a recording is replayed against: a profile, or a device type on a bench."""

    profile: str
    bench: Path | None
    role: str

    def replay(self, transcript: Transcript, folders: tuple[Path, ...]) -> Replayed:
        if self.bench is not None and self.profile:
            raise UsageError(
                "a recording is replayed against one meter",
                where="--against, --bench",
                cause="both were given",
                next_command="smetsbench replay NAME --as client --against PROFILE",
            )
        with progress(len(recorded_exchanges(transcript)), "asking again") as step:
            if self.bench is None:
                return against_emulator(transcript, Against(self.profile, folders), step)
            return against_bench(transcript, self.bench, role_of(self.role), folders, step)


def _as_client(
    transcript: Transcript, side: _Side, folders: tuple[Path, ...], *, as_json: bool
) -> int:
    found = side.replay(transcript, folders)
    if as_json:
        emit_json(
            {
                "capture": transcript.about.short_hash,
                "against": side.profile or str(side.bench or transcript.about.profile),
                "exchanges": found.exchanges,
                "differences": [one.to_json() for one in found.differences],
                "volatile": [one.to_json() for one in found.volatile],
            }
        )
    else:
        show_differences(found.differences, ("recorded", "now"))
        more = f", {len(found.volatile)} volatile ones left out" if found.volatile else ""
        told = counted(len(found.differences), "difference")
        console().print(Text(f"{counted(found.exchanges, 'exchange')}, {told}{more}"))
    return 1 if found.differences else 0


def show_differences(found: tuple[Difference, ...], sides: tuple[str, str]) -> None:
    """Print differences as a table."""
    if not found:
        return
    table = folded("where", "what", *sides, keep=1)
    for one in found:
        times = f" ({one.times} times)" if one.times > 1 else ""
        table.add_row(one.where, one.subject + times, Text(one.a), Text(one.b))
    console().print(table)
