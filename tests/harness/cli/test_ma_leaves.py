"""What ``ma check`` leaves behind, and sealed authorisations."""

import hashlib
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree

from device_profiles.installation import render_csv
from device_profiles.words import InstallationClass
from harness.cli import ma
from harness.errors import UsageError
from harness.formats.authorisation import sealed
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.migration_files.common_file import CommonFile
from harness.formats.migration_files.document import MigrationFile, from_tree
from harness.formats.migration_files.schema import load_schema
from harness.formats.migration_files.words import FileType, MeterStatus
from harness.new_installations import Order, generate
from harness.rules.migration_authorisation_advice import ADVICE
from harness.rules.migration_rulebook import load_rule_book
from tests.harness.cli.command_line import run
from tests.harness.formats.authorisations_made import (
    COLUMNS,
    CPL,
    EIS,
    installation,
    lines,
    split,
    write_csv,
    write_workbook,
)

NAME = f"MA_BG_{EIS}_20210301_101500"
PASSWORD = f"MAPASSWORD_bg_{EIS}_20210301_101500.csv"
PHRASE = "correct horse battery staple"
WITH_MODELS = [*COLUMNS, *CPL]
ALL_MODELS: dict[str, Any] = dict(CPL)
NO_PPMID: dict[str, Any] = {name: entry for name, entry in CPL.items() if name != "PPMIDCplEntry"}


def check(path: Path, *options: str) -> tuple[int, Any]:
    code, output = run(ma.register, "ma", "check", str(path), "--json", *options)
    return code, json.loads(output)


def table(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    return write_csv(folder / f"{NAME}.csv", lines(rows, WITH_MODELS))


def mcf_of(report: Any) -> MigrationFile:
    """Read the MCF that was written; it is valid against the shipped schema."""
    schema = load_schema()
    root = etree.fromstring(Path(report["written"]["mcf"]).read_bytes())
    schema.validate(root)
    return from_tree(root, schema)


# -- the MCF ------------------------------------------------------------------------------------


def test_the_mcf_says_what_the_authorisation_says(tmp_path: Path) -> None:
    rows = [installation(1, **NO_PPMID), split(2, **NO_PPMID)]
    code, report = check(table(tmp_path, rows))
    assert code == 0, report["findings"]
    assert report["mcf"]["installations"] == 2
    assert report["mcf"]["left_out"] == []
    file = mcf_of(report)
    assert file.header.file_type is FileType.MCF
    assert (file.header.group_id, file.header.counter) == ("EA", 0)
    assert file.header.migration_week == "2021-W09"
    assert isinstance(file.content, CommonFile)
    first, second = file.content.installations
    assert (first.ref, first.installation_class) == ("REF-000001", InstallationClass.ACTIVE)
    assert str(first.hub.device) == rows[0]["CHFDeviceID"]
    assert first.hub.model.firmware_version == "10000001"
    assert (first.esme.mpxn, str(first.esme.supplier)) == (rows[0]["MPAN"], EIS)
    assert first.esme.critical_supplier.serial == "1001"
    assert first.gsme is not None
    assert (first.gsme.mpxn, first.gsme.payment_mode) == (rows[0]["MPRN"], "Prepayment")
    assert second.esme.critical_supplier.is_null
    text = Path(report["written"]["mcf"]).read_text()
    assert "stand-in" in text.partition("<mig:")[0]


def test_an_installation_whose_models_nobody_tells_is_named_and_left_out(tmp_path: Path) -> None:
    path = write_csv(tmp_path / f"{NAME}.csv", lines([installation(1)]))
    code, report = check(path)
    assert (code, report["totals"]["accepted"]) == (0, 1)
    assert "mcf" not in report["written"]
    assert report["mcf"]["note"] == "no installation is known well enough"
    (left,) = report["mcf"]["left_out"]
    assert left["ref"] == "REF-000001"
    assert "CHFCplEntry" in left["why"]
    assert "--inventory" in left["why"]
    _code, output = run(ma.register, "ma", "check", str(path))
    assert "not in the mcf: REF-000001: the model of the CHF" in output


def test_what_the_schema_does_not_take_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    rows = [installation(n, **NO_PPMID) for n in (1, 2, 3)]
    rows[1]["ESMECriticalSupplierCertIssuer"] = "A" * 201  # longer than our schema's names
    _code, report = check(table(tmp_path, rows), "--disable", "7.3.2")
    file = mcf_of(report)
    assert isinstance(file.content, CommonFile)
    assert [one.ref for one in file.content.installations] == ["REF-000001", "REF-000003"]
    assert [one["ref"] for one in report["mcf"]["left_out"]] == ["REF-000002"]


def test_ppmids_come_from_the_inventory_alone(tmp_path: Path) -> None:
    homes = generate(Order(2, 1, cohort="EA"))
    (tmp_path / "inventory.csv").write_text(render_csv(homes))
    rows = []
    for number, home in enumerate(homes, start=1):
        found = {device.role.value: device for device in home.devices}
        rows.append(
            installation(
                number,
                CHFDeviceID=found["CHF"].eui64,
                ESMEDeviceID=found["ESME"].eui64,
                GSMEDeviceID=found["GSME"].eui64,
                **ALL_MODELS,
            )
        )
    _code, report = check(table(tmp_path, rows), "--inventory", str(tmp_path / "inventory.csv"))
    file = mcf_of(report)
    assert isinstance(file.content, CommonFile)
    assert [len(one.ppmids) for one in file.content.installations] == [1, 1]
    assert {one.esme.status for one in file.content.installations} == {MeterStatus.ACTIVE}
    _code, report = check(table(tmp_path, rows))
    assert "2 without their PPMIDs" in report["mcf"]["note"]


def test_refused_lines_and_refused_files_make_no_mcf(tmp_path: Path) -> None:
    path = table(tmp_path, [installation(1, **NO_PPMID)])
    _code, before = check(path)
    table(tmp_path, [installation(1, **NO_PPMID, MPAN="not one")])
    _code, report = check(path)
    assert "mcf" not in report["written"]
    assert not Path(before["written"]["mcf"]).exists()  # the old one would be taken for ours
    assert report["mcf"]["note"] == "no installation was accepted"
    path.write_bytes(b"\x00")
    _code, report = check(path)
    assert report["written"] == {}


def test_without_a_cohort_there_is_no_mcf_and_people_are_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "list.csv", lines([installation(1, **NO_PPMID)], WITH_MODELS))
    _code, output = run(ma.register, "ma", "check", str(path))
    assert "mcf: 0 installations; no cohort is known: give --cohort" in output


# -- the repaired workbook ----------------------------------------------------------------------


def test_a_repaired_workbook_says_nothing_of_when_it_was_written(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / f"{NAME}.xlsx", lines([installation(1), split(2)]))
    _code, report = check(path)
    repaired = Path(report["written"]["repaired"])
    first = hashlib.sha256(repaired.read_bytes()).hexdigest()
    time.sleep(1.1)  # the properties of a workbook count in seconds
    check(path)
    assert hashlib.sha256(repaired.read_bytes()).hexdigest() == first
    with zipfile.ZipFile(repaired) as parts:
        assert {part.date_time[0] for part in parts.infolist()} == {1980}
        assert b">1980-01-01T00:00:00Z<" in parts.read("docProps/core.xml")
    assert openpyxl.load_workbook(repaired).active is not None


# -- sealed -------------------------------------------------------------------------------------


def sealed_in(folder: Path, phrase: str = PHRASE) -> Path:
    path = table(folder, [installation(1, **NO_PPMID)])
    password = folder / PASSWORD
    password.write_text(sealed.render_phrase(phrase), newline="")
    code, _output = run(ma.register, "ma", "seal", str(path), "--password", str(password))
    assert code == 0
    return path.with_name(f"{path.name}.sealed")


def test_a_sealed_authorisation_is_opened_with_the_file_beside_it(tmp_path: Path) -> None:
    path = sealed_in(tmp_path)
    plain = path.with_name(f"{NAME}.csv")
    before = plain.read_bytes()
    assert before[:200] not in path.read_bytes()
    plain.unlink()
    code, report = check(path)
    assert (code, report["clean"], report["cohort"]) == (0, True, "EA")
    assert report["mcf"]["installations"] == 1
    assert Path(report["written"]["repaired"]).parent == tmp_path
    assert not plain.exists()  # what was opened for the check is gone with it
    code, _output = run(ma.register, "ma", "open", str(path))
    assert code == 0
    assert plain.read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("missing", "neither beside it nor named"),
        ("wrong", "does not open it"),
        ("flipped", "does not open it"),
        ("renamed", "does not open it"),
        ("cut", "no sealed authorisation"),
        ("empty phrase", "no pass phrase can be read"),
    ],
)
def test_a_sealed_authorisation_that_does_not_open_is_refused(
    tmp_path: Path, spoil: str, why: str
) -> None:
    path = sealed_in(tmp_path)
    password = tmp_path / PASSWORD
    if spoil == "missing":
        password.unlink()
    elif spoil == "wrong":
        password.write_text(sealed.render_phrase("another phrase"))
    elif spoil == "flipped":
        octets = bytearray(path.read_bytes())
        octets[-20] ^= 1
        path.write_bytes(octets)
    elif spoil == "renamed":
        path = path.rename(path.with_name(path.name.replace("csv", "xml")))
    elif spoil == "cut":
        path.write_bytes(path.read_bytes()[:80])
    else:
        password.write_text("PassPhrase\r\n\r\n")
    code, report = check(path)
    assert code == 1
    (told,) = report["files"]
    assert (told["code"], told["sub_code"]) == ("X-MA-FILE", "04")
    assert why in json.dumps(report["findings"])
    assert PHRASE not in json.dumps(report)
    with pytest.raises(UsageError):
        run(ma.register, "ma", "open", str(path))


def test_a_flipped_octet_of_a_sealed_file_is_noticed_wherever_it_is() -> None:
    octets = sealed.seal(b"content", "MA.csv", PHRASE)
    assert sealed.unseal(octets, "MA.csv", PHRASE) == b"content"
    assert sealed.seal(b"content", "MA.csv", PHRASE) == octets
    assert sealed.seal(b"another", "MA.csv", PHRASE)[-40:-23] != octets[-40:-23]
    for place in [*range(0, len(octets), 9), len(octets) - 1]:
        spoilt = bytearray(octets)
        spoilt[place] ^= 0x20
        with pytest.raises(AuthorisationFileError):
            sealed.unseal(bytes(spoilt), "MA.csv", PHRASE)


# -- advice -------------------------------------------------------------------------------------


def test_advice_is_given_for_codes_that_there_are() -> None:
    book = load_rule_book()
    for code, sub_code in ADVICE:
        assert book.codes.find(code, sub_code) is not None, (code, sub_code)


def test_every_refusal_says_what_to_do_about_it_and_in_which_cell(tmp_path: Path) -> None:
    rows = [
        installation(1, **NO_PPMID) | {"ESMECplEntry": "NOBODYS"},
        installation(2, **NO_PPMID, MPAN="99"),
        installation(
            3, **NO_PPMID, EarliestMigrationDate="2021-03-31", LatestMigrationDate="2021-03-01"
        ),
        installation(4, **NO_PPMID),
        installation(5, **NO_PPMID, CHFDeviceID=installation(4)["CHFDeviceID"]),
        installation(6, **NO_PPMID, GIS_UserID="02-53-42-00-00-03-00-00"),
    ]
    _code, report = check(table(tmp_path, rows))
    refusals = [one for one in report["findings"] if one["severity"] == "refused"]
    assert len({one["ref"] for one in refusals}) == 6
    for one in refusals:
        assert one["cell"], one
        assert one["code"], one
        assert one["suggestion"], one
