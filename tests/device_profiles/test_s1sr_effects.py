"""Clauses of the S1SR as data: which speak, when they hold, and what an overlay changes."""

from datetime import date
from pathlib import Path

import pytest

from device_profiles.errors import DataError
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.metadata_layout import MetadataMode
from device_profiles.rows import load_clauses
from device_profiles.s1sr import (
    ClauseDevice,
    ClauseEffect,
    ClauseStatus,
    FirmwareService,
    load_s1sr,
)
from device_profiles.words import DeviceType

DAY = date(2022, 1, 1)
DISPLAY = ClauseDevice(DeviceType.PPMID)
TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING


REVERSED = "valid_from = 2022-01-02\nvalid_to = 2022-01-01\n"


def overlay(folder: Path, text: str) -> Path:
    (folder / "clauses").mkdir()
    (folder / "clauses" / "s1sr_clauses.toml").write_text(text, "utf-8")
    return folder


def test_every_effect_names_a_clause_that_can_be_looked_up_and_carries_a_mark() -> None:
    clauses, table = load_clauses(), load_s1sr()
    assert {effect.clause for effect in table.effects.values()} == {
        "S1SR 18.63(c)",
        "S1SR 18.63(d)",
        "S1SR 18.64(b)",
        "S1SR 18.64(c)",
        "S1SR 18.65(e)",
    }
    for effect in table.effects.values():
        assert effect.clause in clauses
        assert Mark.parse(effect.evidence).kind is EvidenceKind.SOURCE
        assert effect.status is ClauseStatus.PROPOSED


def test_meters_and_hubs_are_spoken_of_nowhere() -> None:
    table = load_s1sr()
    for device in (DeviceType.ESME, DeviceType.GSME, DeviceType.CHF):
        for service in FirmwareService:
            for cohort in ("IOC", "MDS", "DA", "EA", "EB"):
                said = table.speaking(ClauseDevice(device), cohort, service, TACTICAL, DAY)
                assert said == ()


@pytest.mark.parametrize(
    ("cohort", "device", "service", "mode", "effects"),
    [
        ("IOC", DISPLAY, "update", TACTICAL, ["unlikely", "unlikely"]),
        ("IOC", DISPLAY, "update", ENDURING, ["unlikely"]),  # size alone is left
        ("DA", DISPLAY, "update", TACTICAL, ["unlikely"]),  # annex D has no size clause
        ("DA", DISPLAY, "update", ENDURING, []),
        ("DA", ClauseDevice(DeviceType.PPMID, third_party=True), "read", ENDURING, ["fails"]),
        ("EA", ClauseDevice(DeviceType.PPMID, third_party=True), "read", TACTICAL, []),
        ("EA", ClauseDevice(DeviceType.PPMID, bilingual=True), "read", TACTICAL, ["mismatch"]),
        ("IOC", ClauseDevice(DeviceType.PPMID, bilingual=True), "read", TACTICAL, []),
        ("SMETS2+", DISPLAY, "update", TACTICAL, []),
    ],
)
def test_who_is_spoken_of(
    cohort: str, device: ClauseDevice, service: str, mode: MetadataMode, effects: list[str]
) -> None:
    said = load_s1sr().speaking(device, cohort, FirmwareService(service), mode, DAY)
    assert [effect.effect.value for effect in said] == effects


def test_the_gravest_effect_comes_first() -> None:
    both = ClauseDevice(DeviceType.PPMID, bilingual=True, third_party=True)
    said = load_s1sr().speaking(both, "DA", FirmwareService.UPDATE, TACTICAL, DAY)
    assert [one.effect for one in said] == [
        ClauseEffect.FAILS,
        ClauseEffect.UNCERTAIN,
        ClauseEffect.UNLIKELY,
    ]


def test_an_overlay_withdraws_one_effect_by_its_name_alone(tmp_path: Path) -> None:
    folder = overlay(tmp_path, '[[effect]]\nid = "S1SR 18.63(d) metadata"\nstatus = "withdrawn"\n')
    shipped, changed = load_s1sr(), load_s1sr([folder])
    one = changed.effects["S1SR 18.63(d) metadata"]
    assert one.says == shipped.effects[one.id].says
    assert Mark.parse(one.evidence).kind is EvidenceKind.USER
    assert shipped.speaking(DISPLAY, "DA", FirmwareService.UPDATE, TACTICAL, DAY)
    assert not changed.speaking(DISPLAY, "DA", FirmwareService.UPDATE, TACTICAL, DAY)
    others = set(shipped.effects) - {one.id}
    assert all(changed.effects[name] == shipped.effects[name] for name in others)


def test_days_open_and_close_an_effect(tmp_path: Path) -> None:
    folder = overlay(
        tmp_path,
        '[[effect]]\nid = "S1SR 18.63(d) metadata"\nstatus = "designated"\n'
        "valid_from = 2021-09-10\nvalid_to = 2022-11-03\n",
    )
    effect = load_s1sr([folder]).effects["S1SR 18.63(d) metadata"]
    days = [date(2021, 9, 9), date(2021, 9, 10), date(2022, 11, 3), date(2022, 11, 4)]
    assert [effect.in_force(day) for day in days] == [False, True, True, False]


def test_another_annex_moves_the_effects_to_another_cohort(tmp_path: Path) -> None:
    folder = overlay(tmp_path, '[[annex]]\nid = "D"\ncohorts = ["IOC"]\n')
    third = ClauseDevice(DeviceType.PPMID, third_party=True)
    table = load_s1sr([folder])
    assert table.speaking(third, "IOC", FirmwareService.READ, TACTICAL, DAY)
    assert not table.speaking(third, "DA", FirmwareService.READ, TACTICAL, DAY)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[effect]]\nid = "X 1"\n', "clause"),
        ('[[effect]]\nstatus = "withdrawn"\n', "no id"),
        ('[[effect]]\nid = "S1SR 18.63(d) size"\nstatus = "perhaps"\n', "status"),
        ('[[effect]]\nid = "S1SR 18.63(d) size"\nannexes = ["Q"]\n', "no annex Q"),
        ('[[effect]]\nid = "S1SR 18.63(d) size"\n' + REVERSED, "lies before"),
        ("effect = 3\n", "tables"),
    ],
)
def test_a_wrong_row_is_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    folder = overlay(tmp_path, text)
    with pytest.raises(DataError, match=why):
        load_s1sr([folder])


def test_a_misspelt_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown key"):
        load_clauses([overlay(tmp_path, "[[effects]]\n")])
