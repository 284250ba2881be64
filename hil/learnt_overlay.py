"""Writes what was learnt of a device as an overlay of its profile."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from device_profiles.dlms import DeviationSection, DlmsSection
from harness.errors import UsageError
from harness.files import write_octets


@dataclass(frozen=True, slots=True)
class Learnt:
    """Values of a ``[dlms]`` section that a capture shows.

    Attributes:
        deviations: Attributes that answer otherwise than the catalogue says.
        settings: Key inside ``[dlms]``, dotted -> value.
        mark: Evidence mark of every value: ``observed:HASH``.
    """

    deviations: tuple[DeviationSection, ...] = ()
    settings: Mapping[str, str | int] = field(default_factory=dict)
    mark: str = "observed:unknown"

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.deviations or self.settings)


def write_overlay(out: Path, profile: str, section: DlmsSection, learnt: Learnt) -> Path:
    """Write ``models/PROFILE.toml`` into an overlay folder.

    Deviations the profile has already stay, unless the capture shows another answer.

    Args:
        out: The overlay folder; made where there is none.
        profile: Name of the profile that is overlaid.
        section: Its ``[dlms]`` section.
        learnt: What was learnt.

    Returns:
        The file.

    Raises:
        UsageError: It cannot be written, or an overlay of this profile is there already.
    """
    path = out / "models" / f"{profile}.toml"
    if path.exists():
        raise UsageError(
            "the folder has an overlay of this profile already",
            where=str(path),
            cause="it was learnt before, or written by hand",
            next_command="name another --out, and give this folder with --data",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_octets(path, overlay_text(section, learnt).encode())
    return path


def overlay_text(section: DlmsSection, learnt: Learnt) -> str:
    """Return the content of the overlay file."""
    marks: list[str] = []
    tables: dict[str, list[str]] = {"dlms": []}
    if learnt.deviations:
        tables["dlms"].append(f"deviation = [\n{_rows(section, learnt)}]")
        marks.append("dlms.deviation")
    for key, value in sorted(learnt.settings.items()):
        table, _, name = f"dlms.{key}".rpartition(".")
        tables.setdefault(table, []).append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
        marks.append(f"dlms.{key}")
    lines = ["# Learnt from a device by `smetsbench bench learn`; read it before you rely on it."]
    for table, rows in tables.items():
        lines += ["", f"[{table}]", *rows] if rows else []
    lines += ["", "[evidence]", *(f'"{key}" = "{learnt.mark}"' for key in marks)]
    return "\n".join(lines) + "\n"


def _rows(section: DlmsSection, learnt: Learnt) -> str:
    kept = {_key(one): one for one in (*section.deviation, *learnt.deviations)}
    return "".join(f"    {_row(one)},\n" for one in kept.values())


def _key(one: DeviationSection) -> tuple[int, str, int]:
    return (one.class_id, one.obis, one.attribute)


def _row(one: DeviationSection) -> str:
    parts = [f"class_id = {one.class_id}", f'obis = "{one.obis}"', f"attribute = {one.attribute}"]
    parts += [] if one.value is None else [f'value = "{one.value}"']
    parts += [] if one.result is None else [f"result = {one.result}"]
    return "{ " + ", ".join(parts) + " }"
