"""A checker for the part of JSON Schema that our own schemas use."""

import re
from typing import Any

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "null": type(None),
}
_KNOWN = {
    *("$schema", "$id", "$defs", "$ref", "title", "description", "type", "required", "enum"),
    *("properties", "additionalProperties", "items", "minimum", "pattern"),
}


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Return what in ``value`` breaks ``schema``; a keyword nobody checks is a problem too."""
    if unknown := set(schema) - _KNOWN:
        return [f"{at}: keywords not checked here: {sorted(unknown)}"]
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, at)
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "type" in schema and not _is_a(value, schema["type"]):
        return [f"{at}: {value!r} is no {schema['type']}"]
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{at}: {value} is too small")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r} does not match {schema['pattern']}")
    if isinstance(value, dict):
        found += _object(value, schema, root, at)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += problems(item, schema["items"], root, f"{at}[{number}]")
    return found


def _is_a(value: Any, kinds: str | list[str]) -> bool:
    names = [kinds] if isinstance(kinds, str) else kinds
    return any(
        isinstance(value, _TYPES[name]) and not (name == "integer" and isinstance(value, bool))
        for name in names
    )


def _object(
    value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str
) -> list[str]:
    found = [f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value]
    known = schema.get("properties", {})
    more = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            found += problems(item, known[name], root, f"{at}.{name}")
        elif more is False:
            found.append(f"{at}: {name} has no place here")
        elif isinstance(more, dict):
            found += problems(item, more, root, f"{at}.{name}")
    return found
