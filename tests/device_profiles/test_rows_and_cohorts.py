"""Catalogue rows, clauses and cohorts: shipped ones load; wrong ones are refused by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from device_profiles import files
from device_profiles.cohort import cohort_names, load_cohort
from device_profiles.errors import DataError
from device_profiles.evidence import EvidenceKind, Mark, covers
from device_profiles.loader import load_profile, profile_names
from device_profiles.rows import (
    load_alert_notes,
    load_clauses,
    load_duis_codes,
    load_replacements,
    load_words,
)
from device_profiles.words import CspRegion, DeviceType, MeaningStatus, SmetsVersion
from emulator.codecs.gbcs.alerts import MEANINGS

LOADERS: list[Callable[[], Mapping[str, Any]]] = [
    load_clauses,
    load_duis_codes,
    load_alert_notes,
    load_words,
    load_replacements,
]
#: Firmware codes of the XSD, as firmware.md 2.2 lists them.
FIRMWARE_CODES = [
    *(f"E1101{n:02d}" for n in (1, 2, 3, 5, 6)),
    *(f"E1104{n:02d}" for n in (1, 2, 3, 5)),
    *(f"E1202{n:02d}" for n in (1, 3, 4, 7)),
    *(f"E0804{n:02d}" for n in range(5, 16)),
    *("W110101", "W110401", "N60", "N61"),
]


@pytest.mark.parametrize("load", LOADERS)
def test_every_row_is_filled_and_marked(load: Callable[[], Mapping[str, Any]]) -> None:
    rows = load()
    assert rows
    for name, row in rows.items():
        assert row.id == name
        assert str(Mark.parse(row.evidence)) == row.evidence


@pytest.mark.parametrize("code", FIRMWARE_CODES)
def test_every_firmware_code_has_a_row(code: str) -> None:
    row = load_duis_codes()[code]
    mark = Mark.parse(row.evidence)
    sourced = row.meaning_status is MeaningStatus.SOURCED
    assert sourced == (mark.kind is EvidenceKind.SOURCE)


def test_every_alert_note_is_of_a_code_with_a_meaning() -> None:
    assert {int(code, 16) for code in load_alert_notes()} <= set(MEANINGS)


def test_every_stand_in_of_a_profile_says_what_would_replace_it() -> None:
    replacements = load_replacements()
    for name in profile_names():
        for path, mark in load_profile(name).evidence.items():
            if mark.kind is EvidenceKind.STAND_IN:
                assert any(covers(key, path) for key in replacements), f"{name} {path}"


def test_every_replacement_is_of_a_value_some_profile_has() -> None:
    paths = {path for name in profile_names() for path in load_profile(name).evidence}
    for key in load_replacements():
        assert any(covers(key, path) for path in paths), key


CLAUSE = (
    '[[clause]]\nid = "X 1"\ntitle = "title"\nsays = "says"\ndocument = "doc"\nevidence = "known"\n'
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CLAUSE.replace('evidence = "known"', ""), "unmarked-value"),
        (CLAUSE.replace('"known"', '"rumour"'), "invalid-value"),
        (CLAUSE.replace('says = "says"\n', ""), "invalid-value"),
        (CLAUSE.replace('"says"', '""'), "invalid-value"),
        (CLAUSE + "colour = 1\n", "invalid-value"),
        (CLAUSE + CLAUSE, "duplicate-entry"),
        (CLAUSE.replace("[[clause]]", "[[claws]]"), "invalid-value"),
        ("[[clause]\n", "unreadable-file"),
    ],
)
def test_each_wrong_row_has_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, code: str
) -> None:
    (tmp_path / "clauses").mkdir()
    (tmp_path / "clauses" / "a.toml").write_text(text, "utf-8")
    monkeypatch.setattr("device_profiles.rows.SHIPPED", tmp_path)
    with pytest.raises(DataError) as caught:
        load_clauses()
    assert caught.value.code == code


def test_the_six_cohorts_are_there() -> None:
    assert cohort_names() == sorted(["IOC", "MDS", "DA", "EA", "EB", "EC"])


@pytest.mark.parametrize("key", cohort_names())
def test_every_cohort_names_smets1_models_of_the_right_type(key: str) -> None:
    cohort = load_cohort(key)
    assert cohort.cohort.csp is CspRegion.SMETS1
    for role in ("chf", "esme", "gsme", "ppmid"):
        profile = load_profile(getattr(cohort.models, role))
        assert profile.device_type is DeviceType(role.upper())
        assert profile.identity.smets is SmetsVersion.SMETS1


def test_the_eis_coordinates_outside_the_foc_groups_only() -> None:
    coordinated = {key for key in cohort_names() if load_cohort(key).cohort.coordinated_by_eis}
    assert coordinated == {"IOC", "MDS", "DA"}


def test_a_cohort_of_ones_own_is_read_by_path_or_overlay(tmp_path: Path) -> None:
    shipped = (files.SHIPPED / "cohorts" / "EA.toml").read_text("utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(shipped.replace('"EA"', '"ZZ"'), "utf-8")
    assert load_cohort(path).cohort.group_id == "ZZ"
    assert load_cohort(path).key == "mine"
    folder = tmp_path / "overlay"
    (folder / "cohorts").mkdir(parents=True)
    (folder / "cohorts" / "EA.toml").write_text('[cohort]\ngroup_id = "YY"\n', "utf-8")
    overlaid = load_cohort("EA", (folder,))
    assert overlaid.cohort.group_id == "YY"
    assert overlaid.evidence["cohort.group_id"].kind is EvidenceKind.USER
    assert overlaid.models == load_cohort("EA").models


def test_a_cohort_with_an_unmarked_or_missing_value_is_refused(tmp_path: Path) -> None:
    shipped = (files.SHIPPED / "cohorts" / "EA.toml").read_text("utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(shipped.replace('"models" = "stand-in"\n', ""), "utf-8")
    with pytest.raises(DataError, match="unmarked-value"):
        load_cohort(path)
    path.write_text(shipped.replace('esme = "demo-s1-esme"\n', ""), "utf-8")
    with pytest.raises(DataError, match=r"models\.esme"):
        load_cohort(path)
    with pytest.raises(DataError, match="known: DA, EA"):
        load_cohort("XX")
