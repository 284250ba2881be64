"""``smetsbench bench join``: an emulated device joins a real or emulated hub through a dongle."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from emulator.codecs.gbcs import envelope
from emulator.core.errors import MalformedFrameError
from harness.cli.output import console, emit_json, errors
from harness.data_files import DataOption, overlays
from harness.errors import BenchError, UsageError
from harness.run_options import RunOptions
from hil import dongle_offers
from hil.asking import asker
from hil.bench_file import load_bench
from hil.dongle_transcript import about_of, of_command
from hil.interrupted import until_interrupted
from hil.joined import JoinedDevice, joined
from hil.loopback_wan import LoopbackWan
from hil.node_plan import NodePlan, Wanted
from hil.zigbee.transcript import DongleTranscript

#: How long an answer to a command may take, seconds of the wall. Source: invented.
_ANSWER_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What is to be done once the device is in."""

    seconds: float | None
    commands: tuple[bytes, ...]


@dataclass(slots=True)
class _Told:
    """What it came to, up to where it ended."""

    row: dict[str, Any] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    error: BenchError | None = None


_FILE = Annotated[Path, typer.Argument(metavar="FILE", help="Bench file whose dongle is a node.")]
_SECONDS = Annotated[
    float | None,
    typer.Option(min=0, help="How long to stay; until Ctrl-C when left out."),
]
_STATE = Annotated[
    Path | None,
    typer.Option(help="File that keeps what the device remembers; with it, it goes on there."),
]
_COMMAND = Annotated[
    list[str] | None,
    typer.Option(metavar="HEX", help="GBCS command that comes to an emulated hub from its WAN."),
]
_TRANSCRIPT = Annotated[
    Path | None,
    typer.Option(help="Files for what is said on the dongle's line; else in runs/join-…"),
]
_SEED = Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")]
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(nouns: typer.Typer) -> None:
    """Add the command to ``bench``."""
    nouns.command("join")(join)


def join(  # noqa: PLR0913, PLR0917 -- one parameter an option
    file: _FILE,
    seconds: _SECONDS = None,
    state: _STATE = None,
    command: _COMMAND = None,
    transcript: _TRANSCRIPT = None,
    seed: _SEED = 1,
    data: DataOption = None,
    as_json: _AS_JSON = False,
) -> None:
    """Have the bench's emulated device join a hub through the dongle, and answer as itself.

    Scan, install code, key establishment, tunnel; then its own state machine answers GBCS commands
    until it is stopped. A real hub needs an armed bench, and its EUI-64 in bench.allow.
    """
    wishes = _Wishes(seconds, tuple(map(_message, command or ())))
    loaded = load_bench(file, overlays(data))
    options = RunOptions(seed=seed, bench=file, data=overlays(data))
    plan = NodePlan.of(Wanted(loaded, options))
    section = plan.section
    if wishes.commands and not section.is_loopback:
        raise UsageError(
            "nobody here has the hub's WAN",
            where="--command",
            cause="only a hub that is emulated beside a loopback dongle takes commands from here",
            next_command="send commands by the hub's own WAN",
        )
    about = about_of(plan.name, section, loaded.content.bench.name, seed)
    about = about.model_copy(update={"device": {"eui64": str(plan.own)}})
    told = _Told()
    with of_command("join", transcript, about, clear=section.keep_keys) as tap:
        told.row["transcript"] = str(tap.path)
        wanted = Wanted(loaded, options, state, tap, asker())
        tell = _silent if as_json else _tell
        try:
            with asyncio.Runner(
                loop_factory=lambda: dongle_offers.new_event_loop(loaded)
            ) as runner:
                runner.run(_join(wanted, wishes, told, tell, tap))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
    _show_end(told, as_json=as_json)


async def _join(
    wanted: Wanted,
    wishes: _Wishes,
    told: _Told,
    tell: Callable[[str], None],
    tap: DongleTranscript,
) -> None:
    stopped = asyncio.Event()
    with until_interrupted(stopped):
        device = await joined(wanted, tell)
        try:
            told.row |= _row(device)
            tap.watch(_keys(device))
            wan = device.wan if device.place.child is not None else None
            asking = asyncio.ensure_future(_ask(device, wan, wishes, told, tell, stopped))
            try:
                await device.stand(stopped, tell, wishes.seconds)
            except BenchError as error:
                told.error = error
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        finally:
            await device.close()


async def _ask(  # noqa: PLR0913, PLR0917 -- the two ends, what for, and who is told
    device: JoinedDevice,
    wan: LoopbackWan | None,
    wishes: _Wishes,
    told: _Told,
    tell: Callable[[str], None],
    stopped: asyncio.Event,
) -> None:
    """Send the commands one after the other; with nothing else to do, that is the end."""
    if wan is None or not wishes.commands:
        return
    for message in wishes.commands:
        await wan.send(message)
        tell(f"command of {len(message)} octets to the hub")
        answer = await wan.next_answer(_ANSWER_S * device.bench.wall)
        if answer is None:
            tell(f"no answer within {_ANSWER_S:g} s")
            continue
        tell(f"answer of {len(answer)} octets")
        told.answers.append(answer.hex())
    if wishes.seconds is None:
        stopped.set()


def _keys(device: JoinedDevice) -> Sequence[bytes]:
    return [key for key in device.bench.radio.behind.link_keys.values() if key is not None]


def _message(text: str) -> bytes:
    """Read a GBCS message in hex.

    Raises:
        UsageError: It is none.
    """
    try:
        octets = bytes.fromhex(text)
        envelope.decode(octets)
    except (ValueError, MalformedFrameError) as error:
        raise UsageError(
            f"this is no GBCS message: {error}",
            where="--command",
            cause="a mistyped message; it is written in hex",
            next_command="smetsbench gbcs --help",
        ) from error
    return octets


def _row(device: JoinedDevice) -> dict[str, Any]:
    network = device.network
    return {
        "device": str(device.eui64),
        "role": device.role.value,
        "hub": str(network.extended_pan_id),
        "channel": network.channel,
        "pan_id": network.pan_id,
        "resumed": device.resumed,
        "sealed": device.sealed,
    }


def _show_end(told: _Told, *, as_json: bool) -> None:
    """Print what it came to; raise what ended it before its time.

    Raises:
        BenchError: The dongle was lost while the device stood there.
    """
    if as_json:
        ended = None if told.error is None else told.error.what
        emit_json({**told.row, "answers": told.answers, "ended_by": ended})
    else:
        for answer in told.answers:
            console().print(Text(answer))
        console().print(Text(f"transcript {told.row['transcript']}"))
    if told.error is not None:
        raise told.error


def _tell(line: str) -> None:
    errors().print(line, markup=False)


def _silent(_line: str) -> None:
    """Say nothing: the document says it."""
