"""One run as its page shows it: board, log, files and devices, kept up as the run goes."""

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from harness.live.board import Board
from harness.live.book import Book, FileRow, read_book, stamp_of
from harness.live.heads import EVENTS, RunHead, head_of
from harness.live.lines import Line, RunKind
from harness.live.log_index import LogFilter, LogIndex
from harness.live.veil import Veil

#: Rows of a list that one answer brings at most.
MOST_ROWS: Final = 200
#: Files beside one installation.
_MOST_FILES: Final = 60
_PAIR: Final = re.compile("[0-9A-F]{2}")
_WORD: Final = re.compile(r"[\w.-]*\w")


class RunView:
    """What is shown of one run; every method may be called from any thread.

    Attributes:
        folder: The run folder.
        kind: What left it behind.
        veil: What hides identifiers.
        last_file: Which version of which file was shown last, and its octets as shown.
    """

    def __init__(self, folder: Path, kind: RunKind, *, shows_all: bool) -> None:
        self.folder = folder
        self.kind = kind
        self.veil = Veil(shows_all=shows_all)
        self.last_file: tuple[tuple[str, int, int], bytes] = (("", 0, 0), b"")
        self._lock = threading.RLock()
        self._book = Book()
        self._board = self._fresh()
        self._seen: dict[str, FileRow] = {}
        self._names: dict[str, str] = {}
        about = self._about if kind is RunKind.DUST else None
        self._index = LogIndex(folder / EVENTS, kind, about)

    def _fresh(self) -> Board:
        return Board(self._book.homes, courses=self.kind is not RunKind.SCENARIO)

    # -- following -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read what the run has written since."""
        with self._lock:
            if stamp_of(self.folder) != self._book.stamp:
                self._book, octets = read_book(self.folder)
                self.veil.learn_record(octets)
                self._names = _names_of(self._book, self.veil)
                self._board.add(self._book.homes)
            before = self._index.generation
            try:
                self._index.follow(self._take)
            except OSError:
                return
            if self._index.generation != before and not self._index.count:
                self._board = self._fresh()

    def _about(self, line: Line) -> str:
        """Return the one installation that a line names, by itself or by a device; else nothing."""
        words = (line.party, line.receiver, line.device, *_WORD.findall(line.text))
        found = {self._names[word] for word in words if word in self._names}
        return found.pop() if len(found) == 1 else ""

    def _take(self, line: Line) -> None:
        if line.number == 1:
            self._board, self._seen = self._fresh(), {}
        self._board.feed(line)
        if line.file:
            told = {"sender": line.party, "receiver": line.receiver, "kind": line.kind}
            refs = (line.ref,) if line.ref else ()
            row = FileRow(line.file, 0, at=line.at, result=line.code, refs=refs, **told)
            self._seen.setdefault(line.file, row)

    def shown(self, value: Any) -> Any:
        """Return JSON values as a reader sees them."""
        return json.loads(self.veil.log(json.dumps(value, ensure_ascii=False).encode()))

    # -- the run -------------------------------------------------------------------------------

    def head(self) -> RunHead | None:
        """Return the head of the run; None where the folder is gone."""
        return head_of(self.folder)

    def news(self, cursor: tuple[int, int] | None) -> dict[str, Any]:
        """Return what a page that knows the run up to a cursor has to learn.

        Args:
            cursor: Generation of the log and number of its last line; None: nothing is known.

        Returns:
            ``{cursor, reset, steps, rows, summary}``; ``reset``: what was known holds no more.
        """
        self.refresh()
        with self._lock:
            generation, last = self._index.generation, self._board.last
            known = 0
            if cursor is not None and cursor[0] == generation and cursor[1] <= last:
                known = cursor[1]
            return {
                "cursor": f"{generation}-{last}",
                "reset": not known,
                "steps": self._board.steps,
                "rows": self._board.rows(known),
                "summary": self._board.summary(),
            }

    def parts(self) -> dict[str, Any]:
        """Return criteria, cases, defects and days, as the last turn left them."""
        self.refresh()
        with self._lock:
            return {**self._book.parts, "parties": self._index.parties}

    # -- the log -------------------------------------------------------------------------------

    def log(
        self, wanted: LogFilter, first: int, limit: int, *, by_time: bool = False
    ) -> dict[str, Any]:
        """Return lines that a filter takes.

        Args:
            wanted: The filter.
            first: Place of the first one among them.
            limit: How many.
            by_time: In the order of moments, where the filter names an installation; else in
                that of the log.
        """
        self.refresh()
        with self._lock:
            places = self._index.matching(wanted, self.veil)
            behind = first + min(limit, MOST_ROWS)
            in_order = self._index.in_time(places) if by_time and wanted.ref else places
            shown = list(in_order[first:behind])
            rows = [asdict(one) for one in self._index.lines(shown, self.veil)]
            return {"total": len(places), "first": first, "rows": rows}

    def line(self, number: int) -> dict[str, Any] | None:
        """Return one line whole; None where there is none."""
        with self._lock:
            if not 0 < number <= self._index.count:
                return None
            return {"number": number, "text": self._index.whole(number - 1, self.veil)}

    # -- an installation -----------------------------------------------------------------------

    def home(self, ref: str) -> dict[str, Any] | None:
        """Return an installation: where it stands, devices, who speaks, files that name it."""
        self.refresh()
        with self._lock:
            real = self._real(ref, self._board.standings)
            if real is None:
                return None
            places = self._index.matching(LogFilter(ref=ref), self.veil)
            files = [asdict(one) for one in self._files() if real in one.refs]
            return {
                "row": self._board.row(self._board.standings[real]),
                "steps": self._board.steps,
                "record": self._book.homes.get(real),
                "lines": len(places),
                "lanes": self._index.parties_of(places),
                "files": files[:_MOST_FILES],
                "more_files": max(0, len(files) - _MOST_FILES),
            }

    def _real(self, shown: str, names: Any) -> str | None:
        """Return the name behind one that a reader sees."""
        if shown in names and self.veil.text(shown) == shown:
            return shown
        return next((name for name in names if self.veil.text(name) == shown), None)

    # -- files ---------------------------------------------------------------------------------

    def _files(self) -> list[FileRow]:
        found = {**self._seen, **self._book.files}
        return [found[path] for path in sorted(found)]

    def files(self, text: str, first: int, limit: int) -> dict[str, Any]:
        """Return the files whose path, kind, parties or result say a text, in order of paths."""
        self.refresh()
        part = text.casefold()
        with self._lock:
            kept = [one for one in self._files() if not part or part in _said(one, self.veil)]
            rows = kept[first : first + min(limit, MOST_ROWS)]
            return {"total": len(kept), "first": first, "rows": [asdict(one) for one in rows]}

    def path_of(self, shown: str) -> str | None:
        """Return the path of a file behind one that a reader sees; None where there is none."""
        with self._lock:
            return self._real(shown, {**self._seen, **self._book.files})


def _names_of(book: Book, veil: Veil) -> dict[str, str]:
    """Return what installations and their devices are called -> the installation.

    Lines are read as they stand in the log, and again as a reader sees them.
    """
    found = {}
    for ref, home in book.homes.items():
        found[ref] = ref
        for device in home.get("devices") or ():
            spelt = "-".join(_PAIR.findall(str(device.get("eui64", "")).upper()))
            found[spelt] = ref
            if veil.hides:
                found[veil.text(spelt)] = ref
    return found


def _said(one: FileRow, veil: Veil) -> str:
    words: Sequence[str] = (one.path, one.kind, one.sender, one.receiver, one.result)
    return veil.text(" ".join((*words, *one.refs))).casefold()
