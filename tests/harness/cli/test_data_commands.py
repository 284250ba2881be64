"""``smetsbench profiles``, ``data``, ``installations``, ``explain``: what they show and refuse."""

import json
from pathlib import Path

import pytest

from device_profiles.files import SHIPPED
from device_profiles.installation import load_many
from device_profiles.loader import profile_names
from device_profiles.rows import load_clauses
from emulator.codecs.gbcs.alerts import MEANINGS
from emulator.codecs.gbcs.use_cases import MESSAGES
from firmware_images.defects import DEFECTS
from harness import explain as explaining
from harness.cli import data, explain, installations, profiles
from harness.errors import UsageError
from harness.scenarios.catalogue import CATALOGUE
from harness.setting import Setting
from harness.standins import OTHER_STAND_INS, collect, render
from tests.given import ROOT
from tests.harness.cli.command_line import run, run_json


def overlay(folder: Path, text: str) -> str:
    (folder / "data" / "models").mkdir(parents=True)
    (folder / "data" / "models" / "demo-esme.toml").write_text(text, "utf-8")
    return str(folder / "data")


def test_profiles_lists_every_profile() -> None:
    rows = run_json(profiles.register, "profiles")["profiles"]
    assert [row["name"] for row in rows] == profile_names()
    code, text = run(profiles.register, "profiles")
    assert code == 0
    assert all(name in text for name in profile_names())


def test_one_profile_is_shown_with_every_mark() -> None:
    shown = run_json(profiles.register, "profiles", "gfi-chf")
    assert shown["profile"]["hub"]["historic_log_entries"] == 15
    assert shown["evidence"]["hub.image_store_bytes"] == "stand-in"
    assert shown["evidence"]["identity.reference_eui64"] == "source:RTDS 4.5.0"
    code, text = run(profiles.register, "profiles", "gfi-chf")
    assert code == 0
    assert all(path in text for path in shown["evidence"])
    assert "121D" in text


def test_an_overlaid_value_shows_its_mark(tmp_path: Path) -> None:
    folder = overlay(tmp_path, "[firmware]\nimage_type = 0x0042\n")
    shown = run_json(profiles.register, "profiles", "demo-esme", "--data", folder)
    assert shown["profile"]["firmware"]["image_type"] == 0x42
    assert shown["evidence"]["firmware.image_type"].startswith("user:")


def test_data_may_be_given_twice_and_the_last_wins(tmp_path: Path) -> None:
    one = overlay(tmp_path / "one", "[firmware]\nimage_type = 0x0042\nslots = 1\n")
    two = overlay(tmp_path / "two", "[firmware]\nimage_type = 0x0043\n")
    options = ("--data", one, "--data", two)
    shown = run_json(profiles.register, "profiles", "demo-esme", *options)["profile"]["firmware"]
    assert (shown["image_type"], shown["slots"]) == (0x43, 1)


def test_the_variable_names_an_overlay_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = overlay(tmp_path, "[firmware]\nimage_type = 0x0042\n")
    monkeypatch.setenv("SMETSBENCH_DATA", folder)
    shown = run_json(profiles.register, "profiles", "demo-esme")
    assert shown["profile"]["firmware"]["image_type"] == 0x42


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[firmware]\nimage_type = 'x'\n", "invalid-value"),
        ("[firmware\n", "unreadable-file: not TOML"),
        ("colour = 1\n", "invalid-value: unknown key"),
        ('[firmware]\nslots = 1\n[evidence]\n"firmware" = "known"\n', "bad-mark"),
    ],
)
def test_a_broken_overlay_is_a_usage_error_that_names_file_and_key(
    tmp_path: Path, text: str, why: str
) -> None:
    folder = overlay(tmp_path, text)
    with pytest.raises(UsageError, match=why) as caught:
        run(profiles.register, "profiles", "demo-esme", "--data", folder)
    assert "demo-esme.toml" in caught.value.where
    assert caught.value.cause
    assert caught.value.exit_code == 2


def test_an_unmarked_profile_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'device_type = "ESME"\ntitle = "t"\nextends = "demo-esme"\n[radio]\nendpoint = 3\n'
    )
    with pytest.raises(UsageError, match="unmarked-value") as caught:
        run(profiles.register, "profiles", str(path))
    assert caught.value.where.endswith("radio.endpoint")


def test_what_is_no_overlay_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="broken-overlay"):
            run(profiles.register, "profiles", "--data", str(folder))


def test_data_status_lists_stand_ins_and_their_replacements() -> None:
    status = run_json(data.register, "data", "status", "--file", "models/demo-esme")
    assert {row["evidence"] for row in status["stand_ins"]} == {"stand-in"}
    store = {row["path"]: row for row in status["stand_ins"]}["firmware.resume_policy"]
    assert "FM-13" in store["where"]
    assert set(status["other"]) == set(OTHER_STAND_INS)


def test_an_overlay_takes_a_stand_in_off_the_list(tmp_path: Path) -> None:
    folder = overlay(tmp_path, "[firmware]\nimage_type = 0x0042\n")
    arguments = ("data", "status", "--file", "models/demo-esme")
    before = run_json(data.register, *arguments)["stand_ins"]
    after = run_json(data.register, *arguments, "--data", folder)
    gone = {(row["file"], row["path"]) for row in before} - {
        (row["file"], row["path"]) for row in after["stand_ins"]
    }
    assert gone == {
        ("models/demo-esme", "firmware.image_type"),
        ("models/demo-esme-strict", "firmware.image_type"),
    }
    assert after["overlays"] == [folder]


def test_data_status_counts_for_people_and_lists_inferences_when_asked() -> None:
    code, text = run(data.register, "data", "status")
    assert code == 0
    assert f"{len(collect(inferred=False))} stand-ins in data files" in text
    assert "inferred:" not in text
    assert "inferred:" in run(data.register, "data", "status", "--inferred")[1]


def test_the_committed_page_of_stand_ins_is_the_generated_one() -> None:
    committed = (ROOT / "docs" / "stand-ins.md").read_text("utf-8")
    assert committed == render(), "run: smetsbench data stand-ins --out docs/stand-ins.md"


def test_every_weak_value_stands_on_the_page() -> None:
    page = render()
    for stand_in in collect():
        assert str(stand_in.mark) in page
        owner = stand_in.file.partition("/")[2]
        assert owner in page


def test_generated_files_are_written_where_asked(tmp_path: Path) -> None:
    page, products = tmp_path / "page.md", tmp_path / "cpl.csv"
    assert run(data.register, "data", "stand-ins", "--out", str(page))[0] == 0
    assert run(data.register, "data", "synthetic-cpl", "--out", str(products))[0] == 0
    assert page.read_text("utf-8") == render()
    assert products.read_bytes() == (SHIPPED / "catalogues" / "cpl.csv").read_bytes()
    with pytest.raises(UsageError, match="cannot be written"):
        run(data.register, "data", "stand-ins", "--out", "/no/such/folder/x")


@pytest.mark.parametrize("name", ["homes.toml", "homes.csv"])
def test_new_installations_read_back_and_check(tmp_path: Path, name: str) -> None:
    out = str(tmp_path / name)
    arguments = ("--cohort", "IOC", "--count", "3", "--seed", "9", "--out", out)
    made = run_json(installations.register, "installations", "new", *arguments)
    assert made == {"count": 3, "seed": 9, "file": out}
    assert len(load_many(out)) == 3
    checked = run_json(installations.register, "installations", "check", out)["installations"]
    assert [row["cohort"] for row in checked] == ["IOC"] * 3


def test_one_new_installation_goes_to_standard_output(tmp_path: Path) -> None:
    code, text = run(installations.register, "installations", "new", "--shape", "hub-only")
    assert code == 0
    (tmp_path / "i.toml").write_text(text, "utf-8")
    (home,) = load_many(tmp_path / "i.toml")
    assert home.cohort is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("new", "--cohort", "XX"), "no cohort of this key"),
        (("new", "--count", "0"), "not possible"),
        (("new", "--out", "homes.txt"), "does not say which form"),
        (("new", "--out", "/no/such/folder/i.csv"), "cannot be written"),
        (("check", "/no/such.toml"), "unreadable-file"),
        (("check", "nowhere"), "no installation of this name"),
    ],
)
def test_what_installations_cannot_do_is_refused(arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        run(installations.register, "installations", *arguments)


def test_shipped_installations_check_and_the_schema_prints() -> None:
    rows = run_json(installations.register, "installations", "check", "gfi")["installations"]
    assert rows == [{"ref": "gfi", "cohort": "none", "shape": "dual-fuel", "devices": 6}]
    code, text = run(installations.register, "installations", "schema")
    assert code == 0
    assert set(json.loads(text)["properties"]) == {
        "ref",
        "cohort",
        "class",
        "shape",
        "csp",
        "device",
    }


@pytest.mark.parametrize(
    ("term", "kind", "word"),
    [
        ("CS06", "use case", "Activate Firmware"),
        ("0x0012", "use case", "Activate Firmware"),
        ("cs08", "use case", "Read PPMID"),
        ("8F72", "alert code", "verified"),
        ("0x8f1c", "alert code", "failed"),
        ("HASH_MISMATCH", "outcome", "another hash"),
        ("inconclusive", "verdict", "inference"),
        ("E110103", "DUIS code", "hash"),
        ("n60", "DUIS code", "hub holds"),
        ("GBCS  11.5", "clause", "code 2"),
        ("SECMP0007", "clause", "PPMIDs"),
        ("bad-sig-length", "image-error", "40 hexadecimal"),
        ("unknown-signer", "signature", "key"),
        ("pathway", "cpl", "upgrade"),
        ("oversize", "image defect", "store"),
        ("demo-esme", "device profile", "made-up"),
        ("00-DB-12-34-56-78-90-A0", "device profile", "GFI"),
    ],
)
def test_explain_knows_codes_clauses_words_and_defects(term: str, kind: str, word: str) -> None:
    meanings = run_json(explain.register, "explain", term)["meanings"]
    found = [meaning for meaning in meanings if meaning["kind"] == kind]
    assert found, meanings
    assert word in found[0]["says"]
    code, text = run(explain.register, "explain", term)
    assert code == 0
    assert word in text
    assert "evidence: " in text


#: Of the long migration pack one row in ten: its clauses are checked where its rows are.
EXPLAINED = [
    name for number, name in enumerate(CATALOGUE) if not name.startswith("MIG-") or number % 10 == 0
]


@pytest.mark.parametrize("name", EXPLAINED)
def test_explain_knows_every_scenario_and_each_clause_it_cites(name: str) -> None:
    (meaning,) = explaining.explain(name.lower())
    assert meaning.kind == "scenario"
    scenario = Setting().scenario(name)
    assert meaning.says == scenario.title
    assert {ref.id for ref in scenario.clauses} <= set(load_clauses())


@pytest.mark.parametrize("name", ["esme-keeps-old-version", "dsp-skips-cpl-check"])
def test_explain_knows_saboteurs(name: str) -> None:
    (meaning,) = run_json(explain.register, "explain", name)["meanings"]
    assert meaning["kind"].endswith("defect")
    assert name in meaning["use"]


def test_explain_says_how_sure_a_duis_code_is() -> None:
    (meaning,) = run_json(explain.register, "explain", "E110105")["meanings"]
    assert meaning["meaning_status"] == "provisional"
    assert meaning["category"] == "not-on-cpl"
    (known,) = run_json(explain.register, "explain", "N61")["meanings"]
    assert known["meaning_status"] == "sourced"


def test_explain_offers_what_is_near() -> None:
    with pytest.raises(UsageError, match="nothing is known of 'HASH_MISMATCHED'") as caught:
        run(explain.register, "explain", "HASH_MISMATCHED")
    assert "HASH_MISMATCH" in caught.value.cause
    with pytest.raises(UsageError) as caught:
        run(explain.register, "explain", "zzzzzzzz")
    assert caught.value.cause


def test_everything_with_a_name_can_be_explained() -> None:
    known = {(meaning.kind, meaning.id) for meaning in explaining.meanings()}
    assert {("alert code", f"{code:04X}") for code in MEANINGS} <= known
    assert {("image defect", name) for name in DEFECTS} <= known
    assert {("device profile", name) for name in profile_names()} <= known
    assert {("use case", row.use_case) for row in MESSAGES.values()} <= known
    assert all(meaning.says for meaning in explaining.meanings())


def test_explain_reads_an_overlays_rows(tmp_path: Path) -> None:
    clauses = tmp_path / "data" / "clauses"
    clauses.mkdir(parents=True)
    (clauses / "mine.toml").write_text(
        '[[clause]]\nid = "S1SR 18.63"\ntitle = "Update"\nsays = "the real words"\n'
        'document = "S1SR"\n',
        "utf-8",
    )
    folder = str(tmp_path / "data")
    (meaning,) = run_json(explain.register, "explain", "s1sr 18.63", "--data", folder)["meanings"]
    assert meaning["says"] == "the real words"
    assert meaning["evidence"].startswith("user:")
