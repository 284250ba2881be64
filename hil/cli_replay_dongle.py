"""``smetsbench replay`` of a dongle's line: plays the recorded dongle for any host."""

from typing import Any

import typer
from rich.text import Text

from harness.cli.output import emit_json, errors
from harness.errors import UsageError
from harness.transcript import Transcript
from harness.words import counted
from hil.cli_replay import until_stopped
from hil.zigbee.replay import Difference
from hil.zigbee.replay_place import ReplayedDongleEndpoint

_DEVICE = "device"


def replay_dongle(transcript: Transcript, listen: str, played: str, *, as_json: bool) -> int:
    """Play a recorded dongle until SIGTERM or Ctrl-C; returns the exit code.

    Args:
        transcript: The recording.
        listen: ``pty`` or ``tcp://HOST:PORT``.
        played: Which end is to be played.
        as_json: Whether to print one JSON document at the end.

    Raises:
        UsageError: The other end was asked for, or there is no such place.
        BenchError: The place cannot be had.
    """
    if played != _DEVICE:
        raise UsageError(
            "a dongle's line is replayed as the dongle, not as its host",
            where="--as",
            cause="the host is bellows, which a run or a bench command brings along",
            next_command="smetsbench replay NAME --as device   (or an endpoint replay:NAME)",
        )
    endpoint = ReplayedDongleEndpoint(transcript, tell=_told)
    with until_stopped(endpoint):
        typer.echo(endpoint.start(listen))
        endpoint.wait()
    dongle = endpoint.dongle
    if as_json:
        rows = [_row(one) for one in dongle.differences]
        emit_json({"differences": rows, "count": dongle.count, "not_asked": dongle.left})
    else:
        line = (
            f"{counted(dongle.count, 'difference')}; {dongle.left} recorded commands did not come"
        )
        errors().print(Text(line))
    return 1 if dongle.count else 0


def _told(found: Difference) -> None:
    errors().print(Text(f"difference: {found}"))


def _row(one: Difference) -> dict[str, Any]:
    return {
        "number": one.number,
        "asked": one.asked,
        "recorded": one.recorded,
        "octets": one.octets.hex(),
    }
