"""Stock files: test homes that were migrated while their cohort was open, and stay usable."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from device_profiles.files import refuse
from device_profiles.installation import Installation
from device_profiles.sections import Section
from harness.errors import UsageError
from harness.files import read_octets
from harness.migration.states import State
from harness.words import counted

if TYPE_CHECKING:
    from harness.dust.definition import Definition
    from harness.dust.definition_models import DeviceSet

#: Largest stock file read: some 20,000 homes.
_MAX_BYTES: Final = 64 * 1024 * 1024


class StockHome(Section):
    """One home in stock.

    Attributes:
        set: Device set it was made for.
        enrolled_on: Day on which it was enrolled, UTC.
        state: Where its migration ended.
        run: Run that migrated it.
        installation: The home.
    """

    set: Annotated[str, Field(min_length=1, max_length=40)]
    enrolled_on: date
    state: State
    run: Annotated[str, Field(min_length=1, max_length=80)]
    installation: Installation


class Stock(Section):
    """A stock file.

    Attributes:
        form: What kind of file it is.
        cohort: Cohort key.
        evidence: Mark: the form is ours.
        homes: The homes, by ref.
    """

    form: Literal["smetsbench stock 1"] = "smetsbench stock 1"
    cohort: Annotated[str, Field(min_length=1, max_length=200)]
    evidence: Literal["stand-in"] = "stand-in"
    homes: tuple[StockHome, ...] = ()

    @property
    def usable(self) -> tuple[StockHome, ...]:
        """The homes that were migrated."""
        return tuple(one for one in self.homes if one.state is State.MIGRATED)

    def find(self, ref: str) -> StockHome | None:
        """Return a home by ref, or None."""
        return next((one for one in self.homes if one.installation.ref == ref), None)

    def render(self) -> bytes:
        """Return the file: one form only."""
        told: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()

    def with_homes(self, more: Iterable[StockHome]) -> "Stock":
        """Return the stock with homes put into it; those of the same ref are replaced."""
        found = {one.installation.ref: one for one in self.homes}
        found |= {one.installation.ref: one for one in more}
        return self.model_copy(update={"homes": tuple(found[ref] for ref in sorted(found))})

    def taken(self, definition: "Definition", one: "DeviceSet") -> tuple[Installation, ...]:
        """Return a set's homes: those of the stock that were made for the set of that name.

        Raises:
            UsageError: The stock is another cohort's, or holds too few.
        """
        key = definition.cohort.key
        fitting = [home.installation for home in self.usable if home.set == one.name]
        if self.cohort != key or len(fitting) < one.count:
            why = f"{len(fitting)} migrated homes of set {one.name}, of cohort {self.cohort}"
            needed = counted(one.count, "home")
            raise UsageError(
                f"set {one.name} needs {needed} of {key}; the stock holds {why}",
                where=f"{definition.path}: run.stock",
                cause="another stock file, or homes that were not migrated before the closure",
                next_command="smetsbench dust stock FILE.toml --out STOCK.json",
            )
        kept = zip(one.refs, fitting, strict=False)
        return tuple(home.model_copy(update={"ref": ref}) for ref, home in kept)


def load_stock(path: Path) -> Stock:
    """Read a stock file.

    Raises:
        UsageError: It cannot be read.
        DataError: It is none; says the key.
    """
    octets = read_octets(path, _MAX_BYTES)
    try:
        return Stock.model_validate_json(octets)
    except ValidationError as error:
        raise refuse(error, path) from error
