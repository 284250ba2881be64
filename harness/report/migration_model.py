"""One record of a migration run, built from its journal; every report of it renders this."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from harness.migration import run_rows
from harness.migration.record import InstallationRecord
from harness.migration.totals import reconcile, totals
from harness.migration.volume_faults import never_met
from harness.migration.volume_journal import FileNote, Play, Round, VolumeJournal
from harness.migration.volume_options import VolumeOptions
from harness.run_folder import FILES, OPTIONAL, RunFolder
from harness.verdict import Verdict, combine

#: Folder of the migration files inside the run folder.
FILES_FOLDER: Final = "files"
#: How durable a run is; ``run.json`` says it, docs/architecture.md explains it.
DURABILITY: Final = {
    "grade": "per-installation",
    "says": "an installation's play is one transaction of the journal; one that a kill cuts off is"
    " played again from its own beginning, on emulated devices that nobody has touched",
}


@dataclass(frozen=True, slots=True)
class Played:
    """One installation with all its plays.

    Attributes:
        number: Its place in the installation file, from 0.
        ref: What the user calls it.
        record: What is kept of it after its last play; None while it was not played.
        plays: Its plays by round, first to last.
    """

    number: int
    ref: str
    record: InstallationRecord | None
    plays: tuple[tuple[int, Play], ...]

    @property
    def error(self) -> dict[str, str]:
        """What broke in its last play; empty where nothing did."""
        return self.plays[-1][1].error if self.plays else {}

    @property
    def verdict(self) -> Verdict | None:
        """What its end says; None while it was not played."""
        if self.error:
            return Verdict.ERROR
        return None if self.record is None else run_rows.verdict(self.record)

    @property
    def reason(self) -> str:
        """One sentence on where it stands."""
        if self.error:
            return self.error["what"]
        return "not played yet" if self.record is None else run_rows.reason(self.record)


@dataclass(frozen=True, slots=True)
class Sent:
    """A migration file as it was sent, for a list.

    Attributes:
        name: Its name.
        sha256: SHA-256 of its octets, 64 hex digits.
        size_bytes: Its length.
        told: Type, sender, receiver, result, code, sub-code, text, as JSON values.
        round: Round it belongs to.
    """

    name: str
    sha256: str
    size_bytes: int
    told: Mapping[str, Any]
    round: int


#: Results of a line of history whose step was taken.
_TAKEN: Final = frozenset({"ok", "failed"})


@dataclass(frozen=True, slots=True)
class MigrationRecord:
    """A migration run as its journal tells it.

    Attributes:
        id: Run id.
        state: ``done`` or ``interrupted``.
        version: Version of smetsbench that played it.
        options: The choices made.
        about: Cohort, group, evidence marks and stand-ins, as the run found them.
        rounds: Rounds so far.
        installations: The installations, in the order of their file.
        sent: Every migration file sent.
        files: Name -> file name inside the run folder.
        remarks: What a reader should know and that leaves nothing open.
    """

    id: str
    state: str
    version: str
    options: VolumeOptions
    about: Mapping[str, Any]
    rounds: tuple[Round, ...]
    installations: tuple[Played, ...] = field(repr=False)
    sent: tuple[Sent, ...] = field(repr=False)
    files: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def records(self) -> list[InstallationRecord]:
        """The records of all installations played."""
        return [one.record for one in self.installations if one.record is not None]

    @property
    def verdict(self) -> Verdict | None:
        """Of the whole run; None for an interrupted one in which nothing failed so far."""
        judged = [one.verdict for one in self.installations if one.verdict is not None]
        found: Verdict | None = combine(judged) if judged else None
        if self.state != "done" and found is not None and found <= Verdict.PASS:
            return None
        return found

    def totals(self) -> dict[str, Any]:
        """Return the totals, checked against the histories.

        Raises:
            UnreconciledError: They do not follow.
        """
        if self.state == "done":
            sound = [one.record for one in self.installations if not one.error]
            known = [record for record in sound if record is not None]
            reconcile(known, totals(known))
        return totals(self.records)


def build(folder: RunFolder, journal: VolumeJournal) -> MigrationRecord:
    """Read a migration run from its journal; messages between parties are left out."""
    row, plain = journal.row(), journal.options()
    rounds = journal.rounds()
    plays: dict[int, list[tuple[int, Play]]] = {}
    refs: dict[int, str] = {}
    sent: list[Sent] = []
    for one in rounds:
        sent += [_sent(FileNote.of(file), one.number) for file in journal.files(one.number)]
        for number, ref, play in journal.plays(one.number):
            refs[number] = ref
            if play.record is not None or play.error:
                sent += [_sent(file, one.number) for file in play.files]
                plays.setdefault(number, []).append((one.number, replace(play, files=())))
    run = MigrationRecord(
        id=row["id"],
        state="done" if row["state"] == "done" else "interrupted",
        version=row["version"],
        options=VolumeOptions.load(plain),
        about=plain["about"],
        rounds=tuple(rounds),
        installations=tuple(
            Played(number, refs[number], _last(plays.get(number, ())), tuple(plays.get(number, ())))
            for number in sorted(refs)
        ),
        sent=tuple(sent),
        files=_files(folder),
    )
    if run.state != "done":
        return run  # what was not played yet may still come to the step
    history = (entry for record in run.records for entry in record.history)
    steps = {entry.step for entry in history if entry.result in _TAKEN}
    types = {str(one.told.get("type", "")) for one in run.sent}
    return replace(run, remarks=never_met(run.options.faults, steps, types))


def with_letters(
    run: MigrationRecord, journal: VolumeJournal, numbers: Collection[int]
) -> MigrationRecord:
    """Return the record with the messages between parties about these installations."""
    letters = {
        (one.number, number): journal.letters(one.number, number)
        for one in run.rounds
        for number, _ref in journal.refs(one.number)
        if number in numbers
    }
    return replace(
        run,
        installations=tuple(
            replace(
                one,
                plays=tuple(
                    (at, replace(play, letters=letters.get((at, one.number), ())))
                    for at, play in one.plays
                ),
            )
            for one in run.installations
        ),
    )


def _last(plays: Sequence[tuple[int, Play]]) -> InstallationRecord | None:
    known = [play.record for _round, play in plays if play.record is not None]
    return known[-1] if known else None


def _sent(file: FileNote, number: int) -> Sent:
    return Sent(file.name, file.sha256, file.size_bytes, file.told, number)


def _files(folder: RunFolder) -> dict[str, str]:
    known = {
        name: file
        for name, file in FILES.items()
        if name not in OPTIONAL or folder.file(name).is_file()
    }
    return {**known, "installations": "installations.csv", "files": f"{FILES_FOLDER}/"}


def write_files(folder: Path, journal: VolumeJournal) -> None:
    """Write every migration file of a run beside its reports, as it was sent."""
    inside = folder / FILES_FOLDER
    inside.mkdir(exist_ok=True)
    for one in journal.rounds():
        made = set[str]()
        for file in chain(journal.files(one.number), journal.own_files(one.number)):
            parent, _, _name = file.name.rpartition("/")
            if parent not in made:
                made.add(parent)
                (inside / parent).mkdir(exist_ok=True)
            (inside / file.name).write_bytes(file.octets)
