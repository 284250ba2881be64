"""What parties write to each other in a run: files kept with their octets, notices handed on."""

from collections.abc import Sequence
from typing import Any, Final

from emulator.core.clock import iso
from harness.door.ports import OutFile
from harness.dust.borne_out import Bearings
from harness.dust.chronicle import BEARS, FILE_RESULT, MIGRATION, Chronicle, plain_name
from harness.dust.events import Level, Phase
from harness.dust.messages import MessageFile
from harness.migration.course import Course
from harness.migration.verdicts import FileVerdict
from harness.parties.import_supplier import EIS, GIS, NOTICE
from harness.parties.post import Letter

_FILE: Final = "migration-file"
_ENDING: Final = ".xml"
_SUPPLIERS: Final = frozenset({EIS, GIS})


class Letters:
    """Takes letters out of the post, keeps what is a file, and hands on what is for suppliers.

    Args:
        chronicle: Where everything is told.
        users: User IDs of the participant.
    """

    def __init__(self, chronicle: Chronicle, users: Sequence[str]) -> None:
        self._chronicle = chronicle
        self._users = frozenset(users)
        self._out: list[OutFile] = []
        self._bearings: Bearings | None = None
        self._messages = MessageFile(chronicle.folder / MIGRATION)

    def take(self, course: Course) -> None:
        """Take all letters; files are told with what became of them."""
        post = course.office.post
        letters, post.letters = post.letters, []
        if self._bearings is None:
            office = course.office
            self._bearings = Bearings.of(office.installations, office.overlays)
        for letter in letters:
            self._one(letter)
        if letters:
            self._messages.add(letters)
        self._judged(course)

    def settle(self, number: int) -> None:
        """Keep all messages since the last call in one file, octets and all."""
        written = self._messages.settle()
        if written is not None:
            path = f"{MIGRATION}/messages-{number:03d}.jsonl"
            self._chronicle.keep_written(path, written, "messages")

    def handed_out(self) -> tuple[OutFile, ...]:
        """Return what is for the participant since this was asked last."""
        found, self._out = tuple(self._out), []
        return found

    def _one(self, letter: Letter) -> None:
        name = letter.summary.rpartition(": ")[2]
        is_file = letter.kind == _FILE and name.endswith(_ENDING) and " " not in name
        told: dict[str, Any] = {"kind": letter.kind, "size_bytes": len(letter.octets)}
        path = ""
        if is_file:
            kind = name.partition("_")[0]
            path = self._keep(f"{MIGRATION}/{plain_name(name)}", letter, kind)
        elif letter.kind == NOTICE and letter.receiver in _SUPPLIERS:
            path = self._notice(letter)
        elif letter.kind == _FILE and letter.receiver in _SUPPLIERS:
            path = self._paper(letter)
        borne = None if self._bearings is None else self._bearings.borne_by(letter)
        if borne is not None:
            told[BEARS] = [borne.step, borne.says]
        self._chronicle.tell(
            "file" if path else "message",
            letter.summary,
            at=letter.at,
            level=Level.INFO if path else Level.DEBUG,
            phase=Phase.COMMISSIONING if letter.kind == NOTICE else self._chronicle.phase,
            party=letter.sender,
            receiver=letter.receiver,
            ref="" if borne is None else borne.ref,
            file=path,
            told=told,
        )

    def _keep(self, path: str, letter: Letter, kind: str) -> str:
        kept = self._chronicle.keep(
            path,
            letter.octets,
            kind,
            sender=letter.sender,
            receiver=letter.receiver,
            at=iso(letter.at),
            result="sent",
        )
        return kept.path

    def _notice(self, letter: Letter) -> str:
        """Keep a notice of commissioning; one for the participant goes out to it."""
        number = self._chronicle.count_of("commissioning notice") + 1
        path = f"{MIGRATION}/notice-{number:05d}.xml"
        self._hand_on(f"notice-{number:05d}.xml", letter)
        return self._keep(path, letter, "commissioning notice")

    def _paper(self, letter: Letter) -> str:
        """Keep what the MCC tells suppliers of dormant meters; the participant's goes out."""
        number = self._chronicle.count_of("notification") + 1
        path = f"{MIGRATION}/notification-{number:05d}.csv"
        self._hand_on(f"notification-{number:05d}.csv", letter)
        return self._keep(path, letter, "notification")

    def _hand_on(self, name: str, letter: Letter) -> None:
        if any(user.encode() in letter.octets for user in self._users):
            self._out.append(OutFile(name, letter.octets))

    def _judged(self, course: Course) -> None:
        """Tell what became of files that were judged since the last look."""
        for hand in course.files.hands:
            for verdict in hand.verdicts:
                path = f"{MIGRATION}/{plain_name(verdict.name)}"
                word = _word(verdict)
                if self._chronicle.judge(path, word):
                    self._tell_verdict(path, verdict, word, hand.refs)

    def _tell_verdict(
        self, path: str, verdict: FileVerdict, word: str, refs: Sequence[str]
    ) -> None:
        found = verdict.finding
        kind = verdict.name.partition("_")[0]
        self._chronicle.tell(
            FILE_RESULT,
            f"{kind} {word}" + ("" if found is None else f": {found.code}"),
            level=Level.INFO if found is None else Level.WARNING,
            phase=Phase.VALIDATION,
            code="" if found is None else found.code,
            file=path,
            told={"file": kind, "result": word, "refs": list(refs)},
        )


def _word(verdict: FileVerdict) -> str:
    return "accepted" if verdict.finding is None else "refused"
