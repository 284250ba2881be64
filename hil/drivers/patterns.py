"""What a device says, found by patterns of a bench file: bounded in time and in memory."""

import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.errors import UsageError
from hil.serial_port import SerialPort

#: Octets that a pattern is looked for in: the last that came. A pattern of two open repeats needs
#: up to 0.7 s for so many (measured), which is the worst that ``compiled`` lets pass.
WINDOW_BYTES: Final = 1024
_MAX_CHARACTERS: Final = 200
_MAX_REPEATS: Final = 2
#: A repeat of more than this counts as open.
_FEW: Final = 32
#: A match that reaches to the last octet may grow: so long it is given.
_QUIET_S: Final = 0.05
_REPEAT: Final = re.compile(r"([*+?]|\{(\d*)(,?)(\d*)\})[?+]?")


class PatternError(UsageError):
    """A pattern of a bench file cannot be used."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"pattern {name}: {why}",
            where=name,
            cause="patterns are regular expressions that end in bounded time",
            next_command="smetsbench bench check FILE",
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern was found.

    Attributes:
        name: Which.
        before: What came before it, as far as it is within ``WINDOW_BYTES``.
        octets: What matched.
        groups: Its groups, in order; an empty one where a group took no part.
    """

    name: str
    before: bytes
    octets: bytes
    groups: tuple[bytes, ...] = ()


def compiled(name: str, text: str) -> re.Pattern[bytes]:
    """Return a pattern, refused where it may not end in time.

    ``^`` and ``$`` fit at every line. Allowed are at most two open repeats, none of them inside
    another repeat; no alternatives inside a repeat; no references back, no looking around.

    Args:
        name: What the bench file calls it, for the error.
        text: The regular expression, in ASCII.

    Raises:
        PatternError: It is none, or not bounded.
    """
    if not 0 < len(text) <= _MAX_CHARACTERS:
        raise PatternError(name, f"1 to {_MAX_CHARACTERS} characters, not {len(text)}")
    if not text.isascii():
        raise PatternError(name, "only ASCII; write other octets as \\xNN")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # what a later Python reads otherwise
            pattern = re.compile(text.encode("ascii"), re.MULTILINE)
    except (re.error, OverflowError, FutureWarning) as error:
        raise PatternError(name, f"no regular expression: {error}") from error
    why = _Scan(text).fault()
    if why:
        raise PatternError(name, why)
    if pattern.search(b"") is not None:
        raise PatternError(name, "it matches nothing at all, so it always matches")
    return pattern


@dataclass(slots=True)
class _Group:
    """A group that is open while a pattern is read."""

    repeats: bool = False
    branches: bool = False


class _Scan:
    """Reads through a pattern that compiles, and counts its repeats."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[_Group] = [_Group()]
        self._repeats = 0

    def fault(self) -> str:
        """Return why the pattern is not bounded; empty when it is."""
        while self._at < len(self._text):
            why = self._part()
            if why:
                return why
        return "" if self._repeats <= _MAX_REPEATS else f"more than {_MAX_REPEATS} open repeats"

    def _part(self) -> str:
        character = self._text[self._at]
        if character == "(":
            return self._begin()
        if character == "|":
            self._open[-1].branches = True
            self._at += 1
            return ""
        ended = None
        if character == ")":
            ended = self._open.pop()
            self._open[-1].repeats |= ended.repeats
            self._open[-1].branches |= ended.branches
            self._at += 1
        elif character == "\\":
            if self._text[self._at + 1] in "123456789":
                return "it refers back to a group"
            self._at += 2
        elif character == "[":
            self._skip_set()
        else:
            self._at += 1
        return self._repeat(ended)

    def _begin(self) -> str:
        self._at += 1
        self._open.append(_Group())
        if self._text.startswith("?", self._at):
            plain = re.compile(r"\?(:|P<\w+>)").match(self._text, self._at)
            if plain is None:
                return "of the groups that begin with (? only (?: and (?P<name> are known"
            self._at = plain.end()
        return ""

    def _skip_set(self) -> None:
        self._at += 1
        self._at += self._text.startswith("^", self._at)
        self._at += self._text.startswith("]", self._at)  # as the first it stands for itself
        while self._text[self._at] != "]":
            self._at += 1 + (self._text[self._at] == "\\")
        self._at += 1

    def _repeat(self, group: _Group | None) -> str:
        found = _REPEAT.match(self._text, self._at)
        if found is None or not _is_repeat(found):
            return ""
        self._at = found.end()
        most = _most(found)
        if most is not None and most <= 1:
            return ""
        if group is not None and (group.repeats or group.branches):
            return "a repeat holds another repeat, or alternatives"
        if most is None or most > _FEW:
            self._repeats += 1
        self._open[-1].repeats = True
        return ""


def _is_repeat(found: re.Match[str]) -> bool:
    """Say whether braces are a repeat: ``{}`` and ``{,}`` without a number are text."""
    return found[1] in {"*", "+", "?"} or bool(found[2] or found[4])


def _most(found: re.Match[str]) -> int | None:
    """Return how often a repeat repeats at most; None: without end."""
    if found[1] in {"*", "+"}:
        return None
    if found[1] == "?":
        return 1
    if not found[3]:
        return int(found[2])
    return int(found[4]) if found[4] else None


class PatternReader:
    """What comes from a port, until a pattern is found in it; what is left over is kept."""

    def __init__(self, port: SerialPort) -> None:
        self._port = port
        self._kept = bytearray()

    def forget(self) -> None:
        """Drop what came and was not looked at.

        Raises:
            PortLostError: The port is gone.
        """
        while self._port.take():
            continue
        self._kept.clear()

    def listen(self, duration_s: float) -> bytes:
        """Return everything that comes in a time, and what came before and was not looked at.

        Raises:
            PortLostError: The port went away.
        """
        heard, self._kept = bytes(self._kept), bytearray()
        until = time.monotonic() + duration_s
        while (left_s := until - time.monotonic()) > 0:
            heard += self._port.read(left_s)
        return heard

    def wait(self, patterns: Mapping[str, re.Pattern[bytes]], timeout_s: float) -> Found | int:
        """Return the pattern that is found first; else how many octets came without any.

        Args:
            patterns: Name -> pattern; of several at one place the first counts.
            timeout_s: Longest wait.

        Raises:
            PortLostError: The port went away.
        """
        until = time.monotonic() + timeout_s
        came = len(self._kept)
        while True:
            found = self._search(patterns)
            left_s = max(0.0, until - time.monotonic())
            growing = found is not None and found[1].end() == len(self._kept)
            if found is not None and not growing:
                return self._cut(*found)
            octets = self._port.read(min(left_s, _QUIET_S) if growing else left_s)
            if not octets:
                return came if found is None else self._cut(*found)
            came += len(octets)
            self._kept += octets

    def _search(
        self, patterns: Mapping[str, re.Pattern[bytes]]
    ) -> tuple[str, re.Match[bytes]] | None:
        # A match keeps what it was found in; of a bytearray it would keep what becomes of it.
        del self._kept[:-WINDOW_BYTES]
        window = bytes(self._kept)
        found = [
            (name, match)
            for name, pattern in patterns.items()
            if (match := pattern.search(window)) is not None and match.end() > match.start()
        ]
        return min(found, key=lambda one: one[1].start(), default=None)

    def _cut(self, name: str, match: re.Match[bytes]) -> Found:
        before = bytes(self._kept[: match.start()])
        del self._kept[: match.end()]
        return Found(name, before, match[0], tuple(group or b"" for group in match.groups()))
