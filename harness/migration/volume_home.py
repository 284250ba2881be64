"""Plays one home from its beginning, or from where it rests, to its end: a bench, an office."""

import asyncio
import hashlib
import importlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from device_profiles.installation import Installation
from emulator.core.clock import UtcMs
from emulator.core.faults import CLEAR, PLACES
from harness.benches import BENCHES
from harness.errors import HarnessError
from harness.migration.course import Course
from harness.migration.invariants import Invariants
from harness.migration.office import Office
from harness.migration.record import InstallationRecord
from harness.migration.site import Site
from harness.migration.states import State
from harness.migration.volume_files import ChunkFiles, HomeFiles
from harness.migration.volume_journal import FileNote, Play, SentFile, dump_play
from harness.migration.volume_options import VolumeOptions
from harness.migration.volume_shared import ScopedChance, Shared
from harness.ports import Bench
from harness.run_options import RunOptions

_WORLD: Final = "SMETS1"
_ANSWERS: Final = ("VIF", "SCF", "COF")


@dataclass(frozen=True, slots=True)
class Home:
    """One installation to be played.

    Attributes:
        number: Its place in the installation file, from 0.
        installation: The installation.
        memory: State of home and parties to go on from; empty: from the beginning.
        captured: Whether its frames go into the capture.
    """

    number: int
    installation: Installation
    memory: bytes = field(repr=False)
    captured: bool


def bench_options(
    options: VolumeOptions, home: Installation, *, captured: bool = False
) -> RunOptions:
    """Return what the bench of one home is opened with; ``captured``: somebody takes its frames."""
    return RunOptions(
        seed=options.seed,
        defects=options.defects,
        data=options.data,
        world=_WORLD,
        settings={"homes": (home,), "frames": captured},
    )


@dataclass(frozen=True, slots=True)
class HomePlayer:
    """Plays homes of one chunk.

    Attributes:
        shared: What all chunks share.
        chunk: The chunk's file set.
    """

    shared: Shared
    chunk: ChunkFiles

    def play(self, home: Home) -> dict[str, Any]:
        """Play one home on a virtual time line of its own; what breaks is told, not raised."""
        module = importlib.import_module(BENCHES["emulated"].partition(":")[0])
        options = bench_options(self.shared.options, home.installation, captured=home.captured)
        bench: Bench = module.open_bench(options)
        outcome: dict[str, Any] = {}
        with asyncio.Runner(loop_factory=module.new_event_loop) as loop:
            loop.run(self._on(bench, home, outcome))
        return outcome

    async def _on(self, bench: Bench, home: Home, outcome: dict[str, Any]) -> None:
        """Play a home; what comes of it is no task's result, for asyncio would print that."""
        scope = f"home/{home.installation.ref}/{self.shared.round}"
        chance = ScopedChance(self.shared.options.seed, scope)
        terms = self.shared.terms_of(self.chunk.hand.counter)
        cohort = self.shared.batch.cohort
        office = Office.open(bench.clock, chance, cohort, (home.installation,), terms)
        files = HomeFiles(self.chunk, office)
        site = Site(home.installation, bench, cohort)
        course = Course(office, [site], self.shared.trouble.script, files=files)
        if self.shared.options.watched:
            course.watch = Invariants(office, [site], strict=True).watch
        error: dict[str, str] = {}
        try:
            await self._course(bench, course, home)
        except HarnessError as broken:
            error = {"what": broken.what, "where": broken.where, "cause": broken.cause}
        outcome |= self._outcome(bench, course, home, error)

    async def _course(self, bench: Bench, course: Course, home: Home) -> None:
        told, ref = self.shared.told, home.installation.ref
        if not home.memory:
            for order in self.shared.trouble.on_links:
                await bench.disturb(order)
            await course.migrate()
            return
        stored = json.loads(zlib.decompress(home.memory))
        bench.restore(bytes.fromhex(stored["bench"]))
        course.load(stored["course"])
        for place in PLACES:
            await bench.disturb(f"{CLEAR}@{place}")
        await course.office.clock.sleep_until(UtcMs(told["at"]))
        await course.resubmit([ref], told["judgement"], roll_forward=told["roll_forward"])

    def _outcome(
        self,
        bench: Bench,
        course: Course,
        home: Home,
        error: dict[str, str],
    ) -> dict[str, Any]:
        record = course.records[home.installation.ref]
        frames = [
            (one.at_us, one.link, one.frame, one.comment)
            for one in (bench.take_frames() if home.captured else ())
        ]
        letters = tuple(_letters(course, self.chunk.fingerprints))
        files = _answers(course, home)
        play = Play(record, letters, tuple(map(FileNote.of, files)), _facts(record), error)
        memory = b""
        if record.state is State.STRANDED and not error:
            course.office.post.letters = []
            state = bench.dump() or b""
            stored = {"bench": state.hex(), "course": course.dump()}
            memory = zlib.compress(json.dumps(stored).encode(), 1)
        return {
            "n": home.number,
            "ref": record.ref,
            "play": dump_play(play, files),
            "frames": frames,
            "memory": memory,
        }


def _letters(course: Course, known_of: Mapping[bytes, str]) -> list[dict[str, Any]]:
    """Return the messages between parties, each with its fingerprint instead of its octets.

    Args:
        course: The course, which is over.
        known_of: Fingerprints of octets, as far as they are known.
    """
    hashes = dict(known_of)
    rows = []
    for letter in course.office.post.letters:
        known = hashes.get(letter.octets)
        if known is None:
            known = hashes[letter.octets] = hashlib.sha256(letter.octets).hexdigest()
        rows.append(
            {
                "at": letter.at,
                "sender": letter.sender,
                "receiver": letter.receiver,
                "kind": letter.kind,
                "summary": letter.summary,
                "size_bytes": len(letter.octets),
                "sha256": known,
            }
        )
    return rows


def _answers(course: Course, home: Home) -> list[SentFile]:
    """Return the files about this installation alone, in a folder of its own."""
    found = []
    for hand in course.files.hands:
        for kind, one in hand.arrived.items():
            if kind.value in _ANSWERS:
                told = {
                    "type": kind.value,
                    "sender": one.sender,
                    "receiver": one.receiver,
                    "result": "sent",
                    "ref": home.installation.ref,
                }
                found.append(SentFile(f"{home.number:06d}/{one.name}", one.octets, told))
    return found


def _facts(record: InstallationRecord) -> dict[str, Any]:
    """Return what a play came to in numbers."""
    moments = [entry.at for entry in record.history] or [UtcMs(0)]
    return {"virtual_s": (moments[-1] - moments[0]) // 1000, "entries": len(record.history)}
