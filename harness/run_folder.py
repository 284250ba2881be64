"""The folder of a run: which files it holds, and that one process at a time writes them."""

import fcntl
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import UsageError
from harness.journal import Journal

#: What a run folder holds: name in ``run --json`` -> file name.
FILES: Final = {
    "run": "run.json",
    "journal": "journal.sqlite",
    "events": "events.jsonl",
    "capture": "wire.pcapng",
    "report": "report.html",
    "junit": "junit.xml",
    "certificates": "certificates.json",
    "dongle": "dongle.pcapng",
    "dongle-about": "dongle.toml",
}
#: Files that only some benches give.
OPTIONAL: Final = frozenset({"certificates", "dongle", "dongle-about"})
_OURS: Final = frozenset(
    {
        *FILES.values(),
        *(f"{name}.part" for name in FILES.values()),
        "journal.sqlite-wal",
        "journal.sqlite-shm",
    }
)
#: What some kinds of run leave beside these files -> whose it is.
_OTHER_KINDS: Final = {
    "begun.json": "a DUST run",
    "definition.toml": "a DUST run",
    "installations.csv": "a migration run",
}


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder ``runs/<id>/``, or the one given with ``--out``."""

    path: Path

    def file(self, name: str) -> Path:
        """Return the path of one of its files, by its name in ``run --json``."""
        return self.path / FILES[name]

    def make(self, command: str = "smetsbench run ID") -> None:
        """Make the folder where there is none.

        Args:
            command: The command that makes it: what to try again with another folder.

        Raises:
            UsageError: It cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                "the run folder cannot be made",
                where=str(self.path),
                cause=error.strerror or str(error),
                next_command=f"{command} --out OTHER-FOLDER",
            ) from error

    def clear(self, command: str = "smetsbench run ID", beside: Collection[str] = ()) -> None:
        """Clear the folder of a finished run.

        Args:
            command: The command that makes it: what to try again with another folder.
            beside: What this kind of run leaves beside the files of all runs.

        Raises:
            UsageError: It holds something else, a run of another kind, whose files would be left
                half replaced, or a run that can still be resumed.
        """
        foreign = sorted(item.name for item in self.path.iterdir() if item.name not in _OURS)
        journal = self.file("journal")
        others = _OTHER_KINDS.keys() & set(foreign) - set(beside)
        if journal.is_file() and others:
            name = min(others)
            raise UsageError(
                f"the folder holds {_OTHER_KINDS[name]}; it is left as it is",
                where=str(self.path / name),
                cause="a run of another kind was kept here, or the folder was forgotten",
                next_command=f"{command} --out OTHER-FOLDER",
            )
        if foreign and not journal.is_file():
            raise UsageError(
                "the folder for the run is not empty and holds no run; it is left as it is",
                where=f"{self.path} ({', '.join(foreign[:3])})",
                cause="a folder of something else",
                next_command=f"{command} --out OTHER-FOLDER",
            )
        if journal.is_file() and self._is_unfinished(journal):
            raise UsageError(
                "the folder holds a run that was interrupted and can be resumed",
                where=str(self.path),
                cause="the run was killed or stopped, or the folder was forgotten",
                next_command=f"smetsbench resume {self.path}   (or remove the folder)",
            )
        for name in _OURS:
            (self.path / name).unlink(missing_ok=True)

    @staticmethod
    def _is_unfinished(path: Path) -> bool:
        try:
            journal = Journal.open(path)
        except (UsageError, sqlite3.DatabaseError):
            return False  # unreadable, or killed before anything was written
        try:
            begun = journal.rows("SELECT 1 FROM scenarios WHERE state <> 'pending' LIMIT 1")
            return bool(begun) and journal.rows("SELECT state FROM runs")[0][0] != "done"
        finally:
            journal.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process; the system lets go of it even after a kill.

        Raises:
            UsageError: There is no such folder, or another process works in it.
        """
        if not self.path.is_dir():
            raise UsageError(
                "there is no such run folder",
                where=str(self.path),
                cause="a mistyped name, or a run that was never made",
                next_command="ls runs",
            )
        handle = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    "another smetsbench is working in this folder",
                    where=str(self.path),
                    cause="a run of the same name that is still under way",
                    next_command="wait for it, or choose another folder with --out",
                ) from error
            yield
        finally:
            os.close(handle)
