"""The file set of a chunk of installations: made and checked once, then shared by its homes.

One Migration Common File names the whole chunk, as a Requesting Party's does; each home is played
on a time line of its own afterwards, and sees of the set what concerns it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.core.clock import UtcMs
from harness.formats.migration_files.words import FileType, ProcessingMode
from harness.migration.file_office import FileOffice
from harness.migration.file_set import SetInHand
from harness.migration.file_work import FileWork
from harness.migration.record import InstallationRecord
from harness.migration.verdicts import FileVerdict, InstallationVerdict
from harness.migration.volume_journal import SentFile
from harness.parties.post import Letter, Post


@dataclass(slots=True)
class Stage:
    """What one stage of the work on a set brought.

    Attributes:
        letters: Messages between parties.
        kinds: Files that arrived.
        results: Ref -> verdict, where the stage gives one.
    """

    letters: tuple[Letter, ...] = ()
    kinds: tuple[FileType, ...] = ()
    results: Mapping[str, InstallationVerdict] = field(default_factory=dict)


class ChunkFiles:
    """V1 to V6 for a chunk of installations.

    Attributes:
        work: Who made and checked the files.
        hand: The set.
        sent, validated, grouped, checked: What each stage brought.
        fingerprints: Octets of each message of these stages -> their SHA-256, 64 hex digits: the
            messages stand in every home's play, and name all homes.
    """

    def __init__(
        self,
        work: FileWork,
        post: Post,
        records: Sequence[InstallationRecord],
        mode: ProcessingMode,
        stranded: frozenset[str],
    ) -> None:
        self.work = work
        self._post = post
        self._seen = len(post.letters)
        self._kinds: set[FileType] = set()
        self.fingerprints: dict[bytes, str] = {}
        if not records:  # nobody is planned: no file is made, and none of the homes asks for one
            self.hand = SetInHand((), mode, UtcMs(0), 0)
            self.sent = self.validated = self.grouped = self.checked = Stage()
            return
        self.hand = work.send_common(records, mode)
        self.sent = self._stage({})
        self.validated = self._stage(work.validate(self.hand, stranded))
        work.send_group(self.hand)
        self.grouped = self._stage({})
        self.checked = self._stage(work.check(self.hand))

    def _stage(self, results: Mapping[str, InstallationVerdict]) -> Stage:
        fresh = tuple(self._post.letters[self._seen :])
        self._seen = len(self._post.letters)
        kinds = tuple(kind for kind in self.hand.arrived if kind not in self._kinds)
        self._kinds.update(kinds)
        for letter in fresh:
            self.fingerprints[letter.octets] = hashlib.sha256(letter.octets).hexdigest()
        return Stage(fresh, kinds, dict(results))

    def files(self) -> list[SentFile]:
        """Return the files as they arrived, each with what became of it."""
        verdicts = {row.name: row for row in self.hand.verdicts}
        return [
            SentFile(
                one.name,
                one.octets,
                {
                    "type": kind.value,
                    "sender": one.sender,
                    "receiver": one.receiver,
                    **_told(verdicts.get(one.name)),
                },
            )
            for kind, one in self.hand.arrived.items()
        ]


def _told(verdict: FileVerdict | None) -> dict[str, Any]:
    """Return what became of a file; counters of sets stand in no text of it."""
    if verdict is None:
        return {"result": "sent"}
    found = None if verdict.finding is None else verdict.finding.for_suppliers()
    told = {"result": str(verdict.result)}
    if found is not None:
        told |= {"code": found.code, "sub_code": found.sub_code, "text": found.text}
    return told


class HomeFiles(FileWork):
    """What one home sees of its chunk's set; the answers about it (VIF, SCF, COF) are its own.

    Args:
        chunk: The chunk's set.
        office: The home's office.
    """

    def __init__(self, chunk: ChunkFiles, office: FileOffice) -> None:
        self.__dict__.update(vars(chunk.work))  # parties, keys and rules are the chunk's
        self._chunk = chunk
        self._office = office
        self.hands = []

    def send_common(
        self,
        records: Sequence[InstallationRecord],
        mode: ProcessingMode = ProcessingMode.FULL,
        at: UtcMs | None = None,
    ) -> SetInHand:
        """Return the chunk's set as far as it concerns these installations (V1)."""
        whole = self._chunk.hand
        refs = tuple(record.ref for record in records)
        hand = SetInHand(
            refs,
            mode,
            whole.at if at is None else at,
            whole.counter,
            {ref: whole.installations[ref] for ref in refs},
            common_accepted=whole.common_accepted,
        )
        self.hands.append(hand)
        self._share(hand, self._chunk.sent)
        return hand

    def validate(
        self, hand: SetInHand, stranded: frozenset[str] | None = None
    ) -> dict[str, InstallationVerdict]:
        """Return what the MCC found of these installations (V2)."""
        del stranded  # the chunk's set was validated with it
        self._share(hand, self._chunk.validated)
        return dict(hand.results)

    def send_group(self, hand: SetInHand) -> None:
        """Let the group files of the chunk count as sent (V3)."""
        if hand.accepted():
            self._share(hand, self._chunk.grouped)

    def check(self, hand: SetInHand) -> dict[str, InstallationVerdict]:
        """Return what the S1SP found of these installations (V4 to V6)."""
        before = {ref: row for ref, row in hand.results.items() if row.accepted}
        self._share(hand, self._chunk.checked)
        return {ref: hand.results[ref] for ref in before}

    def _share(self, hand: SetInHand, stage: Stage) -> None:
        for letter in stage.letters:
            self._office.post.hand_over(
                letter.sender, letter.receiver, letter.kind, letter.octets, letter.summary
            )
        whole = self._chunk.hand
        for kind in stage.kinds:
            hand.files[kind], hand.arrived[kind] = whole.files[kind], whole.arrived[kind]
        hand.results.update({ref: stage.results[ref] for ref in hand.refs if ref in stage.results})
        names = {one.name for one in hand.arrived.values()}
        hand.verdicts = [row for row in whole.verdicts if row.name in names]

    def dump(self) -> dict[str, Any]:
        """Return nothing: a later round has a set of its own, which its chunk makes."""
        return {}

    def load(self, state: dict[str, Any]) -> None:
        """Take over nothing."""
