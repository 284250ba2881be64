"""``ma check``: verdicts, JSON, what it writes, and each option."""

import csv
import json
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from device_profiles.files import SHIPPED
from device_profiles.installation import render_csv
from harness.cli import ma
from harness.errors import UsageError
from harness.new_installations import Order, generate
from harness.rules.migration_certificates import render_register
from tests.harness.cli.command_line import run
from tests.harness.formats.authorisations_made import (
    COLUMNS,
    CPL,
    EIS,
    GIS,
    installation,
    lines,
    null_ids,
    register_certificates,
    split,
    write_csv,
    write_workbook,
)

NAME = f"MA_BG_{EIS}_20210301_101500"
WITH_MODELS = [*COLUMNS, *CPL]


def written(
    folder: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS
) -> Path:
    return write_csv(folder / f"{NAME}.csv", lines(rows, columns))


def check(path: Path, *options: str) -> tuple[int, Any]:
    code, output = run(ma.register, "ma", "check", str(path), "--json", *options)
    return code, json.loads(output)


def codes(report: Any) -> list[tuple[str, str, str]]:
    return [(one["cell"], one["code"], one["sub_code"]) for one in report["findings"]]


def test_a_sound_file_is_clean_and_says_what_was_not_checked(tmp_path: Path) -> None:
    code, report = check(written(tmp_path, [installation(1), split(2)]))
    assert (code, report["clean"]) == (0, True)
    assert report["totals"] == {"rows": 2, "accepted": 2, "repaired": 0, "refused": 0}
    assert (report["cohort"], report["group_id"]) == ("EA", "EA")
    assert (report["on"], report["on_from"]) == ("2021-03-01", "file name")
    assert report["supplier"] == EIS
    assert report["files"] == [
        {
            "name": f"{NAME}.csv",
            "type": "MA",
            "result": "passed",
            "step": "P5",
            "code": "",
            "sub_code": "",
            "text": "",
        }
    ]
    assert {one["rule"] for one in report["not_checked"]} == {
        "P1",
        "CPL",
        "MA110",
        "18",
        "4.47",
        "4.48",
        "MAM-6",
    }
    assert "stand-in" in report["stand_in"]


def test_each_finding_has_cell_code_sub_code_and_suggestion(tmp_path: Path) -> None:
    table = lines([installation(1), installation(2, GIS_UserID=GIS), installation(3, MPAN="?")])
    path = write_workbook(tmp_path / f"{NAME}.xlsx", table)
    code, report = check(path)
    assert code == 1
    by_ref = {one["ref"]: one for one in report["installations"]}
    assert by_ref["REF-000001"]["result"] == "accepted"
    assert (by_ref["REF-000002"]["code"], by_ref["REF-000002"]["sub_code"]) == ("X-5.9.10", "01")
    assert (by_ref["REF-000003"]["code"], by_ref["REF-000003"]["sub_code"]) == ("X-7.3.2", "03")
    split_finding, cell_finding = report["findings"]
    column = COLUMNS.index("ESMECriticalSupplierCertSerial")
    assert split_finding["cell"] == f"{openpyxl.utils.get_column_letter(column + 1)}3"
    assert len(split_finding["cells"]) == 7
    assert split_finding["clause"] == "TMAD 5.9.10"
    assert split_finding["evidence"].startswith("source:")
    assert "Null" in split_finding["suggestion"]
    assert cell_finding["cell"] == "D4"
    assert cell_finding["suggestion"]


def test_the_repaired_file_is_clean_and_holds_the_same_installations(tmp_path: Path) -> None:
    rows = [installation(n) for n in range(1, 5)]
    rows[0]["ESMEDeviceID"] = rows[0]["ESMEDeviceID"].replace("-", "")
    rows[1]["LatestMigrationDate"] = "31/03/2021"
    rows[2]["GIS_UserID"] = GIS
    table = lines(rows)
    table[4].insert(2, None)
    path = write_workbook(tmp_path / f"{NAME}.xlsm", table)
    code, report = check(path, "--out", str(tmp_path / "out"))
    assert code == 1
    assert report["totals"] == {"rows": 4, "accepted": 0, "repaired": 3, "refused": 1}
    held = json.loads(Path(report["written"]["installations"]).read_text("utf-8"))
    assert [one["ref"] for one in held["installations"]] == [
        "REF-000001",
        "REF-000002",
        "REF-000004",
    ]
    assert held["installations"][0]["esme"]["critical_supplier"]["serial"] == "1001"
    assert (held["cohort"], "stand-in" in held["stand_in"]) == ("EA", True)
    again_code, again = check(Path(report["written"]["repaired"]), "--out", str(tmp_path / "two"))
    assert (again_code, again["clean"]) == (0, True)
    second = json.loads(Path(again["written"]["installations"]).read_text("utf-8"))
    assert second == held
    with Path(report["written"]["findings"]).open(newline="") as file:
        log = list(csv.DictReader(file))
    assert len(log) == len(report["findings"])
    assert {one["cell"] for one in log} >= {"C2", "J3", "C5"}
    refused = Path(report["written"]["refused"]).read_text("utf-8").splitlines()
    assert len(refused) == 2
    assert refused[1].startswith('4,"split supply')


def test_models_in_the_file_are_compared_with_the_epcl(tmp_path: Path) -> None:
    rows = [installation(n) | CPL for n in (1, 2, 3, 4)]
    rows[1]["ESMECplEntry"] = "SYN-DEMO-S1-GSME-10000001"
    rows[2]["GSMECplEntry"] = "NOT-ON-CPL"
    rows[3]["ESMECplEntry"] = None
    code, report = check(written(tmp_path, rows, WITH_MODELS))
    assert code == 1
    results = [(one["code"], one["sub_code"]) for one in report["installations"]]
    assert results == [("", ""), ("MA110", "X-01"), ("X-P2-CPL", "01"), ("MA110", "X-05")]
    wrong = next(one for one in report["findings"] if one["code"] == "MA110")
    assert wrong["column"] == "ESMECplEntry"
    assert wrong["cell"].endswith("3")
    assert "MA110" not in {one["rule"] for one in report["not_checked"]}


def test_the_inventory_tells_models_and_homes(tmp_path: Path) -> None:
    homes = generate(Order(3, 1, "EA"))
    inventory = tmp_path / "homes.csv"
    inventory.write_text(render_csv(homes), "utf-8")
    rows = []
    for number, home in enumerate(homes, 1):
        ids = {f"{device.role}DeviceID": device.eui64 for device in home.devices}
        rows.append(installation(number) | {k: v for k, v in ids.items() if k in COLUMNS})
    rows[1]["CHFDeviceID"], rows[2]["CHFDeviceID"] = rows[2]["CHFDeviceID"], rows[1]["CHFDeviceID"]
    code, report = check(written(tmp_path, rows), "--inventory", str(inventory))
    assert code == 1
    assert [one["code"] for one in report["installations"]] == ["", "X-P1", "X-P1"]


def test_a_register_of_certificates_is_asked(tmp_path: Path) -> None:
    register = tmp_path / "certificates.csv"
    register.write_text(render_register(register_certificates()), "utf-8")
    rows = [installation(1), installation(2, NetworkOperatorElecCriticalCertSerial="9")]
    code, report = check(written(tmp_path, rows), "--certificates", str(register))
    assert code == 1
    assert [one["code"] for one in report["installations"]] == ["", "X-4.47"]


def test_a_cohort_that_is_not_migrated_is_refused_whole_and_still_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "any.csv", lines([installation(1, MPAN="?"), installation(2)]))
    code, report = check(path, "--cohort", "EC", "--on", "2021-03-01")
    assert code == 1
    refused = {one["code"] for one in report["files"]}
    assert "X-GROUP" in refused
    assert "MAM v3.0" in next(o["text"] for o in report["files"] if o["code"] == "X-GROUP")
    assert [one["code"] for one in report["installations"]] == ["X-7.3.2", "X-GROUP"]
    held = json.loads(Path(report["written"]["installations"]).read_text("utf-8"))
    assert held["installations"] == []


def test_a_cohort_file_elsewhere_works(tmp_path: Path) -> None:
    text = (SHIPPED / "cohorts" / "EA.toml").read_text("utf-8")
    mine = tmp_path / "mine.toml"
    text = text.replace('"EA"', '"ZZ"').replace(
        "require_null_supplier_certificates = true", "require_null_supplier_certificates = false"
    )
    mine.write_text(text, "utf-8")
    path = written(tmp_path, [installation(1, GIS_UserID=GIS)])
    assert check(path)[0] == 1
    code, report = check(path, "--cohort", str(mine))
    assert (code, report["group_id"]) == (0, "ZZ")


def test_rules_are_switched_by_id(tmp_path: Path) -> None:
    path = written(tmp_path, [installation(1, GIS_UserID=GIS)])
    assert check(path)[0] == 1
    code, report = check(path, "--disable", "5.9.10")
    assert code == 0
    assert {"rule": "5.9.10", "why": "switched off for this run"} in report["not_checked"]
    code, report = check(path, "--override", "5.9.10")
    assert code == 0
    assert report["findings"][0]["text"].startswith("overridden by the operator")
    with pytest.raises(UsageError, match="no rule of this id"):
        check(path, "--disable", "5.9.11")


def test_the_clean_up_can_be_switched_off(tmp_path: Path) -> None:
    path = written(tmp_path, [installation(1, ESMEDeviceID="0253010000000001")])
    assert check(path)[1]["totals"]["repaired"] == 1
    assert check(path, "--disable", "7.3.2")[1]["totals"]["accepted"] == 1


def test_a_run_after_the_tmad_needs_an_override(tmp_path: Path) -> None:
    rows = [installation(1, EarliestMigrationDate="2025-03-01", LatestMigrationDate="2025-03-31")]
    path = written(tmp_path, rows)
    code, report = check(path, "--on", "2025-03-01")
    assert (code, report["files"][0]["code"]) == (1, "X-1.3")
    assert check(path, "--on", "2025-03-01", "--override", "1.3")[0] == 0


def test_the_supplier_must_be_the_coordinating_one(tmp_path: Path) -> None:
    path = written(tmp_path, [null_ids(installation(1, GIS_UserID=GIS))])
    for cohort, supplier, expected in (("DA", EIS, 0), ("DA", GIS, 1), ("EA", GIS, 0)):
        code, _ = check(path, "--cohort", cohort, "--supplier", supplier)
        assert code == expected


def test_without_name_or_option_the_cohort_is_not_guessed(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "monday.csv", lines([installation(1, GIS_UserID=GIS)]))
    code, report = check(path)
    assert (code, report["cohort"], report["on_from"]) == (0, None, "first day of any window")
    why = {one["rule"]: one["why"] for one in report["not_checked"]}
    assert "--cohort" in why["5.9.10"]
    assert "--supplier" in why["MAM-4"] or "--cohort" in why["MAM-4"]


def test_a_tag_of_another_cohort_is_told(tmp_path: Path) -> None:
    _, report = check(written(tmp_path, [installation(1)]), "--cohort", "EB", "--on", "2021-06-01")
    assert ("", "X-MA-FILE", "05") in codes(report)


def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.xlsx"
    path.write_bytes(b"rubbish")
    code, report = check(path)
    assert (code, report["files"][0]["code"], report["written"]) == (1, "X-MA-FILE", {})
    empty = write_csv(tmp_path / "e.csv", [COLUMNS])
    code, report = check(empty)
    assert (code, report["files"][0]["sub_code"]) == (1, "06")


def test_text_names_every_finding_what_was_written_and_what_was_not_checked(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, [installation(1, ESMEDeviceID="0253010000000001")])
    code, output = run(ma.register, "ma", "check", str(path))
    assert code == 1
    for text in (
        "repaired",
        "C2",
        "X-7.3.2 02",
        "[0253010000000001 -> 02-53-01-00-00-00-00-01]",
        "not checked: MA110",
        "wrote repaired:",
        "1 repaired, 0 refused",
    ):
        assert text in output


def test_counters_appear_nowhere(tmp_path: Path) -> None:
    path = written(tmp_path, [installation(1)])
    _, report = check(path)
    text = json.dumps(report) + run(ma.register, "ma", "check", str(path))[1]
    assert not any(clause in text for clause in ("5.9.5", "5.9.6", "5.9.7"))


def test_cells_that_look_like_formulas_stay_text_in_what_is_written(tmp_path: Path) -> None:
    table = lines([installation(1, MPAN="=HYPERLINK(1)")], [*COLUMNS, "Remarks"])
    table[1][-1] = "=1+1"
    path = write_csv(tmp_path / f"{NAME}.csv", table)
    _, report = check(path)
    for name in ("findings", "refused"):
        with Path(report["written"][name]).open(newline="") as file:
            cells = [cell for line in csv.reader(file) for cell in line]
        assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--on", "1/3/2021"], UsageError),
        (["--supplier", "me"], UsageError),
        (["--cohort", "XX"], UsageError),
        (["--map", "nowhere.toml"], UsageError),
        (["--inventory", "nowhere.csv"], UsageError),
        (["--certificates", "nowhere.csv"], UsageError),
    ],
)
def test_wrong_options_are_usage_errors(
    tmp_path: Path, options: list[str], error: type[Exception]
) -> None:
    path = written(tmp_path, [installation(1)])
    with pytest.raises(error):
        check(path, *options)
    with pytest.raises(UsageError):
        check(tmp_path / "nowhere.csv")


@pytest.mark.soak
@pytest.mark.timeout(900)  # the limit of the claim is its own work; other programs may slow it
@pytest.mark.parametrize(("kind", "count"), [("xlsx", 20_000), ("csv", 5_000), ("xml", 5_000)])
def test_thousands_of_damaged_installations_in_bounded_time_and_memory(
    tmp_path: Path, kind: str, count: int
) -> None:
    rows = []
    for number in range(1, count + 1):
        row = installation(number, gas=number % 3 != 0)
        row["ESMEDeviceID"] = row["ESMEDeviceID"].replace("-", "").lower()
        row["LatestMigrationDate"] = "31/03/2021"
        rows.append(row)
    table = lines(rows)
    if kind != "xml":
        for number in range(10, count, 10):
            table[number].insert(3, None)
    rows[4]["MPAN"] = table[5][COLUMNS.index("MPAN")] = "?"
    path = tmp_path / f"{NAME}.{kind}"
    if kind == "xlsx":
        write_workbook(path, table)
    elif kind == "csv":
        write_csv(path, table)
    else:
        path.write_text(_xml(table), "utf-8")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    code, report = check(path)
    elapsed_s = time.process_time() - started
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert code == 1
    assert report["totals"] == {"rows": count, "accepted": 0, "repaired": count - 1, "refused": 1}
    assert elapsed_s < 120
    assert grown_mib < 1200


def _xml(table: Sequence[Sequence[Any]]) -> str:
    rows = "".join(
        "<mig:Installation>"
        + "".join(
            f"<mig:{name}>{cell}</mig:{name}>"
            for name, cell in zip(table[0], line, strict=True)
            if cell is not None
        )
        + "</mig:Installation>"
        for line in table[1:]
    )
    return (
        '<mig:MigrationAuthorisation xmlns:mig="urn:x-bench:smets1-migration:1">'
        f"{rows}</mig:MigrationAuthorisation>"
    )


def test_a_sheet_that_can_be_seen_is_read_before_a_hidden_one(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / f"{NAME}.xlsx", lines([installation(1), installation(2)]))
    book = openpyxl.load_workbook(path)
    earlier = book.create_sheet("Earlier", 0)
    for line in lines([installation(9)]):
        earlier.append(line)
    earlier.sheet_state = "veryHidden"
    book.active = 1
    book.save(path)
    _, report = check(path)
    assert [one["ref"] for one in report["installations"]] == ["REF-000001", "REF-000002"]
    assert ("", "X-MA-NOTE", "04") not in codes(report)


def test_a_hidden_sheet_is_read_where_no_other_fits_and_that_is_told(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / f"{NAME}.xlsx", lines([installation(1)]))
    book = openpyxl.load_workbook(path)
    book["Authorisation"].sheet_state = "hidden"
    book.create_sheet("Cover").append(["Read me"])
    book.active = 1
    book.save(path)
    code, report = check(path)
    assert code == 0
    assert [one["ref"] for one in report["installations"]] == ["REF-000001"]
    assert ("", "X-MA-NOTE", "04") in codes(report)


def test_lines_that_a_workbook_hides_are_read_and_named(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / f"{NAME}.xlsx", lines([installation(n) for n in (1, 2, 3)]))
    book = openpyxl.load_workbook(path)
    book["Authorisation"].row_dimensions[3].hidden = True
    book["Authorisation"].row_dimensions[30].hidden = True  # holds nothing
    book.save(path)
    _, report = check(path)
    assert report["totals"]["accepted"] == 3
    (note,) = [one for one in report["findings"] if one["sub_code"] == "05"]
    assert (note["code"], note["severity"]) == ("X-MA-NOTE", "note")
    assert note["text"].endswith(": 3")
