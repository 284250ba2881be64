"""Stand-ins among the tables of firmware: S1SR effects, updaters, decisions, the matrix's axes."""

from collections.abc import Iterator

from device_profiles.bilingual_table import load_decisions
from device_profiles.files import Folders
from device_profiles.matrix_axes import load_axes
from device_profiles.s1sr import load_s1sr
from device_profiles.updaters import load_updaters

#: File, row, what it says, evidence mark, what would replace it, where.
Row = tuple[str, str, str, str, str, str]

_CLAUSES = "the S1SR as designated (SEC Appendix AM, 18.63 to 18.65 and its annexes)"


def firmware_rows(overlays: Folders = ()) -> Iterator[Row]:
    """Yield every row of the firmware tables with its mark.

    Raises:
        DataError: A table cannot be used.
    """
    clauses = load_s1sr(overlays)
    where = "an overlay folder with clauses/s1sr_clauses.toml"
    for effect in clauses.effects.values():
        yield "clauses/effects", effect.id, effect.says, effect.evidence, _CLAUSES, where
    for annex in clauses.annexes.values():
        name = f"Annex {annex.id}"
        yield "clauses/effects", name, annex.says, annex.evidence, _CLAUSES, where
    for row in load_updaters(overlays).rows:
        yield _catalogue("firmware-updaters.csv", row.id, row.says, row.evidence, "MAM and SEC")
    for decision in load_decisions(overlays):
        yield _catalogue(
            "bilingual-decisions.csv", decision.id, decision.says, decision.evidence, _CLAUSES
        )
    axes = load_axes(overlays)
    real = "your own devices, versions and images (--image)"
    for target in axes.targets:
        says = f"{target.profile} {target.version}"
        yield _catalogue("firmware-matrix.toml", target.id, says, target.evidence, real)
    for hub in axes.hubs:
        yield _catalogue("firmware-matrix.toml", hub.id, hub.profile, hub.evidence, real)


def _catalogue(file: str, row: str, says: str, mark: str, replaced_by: str) -> Row:
    stem = file.rpartition(".")[0]
    where = f"an overlay folder with catalogues/{file}"
    return f"catalogues/{stem}", row, says, mark, replaced_by, where
