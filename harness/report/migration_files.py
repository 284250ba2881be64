"""Writes every report of a migration run from its journal."""

import gc
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from harness.migration.record import InstallationRecord
from harness.migration.volume_journal import VolumeJournal
from harness.migration.volume_shared import certificates
from harness.new_installations import EUI64_PREFIX
from harness.report import migration_page, migration_texts
from harness.report.migration_grid import grid
from harness.report.migration_model import (
    FILES_FOLDER,
    MigrationRecord,
    Played,
    build,
    with_letters,
    write_files,
)
from harness.report.migration_page import MOST_COURSES
from harness.run_folder import RunFolder

_EUI64: Final = re.compile(r"(?<![0-9A-Fa-f-])[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7}(?![0-9A-Fa-f-])")
_MADE_UP: Final = "-".join(f"{octet:02X}" for octet in EUI64_PREFIX)
_NOTE: Final = (
    "EUI-64s of your installations are replaced by pseudonyms (EE-EE-…) in this report and in"
    " run.json, events.jsonl and junit.xml; files/, journal.sqlite and wire.pcapng hold them. Run"
    " again with --with-identifiers to see them."
)


def _page(run: MigrationRecord) -> bytes:
    return migration_page.render(run).encode()


#: File name -> what renders it.
RENDERERS: Final[dict[str, Callable[[MigrationRecord], bytes]]] = {
    "run.json": migration_texts.render_json,
    "events.jsonl": migration_texts.render_events,
    "junit.xml": migration_texts.render_junit,
    "installations.csv": migration_texts.render_csv,
    "report.html": _page,
}


#: Where the certificates of the parties lie, beside the files they signed.
KEYS_FOLDER: Final = "keys"


def write_migration(folder: RunFolder) -> MigrationRecord:
    """Write all reports and the migration files; each report replaces the one before it whole.

    Raises:
        UsageError: The folder holds no readable migration run.
        UnreconciledError: Totals do not follow from the histories.
    """
    with _uncollected():
        return _write(folder)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles from looking at thousands of records again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _write(folder: RunFolder) -> MigrationRecord:
    journal = VolumeJournal.open(folder.file("journal"))
    try:
        run = build(folder, journal)
        shown = {row.first.number for row in grid(run.installations).rows[:MOST_COURSES]}
        run = veiled(with_letters(run, journal, shown))
        write_files(folder.path, journal)
        _write_keys(folder.path / FILES_FOLDER / KEYS_FOLDER, run)
    finally:
        journal.close()
    for name, render in RENDERERS.items():
        path = folder.path / name
        fresh = path.with_name(f"{name}.part")
        fresh.write_bytes(render(run))
        fresh.replace(path)
    return run


def _write_keys(path: Path, run: MigrationRecord) -> None:
    """Write the parties' certificates, so that others can check signatures: all of them or none."""
    if path.is_dir():
        return
    fresh = path.with_name(f"{path.name}.part")
    if fresh.is_dir():  # what a kill left
        shutil.rmtree(fresh)
    certificates(run.options).to_folder(fresh)
    fresh.replace(path)


def veiled(run: MigrationRecord) -> MigrationRecord:
    """Return the run with pseudonyms for EUI-64s that may be live.

    Unchanged where all of them are made up, or ``--with-identifiers`` was given.
    """
    known = [
        str(device.eui64)
        for record in run.records
        for device in record.devices
        if not str(device.eui64).startswith(_MADE_UP)
    ]
    if run.options.with_identifiers or not known:
        return run
    veil = _Veil(known)
    return replace(
        run,
        installations=tuple(veil.installation(one) for one in run.installations),
        remarks=(*run.remarks, _NOTE),
    )


class _Veil:
    """Replaces each EUI-64 by the same pseudonym everywhere; a look-up for each one met."""

    def __init__(self, known: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        for eui64 in known:
            self._names.setdefault(eui64, _pseudonym(len(self._names) + 1))

    def text(self, text: str) -> str:
        return _EUI64.sub(lambda found: self._names.get(found[0].upper(), found[0]), text)

    def over(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.over(one) for key, one in value.items()}
        return [self.over(one) for one in value] if isinstance(value, list | tuple) else value

    def installation(self, one: Played) -> Played:
        plays = tuple(
            (number, replace(play, letters=tuple(self.over(letter) for letter in play.letters)))
            for number, play in one.plays
        )
        record = None if one.record is None else self.record(one.record)
        return replace(one, record=record, plays=plays)

    def record(self, record: InstallationRecord) -> InstallationRecord:
        plain = record.dump()
        plain["history"] = [self.over(line) for line in plain["history"]]
        for device in plain["devices"]:
            spelt = "-".join(re.findall("..", device["eui64"].upper()))
            device["eui64"] = self._names.get(spelt, spelt)
        return InstallationRecord.restore(plain)


def _pseudonym(number: int) -> str:
    digits = f"EEEE{number:012X}"
    return "-".join(re.findall("..", digits))
