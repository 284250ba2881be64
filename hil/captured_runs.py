"""Records a meter's line while scenarios run on it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs, iso
from harness.benches import BENCHES
from harness.ports import Bench
from harness.report.model import RunRecord
from harness.report.pcapng import read
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import Watcher, start
from harness.setting import Setting
from harness.transcript_about import About
from harness.transcript_file import TranscriptWriter
from hil import bench as hil_bench
from hil.bench_file import load_bench
from hil.capture import CapturedBench, finished, refuse_bench, settled, write_frames
from hil.capture_subject import CaptureChoices, Subject, known_clients, secrets_of
from hil.endpoints import EndpointKind
from hil.transcript_tap import TranscriptTap

#: Who listens to the lines of a bench that this module opens, by device type.
_TAPS: Final[ContextVar[Mapping[DeviceType, TranscriptTap]]] = ContextVar("taps")


def check(options: RunOptions) -> None:
    """Look at the choices of a run before anything is opened.

    Raises:
        UsageError: As for the bench itself.
    """
    hil_bench.check(options)


def new_event_loop(options: RunOptions | None = None) -> asyncio.AbstractEventLoop:
    """Return the loop the bench belongs in."""
    return hil_bench.new_event_loop(options)


async def open_bench(options: RunOptions) -> Bench:
    """Open a bench whose lines are listened to.

    Raises:
        UsageError: The bench file is wrong.
        BenchError: A port is not there, busy or locked; a child does not start.
    """
    if options.bench is None:
        return await hil_bench.open_bench(options)  # which says that there is none
    taps = _TAPS.get()
    bench = CapturedBench(load_bench(options.bench, options.data), options, taps)
    for tap in taps.values():
        tap.session()
    try:
        await bench.open()
    except BaseException:
        await bench.close()
        raise
    return bench


def capture_run(
    choices: CaptureChoices, scenarios: Sequence[str], watcher: Watcher
) -> tuple[About, RunRecord, RunFolder]:
    """Run scenarios on a bench and record the line of one of its meters.

    Args:
        choices: What and where to; the run folder is ``NAME.run`` beside the capture.
        scenarios: Ids and globs.
        watcher: Who hears of the progress.

    Raises:
        UsageError: An unknown id, a wrong bench file, or a secret that would stand in the
            capture in clear.
        RunInterruptedError: Ctrl-C or SIGTERM.
    """
    refuse_bench(choices)
    subject = Subject.of(choices)
    options = replace(choices.options(), world="", devices=())
    folder = choices.out.with_name(choices.out.name + ".run")
    clients = known_clients(subject)
    secrets = secrets_of(subject.factory, clients)
    writer = TranscriptWriter(choices.out, subject.about(), secrets=secrets)
    with writer:
        if subject.kind is EndpointKind.EMULATED:
            record, run = _start(scenarios, options, folder, watcher, Setting())
            write_frames(writer, list(read(run.file("capture"))))
        else:
            tap = TranscriptTap(writer)
            token = _TAPS.set({choices.role: tap})
            try:
                benches = {**BENCHES, "bench": f"{__name__}:open_bench"}
                record, run = _start(scenarios, options, folder, watcher, Setting(benches=benches))
            finally:
                _TAPS.reset(token)
            settled(writer, tap)
        begun = record.scenarios[0].started_at if record.scenarios else None
        if begun is not None:
            writer.about = writer.about.model_copy(update={"started_at": iso(UtcMs(begun))})
        return finished(choices, subject, writer, None, clients), record, run


def _start(
    scenarios: Sequence[str],
    options: RunOptions,
    folder: Path,
    watcher: Watcher,
    setting: Setting,
) -> tuple[RunRecord, RunFolder]:
    run, record = start(scenarios, options, out=folder, setting=setting, watcher=watcher)
    return record, run
