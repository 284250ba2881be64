"""Device profiles by name or path: files, the templates they extend, and overlays."""

import difflib
from pathlib import Path
from typing import Any, Final

from device_profiles.errors import (
    InconsistentDataError,
    InvalidValueError,
    UnknownNameError,
    UnknownProfileError,
)
from device_profiles.files import DataFile, Folders, checked, layers, names, once, read_toml
from device_profiles.marked import merge
from device_profiles.metadata_checks import check_layout
from device_profiles.schema import DeviceProfile

#: Keys that say what a file is and so need no mark.
_HEAD: Final = ("device_type", "title", "extends", "template")
#: Profiles made before, by name and by the content of every file they are made of: a run of homes
#: loads the same few models again and again. They are frozen, so sharing them is safe.
_KEPT: Final[dict[tuple[str, tuple[tuple[Path, str, bool], ...]], DeviceProfile]] = {}
_MOST_KEPT: Final = 256
_SECTIONS: Final = (
    "identity",
    "radio",
    "firmware",
    "hub",
    "supply",
    "limits",
    "dlms",
    "metadata",
    "bilingual",
    "display",
    "attributes",
)


def profile_names(overlays: Folders = ()) -> list[str]:
    """Return the names of all profiles, shipped and overlaid, templates left out."""
    found = names("models", ".toml", overlays)
    return [name for name in found if not _is_template(name, overlays)]


def load_profile(name_or_path: str | Path, overlays: Folders = ()) -> DeviceProfile:
    """Load one profile.

    Args:
        name_or_path: Name of a shipped or overlaid profile, or path of a TOML file (anything with
            a folder or ending in ``.toml``).
        overlays: Folders whose values win, weakest first.

    Raises:
        DataError: One of its kinds: the name is unknown, a file cannot be read, a value is wrong
            or carries no mark.
    """
    return once(("profile", name_or_path, tuple(overlays)), lambda: _loaded(name_or_path, overlays))


def _loaded(name_or_path: str | Path, overlays: Folders) -> DeviceProfile:
    name, chain = _chain(name_or_path, overlays)
    known = tuple((file.path, file.digest, file.is_overlay) for file in chain)
    kept = _KEPT.get((name, known))
    if kept is None:
        kept = _merged(name, chain)
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[name, known] = kept
    return kept


def _merged(name: str, chain: list[DataFile]) -> DeviceProfile:
    """Lay the files of a chain over each other and check what comes of it."""
    head: dict[str, Any] = {}
    for file in chain:
        head |= {key: value for key, value in file.table.items() if key in _HEAD}
    content, marks = merge(chain, sections=_SECTIONS, head=_HEAD)
    own = chain[-1].path
    if head.get("template"):
        raise UnknownNameError(
            "this is a template for profiles to extend, not a profile", file=own, key="template"
        )
    content |= {key: head[key] for key in ("device_type", "title") if key in head}
    made = checked(DeviceProfile, content | {"name": name, "evidence": marks}, own)
    if made.metadata is not None:
        check_layout(made.metadata, own)
    return made


def _chain(name_or_path: str | Path, overlays: Folders) -> tuple[str, list[DataFile]]:
    """Return the files that make a profile, weakest first."""
    text = str(name_or_path)
    if text.endswith(".toml") or "/" in text:
        path = Path(text)
        return path.stem, _with_bases([read_toml(path, is_overlay=False)], overlays, (path.stem,))
    return text, _with_bases(_named(text, overlays), overlays, (text,))


def _named(name: str, overlays: Folders) -> list[DataFile]:
    paths = layers("models", f"{name}.toml", overlays)
    if not paths:
        close = difflib.get_close_matches(name, names("models", ".toml", overlays), n=3)
        hint = f" (did you mean {', '.join(close)}?)" if close else ""
        raise UnknownProfileError(f"no device profile of this name{hint}", file=name)
    return [read_toml(path, is_overlay=path.parents[1] in overlays) for path in paths]


def _with_bases(files: list[DataFile], overlays: Folders, seen: tuple[str, ...]) -> list[DataFile]:
    bases: list[DataFile] = []
    for file in files:
        base = file.table.get("extends")
        if base is None:
            continue
        if not isinstance(base, str):
            raise InvalidValueError("must be the name of a profile", file=file.path, key="extends")
        if base in seen:
            raise InconsistentDataError(
                f"extends itself: {' -> '.join([*seen, base])}", file=file.path, key="extends"
            )
        bases = _with_bases(_named(base, overlays), overlays, (*seen, base))
    # ``template`` says what a file is, so it is not handed down.
    return [_not_a_template(base) for base in bases] + files


def _not_a_template(file: DataFile) -> DataFile:
    table = {key: value for key, value in file.table.items() if key != "template"}
    return DataFile(file.path, table, file.digest, file.is_overlay)


def _is_template(name: str, overlays: Folders) -> bool:
    return any(file.table.get("template") for file in _named(name, overlays))
