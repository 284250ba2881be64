"""Overlays: values that win, the marks they get, and folders that are none."""

import hashlib
from pathlib import Path

import pytest

from device_profiles.cpl import load_cpl
from device_profiles.errors import BadMarkError, DataError, OverlayError
from device_profiles.loader import load_profile, profile_names
from device_profiles.overlay import DATA_VARIABLE, open_overlay, overlays_of
from device_profiles.rows import load_clauses, load_duis_codes

PATCH = "[firmware]\nimage_type = 0x0042\n"


def overlay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return open_overlay(folder)


def test_an_overlaid_value_wins_and_is_marked_with_the_files_hash(tmp_path: Path) -> None:
    folder = overlay(tmp_path, {"models/demo-esme.toml": PATCH})
    profile = load_profile("demo-esme", (folder,))
    digest = hashlib.sha256(PATCH.encode()).hexdigest()[:16]
    assert profile.firmware.image_type == 0x0042
    assert str(profile.evidence["firmware.image_type"]) == f"user:{digest}"
    assert profile.firmware.slots == load_profile("demo-esme").firmware.slots
    assert str(profile.evidence["firmware.block_retries"]) == "stand-in"


def test_an_overlaid_value_may_be_observed(tmp_path: Path) -> None:
    text = f'{PATCH}[evidence]\n"firmware" = "observed:beef"\n'
    folder = overlay(tmp_path, {"models/demo-esme.toml": text})
    profile = load_profile("demo-esme", (folder,))
    assert str(profile.evidence["firmware.image_type"]) == "observed:beef"


@pytest.mark.parametrize("mark", ["known", "source:me", "stand-in", "inferred:x"])
def test_an_overlay_cannot_claim_another_mark(tmp_path: Path, mark: str) -> None:
    text = f'{PATCH}[evidence]\n"firmware" = "{mark}"\n'
    folder = overlay(tmp_path, {"models/demo-esme.toml": text})
    with pytest.raises(BadMarkError, match="user: or observed:"):
        load_profile("demo-esme", (folder,))


def test_profiles_that_extend_an_overlaid_one_inherit_its_values(tmp_path: Path) -> None:
    folder = overlay(tmp_path, {"models/demo-esme.toml": PATCH})
    assert load_profile("demo-esme-strict", (folder,)).firmware.image_type == 0x0042


def test_an_overlay_may_add_a_profile(tmp_path: Path) -> None:
    text = 'device_type = "ESME"\ntitle = "mine"\nextends = "demo-esme"\n[identity]\nmodel_id = 9\n'
    folder = overlay(tmp_path, {"models/mine.toml": text})
    assert "mine" in profile_names((folder,))
    assert "mine" not in profile_names()
    assert load_profile("mine", (folder,)).identity.model_id == 9


def test_of_two_overlays_the_later_one_wins(tmp_path: Path) -> None:
    weak = overlay(tmp_path / "a", {"models/demo-esme.toml": PATCH + "slots = 3\n"})
    other = PATCH.replace("0042", "0043")
    strong = overlay(tmp_path / "b", {"models/demo-esme.toml": other})
    firmware = load_profile("demo-esme", (weak, strong)).firmware
    assert (firmware.image_type, firmware.slots) == (0x0043, 3)


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("[firmware]\nimage_type = 'x'\n", "invalid-value", "firmware.image_type"),
        ("[firmware]\nimage_typ = 1\n", "invalid-value", "firmware.image_typ"),
        ("[firmware\n", "unreadable-file", ""),
        (f'{PATCH}[evidence]\n"radio" = "user:x"\n', "bad-mark", "evidence.radio"),
    ],
)
def test_a_broken_overlay_file_is_named_with_its_key(
    tmp_path: Path, text: str, code: str, key: str
) -> None:
    folder = overlay(tmp_path, {"models/demo-esme.toml": text})
    with pytest.raises(DataError) as caught:
        load_profile("demo-esme", (folder,))
    assert caught.value.code == code
    assert caught.value.key == key
    assert caught.value.file == str(folder / "models" / "demo-esme.toml")


def test_what_is_no_overlay_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OverlayError, match="no such folder"):
        open_overlay(tmp_path / "nowhere")
    with pytest.raises(OverlayError, match="holds none"):
        open_overlay(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "model").mkdir()
    with pytest.raises(OverlayError, match="'model' is not one"):
        open_overlay(tmp_path)


def test_the_variable_comes_before_the_option(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "models").mkdir(parents=True)
    environment = {DATA_VARIABLE: str(tmp_path / "one")}
    assert overlays_of([tmp_path / "two"], environment) == (tmp_path / "one", tmp_path / "two")
    assert overlays_of([], environment) == (tmp_path / "one",)
    assert overlays_of([], {}) == ()
    with pytest.raises(OverlayError):
        overlays_of([], {DATA_VARIABLE: str(tmp_path / "three")})


ROW = """
[[clause]]
id = "GBCS 11.5"
title = "mine"
says = "what the real text says"
document = "GBCS 4.2"
"""


def test_overlaid_rows_win_and_add(tmp_path: Path) -> None:
    new = ROW.replace("GBCS 11.5", "GBCS 99")
    folder = overlay(tmp_path, {"clauses/mine.toml": ROW + new})
    clauses = load_clauses((folder,))
    assert clauses["GBCS 11.5"].says == "what the real text says"
    assert clauses["GBCS 11.5"].evidence.startswith("user:")
    assert clauses["GBCS 99"].document == "GBCS 4.2"
    assert len(clauses) == len(load_clauses()) + 1


def test_an_overlaid_row_cannot_claim_a_source(tmp_path: Path) -> None:
    folder = overlay(tmp_path, {"clauses/mine.toml": f'{ROW}evidence = "known"\n'})
    with pytest.raises(BadMarkError, match="user: or observed:"):
        load_clauses((folder,))


def test_a_row_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    folder = overlay(tmp_path, {"catalogues/duis_codes.toml": '[[code]]\nid = "E1"\nwhy = "x"\n'})
    with pytest.raises(DataError, match=r"code\.0"):
        load_duis_codes((folder,))


def test_an_overlays_products_list_replaces_the_synthetic_one(tmp_path: Path) -> None:
    csv = (
        "Entry,Type,Maker,Code,Model,Hw,Fw,Hash,State,From,Before\n"
        "1,ESME,Acme,1016,302a,0100,0100000a,,Active,31/12/2024,N/A\n"
        "2,ESME,Acme,1016,302a,0100,0100000B,,Active,01/01/2025,1\n"
    )
    column_map = """
[columns]
cpl_entry_id = "Entry"
device_type = "Type"
manufacturer_name = "Maker"
manufacturer_id = "Code"
model_id = "Model"
hardware_version = "Hw"
firmware_version = "Fw"
manufacturer_image_hash = "Hash"
status = "State"
effective_from = "From"
upgrade_from = "Before"
[constants]
smets = "SMETS2+"
[formats]
date = "%d/%m/%Y"
"""
    files = {"catalogues/cpl.csv": csv, "catalogues/cpl_columns.toml": column_map}
    folder = overlay(tmp_path, files)
    cpl = load_cpl((folder,))
    assert set(cpl.entries) == {"1", "2"}
    assert cpl.entry("1").firmware_version == "0100000A"
    assert cpl.entry("2").upgrade_from == ("1",)
    assert cpl.entry("1").evidence.startswith("user:")
    assert len(load_cpl().entries) > 2


def test_a_migration_schema_may_stand_in_an_overlay_under_its_own_name(tmp_path: Path) -> None:
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    (schemas / "migration.xsd").write_text("<a/>", "utf-8")
    (schemas / "types.xsd").write_text("<a/>", "utf-8")
    assert open_overlay(tmp_path) == tmp_path
    (schemas / "notes.txt").write_text("x", "utf-8")
    with pytest.raises(OverlayError, match=r"names end in \.xsd"):
        open_overlay(tmp_path)
    (schemas / "notes.txt").unlink()
    (schemas / "migration.xsd").unlink()
    with pytest.raises(OverlayError, match=r"only migration\.xsd"):
        open_overlay(tmp_path)
