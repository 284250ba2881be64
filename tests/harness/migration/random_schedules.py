"""Migrations in which something goes wrong by chance: drawn from a seed, played, and judged.

One schedule again, by its seed::

    .venv/bin/python -m tests.harness.migration.random_schedules 1234
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device_profiles.cohort import load_cohort
from device_profiles.words import SupplyShape
from emulator.core.chance import Stream
from harness.dust.new_cases import hands_over
from harness.migration import volume
from harness.migration.states import RESTING, State
from harness.migration.steps import FOLDED_STEPS
from harness.migration.volume import Listing
from harness.migration.volume_options import VolumeOptions
from harness.report.migration_model import MigrationRecord
from tests.harness.migration.volume_kit import homes_file, reported

_COHORTS: Final = ("EA", "EA", "EA", "EB", "EB", "DA", "IOC", "MDS")
_SHAPES: Final = (SupplyShape.DUAL_FUEL, SupplyShape.SPLIT_SUPPLY, SupplyShape.ELECTRICITY_ONLY)
_STEPS: Final = (
    *("H1", "H2", "H3", "H4", "V2", "V4", "T1", "T2", "T3", "T4", "T5", "T6", "T7"),
    *("C2", "C3", "C5", "R1", "R2", "R3"),
)
#: Steps that are taken device by device.
_PER_DEVICE: Final = frozenset({"H2", "R1", "C2", "C3"})
_ORDERS: Final = (
    "mute@wan",
    "mute@wan-in",
    "mute@wan-out",
    "drop:every=3@wan",
    "drop:p=0.2@wan",
    "duplicate:every=4@wan",
    "delay:ms=40000,every=5@wan",
    "corrupt-payload:every=6@wan",
    "mute:role=gsme@han",
    "mute:role=esme@han",
    "drop:p=0.1@han",
    "corrupt:p=0.05@han",
    "refuse:party=S1SP@sim",
    "refuse:party=SMSO@sim",
    "mute:party=S1SP@sim",
    "mute:party=SMSO@sim",
    "late:s=604799@sim",
    "late:s=604800@sim",
    "key-write-cut:effect=taken,off_s=60@esme",
    "key-write-cut:effect=lost,off_s=60@esme",
    "key-write-cut:effect=taken,off_s=60@gsme",
    "key-write-cut:effect=lost,off_s=60@chf",
    "power-loss:after_s=1,off_s=900@esme",
    "power-loss:after_s=1,off_s=0@gsme",
    "power-cycle:after_s=1@chf",
    "clear@wan",
    "clear@han",
    "clear@sim",
)
_CONDITIONS: Final = tuple(
    f"s1-{role}-{what}"
    for role in ("chf", "esme", "gsme")
    for what in (
        "rotation-refused",
        "restore-refused",
        "restored-key-garbled",
        "other-firmware",
        "other-serial",
        "other-eui64",
        "clock-adrift",
    )
)
_SPOILS: Final = ("signature", "content", "truncated", "doctype")
_FILES: Final = ("MCF", "MVF", "MGF", "MEF")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a seed says.

    Attributes:
        seed: The seed.
        cohort: Cohort key.
        shape: Which fuels and suppliers.
        order: ``A``, ``B`` or empty.
        faults: Faults on links, at steps and in files.
        defects: Conditions of devices.
    """

    seed: int
    cohort: str
    shape: SupplyShape
    order: str
    faults: tuple[str, ...]
    defects: tuple[str, ...]

    def command(self) -> str:
        """The one command that plays it again."""
        return f".venv/bin/python -m tests.harness.migration.random_schedules {self.seed}"


def schedule(seed: int) -> Schedule:
    """Draw a schedule."""
    draw = Stream(seed, "tests/migration schedule")

    def one(row: tuple[str, ...]) -> str:
        return row[draw.below(len(row))]

    cohort = one(_COHORTS)
    shape = _SHAPES[draw.below(len(_SHAPES))]
    order = one(("A", "B", "")) if cohort in {"EA", "EB"} else ""
    faults = []
    for _number in range(draw.below(4)):
        step = one(_STEPS)
        device = one(("", ":CHF", ":ESME", ":GSME")) if step in _PER_DEVICE else ""
        moment = one(("before", "after")) + one(("", "", "", ".2"))
        order_there = one(_ORDERS)
        if not (step in FOLDED_STEPS and not hands_over(load_cohort(cohort))):
            faults.append(f"{moment}:{step}{device}/{order_there}")
    if draw.happens(0.1):
        faults.append(one(_ORDERS[:19]))
    if draw.happens(0.12):
        faults.append(f"file:{one(_FILES)}/{one(_SPOILS)}")
    with_gas = shape is not SupplyShape.ELECTRICITY_ONLY
    conditions = tuple(name for name in _CONDITIONS if with_gas or "gsme" not in name)
    defects = (one(conditions),) if draw.happens(0.3) else ()
    return Schedule(seed, cohort, shape, order, tuple(faults), defects)


def play(seed: int, folder: Path) -> MigrationRecord:
    """Play a schedule, resubmit what it strands, and check what must always hold.

    Totals are reconciled with the histories, and the invariants looked at after every step, by
    the run itself.
    """
    drawn = schedule(seed)
    homes = homes_file(folder, 1, cohort=drawn.cohort, shape=drawn.shape, seed=seed % 97)
    options = VolumeOptions(
        drawn.cohort,
        str(homes),
        seed=seed,
        faults=drawn.faults,
        defects=drawn.defects,
        order=drawn.order,
        captured=0,
        watched=True,
    )
    out = folder / f"run-{seed}"
    run = _judged(drawn, reported(volume.start(options, out=out, progress=None)))
    resubmittable = drawn.cohort in {"EA", "EB"}
    if resubmittable and any(one.state is State.STRANDED for one in run.records):
        listing = Listing((), "by chance", roll_forward=bool(seed % 2))
        run = _judged(drawn, reported(volume.resubmit(out, listing)))
    return run


def _judged(drawn: Schedule, run: MigrationRecord) -> MigrationRecord:
    told = f"\n{drawn}\n{drawn.command()}"
    for one in run.installations:
        assert not one.error, f"{one.error}{told}"
        assert one.record is not None, told
        assert one.record.state in RESTING, f"{one.record.state}{told}"
    assert run.totals()["installations"] == 1, told
    return run


def main() -> None:
    """Play the schedules of the seeds on the command line and say how they ended."""
    for seed in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            run = play(seed, Path(folder))
            sys.stdout.write(f"{seed} {schedule(seed)}\n  {run.installations[0].reason}\n")


if __name__ == "__main__":
    main()
