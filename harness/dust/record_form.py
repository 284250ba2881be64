"""The record of a DUST run as JSON: one form only, so that equal runs give equal octets."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
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


def document(record: DustRecord) -> dict[str, Any]:
    """Return a record as JSON values."""
    return {one.name: _plain(getattr(record, one.name)) for one in fields(record)}


def render(record: DustRecord) -> str:
    """Return a record as the text of ``record.json``."""
    return lines(document(record))


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
    plain = json.loads(text)
    try:
        return DustRecord(
            header=_HEADER.validate_python(plain["header"]),
            state=RunState(plain["state"]),
            turn=int(plain["turn"]),
            verdict=None if plain["verdict"] is None else Verdict[plain["verdict"]],
            reason=plain["reason"],
            installations=tuple(InstallationRecord.restore(one) for one in plain["installations"]),
            started_at=plain["started_at"],
            ended_at=plain["ended_at"],
            suppliers=_SUPPLIERS.validate_python(plain.get("suppliers", {})),
            **{name: kind.validate_python(_judged(plain[name])) for name, kind in _LISTS.items()},
        )
    except (ValidationError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no record of a DUST run: {error}") from error


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; mappings in order of their names."""
    plain: Any = value
    if isinstance(value, Verdict):
        plain = value.name
    elif isinstance(value, InstallationRecord):
        plain = value.dump()
    elif is_dataclass(value) and not isinstance(value, type):
        plain = {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
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
