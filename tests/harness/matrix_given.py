"""A matrix world of the five hub makers, whatever hubs the cohorts have otherwise."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from device_profiles.cpl import load_cpl
from device_profiles.metadata_layout import MetadataMode
from harness.firmware_cells import MatrixCell, MatrixWorld, default_cells
from harness.firmware_matrix_world import DEFAULT_DAY, load_world

#: Cohort -> its hub.
HUBS: Final = {
    "IOC": "demo-s1-chf-ioc",
    "MDS": "demo-s1-chf-mds",
    "DA": "demo-s1-chf-sec",
    "EA": "demo-s1-chf-foct",
    "EB": "demo-s1-chf-focl",
}
MODES: Final = tuple(MetadataMode)


def overlay(folder: Path, **files: str) -> Path:
    """Write an overlay that gives each cohort its hub, and more files by ``folder__name``."""
    (folder / "cohorts").mkdir(parents=True)
    for cohort, hub in HUBS.items():
        text = f'[models]\nchf = "{hub}"\n'
        (folder / "cohorts" / f"{cohort}.toml").write_text(text, "utf-8")
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_toml", ".toml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def world_of(folder: Path) -> MatrixWorld:
    """Load the world of an overlay."""
    return load_world((folder,), load_cpl((folder,)), DEFAULT_DAY)


@cache
def cells_of(folder: Path) -> tuple[MatrixCell, ...]:
    """All cells of an overlay, made once."""
    return tuple(default_cells(world_of(folder), MODES))


def words(
    cells: tuple[MatrixCell, ...], fits: Callable[[MatrixCell], bool]
) -> dict[tuple[str, str, str, str], str]:
    """Target, layout or size, home and mode -> implied word, of the cells that fit."""
    return {
        (
            cell.target_name,
            "too large"
            if cell.image.facts.name.endswith("too large")
            else cell.image.facts.layout_id,
            cell.home.name,
            cell.mode.value,
        ): cell.implied.word
        for cell in cells
        if fits(cell)
    }
