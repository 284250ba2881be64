"""The record of a DUST run as JSON: one form only, so that equal runs give equal octets."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from harness.dust.record import (
    CaseResult,
    Criterion,
    Day,
    Defect,
    DustRecord,
    Header,
    KeptFile,
    RunState,
)
from harness.migration.record import InstallationRecord
from harness.verdict import Verdict

#: Parts that are values of one type, in order.
_LISTS: Final[dict[str, TypeAdapter[Any]]] = {
    "criteria": TypeAdapter(tuple[Criterion, ...]),
    "cases": TypeAdapter(tuple[CaseResult, ...]),
    "defects": TypeAdapter(tuple[Defect, ...]),
    "days": TypeAdapter(tuple[Day, ...]),
    "files": TypeAdapter(tuple[KeptFile, ...]),
}
_HEADER: Final = TypeAdapter(Header)
_SUPPLIERS: Final = TypeAdapter(dict[str, str])


#: Types of values that JSON writes as they are.
_AS_THEY_ARE: Final = frozenset({str, int, bool, float, type(None)})
#: Members of a file of the run that JSON writes as they are, by their names.
_FLAT: Final = tuple(one.name for one in fields(KeptFile))


def document(record: DustRecord) -> dict[str, Any]:
    """Return a record as JSON values."""
    return {one.name: _plain(getattr(record, one.name)) for one in fields(record)}


def render(record: DustRecord) -> str:
    """Return a record as the text of ``record.json``."""
    return "".join(texts(record))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A record as the octets of ``record.json``, line by line, as often as they are asked for."""

    record: DustRecord = field(repr=False)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the octets."""
        return (text.encode() for text in texts(self.record))


def texts(record: DustRecord) -> Iterator[str]:
    """Yield what ``lines`` makes of a record, one home or file after the other."""
    begins = "{\n"
    for one in fields(record):
        yield f"{begins} {_line(one.name)}: "
        value = getattr(record, one.name)
        if isinstance(value, tuple) and value:
            yield from _rows(value)
        else:
            yield _line(_plain(value))
        begins = ",\n"
    yield "\n}\n"


def _rows(values: Sequence[Any]) -> Iterator[str]:
    begins = "[\n  "
    for one in values:
        if isinstance(one, KeptFile):
            plain: Any = {name: getattr(one, name) for name in _FLAT}
        else:
            plain = _plain(one)
        yield begins + _line(plain)
        begins = ",\n  "
    yield "\n ]"


def lines(told: Mapping[str, Any]) -> str:
    """Return JSON values as text: a line a member, and a line each for the members of lists."""
    members = [f" {_line(name)}: {_member(value)}" for name, value in told.items()]
    return "{\n" + ",\n".join(members) + "\n}\n"


def _member(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return _line(value)
    return "[\n  " + ",\n  ".join(map(_line, value)) + "\n ]"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def load(text: str | bytes) -> DustRecord:
    """Read what ``render`` wrote.

    Raises:
        ValueError: It is no such record; says where.
    """
    return _loaded(json.loads(text))


def load_lines(rows: Iterable[bytes]) -> DustRecord:
    """Read what ``render`` wrote, a line at a time: no more than a home is there as plain values.

    Raises:
        ValueError: It is no such record, or not in this form; says where.
    """
    plain: dict[str, Any] = {}
    into: list[Any] | None = None
    for number, row in enumerate(rows):
        text = row.rstrip(b",\n")
        if into is None and (number == 0 or text == b"}"):
            continue
        if text == b" ]" or into is None:
            into = None if text == b" ]" else _begun(plain, text)
        elif text.startswith(b"  "):
            one = json.loads(text)
            into.append(_home(one) if into is plain.get("installations") else one)
        else:
            raise ValueError(f"no record of a DUST run: line {number + 1}")
    return _loaded(plain)


def _begun(plain: dict[str, Any], text: bytes) -> list[Any] | None:
    """Take the line that begins a member; returns the list whose members follow, or None.

    Raises:
        ValueError: It begins none, or one that is there.
    """
    rows: list[Any] | None = [] if text.endswith(b": [") else None
    (told,) = json.loads(b"{" + text + (b"}" if rows is None else b"]}")).items()
    if told[0] in plain:
        raise ValueError(f"no record of a DUST run: {told[0]} stands twice")
    plain[told[0]] = told[1] if rows is None else rows
    return rows


def _home(value: Any) -> InstallationRecord:
    if isinstance(value, InstallationRecord):
        return value
    try:
        return InstallationRecord.restore(value)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no record of a home: {error}") from error


def _loaded(plain: Any) -> DustRecord:
    try:
        return DustRecord(
            header=_HEADER.validate_python(plain["header"]),
            state=RunState(plain["state"]),
            turn=int(plain["turn"]),
            verdict=None if plain["verdict"] is None else Verdict[plain["verdict"]],
            reason=plain["reason"],
            installations=tuple(map(_home, plain["installations"])),
            started_at=plain["started_at"],
            ended_at=plain["ended_at"],
            suppliers=_SUPPLIERS.validate_python(plain.get("suppliers", {})),
            **{name: kind.validate_python(_judged(plain[name])) for name, kind in _LISTS.items()},
        )
    except (ValidationError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no record of a DUST run: {error}") from error


@cache
def _names(of: type[Any]) -> tuple[str, ...]:
    """Return the names of the members of a dataclass."""
    return tuple(one.name for one in fields(of))


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; mappings in order of their names."""
    if type(value) in _AS_THEY_ARE:  # nearly all; a member of an enumeration is of its own type
        return value
    plain: Any = value
    if isinstance(value, Verdict):
        plain = value.name
    elif isinstance(value, InstallationRecord):
        plain = value.dump()
    elif is_dataclass(value) and not isinstance(value, type):
        plain = {name: _plain(getattr(value, name)) for name in _names(type(value))}
    elif isinstance(value, date):
        plain = value.isoformat()
    elif isinstance(value, Enum):
        plain = value.value
    elif isinstance(value, Mapping):
        plain = {str(name): _plain(one) for name, one in sorted(value.items())}
    elif isinstance(value, list | tuple):
        plain = [_plain(one) for one in value]
    return plain


def _judged(value: Any) -> Any:
    """Return JSON values with the names of verdicts turned into verdicts."""
    if isinstance(value, dict):
        return {
            name: Verdict[one] if name == "verdict" and isinstance(one, str) else _judged(one)
            for name, one in value.items()
        }
    return [_judged(one) for one in value] if isinstance(value, list) else value
