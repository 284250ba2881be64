"""What a run is begun with, and the run looked through: definition, homes, days, plan."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from device_profiles.installation import Installation
from harness.data_files import reading_data
from harness.dust.bench_homes import BenchHomes, look_at
from harness.dust.closing import RunDays, run_days
from harness.dust.definition import Definition, load_definition
from harness.dust.definition_homes import homes as homes_of
from harness.dust.definition_homes import stock_of
from harness.dust.definition_words import Mode
from harness.dust.plan import Plan, plan
from harness.errors import UsageError

DEFINITION: Final = "definition.toml"
#: How a run was begun: what a resume needs beside the definition.
BEGUN: Final = "begun.json"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a run was begun with.

    Attributes:
        file: The definition.
        base: What its relative names are relative to.
        overlays: Overlay folders of the command line.
        seed: Seed in the definition's stead; None: its own.
        historical: Whether days outside those of the table are allowed.
        with_identifiers: Whether live identifiers stand in reports and pack.
    """

    file: Path
    base: Path
    overlays: tuple[Path, ...] = ()
    seed: int | None = None
    historical: bool = False
    with_identifiers: bool = False

    def dump(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return {
            "base": str(self.base.resolve()),
            "overlays": [str(one.resolve()) for one in self.overlays],
            "seed": self.seed,
            "historical": self.historical,
            "with_identifiers": self.with_identifiers,
        }

    @classmethod
    def load(cls, folder: Path) -> "Choices":
        """Return what a run folder says of its beginning.

        Raises:
            UsageError: It says nothing that can be read.
        """
        try:
            told = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
            overlays = tuple(Path(one) for one in told.pop("overlays"))
            base = Path(told.pop("base"))
            return cls(folder / DEFINITION, base, overlays, **told)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                "the folder holds no run that can go on",
                where=str(folder / BEGUN),
                cause="a folder of another program, or one that was damaged",
                next_command="smetsbench dust run FILE.toml --out NEW-FOLDER",
            ) from error


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is looked through and may begin.

    Attributes:
        choices: What it is begun with.
        definition: The definition.
        homes: Its homes that are played.
        days: Its days.
        plan: Its plan.
        on_benches: Which of its homes stand on benches, and which cannot be played there.
    """

    choices: Choices
    definition: Definition
    homes: tuple[Installation, ...] = field(repr=False)
    days: RunDays
    plan: Plan = field(repr=False)
    on_benches: BenchHomes = field(default_factory=BenchHomes)

    @property
    def is_simulated(self) -> bool:
        """Whether the participant plays in this process."""
        return self.definition.participant.mode is Mode.SIMULATED


def prepare(choices: Choices) -> Prepared:
    """Read a definition and plan its run.

    Raises:
        UsageError: Something in it is wrong, or its days are not open.
        BenchError: Every home is bound to a bench that cannot play it.
    """
    definition = load_definition(choices.file, choices.overlays, folder=choices.base)
    if choices.seed is not None:
        definition = definition.with_seed(choices.seed)
    with reading_data():
        days = run_days(definition, historical=choices.historical, stock=stock_of(definition))
        every = homes_of(definition)
        there = look_at(definition, every)
        there.refuse_empty(every)
        homes = there.playable(every)
        planned = plan(definition, homes, days, there.remarks())
        return Prepared(choices, definition, homes, days, planned, there)
