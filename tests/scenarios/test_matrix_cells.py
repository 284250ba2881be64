"""Cells of the firmware matrix on emulated devices: what is observed is what the data imply."""

import asyncio
from pathlib import Path

import pytest

from device_profiles.cpl import load_cpl
from device_profiles.metadata_layout import MetadataMode
from device_profiles.s1sr import FirmwareService
from device_profiles.words import DeviceType
from emulator.core.errors import MalformedFrameError
from harness.firmware_cells import MatrixCell, default_cells
from harness.firmware_matrix_world import DEFAULT_DAY, load_world
from harness.firmware_observation import OBSERVERS, observer
from harness.parties.firmware_defects import DEFECTS
from harness.scenarios.smets1_firmware import cells
from harness.scenarios.smets1_firmware.cells import observe
from harness.scenarios.smets1_firmware.data import BARE, RIGHT, Known, Wanted
from harness.scenarios.smets1_firmware.homes import HUBS, Home

TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING
PPMID, ESME, CHF = DeviceType.PPMID, DeviceType.ESME, DeviceType.CHF
#: Hubs of five makers in homes of one S1SP.
FIVE = {hub: Home(hub=hub) for hub in HUBS.values()}
LAYOUT_FIELDS = {name: one for name, one in DEFECTS.items() if one.layout}
#: Fields of layouts that no hub compares with anything: the layout gives them a default alone.
UNCHECKED = {
    "layout-altered-l-ioc-1-activation_mode",
    "layout-altered-l-sec-1-flags",
}


def cell(
    home: Home, wanted: Wanted = RIGHT, role: DeviceType = PPMID, **known: object
) -> MatrixCell:
    return Known(**known).cell(home, role, wanted)  # type: ignore[arg-type]  # fields of Known


def test_the_emulated_observer_is_the_one_the_command_finds() -> None:
    assert observer("emulated") is observe
    assert set(OBSERVERS) == {"emulated"}


def test_of_five_layouts_on_five_hubs_exactly_the_five_own_ones_are_accepted() -> None:
    seen = {
        (hub, layout): observe(cell(home, Wanted(layout=layout)), 1)
        for hub, home in FIVE.items()
        for layout in FIVE
    }
    accepted = {pair for pair, word in seen.items() if word == "ACTIVATED"}
    assert accepted == {(hub, hub) for hub in FIVE}
    assert sum(word == "DISCARDED" for word in seen.values()) == 20


@pytest.mark.parametrize(("mode", "word"), [(TACTICAL, "DISCARDED"), (ENDURING, "ACTIVATED")])
def test_a_bare_image_is_for_nobodys_hub_or_for_everybodys(mode: MetadataMode, word: str) -> None:
    bare = [cell(home, Wanted(layout=BARE), mode=mode) for home in FIVE.values()]
    assert {observe(one, 1) for one in bare} == {word}
    assert {one.implied.word for one in bare} == {word}
    assert len({one.case.hash for one in bare}) == 1


def test_one_image_has_five_hashes_in_tactical_mode() -> None:
    own = [cell(home) for home in FIVE.values()]
    assert len({one.case.hash for one in own}) == 5
    assert len({one.image.facts.bare_hash for one in own}) == 1


@pytest.mark.soak
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", list(LAYOUT_FIELDS))
def test_a_wrong_field_of_a_layout_changes_a_cell_or_is_listed(name: str) -> None:
    """A hub knows the model of one device alone, its own: fields about the target tell there."""
    (home,) = [
        one
        for one in FIVE.values()
        if Known().world(one).makers.by_profile[one.hub].layout.layout_id
        == LAYOUT_FIELDS[name].layout
    ]
    words = {observe(cell(home, RIGHT, role, defects=(name,)), 1) for role in (PPMID, CHF)}
    assert ("DISCARDED" in words) is (name not in UNCHECKED)


@pytest.mark.soak
def test_every_effect_of_the_clauses_is_read_by_some_request() -> None:
    homes = [
        Home(cohort=cohort, ppmid=ppmid)
        for cohort in HUBS
        for ppmid in ("demo-s1-ppmid", "demo-bilingual-ppmid", "demo-s1-ppmid-ended")
    ]

    def says(*off: str) -> list[tuple[str, ...]]:
        known = [Known(defects=off, mode=mode) for mode in MetadataMode]
        return [
            (one.says(home, PPMID, service).text, *one.says(home, PPMID, service).clauses)
            for one in known
            for home in homes
            for service in FirmwareService
        ]

    shipped = says()
    for name in (one for one in DEFECTS if one.startswith("clause-off")):
        if name.endswith(("-size", "-metadata")):
            continue  # the two say the same of the same devices: see the next test
        assert says(name) != shipped, name


def test_of_two_clauses_that_say_the_same_one_is_enough_and_without_both_none_speaks() -> None:
    home = Home()
    both = ("clause-off-s1sr-18.63d-size", "clause-off-s1sr-18.63d-metadata")
    texts = [
        Known(defects=off).says(home, PPMID, FirmwareService.UPDATE).text
        for off in ((), both[:1], both[1:], both)
    ]
    assert texts == ["unlikely (S1SR 18.63(d))"] * 3 + ["silent"]


@pytest.mark.parametrize(
    ("rule", "home", "wanted"),
    [
        ("own-make", Home(cohort="DA"), RIGHT),
        ("fits-the-store", Home(cohort="MDS"), Wanted(oversize=True)),
        ("has-the-metadata", Home(), Wanted(layout="demo-s1-chf-sec")),
    ],
)
def test_without_its_rule_the_data_imply_what_is_not_observed(
    rule: str, home: Home, wanted: Wanted
) -> None:
    right = cell(home, wanted)
    wrong = cell(home, wanted, defects=(f"data-ignored-{rule}",))
    word = observe(right, 1)
    assert right.implied.agrees(word)
    assert not wrong.implied.agrees(word)


def small_store(folder: Path, octets: int) -> Path:
    """An overlay in which the IOC hub's store has so many octets."""
    models = folder / "models"
    models.mkdir(exist_ok=True)
    (models / "demo-s1-chf-ioc.toml").write_text(f"[hub]\nimage_store_bytes = {octets}\n")
    return folder


@pytest.mark.parametrize("role", [ESME, DeviceType.GSME, PPMID, CHF])
def test_the_store_is_the_hubs_whatever_the_image_is_for(role: DeviceType, tmp_path: Path) -> None:
    """At the limit an image is taken, one octet over it is discarded."""
    size = Known().cell(Home(), role, RIGHT).image.facts.size_bytes
    for limit, word in ((size, "ACTIVATED"), (size - 1, "DISCARDED")):
        folders = (small_store(tmp_path, limit),)
        known = Known(folders=folders)
        one = known.cell(Home(), role, RIGHT)
        assert one.implied.word == word
        assert observe(one, 1) == word


async def breaks(_cell: MatrixCell, _seed: int) -> str:
    raise MalformedFrameError("somewhere", b"", "broken")


async def says_nothing(_cell: MatrixCell, _seed: int) -> str:
    return "NOTHING_TOLD"


async def never_ends(_cell: MatrixCell, _seed: int) -> str:
    await asyncio.sleep(3_650 * 86_400)
    return "ACTIVATED"


@pytest.mark.parametrize(
    ("play", "word"), [(breaks, "BROKEN_FRAME"), (says_nothing, "HANG"), (never_ends, "HANG")]
)
def test_a_broken_frame_and_a_hang_are_no_outcome_of_any_cell(
    play: object, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = cell(Home(cohort="EA", ppmid="demo-s1-ppmid-ended"))
    monkeypatch.setattr(cells, "_in_smets1", play)
    assert observe(one, 1) == word
    assert one.implied.word == "uncertain"
    assert not one.implied.agrees(word)


@pytest.mark.soak
def test_an_uncertain_cell_reaches_more_than_one_outcome_by_seed() -> None:
    one = cell(Home(cohort="EA", ppmid="demo-s1-ppmid-ended"))
    words = {observe(one, seed) for seed in range(1, 9)}
    assert len(words) > 1
    assert "ACTIVATED" in words
    assert all(one.implied.agrees(word) for word in words)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_every_default_cell_agrees() -> None:
    world = load_world((), load_cpl(()), DEFAULT_DAY)
    every = list(default_cells(world, tuple(MetadataMode)))
    differ = [
        (one.home.name, one.target_name, one.mode, one.image.facts.layout_id)
        for one in every
        if not one.implied.agrees(observe(one, 1))
    ]
    assert len(every) > 250
    assert not differ
