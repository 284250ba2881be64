"""``smetsbench bench observe``: look around with a dongle, and listen; only a scan is sent."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from emulator.core.ids import Eui64
from harness.cli.output import console, emit_json, errors
from harness.data_files import DataOption, overlays
from harness.errors import UsageError
from hil.dongle_transcript import of_command
from hil.drivers.zigbee_observer import DongleTold, ZigbeeObserver
from hil.interrupted import until_interrupted
from hil.observed import Observing, Wanted, held, keys_of, within
from hil.tap import Tap
from hil.zigbee.errors import unfit
from hil.zigbee_observation.capture_file import read, refuse_existing
from hil.zigbee_observation.census import CHANNELS, Census
from hil.zigbee_observation.observation import Observation
from hil.zigbee_observation.tables import census_parts, transfers_parts, wakes_parts
from hil.zigbee_observation.unsealing import Unsealer
from hil.zigbee_observation.watching import Captured, Wishes, capture, census, channel_of, take

EXIT_NOT_FOUND: Final = 1
_CHANNELS: Final = f"{CHANNELS[0]} to {CHANNELS[-1]}"


_FILE = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Bench file.")]
_DONGLE = Annotated[
    str | None, typer.Option(help="Which dongle of the file; may be left out if it has one.")
]
_AT = Annotated[
    str | None,
    typer.Option(
        help="A program of this computer, without a bench file: zigbee:tcp://127.0.0.1:PORT"
    ),
]
_CHANNEL = Annotated[
    list[int] | None,
    typer.Option(min=11, max=26, help=f"Channel, repeatable; {_CHANNELS} when left out."),
]
_HUB = Annotated[str | None, typer.Option(help="EUI-64 of the hub to find (its extended PAN id).")]
_SECONDS = Annotated[
    float | None,
    typer.Option(min=0, help="How long to listen; until Ctrl-C with --out and without this."),
]
_OUT = Annotated[Path | None, typer.Option(help="pcapng file for the frames as heard.")]
_CLEAR = Annotated[
    Path | None, typer.Option(help="pcapng file for the frames as deciphered with the keys.")
]
_KEY = Annotated[
    list[str] | None,
    typer.Option(help="Network or link key, by reference: env:NAME or file:PATH#FIELD."),
]
_INSTALL_CODE = Annotated[
    list[str] | None, typer.Option(help="Install code of a device that joins, by reference.")
]
_READ_FILE = Annotated[
    Path | None, typer.Option("--read", help="Statistics of a capture, without a dongle.")
]
_LISTEN_ONLY = Annotated[
    bool, typer.Option("--listen-only", help="Not even the active scan: transmit nothing.")
]
_TRANSCRIPT = Annotated[
    Path | None,
    typer.Option(help="Files for what is said on the dongle's line; else in runs/observe-…"),
]
_SEED = Annotated[int, typer.Option(min=0, help="Seed of a loopback dongle's home.")]
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(nouns: typer.Typer) -> None:
    """Add the command to ``bench``."""
    nouns.command("observe")(observe)


@dataclass(slots=True)
class Told:
    """What an observation came to, up to where it ended."""

    dongle: DongleTold | None = None
    census: Census | None = None
    captured: Captured | None = None
    observation: Observation | None = None
    transcript: Path | None = None


def observe(  # noqa: PLR0913, PLR0917 -- one parameter an option
    file: _FILE = None,
    dongle: _DONGLE = None,
    at: _AT = None,
    channel: _CHANNEL = None,
    hub: _HUB = None,
    seconds: _SECONDS = None,
    out: _OUT = None,
    clear: _CLEAR = None,
    key: _KEY = None,
    install_code: _INSTALL_CODE = None,
    read_file: _READ_FILE = None,
    listen_only: _LISTEN_ONLY = False,
    transcript: _TRANSCRIPT = None,
    seed: _SEED = 1,
    data: DataOption = None,
    as_json: _AS_JSON = False,
) -> None:
    """Look for networks, measure energy, and listen; allowed unarmed, for it sends only a scan.

    A real dongle is one that a bench file names, with the role of an observer.

    Listen to networks of your own, or with their owner's leave: that is yours to see to.
    """
    keys = keys_of(file, key or (), install_code or ())
    if clear is not None and not keys:
        raise UsageError(
            "nothing can be deciphered without a key",
            where="--clear",
            cause="neither --key nor --install-code is given",
            next_command="--key env:NETWORK_KEY",
        )
    for path in (out, clear):
        refuse_existing(path)
    wishes = Wishes(
        tuple(channel or ()),
        None if hub is None else _hub(hub),
        _seconds(seconds, out or clear),
        out,
        clear,
        keys,
        listen_only,
    )
    if read_file is not None:
        told = _of_file(read_file, wishes)
    else:
        with held(Wanted(file, dongle, at, seed, overlays(data))) as observing:
            wishes = replace(wishes, channels=within(wishes.channels, observing.channels))
            kept = of_command("observe", transcript, observing.about, clear=observing.keep_keys)
            with kept as tap:
                try:
                    told = asyncio.run(_observe(observing, wishes, quiet=as_json, tap=tap))
                except asyncio.CancelledError:
                    raise KeyboardInterrupt from None
                told.transcript = tap.path
    _show_end(told, wishes, as_json=as_json)


def _hub(text: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(
            str(error),
            where="--hub",
            cause="a mistyped EUI-64; it is printed on the hub",
            next_command="smetsbench bench observe --hub 00-DB-12-34-56-78-90-A0 ...",
        ) from error


def _seconds(seconds: float | None, out: Path | None) -> float | None:
    return 0 if seconds is None and out is None else seconds


def _of_file(path: Path, wishes: Wishes) -> Told:
    captured = Captured(0, unsealer=Unsealer(wishes.keys) if wishes.keys else None)
    for frame in read(path):
        take(captured, frame)
    return Told(captured=captured, observation=_observation(captured))


async def _observe(
    observing: Observing, wishes: Wishes, *, quiet: bool, tap: Tap | None = None
) -> Told:
    told = Told()
    observer = ZigbeeObserver(observing.settings, tap, listen_only=wishes.listen_only)
    stopped = asyncio.Event()
    with until_interrupted(stopped):
        try:
            told.dongle = await observer.open()
            _refuse_other(told.dongle, observing)
            told.census = await census(observer, wishes)
            if not quiet:
                _show_census(told.dongle, told.census)
            if wishes.seconds != 0 and not stopped.is_set():
                channel = channel_of(told.census)
                with _counting(channel, quiet=quiet) as count:
                    told.captured = await capture(observer, channel, wishes, stopped, count)
                told.observation = _observation(told.captured)
        finally:
            await observer.close()
    return told


def _refuse_other(dongle: DongleTold, observing: Observing) -> None:
    if observing.eui64 not in {None, dongle.eui64}:
        raise unfit(
            observing.settings.path,
            f"the dongle is {dongle.eui64}, and the bench file says {observing.eui64}",
            "another dongle is plugged in there",
            "smetsbench bench check FILE",
        )


def _observation(captured: Captured) -> Observation:
    """Return what frames tell: deciphered ones where keys opened any, else as heard."""
    opened = captured.unsealer is not None and captured.unsealer.opened
    return Observation.of(captured.clear if opened else captured.frames)


@contextmanager
def _counting(channel: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show the number of frames on a terminal, nothing elsewhere."""
    screen = errors()
    if quiet or not screen.is_terminal:
        yield lambda _frames: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(f"channel {channel}: listening, Ctrl-C ends it")
        yield lambda frames: bar.update(task, description=f"channel {channel}: {frames} frames")


def _show_census(dongle: DongleTold, found: Census) -> None:
    firmware = f", firmware {dongle.firmware}" if dongle.firmware else ""
    _print([Text(f"dongle {dongle.eui64}, EZSP v{dongle.ezsp}{firmware}"), *census_parts(found)])


def _show_end(told: Told, wishes: Wishes, *, as_json: bool) -> None:
    """Print the rest; raise what ended the capture before its time.

    Raises:
        BenchError: The dongle was lost while it listened.
        Exit: The hub asked for was not found.
    """
    if as_json:
        emit_json(_row(told, wishes))
    elif told.observation is not None and told.captured is not None:
        _print(_observation_parts(told.captured, told.observation, wishes))
    if told.transcript is not None and not as_json:
        _print([Text(f"transcript {told.transcript}")])
    if told.captured is not None and told.captured.error is not None:
        raise told.captured.error
    if told.census is not None and wishes.hub is not None and not told.census.found:
        raise typer.Exit(EXIT_NOT_FOUND)


def _observation_parts(
    captured: Captured, seen: Observation, wishes: Wishes
) -> list[RenderableType]:
    kinds = ", ".join(f"{kind.name.lower()} {count}" for kind, count in seen.kinds)
    lines = [f"{seen.frames} frames{f': {kinds}' if kinds else ''}"]
    lines += [f"{seen.unreadable} of them could not be read"] if seen.unreadable else []
    lines += [f"{captured.dropped} more are in the file alone"] if captured.dropped else []
    lines += _unsealed_lines(captured)
    lines += [f"capture {path}" for path in (wishes.out, wishes.clear) if path is not None]
    heard = [
        f"beacon overheard: {one.extended_pan_id}, joining is {'open' if one.permits else 'closed'}"
        for one in seen.networks
    ]
    texts = [Text(line) for line in (*lines, *heard)]
    return [*texts, *wakes_parts(seen.wakes), *transfers_parts(seen.transfers)]


def _unsealed_lines(captured: Captured) -> list[str]:
    unsealer = captured.unsealer
    if unsealer is None:
        return []
    lines = [f"deciphered: {unsealer.opened}; no key fits: {unsealer.shut}"]
    if unsealer.sealed_inside:
        lines.append(f"sealed under a link key that is not given: {unsealer.sealed_inside}")
    return lines


def _row(told: Told, wishes: Wishes) -> dict[str, Any]:
    row: dict[str, Any] = {"listen_only": wishes.listen_only}
    if told.dongle is not None:
        row["dongle"] = {
            "eui64": str(told.dongle.eui64),
            "ezsp": told.dongle.ezsp,
            "firmware": told.dongle.firmware or None,
        }
    if told.census is not None:
        row["census"] = told.census.row()
    if told.transcript is not None:
        row["transcript"] = str(told.transcript)
    if told.captured is not None and told.observation is not None:
        row["capture"] = {
            **told.observation.row(),
            "file": None if wishes.out is None else str(wishes.out),
            "ended_by": None if told.captured.error is None else told.captured.error.what,
            **_unsealed_row(told.captured),
        }
    return row


def _unsealed_row(captured: Captured) -> dict[str, Any]:
    unsealer = captured.unsealer
    if unsealer is None:
        return {}
    counts = {"opened": unsealer.opened, "shut": unsealer.shut, "sealed": unsealer.sealed_inside}
    return {"deciphered": counts}


def _print(parts: Sequence[RenderableType]) -> None:
    screen = console()
    for part in parts:
        screen.print(part)
