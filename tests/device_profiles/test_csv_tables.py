"""Catalogues whose rows have names: whoever reads them, what is wrong is told in the same words."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device_profiles.bilingual_table import load_decisions
from device_profiles.duis_services import load_duis_services
from device_profiles.errors import DataError
from device_profiles.files import SHIPPED
from device_profiles.participant_codes import load_participant_codes
from device_profiles.smets1_services import load_smets1_services
from device_profiles.updaters import load_updaters
from harness.rules.migration_prepayment import load_prepayment_rule

Rows = list[list[str]]
TABLES: dict[str, Callable[[tuple[Path, ...]], Any]] = {
    "bilingual-decisions.csv": load_decisions,
    "duis-services.csv": load_duis_services,
    "firmware-updaters.csv": load_updaters,
    "migration-prepayment.csv": load_prepayment_rule,
    "participant-codes.csv": load_participant_codes,
    "smets1-services.csv": load_smets1_services,
}
DAMAGED: dict[str, tuple[Callable[[Rows], Rows], str, str]] = {
    "another heading": (lambda rows: [["zz", *rows[0][1:]], *rows[1:]], "line 1", "headings are"),
    "a cell more": (lambda rows: [rows[0], [*rows[1], "x"]], "line 2", "more or fewer cells"),
    "a cell less": (lambda rows: [rows[0], rows[1][:-1]], "line 2", "more or fewer cells"),
    "a row twice": (lambda rows: [*rows[:2], rows[1]], "line 3", "stands twice"),
    "no mark": (lambda rows: [rows[0], [*rows[1][:-1], "rumour"]], "line 2.evidence", "rumour"),
}


@pytest.mark.parametrize("what", DAMAGED)
@pytest.mark.parametrize("name", TABLES)
def test_what_is_wrong_is_told_with_file_place_and_cause(
    tmp_path: Path, name: str, what: str
) -> None:
    damage, where, why = DAMAGED[what]
    shipped = (SHIPPED / "catalogues" / name).read_text("utf-8")
    text = io.StringIO()
    csv.writer(text).writerows(damage(list(csv.reader(io.StringIO(shipped)))))
    file = tmp_path / "catalogues" / name
    file.parent.mkdir()
    file.write_text(text.getvalue(), "utf-8")
    with pytest.raises(DataError) as caught:
        TABLES[name]((tmp_path,))
    assert (caught.value.file, caught.value.key) == (str(file), where)
    assert why in caught.value.why
