"""Evidence marks: where each value of a data file comes from."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from device_profiles.errors import BadMarkError


class EvidenceKind(enum.StrEnum):
    """How well a value is known, strongest first."""

    SOURCE = "source"
    OBSERVED = "observed"
    USER = "user"
    KNOWN = "known"
    INFERRED = "inferred"
    STAND_IN = "stand-in"


#: What each mark says of the value that carries it.
MEANINGS: Final[Mapping[EvidenceKind, str]] = {
    EvidenceKind.SOURCE: "the value stands in a document; the reference follows the colon",
    EvidenceKind.OBSERVED: "the value was seen in a capture of a real device; its hash follows",
    EvidenceKind.USER: "a user's overlay gives the value; the hash of its file follows",
    EvidenceKind.KNOWN: "the value is common knowledge of the field, without one document for it",
    EvidenceKind.INFERRED: "the value follows from others; the reason follows the colon",
    EvidenceKind.STAND_IN: "the value is made up until a real one is known; it carries no FAIL",
}

_NEEDS_DETAIL: Final = {
    EvidenceKind.SOURCE: "a reference",
    EvidenceKind.OBSERVED: "the hash of a capture",
    EvidenceKind.USER: "the hash of a file",
    EvidenceKind.INFERRED: "the reason",
}


_OF_OVERLAYS: Final = frozenset({EvidenceKind.USER, EvidenceKind.OBSERVED})


@dataclass(frozen=True, slots=True)
class Mark:
    """One evidence mark.

    Attributes:
        kind: How the value is known.
        detail: Reference, hash or reason; empty for ``known`` and ``stand-in``.
    """

    kind: EvidenceKind
    detail: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a mark such as ``source:S003 §5`` or ``stand-in``.

        Raises:
            ValueError: ``text`` is not of the vocabulary; the message says why.
        """
        word, colon, detail = text.partition(":")
        try:
            kind = EvidenceKind(word)
        except ValueError:
            known = ", ".join(EvidenceKind)
            raise ValueError(f"{text!r} is no evidence mark (use one of: {known})") from None
        needed = _NEEDS_DETAIL.get(kind)
        if needed and not detail.strip():
            raise ValueError(f"{text!r} must name {needed} after the colon")
        if not needed and colon:
            raise ValueError(f"{text!r}: {kind} stands alone, without a colon")
        return cls(kind, detail.strip())

    @property
    def is_firm(self) -> bool:
        """Whether the value may carry a FAIL (architecture, rule 10)."""
        return self.kind not in {EvidenceKind.INFERRED, EvidenceKind.STAND_IN}

    def __str__(self) -> str:
        return f"{self.kind}:{self.detail}" if self.detail else str(self.kind)


def refuse_foreign(mark: Mark, file: Path | str, key: str, what: str = "rows") -> None:
    """Refuse a mark that nothing in an overlay may carry: what a user adds is the user's.

    Args:
        mark: The mark.
        file: The overlay's file.
        key: What carries the mark.
        what: What such things are called.

    Raises:
        BadMarkError: The mark is neither ``user:`` nor ``observed:``.
    """
    if mark.kind not in _OF_OVERLAYS:
        why = f"{what} of an overlay are marked user: or observed: (leave the mark out for user:)"
        raise BadMarkError(why, file=file, key=key)


def leaves(table: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return every value of nested tables by its dotted key path; a list is one value."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            found |= leaves(value, here)
        else:
            found[here] = value
    return found


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Undo :func:`leaves`."""
    out: dict[str, Any] = {}
    for path, value in values.items():
        *tables, key = path.split(".")
        table = out
        for name in tables:
            table = table.setdefault(name, {})
        table[key] = value
    return out


def covers(path: str, leaf: str) -> bool:
    """Say whether a mark on ``path`` holds for the value at ``leaf``."""
    return leaf == path or leaf.startswith(f"{path}.")


def marks_for(
    values: Mapping[str, Any], evidence: Mapping[str, object], file: Path | str
) -> dict[str, Mark]:
    """Give each value the mark of the longest path that covers it.

    Args:
        values: Values by key path, as :func:`leaves` returns them.
        evidence: The file's ``[evidence]`` table: quoted key path -> mark.
        file: For the message.

    Returns:
        The marks found; values that no path covers are absent.

    Raises:
        BadMarkError: A mark is not of the vocabulary, or its path covers no value.
    """
    parsed: dict[str, Mark] = {}
    for path, text in evidence.items():
        if not isinstance(text, str):
            raise BadMarkError(
                'a mark is text; quote the whole key path, as in "radio.sleepy" = "known"',
                file=file,
                key=f"evidence.{path}",
            )
        try:
            parsed[path] = Mark.parse(text)
        except ValueError as error:
            raise BadMarkError(str(error), file=file, key=f"evidence.{path}") from error
        if not any(covers(path, leaf) for leaf in values):
            raise BadMarkError("this path covers no value", file=file, key=f"evidence.{path}")
    longest_first = sorted(parsed, key=len, reverse=True)
    found: dict[str, Mark] = {}
    for leaf in values:
        covering = next((path for path in longest_first if covers(path, leaf)), None)
        if covering is not None:
            found[leaf] = parsed[covering]
    return found
