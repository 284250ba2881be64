"""An overlay with a schema, a layout and a map of codes of one's own needs no code in a run."""

import csv
import json
from pathlib import Path
from zipfile import ZipFile

from device_profiles.files import SHIPPED
from harness.dust.choices import Choices, prepare
from harness.dust.record import DustRecord
from harness.dust.recording import stand_ins_of
from harness.formats.migration_files.schema import SHIPPED as SCHEMA
from harness.migration.states import State
from tests.harness.dust.dust_runs import SMALL, run, written

NAMESPACE = "urn:x-bench:smets1-migration:1"
OWN = "urn:example:the-true-schema:7"
COLUMNS, CODES, REAL = (
    f"migration-{name}.csv" for name in ("authorisation-columns", "codes", "real-codes")
)


def one_home(overlays: str = "") -> str:
    """The small run with its first home alone."""
    head, _, rest = SMALL.partition("[[devices]]")
    case = rest[rest.index("[[case]]") : rest.index('[[case]]\nid = "C-002"')]
    return f'{overlays}{head}[[devices]]\nname = "dual"\nppmid = "none"\n{case}'


def rows_of(name: str) -> list[dict[str, str]]:
    with (SHIPPED / "catalogues" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def overlay(folder: Path) -> Path:
    """A folder with a schema in another namespace, other headings, and true codes for all."""
    (folder / "schemas").mkdir(parents=True)
    text = SCHEMA.read_text("utf-8").replace(NAMESPACE, OWN)
    (folder / "schemas" / "migration.xsd").write_text(text, "utf-8")
    catalogues = folder / "catalogues"
    catalogues.mkdir()
    columns = [
        {**row, "synonyms": f"{row['synonyms']};Our {row['column']}", "evidence": ""}
        for row in rows_of(COLUMNS)
    ]
    write(catalogues / COLUMNS, columns)
    real = [
        {
            "code": row["code"],
            "sub_code": row["sub_code"],
            "real_code": f"ME{number:03d}",
            "real_sub_code": "",
            "evidence": "",
        }
        for number, row in enumerate(rows_of(CODES))
    ]
    write(catalogues / REAL, real)
    return folder


def report_of(folder: Path, record: DustRecord) -> tuple[str, dict[str, str]]:
    """What report and pack say of stand-ins."""
    page = (folder / "report.html").read_text("utf-8")
    with ZipFile(folder / "evidence.zip") as pack:
        packed = json.loads(pack.read("record.json"))
    assert packed["header"]["stand_ins"] == dict(record.header.stand_ins)
    return page, packed["header"]["stand_ins"]


def test_an_overlay_needs_no_code_and_report_and_pack_list_fewer_stand_ins(tmp_path: Path) -> None:
    overlay(tmp_path / "ours")
    (tmp_path / "plain").mkdir()
    plain = prepare(Choices(written(tmp_path / "plain", one_home()), tmp_path / "plain"))
    before = stand_ins_of(plain.definition, plain.homes)
    out = tmp_path / "run"
    record = run(written(tmp_path, one_home('overlays = ["ours"]\n')), out)
    assert [one.state for one in record.installations] == [State.MIGRATED]
    page, after = report_of(out, record)
    gone = {"migration schema", *(f"catalogues/{name[:-4]}" for name in (COLUMNS, CODES))}
    assert gone <= set(before)
    assert set(after) == set(before) - gone
    for name in gone:
        assert f"{name}; would be replaced by" not in page
    assert all(f"{name}; would be replaced by" in page for name in after)
    [common] = [one.path for one in record.files if one.kind == "MCF"]
    octets = (out / common).read_bytes()
    assert OWN.encode() in octets
    assert NAMESPACE.encode() not in octets
