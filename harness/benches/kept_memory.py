"""What a device remembers, without what moves by itself: to compare a device with itself.

Keys and secrets stand in it as digests, so that a memory may be shown and kept.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

#: Parts of a dumped device that move although nobody changed anything, or that tell only that
#: somebody was there: power, receiver, time, what follows from consumption, logs, counters, chance.
LEFT_OUT: Final = (
    "powered",
    "timers",
    "chance",
    "associations",
    "window",
    "attachment",
    "inner",
    "security.counters",
    "security.titles",
    "meter.consumption",
    "meter.clock.true",
    "meter.clock.shown",
    "meter.captures",
    "meter.logs",
    "meter.draw",
)
#: Names of values that move so wherever they stand: when an account was last drawn up.
LEFT_OUT_NAMES: Final = ("since", "settled")
#: Row that names them.
LEFT_OUT_ROW: Final = "(left out)"
#: Parts whose values are secrets.
_SECRET: Final = ("security", "meter.account.key", "meter.account.numbers")
_DIGEST_DIGITS: Final = 16
#: Tables around a device's own state in the dump of its box: a hub's gateway, a meter's radio.
_SHELLS: Final = ("own.", "server.")


def kept(state: Mapping[str, object]) -> Mapping[str, str]:
    """Return a dumped device as path -> value, without ``LEFT_OUT``.

    Args:
        state: What the device's ``dump`` returned.
    """
    rows: dict[str, str] = {}
    for path, value in _leaves(state, ""):
        bare = _bare(path)
        if not _lies_in(bare, LEFT_OUT) and bare.rpartition(".")[2] not in LEFT_OUT_NAMES:
            secret = _lies_in(bare, _SECRET)
            rows[path] = _digest(value) if secret and value is not None else str(value)
    rows[LEFT_OUT_ROW] = ", ".join((*LEFT_OUT, *LEFT_OUT_NAMES))
    return rows


def _lies_in(path: str, parts: Sequence[str]) -> bool:
    return any(path == part or path.startswith(f"{part}.") for part in parts)


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def _bare(path: str) -> str:
    """Return a path inside the device itself, without list places."""
    for shell in _SHELLS:
        path = path.removeprefix(shell)
    return path.partition("[")[0]


def _digest(value: object) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()[:_DIGEST_DIGITS]
