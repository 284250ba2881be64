"""The log of a run as it grows: where each line stands, and which lines a filter takes."""

import json
import re
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from harness.live.lines import LEVELS, Line, RunKind, read
from harness.live.veil import Veil

#: Lines of one log that are listed; what a log has beyond that is in the file alone.
MOST_LINES: Final = 2_000_000
#: Octets of one line; a longer one is none of a log.
_LONGEST: Final = 4 << 20
_CHUNK: Final = 1 << 20
_MOST_FILTERS: Final = 12
_SIGNS: Final = str.maketrans("", "", "-:T.Z")
_HEX: Final = re.compile("[a-f]*")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines are wanted; empty values take all.

    Attributes:
        level: The least level.
        party: Sender or receiver.
        ref: Installation.
        device: Part of the device's name, case folded.
        text: Part of the line, case folded.
    """

    level: str = ""
    party: str = ""
    ref: str = ""
    device: str = ""
    text: str = ""


class _Words:
    """Words by number, each once."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, word: str) -> int:
        """Return the number of a word, which is added where it is new."""
        found = self._numbers.setdefault(word, len(self.words))
        if found == len(self.words):
            self.words.append(word)
        return found


@dataclass(slots=True)
class _Matches:
    """Lines that a filter took, as far as the log was looked at."""

    places: "array[int]"
    looked: int = 0


class LogIndex:
    """Follows one ``events.jsonl``; holds a few octets a line, never the lines.

    Attributes:
        count: How many lines are listed.
        parties: Parties that sent or received, in the order in which they were met.
        generation: How often the log began anew (a resumed run cuts it back).
    """

    def __init__(
        self, path: Path, kind: RunKind, about: Callable[[Line], str] | None = None
    ) -> None:
        """Begin with nothing read.

        Args:
            path: The log.
            kind: What writes it.
            about: Says which installation a line is about that does not say so itself.
        """
        self._path = path
        self._kind = kind
        self._about = about
        self.generation = 0
        self._begin()

    def _begin(self) -> None:
        self._starts = array("Q")
        self._end = 0
        self._levels = array("B")
        self._moments = array("Q")
        self._columns = {name: array("I") for name in ("party", "receiver", "ref", "device")}
        self._words = {name: _Words() for name in ("party", "ref", "device")}
        self._matches: OrderedDict[LogFilter, _Matches] = OrderedDict()
        self._mark = b""

    @property
    def count(self) -> int:
        """How many lines are listed."""
        return len(self._starts)

    @property
    def parties(self) -> list[str]:
        """Parties that sent or received, by name."""
        return sorted(filter(None, self._words["party"].words))

    # -- following -----------------------------------------------------------------------------

    def follow(self, take: Callable[[Line], None]) -> None:
        """Read what came since.

        Args:
            take: Called with every new line.

        Raises:
            OSError: The log cannot be read.
        """
        with self._path.open("rb") as file:
            file.seek(0, 2)
            if file.tell() < self._end or not self._is_same(file):
                self.generation += 1
                self._begin()
            file.seek(self._end)
            while self.count < MOST_LINES and (chunk := _whole_lines(file)):
                self._take(chunk, take)
                file.seek(self._end)

    def _is_same(self, file: BinaryIO) -> bool:
        """Say whether the last line that was read still stands where it stood."""
        if not self._mark:
            return True
        file.seek(self._end - len(self._mark))
        return file.read(len(self._mark)) == self._mark

    def _take(self, octets: bytes, take: Callable[[Line], None]) -> None:
        for raw in octets.split(b"\n")[:-1]:
            line = self._read(raw, self.count)
            self._starts.append(self._end)
            self._end += len(raw) + 1
            self._mark = raw[-255:] + b"\n"
            level = LEVELS.index(line.level) if line.level in LEVELS else 1
            self._levels.append(level)
            self._moments.append(_moment(line.at))
            for name, column in self._columns.items():
                words = self._words["party" if name == "receiver" else name]
                column.append(words.number(getattr(line, name)))
            take(line)

    def _read(self, raw: bytes, place: int) -> Line:
        try:
            line = read(raw, place + 1, self._kind)
        except (ValueError, RecursionError):
            text = "this line of the log is no event"
            return Line(place + 1, "", "error", "", "unreadable", text)
        return line if self._about is None or line.ref else replace(line, ref=self._about(line))

    def in_time(self, places: Iterable[int]) -> list[int]:
        """Return lines in the order of their moments; a log is in the order of telling."""
        return sorted(places, key=lambda place: self._moments[place])

    def parties_of(self, places: Iterable[int]) -> list[str]:
        """Return who takes part in lines, in the order of appearance."""
        words, party = self._words["party"].words, self._columns["party"]
        receiver = self._columns["receiver"]
        found = (words[one[place]] for place in places for one in (party, receiver))
        return list(filter(None, dict.fromkeys(found)))

    # -- reading -------------------------------------------------------------------------------

    def matching(self, wanted: LogFilter, veil: Veil) -> "array[int]":
        """Return the places (from 0) of the lines a filter takes, in order."""
        found = self._matches.pop(wanted, None) or _Matches(array("I"))
        self._matches[wanted] = found
        while len(self._matches) > _MOST_FILTERS:
            self._matches.popitem(last=False)
        fits = self._fits(wanted, veil)
        places = [place for place in range(found.looked, self.count) if fits(place)]
        if wanted.text:
            places = list(self._saying(wanted.text, places, veil))
        found.places.extend(places)
        found.looked = self.count
        return found.places

    def _fits(self, wanted: LogFilter, veil: Veil) -> Callable[[int], bool]:
        """Return what decides on a line without reading it."""
        least = LEVELS.index(wanted.level) if wanted.level in LEVELS else 0
        tests: list[Callable[[int], bool]] = []
        levels = self._levels
        if least:
            tests.append(lambda place: levels[place] >= least)
        if wanted.party:
            party = self._numbers("party", veil, lambda word: word == wanted.party)
            one, other = self._columns["party"], self._columns["receiver"]
            tests.append(lambda place: one[place] in party or other[place] in party)
        if wanted.ref:
            refs, ref = (
                self._columns["ref"],
                self._numbers("ref", veil, lambda word: word == wanted.ref),
            )
            tests.append(lambda place: refs[place] in ref)
        if wanted.device:
            part = wanted.device.casefold()
            devices = self._columns["device"]
            device = self._numbers("device", veil, lambda word: part in word.casefold())
            tests.append(lambda place: devices[place] in device)
        return lambda place: all(test(place) for test in tests)

    def _numbers(self, name: str, veil: Veil, is_meant: Callable[[str], bool]) -> set[int]:
        """Return the numbers of the words that are meant, as a reader sees them."""
        words = self._words[name].words
        return {number for number, word in enumerate(words) if is_meant(veil.text(word))}

    def _saying(self, text: str, places: list[int], veil: Veil) -> Iterator[int]:
        """Yield the places whose lines say a text, as a reader sees them."""
        part = text.casefold()
        # Where no identifier has a part in it: look first, and hide only what was found.
        looks_first = not veil.hides or _is_plain(part)
        for group in _runs(places):
            octets = self._octets(group[0], group[-1] + 1)
            raws = (octets if looks_first else veil.log(octets)).split(b"\n")[:-1]
            for place, raw in zip(group, raws, strict=True):
                if part not in _said(self._read(raw, place)):
                    continue
                if not looks_first or part in _said(self._read(veil.log(raw), place)):
                    yield place

    def lines(self, places: list[int], veil: Veil) -> list[Line]:
        """Return lines by their places."""
        return [self._read(veil.log(self._octets(one, one + 1)), one) for one in places]

    def whole(self, place: int, veil: Veil) -> str:
        """Return a line as JSON, laid out for people."""
        octets = veil.log(self._octets(place, place + 1))
        try:
            return json.dumps(json.loads(octets), indent=2, ensure_ascii=False)
        except ValueError:
            return octets.decode("utf-8", errors="replace")

    def _octets(self, first: int, behind: int) -> bytes:
        """Return the octets of neighbouring lines."""
        start = self._starts[first]
        end = self._starts[behind] if behind < self.count else self._end
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


def _whole_lines(file: BinaryIO) -> bytes:
    """Read the whole lines that stand next in a file; nothing where none is whole."""
    chunk = file.read(_CHUNK)
    whole = chunk.rfind(b"\n") + 1
    while not whole and len(chunk) < _LONGEST and (more := file.read(_CHUNK)):
        chunk += more
        whole = chunk.rfind(b"\n") + 1
    return chunk[:whole]


def _moment(at: str) -> int:
    """Return an ISO 8601 moment as a number that sorts alike; 0 for none."""
    digits = at[:23].translate(_SIGNS)
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _said(line: Line) -> str:
    """Return what a reader can search in a line."""
    words = (line.text, line.code, line.ref, line.step, line.kind, line.state, line.device)
    return " ".join((*words, line.party, line.receiver, line.file, line.phase)).casefold()


def _is_plain(part: str) -> bool:
    """Say whether a text cannot be found within, or at the end of, an identifier."""
    if any(letter.isdigit() for letter in part):
        return False
    ends = re.split(r"\W+", part)
    return not any(_HEX.fullmatch(end) for end in (ends[0], ends[-1]))


def _runs(places: list[int]) -> Iterator[list[int]]:
    """Yield neighbouring places together, a thousand at most."""
    group: list[int] = []
    for place in places:
        if group and (place != group[-1] + 1 or len(group) >= 1000):
            yield group
            group = []
        group.append(place)
    if group:
        yield group
