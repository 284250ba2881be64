"""``dust new`` and ``dust stock``: files that run as they are, and homes that outlive a closure."""

import json
import tomllib
from pathlib import Path

import pytest

from device_profiles.installation import load_many
from harness.cli import dust_new, dust_plan, dust_stock
from harness.dust.closing import run_days
from harness.dust.definition import load_definition
from harness.dust.definition_homes import homes, stock_of
from harness.dust.definition_words import Family, Mode
from harness.dust.new_definition import write_new
from harness.dust.plan import plan
from harness.dust.stock_file import load_stock
from harness.errors import UsageError
from tests.harness.cli.command_line import run
from tests.harness.dust.definitions_given import text_of, written

COHORTS = ("DA", "EA", "EB", "IOC", "MDS")


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("key", COHORTS)
def test_a_new_definition_loads_is_open_and_every_home_has_a_day(
    tmp_path: Path, key: str, mode: Mode
) -> None:
    path = tmp_path / "my run.toml"
    write_new(path, key, mode)
    found = load_definition(path)
    made, days = homes(found), run_days(found)
    assert found.participant.mode is mode
    assert 13 <= len(made) <= 14
    assert len(found.cases) >= 10
    assert sum(one.mandatory for one in found.cases) >= 10
    assert not plan(found, made, days).unplanned
    families = {one.family for one in found.cases}
    wanted = {Family.HAPPY_PATH, Family.FILE_FAULT, Family.SPLIT, Family.PREPAY, Family.PPMID}
    assert wanted | {Family.AFTER, Family.MIXED} <= families
    assert (Family.ROLLBACK in families) is found.cohort.rollback.enabled
    assert (Family.RESUBMISSION in families) is found.cohort.cohort.resubmission_5_8a
    assert bool(found.mistakes) is (mode is Mode.SIMULATED)


def test_a_new_definition_explains_itself(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    write_new(path, "DA", Mode.SIMULATED)
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)["run"]["cohort"] == "DA"
    assert "# as_of = 2023-01-31" in text
    assert text.count("#") > 20


def test_a_file_that_is_there_is_replaced_by_force_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="there already") as caught:
        run(dust_new.register, "new", str(path), "--cohort", "DA")
    assert "--force" in caught.value.next_command
    assert path.read_text(encoding="utf-8") == "mine"
    code, output = run(dust_new.register, "new", str(path), "--cohort", "DA", "--force")
    assert (code, "dust run" in output) == (0, True)
    assert load_definition(path).run.id == "DA-run"


def test_no_definition_is_written_for_a_cohort_that_is_not_migrated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not migrated"):
        write_new(tmp_path / "run.toml", "EC", Mode.SIMULATED)
    assert not list(tmp_path.iterdir())


def test_a_plan_is_a_table_json_and_a_picture(tmp_path: Path) -> None:
    path, picture = tmp_path / "run.toml", tmp_path / "plan.svg"
    write_new(path, "EA", Mode.SIMULATED)
    code, output = run(dust_plan.register, "plan", str(path), "--picture", str(picture))
    assert code == 0
    assert "2024-12-30" in output
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    code, output = run(dust_plan.register, "plan", str(path), "--json")
    told = json.loads(output)
    assert len(told["installations"]) == 14
    assert told["definition"] == load_definition(path).sha256
    assert told["kind"] == "Migration DUST"


def test_a_plan_without_a_day_for_a_home_exits_1_and_outside_the_days_2(tmp_path: Path) -> None:
    short = written(tmp_path, text_of("[capacity]\nper_day = 1\ndays = 1\n"))
    assert run(dust_plan.register, "plan", str(short))[0] == 1
    late = written(tmp_path, text_of(run="as_of = 2023-02-01"))
    with pytest.raises(UsageError, match="ended on"):
        run(dust_plan.register, "plan", str(late))
    early = written(tmp_path, text_of(run="as_of = 2020-07-25"))
    code, output = run(dust_plan.register, "plan", str(early), "--historical")
    assert code == 0
    assert "historical" in output


def test_stock_is_migrated_once_added_to_and_usable_after_the_closure(tmp_path: Path) -> None:
    sets = '[[devices]]\nname = "elec"\nshape = "ESME-only"\nppmid = "none"\n'
    path, out = written(tmp_path, text_of(sets=sets)), tmp_path / "not" / "there" / "stock.json"
    arguments = ("stock", str(path), "--out", str(out), "--jobs", "1", "--json")
    code, output = run(dust_stock.register, *arguments)
    told = json.loads(output)
    assert (code, told["usable"], told["known"]) == (0, 1, [])
    assert told["new"][0]["state"] == "Migrated"
    assert len(load_many(Path(told["run"]) / "stock-installations.toml")) == 1
    before = out.read_bytes()
    again = json.loads(run(dust_stock.register, *arguments)[1])
    assert (again["new"], again["known"]) == ([], ["elec-001"])
    assert out.read_bytes() == before
    run_part = 'stock = "not/there/stock.json"\nas_of = 2024-01-01'
    late = written(tmp_path, text_of(run=run_part, sets=f"{sets}from_stock = true\n"))
    definition = load_definition(late)
    stock = stock_of(definition)
    assert stock == load_stock(out)
    assert not run_days(definition, stock=stock).historical
    assert homes(definition)[0].devices == load_stock(out).homes[0].installation.devices


def test_a_closed_cohort_s_devices_are_not_put_into_stock(tmp_path: Path) -> None:
    path = written(tmp_path, text_of(run="as_of = 2023-02-01"))
    with pytest.raises(UsageError, match="ended on 2023-01-31"):
        run(dust_stock.register, "stock", str(path), "--out", str(tmp_path / "stock.json"))
    assert not (tmp_path / "stock.json").exists()


def test_a_stock_of_another_cohort_is_left_alone(tmp_path: Path) -> None:
    path, out = written(tmp_path, text_of()), tmp_path / "stock.json"
    out.write_text(json.dumps({"cohort": "EA"}), encoding="utf-8")
    with pytest.raises(UsageError, match="cohort EA"):
        run(dust_stock.register, "stock", str(path), "--out", str(out))
    assert json.loads(out.read_text(encoding="utf-8")) == {"cohort": "EA"}


def test_a_home_that_does_not_come_into_stock_is_told_with_its_reason(tmp_path: Path) -> None:
    sets = '[[devices]]\nname = "elec"\nshape = "ESME-only"\nppmid = "none"\n'
    sets += 'class = "Dormant"\nmodels = "ESME=demo-s1-esme-earlier"\n'
    earlier = f'{sets}[[early_firmware]]\nset = "elec"\nto = "10000001"\n'
    path, out = written(tmp_path, text_of(sets=earlier)), tmp_path / "stock.json"
    code, output = run(dust_stock.register, "stock", str(path), "--out", str(out), "--jobs", "1")
    words = " ".join(output.split())
    assert code == 1
    assert "0 homes migrated now, 0 in stock already, 0 usable" in words
    assert "note elec-001 is not usable: " in words
    assert "not 10000001 (X-T2)" in words
    assert f"next mend these homes, then smetsbench dust stock {path} --out {out}" in words
    told = json.loads(
        run(dust_stock.register, "stock", str(path), "--out", str(out), "--jobs", "1", "--json")[1]
    )
    assert told["new"][0]["why"]
