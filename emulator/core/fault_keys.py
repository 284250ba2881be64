"""The keys of faults: how each is read, and what it means."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from emulator.core.clock import UtcMs, from_datetime

#: Device roles that a fault can name.
ROLES: Final = ("esme", "gsme", "chf", "ppmid", "hcalcs")

#: Parties whose networks can carry a SIM.
PARTIES: Final = ("SMSO", "S1SP")
#: What a power cut leaves of a key change that had come.
EFFECTS: Final = ("taken", "lost")

KeyValue = int | float | str


def _between(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"must lie between {low} and {high}")
        return number

    return read


def _probability(value: str) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError("a probability lies between 0 and 1")
    return number


def _seconds(value: str) -> float:
    number = float(value)
    if not 0 <= number <= 1e9:
        raise ValueError("seconds lie between 0 and 1e9")
    return number


def _moment(value: str) -> UtcMs:
    moment = datetime.fromisoformat(value)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _role(value: str) -> str:
    if value not in ROLES:
        raise ValueError(f"no role; roles: {', '.join(ROLES)}")
    return value


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return read


def _word(value: str) -> str:
    if not value:
        raise ValueError("a word must stand there")
    return value


def _pattern(value: str) -> str:
    fnmatch.translate(_word(value))
    return value


@dataclass(frozen=True, slots=True)
class Key:
    """How a key is read, and what it means."""

    read: Callable[[str], KeyValue]
    meaning: str


_LARGE: Final = 10**9
KEYS: Final[Mapping[str, Key]] = {
    "n": Key(_between(1, _LARGE), "only the n-th matching frame (1 is the first)"),
    "every": Key(_between(1, _LARGE), "every n-th matching frame"),
    "p": Key(_probability, "each matching frame with this probability, drawn from the run's seed"),
    "times": Key(_between(1, _LARGE), "at most so often (a device fault: once unless given)"),
    "kind": Key(_pattern, "frames of this label, * allowed: ota.image-block-response, tunnel.*"),
    "from": Key(_role, "frames this role sends"),
    "to": Key(_role, "frames for this role"),
    "role": Key(_role, "frames this role sends or that are for it"),
    "party": Key(_one_of(*PARTIES), "only on the way to this party's network"),
    "home": Key(_word, "only in the home of this ref, where a bench has several"),
    "s": Key(_seconds, "seconds from the move of the SIM to the hub's first contact"),
    "effect": Key(_one_of(*EFFECTS), "whether the new keys are in force afterwards"),
    "copies": Key(_between(2, 100), "how often the frame arrives"),
    "gap_ms": Key(_between(0, _LARGE), "milliseconds between the copies"),
    "ms": Key(_between(0, _LARGE), "milliseconds of delay"),
    "octet": Key(_between(-_LARGE, _LARGE), "octet to damage, from 0; negative: from the end"),
    "bit": Key(_between(0, 7), "bit to flip, 0 the least significant; else by chance"),
    "octets": Key(_between(1, 4096), "octets of noise"),
    "keep": Key(_between(0, _LARGE), "octets that stay"),
    "cut": Key(_between(0, _LARGE), "octets that go"),
    "at": Key(_moment, "moment, ISO 8601, UTC unless it says otherwise"),
    "after_s": Key(_seconds, "seconds after the start of the run"),
    "state": Key(_word, "when a note of the device names this state, e.g. DOWNLOADING"),
    "percent": Key(_between(0, 100), "with state=: when so much of the image is there"),
    "note": Key(_word, "when the device makes a note of this kind"),
    "off_s": Key(_seconds, "seconds without supply"),
    "days": Key(_between(0, 65535), "days the battery will last"),
}
