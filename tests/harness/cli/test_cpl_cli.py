"""``smetsbench cpl``: every fault with its place, totals, pathways."""

import csv
from pathlib import Path
from typing import Any

import pytest

from device_profiles.cpl import render
from harness.cli import cpl
from harness.cli.cpl import EXECUTING
from harness.cli.cpl_lists import MAX_PRINTED
from harness.cli.main import NOUNS
from harness.errors import UsageError
from tests.device_profiles.eligible_lists import ROWS, entry
from tests.harness.cli.command_line import run, run_json

MAP = """
[columns]
cpl_entry_id = "Entry"
device_type = "Kind"
manufacturer_id = "Maker"
model_id = "Model"
hardware_version = "HW"
firmware_version = "FW"
status = "State"
effective_from = "From"
[constants]
smets = "SMETS1"
manufacturer_name = "x"
"""
EXPORT = (
    "Entry,Kind,Maker,Model,HW,FW,State,From\nE1,ESME,FFF2,0010,0100,1000000,Active,2014-01-01\n"
)


def command(*arguments: object) -> tuple[int, str]:
    return run(cpl.register, "cpl", *map(str, arguments))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cpl.csv"
    path.write_text(render(ROWS), "utf-8")
    return path


def test_both_nouns_are_on_the_command_line() -> None:
    assert {"cpl", "epcl"} <= set(NOUNS)


def test_a_clean_list_is_counted(file: Path) -> None:
    found: Any = run_json(cpl.register, "cpl", "check", str(file))
    assert (found["clean"], found["rows"], found["faults"]) == (True, len(ROWS), [])
    assert found["totals"]["device_type"] == {"CHF": 2, "ESME": 5, "GSME": 2, "PPMID": 2}
    assert found["totals"]["smets"] == {"SMETS1": len(ROWS)}
    assert found["totals"]["hash"] == {"not listed": len(ROWS)}
    code, text = command("check", file)
    assert code == 0
    assert f"clean; {len(ROWS)} rows: {len(ROWS)} Active; 0 bilingual pairs" in text


def test_bilingual_pairs_are_shown_with_both_versions(tmp_path: Path) -> None:
    shared = {"manufacturer_image_hash": "ab" * 32}
    rows = [
        entry("PPMID", 1, **shared),
        entry("PPMID", 0x20000001, smets="SMETS2+", cpl_entry_id="TWO", **shared),
    ]
    path = tmp_path / "cpl.csv"
    path.write_text(render(rows), "utf-8")
    found: Any = run_json(cpl.register, "cpl", "check", str(path))
    assert found["bilingual"] == [
        {
            "device_type": "PPMID",
            "manufacturer": "FFF2",
            "model": "00040100",
            "smets1": {"cpl_entry": "PPMID-1", "version": "00000001"},
            "smets2": {"cpl_entry": "TWO", "version": "20000001"},
            "same_hash": True,
            "executing": {"version": "20000001", "evidence": EXECUTING},
        }
    ]
    listed: Any = run_json(cpl.register, "cpl", "bilingual", "--cpl", str(path))
    assert listed == {"bilingual": found["bilingual"]}
    code, text = command("bilingual", "--cpl", path)
    assert code == 0
    assert "00000001  PPMID-1" in text
    assert "20000001  TWO" in text
    assert "equal" in text


def test_faults_are_printed_with_line_and_column(file: Path) -> None:
    text = file.read_text("utf-8")
    file.write_text(text.replace("CHF-1,CHF", "CHF-1,HUB").replace(",ESME-4,", ",ESME-9,"), "utf-8")
    code, output = command("check", file)
    assert code == 1
    assert "line 2, column 2 (device_type): unknown-word:" in output
    assert "[HUB]" in output
    assert "dangling-reference: ESME-9: no such CPL entry [ESME-4]" not in output
    assert "column 17 (upgrade_from): dangling-reference: ESME-9: no such CPL entry" in output
    code, output = command("check", file, "--json")
    assert code == 1
    assert '"clean": false' in output


def test_many_faults_are_printed_up_to_a_limit(tmp_path: Path) -> None:
    rows = [entry("ESME", number) for number in range(MAX_PRINTED + 3)]
    path = tmp_path / "cpl.csv"
    path.write_text(render(rows).replace(",Active,", ",Aktiv,"), "utf-8")
    code, output = command("check", path)
    assert code == 1
    assert output.count("unknown-word") == MAX_PRINTED
    assert "… 3 more" in output


def test_an_export_is_checked_through_the_map_given_or_beside_it(tmp_path: Path) -> None:
    export, column_map = tmp_path / "export.csv", tmp_path / "my.toml"
    export.write_text(EXPORT, "utf-8")
    with pytest.raises(UsageError, match="unknown key"):
        command("check", export)
    column_map.write_text(MAP, "utf-8")
    code, output = command("check", export, "--map", column_map)
    assert code == 1
    assert "line 2, column 6 (FW): broken-hex: 8 hex digits are wanted [1000000]" in output
    column_map.rename(tmp_path / "cpl_columns.toml")
    export.write_text(EXPORT.replace("1000000", "10000001"), "utf-8")
    found: Any = run_json(cpl.register, "cpl", "check", str(export))
    assert found["rows"] == 1


@pytest.mark.parametrize("name", ["gone.csv", "cpl.csv"])
def test_what_cannot_be_read_at_all_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "cpl.csv").write_text("colour\nred\n", "utf-8")
    with pytest.raises(UsageError):
        command("check", tmp_path / name)


def test_a_pathway_is_shown_step_by_step(file: Path) -> None:
    chain = ["cpl", "pathway", "ESME-1", "ESME-3", "--cpl", str(file)]
    found: Any = run_json(cpl.register, *chain)
    assert [step["firmware_version"] for step in found["pathway"]] == [
        "00000001",
        "00000002",
        "00000003",
    ]
    code, output = command("pathway", "ESME-3", "ESME-1", "--cpl", file, "--on", "2021-01-01")
    assert code == 1
    assert "no pathway from ESME-3 to ESME-1 whose steps are Active on 2021-01-01" in output
    code, output = command("pathway", "ESME-1", "ESME-2", "--cpl", file)
    assert (code, output.split()[0]) == (0, "ESME-1")
    with pytest.raises(UsageError, match="no such CPL entry"):
        command("pathway", "ESME-1", "ESME-9", "--cpl", file)
    with pytest.raises(UsageError, match="is no day"):
        command("pathway", "ESME-1", "ESME-2", "--on", "01/01/2021")
    with pytest.raises(UsageError, match="which is not given"):
        command("pathway", "ESME-1", "ESME-2", "--cpl-map", file)


@pytest.mark.soak
def test_a_hundred_thousand_rows_are_read_and_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "cpl.csv"
    head, row, *_ = render([entry("ESME", 1)]).splitlines()
    cells = next(csv.reader([row]))
    with path.open("w", encoding="utf-8") as out:
        out.write(head + "\n")
        for number in range(100_000):
            model, version = divmod(number, 20)
            own = [f"E{number}", *cells[1:]]
            own[5], own[7] = f"{model:04X}", f"{version:08X}"
            own[16] = f"E{number - 1}" if version else "N/A"
            out.write(",".join(own) + "\n")
    found: Any = run_json(cpl.register, "cpl", "check", str(path))
    assert (found["rows"], found["clean"]) == (100_000, True)
    code, output = command("pathway", "E99980", "E99999", "--cpl", path)
    assert (code, len(output.splitlines())) == (0, 20)
