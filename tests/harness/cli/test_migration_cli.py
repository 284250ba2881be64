import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from device_profiles.files import SHIPPED as DATA
from device_profiles.installation import render_toml
from harness.cli import migration
from harness.errors import HarnessError, UsageError
from harness.formats.migration_files.names import parse_migration
from harness.formats.migration_files.schema import SHIPPED
from harness.formats.migration_files.view import InstallationView
from harness.new_installations import Order, generate
from harness.rules.outcomes import Outcome
from tests.harness.cli.command_line import run, run_json
from tests.harness.formats.migration_files.migration_given import refusing

ROW = {"name", "type", "result", "step", "code", "sub_code", "text"}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("homes") / "homes.toml"
    path.write_text(render_toml(generate(Order(3, 1, "EA"))), "utf-8")
    return path


@pytest.fixture(scope="module")
def made(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made")
    code, _output = do("build", "--cohort", "EA", "--installations", str(homes), "--out", str(out))
    assert code == 0
    return out


@pytest.fixture
def files(made: Path, tmp_path: Path) -> Path:
    """A copy of the set, to be spoilt."""
    shutil.copytree(made, tmp_path / "set")
    return tmp_path / "set"


def do(*arguments: str) -> tuple[int, str]:
    return run(migration.register, "migration", *arguments)


def do_json(*arguments: str) -> Any:
    return run_json(migration.register, "migration", *arguments)


def of(folder: Path, kind: str) -> Path:
    (path,) = folder.glob(f"{kind}_*.xml")
    return path


def refused(*arguments: str) -> dict[str, Any]:
    code, output = do("check", *arguments, "--json")
    assert code == 1
    rows: dict[str, Any] = json.loads(output)
    return rows


def test_a_set_is_built_and_checked_clean(made: Path) -> None:
    assert {path.name[:3] for path in made.glob("*.xml")} == {"MCF", "MVF", "MGF", "MEF", "RFS"}
    for path in made.glob("*.xml"):
        assert parse_migration(path.name).group_id == "EA"
        assert b"<!-- smetsbench stand-in" in path.read_bytes()
    rows = do_json("check", str(made))
    assert len(rows["files"]) == 5
    assert "missing" not in rows
    assert all(row.keys() >= ROW for row in rows["files"])
    assert {row["result"] for row in rows["files"]} == {"accepted"}
    assert [row["ref"] for row in rows["installations"]] == [f"EA-1-00000{n}" for n in (1, 2, 3)]
    assert all(row.keys() == (ROW - {"name", "type"}) | {"ref"} for row in rows["installations"])
    code, output = do("check", str(made))
    assert code == 0
    assert "EA-1-000003" in output
    assert "stand-in" in output


def test_the_same_seed_builds_the_same_files(made: Path, homes: Path, tmp_path: Path) -> None:
    arguments = ("build", "--cohort", "EA", "--installations", str(homes), "--out")
    told = do_json(*arguments, str(tmp_path / "again"))
    assert told["stand_in_schema"] is True
    for row in told["files"]:
        assert (tmp_path / "again" / row["name"]).read_bytes() == (made / row["name"]).read_bytes()
    do(*arguments, str(tmp_path / "other"), "--seed", "2")
    assert of(tmp_path / "other", "MEF").read_bytes() != of(made, "MEF").read_bytes()


def test_private_keys_are_readable_by_their_owner_alone(made: Path) -> None:
    keys = list((made / "keys").glob("*.key"))
    assert keys
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


def test_a_spoilt_file_is_refused_with_its_code_and_exit_code_1(files: Path) -> None:
    path = of(files, "MGF")
    path.write_bytes(path.read_bytes().replace(b"SIM-000002", b"SIM-000009"))
    rows = refused(str(files))
    assert {row["type"]: row["code"] for row in rows["files"]} == {
        "MCF": "",
        "MVF": "",
        "MGF": "X-SIG-BAD",
        "MEF": "",
        "RFS": "X-RFS",
    }
    assert {row["result"] for row in rows["installations"]} == {"not-processed"}
    code, output = do("check", str(path))
    assert code == 1
    assert "X-SIG-BAD 01" in output


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "X-ENTITY"),
        (b"<!DOCTYPE r><r/>", "X-DTD"),
        (b'<m:r xmlns:m="urn:x-bench:smets1-migration:1">', "X-XML"),
        (b"<r/>", "X-NS"),
        (b"", "X-XML"),
    ],
)
def test_hostile_and_broken_files_are_findings_not_tracebacks(
    files: Path, content: bytes, code: str
) -> None:
    path = of(files, "MCF")
    path.write_bytes(content)
    rows = refused(str(path))
    assert [row["code"] for row in rows["files"]] == [code]
    inspected, output = do("inspect", str(path), "--json")
    assert inspected == 1
    assert json.loads(output)["findings"][0]["code"] == code


def test_a_file_of_one_gibibyte_is_a_finding(files: Path) -> None:
    path = of(files, "MEF")
    with path.open("wb") as file:
        file.truncate(1 << 30)
    assert refused(str(path))["files"][0]["code"] == "X-SIZE"
    code, output = do("inspect", str(path), "--json")
    assert (code, json.loads(output)["size_bytes"]) == (1, 1 << 30)


def test_a_changed_file_can_be_signed_anew_and_then_the_content_decides(files: Path) -> None:
    path = of(files, "MCF")
    changed = files / "changed.xml"
    changed.write_bytes(path.read_bytes().replace(b">Credit<", b">Cash<"))
    with pytest.raises(UsageError, match="signed already"):
        do("sign", str(changed), "--key", str(files / "keys"), "--out", str(path))
    told = do_json(
        "sign", str(changed), "--replace", "--key", str(files / "keys"), "--out", str(path)
    )
    assert told["signer"] == "02-53-42-00-00-E1-00-00"
    row = refused(str(path))["files"][0]
    assert (row["code"], row["step"]) == ("X-XSD", "V4")


def test_signing_anew_what_was_not_changed_gives_the_same_octets(files: Path) -> None:
    for kind in ("MCF", "MVF"):
        path = of(files, kind)
        out = files / "out.xml"
        do("sign", str(path), "--replace", "--key", str(files / "keys"), "--out", str(out))
        assert out.read_bytes() == path.read_bytes()


def test_one_key_file_and_one_party_can_be_named(files: Path) -> None:
    path, out, keys = of(files, "MCF"), files / "out.xml", files / "keys"
    s1sp = "02-53-42-00-00-E2-00-00"
    for arguments in (
        ("--key", str(keys / f"{s1sp.replace('-', '').lower()}-xml.key")),
        ("--key", str(keys), "--party", s1sp),
    ):
        assert (
            do_json("sign", str(path), "--replace", "--out", str(out), *arguments)["signer"] == s1sp
        )
        target = files / path.name
        shutil.copy(out, target)
        row = refused(str(target))["files"][0]
        assert (row["code"], row["sub_code"]) == ("X-SIG-SIGNER", "01")


def test_a_ledger_decides_on_counters_and_is_not_changed(made: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.json"
    series = {"requesting_party": "02-53-42-00-00-E1-00-00", "group_id": "EA", "counter": 7}
    ledger.write_text(json.dumps({"highest": [series], "completed": []}), "utf-8")
    before = ledger.read_bytes()
    rows = refused(str(made), "--ledger", str(ledger))
    codes = {row["type"]: row["code"] for row in rows["files"]}
    assert codes["MCF"] == "X-5.9.5"
    assert ledger.read_bytes() == before
    shown = refused(str(made), "--ledger", str(ledger), "--supplier-view")
    assert "X-5.9.5" not in json.dumps(shown)
    assert "X-SEQUENCE" in json.dumps(shown)
    ledger.write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="not a ledger"):
        do("check", str(made), "--ledger", str(ledger))


def test_rules_of_installations_can_be_plugged_in(made: Path) -> None:
    def split(view: InstallationView) -> Sequence[Outcome]:
        return [refusing()] if view.common.ref.endswith("2") else []

    def register(app: typer.Typer) -> None:
        migration.register(app, split)

    code, output = run(register, "migration", "check", str(made), "--json")
    rows = json.loads(output)
    assert code == 1
    assert [row["code"] for row in rows["installations"]] == ["", "X-5.9.10", ""]
    assert {row["result"] for row in rows["files"]} == {"accepted"}


def test_without_the_keys_of_a_party_its_layer_is_unchecked_and_that_is_said(
    files: Path,
) -> None:
    for path in (files / "keys").glob("02534200*e40000-ka.*"):
        path.unlink()
    rows = refused(str(files))
    assert {row["result"] for row in rows["files"]} == {"accepted"}
    assert {(row["result"], row["code"]) for row in rows["installations"]} == {
        ("incomplete", "X-KEY")
    }


def test_a_schema_in_an_overlay_is_used_for_all_commands(homes: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "mine"
    (overlay / "schemas").mkdir(parents=True)
    text = SHIPPED.read_text("utf-8").replace("urn:x-bench:smets1-migration:1", "urn:mine")
    (overlay / "schemas" / "migration.xsd").write_text(text, "utf-8")
    out = tmp_path / "out"
    data = ("--data", str(overlay))
    build = ("build", "--cohort", "EA", "--installations", str(homes), "--out", str(out))
    assert do_json(*build, *data)["stand_in_schema"] is False
    assert do_json("check", str(out), *data)["files"][0]["result"] == "accepted"
    assert refused(str(out))["files"][0]["code"] == "X-NS"
    assert do_json("inspect", str(of(out, "MCF")), *data)["namespace"] == "urn:mine"
    (overlay / "schemas" / "migrations.xml").write_text("x", "utf-8")
    with pytest.raises(UsageError, match=r"names end in \.xsd"):
        do("check", str(out), *data)


def test_a_cohort_file_elsewhere_and_the_other_cohorts_build_too(
    homes: Path, tmp_path: Path
) -> None:
    cohort = tmp_path / "EA.toml"
    cohort.write_text((DATA / "cohorts" / "EA.toml").read_text("utf-8"), "utf-8")
    arguments = ("--installations", str(homes), "--out", str(tmp_path / "a"))
    assert do("build", "--cohort", str(cohort), *arguments)[0] == 0
    for key in ("IOC", "MDS", "DA", "EB"):
        path = tmp_path / f"{key}.toml"
        path.write_text(render_toml(generate(Order(1, 1, key))), "utf-8")
        out = tmp_path / key
        code, _output = do(
            "build", "--cohort", key, "--installations", str(path), "--out", str(out)
        )
        assert code == 0
        assert do_json("check", str(out))["installations"][0]["result"] == "accepted"


def test_plain_text_is_built_for_anyone_and_accepted_for_eb_alone(tmp_path: Path) -> None:
    for key, result in (("EB", "accepted"), ("EA", "refused")):
        path = tmp_path / f"{key}.toml"
        path.write_text(render_toml(generate(Order(1, 1, key))), "utf-8")
        out = tmp_path / key
        made = ("build", "--cohort", key, "--installations", str(path), "--out", str(out))
        assert do(*made, "--plaintext")[0] == 0
        _code, output = do("check", str(out), "--json")
        (row,) = json.loads(output)["installations"]
        assert row["result"] == result
        assert row["code"] == ("" if result == "accepted" else "X-11.1")


def test_a_group_that_is_not_migrated_is_refused_with_its_own_reason(tmp_path: Path) -> None:
    path = tmp_path / "homes.toml"
    path.write_text(render_toml(generate(Order(1, 1, "EC"))), "utf-8")
    with pytest.raises(HarnessError, match="X-GROUP 02: GroupID EC"):
        do("build", "--cohort", "EC", "--installations", str(path), "--out", str(tmp_path / "o"))
    assert not (tmp_path / "o").exists()


def test_wrong_use_is_told(homes: Path, made: Path, tmp_path: Path) -> None:
    build = ("build", "--installations", str(homes), "--out", str(tmp_path / "o"), "--cohort")
    for arguments, told in (
        ((*build, "EB"), "of cohort EA, not EB"),
        ((*build, "XX"), "unknown-name"),
        ((*build, "EA", "--at", "tomorrow"), "not a moment"),
        ((*build, "EA", "--tag", "two words"), "X-NAME"),
        ((*build, "EA", "--keys", str(tmp_path)), "key store cannot be read"),
        (("check", str(tmp_path / "none")), "no such file"),
        (("check", str(homes)), "no keys"),
        (("check", str(made / "keys"), "--keys", str(made / "keys")), "0 files"),
        (
            (
                "sign",
                str(of(made, "MCF")),
                "--replace",
                "--key",
                str(made / "keys"),
                "--party",
                "02-53-42-00-00-EF-00-00",
                "--out",
                str(tmp_path / "x"),
            ),
            "0 XML-signing keys",
        ),
        (
            (
                "sign",
                str(of(made, "MCF")),
                "--replace",
                "--key",
                str(made / "keys"),
                "--party",
                "x",
                "--out",
                str(tmp_path / "x"),
            ),
            "not an EUI-64",
        ),
    ):
        with pytest.raises(HarnessError, match=told) as caught:
            do(*arguments)
        assert caught.value.exit_code == 2


def test_an_inspection_for_people_names_header_and_homes(made: Path) -> None:
    code, output = do("inspect", str(of(made, "MCF")))
    assert code == 0
    assert "header migration_week: 2021-W23" in output
    assert "EA-1-000002" in output
    code, output = do("inspect", str(of(made, "MEF")))
    assert "s1sp_bytes" in output


def test_the_rules_of_the_tables_are_applied(files: Path) -> None:
    """Supplier certificates that are not Null are fine for one supplier, and not for two."""
    rows = do_json("check", str(files))
    assert {row["result"] for row in rows["installations"]} == {"accepted"}
    overlay = files.parent / "lists"
    (overlay / "catalogues").mkdir(parents=True)
    epcl = (DATA / "catalogues" / "epcl.csv").read_text("utf-8").splitlines()
    kept = "\n".join(line.removesuffix(",stand-in") + "," for line in epcl if "-EA-" not in line)
    text = kept.replace("evidence,", "evidence")
    (overlay / "catalogues" / "epcl.csv").write_text(text + "\n", "utf-8")
    rows = refused(str(files), "--data", str(overlay))
    assert {(row["code"], row["step"]) for row in rows["installations"]} == {("MA110", "P2")}
    assert {row["result"] for row in rows["files"]} == {"accepted"}
    lenient = do_json("check", str(files), "--data", str(overlay), "--disable", "MA110")
    assert {row["result"] for row in lenient["installations"]} == {"accepted"}


def test_a_day_after_the_tmad_needs_an_explicit_override(homes: Path, tmp_path: Path) -> None:
    out = tmp_path / "late"
    day = ("--at", "2025-02-03T06:00:00Z")
    do("build", "--cohort", "EA", "--installations", str(homes), "--out", str(out), *day)
    rows = refused(str(out))
    assert [row["code"] for row in rows["files"] if row["type"] == "MCF"] == ["X-1.3"]
    code, output = do("check", str(out), "--override", "1.3")
    assert code == 0
    assert "warning: MCF_EA" in output
    assert "overridden by the operator" in output
    with pytest.raises(HarnessError, match="no rule of this id"):
        do("check", str(out), "--override", "1.33")


def test_a_cohort_file_elsewhere_works(homes: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    text = (DATA / "cohorts" / "EA.toml").read_text("utf-8")
    own.write_text(text.replace('group_id = "EA"', 'group_id = "QQ"'), "utf-8")
    listed = tmp_path / "homes.toml"
    listed.write_text(homes.read_text("utf-8").replace('cohort = "EA"', 'cohort = "mine"'), "utf-8")
    out = tmp_path / "own"
    do("build", "--cohort", str(own), "--installations", str(listed), "--out", str(out))
    unknown = refused(str(out))
    assert {row["code"] for row in unknown["files"] if row["type"] == "MCF"} == {"X-GROUP"}
    rows = refused(str(out), "--cohort", str(own))
    assert {row["result"] for row in rows["files"]} == {"accepted"}
    assert {row["code"] for row in rows["installations"]} == {"MA110"}, "no EPCL entry of QQ"


def test_real_codes_of_an_overlay_are_shown_in_the_place_of_ours(files: Path) -> None:
    overlay = files.parent / "real"
    (overlay / "catalogues").mkdir(parents=True)
    text = "code,sub_code,real_code,real_sub_code,evidence\nX-SIG-BAD,01,QQ17,03,\n"
    (overlay / "catalogues" / "migration-real-codes.csv").write_text(text, "utf-8")
    path = of(files, "MGF")
    path.write_bytes(path.read_bytes().replace(b"SIM-000001", b"SIM-000009"))
    rows = refused(str(files), "--data", str(overlay))
    found = [(row["code"], row["sub_code"]) for row in rows["files"] if row["type"] == "MGF"]
    assert found == [("QQ17", "03")]


def respelt(folder: Path, old: str, new: str) -> None:
    """Change the MCF of a set, sign it again, and leave out the manifest of the old one."""
    mcf = of(folder, "MCF")
    text = mcf.read_text("utf-8")
    assert old in text
    mcf.write_text(text.replace(old, new), "utf-8")
    out = mcf.with_suffix(".signed")
    code, _output = do(
        "sign", str(mcf), "--key", str(folder / "keys"), "--out", str(out), "--replace"
    )
    assert code == 0
    out.replace(mcf)
    of(folder, "RFS").unlink()


@pytest.mark.parametrize(
    ("old", "new", "sub_code", "results"),
    [
        # two homes share a display, a home's display has its own meter's number, one meter point
        ("02-53-05-85-67-00-00-02", "02-53-05-85-67-00-00-01", "02", "refused refused accepted"),
        ("02-53-05-85-67-00-00-02", "02-53-01-85-67-00-00-02", "02", "accepted refused accepted"),
        ("9941510000026", "9941510000017", "03", "refused refused accepted"),
    ],
)
def test_what_stands_twice_in_an_mcf_is_refused_where_it_stands(
    files: Path, old: str, new: str, sub_code: str, results: str
) -> None:
    respelt(files, old, new)
    for path in (files, of(files, "MCF")):
        rows = refused(str(path))["installations"]
        assert " ".join(row["result"] for row in rows) == results
        found = {(row["code"], row["sub_code"]) for row in rows if row["result"] == "refused"}
        assert found == {("X-UNIQUE", sub_code)}


def test_what_a_set_has_not_got_yet_is_told(files: Path) -> None:
    for kind in ("MVF", "MEF", "RFS"):
        of(files, kind).unlink()
    assert do_json("check", str(files))["missing"] == [["MVF", "MEF"]]


def test_an_mcf_by_itself_is_asked_all_that_needs_no_other_file(files: Path) -> None:
    rows = do_json("check", str(of(files, "MCF")))
    assert [row["result"] for row in rows["installations"]] == ["accepted"] * 3
    respelt(files, 'Model="0110"', 'Model="0999"')
    rows = refused(str(of(files, "MCF")))
    assert {row["code"] for row in rows["installations"]} == {"X-P2-CPL"}
    assert [row["result"] for row in rows["files"]] == ["accepted"]


def test_the_ledger_counts_for_an_mcf_by_itself(made: Path, tmp_path: Path) -> None:
    mcf = of(made, "MCF")
    party = str(parse_migration(mcf.name).party)
    ledger = tmp_path / "ledger.json"
    for counter, code in ((0, ""), (1, "X-5.9.5")):
        seen = [{"requesting_party": party, "group_id": "EA", "counter": counter}]
        ledger.write_text(json.dumps({"highest": seen, "completed": []}), "utf-8")
        arguments = (str(mcf), "--ledger", str(ledger))
        rows = refused(*arguments) if code else do_json("check", *arguments)
        assert [row["code"] for row in rows["files"]] == [code]
