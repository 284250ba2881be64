"""Files of a drop: put whole or not at all, under names that are free."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PART: Final = ".part"


def put(path: Path, octets: bytes) -> None:
    """Write a file that is there whole or not at all; beside a folder that has its name."""
    path = not_a_folder(path)
    part = not_a_folder(path.with_name(path.name + PART))
    part.write_bytes(octets)
    part.replace(path)


def not_a_folder(path: Path) -> Path:
    """Return a place for a file: where somebody's folder stands, one under a name with a number."""
    return free(path.parent, path.name) if path.is_dir() and not path.is_symlink() else path


def put_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON values in such a file."""
    put(path, (json.dumps(value, indent=2) + "\n").encode())


def free(folder: Path, name: str) -> Path:
    """Return a place under a name, or under a name with a number where that is taken."""
    place, number = folder / name, 1
    while place.exists() or place.with_name(f"{place.name}.error.json").exists():
        number += 1
        place = folder / f"{name}.{number}"
    return place


def speakable(name: str) -> str:
    """Return what remains of a name that cannot be used."""
    plain = "".join(char if char.isascii() and char.isalnum() else "_" for char in name)
    return plain[:64]
