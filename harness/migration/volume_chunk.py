"""Plays a chunk of installations in one process: its file set once, then home after home."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from emulator.core.clock import UtcMs
from harness.formats.migration_files.words import ProcessingMode
from harness.migration.file_work import FileWork
from harness.migration.office import Office
from harness.migration.opening_records import record_of
from harness.migration.planning import Planning
from harness.migration.record import InstallationRecord
from harness.migration.site import Site
from harness.migration.volume_files import ChunkFiles
from harness.migration.volume_home import Home, HomePlayer
from harness.migration.volume_journal import Round, VolumeJournal
from harness.migration.volume_options import Batch
from harness.migration.volume_shared import ScopedChance, Shared, StillClock
from harness.ports import Bench
from harness.workers import Outcome, Task, Workshop

#: Installations that one Migration Common File names. Source: invented; no more than the flat
#: allocation of a day (DMIN, 100).
CHUNK: Final = 50
#: How long after the last of them came to rest installations are resubmitted. Source: invented.
LISTED_AFTER_MS: Final = 2 * 86_400_000


def plan(
    journal: VolumeJournal, batch: Batch, last: Round, pending: Sequence[tuple[int, str]]
) -> tuple[Workshop, list[Task]]:
    """Return how a round's pending installations are played, chunk by chunk.

    Cohort and installations go along as they were read and checked: to read the file again takes
    each process longer than to be sent what is in it.

    A chunk is a run of installations of the round, pending or not: its file set names them all,
    and is the same whenever it is made: as the rounds before left them, whatever this one has done.
    """
    everyone = journal.refs(last.number)
    open_ones = {number for number, _ref in pending}
    counter = 1 + sum(_chunks(len(journal.refs(one))) for one in range(last.number))
    records = {one.ref: one for one in journal.records(before=last.number)}
    told = {**last.told, "round": last.number, "at": _listed_at(records, last)}
    tasks: list[Task] = []
    for chunk in range(_chunks(len(everyone))):
        members = everyone[chunk * CHUNK : (chunk + 1) * CHUNK]
        due = [number for number, _ref in members if number in open_ones]
        if due:
            memories = {number: journal.memory(number) for number in due} if records else {}
            known = {ref: records[ref].dump() for _n, ref in members if ref in records}
            tasks.append(
                {
                    "chunk": chunk,
                    "members": [number for number, _ref in members],
                    "due": due,
                    "counter": counter + chunk,
                    "memories": memories,
                    "records": known,
                }
            )
    about = {"options": journal.options(), "batch": batch, "told": told}
    return Workshop(ChunkPlayer.make, about), tasks


def _chunks(count: int) -> int:
    return -(-count // CHUNK)


def _listed_at(records: Mapping[str, InstallationRecord], last: Round) -> int:
    """Return when the MCC resubmits: some days after the last of the listed came to rest."""
    if not records:
        return 0
    ends = [records[ref].history[-1].at for ref in last.told["refs"] if records[ref].history]
    return max(ends, default=0) + LISTED_AFTER_MS


@dataclass(frozen=True, slots=True)
class ChunkPlayer:
    """Plays chunk after chunk in one process.

    Attributes:
        shared: What all chunks of the round have in common.
    """

    shared: Shared

    @classmethod
    def make(cls, about: Mapping[str, Any]) -> "ChunkPlayer":
        """Read what the chunks share."""
        return cls(Shared.load(about))

    def __call__(self, task: Task) -> Iterator[Outcome]:
        """Make a chunk's file set, then play its homes that are due, one after another."""
        shared = self.shared
        chunk = self._files(task)
        yield {"n": None, "chunk": task["chunk"], "files": chunk.files()}
        for number in task["due"]:
            memory = task["memories"].get(number, b"")
            captured = number < shared.options.captured
            home = Home(number, shared.batch.homes[number], memory, captured)
            yield HomePlayer(shared, chunk).play(home)

    def _files(self, task: Task) -> ChunkFiles:
        shared = self.shared
        homes = tuple(shared.batch.homes[number] for number in task["members"])
        chance = ScopedChance(shared.options.seed, f"chunk/{shared.round}/{task['chunk']}")
        terms = shared.terms_of(task["counter"])
        if shared.round:
            terms = replace(terms, start=UtcMs(shared.told["at"]))
        office = Office.open(StillClock(UtcMs(0)), chance, shared.batch.cohort, homes, terms)
        work = FileWork(office, tamper=shared.spoils())
        if shared.round:
            records = [InstallationRecord.restore(row) for row in task["records"].values()]
            refs = frozenset(record.ref for record in records)
            return ChunkFiles(work, office.post, records, ProcessingMode.COMPLETE, refs)
        return ChunkFiles(work, office.post, _planned(office), ProcessingMode.FULL, frozenset())


def _planned(office: Office) -> list[InstallationRecord]:
    """Return the records of the installations that planning authorises."""
    planning = Planning(office)
    # Planning asks lists and rules; no device stands on a desk.
    sites = [Site(home, cast(Bench, None), office.cohort) for home in office.installations]
    records = [record_of(office, site) for site in sites]
    for ask in (planning.plan, planning.authorise):
        verdicts = ask(records)
        records = [record for record in records if verdicts[record.ref].accepted]
    return records
