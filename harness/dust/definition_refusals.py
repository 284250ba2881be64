"""What the shape of a definition is refused for: which key, what is known, what is meant."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from device_profiles.errors import InconsistentDataError, InvalidValueError
from device_profiles.files import refuse
from device_profiles.sections import Section

if TYPE_CHECKING:
    from harness.dust.definition import Definition

_EXTRA: Final = "extra_forbidden"
#: Kind of error -> what is said of it.
_SAYS: Final = {
    "missing": "the key is missing",
    "tuple_type": "a list is due: […], with commas between what is in it",
    "model_type": "one table is due: [NAME], not [[NAME]]",
}


def wrong(definition: "Definition", key: str, why: str) -> InconsistentDataError:
    """Return what to say of a key that does not go with the rest of its definition."""
    return InconsistentDataError(why, file=definition.path, key=key)


def wrong_shape(error: ValidationError, path: Path, whole: type[Section]) -> InvalidValueError:
    """Return what to say of a definition that is not of its shape.

    A key that nobody knows comes first: what is missing then is mostly what was meant.

    Args:
        error: What the shape says.
        path: The definition.
        whole: Its shape.
    """
    found = error.errors()
    first = next((one for one in found if one["type"] == _EXTRA), found[0])
    said = _unknown(first, whole) if first["type"] == _EXTRA else _said(first)
    if not said:
        return refuse(error, path)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    key = ".".join(str(part) for part in first["loc"])
    return InvalidValueError(f"{said}{more}", file=path, key=key)


def meant(name: str, known: Iterable[str]) -> str:
    """Return a question for the nearest of known names; empty where none is near."""
    by_fold = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), by_fold, n=1)
    return f"; is {by_fold[near[0]]} meant?" if near else ""


def _unknown(first: ErrorDetails, whole: type[Section]) -> str:
    name, known = str(first["loc"][-1]), _keys(_shape_at(whole, first["loc"][:-1]))
    return f"there is no key {name} (there are: {', '.join(known)}){meant(name, known)}"


def _said(first: ErrorDetails) -> str:
    kind, given = first["type"], first["input"]
    if kind == "string_pattern_mismatch":
        return f"{given!r} is not of the form {first['ctx']['pattern']}"
    if kind == "enum" and isinstance(given, str):
        known = first["ctx"]["expected"]
        return f"{given!r} is none of {known}{meant(given, _quoted(known))}"
    return _SAYS.get(kind, "")


def _quoted(text: str) -> list[str]:
    """Return what stands between single quotes."""
    return text.split("'")[1::2]


def _shape_at(whole: type[Section], place: Sequence[int | str]) -> type[Section]:
    """Return the shape of the table at a place of a file."""
    shape = whole
    for part in place:
        fields = shape.model_fields
        field = fields.get(str(part)) or next(
            (one for one in fields.values() if one.alias == part), None
        )
        shape = shape if field is None else _section_in(field.annotation) or shape
    return shape


def _section_in(annotation: Any) -> type[Section] | None:
    """Return the table that a key holds: itself, or one of a list."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)


def _keys(shape: type[Section]) -> list[str]:
    return [field.alias or name for name, field in shape.model_fields.items()]
