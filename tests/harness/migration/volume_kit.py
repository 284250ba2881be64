"""Small migration runs for tests: made-up homes, played in this process."""

import json
from pathlib import Path
from typing import Any

from device_profiles.installation import render_toml
from device_profiles.words import InstallationClass, SupplyShape
from harness.migration import volume
from harness.migration.volume import Listing
from harness.migration.volume_options import VolumeOptions
from harness.new_installations import Order, generate
from harness.report.migration_files import write_migration
from harness.report.migration_model import MigrationRecord
from harness.run_folder import RunFolder

#: The hub falls silent as soon as its SIM has moved: nobody hears it for seven days.
SILENT = "after:H3/mute@wan"


def homes_file(
    folder: Path,
    count: int = 2,
    *,
    cohort: str = "EA",
    shape: SupplyShape = SupplyShape.DUAL_FUEL,
    seed: int = 1,
) -> Path:
    """Write an installation file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{cohort}-{count}.toml"
    made = generate(Order(count, seed, cohort, shape, InstallationClass.ACTIVE), ())
    path.write_text(render_toml(made), "utf-8")
    return path


def options(homes: Path, *faults: str, **more: Any) -> VolumeOptions:
    """Choices of a run over a file of homes."""
    return VolumeOptions("EA", str(homes), faults=faults, **more)


def played(homes: Path, out: Path, *faults: str, **more: Any) -> MigrationRecord:
    """Run migrations and write their reports."""
    folder = volume.start(options(homes, *faults, **more), out=out, jobs=1, progress=None)
    return reported(folder)


def resumed(out: Path) -> MigrationRecord:
    """Go on with a killed run."""
    return reported(volume.resume(out, jobs=1, progress=None))


def resubmitted(out: Path, *refs: str, judgement: str = "the cause was mended") -> MigrationRecord:
    """Resubmit stranded installations."""
    return reported(volume.resubmit(out, Listing(refs, judgement)))


def reported(folder: RunFolder) -> MigrationRecord:
    """Write the reports of a run."""
    with folder.lock():
        return write_migration(folder)


def end_of(out: Path) -> dict[str, Any]:
    """All that a finished run leaves, as comparable values; what it was called left out."""
    run = json.loads((out / "run.json").read_text("utf-8"))
    for name in ("run", "options", "files"):
        run.pop(name)
    files = {path.name: path.read_bytes() for path in sorted((out / "files").glob("**/*.xml"))}
    capture = (out / "wire.pcapng").read_bytes()
    return {"run": run, "files": files, "capture": capture}
