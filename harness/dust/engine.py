"""Runs a definition: opens its doors, lets the participant take its turns, packs the evidence."""

import asyncio
import json
import shutil
import socket
import sqlite3
from pathlib import Path
from typing import Final

from device_profiles.errors import DataError
from device_profiles.files import reading_once
from emulator.core.ids import Eui64
from harness.bench_offer import LINES
from harness.benches import RUN_BENCHES
from harness.data_files import reading_data
from harness.door.door import Door, DoorOptions
from harness.door.homes import Homes
from harness.door.mover import Pace
from harness.door.settling import Patience
from harness.door.trust import participants_keys, write_public
from harness.dust import mrr, pack, reports
from harness.dust.choices import BEGUN, DEFINITION, Choices, Prepared, prepare
from harness.dust.chronicle import EVENTS
from harness.dust.conductor import DustConductor
from harness.dust.definition_faults import defects_of
from harness.dust.definition_homes import changes
from harness.dust.disabled_checks import switches_on
from harness.dust.hours import begins_at
from harness.dust.index import NAME as INDEX
from harness.dust.index import render as render_index
from harness.dust.record import DustRecord
from harness.dust.recording import RUN
from harness.dust.run_doors import (
    DOOR,
    DOOR_LOG,
    DROP,
    TRUST,
    DoorLog,
    Opened,
    Watchers,
    address_of,
    announce,
    listening,
    open_ways,
    places,
    served,
)
from harness.dust.run_key import key_of_run
from harness.dust.steps_told import OnStep, Steps
from harness.dust.wire import CAPTURE
from harness.errors import BenchError, HarnessError, UsageError
from harness.files import write_octets
from harness.rules.migration_rulebook import load_rule_book
from harness.run_folder import RunFolder
from harness.setting import named

JOURNAL: Final = "journal.sqlite"
#: What a run leaves in its folder; anything else there is somebody's own.
_OURS: Final = (
    *(DEFINITION, BEGUN, DOOR, DOOR_LOG, RUN, EVENTS, CAPTURE, INDEX, pack.NAME),
    *(JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", *reports.RENDERERS),
    *("files", mrr.FOLDER, DROP, TRUST, LINES),
)
#: Waits of the world: for an answer, after the last word. A run has a calendar to keep.
#: Source: invented.
_PATIENCE: Final = Patience(answer_ms=2 * 3_600_000, quiet_ms=60_000)


def is_dust_run(folder: Path) -> bool:
    """Say whether a folder holds a DUST run."""
    return (folder / BEGUN).is_file() and (folder / DEFINITION).is_file()


def start(
    choices: Choices, out: Path, watchers: Watchers | None = None, *, force: bool = False
) -> DustRecord:
    """Run a definition into a new folder.

    Args:
        choices: What it is begun with.
        out: The run folder.
        watchers: Who hears of it while it goes.
        force: Whether a run there that is over, and its evidence, may be replaced.

    Raises:
        UsageError: The definition or the folder cannot be used.
        DustInterruptedError: Ctrl-C or SIGTERM.
        BenchError: The homes or the participant broke.
    """
    prepared = prepare(choices)
    folder = RunFolder(out)
    with listening(prepared) as at:  # before anything is made or cleared: it may be in use
        folder.make(f"smetsbench dust run {choices.file}")
        with folder.lock():
            _clear(choices.file, out, force=force)
            write_octets(out / DEFINITION, prepared.definition.octets)
            told = json.dumps(choices.dump(), indent=1) + "\n"
            write_octets(out / BEGUN, told.encode())
            try:
                with reading_data():
                    return _play(prepared, out, watchers or Watchers(), at)
            except UsageError:
                if not (out / RUN).exists():
                    _empty(out)  # nothing has begun: there is nothing to go on with
                raise


def resume(folder: Path, watchers: Watchers | None = None) -> DustRecord:
    """Go on with a run that was killed or interrupted; one that is over is packed again.

    Raises:
        UsageError: The folder holds no such run.
        DustInterruptedError: Ctrl-C or SIGTERM.
        BenchError: The homes or the participant broke.
    """
    with RunFolder(folder).lock(), reading_data():
        prepared = prepare(Choices.load(folder))
        with listening(prepared) as at:
            return _play(prepared, folder, watchers or Watchers(), at)


def _clear(file: Path, out: Path, *, force: bool) -> None:
    """Clear the folder of a run that is over.

    Raises:
        UsageError: It holds something else, a run that can be resumed, or one that is over and is
            not to be replaced.
    """
    if not any(out.iterdir()):
        return
    if not is_dust_run(out):
        raise UsageError(
            "the folder for the run is not empty and holds no run; it is left as it is",
            where=str(out),
            next_command="smetsbench dust run FILE.toml --out OTHER-FOLDER",
        )
    if not (out / pack.NAME).is_file():
        raise UsageError(
            "the folder holds a run that was interrupted and can be resumed",
            where=str(out),
            next_command=f"smetsbench resume {out}   (or remove the folder)",
        )
    if not force:
        again = f"smetsbench dust run {file} --out"
        raise UsageError(
            "the folder holds a run that is over; its evidence is left as it is",
            where=str(out / pack.NAME),
            cause="the command was given twice, or the folder was forgotten",
            next_command=f"{again} {out} --force   (replaces it; or {again} OTHER-FOLDER)",
        )
    _empty(out)


def _empty(out: Path) -> None:
    """Take away what a run leaves in its folder."""
    for name in _OURS:
        place = out / name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


# -- playing ---------------------------------------------------------------------------------------


def _play(
    prepared: Prepared, folder: Path, watchers: Watchers, at: socket.socket | None
) -> DustRecord:
    """Play a run to its end and pack it; the homes are gone by then, and so is their memory."""
    record = _played(prepared, folder, watchers, at)
    if record is None:
        raise BenchError("the run has no record", where=str(folder))
    shown = prepared.choices.with_identifiers
    return _packed(record, folder, with_identifiers=shown, on_step=watchers.on_step)


def _played(
    prepared: Prepared, folder: Path, watchers: Watchers, at: socket.socket | None
) -> DustRecord | None:
    definition, homes = prepared.definition, _homes(prepared, folder)
    trust, drop = places(prepared, folder)
    keys = participants_keys(trust, homes.suppliers, definition.run.seed)
    conductor = DustConductor(
        folder,
        definition,
        prepared.homes,
        prepared.days,
        prepared.plan,
        keys,
        watchers.on_event,
        prepared.on_benches,
    )
    options = DoorOptions(
        homes,
        keys,
        folder / JOURNAL,
        pace=_pace(prepared),
        patience=_PATIENCE,
        conductor=conductor,
        patience_s=None if prepared.is_simulated else definition.participant.patience_s,
        tell=DoorLog(folder / DOOR_LOG).write,
    )
    ways = open_ways(prepared, at, drop)
    with reading_once():
        door = Door(options)
    try:
        write_public(trust, door.world.public_keys())
        opened = Opened(address_of(ways.listen), _whole(drop), _whole(trust))
        announce(opened, folder, None if prepared.is_simulated else watchers.on_open)
        asyncio.run(served(prepared, door, ways, folder))
        _complain(door, folder)
    finally:
        door.close()
        conductor.close()
    return conductor.record


def _whole(place: Path | None) -> str:
    """Return a folder as a participant elsewhere can name it; empty where there is none."""
    return "" if place is None else str(place.resolve())


def _homes(prepared: Prepared, folder: Path) -> Homes:
    """Return the homes as a door takes them: under their SMSO, from the run's first moment on."""
    definition, first = prepared.definition, prepared.plan.days[0].day
    book = load_rule_book(definition.overlays)
    return Homes(
        smets2=(),
        smets1=prepared.homes,
        overlays=definition.overlays,
        seed=definition.run.seed,
        migrated=False,
        start_at=begins_at(prepared.plan),
        users=tuple(dict.fromkeys(Eui64.parse(one.to) for one in changes(definition))),
        switches=switches_on(first, definition.disabled_checks, book),
        defects=defects_of(definition),
        benches=prepared.on_benches.files,
        folder=folder,
    )


def _pace(prepared: Prepared) -> Pace:
    """Return how the run's time goes: it holds still while somebody speaks on a line."""
    return Pace(new_loop=named(RUN_BENCHES["loop"]) if prepared.on_benches.files else None)


def _complain(door: Door, folder: Path) -> None:
    """Say what broke the world.

    Raises:
        BenchError: Something did.
    """
    error = door.broken
    if isinstance(error, BenchError):
        raise BenchError(
            error.what,
            where=error.where,
            cause=error.cause,
            next_command=f"put it right: smetsbench resume {folder}",
        ) from error
    if isinstance(error, DataError | HarnessError):
        raise error  # a table of an overlay, or what the bench itself says
    if isinstance(error, OSError | sqlite3.Error):
        raise BenchError(
            f"the run folder is out of reach: {error}",
            where=str(getattr(error, "filename", None) or folder),
            cause="a full disk, or a folder that was taken away or can only be read",
            next_command=f"put it right: smetsbench resume {folder}",
        ) from error
    if error is not None:
        raise BenchError(
            f"the run broke: {type(error).__name__}: {error}",
            where=str(folder),
            cause="a defect of smetsbench; what was handed in is in the journal",
            next_command=f"smetsbench resume {folder}",
        ) from error


def _packed(
    record: DustRecord, folder: Path, *, with_identifiers: bool, on_step: OnStep | None = None
) -> DustRecord:
    """Write reports and evidence of a run that is over."""
    Steps(on_step).say("writing reports")
    reports.write(folder, record, with_identifiers=with_identifiers)
    mrr.write(folder, record)
    write_octets(folder / INDEX, render_index(record))
    key = key_of_run(record.header)
    pack.write(folder, record, key, with_identifiers=with_identifiers, on_step=on_step)
    return record
