"""The firmware matrix as one offline page: a heat map, what each cell rests on, the inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from device_profiles.metadata_layout import MetadataMode
from harness.report.firmware_matrix_model import Grid, MatrixReport, MatrixRow, grids
from harness.report.html import environment
from harness.verdict import ExpectationKind

#: Look -> (what it stands for, the words it has), in the order of the legend.
LOOKS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "works": ("activated", frozenset({"ACTIVATED"})),
    "hub": ("discarded by the hub", frozenset({"DISCARDED"})),
    "dcc": ("refused by DCC or S1SP", frozenset({"REJECTED", "NOT_SUPPORTED", "UNTARGETABLE"})),
    "device": (
        "fails at the device",
        frozenset(
            {"HW_MISMATCH", "TRANSFER_FAILED", "VERIFY_FAILED", "HASH_MISMATCH", "ACT_FAILED"}
        ),
    ),
    "open": ("uncertain, or one of several", frozenset()),
}
_OPEN: Final = "open"


@dataclass(frozen=True, slots=True)
class Told:
    """One cell as the page shows it.

    Attributes:
        number: Its number on the page, for the link to what it rests on.
        look: Its look.
        word: Outcome word in small letters.
        row: The cell.
    """

    number: int
    look: str
    word: str
    row: MatrixRow


def render(report: MatrixReport, version: str) -> str:
    """Return ``matrix.html``."""
    style = resources.files("harness.report").joinpath("static/report.css").read_text("utf-8")
    numbers = {id(row): number for number, row in enumerate(report.rows, 1)}
    told = {id(row): _told(row, numbers[id(row)]) for row in report.rows}
    drawn = list(grids(report))
    used = {one.look for one in told.values()}
    return (
        environment()
        .get_template("firmware_matrix.html.j2")
        .render(
            report=report,
            version=version,
            style=style,
            by_mode=_by_mode(drawn),
            told=lambda row: None if row is None else told[id(row)],
            all_told=[told[id(row)] for row in report.rows],
            looks={name: says for name, (says, _) in LOOKS.items() if name in used},
            resting=report.resting_on(),
        )
    )


def _by_mode(drawn: list[Grid]) -> dict[MetadataMode, list[Grid]]:
    found: dict[MetadataMode, list[Grid]] = {}
    for one in drawn:
        found.setdefault(one.mode, []).append(one)
    return found


def _told(row: MatrixRow, number: int) -> Told:
    word = row.cell.implied.word.replace("_", " ").lower()
    return Told(number, look_of(row), word, row)


def look_of(row: MatrixRow) -> str:
    """Return the look of a cell."""
    implied = row.cell.implied
    if implied.kind is not ExpectationKind.EXACT:
        return _OPEN
    for name, (_, words) in LOOKS.items():
        if implied.outcomes <= words:
            return name
    return _OPEN
