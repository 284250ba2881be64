"""Overlays: folders shaped like ``device_profiles`` whose values win over the shipped ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from device_profiles.errors import OverlayError
from device_profiles.files import SHIPPED, SUBFOLDERS

#: Environment variable that names an overlay folder.
DATA_VARIABLE: Final = "SMETSBENCH_DATA"
#: Catalogues an overlay may have although none is shipped under the name.
_OWN_CATALOGUES: Final = frozenset({"cpl_columns.toml", "dmc_columns.toml", "epcl_columns.toml"})
#: Subfolder -> how names of its files end, where that is not ``.toml``.
_ENDINGS: Final = {"schemas": ".xsd"}
#: The schema that an overlay may have; others beside it are those it includes.
MIGRATION_SCHEMA: Final = "migration.xsd"
#: (prefix, suffix) of catalogues that an overlay may name as it likes.
_OWN_NAMES: Final = (("installation-", ".toml"), ("dlms-", ".csv"))


def open_overlay(folder: Path) -> Path:
    """Check that ``folder`` is shaped like ``device_profiles`` and return it.

    Raises:
        OverlayError: It is no folder, holds none of the subfolders, or a name that nothing reads.
    """
    if not folder.is_dir():
        raise OverlayError("no such folder", file=folder)
    inside = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    strange = [name for name in inside if name not in SUBFOLDERS and name != "README.md"]
    if strange:
        raise OverlayError(
            f"{strange[0]!r} is not one of its subfolders ({', '.join(SUBFOLDERS)})", file=folder
        )
    for name in inside:
        if name in SUBFOLDERS and not (folder / name).is_dir():
            raise OverlayError(f"{name!r} must be a folder", file=folder)
    if not any(name in SUBFOLDERS for name in inside):
        raise OverlayError(f"it holds none of {', '.join(SUBFOLDERS)}", file=folder)
    _refuse_unread(folder)
    return folder


def _refuse_unread(folder: Path) -> None:
    """Refuse a file whose name nothing reads: a misspelt one would change nothing, in silence.

    Raises:
        OverlayError: There is one.
    """
    shipped = {entry.name for entry in (SHIPPED / "catalogues").iterdir()}
    schemas = folder / "schemas"
    if schemas.is_dir() and not (schemas / MIGRATION_SCHEMA).is_file():
        raise OverlayError(f"only {MIGRATION_SCHEMA} and what it includes is read", file=schemas)
    for entry in sorted(path for name in SUBFOLDERS for path in (folder / name).glob("*")):
        if entry.name.startswith(".") or entry.name == "README.md":
            continue
        if entry.parent.name != "catalogues":
            ending = _ENDINGS.get(entry.parent.name, ".toml")
            if entry.suffix != ending:
                raise OverlayError(f"nothing reads this file; names end in {ending}", file=entry)
        elif entry.name not in shipped | _OWN_CATALOGUES and not (
            any(entry.name.startswith(head) and entry.suffix == tail for head, tail in _OWN_NAMES)
        ):
            known = ", ".join(sorted(shipped | _OWN_CATALOGUES))
            raise OverlayError(f"nothing reads a catalogue of this name ({known})", file=entry)


def overlays_of(options: Sequence[Path], environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the overlay folders of a run, weakest first.

    ``SMETSBENCH_DATA`` comes first, then the folders given with ``--data`` in their order.

    Raises:
        OverlayError: One of them is not shaped like ``device_profiles``.
    """
    named = environment.get(DATA_VARIABLE)
    folders = [Path(named)] if named else []
    folders += options
    return tuple(open_overlay(folder) for folder in folders)
